//! Queries on cells, and on what units offer and set, for many units at once.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

/// A cell among units or below them.
#[derive(Debug, QueryableByName)]
pub struct CellOutlook {
    /// The requested unit.
    #[diesel(sql_type = SqlUuid)]
    pub under: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub cell_id: Uuid,
    /// The cell and its ancestors, the cell first.
    #[diesel(sql_type = Array<SqlUuid>)]
    pub path: Vec<Uuid>,
}

/// The cells among these units and below them on a day.
pub async fn cells(conn: &mut Conn, unit_ids: &[Uuid], day: NaiveDate) -> Result<Vec<CellOutlook>, Problem> {
    Ok(diesel::sql_query(
        "SELECT t.ancestor_id AS under, t.descendant_id AS cell_id,
            ARRAY(SELECT a.ancestor_id FROM unit_tree a WHERE a.descendant_id = t.descendant_id
                AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to > $2) ORDER BY a.depth) AS path
         FROM unit_tree t JOIN units u ON u.id = t.descendant_id
         JOIN unit_kinds k ON k.code = u.kind AND k.holds_members
         WHERE t.ancestor_id = ANY($1) AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
         ORDER BY t.ancestor_id, t.descendant_id",
    )
    .bind::<Array<SqlUuid>, _>(unit_ids)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}

/// A unit of the list.
#[derive(Debug, QueryableByName)]
pub struct Child {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
}

/// The units directly below a unit by name, or the unit itself when it is a cell.
pub async fn children(
    conn: &mut Conn,
    unit_id: Uuid,
    day: NaiveDate,
    after: Option<(String, Uuid)>,
    fetch: i64,
) -> Result<Vec<Child>, Problem> {
    let (name, id) = after.unzip();
    Ok(diesel::sql_query(
        "SELECT u.id, u.name, u.kind FROM unit_tree c JOIN units u ON u.id = c.descendant_id
         JOIN units p ON p.id = c.ancestor_id JOIN unit_kinds k ON k.code = p.kind
         WHERE c.ancestor_id = $1 AND c.depth = CASE WHEN k.holds_members THEN 0 ELSE 1 END
           AND c.valid_from <= $2 AND (c.valid_to IS NULL OR c.valid_to > $2)
           AND ($3::text IS NULL OR (u.name, u.id) > ($3 COLLATE \"vi-x-icu\", $4))
         ORDER BY u.name, u.id LIMIT $5",
    )
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// An object on offer to a unit and everything below it.
#[derive(Debug, QueryableByName)]
pub struct OfferedRule {
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub rule_code: String,
    #[diesel(sql_type = Text)]
    pub object_id: String,
}

/// Offers that began during the month: a diligent member has already been credited with earlier ones.
pub async fn offers(conn: &mut Conn, unit_ids: &[Uuid], period: Period) -> Result<Vec<OfferedRule>, Problem> {
    Ok(diesel::sql_query(
        "SELECT unit_id, rule_code, object_id FROM point_offers
         WHERE unit_id = ANY($1) AND valid_from >= $2 AND valid_from <= $3",
    )
    .bind::<Array<SqlUuid>, _>(unit_ids)
    .bind::<Date, _>(period.first_day())
    .bind::<Date, _>(period.last_day())
    .load(conn)
    .await?)
}

/// A value that a unit sets; no unit is the default of the whole system.
#[derive(Debug, QueryableByName)]
pub struct Parameter {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub unit_id: Option<Uuid>,
    #[diesel(sql_type = Int4)]
    pub value: i32,
}

/// The values in force on a day.
pub async fn parameters(conn: &mut Conn, unit_ids: &[Uuid], day: NaiveDate) -> Result<Vec<Parameter>, Problem> {
    Ok(diesel::sql_query(
        "SELECT name, unit_id, value FROM point_parameters
         WHERE (unit_id IS NULL OR unit_id = ANY($1)) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)",
    )
    .bind::<Array<SqlUuid>, _>(unit_ids)
    .bind::<Date, _>(day)
    .load(conn)
    .await?)
}
