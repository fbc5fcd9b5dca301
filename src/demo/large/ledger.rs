//! History of a large demo: deeds judged by the rules in force, as rows of ledger and months.

use chrono::{DateTime, Utc};

use crate::demo::story::{self, Eagerness, Published};
use crate::points::{Deeds, Judge, JudgedMonth};

use super::copy::CopyRows;
use super::persons::begin;
use super::plan::{LargePlan, Person, stamped};

/// The plan, the rules and what was on offer.
pub struct History {
    pub plan: std::sync::Arc<LargePlan>,
    pub judge: Judge,
    pub documents: Vec<Published>,
}

/// The columns that [`entries`] fills.
pub const ENTRIES: &str = "point_entries (member_id, id, kind, rule_code, rule_version, object_kind, object_id, points, \
     period, day, occurred_at, unit_id)";

/// Rows of [`ENTRIES`] for members of these cells.
pub fn entries(history: &History, cells: std::ops::Range<u32>, rows: &mut CopyRows) -> Result<(), String> {
    let plan = &history.plan;
    each_month(history, cells, |person, order, month| {
        for (place, entry) in (0..).zip(&month.entries) {
            let cell = match person.moved {
                Some((before, day)) if entry.day < day => before,
                _ => person.cell,
            };
            begin(rows, 12)?;
            rows.id(person.id);
            rows.id(entry_id(person, entry.at, order * 1000 + place));
            rows.text("award");
            rows.text(entry.rule);
            rows.int(entry.rule_version);
            rows.text(entry.object_kind);
            rows.text(entry.object_id);
            rows.int(entry.points);
            rows.day(month.period.first_day());
            rows.day(entry.day);
            rows.time(entry.at);
            rows.id(plan.unit_id(plan.cell_unit(cell)));
        }
        Ok(())
    })
}

/// Rows of `member_months (member_id, period, points, counters)`.
pub fn months(history: &History, rows: &mut CopyRows) -> Result<(), String> {
    each_month(history, 0..history.plan.shape.cells, |person, _, month| {
        begin(rows, 4)?;
        rows.id(person.id);
        rows.day(month.period.first_day());
        rows.int(month.points);
        rows.json(&month.counters);
        Ok(())
    })
}

fn each_month(
    history: &History,
    cells: std::ops::Range<u32>,
    mut each: impl FnMut(&Person, u64, &JudgedMonth<'_>) -> Result<(), String>,
) -> Result<(), String> {
    for cell in cells {
        for number in history.plan.members_of(cell) {
            let person = history.plan.person(cell, number);
            if person.exempt {
                continue;
            }
            let deeds = deeds(history, &person);
            let judged = history.judge.months(&deeds, person.without_device).map_err(|e| e.to_string())?;
            for (order, month) in (0..).zip(&judged) {
                each(&person, order, month)?;
            }
        }
    }
    Ok(())
}

fn deeds(history: &History, person: &Person) -> Deeds {
    let (plan, mut dice) = (&history.plan, history.plan.dice(5, person.number));
    let eagerness = if person.place == 0 { Eagerness::full() } else { Eagerness::of(&mut dice) };
    let mut deeds = story::deeds(&mut dice, eagerness, &history.documents, plan.since, plan.today);
    if !plan.shape.visits {
        deeds.retain(|(deed, _)| deed.object_kind != "day");
    }
    deeds
}

fn entry_id(person: &Person, at: DateTime<Utc>, order: u64) -> uuid::Uuid {
    stamped(u64::try_from(at.timestamp_millis()).unwrap_or(0), 6 << 56 ^ order << 32 ^ u64::from(person.number))
}
