//! Answering appeals: an uninvolved officer decides with a reason; the member is notified.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::point_appeals;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::outbox;
use crate::points::officers::require_other;

use super::model::AppealOutcome;
use super::store::{self, OpenAppeal};

/// An officer's answer.
pub struct AppealAnswer<'a> {
    pub outcome: AppealOutcome,
    pub reason: &'a str,
    /// The proposal of an adjustment that follows from it.
    pub adjustment_id: Option<Uuid>,
}

/// Answers an appeal.
///
/// # Errors
/// 403 for the member and for officers who vouched for the entry, 409 when it was answered, 422 for an adjustment that
/// does not belong to it.
pub async fn answer(
    conn: &mut Conn,
    id: Uuid,
    answer: &AppealAnswer<'_>,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<OpenAppeal, Problem> {
    let open = store::lock_open(conn, id).await?;
    require_other(open.member_id, by)?;
    if let Some(entry_id) = open.entry_id
        && store::vouchers(conn, open.member_id, entry_id).await?.contains(&by)
    {
        return Err(Problem::with(
            Code::OwnInterest,
            "Người đã xác nhận mục điểm này không trả lời khiếu nại về nó.",
            "An officer who vouched for the entry cannot answer an appeal about it.",
        ));
    }
    require_fitting(conn, open.member_id, answer).await?;
    diesel::update(point_appeals::table.find(id))
        .set((
            point_appeals::state.eq(answer.outcome.state().as_str()),
            point_appeals::answered_by.eq(by),
            point_appeals::answered_at.eq(now),
            point_appeals::answer.eq(answer.reason),
            point_appeals::adjustment_id.eq(answer.adjustment_id),
        ))
        .execute(conn)
        .await?;
    let kind = match answer.outcome {
        AppealOutcome::Upheld => "appeal_upheld",
        AppealOutcome::Dismissed => "appeal_dismissed",
    };
    outbox::tell(conn, kind, &[open.member_id], &json!({"reason": answer.reason}), now).await?;
    Ok(open)
}

/// An adjustment follows from an appeal that is upheld, and is one of the same member.
async fn require_fitting(conn: &mut Conn, member_id: Uuid, answer: &AppealAnswer<'_>) -> Result<(), Problem> {
    let Some(adjustment_id) = answer.adjustment_id else {
        return Ok(());
    };
    if answer.outcome == AppealOutcome::Dismissed {
        let detail = text("Chỉ kèm khi chấp nhận khiếu nại.", "Only an upheld appeal can name an adjustment.");
        return Err(Problem::fault("/adjustment_id", "not_allowed", detail));
    }
    if !store::has_adjustment(conn, member_id, adjustment_id).await? {
        let detail = text("Không có đề nghị điều chỉnh này cho đảng viên.", "The member has no such proposal.");
        return Err(Problem::fault("/adjustment_id", "unknown_adjustment", detail));
    }
    Ok(())
}
