//! Publication and end of rule changes: never backdated, never during a day.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{point_rule_changes, point_rules};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::organisation::units;

use super::change::{ChangeRow, RuleChangeIn, RuleScope};
use super::check::{check, tomorrow};
use super::in_force::rules_for;
use super::store;

/// Checks a change by the unit with this path against what holds on its first day.
///
/// # Errors
/// As [`check`]; 403 when another unit is at the top of the system.
pub async fn require_allowed(
    conn: &mut Conn,
    path: &[Uuid],
    change: &RuleChangeIn,
    today: NaiveDate,
) -> Result<(), Problem> {
    let superior = match change.scope {
        RuleScope::Unit => rules_for(conn, path.get(1..).unwrap_or_default(), change.valid_from).await?,
        RuleScope::System => {
            let unit_id = path.first().copied().unwrap_or_default();
            if !units::is_top(conn, unit_id, today).await? {
                return Err(Problem::with(
                    Code::Forbidden,
                    "Chỉ cấp cao nhất của toàn hệ thống được sửa quy tắc chung.",
                    "Only the unit at the top of the whole system changes its rules.",
                ));
            }
            // The last version, ended or not: a rule that has ended may begin again.
            let last = point_rules::table
                .filter(point_rules::code.eq(&change.rule))
                .order(point_rules::version.desc())
                .select(point_rules::valid_from)
                .first(conn)
                .await
                .optional()?;
            rules_for(conn, &[], last.unwrap_or(change.valid_from)).await?
        }
    };
    check(change, &superior, today)
}

/// Publishes a locked draft by the unit with this path.
///
/// # Errors
/// As [`require_allowed`]; 409 when a later change of the same rule is published already.
pub async fn publish(
    conn: &mut Conn,
    row: &ChangeRow,
    path: &[Uuid],
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let change = row.content();
    // Serialises publications of one unit's limits.
    units::lock(conn, row.unit_id).await?;
    require_allowed(conn, path, &change, day_of(now)).await?;
    let rule_version = match change.scope {
        RuleScope::Unit => {
            follow_limits(conn, row).await?;
            None
        }
        RuleScope::System => Some(add_version(conn, &change).await?),
    };
    store::mark_published(conn, row.id, rule_version, by, now).await
}

fn later_one(from: NaiveDate) -> Problem {
    Problem::with(
        Code::Conflict,
        format!("Đã ban hành một thay đổi khác của quy tắc này từ ngày {from}."),
        format!("Another change of this rule is published from {from} on."),
    )
}

/// Whether a stretch of days has any, and ends after a day.
fn reaches(valid_from: NaiveDate, valid_to: Option<NaiveDate>, day: NaiveDate) -> bool {
    valid_to.is_none_or(|to| to > day && to > valid_from)
}

/// Ends the limit that held before on the first day of the new one.
async fn follow_limits(conn: &mut Conn, new: &ChangeRow) -> Result<(), Problem> {
    for old in store::published_limits(conn, new.unit_id, &new.rule_code).await? {
        if !reaches(old.valid_from, old.valid_to, new.valid_from) {
            continue;
        }
        if old.valid_from < new.valid_from {
            store::end(conn, old.id, new.valid_from).await?;
        } else if new.valid_to.is_none_or(|to| old.valid_from < to) {
            return Err(later_one(old.valid_from));
        }
    }
    Ok(())
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = point_rules)]
struct Version {
    code: String,
    version: i32,
    event: String,
    points: i32,
    tiers: Option<serde_json::Value>,
    cap_day: Option<i32>,
    cap_month: Option<i32>,
    self_service: bool,
    audience: String,
    attested_by: String,
    title_vi: String,
    title_en: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

/// Adds the next version of a rule; the one before ends on its first day. Returns its number.
async fn add_version(conn: &mut Conn, change: &RuleChangeIn) -> Result<i32, Problem> {
    let versions: Vec<Version> = point_rules::table
        .filter(point_rules::code.eq(&change.rule))
        .order(point_rules::version)
        .select(Version::as_select())
        .for_update()
        .load(conn)
        .await?;
    for old in &versions {
        if !reaches(old.valid_from, old.valid_to, change.valid_from) {
            continue;
        }
        if old.valid_from < change.valid_from {
            end_version(conn, &old.code, old.version, change.valid_from).await?;
        } else if change.valid_to.is_none_or(|to| old.valid_from < to) {
            return Err(later_one(old.valid_from));
        }
    }
    let last = versions.into_iter().next_back().ok_or_else(Problem::not_found)?;
    let version = last.version + 1;
    let tiers = change.tiers.as_ref().map(serde_json::to_value).transpose().map_err(Problem::internal)?;
    let new = Version {
        version,
        points: change.points.unwrap_or(last.points),
        tiers: tiers.or(last.tiers),
        cap_day: change.cap_day,
        cap_month: change.cap_month,
        title_vi: change.title_vi.clone().unwrap_or(last.title_vi),
        title_en: change.title_en.clone().unwrap_or(last.title_en),
        valid_from: change.valid_from,
        valid_to: change.valid_to,
        ..last
    };
    diesel::insert_into(point_rules::table).values(new).execute(conn).await?;
    Ok(version)
}

/// Ends a version of a rule, and the change that made it if one did.
async fn end_version(conn: &mut Conn, code: &str, version: i32, on: NaiveDate) -> Result<(), Problem> {
    diesel::update(point_rules::table.find((code, version))).set(point_rules::valid_to.eq(on)).execute(conn).await?;
    let made_by = point_rule_changes::table
        .filter(point_rule_changes::rule_code.eq(code))
        .filter(point_rule_changes::rule_version.eq(version));
    diesel::update(made_by).set(point_rule_changes::valid_to.eq(on)).execute(conn).await?;
    Ok(())
}

/// Ends a published change on a day to come, the first on which it holds no more.
///
/// # Errors
/// 422 for a day that is not to come or not before its end, 409 for a draft.
pub async fn end(conn: &mut Conn, row: &ChangeRow, on: NaiveDate, today: NaiveDate) -> Result<(), Problem> {
    if row.state == "draft" {
        return Err(Problem::with(
            Code::Conflict,
            "Bản dự thảo thì xóa, không kết thúc.",
            "A draft is deleted, not ended.",
        ));
    }
    // A version of the system holds for a day at least: entries may name it.
    let first = match row.rule_version {
        Some(_) => tomorrow(row.valid_from).max(tomorrow(today)),
        None => row.valid_from.max(tomorrow(today)),
    };
    if on < first {
        let detail = text(format!("Sớm nhất là ngày {first}."), format!("{first} at the earliest."));
        return Err(Problem::fault("/valid_to", "too_small", detail));
    }
    if row.valid_to.is_some_and(|to| to <= on) {
        let detail = text("Chỉ kết thúc được sớm hơn.", "It can be ended earlier only.");
        return Err(Problem::fault("/valid_to", "too_large", detail));
    }
    match row.rule_version {
        Some(version) => end_version(conn, &row.rule_code, version, on).await,
        None => store::end(conn, row.id, on).await,
    }
}
