//! Validation of rule changes: future dates, fields that fit the scope, nothing widened. Pure.

use chrono::{Days, NaiveDate};

use crate::kernel::http::problem::{Code, Fault, Problem, Text, text};
use crate::points::engine::rules::{Audience, Rule};

use super::change::{RuleChangeIn, RuleScope};

/// Checks a change against the rules that hold on its first day where it would be made: those of the superior for a unit,
/// those of the system for the whole of it.
///
/// # Errors
/// 422 for days gone by, fields that do not fit the scope, an unknown rule and one that would be widened.
pub fn check(change: &RuleChangeIn, superior: &[Rule], today: NaiveDate) -> Result<(), Problem> {
    let mut faults = dates(change, today);
    faults.extend(match change.scope {
        RuleScope::Unit => shape_of_limit(change),
        RuleScope::System => shape_of_version(change),
    });
    if !faults.is_empty() {
        return Err(Problem::faults(Code::RuleNotMet, faults));
    }
    let Some(rule) = superior.iter().find(|rule| rule.code == change.rule) else {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Không có quy tắc này đang áp dụng vào ngày đó.",
            "No such rule is in force on that day.",
        ));
    };
    match change.scope {
        RuleScope::Unit => no_wider(change, rule),
        RuleScope::System => tiers_fit(change, rule),
    }
}

fn fault(pointer: &str, code: &'static str, detail: Text) -> Fault {
    Fault { pointer: pointer.to_owned(), code, detail }
}

fn dates(change: &RuleChangeIn, today: NaiveDate) -> Vec<Fault> {
    let mut faults = Vec::new();
    if change.valid_from < tomorrow(today) {
        let detail = text("Chỉ áp dụng từ ngày mai trở đi.", "It holds from tomorrow on at the earliest.");
        faults.push(fault("/valid_from", "too_small", detail));
    }
    if change.valid_to.is_some_and(|to| to <= change.valid_from) {
        let detail = text("Ngày kết thúc phải sau ngày bắt đầu.", "The end comes after the first day.");
        faults.push(fault("/valid_to", "too_small", detail));
    }
    faults
}

/// The first day that can still be decided on.
pub fn tomorrow(today: NaiveDate) -> NaiveDate {
    today + Days::new(1)
}

fn shape_of_limit(change: &RuleChangeIn) -> Vec<Fault> {
    let only_system = || text("Chỉ dành cho phạm vi toàn hệ thống.", "Of the whole system only.");
    let mut faults = Vec::new();
    for (there, pointer) in [
        (change.tiers.is_some(), "/tiers"),
        (change.title_vi.is_some(), "/title_vi"),
        (change.title_en.is_some(), "/title_en"),
    ] {
        if there {
            faults.push(fault(pointer, "not_an_option", only_system()));
        }
    }
    let values = [change.points, change.cap_day, change.cap_month];
    if change.switched_off == values.iter().any(Option::is_some) {
        let detail = text(
            "Hãy tạm dừng quy tắc, hoặc đặt ít nhất một giới hạn thấp hơn.",
            "Switch the rule off, or state at least one lower limit.",
        );
        faults.push(fault("/switched_off", "not_an_option", detail));
    }
    faults
}

fn shape_of_version(change: &RuleChangeIn) -> Vec<Fault> {
    if change.switched_off {
        let detail = text(
            "Quy tắc của toàn hệ thống được kết thúc, không tạm dừng.",
            "A rule of the whole system is ended, not switched off.",
        );
        return vec![fault("/switched_off", "not_an_option", detail)];
    }
    Vec::new()
}

fn no_wider(change: &RuleChangeIn, superior: &Rule) -> Result<(), Problem> {
    if superior.audience == Audience::Nobody {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Cấp trên đã tạm dừng quy tắc này.",
            "A superior has switched this rule off.",
        ));
    }
    let wider = |value: Option<i32>, bound: Option<i32>| value.zip(bound).filter(|(value, bound)| value > bound);
    let faults: Vec<Fault> = [
        ("/points", wider(change.points, Some(superior.points))),
        ("/cap_day", wider(change.cap_day, superior.cap_day)),
        ("/cap_month", wider(change.cap_month, superior.cap_month)),
    ]
    .into_iter()
    .filter_map(|(pointer, wider)| {
        let (_, bound) = wider?;
        let detail =
            text(format!("Cấp trên cho phép tối đa {bound}."), format!("The superior allows {bound} at most."));
        Some(fault(pointer, "wider", detail))
    })
    .collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(Code::RuleWidened, faults)) }
}

