//! Commits what the rules decide: ledger, counters and totals of many members at a time, in the caller's transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::ids::new_id;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::schema::point_offers;

use super::Offer;
use super::in_force::{self, InForce, Place};
use super::model::{Award, Deed, Entry, MonthBrief, ObjectRef, Refusal, Status};
use super::rules::{self, Facts, Outcome, Reason};
use super::states::{self, Credits, Held, MemberFacts, Month, MonthKey, NewEntry, State};

/// A deed to be rewarded, and when the server accepted it.
#[derive(Debug, Clone)]
pub struct Want {
    pub member_id: Uuid,
    pub deed: Deed,
    pub now: DateTime<Utc>,
}

impl Want {
    /// The day it counts for.
    fn day(&self) -> NaiveDate {
        self.deed.on.unwrap_or_else(|| day_of(self.now))
    }

    fn period(&self) -> Period {
        Period::containing(self.day())
    }

    /// The month that must be locked for it.
    pub fn month(&self) -> MonthKey {
        (self.member_id, self.period().first_day())
    }
}

/// See [`super::award`].
pub async fn award(conn: &mut Conn, member_id: Uuid, deed: &Deed, now: DateTime<Utc>) -> Result<Award, Problem> {
    let want = Want { member_id, deed: deed.clone(), now };
    let mut awards = award_all(conn, &[want]).await?;
    awards.pop().unwrap_or_else(|| Err(Problem::internal("no award for a deed")))
}

/// See [`super::award_all`].
pub async fn award_all(conn: &mut Conn, wants: &[Want]) -> Result<Vec<Result<Award, Problem>>, Problem> {
    states::lock(conn, &wants.iter().map(Want::month).collect(), Held::Wait).await?;
    award_locked(conn, wants).await
}

/// What a batch knows when it decides.
struct Known {
    months: HashMap<MonthKey, Month>,
    in_force: HashMap<Place, Arc<InForce>>,
    credits: Credits,
}

/// Decides and writes deeds whose months are locked. One that cannot be rewarded has a problem of its own.
pub async fn award_locked(conn: &mut Conn, wants: &[Want]) -> Result<Vec<Result<Award, Problem>>, Problem> {
    let wanted: Vec<(Uuid, NaiveDate)> = wants.iter().map(|want| (want.member_id, want.day())).collect();
    let (states, version) = states::read(conn, &wanted).await?;
    let mut known = know(conn, wants, &states, version).await?;
    let mut entries = Vec::new();
    let mut changed = BTreeSet::new();
    let mut awards = Vec::with_capacity(wants.len());
    for (want, state) in wants.iter().zip(&states) {
        let award = state.facts.as_ref().ok_or_else(no_cell).and_then(|facts| decide(want, facts, &mut known));
        if let Ok((_, new)) = &award
            && !new.is_empty()
        {
            changed.insert(want.month());
        }
        awards.push(award.map(|(award, new)| {
            entries.extend(new);
            award
        }));
    }
    if !entries.is_empty() {
        let months = changed.iter().filter_map(|key| Some((*key, known.months.get(key)?))).collect();
        states::write(conn, entries, &months).await?;
    }
    Ok(awards)
}

async fn know(conn: &mut Conn, wants: &[Want], states: &[State], version: i64) -> Result<Known, Problem> {
    let mut places = BTreeSet::new();
    let mut months = HashMap::new();
    for (want, state) in wants.iter().zip(states) {
        if let Some(facts) = &state.facts {
            places.insert((facts.cell, want.day()));
        }
        months.insert(want.month(), state.month.clone());
    }
    let in_force = in_force::find(conn, &places, version).await?;
    let mut objects: BTreeSet<String> = wants.iter().map(|want| want.deed.object_id.clone()).collect();
    // What is still on offer matters to whoever has not reached the threshold.
    for (facts, state) in states.iter().filter_map(|state| Some((state.facts.as_ref()?, state))) {
        let here = in_force.iter().filter(|((cell, _), _)| *cell == facts.cell).map(|(_, in_force)| in_force);
        for offers in here.filter(|here| state.month.points < here.parameters.threshold).map(|here| &here.offers) {
            objects.extend(offers.iter().map(|offer| offer.object_id.clone()));
        }
    }
    let members = wants.iter().map(|want| want.member_id).collect();
    let credits = states::credited(conn, members, objects).await?;
    Ok(Known { months, in_force, credits })
}

