//! The pure core of the engine: rules, counters and the decision. No clock, no database.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::clock::Period;
use crate::kernel::http::problem::{Language, Text, text};

use crate::points::model::Status;

/// Days whose self-service counters are kept with the month: awards of yesterday may still be waiting for a lock at midnight.
/// Counters of a day before them come from the ledger when an award is dated so.
const DAYS_KEPT: usize = 3;

/// Whom a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleAudience)]
pub enum Audience {
    /// Every member.
    Everyone,
    /// Members who have a device of their own.
    WithDevice,
    /// Members who are marked as without one.
    WithoutDevice,
    /// Switched off by the unit or one above.
    Nobody,
}

/// Points from a share of right answers on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    pub min_percent: i32,
    pub points: i32,
}

/// A rule in force.
#[derive(Debug, Clone)]
pub struct Rule {
    pub code: String,
    pub version: i32,
    pub event: String,
    /// Points of one award; with tiers, the most.
    pub points: i32,
    pub tiers: Vec<Tier>,
    /// Points a day.
    pub cap_day: Option<i32>,
    /// Points a month.
    pub cap_month: Option<i32>,
    /// Whether it counts under the daily cap of what members do by themselves.
    pub self_service: bool,
    pub audience: Audience,
    /// Who vouches for it: `server`, `member`, `officers`.
    pub attested_by: String,
    pub title_vi: String,
    pub title_en: String,
    /// Of this version.
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

impl Rule {
    /// Whether it gives a member anything.
    pub fn is_for(&self, without_device: bool) -> bool {
        match self.audience {
            Audience::Everyone => true,
            Audience::WithDevice => !without_device,
            Audience::WithoutDevice => without_device,
            Audience::Nobody => false,
        }
    }

    /// What it rewards, in a language.
    pub fn title(&self, language: Language) -> &str {
        match language {
            Language::Vietnamese => &self.title_vi,
            Language::English => &self.title_en,
        }
    }

    fn worth(&self, percent: Option<i32>) -> i32 {
        if self.tiers.is_empty() {
            return self.points;
        }
        let reached = self.tiers.iter().filter(|tier| percent.is_some_and(|p| p >= tier.min_percent));
        reached.map(|tier| tier.points).max().unwrap_or(0)
    }
}

/// Self-service points of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCounters {
    pub rules: BTreeMap<String, i32>,
    pub self_service: i32,
}

/// Counters for checking caps: kept with the month's total, can be rebuilt from the ledger at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub rules: BTreeMap<String, i32>,
    /// Self-service deeds count for the day on which they are done: the last few days are enough.
    pub days: BTreeMap<NaiveDate, DayCounters>,
    /// Others may vouch for any day, in any order: all days of the month.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attested: BTreeMap<NaiveDate, BTreeMap<String, i32>>,
}

impl Counters {
    /// Counts an award. Reversals are not counted: they free no cap.
    pub fn add(&mut self, rule: &Rule, day: NaiveDate, points: i32) {
        *self.rules.entry(rule.code.clone()).or_default() += points;
        if !rule.self_service {
            *self.attested.entry(day).or_default().entry(rule.code.clone()).or_default() += points;
            return;
        }
        let counters = self.days.entry(day).or_default();
        *counters.rules.entry(rule.code.clone()).or_default() += points;
        counters.self_service += points;
    }

    /// Drops the days that are not kept with the month; to be called when counters are written, not between awards.
    pub fn drop_old_days(&mut self) {
        while self.days.len() > DAYS_KEPT {
            self.days.pop_first();
        }
    }

    /// Whether awards of this day may have been dropped, so that only the ledger knows them.
    pub fn has_dropped(&self, day: NaiveDate) -> bool {
        self.days.len() >= DAYS_KEPT && self.days.first_key_value().is_some_and(|(first, _)| day < *first)
    }

    /// Takes in what the ledger says of a day by rules that members earn by alone.
    pub fn restore_day(&mut self, day: NaiveDate, rules: BTreeMap<String, i32>) {
        let self_service = rules.values().sum();
        self.days.insert(day, DayCounters { rules, self_service });
    }

