//! Reads of the roll-ups.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{point_changes, projections};
use crate::kernel::http::problem::Problem;

use super::ROLL_UPS;

/// A unit's month as it was projected.
#[derive(Debug, Clone, QueryableByName)]
pub struct UnitMonth {
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Int4)]
    pub members: i32,
    #[diesel(sql_type = Int4)]
    pub exempt: i32,
    #[diesel(sql_type = Int4)]
    pub excused: i32,
    #[diesel(sql_type = Int4)]
    pub counted: i32,
    #[diesel(sql_type = Int4)]
    pub met: i32,
    /// Of counted members.
    #[diesel(sql_type = BigInt)]
    pub points_sum: i64,
    /// Points that counted members have, the most first.
    #[diesel(sql_type = Array<Int4>)]
    pub scores: Vec<i32>,
    /// How many have them.
    #[diesel(sql_type = Array<Int4>)]
    pub holders: Vec<i32>,
    /// How many of these reached their own threshold.
    #[diesel(sql_type = Array<Int4>)]
    pub reached: Vec<i32>,
    #[diesel(sql_type = Timestamptz)]
    pub taken_at: DateTime<Utc>,
}

const COLUMNS: &str =
    "u.id AS unit_id, u.name, u.kind, coalesce(m.members, 0) AS members, coalesce(m.exempt, 0) AS exempt,
    coalesce(m.excused, 0) AS excused, coalesce(m.counted, 0) AS counted, coalesce(m.met, 0) AS met,
    coalesce(m.points_sum, 0) AS points_sum, coalesce(m.taken_at, p.as_of) AS taken_at";

/// When everything committed before was in the roll-ups; none before the first projection.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn as_of(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, Problem> {
    Ok(position(conn).await?.map(|(_, as_of)| as_of))
}

/// How many steps the roll-ups have taken, and [`as_of`].
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn position(conn: &mut Conn) -> Result<Option<(i64, DateTime<Utc>)>, Problem> {
    let position = projections::table.find(ROLL_UPS).select((projections::step, projections::as_of));
    Ok(position.first(conn).await.optional()?)
}

/// How many changes are pending.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn waiting(conn: &mut Conn) -> Result<i64, Problem> {
    Ok(point_changes::table.count().get_result(conn).await?)
}

/// A unit's month; none when it is not projected.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn unit(conn: &mut Conn, unit_id: Uuid, period: Period) -> Result<Option<UnitMonth>, Problem> {
    Ok(diesel::sql_query(format!(
        "SELECT {COLUMNS}, m.scores, m.holders, m.reached FROM unit_months m JOIN units u ON u.id = m.unit_id
         CROSS JOIN projections p WHERE m.unit_id = $1 AND m.period = $2 AND p.name = $3"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(period.first_day())
    .bind::<Text, _>(ROLL_UPS)
    .get_result(conn)
    .await
    .optional()?)
}

/// The months of the units directly below on a day, by name. The lists of scores stay empty.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn children(
    conn: &mut Conn,
    unit_id: Uuid,
    period: Period,
    day: NaiveDate,
    after: Option<(String, Uuid)>,
    fetch: i64,
) -> Result<Vec<UnitMonth>, Problem> {
    let (name, id) = after.unzip();
    Ok(diesel::sql_query(format!(
        "SELECT {COLUMNS}, '{{}}'::int[] AS scores, '{{}}'::int[] AS holders, '{{}}'::int[] AS reached
         FROM unit_links t JOIN units u ON u.id = t.unit_id CROSS JOIN projections p
         LEFT JOIN unit_months m ON m.unit_id = t.unit_id AND m.period = $2
         WHERE t.parent_id = $1 AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)
           AND p.name = $7 AND ($4::text IS NULL OR (u.name, u.id) > ($4 COLLATE \"vi-x-icu\", $5))
         ORDER BY u.name, u.id LIMIT $6"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(period.first_day())
    .bind::<Date, _>(day)
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .bind::<Text, _>(ROLL_UPS)
    .load(conn)
    .await?)
}
