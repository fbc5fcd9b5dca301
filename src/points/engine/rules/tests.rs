//! Properties of decisions: no order or interleaving of deeds exceeds a cap or credits twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::*;

const SELF_SERVICE_CAP: i32 = 12;

fn rule(code: &str, points: i32, cap_day: Option<i32>, cap_month: Option<i32>, self_service: bool) -> Rule {
    Rule {
        code: code.to_owned(),
        version: 1,
        event: code.to_owned(),
        points,
        tiers: Vec::new(),
        cap_day,
        cap_month,
        self_service,
        audience: Audience::Everyone,
        attested_by: "server".to_owned(),
        title_vi: String::new(),
        title_en: String::new(),
        valid_from: NaiveDate::default(),
        valid_to: None,
    }
}

fn rules() -> Vec<Rule> {
    let mut visit = rule("visit", 1, Some(1), Some(8), true);
    visit.audience = Audience::WithDevice;
    let mut quiz = rule("quiz", 6, None, None, true);
    quiz.tiers = [(50, 4), (80, 5), (100, 6)].map(|(min_percent, points)| Tier { min_percent, points }).to_vec();
    let study = rule("study", 2, Some(2), Some(8), false);
    vec![rule("read", 3, Some(6), None, true), rule("opinion", 2, None, Some(4), false), quiz, visit, study]
}

fn first() -> NaiveDate {
    "2026-11-01".parse().unwrap()
}

/// The ledger as the database keeps it: each object once a rule.
#[derive(Default)]
struct Ledger {
    counters: Counters,
    credited: BTreeMap<u8, BTreeSet<String>>,
    entries: Vec<(String, NaiveDate, i32)>,
}

impl Ledger {
    fn deed(&mut self, rules: &[Rule], event: usize, object: u8, day: NaiveDate, percent: i32) {
        let credited = self.credited.entry(object).or_default();
        let facts = Facts {
            event: &rules[event].event,
            percent: Some(percent),
            already: 0,
            day,
            without_device: false,
            self_service_cap: SELF_SERVICE_CAP,
            credited,
        };
        let given: Vec<(String, i32)> = decide(rules, &facts, &mut self.counters)
            .into_iter()
            .filter_map(|(rule, outcome)| match outcome {
                Outcome::Points(points) => Some((rule.code.clone(), points)),
                Outcome::Refused(_) => None,
            })
            .collect();
        for (code, points) in given {
            assert!(points > 0);
            assert!(self.credited.entry(object).or_default().insert(code.clone()), "credited twice");
            self.entries.push((code, day, points));
        }
    }

    fn sum(&self, of: impl Fn(&(String, NaiveDate, i32)) -> bool) -> i32 {
        self.entries.iter().filter(|entry| of(entry)).map(|entry| entry.2).sum()
    }
}

proptest! {
    #[test]
    fn no_cap_is_exceeded_and_no_object_credited_twice(
        deeds in prop::collection::vec((0..5_usize, 0..12_u8, 0..100_i32), 1..200),
        any_days in prop::collection::vec(0..30_u64, 200),
    ) {
        let rules = rules();
        // Self-service deeds count for the day on which they are done; others may be attested for any day.
        let mut days = any_days.clone();
        days.sort_unstable();
        let mut ledger = Ledger::default();
        for ((event, object, percent), (in_order, any)) in deeds.into_iter().zip(days.into_iter().zip(any_days)) {
            let day = if rules[event].self_service { in_order } else { any };
            ledger.deed(&rules, event, object, first() + Days::new(day), percent);
        }
        for rule in &rules {
            let of_rule = |entry: &&(String, NaiveDate, i32)| entry.0 == rule.code;
            let month = ledger.sum(|entry| of_rule(&entry));
            prop_assert!(rule.cap_month.is_none_or(|cap| month <= cap));
            prop_assert_eq!(month, ledger.counters.of_rule(&rule.code));
            for day in 0..30 {
                let day = first() + Days::new(day);
                let sum = ledger.sum(|entry| of_rule(&entry) && entry.1 == day);
                prop_assert!(rule.cap_day.is_none_or(|cap| sum <= cap));
            }
        }
        for day in 0..30 {
            let day = first() + Days::new(day);
            let alone = ledger.sum(|e| e.1 == day && rules.iter().any(|r| r.code == e.0 && r.self_service));
            prop_assert!(alone <= SELF_SERVICE_CAP);
        }
    }

    #[test]
    fn a_deed_of_yesterday_that_waited_over_midnight_finds_its_own_day(late in prop::collection::vec(any::<bool>(), 1..40)) {
        let rules = rules();
        let mut ledger = Ledger::default();
        for (object, late) in (0..).zip(late) {
            let day = if late { first() } else { first() + Days::new(1) };
            ledger.deed(&rules, 0, object, day, 0);
        }
        for day in [first(), first() + Days::new(1)] {
            prop_assert!(ledger.sum(|entry| entry.1 == day) <= 6);
        }
    }

    #[test]
    fn what_is_attainable_bounds_what_is_earned(objects in 0..20_u8, start in 0..30_u64) {
        let rules = rules();
        let today = first() + Days::new(start);
        let period = Period::containing(first());
        let open = BTreeMap::from([("read".to_owned(), i64::from(objects))]);
        let promised = attainable(&rules[..1], &Counters::default(), &open, today, period, false, SELF_SERVICE_CAP);
        let mut ledger = Ledger::default();
        let mut object = 0;
        for day in start..30 {
            for _ in 0..2 {
                if object < objects {
                    ledger.deed(&rules, 0, object, first() + Days::new(day), 0);
                    object += 1;
                }
            }
        }
        prop_assert_eq!(ledger.sum(|_| true), promised);
    }
}

