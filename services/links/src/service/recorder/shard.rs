//! The buffer: a few shards, each with its clicks and the texts that they refer to.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{ByHash, Full};
use crate::domain::agent::AGENT_BYTES_MAX;
use crate::domain::language::HEADER_BYTES_MAX;

/// The most different texts of one shard; when they are used up it counts as full.
const TEXTS_MAX: usize = 100_000;
const REFERRER_BYTES_MAX: usize = 255;

/// A visit as the redirect sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    /// The link's number; negative if there is none.
    pub(crate) link: i64,
    /// When, in milliseconds since the epoch.
    pub(crate) at_ms: i64,
    /// From where.
    pub(crate) address: IpAddr,
    /// The `User-Agent`.
    pub(crate) agent: &'a [u8],
    /// The `Referer`; for visits that found no link, the path.
    pub(crate) referrer: &'a [u8],
    /// The `Accept-Language`.
    pub(crate) language: &'a [u8],
    /// Whether it is a HEAD request.
    pub(crate) head: bool,
    /// The number of the request that the gateway has handed on; 0 if it has none.
    pub(crate) hop: u64,
}

/// A visit in the buffer. Texts stand in the shard's dictionary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Click {
    pub(super) link: i64,
    pub(super) at_ms: i64,
    pub(super) address: [u8; 16],
    pub(super) agent: u32,
    pub(super) referrer: u32,
    pub(super) language: u32,
    pub(super) head: bool,
    pub(super) hop: u64,
}

/// What a text says of a visit.
#[derive(Debug, Clone, Copy)]
enum Says {
    Agent,
    Referrer,
    Language,
}

/// Texts, each once.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: ByHash<u32>,
    pub(super) all: Vec<Box<[u8]>>,
    /// What the visits said last. Neighbours often say the same, and to compare is cheaper than to
    /// hash.
    last: [u32; 3],
}

impl Texts {
    /// The number of a text; 0 is the empty one.
    fn number(&mut self, says: Says, text: &[u8], hasher: &impl BuildHasher) -> u32 {
        let last = self.last[says as usize];
        if self.get(last) == text {
            return last;
        }
        let number = self.look_up(text, hasher);
        self.last[says as usize] = number;
        number
    }

    fn look_up(&mut self, text: &[u8], hasher: &impl BuildHasher) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let next = u32::try_from(self.all.len() + 1).unwrap_or(0);
        // Two texts with the same 64-bit hash are taken for one: the key of the hash is random.
        let number = *self.numbers.entry(hasher.hash_one(text)).or_insert(next);
        if number == next {
            self.all.push(text.into());
        }
        number
    }

    /// The text with this number.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let at = (number as usize).checked_sub(1);
        at.and_then(|at| self.all.get(at)).map_or(&[], |text| text)
    }
}

/// What a shard held.
#[derive(Debug, Default)]
pub(super) struct Drained {
    pub(super) clicks: Vec<Click>,
    pub(super) texts: Texts,
}

impl Drained {
    fn take(&mut self, visit: &Visit<'_>, hasher: &RandomState) {
        let referrer = if visit.link > 0 {
            host(visit.referrer)
        } else {
            visit.referrer
        };
        let mut number = |says, text, max| self.texts.number(says, cut(text, max), hasher);
        let click = Click {
            link: visit.link,
            at_ms: visit.at_ms,
            address: octets(visit.address),
            agent: number(Says::Agent, visit.agent, AGENT_BYTES_MAX),
            referrer: number(Says::Referrer, referrer, REFERRER_BYTES_MAX),
            language: number(Says::Language, visit.language, HEADER_BYTES_MAX),
            head: visit.head,
            hop: visit.hop,
        };
        self.clicks.push(click);
    }

    /// The first and the last moment of its clicks.
    pub(super) fn days(&self) -> impl Iterator<Item = i64> {
        let times = || self.clicks.iter().map(|c| c.at_ms);
        times().min().into_iter().chain(times().max())
    }
}

/// The buffer.
pub(super) struct Shards {
    shards: Box<[Mutex<Drained>]>,
    clicks_max: usize,
    hasher: RandomState,
}

impl Shards {
    /// A buffer for `clicks_max` clicks in all.
    pub(super) fn new(clicks_max: usize) -> Self {
        let count = std::thread::available_parallelism()
            .map_or(2, usize::from)
            .clamp(1, 16);
        Self {
            shards: (0..count).map(|_| Mutex::default()).collect(),
            clicks_max: (clicks_max / count).max(1),
            hasher: RandomState::new(),
        }
    }

