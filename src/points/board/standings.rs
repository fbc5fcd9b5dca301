//! Standing of each member of a unit in a month: the one definition for all boards and exports.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;
use crate::points::closings::{self, ClosedFigure};
use crate::points::engine::member_months::MonthVersion;

/// Points, own threshold and exemption of those in the CTE `belonging`, in the month from `$3` to `$4` as seen on day `$2`.
macro_rules! standings_of_belonging {
    () => {
        "
    cells AS (
        SELECT c.unit_id, p.threshold, p.prorated, p.excuse_days FROM (SELECT DISTINCT unit_id FROM belonging) c
        CROSS JOIN LATERAL month_parameters(c.unit_id, $2) p),
    standings AS (
        SELECT b.member_id, b.unit_id, m.full_name, m.given_name, m.without_device, m.named_on_leaderboards,
            coalesce(mm.points, 0) AS points, mm.counters::text AS counters,
            coalesce(mm.xmin::text::bigint, 0) AS month_version,
            CASE WHEN c.prorated > 0 AND e.entered > $3 AND e.entered <= $4
                THEN ceil(c.threshold * ($4 - e.entered + 1)::numeric / ($4 - $3 + 1))::int
                ELSE c.threshold END AS threshold,
            c.threshold AS of_cell,
            (SELECT max(x.kind) FROM exemptions x WHERE x.member_id = b.member_id
                AND exempts_from_month(x.kind, x.valid_from, x.valid_to, $2, $3, $4, c.excuse_days)) AS exemption
        FROM belonging b
        JOIN cells c ON c.unit_id = b.unit_id
        JOIN members m ON m.id = b.member_id
        -- The first by the tree on (member_id, valid_from): for the least one the planner would take the far slower index of the
        -- exclusion constraint.
        CROSS JOIN LATERAL (SELECT f.valid_from AS entered FROM memberships f WHERE f.member_id = b.member_id
            ORDER BY f.valid_from LIMIT 1) e
        LEFT JOIN member_months mm ON mm.member_id = b.member_id AND mm.period = $3)"
    };
}

/// The members of unit `$1` and everything below it on day `$2`, in the month from `$3` to `$4`: points, own threshold,
/// exemption. A month counts whole in the cell of its last day. Used as the CTE `standings`.
pub const STANDINGS: &str = concat!(
    "
    belonging AS (
        SELECT ms.member_id, ms.unit_id FROM unit_tree t
        JOIN memberships ms ON ms.unit_id = t.descendant_id
            AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)
        WHERE t.ancestor_id = $1 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)),",
    standings_of_belonging!()
);

/// The same for the members of the cells `$1`, a list.
pub const STANDINGS_OF_CELLS: &str = concat!(
    "
    belonging AS (
        SELECT ms.member_id, ms.unit_id FROM memberships ms
        WHERE ms.unit_id = ANY($1) AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)),",
    standings_of_belonging!()
);

/// One member's standing.
#[derive(Debug, QueryableByName)]
pub struct BoardStanding {
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub unit_name: String,
    #[diesel(sql_type = Text)]
    pub full_name: String,
    #[diesel(sql_type = Text)]
    pub given_name: String,
    #[diesel(sql_type = Bool)]
    pub without_device: bool,
    #[diesel(sql_type = Int4)]
    pub points: i32,
    /// As kept with the month; none while it has no row.
    #[diesel(sql_type = Nullable<Text>)]
    pub counters: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub month_version: MonthVersion,
    #[diesel(sql_type = Int4)]
    pub threshold: i32,
    /// Whether it is smaller because the membership began during the month.
    #[diesel(sql_type = Bool)]
    pub prorated: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub exemption: Option<String>,
}

/// Counts of a unit; the denominator of `rate` is `counted`.
#[derive(Debug, Default, Clone, QueryableByName)]
pub struct BoardCounts {
    #[diesel(sql_type = BigInt)]
    pub members: i64,
    #[diesel(sql_type = BigInt)]
    pub exempt: i64,
    #[diesel(sql_type = BigInt)]
    pub excused: i64,
    #[diesel(sql_type = BigInt)]
    pub met: i64,
}

impl BoardCounts {
    /// Counts the rows of all members.
    pub fn of(rows: &[BoardStanding]) -> Self {
        let count =
            |what: &dyn Fn(&&BoardStanding) -> bool| i64::try_from(rows.iter().filter(what).count()).unwrap_or(0);
        Self {
            members: count(&|_| true),
            exempt: count(&|row| row.exemption.as_deref() == Some("exempt")),
            excused: count(&|row| row.exemption.as_deref() == Some("excused")),
            met: count(&|row| row.exemption.is_none() && row.points >= row.threshold),
        }
    }
}

