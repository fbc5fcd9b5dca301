//! Queries of leaderboards: cells and committees are ranked by PostgreSQL.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::points::STANDINGS;

/// A ranked member.
#[derive(Debug, QueryableByName)]
pub struct Ranked {
    #[diesel(sql_type = BigInt)]
    pub rank: i64,
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub full_name: String,
    #[diesel(sql_type = Int4)]
    pub points: i32,
    #[diesel(sql_type = Bool)]
    pub met: bool,
    #[diesel(sql_type = Bool)]
    pub opted_in: bool,
}

/// The first `limit` ranks of a unit, and the viewer's own row wherever it is. Exempt and excused members have no rank;
/// equal points share one (1, 2, 2, 4). Among equals the order says nothing: it follows a hash of the id.
pub async fn ranks(
    conn: &mut Conn,
    unit_id: Uuid,
    period: Period,
    day: NaiveDate,
    viewer: Uuid,
    limit: i64,
) -> Result<Vec<Ranked>, Problem> {
    Ok(diesel::sql_query(format!(
        "WITH {STANDINGS}, ranked AS (
            SELECT rank() OVER (ORDER BY points DESC) AS rank,
                row_number() OVER (ORDER BY points DESC, md5(member_id::text || $3::text)) AS place,
                member_id, unit_id, full_name, points, points >= threshold AS met, named_on_leaderboards AS opted_in
            FROM standings WHERE exemption IS NULL)
         SELECT * FROM ranked WHERE place <= $6 OR member_id = $5 ORDER BY place"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Date, _>(period.first_day())
    .bind::<Date, _>(period.last_day())
    .bind::<SqlUuid, _>(viewer)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?)
}

#[derive(QueryableByName)]
struct Kind {
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
}

/// The kind of a unit.
pub async fn kind(conn: &mut Conn, unit_id: Uuid) -> Result<Option<String>, Problem> {
    let found: Option<Kind> = diesel::sql_query("SELECT kind FROM units WHERE id = $1")
        .bind::<SqlUuid, _>(unit_id)
        .get_result(conn)
        .await
        .optional()?;
    Ok(found.and_then(|row| row.kind))
}
