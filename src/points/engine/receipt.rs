//! The receipt of an award: points given, refusals with reasons, and the month's status after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::AwardRequest;
use super::credits::{self, CreditQuery, Memory, Taken};
use super::in_force::InForce;
use super::member_facts::MemberFacts;
use super::member_months::{Month, MonthVersion, NewEntry};
use super::rules::{self, Counters, Reason};
use crate::points::model::{Award, Entry, EntryKind, MonthBrief, ObjectRef, Refusal, Status};

/// A receipt whose status may still depend on which offers the member has not been credited with.
pub struct AwardDraft {
    award: Award,
    open: Option<Open>,
}

/// Data for deciding between `on_track` and `at_risk` once the open offers are known.
struct Open {
    member_id: Uuid,
    here: Arc<InForce>,
    counters: Counters,
    credited: BTreeSet<(String, String)>,
    without_device: bool,
    period: Period,
    today: NaiveDate,
    /// Version of the month before the deed.
    version: MonthVersion,
}

impl Open {
    /// How many offers of each rule have not been credited, before or just now.
    fn left(&self, taken: &Taken) -> BTreeMap<String, i64> {
        let mut left = BTreeMap::new();
        for (_, offer) in self.here.offers.iter().enumerate().filter(|(place, _)| !taken.has(*place)) {
            let just_now =
                self.credited.iter().any(|(rule, object)| *rule == offer.rule_code && *object == offer.object_id);
            if !just_now {
                *left.entry(offer.rule_code.clone()).or_default() += 1;
            }
        }
        left
    }
}

impl AwardDraft {
    /// After a deed: `month` and `credited` take it in already; `outcome` is what was written and what was refused.
    pub fn new(
        want: &AwardRequest,
        facts: &MemberFacts,
        here: Arc<InForce>,
        month: &Month,
        credited: &BTreeSet<(String, String)>,
        (new, refusals): (&[NewEntry], Vec<Refusal>),
    ) -> Self {
        let (period, today) = (want.period(), day_of(want.now));
        let (threshold, _) =
            rules::threshold(here.parameters.threshold, here.parameters.prorate, facts.entered, period);
        let mut draft = Self {
            award: Award {
                points_awarded: new.iter().map(|entry| entry.points).sum(),
                entries: new.iter().map(|entry| shown(entry, period)).collect(),
                refusals,
                month: MonthBrief { period, points: month.points, threshold, status: Status::Met },
            },
            open: None,
        };
        let ended = period.days_left(today) == 0;
        match facts.away(here.parameters.excuse_days) {
            Some(away) => draft.award.month.status = away,
            None if month.points >= threshold => {}
            None if ended => draft.award.month.status = Status::Below,
            None => draft.forecast(Open {
                member_id: want.member_id,
                here,
                counters: month.counters.clone(),
                credited: credited.clone(),
                without_device: facts.without_device,
                period,
                today,
                version: month.version,
            }),
        }
        draft
    }

    /// Decides without a lookup where the open offers do not matter: the threshold is within reach without any offer,
    /// or not even with all of them.
    fn forecast(&mut self, open: Open) {
        let least = self.status(&open, &BTreeMap::new());
        if least == Status::OnTrack || self.status(&open, &open.here.offered) == Status::AtRisk {
            self.award.month.status = least;
        } else {
            self.open = Some(open);
        }
    }

    fn status(&self, open: &Open, offered: &BTreeMap<String, i64>) -> Status {
        let cap = open.here.parameters.self_service_cap;
        let Open { here, counters, today, period, without_device, .. } = open;
        let attainable = rules::attainable(&here.rules, counters, offered, *today, *period, *without_device, cap);
        rules::status(self.award.month.points, self.award.month.threshold, attainable, false)
    }
}

/// Completes receipts. Looks up the open offers at most once for all of them.
pub async fn finish(
    conn: &Conn,
    drafts: Vec<Result<AwardDraft, Problem>>,
    memory: Memory,
) -> Result<Vec<Result<Award, Problem>>, Problem> {
    let undecided = || drafts.iter().flatten().filter_map(|draft| Some((draft, draft.open.as_ref()?)));
    let asked = |(_, open): (&AwardDraft, &Open)| CreditQuery {
        member_id: open.member_id,
        here: open.here.clone(),
        version: open.version,
    };
    let taken = credits::of_offers(conn, &undecided().map(asked).collect::<Vec<_>>(), memory).await?;
    let status = |((draft, open), taken): ((&AwardDraft, &Open), &Taken)| draft.status(open, &open.left(taken));
    let mut statuses = undecided().zip(&taken).map(status).collect::<Vec<Status>>().into_iter();
    let complete = |draft: Result<AwardDraft, Problem>| {
        draft.map(|AwardDraft { mut award, open }| {
            if let (Some(_), Some(status)) = (open, statuses.next()) {
                award.month.status = status;
            }
            award
        })
    };
    Ok(drafts.into_iter().map(complete).collect())
}

/// Why a rule gave nothing.
pub fn refusal(rule: &str, reason: Reason) -> Refusal {
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
        day: entry.day,
        unit_id: entry.unit_id,
        occurred_at: entry.occurred_at,
        object: ObjectRef { kind: entry.object_kind.clone(), id: entry.object_id.clone() },
        attested_by: entry.attested_by,
        kind: EntryKind::Award.as_str().to_owned(),
        late: entry.late,
        reverses: None,
        reversed_by: None,
        decision_id: None,
        reason: None,
    }
}