/// With tiers, the rule's points are the most that a tier gives.
fn tiers_fit(change: &RuleChangeIn, rule: &Rule) -> Result<(), Problem> {
    if rule.tiers.is_empty() {
        if change.tiers.is_some() {
            let detail = text("Quy tắc này không chia mức.", "This rule has no tiers.");
            return Err(Problem::fault("/tiers", "not_an_option", detail));
        }
        return Ok(());
    }
    let most = match &change.tiers {
        Some(tiers) => tiers.iter().map(|tier| tier.points).max(),
        None => rule.tiers.iter().map(|tier| tier.points).max(),
    };
    if change.tiers.is_none() && change.points.is_none() || change.points == most {
        return Ok(());
    }
    let detail = text("Số điểm phải bằng mức cao nhất.", "The points are those of the highest tier.");
    Err(Problem::fault("/points", "not_an_option", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(tiers: bool) -> Rule {
        let tier = |min_percent, points| crate::points::engine::rules::Tier { min_percent, points };
        Rule {
            code: "quiz_passed".to_owned(),
            version: 1,
            event: "quiz.passed".to_owned(),
            points: 6,
            tiers: if tiers { vec![tier(50, 4), tier(100, 6)] } else { Vec::new() },
            cap_day: Some(6),
            cap_month: None,
            self_service: true,
            audience: Audience::Everyone,
            attested_by: "server".to_owned(),
            title_vi: String::new(),
            title_en: String::new(),
            valid_from: NaiveDate::default(),
            valid_to: None,
        }
    }

    fn verdict(body: serde_json::Value, tiers: bool) -> Result<(), (u16, Vec<String>)> {
        let mut whole = serde_json::json!({"rule": "quiz_passed", "valid_from": "2026-11-21"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let change: RuleChangeIn = serde_json::from_value(whole).unwrap();
        check(&change, &[rule(tiers)], "2026-11-20".parse().unwrap())
            .map_err(|problem| (problem.code.status(), problem.faults.into_iter().map(|f| f.pointer).collect()))
    }

    #[test]
    fn a_limit_names_what_it_would_widen() {
        let of = |body| verdict(body, true);
        assert_eq!(of(serde_json::json!({"points": 6, "cap_day": 6, "cap_month": 400})), Ok(()));
        assert_eq!(of(serde_json::json!({"switched_off": true})), Ok(()));
        let (status, faults) = of(serde_json::json!({"points": 7, "cap_day": 7})).unwrap_err();
        assert_eq!((status, faults), (422, vec!["/points".to_owned(), "/cap_day".to_owned()]));
        for (body, pointer) in [
            (serde_json::json!({}), "/switched_off"),
            (serde_json::json!({"switched_off": true, "points": 1}), "/switched_off"),
            (serde_json::json!({"points": 1, "title_vi": "Khác"}), "/title_vi"),
            (serde_json::json!({"points": 1, "valid_from": "2026-11-20"}), "/valid_from"),
            (serde_json::json!({"points": 1, "valid_to": "2026-11-21"}), "/valid_to"),
        ] {
            assert_eq!(of(body).unwrap_err(), (422, vec![pointer.to_owned()]));
        }
    }

    #[test]
    fn a_version_of_the_system_may_widen_but_fits_its_tiers() {
        let system = |mut body: serde_json::Value, tiers| {
            body["scope"] = "system".into();
            verdict(body, tiers)
        };
        assert_eq!(system(serde_json::json!({"points": 9}), false), Ok(()));
        assert_eq!(system(serde_json::json!({}), true), Ok(()));
        let tiers = serde_json::json!([{"min_percent": 60, "points": 8}]);
        assert_eq!(system(serde_json::json!({"points": 8, "tiers": tiers}), true), Ok(()));
        assert!(system(serde_json::json!({"points": 9, "tiers": tiers}), true).is_err());
        assert!(system(serde_json::json!({"points": 9}), true).is_err());
        assert!(system(serde_json::json!({"tiers": tiers, "points": 8}), false).is_err());
        assert!(system(serde_json::json!({"switched_off": true}), true).is_err());
    }
}
