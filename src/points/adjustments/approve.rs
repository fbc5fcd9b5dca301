//! Approval: a second officer turns a proposal into an entry, in one transaction.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::organisation::cell_of;

use super::ledger::{self, Author};
use super::model::{AdjustmentState, AdjustmentUnit, posting};
use super::store::{self, AdjustmentDecision, OpenAdjustment};

/// Writes what a second officer approved: appends its entry, adds its points to the month it counts for and tells the member. A month that was
/// closed gets a late correction.
///
/// # Errors
/// 409 when it was decided or the entry was taken back meanwhile, 422 when the month
/// would fall below zero or the member was in no cell then.
pub async fn approve(conn: &mut Conn, id: Uuid, by: Uuid, now: DateTime<Utc>) -> Result<OpenAdjustment, Problem> {
    let known = store::read(conn, id).await?;
    let period = Period::containing(known.period);
    // The month comes before anything else of the member.
    let month = ledger::lock_month(conn, known.member_id, period).await?;
    let open = store::lock_proposed(conn, id).await?;
    let place = place(conn, &open, period, now).await?;
    let posting = posting(id, open.points, open.reverses, place, month).ok_or_else(below_zero)?;
    let entry_id = new_id(now);
    let author = Author { member_id: open.member_id, period, decision_id: id, approved_by: by };
    if !ledger::post(conn, entry_id, &posting, &author, now).await? {
        return Err(Problem::with(
            Code::Conflict,
            "Mục điểm này đã được thu hồi.",
            "This entry was taken back already.",
        ));
    }
    let decision =
        AdjustmentDecision { state: AdjustmentState::Approved, by: Some(by), reason: None, entry_id: Some(entry_id) };
    store::decide(conn, id, &decision, now).await?;
    tell(conn, &open, now).await?;
    Ok(open)
}

/// A reversal has the cell and day of its entry, so that sums by cell and day cancel out. An adjustment belongs to the
/// cell that the whole month counts for: that of its last day, or of today while it runs.
async fn place(
    conn: &mut Conn,
    open: &OpenAdjustment,
    period: Period,
    now: DateTime<Utc>,
) -> Result<AdjustmentUnit, Problem> {
    if let Some(entry_id) = open.reverses {
        let entry = ledger::entry(conn, open.member_id, entry_id).await?.ok_or_else(Problem::not_found)?;
        return Ok(AdjustmentUnit { unit_id: entry.unit_id, day: entry.day });
    }
    let day = period.reference_day(day_of(now));
    let unit_id = cell_of(conn, open.member_id, day).await?.ok_or_else(|| {
        Problem::with(
            Code::RuleNotMet,
            "Đảng viên không thuộc chi bộ nào trong tháng đó.",
            "The member was in no cell that month.",
        )
    })?;
    Ok(AdjustmentUnit { unit_id, day })
}

fn below_zero() -> Problem {
    Problem::with(Code::RuleNotMet, "Điểm của tháng sẽ xuống dưới 0.", "The points of the month would fall below zero.")
}

async fn tell(conn: &mut Conn, open: &OpenAdjustment, now: DateTime<Utc>) -> Result<(), Problem> {
    let kind = if open.reverses.is_some() { "points_reversed" } else { "points_adjusted" };
    outbox::tell(conn, kind, &[open.member_id], &json!({"reason": open.reason}), now).await
}
