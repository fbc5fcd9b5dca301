//! Commits decisions: ledger, counters and totals of many members in the caller's transaction.

pub mod backfill;
pub mod batches;
pub mod credits;
pub mod history;
pub mod in_force;
pub mod in_force_version;
pub mod member_facts;
pub mod member_months;
pub mod old_days;
pub mod receipt;
pub mod rules;
pub mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::point_offers;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;

use super::Offer;
use super::model::{Award, Deed};
use credits::{Credits, Memory};
use in_force::{CellDay, InForce};
use member_facts::{MemberDay, MemberFacts};

use member_months::{MemberMonths, Month, MonthKey, NewEntry};
use receipt::AwardDraft;
use rules::{Facts, Outcome};

/// A deed to be rewarded, and when the server accepted it.
#[derive(Debug, Clone)]
pub struct AwardRequest {
    pub member_id: Uuid,
    pub deed: Deed,
    pub now: DateTime<Utc>,
}

impl AwardRequest {
    /// The day it counts for.
    pub fn day(&self) -> NaiveDate {
        self.deed.on.unwrap_or_else(|| day_of(self.now))
    }

    pub fn period(&self) -> Period {
        Period::containing(self.day())
    }

    /// Whether it is a visit, whose object is the day itself.
    pub fn is_visit(&self) -> bool {
        self.deed.event == super::VISIT && self.deed.object_id == self.day().to_string()
    }

    /// The month that must be locked for it.
    pub fn month(&self) -> MonthKey {
        (self.member_id, self.period().first_day())
    }
}

/// See [`super::award`].
pub async fn award(conn: &mut Conn, member_id: Uuid, deed: &Deed, now: DateTime<Utc>) -> Result<Award, Problem> {
    let want = AwardRequest { member_id, deed: deed.clone(), now };
    let mut awards = award_all(conn, &[want]).await?;
    awards.pop().unwrap_or_else(|| Err(Problem::internal("no award for a deed")))
}

/// See [`super::award_all`].
pub async fn award_all(conn: &mut Conn, wants: &[AwardRequest]) -> Result<Vec<Result<Award, Problem>>, Problem> {
    let conn: &Conn = conn;
    member_months::lock(conn, &wants.iter().map(AwardRequest::month).collect()).await?;
    let wants: Vec<&AwardRequest> = wants.iter().collect();
    let days = days(wants.iter().copied());
    let (states, credits) = tokio::join!(member_months::read(conn, &days), credits::of_deeds(conn, &wants));
    let decided = decide_all(conn, &wants, states?, credits?, Memory::None).await?;
    decided.rows.write(conn).await?;
    Ok(decided.awards)
}

/// The members and days of deeds.
pub fn days<'a>(wants: impl Iterator<Item = &'a AwardRequest>) -> Vec<MemberDay> {
    wants.map(|want| (want.member_id, want.day())).collect()
}

/// The outcome of deeds: a receipt or a problem for each, and the rows to be written.
pub struct Decided {
    pub awards: Vec<Result<Award, Problem>>,
    pub rows: Rows,
}

/// New rows of the ledger, and the months that they change.
pub struct Rows {
    entries: Vec<NewEntry>,
    months: BTreeMap<MonthKey, Month>,
}

impl Rows {
    /// See [`states::write`].
    pub async fn write(self, conn: &Conn) -> Result<(), Problem> {
        member_months::write(conn, self.entries, &self.months).await
    }
}

/// Data that a batch has loaded before it decides.
struct DecisionInputs {
    months: HashMap<MonthKey, Month>,
    in_force: HashMap<CellDay, Arc<InForce>>,
    credits: Credits,
}

/// Decides deeds whose months are locked, in order; each sees those before it. One that cannot be rewarded has a
/// problem of its own.
pub async fn decide_all(
    conn: &Conn,
    wants: &[&AwardRequest],
    read: MemberMonths,
    credits: Credits,
    memory: Memory,
) -> Result<Decided, Problem> {
    let mut places = BTreeSet::new();
    let mut months = HashMap::new();
    for (want, state) in wants.iter().zip(&read.states) {
        places.extend(state.facts.iter().map(|facts| (facts.cell, want.day())));
        months.insert(want.month(), state.month.clone());
    }
    old_days::restore(conn, wants, &mut months).await?;
    let in_force = in_force::find(conn, &places, &read.version).await?;
    let mut known = DecisionInputs { months, in_force, credits };
    let mut entries = Vec::new();
    let mut changed = BTreeSet::new();
    let mut drafts = Vec::with_capacity(wants.len());
    for (want, state) in wants.iter().zip(&read.states) {
        let decided = state.facts.as_ref().ok_or_else(no_cell).and_then(|facts| decide(want, facts, &mut known));
        drafts.push(decided.map(|(draft, new)| {
            if !new.is_empty() {
                changed.insert(want.month());
            }
            entries.extend(new);
            draft
        }));
    }
    let awards = receipt::finish(conn, drafts, memory).await?;
    let months = changed.into_iter().filter_map(|key| Some((key, known.months.remove(&key)?))).collect();
    Ok(Decided { awards, rows: Rows { entries, months } })
}

