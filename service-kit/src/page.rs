//! Cursor pagination. A page has a maximum number of items and a maximum number of bytes.

mod listing;

use std::io;

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::problem::{FieldError, Problem};

pub use listing::Listing;

/// The default number of items.
const DEFAULT: u16 = 50;
/// The maximum number of items.
const MOST: u16 = 200;

/// The description and schema of `limit` or `cursor`.
pub(crate) fn described(limit: bool) -> (&'static str, Value) {
    if limit {
        let schema = json!({
            "type": "integer", "format": "int32", "minimum": 1, "maximum": MOST, "default": DEFAULT,
        });
        ("The maximum number of items.", schema)
    } else {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 1000 });
        ("The `next_cursor` of the previous page.", schema)
    }
}

/// A requested page; for lists with filters, see [`Listing`].
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageRequest {
    /// The maximum number of items: 1 to 200, 50 when not given. A page of long items has fewer.
    pub limit: Option<u16>,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// A part of a list, in order.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page; missing on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl PageRequest {
    /// The maximum number of items, and the decoded cursor.
    pub fn read<C: DeserializeOwned>(&self) -> Result<(usize, Option<C>), Problem> {
        Ok((self.limit()?, self.cursor()?))
    }

    /// The maximum number of items.
    pub fn limit(&self) -> Result<usize, Problem> {
        match self.limit {
            None => Ok(usize::from(DEFAULT)),
            Some(limit @ 1..=MOST) => Ok(usize::from(limit)),
            Some(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "page.limit_invalid")
                .field(FieldError::parameter("limit", "must be 1 to 200"))),
        }
    }

    /// The decoded cursor, if there is one.
    pub fn cursor<C: DeserializeOwned>(&self) -> Result<Option<C>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            // Cursors never contain NUL, and PostgreSQL does not accept it.
            .filter(|json| !json.windows(6).any(|part| part == br"\u0000"))
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Some)
            .ok_or_else(other_cursor)
    }
}

/// The problem of a cursor of another query.
pub fn other_cursor() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "page.cursor_invalid")
        .field(FieldError::parameter("cursor", "must be a next_cursor of this query"))
}

/// The maximum size of the items of a page in bytes of JSON; a single larger item is allowed.
pub const MAX_BYTES: usize = 1 << 20;

impl<T: Serialize> Page<T> {
    /// A page of up to `limit + 1` items: the additional item shows that there is a next page. The
    /// page ends early if the items are too large.
    pub fn of<C: Serialize>(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> C) -> Self {
        let limit = limit.min(fitting(&items));
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self::ending(items, next.as_ref())
    }
}

/// The number of items that fit into a page: at least one.
fn fitting<T: Serialize>(items: &[T]) -> usize {
    let mut size = Size(0);
    // An item that cannot be serialised causes an error in the response.
    let fits = |item: &&T| serde_json::to_writer(&mut size, item).is_ok() && size.0 <= MAX_BYTES;
    items.iter().take_while(fits).count().max(1)
}

/// Counts bytes, and stops above the limit.
struct Size(usize);

impl io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        if self.0 > MAX_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T> Page<T> {
    /// A page whose next page begins at `next`, if there is one.
    pub fn ending<C: Serialize>(items: Vec<T>, next: Option<&C>) -> Self {
        let next_cursor = next
            .and_then(|next| serde_json::to_vec(next).ok())
            .map(|json| URL_SAFE_NO_PAD.encode(json));
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_through_all_items_once() {
        let all = [1, 2, 3, 4, 5];
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let request = PageRequest { limit: Some(2), cursor: cursor.take() };
            let after = request.cursor::<i32>().unwrap().unwrap_or(0);
            let items: Vec<i32> = all.into_iter().filter(|item| *item > after).take(3).collect();
            let page = Page::of(items, request.limit().unwrap(), |item| *item);
            seen.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn ends_before_it_is_too_long() {
        let all: Vec<String> = (0..10).map(|number| format!("{number}").repeat(300_000)).collect();
        let page = Page::of(all.clone(), 9, String::clone);
        assert_eq!(page.items, all[..3]);
        assert!(page.next_cursor.is_some());
        let long = vec!["x".repeat(MAX_BYTES); 2];
        assert_eq!(Page::of(long, 9, |_| 0).items.len(), 1, "at least one item");
        assert_eq!(Page::of(Vec::<String>::new(), 9, |_| 0).next_cursor, None);
        let last = Page::of(all[..3].to_vec(), 9, |_| 0);
        assert_eq!((last.items.len(), last.next_cursor), (3, None), "all items fit");
    }

    #[test]
    fn refuses_rubbish() {
        let rubbish = PageRequest { limit: Some(0), cursor: Some("%%%".to_owned()) };
        assert_eq!(rubbish.limit().unwrap_err().code(), "page.limit_invalid");
        assert_eq!(rubbish.cursor::<i32>().unwrap_err().code(), "page.cursor_invalid");
    }
}
