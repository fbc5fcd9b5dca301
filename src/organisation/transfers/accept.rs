//! Acceptance: the old membership ends, the new one begins, roles on the old cell end with it.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::ids::new_id;
use crate::organisation::members::Origin;
use crate::organisation::memberships::{self, lock_member};
use crate::organisation::{grants, units};

use super::store::{self, OpenTransfer, TransferDecision};

/// Accepts a transfer from a day on, today by default.
///
/// # Errors
/// 403 for the proposer and the member, 409 when it was decided or the member is elsewhere meanwhile, 400 for a day outside
/// today and the due day, 422 when it is overdue or the old membership has not begun before that day.
pub async fn accept(
    conn: &mut Conn,
    transfer_id: Uuid,
    effective_on: Option<NaiveDate>,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<OpenTransfer, Problem> {
    // Units before transfers before members, as a reorganisation locks them; it may redirect the transfer meanwhile.
    let (_, to) = store::sides(conn, transfer_id).await?;
    units::keep(conn, to).await?;
    let open = store::lock_open(conn, transfer_id).await?;
    if by == open.proposed_by || by == open.member_id {
        return Err(Problem::with(
            Code::Forbidden,
            "Người đề nghị và chính đảng viên không được tiếp nhận.",
            "Neither the proposer nor the member can accept the transfer.",
        ));
    }
    let today = day_of(now);
    let day = effective_day(&open, effective_on, today)?;
    units::require_cell(conn, open.to_unit_id).await?;
    units::hold(conn, open.to_unit_id, today).await?;
    lock_member(conn, open.member_id).await?;
    let old = memberships::on_day(conn, open.member_id, day)
        .await?
        .filter(|old| old.unit_id == open.from_unit_id && old.valid_to.is_none())
        .ok_or_else(|| {
            Problem::with(
                Code::Conflict,
                "Đảng viên không còn sinh hoạt ở chi bộ cũ.",
                "The member no longer belongs to the old cell.",
            )
        })?;
    if old.valid_from >= day {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Đảng viên phải sinh hoạt ở chi bộ cũ ít nhất một ngày.",
            "The member must have belonged to the old cell for a day.",
        ));
    }
    memberships::end(conn, old.id, day).await?;
    let (id, to) = (new_id(now), open.to_unit_id);
    memberships::begin(conn, id, open.member_id, to, Origin::Transferred, day).await?;
    grants::end_on_unit(conn, open.member_id, open.from_unit_id, day, by, now).await?;
    let decision = TransferDecision { state: "accepted", by, note: None, effective_on: Some(day) };
    store::decide(conn, transfer_id, &decision, now).await?;
    Ok(open)
}

fn effective_day(open: &OpenTransfer, asked: Option<NaiveDate>, today: NaiveDate) -> Result<NaiveDate, Problem> {
    if today > open.due_on {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Đã quá 60 ngày làm việc; hãy lập đề nghị mới.",
            "The 60 working days are over; propose the transfer again.",
        ));
    }
    let day = asked.unwrap_or(today);
    if day < today || day > open.due_on {
        let detail = text(
            format!("Từ hôm nay đến {}.", open.due_on.format("%d/%m/%Y")),
            format!("From today to {}.", open.due_on),
        );
        return Err(Problem::fault("/effective_on", "out_of_range", detail));
    }
    Ok(day)
}
