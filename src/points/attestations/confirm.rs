//! Confirmation: a second officer turns a list into awards, in one transaction.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::points::engine::{self, AwardRequest};
use crate::points::model;
use crate::points::model::{Deed, Refusal};

use super::model::{AttestationKind, AttestationState, is_recent};
use super::store::{self, AttestationDecision, AttestationOutcome, ListedAttestation, OpenAttestation};

/// A list of a month that is over can still be confirmed for so long after it was recorded.
const DAYS_TO_CONFIRM: i64 = 30;

/// Awards the members of a list that a second officer confirmed. Returns the sum of the points.
///
/// # Errors
/// 409 when it was decided, 422 when it waited for too long.
pub async fn award(conn: &mut Conn, id: Uuid, by: Uuid, now: DateTime<Utc>) -> Result<i32, Problem> {
    let open = store::lock(conn, id).await?;
    let listed = store::listed(conn, &open).await?;
    store::require_recorded(&open)?;
    let kind = AttestationKind::parse(&open.kind).ok_or_else(|| Problem::internal("unknown kind of attestation"))?;
    let in_time = now - open.recorded_at <= TimeDelta::days(DAYS_TO_CONFIRM);
    if !in_time && !is_recent(open.day, day_of(now)) {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Danh sách đã quá hạn xác nhận; hãy đề nghị điều chỉnh điểm.",
            "The list has waited for too long; propose adjustments instead.",
        ));
    }
    let outcomes = award_all(conn, &open, kind, &listed, now).await?;
    store::write_outcomes(conn, id, &outcomes).await?;
    let decision = AttestationDecision { state: AttestationState::Confirmed, by: Some(by), reason: None };
    store::decide(conn, id, &decision, now).await?;
    Ok(outcomes.iter().map(|outcome| outcome.points).sum())
}

/// Awards all members who belonged to the cell that day.
async fn award_all(
    conn: &mut Conn,
    open: &OpenAttestation,
    kind: AttestationKind,
    listed: &[ListedAttestation],
    now: DateTime<Utc>,
) -> Result<Vec<AttestationOutcome>, Problem> {
    let deed = Deed {
        event: kind.event(),
        object_kind: kind.object_kind(),
        object_id: kind.object_id(open.unit_id, open.day, &open.subject),
        attested_by: Some(open.recorded_by),
        on: Some(open.day),
        ..Deed::default()
    };
    let before = store::thematic_objects(conn, open, listed).await?;
    let present = listed.iter().filter(|member| member.belongs);
    let wants: Vec<AwardRequest> = present
        .map(|ListedAttestation { member_id, .. }| {
            let mut deed = deed.clone();
            if let Some(object) = before.get(member_id) {
                deed.object_id.clone_from(object);
            }
            AwardRequest { member_id: *member_id, deed, now }
        })
        .collect();
    let mut awards = engine::award_all(conn, &wants).await?.into_iter();
    let mut outcomes = Vec::with_capacity(listed.len());
    for member in listed {
        outcomes.push(match member.belongs.then(|| awards.next()).flatten() {
            Some(award) => given(member.member_id, award?),
            None => gone(member.member_id, kind),
        });
    }
    Ok(outcomes)
}

fn given(member_id: Uuid, award: model::Award) -> AttestationOutcome {
    AttestationOutcome {
        member_id,
        points: award.points_awarded,
        entries: award.entries.iter().map(|entry| entry.id).collect(),
        refusals: award.refusals,
    }
}

/// The outcome for a member transferred between the list and its confirmation: the day counts for the other cell.
fn gone(member_id: Uuid, kind: AttestationKind) -> AttestationOutcome {
    let detail =
        text("Không còn là đảng viên của chi bộ vào ngày đó.", "Not a member of the cell on that day any more.");
    let refusal = Refusal {
        rule: kind.as_str().to_owned(),
        reason: "not_in_cell".to_owned(),
        detail: detail.vi.into_owned(),
        detail_en: detail.en.into_owned(),
    };
    AttestationOutcome { member_id, points: 0, entries: Vec::new(), refusals: vec![refusal] }
}