/// The same for one child unit.
#[derive(Debug, QueryableByName)]
pub struct ChildCounts {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(embed)]
    pub counts: BoardCounts,
}

/// Where a list by name goes on: given name, full name, id.
pub type NameKey = (String, String, Uuid);

const COUNTS: &str = "count(s.member_id) AS members,
    count(s.member_id) FILTER (WHERE s.exemption = 'exempt') AS exempt,
    count(s.member_id) FILTER (WHERE s.exemption = 'excused') AS excused,
    count(s.member_id) FILTER (WHERE s.exemption IS NULL AND s.points >= s.threshold) AS met";

/// The unit and the month of a board, and its reference day.
#[derive(Debug, Clone, Copy)]
pub struct BoardView {
    pub unit_id: Uuid,
    pub period: Period,
    pub day: NaiveDate,
}

/// Members by Vietnamese given name.
pub async fn page(
    conn: &mut Conn,
    view: BoardView,
    after: Option<NameKey>,
    fetch: i64,
) -> Result<Vec<BoardStanding>, Problem> {
    let (given, full, id) = after.map_or((None, None, None), |(g, f, i)| (Some(g), Some(f), Some(i)));
    let query = diesel::sql_query(format!(
        "WITH {STANDINGS} SELECT s.*, s.threshold < s.of_cell AS prorated, u.name AS unit_name FROM standings s JOIN units u ON u.id = s.unit_id
         WHERE $5::text IS NULL
            OR (s.given_name, s.full_name, s.member_id) > ($5 COLLATE \"vi-x-icu\", $6 COLLATE \"vi-x-icu\", $7)
         ORDER BY s.given_name, s.full_name, s.member_id LIMIT $8"
    ))
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<Date, _>(view.period.first_day())
    .bind::<Date, _>(view.period.last_day())
    .bind::<Nullable<Text>, _>(given)
    .bind::<Nullable<Text>, _>(full)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch);
    Ok(Prepared(query).load(conn).await?)
}

/// The closed months of these members; a month that still runs is not looked up.
pub async fn closed(
    conn: &mut Conn,
    rows: &[BoardStanding],
    view: BoardView,
    today: NaiveDate,
) -> Result<BTreeMap<Uuid, ClosedFigure>, Problem> {
    if view.period >= Period::containing(today) {
        return Ok(BTreeMap::new());
    }
    let members: Vec<Uuid> = rows.iter().map(|row| row.member_id).collect();
    closings::of_members(conn, &members, view.period).await
}

/// The counts of the whole unit, independent of the page.
pub async fn counts(conn: &mut Conn, view: BoardView) -> Result<BoardCounts, Problem> {
    let query = diesel::sql_query(format!("WITH {STANDINGS} SELECT {COUNTS} FROM standings s"))
        .bind::<SqlUuid, _>(view.unit_id)
        .bind::<Date, _>(view.day)
        .bind::<Date, _>(view.period.first_day())
        .bind::<Date, _>(view.period.last_day());
    Ok(Prepared(query).get_result(conn).await?)
}

/// The counts of each unit directly below, by name.
pub async fn children(
    conn: &mut Conn,
    view: BoardView,
    after: Option<(String, Uuid)>,
    fetch: i64,
) -> Result<Vec<ChildCounts>, Problem> {
    let (name, id) = after.unzip();
    Ok(diesel::sql_query(format!(
        "WITH {STANDINGS} SELECT u.id, u.name, u.kind, {COUNTS} FROM unit_tree c JOIN units u ON u.id = c.descendant_id
         LEFT JOIN unit_tree t ON t.ancestor_id = u.id AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
         LEFT JOIN standings s ON s.unit_id = t.descendant_id
         WHERE c.ancestor_id = $1 AND c.depth = 1 AND c.valid_from <= $2 AND (c.valid_to IS NULL OR c.valid_to > $2)
           AND ($5::text IS NULL OR (u.name, u.id) > ($5 COLLATE \"vi-x-icu\", $6))
         GROUP BY u.id ORDER BY u.name, u.id LIMIT $7"
    ))
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<Date, _>(view.period.first_day())
    .bind::<Date, _>(view.period.last_day())
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}
