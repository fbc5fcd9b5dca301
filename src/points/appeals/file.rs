//! Filing appeals: a member reports a missing or wrong point; open appeals are limited.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::point_appeals;
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::ids::new_id;
use crate::organisation::memberships::lock_member;

use super::model::{AppealKind, AppealState};
use super::store;

/// Appeals of one member that may wait at a time.
const MOST_OPEN: i64 = 5;

/// An appeal to be filed.
#[derive(Debug, Clone)]
pub struct NewAppeal<'a> {
    pub member_id: Uuid,
    pub kind: AppealKind,
    pub period: Period,
    pub entry_id: Option<Uuid>,
    pub object: Option<&'a str>,
    pub statement: &'a str,
}

/// Writes an appeal.
///
/// # Errors
/// 422 when kind and entry do not fit or the month is to come, 409 when there is an open one about the entry or too many
/// wait, 422 when the member has no such entry in that month.
pub async fn file(conn: &mut Conn, new: &NewAppeal<'_>, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    check(new, Period::containing(day_of(now)))?;
    if let Some(entry_id) = new.entry_id
        && store::month_of_entry(conn, new.member_id, entry_id).await? != Some(new.period)
    {
        let detail = text("Đồng chí không có mục điểm này trong tháng đó.", "You have no such entry in that month.");
        return Err(Problem::fault("/entry_id", "unknown_entry", detail));
    }
    lock_member(conn, new.member_id).await?;
    require_room(conn, new.member_id).await?;
    let id = new_id(now);
    let written = diesel::insert_into(point_appeals::table)
        .values((
            point_appeals::id.eq(id),
            point_appeals::member_id.eq(new.member_id),
            point_appeals::kind.eq(new.kind.as_str()),
            point_appeals::period.eq(new.period.first_day()),
            point_appeals::entry_id.eq(new.entry_id),
            point_appeals::object.eq(new.object),
            point_appeals::statement.eq(new.statement),
            point_appeals::state.eq(AppealState::Open.as_str()),
            point_appeals::filed_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if written == 0 {
        return Err(Problem::with(
            Code::Conflict,
            "Đã có khiếu nại chưa trả lời về mục điểm này.",
            "An appeal about this entry waits for an answer already.",
        ));
    }
    Ok(id)
}

fn check(new: &NewAppeal<'_>, present: Period) -> Result<(), Problem> {
    let mut faults = Vec::new();
    if new.period > present {
        let detail = text("Tháng này chưa đến.", "That month has not come yet.");
        faults.push(Fault { pointer: "/period".to_owned(), code: "too_large", detail });
    }
    let fault = match (new.kind, new.entry_id) {
        (AppealKind::Wrong, None) => Some(("required", text("Nêu mục điểm bị sai.", "Name the entry that is wrong."))),
        (AppealKind::Missing, Some(_)) => {
            Some(("not_allowed", text("Điểm bị thiếu thì chưa có mục điểm.", "What is missing has no entry.")))
        }
        _ => None,
    };
    if let Some((code, detail)) = fault {
        faults.push(Fault { pointer: "/entry_id".to_owned(), code, detail });
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleNotMet, faults)) }
}

async fn require_room(conn: &mut Conn, member_id: Uuid) -> Result<(), Problem> {
    let open: i64 = point_appeals::table
        .filter(point_appeals::member_id.eq(member_id))
        .filter(point_appeals::state.eq(AppealState::Open.as_str()))
        .count()
        .get_result(conn)
        .await?;
    if open < MOST_OPEN {
        return Ok(());
    }
    Err(Problem::with(
        Code::Conflict,
        format!("Đồng chí đang có {MOST_OPEN} khiếu nại chưa được trả lời."),
        format!("{MOST_OPEN} of your appeals wait for an answer already."),
    ))
}
