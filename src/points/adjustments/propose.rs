//! Proposing corrections, with reason and evidence. Nothing changes until the approval.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::point_adjustments;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::ids::new_id;
use crate::organisation::cell_of;
use crate::organisation::memberships::lock_member;
use crate::points::officers::require_other;

use super::ledger;
use super::model::{AdjustmentState, MOST_POINTS, PointChange};

/// Proposals of one member that may wait at a time.
const MOST_WAITING: i64 = 20;

/// A correction to be proposed.
#[derive(Debug, Clone)]
pub struct NewAdjustment<'a> {
    pub member_id: Uuid,
    pub change: PointChange,
    pub reason: &'a str,
    pub evidence: &'a str,
}

/// Writes a proposal.
///
/// # Errors
/// 422 for a month to come and for no points, 403 for one's own points, 409 when the entry is being taken back already or
/// too many proposals wait, 422 when there is no such entry, or nothing to take back, or the member was in no cell then.
pub async fn propose(conn: &mut Conn, new: &NewAdjustment<'_>, by: Uuid, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    require_other(new.member_id, by)?;
    let (period, points, reverses) = match new.change {
        PointChange::Adjust { period, points } => {
            check(conn, new.member_id, period, points, day_of(now)).await?;
            (period, points, None)
        }
        PointChange::Reverse { entry_id } => {
            let (period, points) = reversed(conn, new.member_id, entry_id).await?;
            (period, points, Some(entry_id))
        }
    };
    lock_member(conn, new.member_id).await?;
    require_room(conn, new.member_id).await?;
    let id = new_id(now);
    let written = diesel::insert_into(point_adjustments::table)
        .values((
            point_adjustments::id.eq(id),
            point_adjustments::member_id.eq(new.member_id),
            point_adjustments::period.eq(period.first_day()),
            point_adjustments::points.eq(points),
            point_adjustments::reverses.eq(reverses),
            point_adjustments::reason.eq(new.reason),
            point_adjustments::evidence.eq(new.evidence),
            point_adjustments::state.eq(AdjustmentState::Proposed.as_str()),
            point_adjustments::proposed_by.eq(by),
            point_adjustments::proposed_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if written == 0 {
        return Err(Problem::with(
            Code::Conflict,
            "Mục điểm này đã được thu hồi hoặc đang chờ thu hồi.",
            "This entry was taken back, or is about to be.",
        ));
    }
    Ok(id)
}

async fn check(conn: &mut Conn, member_id: Uuid, period: Period, points: i32, today: NaiveDate) -> Result<(), Problem> {
    if period > Period::containing(today) {
        let detail = text("Tháng này chưa đến.", "That month has not come yet.");
        return Err(Problem::fault("/period", "too_large", detail));
    }
    if points == 0 || points.abs() > MOST_POINTS {
        let detail = text(
            format!("Từ 1 đến {MOST_POINTS} điểm, cộng hoặc trừ."),
            format!("1 to {MOST_POINTS} points, given or taken."),
        );
        return Err(Problem::fault("/points", "out_of_range", detail));
    }
    if cell_of(conn, member_id, period.reference_day(today)).await?.is_none() {
        let detail = text("Đảng viên không thuộc chi bộ nào trong tháng đó.", "The member was in no cell that month.");
        return Err(Problem::fault("/period", "no_cell", detail));
    }
    Ok(())
}

/// The month and the points of the reversal of an entry.
async fn reversed(conn: &mut Conn, member_id: Uuid, entry_id: Uuid) -> Result<(Period, i32), Problem> {
    let Some(entry) = ledger::entry(conn, member_id, entry_id).await? else {
        let detail = text("Đảng viên không có mục điểm này.", "The member has no such entry.");
        return Err(Problem::fault("/reverses", "unknown_entry", detail));
    };
    if entry.kind == "reversal" {
        let detail = text(
            "Không thu hồi một mục thu hồi; hãy đề nghị cộng điểm.",
            "A reversal cannot be reversed; propose an adjustment.",
        );
        return Err(Problem::fault("/reverses", "is_a_reversal", detail));
    }
    Ok((Period::containing(entry.period), -entry.points))
}

async fn require_room(conn: &mut Conn, member_id: Uuid) -> Result<(), Problem> {
    let waiting: i64 = point_adjustments::table
        .filter(point_adjustments::member_id.eq(member_id))
        .filter(point_adjustments::state.eq(AdjustmentState::Proposed.as_str()))
        .count()
        .get_result(conn)
        .await?;
    if waiting < MOST_WAITING {
        return Ok(());
    }
    Err(Problem::with(
        Code::Conflict,
        format!("Đã có {MOST_WAITING} đề nghị chờ quyết định cho đảng viên này."),
        format!("{MOST_WAITING} proposals for this member wait for a decision already."),
    ))
}