fn no_cell() -> Problem {
    Problem::with(Code::Forbidden, "Đảng viên hiện không thuộc chi bộ nào.", "The member belongs to no cell.")
}

/// One deed: its receipt, and the rows it adds to the ledger.
fn decide(want: &Want, facts: &MemberFacts, known: &mut Known) -> Result<(Award, Vec<NewEntry>), Problem> {
    let missing = || Problem::internal("nothing is in force in a cell");
    let here = known.in_force.get(&(facts.cell, want.day())).cloned().ok_or_else(missing)?;
    let month = known.months.get_mut(&want.month()).ok_or_else(missing)?;
    let credited = known.credits.entry(want.member_id).or_default();
    let has = |rule: &str| credited.contains(&(rule.to_owned(), want.deed.object_id.clone()));
    let codes: BTreeSet<String> = here.rules.iter().map(|rule| rule.code.clone()).filter(|code| has(code)).collect();
    let judged = Facts {
        event: want.deed.event,
        percent: want.deed.percent,
        day: want.day(),
        without_device: facts.without_device,
        self_service_cap: here.parameters.self_service_cap,
        credited: &codes,
    };
    let decided = rules::decide(&here.rules, &judged, &mut month.counters);
    let (mut new, mut refusals) = (Vec::new(), Vec::new());
    for (rule, outcome) in decided {
        match outcome {
            Outcome::Refused(reason) => refusals.push(refusal(&rule.code, reason)),
            Outcome::Points(points) => {
                month.points += points;
                credited.insert((rule.code.clone(), want.deed.object_id.clone()));
                new.push(entry(want, facts, month.closed, rule, points));
            }
        }
    }
    let receipt = Award {
        points_awarded: new.iter().map(|entry| entry.points).sum(),
        entries: new.iter().map(|entry| shown(entry, want.period())).collect(),
        refusals,
        month: brief(want, facts, &here, month, credited),
    };
    Ok((receipt, new))
}

fn entry(want: &Want, facts: &MemberFacts, late: bool, rule: &rules::Rule, points: i32) -> NewEntry {
    NewEntry {
        member_id: want.member_id,
        id: new_id(want.now),
        rule_code: rule.code.clone(),
        rule_version: rule.version,
        object_kind: want.deed.object_kind.to_owned(),
        object_id: want.deed.object_id.clone(),
        points,
        period: want.period().first_day(),
        day: want.day(),
        occurred_at: want.now,
        unit_id: facts.cell,
        attested_by: want.deed.attested_by,
        late,
    }
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

fn shown(entry: &NewEntry, period: Period) -> Entry {
    Entry {
        id: entry.id,
        rule: entry.rule_code.clone(),
        rule_version: entry.rule_version,
        points: entry.points,
        period,
        occurred_at: entry.occurred_at,
        object: ObjectRef { kind: entry.object_kind.clone(), id: entry.object_id.clone() },
        kind: "award".to_owned(),
        late: entry.late,
        reverses: None,
        reversed_by: None,
        reason: None,
    }
}

/// Where the member stands after it.
fn brief(
    want: &Want,
    facts: &MemberFacts,
    here: &InForce,
    month: &Month,
    credited: &std::collections::HashSet<(String, String)>,
) -> MonthBrief {
    let (period, today) = (want.period(), day_of(want.now));
    let (threshold, _) = rules::threshold(here.parameters.threshold, here.parameters.prorate, facts.entered, period);
    let ended = period.days_left(today) == 0;
    let attainable = || {
        let mut open = BTreeMap::new();
        let uncredited = |rule: &String, object: &String| !credited.contains(&(rule.clone(), object.clone()));
        for offer in here.offers.iter().filter(|offer| uncredited(&offer.rule_code, &offer.object_id)) {
            *open.entry(offer.rule_code.clone()).or_default() += 1;
        }
        let cap = here.parameters.self_service_cap;
        rules::attainable(&here.rules, &month.counters, &open, today, period, facts.without_device, cap)
    };
    let status = match facts.exemption.as_deref() {
        Some("exempt") => Status::Exempt,
        Some(_) => Status::Excused,
        None if month.points >= threshold => Status::Met,
        None => rules::status(month.points, threshold, if ended { 0 } else { attainable() }, ended),
    };
    MonthBrief { period, points: month.points, threshold, status }
}

/// See [`super::lock_month`].
pub async fn lock_month(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let key = (member_id, Period::containing(day_of(now)).first_day());
    states::lock(conn, &BTreeSet::from([key]), Held::Wait).await.map(drop)
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