fn no_cell() -> Problem {
    Problem::with(Code::Forbidden, "Đảng viên hiện không thuộc chi bộ nào.", "The member belongs to no cell.")
}

/// Decides one deed: the draft of its receipt, and the rows it adds to the ledger.
fn decide(
    want: &AwardRequest,
    facts: &MemberFacts,
    known: &mut DecisionInputs,
) -> Result<(AwardDraft, Vec<NewEntry>), Problem> {
    let here = known.in_force.get(&(facts.cell, want.day())).cloned().ok_or_else(no_cell)?;
    let month = known.months.get_mut(&want.month()).ok_or_else(|| Problem::internal("a month was not read"))?;
    let credited = known.credits.entry(want.member_id).or_default();
    let of_object = credited.iter().filter(|(_, object)| *object == want.deed.object_id);
    let mut before: BTreeSet<String> = of_object.map(|(rule, _)| rule.clone()).collect();
    if want.is_visit() {
        before.extend(month.counters.given_on(want.day()).map(str::to_owned));
    }
    let judged = Facts {
        event: want.deed.event,
        percent: want.deed.percent,
        already: want.deed.already,
        day: want.day(),
        without_device: facts.without_device,
        self_service_cap: here.parameters.self_service_cap,
        credited: &before,
    };
    let decided = rules::decide(&here.rules, &judged, &mut month.counters);
    let (mut new, mut refusals) = (Vec::new(), Vec::new());
    for (rule, outcome) in decided {
        match outcome {
            Outcome::Refused(reason) => refusals.push(receipt::refusal(&rule.code, reason)),
            Outcome::Points(points) => {
                month.points += points;
                credited.insert((rule.code.clone(), want.deed.object_id.clone()));
                new.push(entry(want, facts, month.closed, rule, points));
            }
        }
    }
    Ok((AwardDraft::new(want, facts, here, month, credited, (&new, refusals)), new))
}

fn entry(want: &AwardRequest, facts: &MemberFacts, late: bool, rule: &rules::Rule, points: i32) -> NewEntry {
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

/// See [`super::lock_month`].
pub async fn lock_month(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let key = (member_id, Period::containing(day_of(now)).first_day());
    member_months::lock(conn, &BTreeSet::from([key])).await
}

/// How long an offer stands; what is credited later is on offer no longer, and forecasts do not count on it.
const OFFERED_FOR: Months = Months::new(12);

/// See [`super::offer`].
pub async fn offer(conn: &mut Conn, offer: &Offer<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    let units: BTreeSet<Uuid> = offer.unit_ids.iter().copied().collect();
    let today = day_of(now);
    diesel::sql_query(
        "INSERT INTO point_offers (rule_code, object_id, unit_id, object_kind, title, valid_from, valid_to)
         SELECT r, $2, u, $4, $5, $6, $7 FROM unnest($1::text[]) AS rules (r), unnest($3::uuid[]) AS units (u) ORDER BY r, u
         ON CONFLICT (rule_code, object_id, unit_id) DO UPDATE SET title = excluded.title",
    )
    .bind::<Array<Text>, _>(offer.rules)
    .bind::<Text, _>(&offer.object_id)
    .bind::<Array<SqlUuid>, _>(units.into_iter().collect::<Vec<_>>())
    .bind::<Text, _>(offer.object_kind)
    .bind::<Text, _>(&offer.title)
    .bind::<Date, _>(today)
    .bind::<Date, _>(today + OFFERED_FOR)
    .execute(conn)
    .await?;
    Ok(())
}

/// See [`super::carry_offers`].
pub async fn carry_offers(
    conn: &mut Conn,
    object_kind: &str,
    object_id: &str,
    from_unit_ids: &[Uuid],
    to_unit_id: Uuid,
) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO point_offers (rule_code, object_id, unit_id, object_kind, title, valid_from, valid_to)
         SELECT rule_code, object_id, $4, object_kind, max(title), min(valid_from), max(valid_to) FROM point_offers
         WHERE object_kind = $1 AND object_id = $2 AND unit_id = ANY($3) GROUP BY rule_code, object_id, object_kind
         ON CONFLICT (rule_code, object_id, unit_id) DO NOTHING",
    )
    .bind::<Text, _>(object_kind)
    .bind::<Text, _>(object_id)
    .bind::<Array<SqlUuid>, _>(from_unit_ids)
    .bind::<SqlUuid, _>(to_unit_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// See [`super::except_offers`].
pub async fn except_offers(
    conn: &mut Conn,
    members: &[Uuid],
    object_ids: &[String],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    // What is cached of a member's offers holds for a version of their month, so the month is written too.
    diesel::sql_query(
        "WITH excepted AS (INSERT INTO point_offer_exceptions (member_id, object_id)
             SELECT m.id, o FROM members m CROSS JOIN unnest($2::text[]) AS t (o) WHERE m.id = ANY($1) ORDER BY m.id, o
             ON CONFLICT DO NOTHING RETURNING member_id)
         INSERT INTO member_months AS mm (member_id, period)
         SELECT DISTINCT member_id, $3 FROM excepted ORDER BY member_id
         ON CONFLICT (member_id, period) DO UPDATE SET points = mm.points",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Array<Text>, _>(object_ids)
    .bind::<Date, _>(Period::containing(day_of(now)).first_day())
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
