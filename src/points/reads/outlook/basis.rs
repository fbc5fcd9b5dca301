//! What a diligent member could earn in a month, from rules, limits, offers and parameters.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::points::engine::rules::{Counters, Rule, attainable};
use crate::points::engine::store::{SELF_SERVICE_DAY_CAP, THRESHOLD, THRESHOLD_FLOOR, binding, rules};
use crate::points::rulebook::{Limit, limits, narrowed};

use super::store::{self, CellOutlook, OfferedRule, Parameter};

/// What a diligent member of a cell could earn in a month, and should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    pub with_device: i32,
    pub without_device: i32,
    pub threshold: i32,
}

impl Outlook {
    /// Whether it is too little for a member with a device.
    pub fn falls_short(&self) -> bool {
        self.with_device < self.threshold
    }

    /// The same for a member without a device.
    pub fn falls_short_without_device(&self) -> bool {
        self.without_device < self.threshold
    }
}

/// Data shared by all cells, and what units set.
pub struct Basis {
    period: Period,
    rules: Vec<Rule>,
    limits: HashMap<Uuid, Vec<Limit>>,
    offers: HashMap<Uuid, Vec<OfferedRule>>,
    parameters: Vec<Parameter>,
}

impl Basis {
    /// Loads what matters to the cells in a month, in four statements.
    pub async fn load(conn: &mut Conn, cells: &[CellOutlook], period: Period, day: NaiveDate) -> Result<Self, Problem> {
        let units: BTreeSet<Uuid> = cells.iter().flat_map(|cell| cell.path.iter().copied()).collect();
        let units: Vec<Uuid> = units.into_iter().collect();
        let mut by_unit: HashMap<Uuid, Vec<Limit>> = HashMap::new();
        for row in limits(conn, &units, day).await? {
            by_unit.entry(row.unit_id).or_default().push(Limit::from(row));
        }
        let mut offers: HashMap<Uuid, Vec<OfferedRule>> = HashMap::new();
        for offered in store::offers(conn, &units, period).await? {
            offers.entry(offered.unit_id).or_default().push(offered);
        }
        let parameters = store::parameters(conn, &units, day).await?;
        Ok(Self { period, rules: rules(conn, day).await?, limits: by_unit, offers, parameters })
    }

    /// The units of a path that set anything: cells with the same such units share the outlook.
    pub fn what_matters(&self, path: &[Uuid]) -> Vec<Uuid> {
        let sets = |unit: &Uuid| {
            self.limits.contains_key(unit)
                || self.offers.contains_key(unit)
                || self.parameters.iter().any(|parameter| parameter.unit_id == Some(*unit))
        };
        path.iter().copied().filter(sets).collect()
    }

    /// What the month offers the cell with this path, itself first.
    pub fn outlook(&self, path: &[Uuid]) -> Outlook {
        let limits: Vec<Limit> = path.iter().filter_map(|unit| self.limits.get(unit)).flatten().cloned().collect();
        let rules = narrowed(&self.rules, &limits);
        let on_offer: BTreeSet<(&str, &str)> = path
            .iter()
            .filter_map(|unit| self.offers.get(unit))
            .flatten()
            .map(|offered| (offered.rule_code.as_str(), offered.object_id.as_str()))
            .collect();
        let mut open: BTreeMap<String, i64> = BTreeMap::new();
        for (rule, _) in on_offer {
            *open.entry(rule.to_owned()).or_default() += 1;
        }
        let cap = self.parameter(SELF_SERVICE_DAY_CAP, path);
        let (first, nothing) = (self.period.first_day(), Counters::default());
        let most = |without| attainable(&rules, &nothing, &open, first, self.period, without, cap);
        let threshold = self.parameter(THRESHOLD, path).max(self.parameter(THRESHOLD_FLOOR, path));
        Outlook { with_device: most(false), without_device: most(true), threshold }
    }

