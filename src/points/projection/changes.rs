//! Claims change rows that triggers wrote, by deleting them: late commits are not missed.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

/// Rows claimed at a time, each of as many members as shared a statement.
const MOST: i64 = 20_000;
/// Rows of whole months claimed at a time, each of [`UNITS`] units: few, so that members' changes need not wait longer.
const MOST_BULK: i64 = 1;
/// Units in a row of a whole month.
const UNITS: i64 = 500;

/// What a change is about; see the table's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Members,
    Moved,
    Units,
    Tree,
    Below,
}

/// A claimed row.
#[derive(Debug, QueryableByName)]
pub struct TrackedChange {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Array<SqlUuid>)]
    pub ids: Vec<Uuid>,
    #[diesel(sql_type = Date)]
    pub since: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    pub until: Option<NaiveDate>,
}

impl TrackedChange {
    pub fn kind(&self) -> ChangeKind {
        match self.kind.as_str() {
            "members" => ChangeKind::Members,
            "moved" => ChangeKind::Moved,
            "units" => ChangeKind::Units,
            "tree" => ChangeKind::Tree,
            _ => ChangeKind::Below,
        }
    }
}

/// Claims rows. Also returns whether those were all.
pub async fn claim(conn: &mut Conn) -> Result<(Vec<TrackedChange>, bool), Problem> {
    let mut changes = claim_some(conn, false, MOST).await?;
    if !is_all(&changes, MOST) {
        return Ok((changes, false));
    }
    let bulk = claim_some(conn, true, MOST_BULK).await?;
    let drained = is_all(&bulk, MOST_BULK);
    changes.extend(bulk);
    Ok((changes, drained))
}

fn is_all(changes: &[TrackedChange], most: i64) -> bool {
    i64::try_from(changes.len()).is_ok_and(|claimed| claimed < most)
}

async fn claim_some(conn: &mut Conn, bulk: bool, most: i64) -> Result<Vec<TrackedChange>, Problem> {
    Ok(diesel::sql_query(
        "DELETE FROM point_changes WHERE id IN (
             SELECT id FROM point_changes WHERE bulk = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING kind, ids, since, until",
    )
    .bind::<Bool, _>(bulk)
    .bind::<BigInt, _>(most)
    .load(conn)
    .await?)
}

/// Replaces "everything below these units" (or everything, when there are none) by rows of units, to be processed one
/// by one: those that exist on the day, and those that have figures of the month.
pub async fn expand(conn: &mut Conn, roots: &[Uuid], period: Period, day: NaiveDate) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO point_changes (kind, ids, since, until, bulk)
         SELECT 'units', array_agg(id ORDER BY id), $3, $3, true FROM (
             SELECT u.id, (row_number() OVER (ORDER BY u.id) - 1) / $4 AS chunk
             FROM units u JOIN unit_kinds k ON k.code = u.kind
             WHERE (k.holds_members AND EXISTS (SELECT 1 FROM unit_tree t WHERE t.descendant_id = u.id
                     AND (t.ancestor_id = ANY($1) OR (cardinality($1) = 0 AND t.depth = 0))
                     AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)))
                OR (cardinality($1) = 0 AND EXISTS (SELECT 1 FROM unit_months m WHERE m.period = $3 AND m.unit_id = u.id))) c
         GROUP BY chunk",
    )
    .bind::<Array<SqlUuid>, _>(roots)
    .bind::<Date, _>(day)
    .bind::<Date, _>(period.first_day())
    .bind::<BigInt, _>(UNITS)
    .execute(conn)
    .await?;
    Ok(())
}
