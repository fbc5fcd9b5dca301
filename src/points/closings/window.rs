//! When a month can be closed by hand, and when it closes by itself. Pure.

use chrono::{Datelike, Days, NaiveDate};

use crate::kernel::clock::Period;

/// Days of the next month in which the secretary closes.
const DAYS_BY_HAND: u64 = 5;
/// Days that a reopened month stays open, the day of the reopening not counted.
const DAYS_REOPENED: u64 = 5;

/// Whether the secretary may close the month today: in the first five days of the next one, or while it is reopened.
pub fn open_to_the_secretary(period: Period, open_until: Option<NaiveDate>, today: NaiveDate) -> bool {
    let first = period.next().first_day();
    (first <= today && today < first + Days::new(DAYS_BY_HAND)) || open_until.is_some_and(|last| today <= last)
}

/// The last day of a month reopened today.
pub fn reopened_until(today: NaiveDate) -> NaiveDate {
    today + Days::new(DAYS_REOPENED)
}

/// The latest month whose days for the secretary are over: it closes by itself.
pub fn latest_due(today: NaiveDate) -> Period {
    let before = Period::containing(today).previous();
    if u64::from(today.day()) > DAYS_BY_HAND { before } else { before.previous() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(s: &str) -> NaiveDate {
        s.parse().unwrap()
    }

    #[test]
    fn five_days_are_the_secretary_s_and_the_sixth_is_nobody_s() {
        let november: Period = "2026-11".parse().unwrap();
        for (today, by_hand, due) in [
            ("2026-11-30", false, "2026-10"),
            ("2026-12-01", true, "2026-10"),
            ("2026-12-05", true, "2026-10"),
            ("2026-12-06", false, "2026-11"),
            ("2027-01-05", false, "2026-11"),
        ] {
            assert_eq!(open_to_the_secretary(november, None, day(today)), by_hand, "{today}");
            assert_eq!(latest_due(day(today)).to_string(), due, "{today}");
        }
        let until = reopened_until(day("2027-02-10"));
        assert!(open_to_the_secretary(november, Some(until), day("2027-02-15")));
        assert!(!open_to_the_secretary(november, Some(until), day("2027-02-16")));
    }
}
