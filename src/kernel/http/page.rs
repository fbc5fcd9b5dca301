//! Cursor pages: `limit` and an opaque `cursor` that stays put when rows are inserted.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::problem::{Problem, text};
use crate::kernel::security::crypto::{from_text, to_text};

/// Which part of a list is requested.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items at most; 1 to 200.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    pub limit: i32,
    /// `next_cursor` of the page before; leave it out for the first page.
    #[param(max_length = 512, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    pub cursor: Option<String>,
}

fn default_limit() -> i32 {
    50
}

/// Whether PostgreSQL could have stored such a key. Cursors of this server hold no NUL, and no days before the year 0.
fn is_storable(key: &Value) -> bool {
    match key {
        Value::String(text) => {
            let digits = text.strip_prefix('-').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
            !text.contains('\0') && digits < 4
        }
        Value::Array(parts) => parts.iter().all(is_storable),
        _ => true,
    }
}

/// One part of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The items, in the order the operation describes.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// A page of items `Item` is called `ItemPage`, and refers to its items, so that clients get one type for one thing.
impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new()
            .description(Some("The items, in the order the operation describes."))
            .items(Ref::from_schema_name(T::name()))
            .max_items(Some(200));
        let next_cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Where the next page begins; null on the last one."))
            .max_length(Some(512))
            .pattern(Some("^[A-Za-z0-9_-]+$"));
        ObjectBuilder::new()
            .description(Some("One part of a list."))
            .property("items", items)
            .required("items")
            .property("next_cursor", next_cursor)
            .required("next_cursor")
            .into()
    }
}

impl PageQuery {
    /// Rows to fetch: one more than shown, which tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Whether this page, of which this many rows were found, is the whole list.
    #[must_use]
    pub fn shows_all(&self, found: usize) -> bool {
        self.cursor.is_none() && i64::try_from(found).is_ok_and(|found| found < self.fetch())
    }

    /// The key after which this page begins, unless it is the first.
    ///
    /// # Errors
    /// 400 when the cursor was not made by the same list.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let key: Option<Value> = from_text(cursor).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let key = key.filter(is_storable).and_then(|key| serde_json::from_value(key).ok());
        key.map(Some).ok_or_else(|| {
            Problem::malformed(
                "cursor",
                "cursor",
                text(
                    "Con trỏ trang không hợp lệ; hãy lấy lại từ trang đầu.",
                    "The cursor is not valid; start from the first page.",
                ),
            )
        })
    }

    /// Drops the extra row and makes the cursor from the last row shown.
    pub fn page<R, T, K: Serialize>(&self, mut rows: Vec<R>, key: impl Fn(&R) -> K, show: impl Fn(R) -> T) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(1);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .and_then(|row| serde_json::to_vec(&key(row)).ok())
            .map(|bytes| to_text(&bytes));
        Page { items: rows.into_iter().map(show).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_has_no_cursor() {
        let query = PageQuery { limit: 2, cursor: None };
        let page = query.page(vec![1, 2, 3], |n| *n, |n| n);
        assert_eq!(page.items, [1, 2]);
        let next = PageQuery { limit: 2, cursor: page.next_cursor };
        assert_eq!(next.after::<i32>().unwrap(), Some(2));
        assert!(query.page(vec![1, 2], |n| *n, |n| n).next_cursor.is_none());
    }

    #[test]
    fn a_forged_cursor_is_refused() {
        let query = PageQuery { limit: 2, cursor: Some("bm90IGpzb24".into()) };
        assert!(query.after::<i32>().is_err());
    }
}
