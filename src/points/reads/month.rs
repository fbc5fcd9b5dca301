//! Members' own view of a month: what was earned, what is missing, what could be done next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Language, Problem};
use crate::kernel::security::access;

use crate::points::closings::{self, ClosedFigure};
use crate::points::engine::credits::{self, CreditQuery, Memory, Taken};
use crate::points::engine::in_force::{self, InForce, Offered};
use crate::points::engine::member_facts::{MemberDay, MemberFacts};
use crate::points::engine::member_months::{MemberMonths, MemberState, Month};
use crate::points::engine::rules::{self, Rule};
use crate::points::engine::store;
use crate::points::model::{MonthBrief, ObjectRef, Status};

/// A request for a member's month, with the language.
#[derive(Debug, Clone, Copy)]
pub struct MonthQuery {
    pub member_id: Uuid,
    pub period: Period,
    pub today: NaiveDate,
    pub language: Language,
}

/// What one rule has given in a month, and may still give.
#[derive(Debug, Serialize, ToSchema)]
pub struct RulePoints {
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    rule: String,
    /// What it rewards, in the language of the request.
    #[schema(max_length = 200, example = "Đọc xong tài liệu")]
    title: String,
    /// Points of the month.
    #[schema(minimum = -10_000, maximum = 10_000, example = 9)]
    points: i32,
    /// Most points a day; null without a cap.
    #[schema(minimum = 1, maximum = 10_000, example = 6)]
    cap_day: Option<i32>,
    /// Most points a month; null without a cap.
    #[schema(minimum = 1, maximum = 10_000)]
    cap_month: Option<i32>,
}

/// Something that would earn points now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestion {
    /// Code of the rule.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "document_read")]
    rule: String,
    /// Points it gives, before caps.
    #[schema(minimum = 1, maximum = 10_000, example = 3)]
    points: i32,
    /// What to do, in the language of the request.
    #[schema(max_length = 700, example = "Đọc xong tài liệu: Kế hoạch học tập quý IV")]
    title: String,
    /// The object to do it with.
    object: ObjectRef,
}

/// A member's month.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyPoints {
    /// The month.
    pub period: Period,
    /// Points so far.
    #[schema(minimum = -10_000, maximum = 10_000, example = 21)]
    pub points: i32,
    /// Points to reach.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    pub threshold: i32,
    /// Whether the threshold is smaller because the membership began during the month.
    prorated: bool,
    /// Where the member stands.
    pub status: Status,
    /// Points missing; 0 when the threshold is reached.
    #[schema(minimum = 0, maximum = 20_000, example = 9)]
    remaining: i32,
    /// Days that can still earn points, today included.
    #[schema(minimum = 0, maximum = 31, example = 11)]
    days_left: i32,
    /// Points that what is on offer can still give under all caps.
    #[schema(minimum = 0, maximum = 100_000, example = 24)]
    attainable: i32,
    /// The month as it was closed; null while it is open.
    closed: Option<ClosedFigure>,
    /// Points by rule: rules in force and rules that gave points. Caps are checked against these.
    #[schema(max_items = 100)]
    by_rule: Vec<RulePoints>,
    /// Points added by officers' corrections, less what they took back. With `by_rule` it adds up to `points`.
    #[schema(minimum = -20_000, maximum = 20_000, example = 0)]
    corrections: i32,
    /// What could be done next, at most 10.
    #[schema(max_items = 10)]
    suggestions: Vec<Suggestion>,
}

impl MyPoints {
    /// The month in short.
    pub fn brief(&self) -> MonthBrief {
        MonthBrief { period: self.period, points: self.points, threshold: self.threshold, status: self.status }
    }
}

/// The members and the days on which their months are viewed.
pub fn days(wanted: &[MonthQuery]) -> Vec<MemberDay> {
    wanted.iter().map(|one| (one.member_id, one.period.reference_day(one.today))).collect()
}

