//! Commits what the rules decide: ledger, counters and total in the caller's transaction.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::ids::new_id;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::schema::point_offers;

use super::Offer;
use super::model::{Award, Deed, Entry, MonthBrief, ObjectRef, Refusal, Status};
use super::rules::{self, Facts, Outcome, Reason, Rule};
use super::store::{self, MemberFacts, Month, NewEntry, Parameters};

/// See [`super::award`].
pub async fn award(conn: &mut Conn, member_id: Uuid, deed: &Deed, now: DateTime<Utc>) -> Result<Award, Problem> {
    let day = day_of(now);
    let period = Period::containing(day);
    let mut month = store::lock_month(conn, member_id, period).await?;
    let facts = store::member_facts(conn, member_id, day, period).await?.ok_or_else(no_cell)?;
    let parameters = store::parameters(conn, &facts.path, day).await?;
    let rules = store::rules(conn, day).await?;
    let credited = store::credited(conn, member_id, &deed.object_id).await?;
    let known = Facts {
        event: deed.event,
        percent: deed.percent,
        day,
        without_device: facts.without_device,
        self_service_cap: parameters.self_service_cap,
        credited: &credited,
    };
    let before = month.counters.clone();
    let decided = rules::decide(&rules, &known, &mut month.counters);
    let (new, mut refusals) = split(&decided, deed, member_id, &facts, now);
    let entries = if new.is_empty() {
        Vec::new()
    } else {
        write(conn, &rules, new, before, &mut month, &mut refusals, period).await?
    };
    let status = standing(conn, member_id, &facts, &parameters, &rules, &month, period, now).await?;
    Ok(Award { points_awarded: entries.iter().map(|entry| entry.points).sum(), entries, refusals, month: status })
}

fn no_cell() -> Problem {
    Problem::with(Code::Forbidden, "Đảng viên hiện không thuộc chi bộ nào.", "The member belongs to no cell.")
}

/// Sorts what was decided into rows for the ledger and refusals.
pub fn split(
    decided: &[(&Rule, Outcome)],
    deed: &Deed,
    member_id: Uuid,
    facts: &MemberFacts,
    now: DateTime<Utc>,
) -> (Vec<NewEntry>, Vec<Refusal>) {
    let (mut new, mut refusals) = (Vec::new(), Vec::new());
    for (rule, outcome) in decided {
        match outcome {
            Outcome::Refused(reason) => refusals.push(refusal(&rule.code, *reason)),
            Outcome::Points(points) => new.push(NewEntry {
                member_id,
                id: new_id(now),
                kind: "award",
                rule_code: rule.code.clone(),
                rule_version: rule.version,
                object_kind: deed.object_kind.to_owned(),
                object_id: deed.object_id.clone(),
                points: *points,
                period: Period::containing(day_of(now)).first_day(),
                day: day_of(now),
                occurred_at: now,
                unit_id: facts.path.as_slice().first().copied().unwrap_or_default(),
                attested_by: deed.attested_by,
            }),
        }
    }
    (new, refusals)
}

fn refusal(rule: &str, reason: Reason) -> Refusal {
    let detail = reason.detail();
    Refusal {
        rule: rule.to_owned(),
        reason: reason.code().to_owned(),
        detail: detail.vi.into_owned(),
        detail_en: detail.en.into_owned(),
    }
}

/// Appends the entries; what the ledger itself refuses (credited in another month at the same instant) counts nowhere.
async fn write(
    conn: &mut Conn,
    rules: &[Rule],
    new: Vec<NewEntry>,
    before: rules::Counters,
    month: &mut Month,
    refusals: &mut Vec<Refusal>,
    period: Period,
) -> Result<Vec<Entry>, Problem> {
    let written: BTreeSet<Uuid> = store::append(conn, &new).await?;
    month.counters = before;
    let mut entries = Vec::new();
    let member_id = new[0].member_id;
    for entry in new {
        let Some(rule) = rules.iter().find(|rule| rule.code == entry.rule_code) else {
            continue;
        };
        if !written.contains(&entry.id) {
            refusals.push(refusal(&entry.rule_code, Reason::AlreadyCredited));
            continue;
        }
        month.counters.add(rule, entry.day, entry.points);
        month.points += entry.points;
        entries.push(shown(entry, period));
    }
    store::write_month(conn, member_id, period, month).await?;
    Ok(entries)
}

fn shown(entry: NewEntry, period: Period) -> Entry {
    Entry {
        id: entry.id,
        rule: entry.rule_code,
        rule_version: entry.rule_version,
        points: entry.points,
        period,
        occurred_at: entry.occurred_at,
        object: ObjectRef { kind: entry.object_kind, id: entry.object_id },
        kind: entry.kind.to_owned(),
        late: false,
        reverses: None,
        reversed_by: None,
        reason: None,
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "all of it is already loaded; a second read would cost the award a round trip each"
)]
async fn standing(
    conn: &mut Conn,
    member_id: Uuid,
    facts: &MemberFacts,
    parameters: &Parameters,
    rules: &[Rule],
    month: &Month,
    period: Period,
    now: DateTime<Utc>,
) -> Result<MonthBrief, Problem> {
    let (threshold, _) = rules::threshold(parameters.threshold, parameters.prorate, facts.entered, period);
    let status = match facts.exemption.as_deref() {
        Some("exempt") => Status::Exempt,
        Some(_) => Status::Excused,
        None if month.points >= threshold => Status::Met,
        None => {
            let today = day_of(now);
            let open = store::count_by_rule(&store::open_offers(conn, member_id, &facts.path, today).await?);
            let more = rules::attainable(
                rules,
                &month.counters,
                &open,
                today,
                period,
                facts.without_device,
                parameters.self_service_cap,
            );
            rules::status(month.points, threshold, more, false)
        }
    };
    Ok(MonthBrief { period, points: month.points, threshold, status })
}

/// See [`super::lock_month`].
pub async fn lock_month(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    store::lock_month(conn, member_id, Period::containing(day_of(now))).await.map(|_| ())
}

/// See [`super::offer`].
pub async fn offer(conn: &mut Conn, offer: &Offer, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::insert_into(point_offers::table)
        .values((
            point_offers::rule_code.eq(offer.rule),
            point_offers::object_kind.eq(offer.object_kind),
            point_offers::object_id.eq(&offer.object_id),
            point_offers::unit_id.eq(offer.unit_id),
            point_offers::title.eq(&offer.title),
            point_offers::valid_from.eq(day_of(now)),
        ))
        .on_conflict((point_offers::rule_code, point_offers::object_id, point_offers::unit_id))
        .do_update()
        .set(point_offers::title.eq(&offer.title))
        .execute(conn)
        .await?;
    Ok(())
}

/// See [`super::withdraw_offers`].
pub async fn withdraw_offers(conn: &mut Conn, object_kind: &str, object_id: &str) -> Result<(), Problem> {
    diesel::delete(
        point_offers::table
            .filter(point_offers::object_kind.eq(object_kind))
            .filter(point_offers::object_id.eq(object_id)),
    )
    .execute(conn)
    .await?;
    Ok(())
}
