//! What a member sees of their own closed month.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::{closing_rows, closing_states, closings};
use crate::points::model::Status;

use super::model::ClosedRow;
use super::store;

/// A month as it was closed, and what late corrections made of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedFigure {
    /// When the month was closed.
    closed_at: DateTime<Utc>,
    /// Points as they were closed.
    #[schema(minimum = -10_000, maximum = 10_000, example = 28)]
    points: i32,
    /// Points with the late corrections.
    #[schema(minimum = -10_000, maximum = 10_000, example = 31)]
    corrected_points: i32,
    /// The threshold as it was closed.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    threshold: i32,
    /// The status as it was closed: `met`, `below`, `exempt` or `excused`.
    status: Status,
}

/// The closed month of a member; none while it is open.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn of_member(conn: &mut Conn, member_id: Uuid, period: Period) -> Result<Option<ClosedFigure>, Problem> {
    let found: Option<(DateTime<Utc>, String)> = closing_rows::table
        .inner_join(closings::table.on(closings::id.eq(closing_rows::closing_id)))
        .inner_join(closing_states::table.on(closing_states::closing_id.eq(closings::id.nullable())))
        .filter(closing_rows::member_id.eq(member_id))
        .filter(closings::period.eq(period.first_day()))
        .select((closings::closed_at, closing_rows::content))
        .first(conn)
        .await
        .optional()?;
    let Some((closed_at, content)) = found else {
        return Ok(None);
    };
    let row: ClosedRow = serde_json::from_str(&content).map_err(Problem::internal)?;
    let corrected = store::corrected(conn, &[member_id], period).await?;
    Ok(Some(ClosedFigure {
        closed_at,
        points: row.points,
        corrected_points: corrected.get(&member_id).copied().unwrap_or(0),
        threshold: row.threshold,
        status: row.status,
    }))
}
