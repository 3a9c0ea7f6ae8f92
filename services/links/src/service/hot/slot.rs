//! One route in the table, with its texts in place if they are short.

use std::sync::Arc;

use http::HeaderValue;
use kernel::Timestamp;

use super::super::compiled::{Compiled, Plain, Ready};

/// How many bytes of key and target stand in place. To copy a short target costs less than to count
/// one more who holds it, because the count is far memory.
const TEXTS: usize = 78;

/// A route, and until when it may be served.
pub(super) struct Slot {
    /// In microseconds since the epoch.
    until: i64,
    found: Arc<Compiled>,
    plain: Option<Plain>,
    /// Where the key ends in `texts`; 0 if it is too long, which no key is.
    key_end: u8,
    /// Where the target ends that follows; where the key ends if it is too long.
    target_end: u8,
    texts: [u8; TEXTS],
}

/// Two lines of the processor's cache, with the hash that finds it.
const _: () = assert!(size_of::<(u64, Slot)>() == 128);

impl Slot {
    pub(super) fn new(found: &Arc<Compiled>, until: i64) -> Self {
        let mut texts = [0; TEXTS];
        let key_end = append(&mut texts, 0, found.key.as_bytes());
        Self {
            until,
            found: Arc::clone(found),
            plain: found.plain,
            key_end,
            target_end: append(&mut texts, key_end, found.location.as_bytes()),
            texts,
        }
    }

    /// Whether it is the route of this key, and may be served at `now`.
    pub(super) fn is_good(&self, key: &str, now: Timestamp) -> bool {
        let is_it = if key.len() <= TEXTS {
            self.texts[..usize::from(self.key_end)] == *key.as_bytes()
        } else {
            *self.found.key == *key
        };
        is_it && now.micros() < self.until
    }

    pub(super) fn found(&self) -> Arc<Compiled> {
        Arc::clone(&self.found)
    }

    /// The redirect, if the clock alone decides, and allows it at `now`.
    pub(super) fn ready(&self, now: Timestamp) -> Option<Ready> {
        let location = || self.location();
        self.plain?.ready(now, location, &self.found.cache_control)
    }

    fn location(&self) -> HeaderValue {
        let target = &self.texts[usize::from(self.key_end)..usize::from(self.target_end)];
        let in_place = HeaderValue::from_bytes(target).ok();
        let in_place = in_place.filter(|value| !value.is_empty());
        in_place.unwrap_or_else(|| self.found.location.clone())
    }
}

/// Puts `text` where the texts end, if there is room; answers where they end then.
fn append(texts: &mut [u8; TEXTS], end: u8, text: &[u8]) -> u8 {
    let from = usize::from(end);
    let Some(room) = texts.get_mut(from..from + text.len()) else {
        return end;
    };
    room.copy_from_slice(text);
    u8::try_from(from + text.len()).unwrap_or(end)
}
