//! Cuts a stream of bytes into whole records, so that an import never holds the whole file.

/// The longest record, in bytes.
pub(super) const RECORD_BYTES_MAX: usize = crate::domain::bookmarks::ENTRY_BYTES_MAX * 4;

/// A record is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// Cuts after line breaks; within quotes only if told so.
pub(super) struct Splitter {
    waiting: Vec<u8>,
    quotes: bool,
    /// How much of `waiting` was looked at, and whether that ends within quotes.
    seen: usize,
    quoted: bool,
    /// Where the last whole record ends.
    whole: usize,
}

impl Splitter {
    /// For tables, whose quoted cells may hold line breaks, or for plain lines.
    pub(super) const fn new(quotes: bool) -> Self {
        Self {
            waiting: Vec::new(),
            quotes,
            seen: 0,
            quoted: false,
            whole: 0,
        }
    }

    /// Takes more bytes; answers the whole records so far.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TooLong> {
        self.waiting.extend_from_slice(bytes);
        for at in self.seen..self.waiting.len() {
            match self.waiting[at] {
                b'"' if self.quotes => self.quoted = !self.quoted,
                b'\n' if !self.quoted => self.whole = at + 1,
                _ => {}
            }
        }
        self.seen = self.waiting.len();
        if self.seen - self.whole > RECORD_BYTES_MAX {
            return Err(TooLong);
        }
        let rest = self.waiting.split_off(self.whole);
        self.seen -= self.whole;
        self.whole = 0;
        Ok(std::mem::replace(&mut self.waiting, rest))
    }

    /// What is left at the end.
    pub(super) fn finish(self) -> Vec<u8> {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn however_it_is_cut_the_records_are_the_same(
            text in "[a\",\\n]{0,60}", sizes in prop::collection::vec(1_usize..9, 1..30), quotes: bool
        ) {
            let mut at_once = Splitter::new(quotes);
            let mut whole = at_once.push(text.as_bytes()).expect("short");
            whole.extend(at_once.finish());
            let mut pieces = Splitter::new(quotes);
            let (mut joined, mut rest, mut sizes) = (Vec::new(), text.as_bytes(), sizes.iter().cycle());
            while !rest.is_empty() {
                let (head, tail) = rest.split_at(rest.len().min(*sizes.next().expect("endless")));
                let records = pieces.push(head).expect("short");
                let outside = records.iter().filter(|b| **b == b'"').count() % 2 == 0;
                prop_assert!(records.is_empty() || records.ends_with(b"\n"));
                prop_assert!(!quotes || outside);
                joined.extend(records);
                rest = tail;
            }
            joined.extend(pieces.finish());
            prop_assert_eq!(&joined, &text.clone().into_bytes());
            prop_assert_eq!(whole, text.into_bytes());
        }
    }

    #[test]
    fn an_endless_record_is_refused() {
        let mut splitter = Splitter::new(true);
        assert_eq!(
            splitter.push(&vec![b'x'; RECORD_BYTES_MAX + 1]),
            Err(TooLong)
        );
    }
}
