//! Queries of leaderboards: ranks computed by PostgreSQL, and names for projected boards.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{members, memberships, unit_kinds, units};
use crate::kernel::db::statement::{Prepared, PreparedWhen};
use crate::kernel::http::problem::Problem;

use super::model::{LARGE_KINDS, Nameless, OwnRank, Ranked, RankedMember, Score, Viewer};
use super::standings::{BELOW, OF_CELL, OF_MEMBER, THESE, standings};

/// A query over `standings` with its first five parameters bound.
pub fn over<'q>(query: String, ids: Vec<Uuid>, view: &Viewer) -> BoxedSqlQuery<'q, Pg, SqlQuery> {
    let reference = crate::kernel::clock::Period::containing(view.day);
    diesel::sql_query(query)
        .into_boxed()
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Date, _>(view.day)
        .bind::<Date, _>(view.span.first().first_day())
        .bind::<Date, _>(reference.first_day())
        .bind::<Date, _>(reference.last_day())
}

/// Size of a ranked unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitSize {
    /// A cell, with members of its own.
    Cell,
    /// A unit above cells.
    Small,
    /// A unit whose board is projected.
    Large,
}

impl UnitSize {
    fn belonging(self) -> &'static str {
        if self == Self::Cell { OF_CELL } else { BELOW }
    }
}

/// The CTE `ranked`. Equal points share a rank (1, 2, 2, 4); of equals those who reached their threshold come first, and then
/// the order follows a hash of the id and says nothing.
fn ranked(size: UnitSize) -> String {
    format!(
        "WITH {}, ranked AS (
            SELECT rank() OVER (ORDER BY points DESC) AS rank,
                row_number() OVER (ORDER BY points DESC, (points >= threshold) DESC, md5(member_id::text || $4::text)) AS place,
                member_id, unit_id, points, points >= threshold AS met FROM standings)",
        standings(size.belonging())
    )
}

/// The first `limit` places of a unit, and the viewer's own row wherever it is.
pub async fn ranks(
    conn: &mut Conn,
    (view, size): (&Viewer, UnitSize),
    viewer: Uuid,
    limit: i64,
) -> Result<Vec<Ranked>, Problem> {
    best_of(conn, (view, size), vec![view.unit_id], viewer, limit).await
}

/// The same over several units.
pub async fn best_of(
    conn: &mut Conn,
    (view, size): (&Viewer, UnitSize),
    units: Vec<Uuid>,
    viewer: Uuid,
    limit: i64,
) -> Result<Vec<Ranked>, Problem> {
    let query = format!(
        "{} SELECT r.*, m.full_name, m.named_on_leaderboards AS opted_in, m.hidden_on_leaderboards AS hidden
         FROM ranked r JOIN members m ON m.id = r.member_id
         WHERE r.place <= $6 OR r.member_id = $7 ORDER BY r.place",
        ranked(size)
    );
    let query = over(query, units, view).bind::<BigInt, _>(limit).bind::<SqlUuid, _>(viewer);
    Ok(PreparedWhen(size == UnitSize::Cell, query).load(conn).await?)
}

/// The places around the viewer's, who comes last of their equals, without those of others below their threshold; none for
/// members who are not ranked in the unit.
pub async fn around(
    conn: &mut Conn,
    (view, size): (&Viewer, UnitSize),
    viewer: Uuid,
    width: i64,
) -> Result<Vec<Nameless>, Problem> {
    let query = format!(
        "{}, near AS (
            SELECT r.*, r.member_id = $6 AS me,
                row_number() OVER (ORDER BY r.points DESC, r.met DESC, r.member_id = $6, r.place) AS nth FROM ranked r)
         SELECT r.rank, r.points, r.me FROM near r JOIN near o ON o.me
         WHERE r.nth BETWEEN o.nth - $7 AND o.nth + $7 AND (r.met OR r.me) ORDER BY r.nth",
        ranked(size)
    );
    let query = over(query, vec![view.unit_id], view).bind::<SqlUuid, _>(viewer).bind::<BigInt, _>(width);
    Ok(PreparedWhen(size == UnitSize::Cell, query).load(conn).await?)
}

#[derive(QueryableByName)]
struct Own {
    #[diesel(sql_type = BigInt)]
    rank: i64,
    #[diesel(sql_type = Int4)]
    points: i32,
    #[diesel(sql_type = BigInt)]
    of: i64,
}

