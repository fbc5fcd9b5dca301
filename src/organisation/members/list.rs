//! The list of a unit's members: names and standing, no personal numbers.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::text;

/// Where a page ends: given name, full name, id.
pub type ListCursor = (String, String, Uuid);

/// A member in a list.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct ListedMember {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Full name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub full_name: String,
    /// The name the list is sorted by.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 100, example = "An")]
    pub given_name: String,
    /// The cell the member belongs to.
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    /// The cell's name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub unit_name: String,
    /// `official` or `probationary`; `exempt` or `excused` on days on which that holds.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "official")]
    pub status: String,
}

/// SQL for a member's standing on the day `$1`; the member is `m`.
pub const STATUS: &str = "
    coalesce((SELECT e.kind FROM exemptions e WHERE e.member_id = m.id
              AND e.valid_from <= $1 AND (e.valid_to IS NULL OR e.valid_to > $1) ORDER BY e.kind DESC LIMIT 1),
        CASE WHEN m.official_on <= $1 THEN 'official' ELSE 'probationary' END)";

/// The members of a unit and everything below it on a day, by given name.
pub async fn page(
    conn: &mut Conn,
    unit_id: Uuid,
    day: NaiveDate,
    search: Option<&str>,
    after: Option<ListCursor>,
    fetch: i64,
) -> Result<Vec<ListedMember>, Problem> {
    let (given, full, id) = match after {
        Some((given, full, id)) => (Some(given), Some(full), Some(id)),
        None => (None, None, None),
    };
    Ok(diesel::sql_query(format!(
        "SELECT m.id, m.full_name, m.given_name, u.id AS unit_id, u.name AS unit_name, {STATUS} AS status
         FROM unit_tree t
         JOIN memberships s ON s.unit_id = t.descendant_id AND s.valid_from <= $1 AND (s.valid_to IS NULL OR s.valid_to > $1)
         JOIN members m ON m.id = s.member_id
         JOIN units u ON u.id = s.unit_id
         WHERE t.ancestor_id = $2 AND t.valid_from <= $1 AND (t.valid_to IS NULL OR t.valid_to > $1)
           AND ($3::text IS NULL OR (m.given_name, m.full_name, m.id)
                > ($3 COLLATE \"vi-x-icu\", $4 COLLATE \"vi-x-icu\", $5))
           AND ($6::text IS NULL OR fold_name(m.full_name) COLLATE \"C\" LIKE $6)
         ORDER BY m.given_name, m.full_name, m.id LIMIT $7"
    ))
    .bind::<Date, _>(day)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Nullable<Text>, _>(given)
    .bind::<Nullable<Text>, _>(full)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<Nullable<Text>, _>(search.map(pattern))
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// A LIKE pattern for a name as SQL's `fold_name` has it. What is folded has no character with a meaning in patterns; of a search
/// without letters nothing is left, and it finds nobody.
fn pattern(search: &str) -> String {
    match text::fold(search).as_str() {
        "" => String::new(),
        folded => format!("%{folded}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn a_search_has_no_accents_and_no_wildcards() {
        assert_eq!(pattern(" Đặng  Văn "), "%dang van%");
        assert_eq!(pattern("Ðặng  H’Hen"), "%dang h hen%");
        assert_eq!(pattern("50%_\\"), "%50%");
        assert_eq!(pattern("%"), "");
    }
}
