//! Queries on orders and their outcomes.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{reorganisation_units, reorganisations};
use crate::kernel::http::problem::{Code, Problem};

use super::model::{OrderKind, Reorganisation, ReorganisationEffect, ReorganisationIn};

/// A stored order.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = reorganisations)]
pub struct OrderRow {
    pub id: Uuid,
    pub kind: String,
    pub details: Value,
    pub reason: String,
    pub effective_on: NaiveDate,
    pub state: String,
    pub ordered_by: Uuid,
    pub ordered_at: DateTime<Utc>,
    pub applied_on: Option<NaiveDate>,
    pub new_unit_id: Option<Uuid>,
    pub effect: Option<Value>,
    pub failure: Option<String>,
}

/// Writes an order that is still to be carried out.
pub async fn plan(
    conn: &mut Conn,
    id: Uuid,
    body: &ReorganisationIn,
    day: NaiveDate,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::insert_into(reorganisations::table)
        .values((
            reorganisations::id.eq(id),
            reorganisations::kind.eq(body.kind.as_str()),
            reorganisations::details.eq(serde_json::to_value(body).map_err(Problem::internal)?),
            reorganisations::reason.eq(body.reason.trim()),
            reorganisations::effective_on.eq(day),
            reorganisations::state.eq("planned"),
            reorganisations::ordered_by.eq(by),
            reorganisations::ordered_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes the units by which the order is found.
pub async fn note_units(conn: &mut Conn, id: Uuid, units: impl Iterator<Item = Uuid>) -> Result<(), Problem> {
    let rows: Vec<_> = units
        .map(|unit| (reorganisation_units::reorganisation_id.eq(id), reorganisation_units::unit_id.eq(unit)))
        .collect();
    diesel::insert_into(reorganisation_units::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Notes that the order was carried out.
pub async fn applied(
    conn: &mut Conn,
    id: Uuid,
    day: NaiveDate,
    made: Option<Uuid>,
    effect: &ReorganisationEffect,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::update(reorganisations::table.find(id))
        .set((
            reorganisations::state.eq("applied"),
            reorganisations::applied_on.eq(day),
            reorganisations::new_unit_id.eq(made),
            reorganisations::decided_at.eq(now),
            reorganisations::effect.eq(serde_json::to_value(effect).map_err(Problem::internal)?),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that the order will not be carried out: cancelled, or failed for a reason.
pub async fn drop_plan(conn: &mut Conn, id: Uuid, failure: Option<&str>, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(reorganisations::table.find(id))
        .set((
            reorganisations::state.eq(if failure.is_some() { "failed" } else { "cancelled" }),
            reorganisations::decided_at.eq(now),
            reorganisations::failure.eq(failure),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Locks an order that waits for its day.
///
/// # Errors
/// 409 when it was carried out or cancelled.
pub async fn lock_planned(conn: &mut Conn, id: Uuid) -> Result<OrderRow, Problem> {
    let row: OrderRow = reorganisations::table.find(id).select(OrderRow::as_select()).for_update().first(conn).await?;
    if row.state == "planned" {
        return Ok(row);
    }
    Err(Problem::with(
        Code::Conflict,
        "Việc sắp xếp này đã thực hiện hoặc đã hủy.",
        "It was carried out or cancelled already.",
    ))
}

/// The next orders whose day has come, the earliest first, each with its day.
pub async fn due(
    conn: &mut Conn,
    today: NaiveDate,
    after: Option<(NaiveDate, Uuid)>,
) -> Result<Vec<(NaiveDate, Uuid)>, Problem> {
    let mut query = reorganisations::table
        .filter(reorganisations::state.eq("planned"))
        .filter(reorganisations::effective_on.le(today))
        .order((reorganisations::effective_on, reorganisations::id))
        .select((reorganisations::effective_on, reorganisations::id))
        .limit(100)
        .into_boxed();
    if let Some((day, id)) = after {
        let later = reorganisations::effective_on.eq(day).and(reorganisations::id.gt(id));
        query = query.filter(reorganisations::effective_on.gt(day).or(later));
    }
    Ok(query.load(conn).await?)
}

/// The units an order is about.
pub async fn units_of(conn: &mut Conn, id: Uuid) -> Result<Vec<Uuid>, Problem> {
    Ok(reorganisation_units::table
        .filter(reorganisation_units::reorganisation_id.eq(id))
        .order(reorganisation_units::unit_id)
        .select(reorganisation_units::unit_id)
        .load(conn)
        .await?)
}

/// One order.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<Reorganisation, Problem> {
    let row: OrderRow = reorganisations::table.find(id).select(OrderRow::as_select()).first(conn).await?;
    shown(row)
}

#[derive(QueryableByName)]
struct OrderId {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Orders about a unit or one below it, the latest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    day: NaiveDate,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<Reorganisation>, Problem> {
    // Units that have ended by now were below the unit once.
    let ids: Vec<OrderId> = diesel::sql_query(
        "SELECT r.id FROM reorganisations r WHERE ($3::uuid IS NULL OR r.id < $3) AND EXISTS (
            SELECT 1 FROM reorganisation_units u JOIN unit_tree t ON t.descendant_id = u.unit_id
            WHERE u.reorganisation_id = r.id AND t.ancestor_id = $1 AND t.valid_from <= $2)
         ORDER BY r.id DESC LIMIT $4",
    )
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .bind::<Nullable<SqlUuid>, _>(before)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?;
    let ids: Vec<Uuid> = ids.into_iter().map(|row| row.id).collect();
    let rows: Vec<OrderRow> = reorganisations::table
        .filter(reorganisations::id.eq_any(ids))
        .order(reorganisations::id.desc())
        .select(OrderRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(shown).collect()
}

fn shown(row: OrderRow) -> Result<Reorganisation, Problem> {
    let body: ReorganisationIn = serde_json::from_value(row.details).map_err(Problem::internal)?;
    Ok(Reorganisation {
        id: row.id,
        kind: OrderKind::parse(&row.kind).unwrap_or(body.kind),
        state: row.state,
        effective_on: row.effective_on,
        applied_on: row.applied_on,
        unit_ids: body.unit_ids.into_iter().chain(body.into_unit_id).collect(),
        new_unit_id: row.new_unit_id,
        reason: row.reason,
        ordered_at: row.ordered_at,
        effect: row.effect.map(serde_json::from_value).transpose().map_err(Problem::internal)?,
        failure: row.failure,
    })
}
