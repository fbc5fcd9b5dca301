//! Queries of adjustments on the ledger and on the member's month.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{member_months, point_entries, sessions};
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::points::model::EntryKind;

use super::model::{AdjustmentUnit, MonthNow, Posting};

/// An entry that may be taken back.
#[derive(Debug, Clone, Queryable)]
pub struct EntryFacts {
    pub kind: String,
    pub points: i32,
    pub period: NaiveDate,
    pub day: NaiveDate,
    pub unit_id: Uuid,
}

/// An entry of a member.
pub async fn entry(conn: &mut Conn, member_id: Uuid, entry_id: Uuid) -> Result<Option<EntryFacts>, Problem> {
    Ok(point_entries::table
        .filter(point_entries::member_id.eq(member_id))
        .filter(point_entries::id.eq(entry_id))
        .select((
            point_entries::kind,
            point_entries::points,
            point_entries::period,
            point_entries::day,
            point_entries::unit_id,
        ))
        .first(conn)
        .await
        .optional()?)
}

/// Locks a member's month, making the row when there is none. Comes before any other lock of the member.
pub async fn lock_month(conn: &mut Conn, member_id: Uuid, period: Period) -> Result<MonthNow, Problem> {
    diesel::insert_into(member_months::table)
        .values((member_months::member_id.eq(member_id), member_months::period.eq(period.first_day())))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    let (points, closed_at): (i32, Option<DateTime<Utc>>) = member_months::table
        .find((member_id, period.first_day()))
        .select((member_months::points, member_months::closed_at))
        .for_update()
        .first(conn)
        .await?;
    Ok(MonthNow { points, closed: closed_at.is_some() })
}

/// Whose entry it is, for which month, and by whose decision.
pub struct Author {
    pub member_id: Uuid,
    pub period: Period,
    pub decision_id: Uuid,
    pub approved_by: Uuid,
}

/// Appends the entry and adds its points to the locked month; counters and caps stay as they are. False when the ledger has
/// it already.
pub async fn post(
    conn: &mut Conn,
    id: Uuid,
    posting: &Posting,
    author: &Author,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let AdjustmentUnit { unit_id, day } = posting.place;
    let written = diesel::insert_into(point_entries::table)
        .values((
            point_entries::member_id.eq(author.member_id),
            point_entries::id.eq(id),
            point_entries::kind.eq(posting.kind.as_str()),
            point_entries::rule_code.eq(posting.rule_code),
            point_entries::rule_version.eq(1),
            point_entries::object_kind.eq(posting.object_kind),
            point_entries::object_id.eq(&posting.object_id),
            point_entries::points.eq(posting.points),
            point_entries::period.eq(author.period.first_day()),
            point_entries::day.eq(day),
            point_entries::occurred_at.eq(now),
            point_entries::unit_id.eq(unit_id),
            point_entries::attested_by.eq(author.approved_by),
            point_entries::reverses.eq(posting.reverses),
            point_entries::late.eq(posting.late),
            point_entries::decision_id.eq(author.decision_id),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if written == 0 {
        return Ok(false);
    }
    diesel::update(member_months::table.find((author.member_id, author.period.first_day())))
        .set(member_months::points.eq(member_months::points + posting.points))
        .execute(conn)
        .await?;
    if matches!(posting.kind, EntryKind::Reversal) {
        tell_apps(conn, id, posting, author, now).await?;
    }
    Ok(true)
}

/// Writes the event of a reversal when the member allowed an app something.
async fn tell_apps(
    conn: &mut Conn,
    id: Uuid,
    posting: &Posting,
    author: &Author,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let allowed = sessions::table
        .filter(sessions::account_id.eq(author.member_id))
        .filter(sessions::client_id.is_not_null())
        .filter(sessions::revoked_at.is_null());
    if !diesel::select(exists(allowed)).get_result::<bool>(conn).await? {
        return Ok(());
    }
    let payload = json!({"entry_id": id, "member_id": author.member_id, "unit_id": posting.place.unit_id,
        "period": author.period, "points": posting.points, "rule": posting.rule_code});
    outbox::emit(conn, "points.reversed", payload, now).await
}
