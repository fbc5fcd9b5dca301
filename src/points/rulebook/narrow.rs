//! Narrows rules by the limits of units: pure, and never wider than the rules of the units above.

use crate::points::engine::rules::{Audience, Rule};

/// What a unit leaves of a rule, for itself and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    pub rule_code: String,
    pub switched_off: bool,
    /// Most points of one award.
    pub points: Option<i32>,
    pub cap_day: Option<i32>,
    pub cap_month: Option<i32>,
}

/// The rules as narrowed by the limits of all units from the top down to the cell. The least value wins, so that a unit
/// above that narrows later also binds units that had narrowed less. A rule that is switched off stays in the list
/// without an audience, so that a refusal can say so.
pub fn narrowed(rules: &[Rule], limits: &[Limit]) -> Vec<Rule> {
    rules
        .iter()
        .map(|rule| {
            let mut left = rule.clone();
            for limit in limits.iter().filter(|limit| limit.rule_code == rule.code) {
                apply(&mut left, limit);
            }
            left
        })
        .collect()
}

fn apply(rule: &mut Rule, limit: &Limit) {
    if limit.switched_off {
        rule.audience = Audience::Nobody;
    }
    if let Some(points) = limit.points {
        rule.points = rule.points.min(points);
        for tier in &mut rule.tiers {
            tier.points = tier.points.min(points);
        }
    }
    rule.cap_day = least(rule.cap_day, limit.cap_day);
    rule.cap_month = least(rule.cap_month, limit.cap_month);
}

/// The smaller of two caps; none is no cap.
fn least(one: Option<i32>, other: Option<i32>) -> Option<i32> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::points::engine::rules::Tier;

    fn rule(code: &str, points: i32, cap_day: Option<i32>, cap_month: Option<i32>, tiers: Vec<Tier>) -> Rule {
        Rule {
            code: code.to_owned(),
            version: 1,
            event: code.to_owned(),
            points,
            tiers,
            cap_day,
            cap_month,
            self_service: true,
            audience: Audience::Everyone,
            attested_by: "server".to_owned(),
            title_vi: String::new(),
            title_en: String::new(),
            valid_from: chrono::NaiveDate::default(),
            valid_to: None,
        }
    }

    fn rules() -> impl Strategy<Value = Vec<Rule>> {
        let cap = || prop::option::of(1..40_i32);
        let tiers = prop::collection::vec((0..=100_i32, 1..20_i32), 0..4);
        let one = (0..3_u8, 1..20_i32, cap(), cap(), tiers);
        prop::collection::vec(one, 1..4).prop_map(|made| {
            made.into_iter()
                .map(|(code, points, day, month, tiers)| {
                    let tiers = tiers.into_iter().map(|(min_percent, points)| Tier { min_percent, points }).collect();
                    rule(&format!("r{code}"), points, day, month, tiers)
                })
                .collect()
        })
    }

    fn limits() -> impl Strategy<Value = Vec<Limit>> {
        let value = || prop::option::of(1..40_i32);
        let one = (0..4_u8, prop::bool::weighted(0.2), value(), value(), value());
        prop::collection::vec(one, 0..8).prop_map(|made| {
            made.into_iter()
                .map(|(code, switched_off, points, cap_day, cap_month)| Limit {
                    rule_code: format!("r{code}"),
                    switched_off,
                    points,
                    cap_day,
                    cap_month,
                })
                .collect()
        })
    }

    fn at_most(cap: Option<i32>, superior: Option<i32>) -> bool {
        superior.is_none_or(|superior| cap.is_some_and(|cap| cap <= superior))
    }

    fn assert_no_wider(below: &[Rule], above: &[Rule]) {
        assert_eq!(below.len(), above.len());
        for (below, above) in below.iter().zip(above) {
            assert_eq!(below.code, above.code);
            assert!(below.points <= above.points && below.points > 0);
            assert!(at_most(below.cap_day, above.cap_day) && at_most(below.cap_month, above.cap_month));
            assert!(below.tiers.iter().zip(&above.tiers).all(|(b, a)| b.points <= a.points));
            assert!(above.audience != Audience::Nobody || below.audience == Audience::Nobody);
        }
    }

    proptest! {
        #[test]
        fn no_limit_ever_widens_a_rule(rules in rules(), limits in limits()) {
            for cut in 0..=limits.len() {
                let superior = narrowed(&rules, &limits[..cut]);
                assert_no_wider(&superior, &rules);
                assert_no_wider(&narrowed(&rules, &limits), &superior);
            }
        }

        #[test]
        fn a_superior_who_narrows_later_narrows_everybody_below(
            rules in rules(), below in limits(), later in limits(),
        ) {
            let before = narrowed(&rules, &below);
            let after = narrowed(&rules, &[later.clone(), below].concat());
            assert_no_wider(&after, &before);
            assert_no_wider(&after, &narrowed(&rules, &later));
        }

        #[test]
        fn the_order_of_limits_does_not_matter(rules in rules(), mut limits in limits()) {
            let down = narrowed(&rules, &limits);
            limits.reverse();
            let up = narrowed(&rules, &limits);
            assert_no_wider(&down, &up);
            assert_no_wider(&up, &down);
        }
    }

    #[test]
    fn a_limit_touches_its_rule_only() {
        let rules = [rule("read", 3, Some(6), None, Vec::new()), rule("visit", 1, Some(1), Some(8), Vec::new())];
        let limit = Limit {
            rule_code: "read".to_owned(),
            switched_off: false,
            points: Some(2),
            cap_day: Some(9),
            cap_month: Some(20),
        };
        let narrow = narrowed(&rules, &[limit]);
        assert_eq!((narrow[0].points, narrow[0].cap_day, narrow[0].cap_month), (2, Some(6), Some(20)));
        assert_eq!((narrow[1].points, narrow[1].cap_day, narrow[1].cap_month), (1, Some(1), Some(8)));
    }
}
