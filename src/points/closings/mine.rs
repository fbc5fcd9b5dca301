//! What members' closed months look like beside what late corrections made of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::{closing_rows, closing_states, closings, member_months};
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
    let this_month =
        member_months::member_id.eq(closing_rows::member_id).and(member_months::period.eq(closings::period));
    let found: Vec<(DateTime<Utc>, Uuid, String, i32)> = closing_rows::table
        .inner_join(closings::table.on(closings::id.eq(closing_rows::closing_id)))
        .inner_join(closing_states::table.on(closing_states::closing_id.eq(closings::id.nullable())))
        .inner_join(member_months::table.on(this_month))
        .filter(closing_rows::member_id.eq_any(members))
        .filter(closings::period.eq(period.first_day()))
        .select((closings::closed_at, closing_rows::member_id, closing_rows::content, member_months::points))
        .load(conn)
        .await?;
    let figure = |(closed_at, member_id, content, corrected_points): (DateTime<Utc>, Uuid, String, i32)| {
        let row: ClosedRow = serde_json::from_str(&content).map_err(Problem::internal)?;
        let ClosedRow { points, threshold, status, .. } = row;
        Ok((member_id, ClosedFigure { closed_at, points, corrected_points, threshold, status }))
    };
    found.into_iter().map(figure).collect()
}