    fn on(&self, day: NaiveDate, rule: &str) -> i32 {
        let by_rule = [self.days.get(&day).map(|counters| &counters.rules), self.attested.get(&day)];
        by_rule.into_iter().flatten().filter_map(|points| points.get(rule)).sum()
    }

    /// The rules that gave something on a day; the last few days are known.
    pub fn given_on(&self, day: NaiveDate) -> impl Iterator<Item = &str> {
        self.days.get(&day).into_iter().flat_map(|counters| counters.rules.keys().map(String::as_str))
    }

    fn self_service_on(&self, day: NaiveDate) -> i32 {
        self.days.get(&day).map_or(0, |d| d.self_service)
    }

    pub fn of_rule(&self, rule: &str) -> i32 {
        self.rules.get(rule).copied().unwrap_or(0)
    }

    /// What the caps leave of a rule on a day, and which cap binds first.
    fn left(&self, rule: &Rule, day: NaiveDate, self_service_cap: i32) -> (i32, Reason) {
        let month = rule.cap_month.map(|cap| (cap - self.of_rule(&rule.code), Reason::MonthCap(cap)));
        let of_day = rule.cap_day.map(|cap| (cap - self.on(day, &rule.code), Reason::DayCap(cap)));
        let own = rule
            .self_service
            .then(|| (self_service_cap - self.self_service_on(day), Reason::SelfServiceDayCap(self_service_cap)));
        [month, of_day, own]
            .into_iter()
            .flatten()
            .min_by_key(|(left, _)| *left)
            .unwrap_or((i32::MAX, Reason::AlreadyCredited))
    }
}

/// Why a rule gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    AlreadyCredited,
    DayCap(i32),
    MonthCap(i32),
    SelfServiceDayCap(i32),
    NotForThisMember,
    SwitchedOff,
    BelowTheLowestTier,
}

impl Reason {
    pub fn code(self) -> &'static str {
        match self {
            Self::AlreadyCredited => "already_credited",
            Self::DayCap(_) => "day_cap",
            Self::MonthCap(_) => "month_cap",
            Self::SelfServiceDayCap(_) => "self_service_day_cap",
            Self::NotForThisMember => "not_for_this_member",
            Self::SwitchedOff => "switched_off",
            Self::BelowTheLowestTier => "too_few_points",
        }
    }

    pub fn detail(self) -> Text {
        match self {
            Self::AlreadyCredited => text("Nội dung này đã được tính điểm.", "This was credited before."),
            Self::DayCap(cap) => text(
                format!("Đã đạt tối đa {cap} điểm/ngày cho quy tắc này."),
                format!("The rule's {cap} points a day are reached."),
            ),
            Self::MonthCap(cap) => text(
                format!("Đã đạt tối đa {cap} điểm/tháng cho quy tắc này."),
                format!("The rule's {cap} points a month are reached."),
            ),
            Self::SelfServiceDayCap(cap) => text(
                format!("Đã đạt tối đa {cap} điểm tự học trong ngày."),
                format!("The {cap} points a day that one can earn alone are reached."),
            ),
            Self::NotForThisMember => {
                text("Quy tắc này không dành cho đảng viên này.", "The rule is not for this member.")
            }
            Self::SwitchedOff => text(
                "Quy tắc này đang được cấp ủy tạm dừng áp dụng.",
                "The rule is switched off by a committee of yours.",
            ),
            Self::BelowTheLowestTier => {
                text("Kết quả chưa đạt mức được tính điểm.", "The result is below the lowest level that earns points.")
            }
        }
    }
}

/// Input of a decision.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub event: &'a str,
    pub percent: Option<i32>,
    /// Points given before for the same thing.
    pub already: i32,
    pub day: NaiveDate,
    pub without_device: bool,
    pub self_service_cap: i32,
    /// Rules that have credited this object before.
    pub credited: &'a BTreeSet<String>,
}

/// Decision of one rule on a deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Points(i32),
    Refused(Reason),
}

