//! The last day on which a transfer can take effect.

use chrono::{Datelike, NaiveDate, Weekday};

/// Working days a transfer may take.
pub const WORKING_DAYS: u32 = 60;

/// The day that many working days (Monday to Friday) after a day.
pub fn working_days_after(day: NaiveDate, working_days: u32) -> NaiveDate {
    let mut left = working_days;
    day.iter_days()
        .skip(1)
        .find(|day| {
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                left = left.saturating_sub(1);
            }
            left == 0
        })
        .unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekends_do_not_count() {
        let day = |s: &str| s.parse::<NaiveDate>().unwrap();
        // 20 November 2026 is a Friday.
        assert_eq!(working_days_after(day("2026-11-20"), 1), day("2026-11-23"));
        assert_eq!(working_days_after(day("2026-11-21"), 5), day("2026-11-27"));
        assert_eq!(working_days_after(day("2026-11-20"), WORKING_DAYS), day("2027-02-12"));
    }
}
