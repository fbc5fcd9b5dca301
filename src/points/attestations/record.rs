//! Recording lists of officers, checked against the cell's members of that day.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{attestation_members, attestations};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::ids::new_id;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;

use super::decide;
use super::model::{AttestationKind, AttestationState, is_recent};
use super::store;

/// Lists of one cell that may wait at a time; more are a sign of something wrong.
const MOST_WAITING: i64 = 50;

/// What an officer vouches for.
#[derive(Debug, Clone)]
pub struct NewAttestation<'a> {
    /// The cell.
    pub unit_id: Uuid,
    pub kind: AttestationKind,
    /// The day on which it happened.
    pub day: NaiveDate,
    pub subject: &'a str,
    pub note: Option<&'a str>,
    pub member_ids: &'a [Uuid],
}

/// Records a list, which earns nothing until a second officer confirms it.
///
/// # Errors
/// 422 for a day too old or to come and for members named twice, 403 when the recorder is on a list of opinions or of
/// assisted study, 404 when there is no such unit, 409 when the month's regular meeting was another day or too many lists
/// wait, 422 for a unit that is no cell and for members who did not belong to it that day.
pub async fn record(
    conn: &mut Conn,
    new: &NewAttestation<'_>,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    check(new, by.account_id, day_of(now))?;
    units::require_cell(conn, new.unit_id).await?;
    require_unit(conn, new).await?;
    // Serialises recording, so that two concurrent lists see each other.
    units::lock(conn, new.unit_id).await?;
    require_members(conn, new).await?;
    require_room(conn, new).await?;
    let id = new_id(now);
    diesel::insert_into(attestations::table)
        .values((
            attestations::id.eq(id),
            attestations::unit_id.eq(new.unit_id),
            attestations::kind.eq(new.kind.as_str()),
            attestations::day.eq(new.day),
            attestations::subject.eq(new.subject),
            attestations::note.eq(new.note),
            attestations::state.eq(AttestationState::Recorded.as_str()),
            attestations::recorded_by.eq(by.account_id),
            attestations::recorded_at.eq(now),
        ))
        .execute(conn)
        .await?;
    let rows: Vec<_> = new
        .member_ids
        .iter()
        .map(|member| (attestation_members::attestation_id.eq(id), attestation_members::member_id.eq(*member)))
        .collect();
    diesel::insert_into(attestation_members::table).values(rows).execute(conn).await?;
    decide::propose(conn, id, new, by, request_id, now).await?;
    Ok(id)
}

fn check(new: &NewAttestation<'_>, by: Uuid, today: NaiveDate) -> Result<(), Problem> {
    if !new.kind.may_list_the_recorder() && new.member_ids.contains(&by) {
        return Err(Problem::with(
            Code::OwnInterest,
            "Người ghi nhận không được có tên trong danh sách loại này.",
            "The recorder cannot be on a list of this kind.",
        ));
    }
    let mut faults = Vec::new();
    if !is_recent(new.day, today) {
        let detail = text(
            "Chỉ ghi nhận ngày đã qua của tháng này hoặc tháng trước.",
            "A day that has come, of this month or the one before.",
        );
        faults.push(Fault { pointer: "/day".to_owned(), code: "out_of_range", detail });
    }
    for (place, member) in new.member_ids.iter().enumerate() {
        if new.member_ids[..place].contains(member) {
            let detail = text("Đảng viên bị nêu hai lần.", "The member is named twice.");
            faults.push(Fault { pointer: format!("/member_ids/{place}"), code: "repeated", detail });
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleNotMet, faults)) }
}

/// The cell existed on that day.
async fn require_unit(conn: &mut Conn, new: &NewAttestation<'_>) -> Result<(), Problem> {
    let first = units::first_day(conn, new.unit_id).await?;
    if new.day >= first {
        return Ok(());
    }
    let detail =
        text(format!("Chi bộ có từ ngày {}.", first.format("%d/%m/%Y")), format!("The cell exists since {first}."));
    Err(Problem::fault("/day", "before_unit", detail))
}

/// Requires that all members belonged to the cell that day. Unknown ids get the same answer.
async fn require_members(conn: &mut Conn, new: &NewAttestation<'_>) -> Result<(), Problem> {
    let strangers = store::strangers(conn, new.unit_id, new.day, new.member_ids).await?;
    if strangers.is_empty() {
        return Ok(());
    }
    let fault = |place: i64| Fault {
        pointer: format!("/member_ids/{place}"),
        code: "not_in_cell",
        detail: text("Không phải đảng viên của chi bộ vào ngày đó.", "Not a member of the cell on that day."),
    };
    Err(Problem::faults(Code::RuleNotMet, strangers.into_iter().map(fault).collect()))
}

async fn require_room(conn: &mut Conn, new: &NewAttestation<'_>) -> Result<(), Problem> {
    if new.kind == AttestationKind::MeetingAttended
        && let Some(other) = store::other_regular_day(conn, new.unit_id, new.day).await?
    {
        return Err(Problem::with(
            Code::Conflict,
            format!("Sinh hoạt thường kỳ của tháng đã được ghi nhận vào ngày {}.", other.format("%d/%m/%Y")),
            format!("The month's regular meeting was recorded for {other}; add those who were left out for that day."),
        ));
    }
    if store::waiting(conn, new.unit_id).await? >= MOST_WAITING {
        return Err(Problem::with(
            Code::Conflict,
            format!("Đã có {MOST_WAITING} danh sách chờ xác nhận."),
            format!("{MOST_WAITING} lists wait for confirmation already."),
        ));
    }
    Ok(())
}
