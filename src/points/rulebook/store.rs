//! Queries on limits and changes of rules.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{point_rule_changes, units};
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::{Code, Problem};

use super::change::{ChangeRow, RuleChange, RuleChangeIn, RuleScope};
use super::narrow::Limit;

/// A limit in force, and who set it.
#[derive(Debug, Clone, QueryableByName)]
pub struct LimitRow {
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub unit_name: String,
    #[diesel(sql_type = Text)]
    pub rule_code: String,
    #[diesel(sql_type = Bool)]
    pub switched_off: bool,
    #[diesel(sql_type = Nullable<Int4>)]
    pub points: Option<i32>,
    #[diesel(sql_type = Nullable<Int4>)]
    pub cap_day: Option<i32>,
    #[diesel(sql_type = Nullable<Int4>)]
    pub cap_month: Option<i32>,
    #[diesel(sql_type = Date)]
    pub valid_from: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    pub valid_to: Option<NaiveDate>,
}

impl From<LimitRow> for Limit {
    fn from(row: LimitRow) -> Self {
        Self {
            rule_code: row.rule_code,
            switched_off: row.switched_off,
            points: row.points,
            cap_day: row.cap_day,
            cap_month: row.cap_month,
        }
    }
}

/// The limits in force on a day on the unit with this path, itself first; those of the top come first.
pub async fn limits(conn: &Conn, path: &[Uuid], day: NaiveDate) -> Result<Vec<LimitRow>, Problem> {
    limits_within(conn, path, (day, day)).await
}

/// The same for those in force on any of the days from the first to the last.
pub async fn limits_within(
    mut conn: &Conn,
    path: &[Uuid],
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<LimitRow>, Problem> {
    let query = diesel::sql_query(
        "SELECT c.unit_id, u.name AS unit_name, c.rule_code, c.switched_off, c.points, c.cap_day, c.cap_month,
            c.valid_from, c.valid_to
         FROM point_rule_changes c JOIN units u ON u.id = c.unit_id
         WHERE c.unit_id = ANY($1) AND c.state = 'published' AND c.scope = 'unit'
           AND c.valid_from <= $3 AND (c.valid_to IS NULL OR c.valid_to > $2)
         ORDER BY array_position($1, c.unit_id) DESC",
    )
    .bind::<Array<SqlUuid>, _>(path)
    .bind::<Date, _>(first)
    .bind::<Date, _>(last);
    Ok(Prepared(query).load(&mut conn).await?)
}

/// Writes a draft.
pub async fn draft(
    conn: &mut Conn,
    id: Uuid,
    unit_id: Uuid,
    new: &RuleChangeIn,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::insert_into(point_rule_changes::table)
        .values((
            point_rule_changes::id.eq(id),
            point_rule_changes::unit_id.eq(unit_id),
            new.values()?,
            point_rule_changes::state.eq("draft"),
            point_rule_changes::created_by.eq(by),
            point_rule_changes::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Replaces a locked draft.
pub async fn rewrite(conn: &mut Conn, id: Uuid, new: &RuleChangeIn) -> Result<(), Problem> {
    let version = point_rule_changes::version.eq(point_rule_changes::version + 1);
    diesel::update(point_rule_changes::table.find(id)).set((new.values()?, version)).execute(conn).await?;
    Ok(())
}

/// Drops a locked draft.
pub async fn drop_draft(conn: &mut Conn, id: Uuid) -> Result<(), Problem> {
    diesel::delete(point_rule_changes::table.find(id)).execute(conn).await?;
    Ok(())
}

/// One change as it is shown.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<RuleChange, Problem> {
    let found: (ChangeRow, String) = point_rule_changes::table
        .inner_join(units::table.on(units::id.eq(point_rule_changes::unit_id)))
        .filter(point_rule_changes::id.eq(id))
        .select((ChangeRow::as_select(), units::name))
        .first(conn)
        .await?;
    Ok(RuleChange::from(found))
}

/// The unit a change belongs to.
pub async fn unit_of(conn: &mut Conn, id: Uuid) -> Result<Uuid, Problem> {
    Ok(point_rule_changes::table.find(id).select(point_rule_changes::unit_id).first(conn).await?)
}

/// Locks a change.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<ChangeRow, Problem> {
    Ok(point_rule_changes::table.find(id).select(ChangeRow::as_select()).for_update().first(conn).await?)
}

/// Locks a change that is still a draft.
///
/// # Errors
/// 409 when it is published.
pub async fn lock_draft(conn: &mut Conn, id: Uuid) -> Result<ChangeRow, Problem> {
    let row = lock(conn, id).await?;
    if row.state == "draft" {
        return Ok(row);
    }
    Err(Problem::with(
        Code::Conflict,
        "Thay đổi này đã được ban hành; hãy soạn một thay đổi mới.",
        "This change is published; draft another one.",
    ))
}

/// The changes of a unit, drafts and published ones, the newest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    state: Option<&str>,
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<RuleChange>, Problem> {
    let mut query = point_rule_changes::table
        .inner_join(units::table.on(units::id.eq(point_rule_changes::unit_id)))
        .filter(point_rule_changes::unit_id.eq(unit_id))
        .order(point_rule_changes::id.desc())
        .limit(fetch)
        .select((ChangeRow::as_select(), units::name))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(point_rule_changes::state.eq(state));
    }
    if let Some(before) = before {
        query = query.filter(point_rule_changes::id.lt(before));
    }
    let rows: Vec<(ChangeRow, String)> = query.load(conn).await?;
    Ok(rows.into_iter().map(RuleChange::from).collect())
}

/// Published limits of the same unit and rule, which a new one has to follow: first and last day.
pub async fn published_limits(conn: &mut Conn, unit_id: Uuid, rule: &str) -> Result<Vec<ChangeRow>, Problem> {
    Ok(point_rule_changes::table
        .filter(point_rule_changes::unit_id.eq(unit_id))
        .filter(point_rule_changes::rule_code.eq(rule))
        .filter(point_rule_changes::state.eq("published"))
        .filter(point_rule_changes::scope.eq(RuleScope::Unit.as_str()))
        .order(point_rule_changes::valid_from)
        .select(ChangeRow::as_select())
        .load(conn)
        .await?)
}

/// Gives a published change an earlier end.
pub async fn end(conn: &mut Conn, id: Uuid, on: NaiveDate) -> Result<(), Problem> {
    diesel::update(point_rule_changes::table.find(id)).set(point_rule_changes::valid_to.eq(on)).execute(conn).await?;
    Ok(())
}

/// Marks a locked draft as published.
pub async fn mark_published(
    conn: &mut Conn,
    id: Uuid,
    rule_version: Option<i32>,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::update(point_rule_changes::table.find(id))
        .set((
            point_rule_changes::state.eq("published"),
            point_rule_changes::rule_version.eq(rule_version),
            point_rule_changes::published_by.eq(by),
            point_rule_changes::published_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