/// Months of members whose states on their days are known.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn show(conn: &mut Conn, wanted: &[MonthQuery], read: MemberMonths) -> Result<Vec<MyPoints>, Problem> {
    let days = days(wanted);
    let places = read.states.iter().zip(&days).filter_map(|(state, (_, day))| Some((state.facts.as_ref()?.cell, *day)));
    let in_force = in_force::find(conn, &places.collect(), &read.version).await?;
    let place = |(state, (_, day)): (&MemberState, &(Uuid, NaiveDate))| {
        state.facts.as_ref().and_then(|facts| in_force.get(&(facts.cell, *day))).cloned()
    };
    let here: Vec<Option<Arc<InForce>>> = read.states.iter().zip(&days).map(place).collect();
    // What is open matters only while the month runs.
    let runs = |one: &MonthQuery| one.period.days_left(one.today) > 0;
    let asked = |((one, state), here): ((&MonthQuery, &MemberState), &Option<Arc<InForce>>)| {
        let here = here.clone().filter(|_| runs(one))?;
        Some(CreditQuery { member_id: one.member_id, here, version: state.month.version })
    };
    let asked: Vec<CreditQuery> = wanted.iter().zip(&read.states).zip(&here).filter_map(asked).collect();
    let mut taken = credits::of_offers(conn, &asked, Memory::Kept).await?.into_iter();
    let closed = closed_of(conn, wanted).await?;
    // A member who belonged to no cell then has the rules of the whole system.
    let without: Vec<NaiveDate> =
        days.iter().zip(&here).filter(|(_, here)| here.is_none()).map(|((_, day), _)| *day).collect();
    let rules = match (without.iter().min(), without.iter().max()) {
        (Some(first), Some(last)) => store::rules_within(conn, (*first, *last)).await?,
        _ => Vec::new(),
    };
    let mut months = Vec::with_capacity(wanted.len());
    for (((one, state), (_, day)), here) in wanted.iter().zip(&read.states).zip(&days).zip(&here) {
        let mut seen = match (&state.facts, here) {
            (Some(facts), Some(here)) => {
                let taken = if runs(one) { taken.next() } else { None };
                MonthView { one, facts, month: &state.month, here, taken }.show()
            }
            // Not a member then: nothing to reach.
            _ => {
                let then = rules.iter().filter(|rule| access::in_force(rule.valid_from, rule.valid_to, *day));
                without_cell(one, &state.month, &then.cloned().collect::<Vec<_>>())
            }
        };
        seen.closed = closed.get(&(one.member_id, one.period)).copied();
        months.push(seen);
    }
    Ok(months)
}

/// The closed ones of these months; of those that run none is looked for.
async fn closed_of(conn: &Conn, wanted: &[MonthQuery]) -> Result<BTreeMap<(Uuid, Period), ClosedFigure>, Problem> {
    let past = wanted.iter().filter(|one| one.period < Period::containing(one.today));
    let (members, periods): (BTreeSet<Uuid>, BTreeSet<Period>) = past.map(|one| (one.member_id, one.period)).unzip();
    if members.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (members, periods) = (members.into_iter().collect::<Vec<_>>(), periods.into_iter().collect::<Vec<_>>());
    closings::of_months(conn, &members, &periods).await
}

/// Everything loaded for one month.
struct MonthView<'a> {
    one: &'a MonthQuery,
    facts: &'a MemberFacts,
    month: &'a Month,
    here: &'a InForce,
    taken: Option<Taken>,
}

