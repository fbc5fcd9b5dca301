//! What waits for officers in the demo: a list, an adjustment, an excuse, an appeal, a role and a slip.

use chrono::{DateTime, Days, Utc};
use uuid::Uuid;

use crate::identity;
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::access::Role;
use crate::organisation::cell_of;
use crate::organisation::exemptions::{self, Exemption, Proposer};
use crate::organisation::grants::{self, NewGrant};
use crate::points::{self, AppealKind, AttestationKind, NewAdjustment, NewAppeal, NewAttestation, PointChange};

use super::scene::Scene;

/// Places in the first cell: its deputy secretary, members who attended, and one who is ill.
const DEPUTY: usize = 1;
const NEW_COMMITTEE_MEMBER: usize = 4;
const ATTENDED: std::ops::Range<usize> = 3..18;
/// A member who is to be excused.
const EXCUSED: usize = 18;

/// Writes what the deputy secretary of the first cell has recorded and proposed, and what a member says.
pub async fn open_matters(conn: &mut Conn, scene: &Scene, now: DateTime<Utc>) -> Result<(), Problem> {
    let (deputy, member) = (scene.members[DEPUTY].id, scene.account("member"));
    let yesterday = day_of(now) - Days::new(1);
    let Some(cell) = cell_of(conn, deputy, yesterday).await? else {
        return Ok(());
    };
    let attended: Vec<Uuid> = scene.members[ATTENDED].iter().map(|member| member.id).collect();
    let list = NewAttestation {
        unit_id: cell,
        kind: AttestationKind::ThematicMeetingAttended,
        day: yesterday,
        subject: "Sinh hoạt chuyên đề: Trách nhiệm nêu gương của cán bộ, đảng viên",
        note: None,
        member_ids: &attended,
    };
    let Some(officer) = grants::principal(conn, deputy, now).await? else {
        return Ok(());
    };
    points::record_attestation(conn, &list, &officer, None, now).await?;
    let forgotten = NewAdjustment {
        member_id: member,
        change: PointChange::Adjust { period: Period::containing(day_of(now)).previous(), points: 2 },
        reason: "Ý kiến đóng góp được ghi nhận nhưng bỏ sót trong danh sách",
        evidence: "Biên bản sinh hoạt tháng trước, trang 2",
    };
    let correction = points::propose_adjustment(conn, &forgotten, deputy, now).await?;
    points::await_second_officer(conn, correction, cell, &officer, None, now).await?;
    let excuse = Exemption {
        id: new_id(now),
        member_id: scene.members[EXCUSED].id,
        kind: "excused".to_owned(),
        valid_from: day_of(now),
        valid_to: Some(day_of(now) + Days::new(30)),
        reason: "Điều trị tại bệnh viện tỉnh".to_owned(),
        created_at: now,
    };
    exemptions::propose(conn, &excuse, cell, Proposer { officer: &officer, request_id: None }, now).await?;
    let appeal = NewAppeal {
        member_id: member,
        kind: AppealKind::Missing,
        period: Period::containing(yesterday),
        entry_id: None,
        object: Some("Sinh hoạt thường kỳ"),
        statement: "Tôi có dự sinh hoạt thường kỳ nhưng chưa thấy điểm.",
    };
    points::file_appeal(conn, &appeal, now).await?;
    open_decisions(conn, scene, cell, now).await
}

/// A role and an activation slip that wait for a second officer.
async fn open_decisions(conn: &mut Conn, scene: &Scene, cell: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let Some(officer) = grants::principal(conn, scene.account("organisation_officer"), now).await? else {
        return Ok(());
    };
    let role = NewGrant {
        id: new_id(now),
        account_id: scene.members[NEW_COMMITTEE_MEMBER].id,
        role: Role::CellCommitteeMember,
        unit_id: cell,
        valid_from: day_of(now),
        valid_to: None,
        granted_by: officer.account_id,
    };
    grants::propose_role(conn, &role, &officer, None, now).await?;
    identity::ask_slip(conn, (scene.members[DEPUTY].id, cell), &officer, None, now).await?;
    Ok(())
}