/// The viewer's rank in a unit.
pub async fn own_rank(
    conn: &mut Conn,
    (view, size): (&Viewer, UnitSize),
    viewer: Uuid,
) -> Result<Option<OwnRank>, Problem> {
    let query = format!(
        "{} SELECT r.rank, r.points, (SELECT count(*) FROM ranked) AS of FROM ranked r WHERE r.member_id = $6",
        ranked(size)
    );
    let query = over(query, vec![view.unit_id], view).bind::<SqlUuid, _>(viewer);
    let own: Option<Own> = PreparedWhen(size == UnitSize::Cell, query).get_result(conn).await.optional()?;
    Ok(own.map(|own| OwnRank { rank: own.rank, points: own.points, of: own.of }))
}

/// A member's score as it is ranked; none for a member who is not.
pub async fn score(conn: &mut Conn, view: &Viewer, member: Uuid) -> Result<Option<Score>, Problem> {
    let query = format!("WITH {} SELECT points, points >= threshold AS met FROM standings", standings(OF_MEMBER));
    Ok(Prepared(over(query, vec![member], view)).get_result(conn).await.optional()?)
}

#[derive(QueryableByName)]
struct PlaceCount {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many members belong to a unit on the day of a view, exempt ones too.
pub async fn members_of(conn: &mut Conn, view: &Viewer, size: UnitSize) -> Result<i64, Problem> {
    let query = format!("WITH {} SELECT count(*) AS count FROM belonging", size.belonging());
    let query = diesel::sql_query(query).bind::<Array<SqlUuid>, _>(vec![view.unit_id]).bind::<Date, _>(view.day);
    Ok(query.get_result::<PlaceCount>(conn).await?.count)
}

/// How many ranked members of a cell have no row that their peers see.
pub async fn unlisted(conn: &mut Conn, view: &Viewer) -> Result<i64, Problem> {
    let query = format!(
        "WITH {} SELECT count(*) AS count FROM standings s JOIN members m ON m.id = s.member_id
         WHERE s.points < s.threshold OR m.hidden_on_leaderboards",
        standings(OF_CELL)
    );
    Ok(over(query, vec![view.unit_id], view).get_result::<PlaceCount>(conn).await?.count)
}

#[derive(QueryableByName)]
struct RankedUnit {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
}

/// Cells in which the first `limit` members of a unit are found: those whose best have the most points.
pub async fn best_cells(conn: &mut Conn, view: &Viewer, limit: i64) -> Result<Vec<Uuid>, Problem> {
    let cells: Vec<RankedUnit> = diesel::sql_query(
        "SELECT m.unit_id FROM unit_tree t JOIN unit_months m ON m.unit_id = t.descendant_id AND m.period = $3
         JOIN units u ON u.id = m.unit_id JOIN unit_kinds k ON k.code = u.kind AND k.holds_members
         WHERE t.ancestor_id = $1 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
           AND cardinality(m.scores) > 0
         ORDER BY m.scores[1] DESC, m.unit_id LIMIT $4",
    )
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<Date, _>(view.span.first().first_day())
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(cells.into_iter().map(|cell| cell.unit_id).collect())
}

/// Adds names to projected places, in the same order.
pub async fn people(conn: &mut Conn, view: &Viewer, places: Vec<RankedMember>) -> Result<Vec<Ranked>, Problem> {
    let numbers: Vec<i64> = places.iter().map(|place| place.no).collect();
    let rows: Vec<(i64, Uuid, Uuid, String, bool, bool)> = members::table
        .inner_join(memberships::table.on(memberships::member_id.eq(members::id)))
        .filter(members::no.eq_any(numbers))
        .filter(memberships::valid_from.le(view.day))
        .filter(memberships::valid_to.is_null().or(memberships::valid_to.gt(view.day)))
        .select((
            members::no,
            members::id,
            memberships::unit_id,
            members::full_name,
            members::named_on_leaderboards,
            members::hidden_on_leaderboards,
        ))
        .load(conn)
        .await?;
    let known: HashMap<i64, _> = rows.into_iter().map(|row| (row.0, row)).collect();
    // Members who left since the board was made are not shown.
    let named = places.into_iter().filter_map(|place| {
        let (_, member_id, unit_id, full_name, opted_in, hidden) = known.get(&place.no)?.clone();
        let RankedMember { place, rank, points, met, .. } = place;
        Some(Ranked { place, rank, member_id, unit_id, full_name, points, met, opted_in, hidden })
    });
    Ok(named.collect())
}

/// A unit of a member's own.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct OwnUnit {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    /// The member's number.
    #[diesel(sql_type = BigInt)]
    pub no: i64,
}