impl MonthView<'_> {
    fn show(&self) -> MyPoints {
        let (period, parameters) = (self.one.period, &self.here.parameters);
        let days_left = period.days_left(self.one.today);
        let open = if days_left > 0 { self.open() } else { Vec::new() };
        let mut counts = BTreeMap::new();
        for offer in &open {
            *counts.entry(offer.rule_code.clone()).or_default() += 1;
        }
        let attainable = rules::attainable(
            &self.here.rules,
            &self.month.counters,
            &counts,
            self.one.today,
            period,
            self.facts.without_device,
            parameters.self_service_cap,
        );
        let (threshold, prorated) =
            rules::threshold(parameters.threshold, parameters.prorate, self.facts.entered, period);
        let points = self.month.points;
        let away = self.facts.away(parameters.excuse_days);
        let status = away.unwrap_or_else(|| rules::status(points, threshold, attainable, days_left == 0));
        MyPoints {
            period,
            points,
            threshold,
            prorated,
            status,
            remaining: (threshold - points).max(0),
            days_left,
            attainable,
            closed: None,
            by_rule: by_rule(&self.here.rules, self.month, self.one.language),
            corrections: corrections(self.month),
            suggestions: if days_left > 0 { self.suggestions(&open) } else { Vec::new() },
        }
    }

    /// What is on offer and not yet credited.
    fn open(&self) -> Vec<&Arc<Offered>> {
        let open = |place: usize| self.taken.as_ref().is_some_and(|taken| !taken.has(place));
        self.here.offers.iter().enumerate().filter(|(place, _)| open(*place)).map(|(_, offer)| offer).collect()
    }

    fn suggestions(&self, open: &[&Arc<Offered>]) -> Vec<Suggestion> {
        const MOST: usize = 10;
        let (rules, language, counters) = (&self.here.rules, self.one.language, &self.month.counters);
        let mut found = Vec::new();
        let visit =
            rules.iter().find(|rule| rule.event == crate::points::VISIT && rule.is_for(self.facts.without_device));
        if let Some(rule) = visit
            && !counters.days.get(&self.one.today).is_some_and(|day| day.rules.contains_key(&rule.code))
            && rule.cap_month.is_none_or(|cap| counters.of_rule(&rule.code) < cap)
        {
            let object = ObjectRef { kind: "day".to_owned(), id: self.one.today.to_string() };
            found.push(Suggestion {
                rule: rule.code.clone(),
                points: rule.points,
                title: rule.title(language).to_owned(),
                object,
            });
        }
        for offer in open.iter().take(MOST) {
            let mut for_them = rules.iter().filter(|rule| rule.is_for(self.facts.without_device));
            let Some(rule) = for_them.find(|rule| rule.code == offer.rule_code) else {
                continue;
            };
            found.push(Suggestion {
                rule: rule.code.clone(),
                points: rule.points,
                title: format!("{}: {}", rule.title(language), offer.title),
                object: ObjectRef { kind: offer.object_kind.clone(), id: offer.object_id.clone() },
            });
        }
        found.truncate(MOST);
        found
    }
}

fn without_cell(one: &MonthQuery, month: &Month, rules: &[Rule]) -> MyPoints {
    MyPoints {
        period: one.period,
        points: month.points,
        threshold: 0,
        prorated: false,
        status: Status::Excused,
        remaining: 0,
        days_left: 0,
        attainable: 0,
        closed: None,
        by_rule: by_rule(rules, month, one.language),
        corrections: corrections(month),
        suggestions: Vec::new(),
    }
}

/// Corrections change the total and no counter.
fn corrections(month: &Month) -> i32 {
    month.points - month.counters.rules.values().sum::<i32>()
}

fn by_rule(rules: &[Rule], month: &Month, language: Language) -> Vec<RulePoints> {
    let known = rules.iter().map(|rule| RulePoints {
        rule: rule.code.clone(),
        title: rule.title(language).to_owned(),
        points: month.counters.of_rule(&rule.code),
        cap_day: rule.cap_day,
        cap_month: rule.cap_month,
    });
    let is_known = |code: &str| rules.iter().any(|rule| rule.code == code);
    let gone = month.counters.rules.iter().filter(|(code, _)| !is_known(code)).map(|(code, points)| RulePoints {
        rule: code.clone(),
        title: code.clone(),
        points: *points,
        cap_day: None,
        cap_month: None,
    });
    known.chain(gone).collect()
}