/// Decides what each rule that listens to the deed gives, in the order of the rules, and adds it to `counters`. An
/// award is clipped to what the caps leave; with nothing left it is refused, and the object stays creditable.
pub fn decide<'r>(rules: &'r [Rule], facts: &Facts<'_>, counters: &mut Counters) -> Vec<(&'r Rule, Outcome)> {
    let listening = rules.iter().filter(|rule| rule.event == facts.event);
    listening
        .map(|rule| {
            let outcome = judge(rule, facts, counters);
            if let Outcome::Points(points) = outcome {
                counters.add(rule, facts.day, points);
            }
            (rule, outcome)
        })
        .collect()
}

fn judge(rule: &Rule, facts: &Facts<'_>, counters: &Counters) -> Outcome {
    if rule.audience == Audience::Nobody {
        return Outcome::Refused(Reason::SwitchedOff);
    }
    if !rule.is_for(facts.without_device) {
        return Outcome::Refused(Reason::NotForThisMember);
    }
    if facts.credited.contains(&rule.code) {
        return Outcome::Refused(Reason::AlreadyCredited);
    }
    let worth = rule.worth(facts.percent) - facts.already;
    if worth <= 0 {
        return Outcome::Refused(Reason::BelowTheLowestTier);
    }
    let (left, reason) = counters.left(rule, facts.day, facts.self_service_cap);
    if left <= 0 { Outcome::Refused(reason) } else { Outcome::Points(worth.min(left)) }
}

/// The threshold of a member whose membership in the system began on `entered`: by days, rounded up, when prorated.
/// Returns the threshold and whether it was prorated.
pub fn threshold(base: i32, prorate: bool, entered: NaiveDate, period: Period) -> (i32, bool) {
    if !prorate || entered <= period.first_day() || entered > period.last_day() {
        return (base, false);
    }
    let days = period.days_left(entered);
    let share = (base * days + period.days() - 1) / period.days();
    (share, true)
}

/// How many more objects a rule can reward from today on without an offer.
fn ahead(rule: &Rule, counters: &Counters, today: NaiveDate, days: i32) -> i64 {
    i64::from(match rule.event.as_str() {
        // Once a day.
        crate::points::VISIT | crate::points::ASSISTED_STUDY => days - i32::from(counters.on(today, &rule.code) > 0),
        // Every cell holds one a month, whether it is announced or not.
        crate::points::MEETING => i32::from(counters.of_rule(&rule.code) == 0),
        _ => 0,
    })
}

/// What can still be earned until the end of the month, under all caps.
/// `open` holds for each rule the number of objects on offer that are not yet credited; see also [`ahead`].
pub fn attainable(
    rules: &[Rule],
    counters: &Counters,
    open: &BTreeMap<String, i64>,
    today: NaiveDate,
    period: Period,
    without_device: bool,
    self_service_cap: i32,
) -> i32 {
    let days = period.days_left(today);
    if days == 0 {
        return 0;
    }
    let (mut alone, mut attested) = (0, 0);
    for rule in rules.iter().filter(|rule| rule.is_for(without_device)) {
        let on_offer = open.get(&rule.code).copied().unwrap_or(0);
        let objects = on_offer.max(ahead(rule, counters, today, days));
        let mut most = objects.saturating_mul(i64::from(rule.points));
        if let Some(cap) = rule.cap_day {
            most = most.min(i64::from(cap * days - counters.on(today, &rule.code)));
        }
        if let Some(cap) = rule.cap_month {
            most = most.min(i64::from(cap - counters.of_rule(&rule.code)));
        }
        let most = i32::try_from(most.clamp(0, 10_000)).unwrap_or(0);
        if rule.self_service { alone += most } else { attested += most }
    }
    alone.min((self_service_cap * days - counters.self_service_on(today)).max(0)) + attested
}

/// The status of a member who is neither exempt nor excused.
pub fn status(points: i32, threshold: i32, attainable: i32, ended: bool) -> Status {
    if points >= threshold {
        Status::Met
    } else if ended {
        Status::Below
    } else if points + attainable >= threshold {
        Status::OnTrack
    } else {
        Status::AtRisk
    }
}

#[cfg(test)]
mod tests;
