//! Queries on the state before a reorganisation: places of units, members, roles, counts.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int2, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::model::{EndingRole, MemberCounts};

/// A unit and its place on a day.
#[derive(Debug, Clone, QueryableByName)]
pub struct RegisteredUnit {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Int2)]
    pub rank: i16,
    #[diesel(sql_type = Bool)]
    pub holds_members: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub parent_id: Option<Uuid>,
    /// Since when it has this place.
    #[diesel(sql_type = Date)]
    pub valid_from: NaiveDate,
}

#[derive(QueryableByName)]
struct RegisterId {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

fn ids(rows: Vec<RegisterId>) -> Vec<Uuid> {
    rows.into_iter().map(|row| row.id).collect()
}

/// Those of the units that are there on the day, by id.
pub async fn places(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<Vec<RegisteredUnit>, Problem> {
    Ok(diesel::sql_query(
        "SELECT u.id, u.kind, k.rank, k.holds_members, l.parent_id, l.valid_from FROM units u
         JOIN unit_kinds k ON k.code = u.kind
         JOIN unit_links l ON l.unit_id = u.id AND l.valid_from <= $2 AND (l.valid_to IS NULL OR l.valid_to > $2)
         WHERE u.id = ANY($1) ORDER BY u.id",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}

/// One unit; 404 when it is not there on the day.
pub async fn place(conn: &mut Conn, unit: Uuid, day: NaiveDate) -> Result<RegisteredUnit, Problem> {
    places(conn, &[unit], day).await?.pop().ok_or_else(Problem::not_found)
}

/// The units directly below, by id.
pub async fn children(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let rows = diesel::sql_query(
        "SELECT unit_id AS id FROM unit_links WHERE parent_id = ANY($1)
           AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) ORDER BY unit_id",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(ids(rows))
}

/// The members of these cells on the day, by id.
pub async fn members(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let rows = diesel::sql_query(
        "SELECT member_id AS id FROM memberships WHERE unit_id = ANY($1)
           AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) ORDER BY member_id",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(ids(rows))
}

/// A unit's name and its members on a day.
#[derive(Debug, QueryableByName)]
pub struct Counted {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Bool)]
    pub holds_members: bool,
    #[diesel(sql_type = BigInt)]
    members: i64,
    #[diesel(sql_type = BigInt)]
    official: i64,
    #[diesel(sql_type = BigInt)]
    exempt: i64,
    #[diesel(sql_type = BigInt)]
    excused: i64,
}

impl Counted {
    pub fn counts(&self) -> MemberCounts {
        MemberCounts {
            members: self.members,
            official: self.official,
            exempt: self.exempt,
            excused: self.excused,
            counted: self.members - self.exempt - self.excused,
        }
    }
}

/// Counts of those of the units that are there on the day, with everything below them, as boards count.
pub async fn counts(conn: &mut Conn, units: &[Uuid], day: NaiveDate) -> Result<Vec<Counted>, Problem> {
    let period = Period::containing(day);
    Ok(diesel::sql_query(
        "SELECT u.id, u.name, k.holds_members, count(b.id) AS members,
            count(b.id) FILTER (WHERE b.official_on <= $2) AS official,
            count(b.id) FILTER (WHERE b.exemption = 'exempt') AS exempt,
            count(b.id) FILTER (WHERE b.exemption = 'excused') AS excused
         FROM units u JOIN unit_kinds k ON k.code = u.kind
         JOIN unit_tree t ON t.ancestor_id = u.id AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
         CROSS JOIN LATERAL month_parameters(t.descendant_id, $2) p
         LEFT JOIN LATERAL (
            SELECT m.id, m.official_on, (SELECT max(x.kind) FROM exemptions x WHERE x.member_id = m.id
                AND exempts_from_month(x.kind, x.valid_from, x.valid_to, $2, $3, $4, p.excuse_days)) AS exemption
            FROM memberships ms JOIN members m ON m.id = ms.member_id WHERE ms.unit_id = t.descendant_id
                AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)) b ON true
         WHERE u.id = ANY($1) GROUP BY u.id, k.code ORDER BY u.id",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(day)
    .bind::<Date, _>(period.first_day())
    .bind::<Date, _>(period.last_day())
    .load(conn)
    .await?)
}

/// Those of the cells that have no secretary on the day.
pub async fn without_secretary(conn: &mut Conn, cells: &[Uuid], day: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let rows = diesel::sql_query(
        "SELECT c.id FROM unnest($1) AS c(id) WHERE NOT EXISTS (SELECT 1 FROM grants g
            WHERE g.unit_id = c.id AND g.role = 'cell_secretary' AND g.revoked_at IS NULL
              AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2))",
    )
    .bind::<Array<SqlUuid>, _>(cells)
    .bind::<Date, _>(day)
    .load(conn)
    .await?;
    Ok(ids(rows))
}

/// Roles on the units that would last beyond the day; with `only`, of these accounts.
pub async fn lasting_roles(
    conn: &mut Conn,
    units: &[Uuid],
    only: Option<&[Uuid]>,
    day: NaiveDate,
) -> Result<Vec<EndingRole>, Problem> {
    Ok(diesel::sql_query(
        "SELECT g.account_id, a.display_name AS name, g.role, g.unit_id FROM grants g JOIN accounts a ON a.id = g.account_id
         WHERE g.unit_id = ANY($1) AND ($2::uuid[] IS NULL OR g.account_id = ANY($2)) AND g.revoked_at IS NULL
           AND (g.valid_to IS NULL OR g.valid_to > $3) ORDER BY g.unit_id, g.role, g.account_id",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Nullable<Array<SqlUuid>>, _>(only)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}

/// Locks the units against additions to them.
pub async fn lock_units(conn: &mut Conn, units: &[Uuid]) -> Result<(), Problem> {
    diesel::sql_query("SELECT id FROM units WHERE id = ANY($1) ORDER BY id FOR UPDATE")
        .bind::<Array<SqlUuid>, _>(units)
        .execute(conn)
        .await?;
    Ok(())
}
