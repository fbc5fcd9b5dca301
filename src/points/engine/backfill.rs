//! Applies the rules in memory to members' past deeds: for bulk data generation, not for requests.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::history::Deeds;
use super::rules::{self, Counters, Facts, Outcome, Rule};
use super::store;

/// The rules of the whole system in force in each month of a stretch of time.
pub struct Judge {
    months: Vec<(Period, Vec<Rule>)>,
    self_service_cap: i32,
}

/// A member's month as the rules see it.
pub struct JudgedMonth<'a> {
    pub period: Period,
    pub points: i32,
    /// As they are stored with the month.
    pub counters: serde_json::Value,
    pub entries: Vec<JudgedEntry<'a>>,
}

/// An entry for the ledger.
pub struct JudgedEntry<'a> {
    pub rule: &'a str,
    pub rule_version: i32,
    pub object_kind: &'a str,
    pub object_id: &'a str,
    pub points: i32,
    pub day: NaiveDate,
    pub at: DateTime<Utc>,
}

impl Judge {
    /// Reads the rules of the months from `since` to `today`. Parameters set by units are ignored.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn load(conn: &mut Conn, since: NaiveDate, today: NaiveDate) -> Result<Self, Problem> {
        let (mut months, mut period) = (Vec::new(), Period::containing(since));
        while period.first_day() <= today {
            months.push((period, store::rules(conn, period.last_day().min(today)).await?));
            period = period.next();
        }
        let self_service_cap = store::parameters(conn, &[], today).await?.self_service_cap;
        Ok(Self { months, self_service_cap })
    }

    /// What the rules give for the deeds of a member without entries. Deeds come in order of time, each with an object
    /// of its own; months without deeds are left out.
    ///
    /// # Errors
    /// An internal error when counters cannot be written as JSON.
    pub fn months<'a>(&'a self, deeds: &'a Deeds, without_device: bool) -> Result<Vec<JudgedMonth<'a>>, Problem> {
        let mut judged = Vec::new();
        let mut rest = deeds.as_slice();
        for (period, rules) in &self.months {
            let count = rest.partition_point(|(_, at)| day_of(*at) <= period.last_day());
            let (of_month, later) = rest.split_at(count);
            rest = later;
            if !of_month.is_empty() {
                judged.push(self.month(*period, rules, of_month, without_device)?);
            }
        }
        Ok(judged)
    }

    fn month<'a>(
        &self,
        period: Period,
        rules: &'a [Rule],
        deeds: &'a [(crate::points::Deed, DateTime<Utc>)],
        without_device: bool,
    ) -> Result<JudgedMonth<'a>, Problem> {
        let (mut counters, mut entries) = (Counters::default(), Vec::new());
        let nothing = BTreeSet::new();
        for (deed, at) in deeds {
            let day = day_of(*at);
            let facts = Facts {
                event: deed.event,
                percent: deed.percent,
                already: 0,
                day,
                without_device,
                self_service_cap: self.self_service_cap,
                credited: &nothing,
            };
            for (rule, outcome) in rules::decide(rules, &facts, &mut counters) {
                if let Outcome::Points(points) = outcome {
                    entries.push(JudgedEntry {
                        rule: &rule.code,
                        rule_version: rule.version,
                        object_kind: deed.object_kind,
                        object_id: &deed.object_id,
                        points,
                        day,
                        at: *at,
                    });
                }
            }
        }
        counters.drop_old_days();
        Ok(JudgedMonth {
            period,
            points: entries.iter().map(|entry| entry.points).sum(),
            counters: serde_json::to_value(&counters).map_err(Problem::internal)?,
            entries,
        })
    }
}