    /// The value that binds. A row without a unit is the default of the whole system, above all units.
    fn parameter(&self, name: &str, path: &[Uuid]) -> i32 {
        let distance = |parameter: &Parameter| match parameter.unit_id {
            Some(unit) => path.iter().position(|above| *above == unit),
            None => Some(path.len()),
        };
        let named = self.parameters.iter().filter(|parameter| parameter.name == name);
        let reaching = named.filter_map(|parameter| Some((distance(parameter)?, parameter.value)));
        binding(name, reaching).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::engine::rules::Audience;
    use crate::points::{self};

    const WARD: Uuid = Uuid::from_u128(1);
    const CELL: Uuid = Uuid::from_u128(2);

    fn rule(code: &str, event: &str, points: i32, cap_month: Option<i32>, audience: Audience) -> Rule {
        Rule {
            code: code.to_owned(),
            version: 1,
            event: event.to_owned(),
            points,
            tiers: Vec::new(),
            cap_day: None,
            cap_month,
            self_service: event != points::MEETING,
            audience,
            attested_by: "server".to_owned(),
            title_vi: String::new(),
            title_en: String::new(),
            valid_from: NaiveDate::default(),
            valid_to: None,
        }
    }

    fn parameter(name: &str, unit_id: Option<Uuid>, value: i32) -> Parameter {
        Parameter { name: name.to_owned(), unit_id, value }
    }

    fn basis() -> Basis {
        let offered = |unit_id, object: &str| OfferedRule {
            unit_id,
            rule_code: "document_read".to_owned(),
            object_id: object.to_owned(),
        };
        Basis {
            period: "2026-11".parse().unwrap(),
            rules: vec![
                rule("document_read", "document.read", 3, None, Audience::Everyone),
                rule("meeting_attended", points::MEETING, 8, None, Audience::Everyone),
                rule("daily_visit", "visit", 1, Some(8), Audience::WithDevice),
                rule("assisted_session", points::ASSISTED_STUDY, 2, Some(8), Audience::WithoutDevice),
            ],
            limits: HashMap::new(),
            // A document offered twice on the path counts once.
            offers: HashMap::from([
                (WARD, vec![offered(WARD, "a"), offered(WARD, "b")]),
                (CELL, vec![offered(CELL, "a")]),
            ]),
            parameters: vec![
                parameter("threshold", None, 30),
                parameter("threshold", Some(WARD), 20),
                parameter(SELF_SERVICE_DAY_CAP, None, 12),
            ],
        }
    }

    #[test]
    fn documents_visits_and_the_monthly_meeting_add_up() {
        let basis = basis();
        let expected = Outlook { with_device: 6 + 8 + 8, without_device: 6 + 8 + 8, threshold: 20 };
        assert_eq!(basis.outlook(&[CELL, WARD]), expected);
        assert_eq!(basis.outlook(&[Uuid::from_u128(9)]).threshold, 30);
        assert_eq!(basis.outlook(&[Uuid::from_u128(9)]).with_device, 16);
        assert_eq!(basis.what_matters(&[Uuid::from_u128(9), CELL, WARD]), [CELL, WARD]);
    }

    #[test]
    fn no_cell_lets_its_members_earn_more_alone_than_the_units_above() {
        let mut basis = basis();
        basis.parameters.push(parameter(SELF_SERVICE_DAY_CAP, Some(WARD), 0));
        basis.parameters.push(parameter(SELF_SERVICE_DAY_CAP, Some(CELL), 12));
        assert_eq!(basis.outlook(&[CELL, WARD]).with_device, 8, "the meeting alone");
        assert_eq!(basis.outlook(&[CELL]).with_device, 3 + 8 + 8);
    }

    #[test]
    fn limits_lower_it() {
        let mut basis = basis();
        let limit = Limit {
            rule_code: "daily_visit".to_owned(),
            switched_off: true,
            points: None,
            cap_day: None,
            cap_month: None,
        };
        basis.limits.insert(CELL, vec![limit]);
        assert_eq!(basis.outlook(&[CELL, WARD]).with_device, 14);
        assert_eq!(basis.outlook(&[Uuid::from_u128(9), WARD]).with_device, 22);
    }
}
