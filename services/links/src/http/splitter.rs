//! Cuts a stream of bytes into whole records, so that an import never holds the whole file.

/// The longest record, in bytes: room for a link with as many and as long rules as there can be.
pub(super) const RECORD_BYTES_MAX: usize = crate::domain::bookmarks::ENTRY_BYTES_MAX * 16;

/// A record is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// What some programs write before the first record; the reader of the records skips it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in a table a byte stands, as the reader of the records sees it: a quote opens a cell only
/// as its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first character of a cell.
    Start,
    /// In a cell without quotes, or behind the closing quote.
    Plain,
    /// Within quotes.
    Quoted,
    /// Behind a quote within quotes: it closes the cell, or is doubled.
    Closing,
}

impl Place {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Closing,
            (Self::Quoted, _) | (Self::Start | Self::Closing, b'"') => Self::Quoted,
            (_, b',' | b'\n' | b'\r') => Self::Start,
            _ => Self::Plain,
        }
    }
}

/// Cuts after line breaks, if told so only after those that end a record of a table.
pub(super) struct Splitter {
    waiting: Vec<u8>,
    quotes: bool,
    /// How much of `waiting` was looked at, and where that ends.
    seen: usize,
    place: Place,
    /// Where the last whole record ends.
    whole: usize,
    /// Whether `waiting` begins with the first record.
    first: bool,
}

impl Splitter {
    /// For tables, whose quoted cells may hold line breaks, or for plain lines.
    pub(super) const fn new(quotes: bool) -> Self {
        Self {
            waiting: Vec::new(),
            quotes,
            seen: 0,
            place: Place::Start,
            whole: 0,
            first: true,
        }
    }

    /// Takes more bytes; answers the whole records so far.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TooLong> {
        self.waiting.extend_from_slice(bytes);
        for at in self.seen..self.waiting.len() {
            let byte = self.waiting[at];
            if self.quotes {
                self.place = self.place.after(byte);
            }
            if self.first && self.waiting[..=at] == *BYTE_ORDER_MARK {
                self.place = Place::Start;
            }
            if byte == b'\n' && self.place == Place::Start {
                self.whole = at + 1;
            }
        }
        self.seen = self.waiting.len();
        if self.seen - self.whole > RECORD_BYTES_MAX {
            return Err(TooLong);
        }
        let rest = self.waiting.split_off(self.whole);
        self.seen -= self.whole;
        self.first &= self.whole == 0;
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
                prop_assert!(records.is_empty() || records.ends_with(b"\n"));
                joined.extend(records);
                rest = tail;
            }
            joined.extend(pieces.finish());
            prop_assert_eq!(&joined, &text.clone().into_bytes());
            prop_assert_eq!(whole, text.into_bytes());
        }

        #[test]
        fn the_pieces_have_the_records_of_the_whole(
            mark: bool, text in "[a\",\\r\\n]{0,60}", size in 1_usize..9
        ) {
            let text = format!("{}{text}", if mark { "\u{feff}" } else { "" });
            let mut splitter = Splitter::new(true);
            let mut pieces = Vec::new();
            for bytes in text.as_bytes().chunks(size) {
                pieces.extend(records(&splitter.push(bytes).expect("short")));
            }
            pieces.extend(records(&splitter.finish()));
            prop_assert_eq!(pieces, records(text.as_bytes()));
        }
    }

    fn records(table: &[u8]) -> Vec<csv::StringRecord> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).from_reader(table);
        reader.into_records().map(|r| r.expect("text")).collect()
    }

    #[test]
    fn a_quote_within_a_cell_swallows_no_line() {
        let table = b"https://a.example/,5\" screen\nhttps://b.example/,\"two\nlines\"\nhttps://c";
        let mut splitter = Splitter::new(true);
        let whole = splitter.push(table).expect("short");
        assert_eq!(whole, table[..table.len() - b"https://c".len()]);
        assert_eq!(splitter.finish(), b"https://c");
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