const OWN_UNITS: &str = "SELECT k.place, t.ancestor_id AS unit_id, m.no
    FROM unnest($1::int4[], $2::uuid[], $3::uuid[], $4::date[]) AS k (place, member_id, unit_id, day)
    JOIN members m ON m.id = k.member_id
    JOIN memberships s ON s.member_id = k.member_id
        AND s.valid_from <= k.day AND (s.valid_to IS NULL OR s.valid_to > k.day)
    JOIN unit_tree t ON t.descendant_id = s.unit_id AND t.ancestor_id = coalesce(k.unit_id, s.unit_id)
        AND t.valid_from <= k.day AND (t.valid_to IS NULL OR t.valid_to > k.day)";

/// The units that members name on a day, or their cells when they name none, in the order of the input; none where it
/// is not their cell or a unit above it.
pub async fn own_units(
    mut conn: &Conn,
    asked: &[(Uuid, Option<Uuid>, NaiveDate)],
) -> Result<Vec<Option<OwnUnit>>, Problem> {
    let query = diesel::sql_query(OWN_UNITS)
        .bind::<Array<Int4>, _>((0..).take(asked.len()).collect::<Vec<i32>>())
        .bind::<Array<SqlUuid>, _>(asked.iter().map(|(member, _, _)| *member).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(asked.iter().map(|(_, unit, _)| *unit).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(asked.iter().map(|(_, _, day)| *day).collect::<Vec<_>>());
    let rows: Vec<OwnUnit> = Prepared(query).load(&mut conn).await?;
    let mut found = vec![None; asked.len()];
    for row in rows {
        found[usize::try_from(row.place).unwrap_or_default()] = Some(row);
    }
    Ok(found)
}

/// The number of a member on projected boards.
pub async fn number(conn: &mut Conn, member_id: Uuid) -> Result<Option<i64>, Problem> {
    Ok(members::table.find(member_id).select(members::no).first(conn).await.optional()?)
}

/// The kind of a unit.
pub async fn kind(conn: &mut Conn, unit_id: Uuid) -> Result<Option<String>, Problem> {
    Ok(units::table.find(unit_id).select(units::kind).first(conn).await.optional()?)
}

/// How large a unit is, by its kind, which never changes.
pub async fn size(conn: &mut Conn, unit_id: Uuid) -> Result<Option<UnitSize>, Problem> {
    let found: Option<(String, bool)> = units::table
        .inner_join(unit_kinds::table.on(unit_kinds::code.eq(units::kind)))
        .filter(units::id.eq(unit_id))
        .select((unit_kinds::code, unit_kinds::holds_members))
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(|(kind, holds_members)| match holds_members {
        true => UnitSize::Cell,
        false if LARGE_KINDS.contains(&kind.as_str()) => UnitSize::Large,
        false => UnitSize::Small,
    }))
}

/// A member as a projected board needs them.
#[derive(Debug, QueryableByName)]
pub struct Projected {
    #[diesel(sql_type = BigInt)]
    pub no: i64,
    /// The large units above the member's cell; none for members who are not ranked.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub above: Vec<Uuid>,
    #[diesel(sql_type = Int4)]
    pub points: i32,
    #[diesel(sql_type = Bool)]
    pub met: bool,
}

/// How these members stand; those who are not ranked belong to no board.
pub async fn projected(
    conn: &mut Conn,
    view: &Viewer,
    ids: Vec<Uuid>,
    large: &[Uuid],
) -> Result<Vec<Projected>, Problem> {
    let query = format!(
        "WITH {}, tops AS (
            SELECT w.unit_id, array_agg(t.ancestor_id) AS above FROM wanted w
            JOIN unit_tree t ON t.descendant_id = w.unit_id AND t.ancestor_id = ANY($6)
                AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2) GROUP BY w.unit_id)
         SELECT m.no, coalesce(t.above, '{{}}') AS above, coalesce(s.points, 0) AS points,
             coalesce(s.points >= s.threshold, false) AS met
         FROM members m LEFT JOIN standings s ON s.member_id = m.id LEFT JOIN tops t ON t.unit_id = s.unit_id
         WHERE m.id = ANY($1)",
        standings(THESE)
    );
    Ok(over(query, ids, view).bind::<Array<SqlUuid>, _>(large.to_vec()).load(conn).await?)
}

/// The units whose boards are projected, on a day.
pub async fn large_units(conn: &mut Conn, kinds: &[&str], day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let found: Vec<RankedUnit> = diesel::sql_query(
        "SELECT u.id AS unit_id FROM units u WHERE u.kind = ANY($1) AND EXISTS (SELECT 1 FROM unit_tree t
             WHERE t.descendant_id = u.id AND t.ancestor_id = u.id AND t.valid_from <= $2
               AND (t.valid_to IS NULL OR t.valid_to > $2)) ORDER BY u.id",
    )
    .bind::<Array<Text>, _>(kinds)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|unit| unit.unit_id).collect())
}
