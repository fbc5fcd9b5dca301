//! Sums of closings over the tree of units on the month's last day. Members are never read.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::points::board::BoardCounts;

/// Cells of a unit that had members, those that are closed, and the counts of the closed ones.
#[derive(Debug, Default, QueryableByName)]
pub struct ClosingTotals {
    #[diesel(sql_type = BigInt)]
    pub cells: i64,
    #[diesel(sql_type = BigInt)]
    pub closed: i64,
    #[diesel(embed)]
    pub counts: BoardCounts,
}

/// The same for a unit directly below.
#[derive(Debug, QueryableByName)]
pub struct ChildTotals {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(embed)]
    pub totals: ClosingTotals,
}

/// A cell below a unit, with its closing in force.
#[derive(Debug, QueryableByName)]
pub struct CellOfUnit {
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub closing_id: Option<Uuid>,
}

const TOTALS: &str = "count(*) AS cells, count(g.id) AS closed, coalesce(sum(g.members), 0) AS members,
    coalesce(sum(g.exempt), 0) AS exempt, coalesce(sum(g.excused), 0) AS excused, coalesce(sum(g.met), 0) AS met";

/// The cells below `{ancestor}` on day `$2` that had members, with their closings of month `$3`.
fn cells_below(ancestor: &str) -> String {
    format!(
        "unit_tree t JOIN units u ON u.id = t.descendant_id JOIN unit_kinds k ON k.code = u.kind AND k.holds_members
         LEFT JOIN closing_states s ON s.unit_id = u.id AND s.period = $3
         LEFT JOIN closings g ON g.id = s.closing_id
         WHERE t.ancestor_id = {ancestor} AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
           AND EXISTS (SELECT 1 FROM memberships m WHERE m.unit_id = u.id
               AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to > $2))"
    )
}

/// The sums of the whole unit.
pub async fn totals(conn: &mut Conn, unit_id: Uuid, period: Period) -> Result<ClosingTotals, Problem> {
    Ok(diesel::sql_query(format!("SELECT {TOTALS} FROM {}", cells_below("$1")))
        .bind::<SqlUuid, _>(unit_id)
        .bind::<Date, _>(period.last_day())
        .bind::<Date, _>(period.first_day())
        .get_result(conn)
        .await?)
}

/// The sums of each unit directly below, by name.
pub async fn children(
    conn: &mut Conn,
    unit_id: Uuid,
    period: Period,
    after: Option<(String, Uuid)>,
    fetch: i64,
) -> Result<Vec<ChildTotals>, Problem> {
    let (name, id) = after.unzip();
    let day: NaiveDate = period.last_day();
    Ok(diesel::sql_query(format!(
        "SELECT c.id, c.name, c.kind, x.* FROM (
             SELECT v.id, v.name, v.kind FROM unit_tree d JOIN units v ON v.id = d.descendant_id
             WHERE d.ancestor_id = $1 AND d.depth = 1 AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2)
               AND ($4::text IS NULL OR (v.name, v.id) > ($4 COLLATE \"vi-x-icu\", $5))
             ORDER BY v.name, v.id LIMIT $6) c
         CROSS JOIN LATERAL (SELECT {TOTALS} FROM {}) x ORDER BY c.name, c.id",
        cells_below("c.id")
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Date, _>(period.first_day())
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// The cells below a unit that had members, by name.
pub async fn cells(conn: &mut Conn, unit_id: Uuid, period: Period, most: i64) -> Result<Vec<CellOfUnit>, Problem> {
    Ok(diesel::sql_query(format!(
        "SELECT u.id AS unit_id, u.name, g.id AS closing_id FROM {} ORDER BY u.name, u.id LIMIT $4",
        cells_below("$1")
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(period.last_day())
    .bind::<Date, _>(period.first_day())
    .bind::<BigInt, _>(most)
    .load(conn)
    .await?)
}
