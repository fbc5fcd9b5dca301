//! Queries of leaderboards: ranks computed by PostgreSQL, and what projections are made of.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::{members, memberships};
use crate::points::STANDINGS;

use super::model::{Ranked, Score, Standing, View};

/// The first `limit` ranks of a unit, and the viewer's own row wherever it is. Exempt and excused members have no rank;
/// equal points share one (1, 2, 2, 4). Among equals the order says nothing: it follows a hash of the id.
pub async fn ranks(conn: &mut Conn, view: &View, viewer: Uuid, limit: i64) -> Result<Vec<Ranked>, Problem> {
    Ok(diesel::sql_query(format!(
        "WITH {STANDINGS}, ranked AS (
            SELECT rank() OVER (ORDER BY points DESC) AS rank,
                row_number() OVER (ORDER BY points DESC, md5(member_id::text || $3::text)) AS place,
                member_id, unit_id, full_name, points, points >= threshold AS met, named_on_leaderboards AS opted_in
            FROM standings WHERE exemption IS NULL)
         SELECT * FROM ranked WHERE place <= $6 OR member_id = $5 ORDER BY place"
    ))
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<Date, _>(view.period.first_day())
    .bind::<Date, _>(view.period.last_day())
    .bind::<SqlUuid, _>(viewer)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?)
}

/// Everybody who is ranked in a unit.
pub async fn standings(conn: &mut Conn, view: &View) -> Result<Vec<Score>, Problem> {
    Ok(diesel::sql_query(format!(
        "WITH {STANDINGS} SELECT m.no, s.points, s.points >= s.threshold AS met
         FROM standings s JOIN members m ON m.id = s.member_id WHERE s.exemption IS NULL"
    ))
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<Date, _>(view.period.first_day())
    .bind::<Date, _>(view.period.last_day())
    .load(conn)
    .await?)
}

/// A member's number, by which projections know them.
pub async fn number(conn: &mut Conn, member_id: Uuid) -> Result<Option<i64>, Problem> {
    Ok(members::table.find(member_id).select(members::no).first(conn).await.optional()?)
}

/// Adds to projected places who they are, in the same order.
pub async fn people(conn: &mut Conn, view: &View, places: Vec<Standing>) -> Result<Vec<Ranked>, Problem> {
    let numbers: Vec<i64> = places.iter().map(|place| place.no).collect();
    let rows: Vec<(i64, Uuid, Uuid, String, bool)> = members::table
        .inner_join(memberships::table.on(memberships::member_id.eq(members::id)))
        .filter(members::no.eq_any(numbers))
        .filter(memberships::valid_from.le(view.day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(view.day)))
        .select((members::no, members::id, memberships::unit_id, members::full_name, members::named_on_leaderboards))
        .load(conn)
        .await?;
    let known: HashMap<i64, _> = rows.into_iter().map(|row| (row.0, row)).collect();
    // Whoever left since the board was made is not shown.
    let named = places.into_iter().filter_map(|place| {
        let (_, member_id, unit_id, full_name, opted_in) = known.get(&place.no)?.clone();
        Some(Ranked {
            place: place.place,
            rank: place.rank,
            member_id,
            unit_id,
            full_name,
            points: place.points,
            met: place.met,
            opted_in,
        })
    });
    Ok(named.collect())
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
