//! Closed months of members, beside the figures with late corrections.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{closing_rows, closing_states, closings, member_months};
use crate::kernel::http::problem::Problem;
use crate::points::model::Status;

use super::model::ClosedRow;

/// A month as it was closed, and what late corrections made of it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ClosedFigure {
    /// When the month was closed.
    closed_at: DateTime<Utc>,
    /// Points as they were closed.
    #[schema(minimum = -10_000, maximum = 10_000, example = 28)]
    pub points: i32,
    /// Points with the late corrections.
    #[schema(minimum = -10_000, maximum = 10_000, example = 31)]
    corrected_points: i32,
    /// The threshold as it was closed.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    threshold: i32,
    /// The status as it was closed: `met`, `below`, `exempt` or `excused`.
    status: Status,
}

/// The closed month of each of these members; none of those whose month is open or was never closed.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn of_members(
    conn: &mut Conn,
    members: &[Uuid],
    period: Period,
) -> Result<BTreeMap<Uuid, ClosedFigure>, Problem> {
    let found = of_months(conn, members, &[period]).await?;
    Ok(found.into_iter().map(|((member, _), figure)| (member, figure)).collect())
}

/// The same for each of some months.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn of_months(
    mut conn: &Conn,
    members: &[Uuid],
    periods: &[Period],
) -> Result<BTreeMap<(Uuid, Period), ClosedFigure>, Problem> {
    let this_month =
        member_months::member_id.eq(closing_rows::member_id).and(member_months::period.eq(closings::period));
    // By the primary key of the states: they have no index by closing.
    let in_force = closing_states::unit_id
        .eq(closings::unit_id)
        .and(closing_states::period.eq(closings::period))
        .and(closing_states::closing_id.eq(closings::id.nullable()));
    let found: Vec<FoundClosing> = closing_rows::table
        .inner_join(closings::table.on(closings::id.eq(closing_rows::closing_id)))
        .inner_join(closing_states::table.on(in_force))
        .inner_join(member_months::table.on(this_month))
        .filter(closing_rows::member_id.eq_any(members))
        .filter(closings::period.eq_any(periods.iter().map(|period| period.first_day())))
        .select((
            (closing_rows::member_id, closings::period),
            closings::closed_at,
            closing_rows::content,
            member_months::points,
        ))
        .load(&mut conn)
        .await?;
    let figure = |((member_id, period), closed_at, content, corrected_points): FoundClosing| {
        let row: ClosedRow = serde_json::from_str(&content).map_err(Problem::internal)?;
        let ClosedRow { points, threshold, status, .. } = row;
        let key = (member_id, Period::containing(period));
        Ok((key, ClosedFigure { closed_at, points, corrected_points, threshold, status }))
    };
    found.into_iter().map(figure).collect()
}

/// Whose month, when it was closed, its row as it was signed, and the points of today.
type FoundClosing = ((Uuid, NaiveDate), DateTime<Utc>, String, i32);