#[test]
fn an_award_is_clipped_to_what_the_caps_leave_and_then_refused() {
    let rules = [rule("read", 4, Some(6), None, true)];
    let mut ledger = Ledger::default();
    for object in 0..3 {
        ledger.deed(&rules, 0, object, first(), 0);
    }
    assert_eq!(ledger.entries.iter().map(|e| e.2).collect::<Vec<_>>(), [4, 2]);
    // A refused object stays creditable on another day.
    ledger.deed(&rules, 0, 2, first() + Days::new(1), 0);
    assert_eq!(ledger.sum(|_| true), 10);
}

#[test]
fn attested_points_are_outside_the_daily_cap() {
    let rules = [rule("quiz", 6, None, None, true), rule("opinion", 2, None, None, false)];
    let mut ledger = Ledger::default();
    for object in 0..4 {
        ledger.deed(&rules, 0, object, first(), 100);
    }
    assert_eq!(ledger.sum(|_| true), 12);
    ledger.deed(&rules, 1, 9, first(), 0);
    assert_eq!(ledger.sum(|_| true), 14);
}

#[test]
fn tiers_pay_by_result() {
    let rules = rules();
    for (percent, points) in [(49, 0), (50, 4), (79, 4), (80, 5), (99, 5), (100, 6)] {
        let mut ledger = Ledger::default();
        ledger.deed(&rules, 2, 0, first(), percent);
        assert_eq!(ledger.sum(|_| true), points, "{percent} %");
    }
}

#[test]
fn thresholds_are_prorated_by_days_and_rounded_up() {
    let november = Period::containing(first());
    let on = |day: &str| threshold(30, true, day.parse().unwrap(), november);
    assert_eq!(on("2026-10-31"), (30, false));
    assert_eq!(on("2026-11-01"), (30, false));
    assert_eq!(on("2026-11-16"), (15, true));
    assert_eq!(on("2026-11-30"), (1, true));
    assert_eq!(threshold(31, true, "2026-11-16".parse().unwrap(), november), (16, true));
    assert_eq!(threshold(30, false, "2026-11-16".parse().unwrap(), november), (30, false));
}

#[test]
fn status_follows_what_is_attainable() {
    assert_eq!(status(30, 30, 0, true), Status::Met);
    assert_eq!(status(29, 30, 0, true), Status::Below);
    assert_eq!(status(20, 30, 10, false), Status::OnTrack);
    assert_eq!(status(20, 30, 9, false), Status::AtRisk);
}

#[test]
fn what_nobody_puts_on_offer_is_attainable_too() {
    let mut rules = rules();
    for (code, event) in [("meeting", crate::points::MEETING), ("assisted", crate::points::ASSISTED_STUDY)] {
        let cap = if code == "meeting" { None } else { Some(2) };
        let mut rule = rule(code, if code == "meeting" { 8 } else { 2 }, cap, cap.map(|_| 8), false);
        event.clone_into(&mut rule.event);
        if code == "assisted" {
            rule.audience = Audience::WithoutDevice;
        }
        rules.push(rule);
    }
    let (nothing, period) = (BTreeMap::new(), Period::containing(first()));
    let most = |counters: &Counters, day: u64, without_device: bool| {
        let today = first() + Days::new(day);
        attainable(&rules, counters, &nothing, today, period, without_device, SELF_SERVICE_CAP)
    };
    let mut counters = Counters::default();
    assert_eq!((most(&counters, 0, false), most(&counters, 0, true)), (8 + 8, 8 + 8));
    // Two days before the end.
    assert_eq!((most(&counters, 28, false), most(&counters, 28, true)), (8 + 2, 8 + 4));
    let meeting = rules.iter().find(|rule| rule.code == "meeting").unwrap();
    counters.add(meeting, first(), 8);
    let assisted = rules.iter().find(|rule| rule.code == "assisted").unwrap();
    counters.add(assisted, first() + Days::new(28), 2);
    assert_eq!((most(&counters, 28, false), most(&counters, 28, true)), (2, 2));
    assert_eq!(most(&counters, 30, true), 0, "the month is over");
}