    /// Takes a visit.
    pub(super) fn push(&self, visit: &Visit<'_>) -> Result<(), Full> {
        let mut shard = self.shards[thread_number() % self.shards.len()].lock();
        if shard.clicks.len() >= self.clicks_max || shard.texts.all.len() >= TEXTS_MAX {
            return Err(Full);
        }
        shard.take(visit, &self.hasher);
        Ok(())
    }

    /// Takes everything out.
    pub(super) fn drain(&self) -> Vec<Drained> {
        let all = self
            .shards
            .iter()
            .map(|shard| std::mem::take(&mut *shard.lock()));
        all.filter(|drained| !drained.clicks.is_empty()).collect()
    }
}

fn cut(text: &[u8], max: usize) -> &[u8] {
    &text[..text.len().min(max)]
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The host in a `Referer`: what stands between `://` and the path, without user and port.
fn host(referrer: &[u8]) -> &[u8] {
    let Some(at) = referrer.windows(3).take(32).position(|w| w == b"://") else {
        return &[];
    };
    let rest = &referrer[at + 3..];
    let end = rest
        .iter()
        .position(|b| matches!(b, b'/' | b'?' | b'#'))
        .unwrap_or(rest.len());
    let authority = &rest[..end];
    let from = authority
        .iter()
        .rposition(|b| *b == b'@')
        .map_or(0, |at| at + 1);
    let bare = &authority[from..];
    let name_ends = if bare.first() == Some(&b'[') {
        b']'
    } else {
        b':'
    };
    match bare.iter().position(|b| *b == name_ends) {
        Some(at) if name_ends == b']' => &bare[..=at],
        Some(at) => &bare[..at],
        None => bare,
    }
}

/// A small number of this thread, so that threads do not meet in one shard.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        own.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(referrer: &'static str) -> Visit<'static> {
        Visit {
            link: 1,
            at_ms: 0,
            address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            agent: b"curl/8",
            referrer: referrer.as_bytes(),
            language: b"",
            head: false,
            hop: 0,
        }
    }

    #[test]
    fn only_the_host_of_a_referrer_is_kept() {
        for (referrer, expected) in [
            ("https://a.example/path?secret=1", "a.example"),
            ("https://user:pw@a.example:8443", "a.example"),
            ("http://[::1]:80/x", "[::1]"),
            ("android-app://com.example", "com.example"),
            ("nonsense", ""),
            ("", ""),
        ] {
            assert_eq!(host(referrer.as_bytes()), expected.as_bytes(), "{referrer}");
        }
    }

    #[test]
    fn the_buffer_is_bounded_and_says_so() {
        let shards = Shards::new(10);
        let taken = (0..100).filter(|_| shards.push(&visit("")).is_ok()).count();
        assert!(taken <= 10, "{taken}");
        assert_eq!(
            shards.drain().iter().map(|d| d.clicks.len()).sum::<usize>(),
            taken
        );
        assert_eq!(shards.push(&visit("")), Ok(()), "there is room again");
    }

    #[test]
    fn a_text_is_kept_once() {
        let shards = Shards::new(100);
        for _ in 0..5 {
            shards.push(&visit("https://a.example/")).expect("room");
        }
        let drained = shards.drain().pop().expect("one shard");
        assert_eq!(drained.texts.all.len(), 2);
        assert_eq!(drained.texts.get(drained.clicks[0].referrer), b"a.example");
    }

    /// Counts how often it is asked.
    #[derive(Default)]
    struct Counting(RandomState, Cell<u32>);

    impl BuildHasher for Counting {
        type Hasher = <RandomState as BuildHasher>::Hasher;

        fn build_hasher(&self) -> Self::Hasher {
            self.1.set(self.1.get() + 1);
            self.0.build_hasher()
        }
    }

    #[test]
    fn what_a_visit_says_like_the_one_before_is_not_hashed_again() {
        let (mut texts, hasher) = (Texts::default(), Counting::default());
        for (says, text, number, hashed) in [
            (Says::Agent, "curl/8", 1, 1),
            (Says::Language, "de", 2, 2),
            (Says::Agent, "curl/8", 1, 2),
            (Says::Language, "de", 2, 2),
            (Says::Language, "", 0, 2),
            (Says::Language, "de", 2, 3),
            (Says::Referrer, "curl/8", 1, 4),
            (Says::Agent, "wget", 3, 5),
            (Says::Agent, "curl/8", 1, 6),
        ] {
            let found = texts.number(says, text.as_bytes(), &hasher);
            assert_eq!((found, hasher.1.get()), (number, hashed), "{text}");
        }
    }
}
