//! Cursor paging: opaque cursors, bounded pages.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Pass this as `cursor` to read on; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// How many items a page may hold: 1 to 200, 50 unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u32);

impl PageLimit {
    /// The largest page.
    pub const MAX: u32 = 200;

    /// `asked` if it is within the bounds; the nearest bound otherwise.
    #[must_use]
    pub fn clamped(asked: Option<u32>) -> Self {
        Self(asked.unwrap_or(50).clamp(1, Self::MAX))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The text is not a cursor of this list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// No list gave it out, or another one did.
    #[error("the cursor is not one that this list gave out; start again without it")]
    Unknown,
    /// It was given out in another order, in which other items come next.
    #[error("the cursor belongs to another order of the list; start again without it")]
    OtherOrder,
}

/// An opaque cursor: the sort key of the last item seen, as JSON in URL-safe base 64.
pub struct Cursor;

impl Cursor {
    /// The cursor after the item with this sort key.
    pub fn encode<K: Serialize>(key: &K) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
    }

    /// The sort key inside `text`.
    pub fn decode<K: DeserializeOwned>(text: &str) -> Result<K, CursorError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Unknown)?;
        serde_json::from_slice(&bytes).map_err(|_| CursorError::Unknown)
    }
}

/// Where a list goes on: after which item, in which order, with how many items on the page (keyset paging).
///
/// A cursor is bound to its order. In another one, items would be skipped or come twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seek<K> {
    order: String,
    after: Option<K>,
    limit: PageLimit,
}

impl<K: Serialize + DeserializeOwned> Seek<K> {
    /// The page after `cursor`, or the first one, of a list that stands in `order`.
    pub fn of(order: &str, cursor: Option<&str>, limit: PageLimit) -> Result<Self, CursorError> {
        let after = match cursor.filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                let (of, key): (String, K) = Cursor::decode(text)?;
                if of != order {
                    return Err(CursorError::OtherOrder);
                }
                Some(key)
            }
        };
        Ok(Self {
            order: order.to_owned(),
            after,
            limit,
        })
    }

    /// The sort key of the last item before the page.
    #[must_use]
    pub const fn after(&self) -> Option<&K> {
        self.after.as_ref()
    }

    /// How many items to ask the store for: one more than fit tells whether there is a next page.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.limit.get() + 1
    }

    /// The page with what the store has found; `key` is an item's sort key.
    pub fn page<T>(&self, mut found: Vec<T>, key: impl FnOnce(&T) -> K) -> Page<T> {
        let limit = self.limit.get() as usize;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next_cursor = last.map(|last| Cursor::encode(&(&self.order, key(last))));
        Page {
            items: found,
            next_cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the numbers 1 to 10 by pages, as a store would.
    fn page(cursor: Option<&str>, limit: u32) -> Result<Page<u32>, CursorError> {
        let seek = Seek::<u32>::of("rising", cursor, PageLimit::clamped(Some(limit)))?;
        let after = seek.after().copied().unwrap_or(0);
        let found = (1..=10).filter(|n| *n > after).take(seek.rows() as usize);
        Ok(seek.page(found.collect(), |n| *n))
    }

    #[test]
    fn pages_add_up_to_the_list() {
        for limit in [1, 3, 5, 9, 10, 11] {
            let (mut all, mut cursor) = (Vec::new(), None);
            loop {
                let page = page(cursor.as_deref(), limit).unwrap();
                all.extend(page.items);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(all, (1..=10).collect::<Vec<u32>>(), "by {limit}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_or_list_is_refused() {
        let cursor = page(None, 3).unwrap().next_cursor.unwrap();
        let falling = Seek::<u32>::of("falling", Some(&cursor), PageLimit::clamped(None));
        assert_eq!(falling, Err(CursorError::OtherOrder));
        let named = Seek::<String>::of("rising", Some(&cursor), PageLimit::clamped(None));
        assert_eq!(named, Err(CursorError::Unknown));
        assert_eq!(page(Some("nonsense"), 3), Err(CursorError::Unknown));
        assert!(page(Some(""), 3).is_ok(), "an empty cursor is none");
    }
}
