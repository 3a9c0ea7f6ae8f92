//! What Redis has yet to be told, per cache: changes wait here, merged by key and bounded.
//!
//! A key with a change that waits is not read from Redis: what stands there may be stale.

use std::collections::HashMap;
use std::sync::Arc;

use super::{PENDING_BYTES_MAX, PENDING_MAX};
use crate::memory::Floor;

/// The state of an entry that was read, against which a load is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(super) epoch: String,
    pub(super) generation: String,
}

/// A value on its way to Redis.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    pub(super) version: u64,
    pub(super) ttl_ms: u64,
    pub(super) bytes: Vec<u8>,
}

/// One change.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Forget(Floor),
    Put(Sealed),
    Fill(Token, Sealed),
}

impl Op {
    const fn bytes(&self) -> usize {
        match self {
            Self::Forget(_) => 0,
            Self::Put(sealed) | Self::Fill(_, sealed) => sealed.bytes.len(),
        }
    }

    const fn makes_stale(&self) -> bool {
        !matches!(self, Self::Fill(..))
    }

    /// The one change that has the effect of `self` and then `later`, or a safer one.
    fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Fill(..), later) => later,
            (first, Self::Fill(..)) => first,
            (Self::Forget(a), Self::Forget(b)) => Self::Forget(a.and(b)),
            (Self::Forget(a), Self::Put(p)) => Self::Forget(a.and(Floor::since(p.version))),
            (Self::Put(p), Self::Forget(f)) if f.admits(p.version) => Self::Put(p),
            (Self::Put(_), Self::Forget(f)) => Self::Forget(f),
            (Self::Put(a), Self::Put(b)) if a.version > b.version => Self::Put(a),
            (Self::Put(_), Self::Put(b)) => Self::Put(b),
        }
    }
}

/// A batch that is being told to Redis.
pub(super) struct Batch {
    pub(super) all: bool,
    pub(super) ops: Vec<(Arc<str>, Op)>,
}

#[derive(Default)]
pub(super) struct Pending {
    waiting: HashMap<Arc<str>, Op>,
    under_way: HashMap<Arc<str>, Op>,
    bytes: usize,
    all: bool,
    all_under_way: bool,
}

impl Pending {
    /// Whether what Redis holds for `key` may be older than what this process knows.
    pub(super) fn distrusts(&self, key: &str) -> bool {
        self.all
            || self.all_under_way
            || [&self.waiting, &self.under_way]
                .iter()
                .any(|ops| ops.get(key).is_some_and(Op::makes_stale))
    }

    pub(super) fn add(&mut self, key: Arc<str>, op: Op) {
        if matches!(op, Op::Fill(..)) && self.distrusts(&key) {
            return;
        }
        let op = match op {
            Op::Fill(..) if self.bytes + op.bytes() > PENDING_BYTES_MAX => return,
            Op::Put(p) if self.bytes + p.bytes.len() > PENDING_BYTES_MAX => {
                Op::Forget(Floor::since(p.version))
            }
            op => op,
        };
        let op = match self.waiting.remove(&key) {
            Some(first) => {
                self.bytes -= first.bytes();
                first.then(op)
            }
            None => op,
        };
        if self.waiting.len() >= PENDING_MAX {
            if op.makes_stale() {
                self.forget_all();
            }
            return;
        }
        self.bytes += op.bytes();
        self.waiting.insert(key, op);
    }

    /// One change instead of all: the cache begins a new epoch.
    pub(super) fn forget_all(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
        self.all = true;
    }

    /// Drops the bytes of values that wait; for a Redis that is away.
    pub(super) fn slim(&mut self) {
        self.waiting.retain(|_, op| op.makes_stale());
        for op in self.waiting.values_mut() {
            if let Op::Put(p) = op {
                *op = Op::Forget(Floor::since(p.version));
            }
        }
        self.bytes = 0;
    }

    /// Takes up to `max` changes; they count as under way until [`Pending::settle`].
    pub(super) fn take(&mut self, max: usize) -> Option<Batch> {
        if std::mem::take(&mut self.all) {
            self.all_under_way = true;
            return Some(Batch {
                all: true,
                ops: Vec::new(),
            });
        }
        let keys: Vec<Arc<str>> = self.waiting.keys().take(max).cloned().collect();
        let ops: Vec<_> = keys
            .into_iter()
            .filter_map(|k| self.waiting.remove_entry(&k))
            .collect();
        self.bytes -= ops.iter().map(|(_, op)| op.bytes()).sum::<usize>();
        self.under_way = ops.iter().cloned().collect();
        (!ops.is_empty()).then_some(Batch { all: false, ops })
    }

    /// The batch is through, or has to be told again.
    pub(super) fn settle(&mut self, done: bool) {
        let under_way = std::mem::take(&mut self.under_way);
        let all = std::mem::take(&mut self.all_under_way);
        if done {
            return;
        }
        self.all |= all;
        for (key, op) in under_way.into_iter().filter(|(_, op)| op.makes_stale()) {
            let later = self.waiting.remove(&key);
            self.bytes -= later.as_ref().map_or(0, Op::bytes);
            let op = match later {
                Some(later) => op.then(later),
                None => op,
            };
            self.add(key, op);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(version: u64) -> Sealed {
        Sealed {
            version,
            ttl_ms: 1_000,
            bytes: vec![0; 8],
        }
    }

    fn token() -> Token {
        Token {
            epoch: "0".to_owned(),
            generation: "0".to_owned(),
        }
    }

    #[test]
    fn a_load_is_not_filled_in_over_a_change_that_waits() {
        let mut pending = Pending::default();
        pending.add("a".into(), Op::Forget(Floor::Nothing));
        pending.add("a".into(), Op::Fill(token(), sealed(1)));
        let batch = pending.take(10).expect("a batch");
        assert!(matches!(batch.ops[..], [(_, Op::Forget(Floor::Nothing))]));
        pending.add("a".into(), Op::Fill(token(), sealed(1)));
        assert!(
            pending.take(10).is_none(),
            "nor while the change is under way"
        );
    }

    #[test]
    fn a_change_that_failed_is_told_again_and_keeps_its_key_distrusted() {
        let mut pending = Pending::default();
        pending.add("a".into(), Op::Put(sealed(7)));
        assert!(pending.take(10).is_some());
        assert!(pending.distrusts("a"));
        pending.add("a".into(), Op::Forget(Floor::AtLeast(9)));
        pending.settle(false);
        assert!(pending.distrusts("a"));
        let batch = pending.take(10).expect("told again");
        assert!(matches!(
            batch.ops[..],
            [(_, Op::Forget(Floor::AtLeast(9)))]
        ));
        pending.settle(true);
        assert!(!pending.distrusts("a"));
    }

    #[test]
    fn too_many_changes_become_one_that_forgets_everything() {
        let mut pending = Pending::default();
        for n in 0..=PENDING_MAX {
            pending.add(n.to_string().into(), Op::Forget(Floor::Nothing));
        }
        assert!(pending.distrusts("never heard of"));
        assert!(pending.take(10).expect("a batch").all);
    }

    #[test]
    fn of_two_values_the_newer_is_told() {
        let mut pending = Pending::default();
        pending.add("a".into(), Op::Put(sealed(7)));
        pending.add("a".into(), Op::Put(sealed(6)));
        let batch = pending.take(10).expect("a batch");
        assert!(matches!(&batch.ops[..], [(_, Op::Put(p))] if p.version == 7));
        assert_eq!(pending.bytes, 0);
    }
}
