//! Recording that a document was read together; it earns nothing until a second officer confirms it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::documents::store::{DocumentRow, PUBLISHED, get, reaches_unit};
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::ids::new_id;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, NewDecision};
use crate::organisation::units;

use super::decide::ASSISTED_READING;
use super::store;

/// Lists of one cell that may wait at a time; more are a sign of something wrong.
const MOST_WAITING: i64 = 50;

/// What the helper vouches for: what the second officer sees, and what the confirmation carries out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssistedReading {
    pub document_id: Uuid,
    pub symbol: String,
    pub title: String,
    /// The version that was read.
    pub version: i32,
    pub day: NaiveDate,
    pub member_ids: Vec<Uuid>,
}

/// A list to be recorded.
pub struct NewAssistedReading<'a> {
    /// The cell.
    pub unit_id: Uuid,
    pub document_id: Uuid,
    /// The day on which it was read.
    pub day: NaiveDate,
    pub member_ids: &'a [Uuid],
    pub note: &'a str,
}

/// Records a list and asks for a second officer. Returns the decision's id.
///
/// # Errors
/// 400 for a day too old or to come and for members named twice, 403 when the recorder is on the list, 409 when too many lists wait,
/// 422 for a unit that is no cell, for a document that did not reach it by that day, and for members who did not belong to it or have
/// a device.
pub async fn record(
    conn: &mut Conn,
    new: &NewAssistedReading<'_>,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    check(new, by.account_id, day_of(now))?;
    units::require_cell(conn, new.unit_id).await?;
    // Serialises recording, so that concurrent lists are counted.
    units::lock(conn, new.unit_id).await?;
    let document = readable(conn, new, now).await?;
    require_members(conn, new).await?;
    if store::waiting(conn, new.unit_id, now).await? >= MOST_WAITING {
        return Err(Problem::with(
            Code::Conflict,
            format!("Đã có {MOST_WAITING} danh sách chờ xác nhận."),
            format!("{MOST_WAITING} lists wait for confirmation already."),
        ));
    }
    let reading = AssistedReading {
        document_id: document.id,
        symbol: document.symbol,
        title: document.title,
        version: document.version,
        day: new.day,
        member_ids: new.member_ids.to_vec(),
    };
    let proposal = NewDecision {
        kind: &ASSISTED_READING,
        object_id: new_id(now),
        unit_id: new.unit_id,
        subject_id: None,
        at_stake: new.member_ids.to_vec(),
        reason: new.note,
        payload: serde_json::to_value(reading).map_err(Problem::internal)?,
    };
    decisions::propose(conn, proposal, by, request_id, now).await
}

fn check(new: &NewAssistedReading<'_>, by: Uuid, today: NaiveDate) -> Result<(), Problem> {
    if new.member_ids.contains(&by) {
        return Err(Problem::with(
            Code::OwnInterest,
            "Người ghi nhận không được có tên trong danh sách.",
            "The recorder cannot be on the list.",
        ));
    }
    let mut faults = Vec::new();
    if new.day > today || new.day < Period::containing(today).previous().first_day() {
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
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::InvalidRequest, faults)) }
}

/// The document, which the members of the cell could read on that day. What the recorder may not know gets the same answer as what
/// is not there.
async fn readable(conn: &mut Conn, new: &NewAssistedReading<'_>, now: DateTime<Utc>) -> Result<DocumentRow, Problem> {
    let path = units::path(conn, new.unit_id, day_of(now)).await?;
    let found = match get(conn, new.document_id).await {
        Err(problem) if problem.code == Code::NotFound => None,
        found => Some(found?),
    };
    if let Some(row) = found.filter(|row| row.state == PUBLISHED)
        && row.published_at.is_some_and(|at| day_of(at) <= new.day)
        && reaches_unit(conn, row.id, &path, day_of(now)).await?
    {
        return Ok(row);
    }
    let detail = text(
        "Ngày đó chi bộ chưa có tài liệu này, hoặc tài liệu không còn hiệu lực.",
        "The cell did not have this document on that day, or it is in force no longer.",
    );
    let fault = Fault { pointer: "/document_id".to_owned(), code: "unknown", detail };
    Err(Problem::faults(Code::RuleNotMet, vec![fault]))
}

/// All members belonged to the cell that day and have no device. Unknown ids get the same answer.
async fn require_members(conn: &mut Conn, new: &NewAssistedReading<'_>) -> Result<(), Problem> {
    let listed = store::listed(conn, (new.unit_id, new.day), new.member_ids).await?;
    let fault = |(place, member): (usize, &store::ListedReader)| {
        let (code, detail) = match (member.belongs, member.without_device) {
            (true, true) => return None,
            (true, false) => (
                "has_device",
                text("Đảng viên tự đọc trên thiết bị của mình.", "The member reads on their own device."),
            ),
            (false, _) => (
                "not_in_cell",
                text("Không phải đảng viên của chi bộ vào ngày đó.", "Not a member of the cell on that day."),
            ),
        };
        Some(Fault { pointer: format!("/member_ids/{place}"), code, detail })
    };
    let faults: Vec<Fault> = listed.iter().enumerate().filter_map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleNotMet, faults)) }
}
