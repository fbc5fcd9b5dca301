//! Reading time: how much a document needs, and how much the server may credit by its own clock.

use chrono::{DateTime, Utc};

/// How fast people read, and the bounds of what is asked of them.
#[derive(Debug, Clone, Copy)]
pub struct ReadingSpeed {
    /// Words a minute.
    pub words_per_minute: u32,
    /// Least time, seconds.
    pub floor: u32,
    /// Greatest time, seconds.
    pub ceiling: u32,
}

/// Seconds a document needs: by its words, or a minute a page for a scan without text.
pub fn required_seconds(words: i32, pages: Option<i32>, pace: ReadingSpeed) -> i32 {
    let natural = if words > 0 {
        (i64::from(words) * 60 + i64::from(pace.words_per_minute) - 1) / i64::from(pace.words_per_minute.max(1))
    } else {
        i64::from(pages.unwrap_or(0)) * 60
    };
    let bounded = natural.clamp(i64::from(pace.floor), i64::from(pace.ceiling));
    i32::try_from(bounded).unwrap_or(i32::MAX)
}

/// Milliseconds to credit for the gap between two requests that the server saw: what passed, at most `most_seconds`.
pub fn credit(last: DateTime<Utc>, now: DateTime<Utc>, most_seconds: u32) -> i64 {
    (now - last).num_milliseconds().clamp(0, i64::from(most_seconds) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACE: ReadingSpeed = ReadingSpeed { words_per_minute: 250, floor: 30, ceiling: 900 };

    #[test]
    fn time_follows_length_within_bounds() {
        assert_eq!(required_seconds(10, None, PACE), 30);
        assert_eq!(required_seconds(250, None, PACE), 60);
        assert_eq!(required_seconds(251, None, PACE), 61);
        assert_eq!(required_seconds(1_000_000, None, PACE), 900);
        assert_eq!(required_seconds(0, Some(4), PACE), 240);
        assert_eq!(required_seconds(0, Some(400), PACE), 900);
        assert_eq!(required_seconds(500, Some(400), PACE), 120);
        assert_eq!(required_seconds(i32::MAX, None, PACE), 900);
    }

    proptest! {
        /// For any heartbeats in any order, no more is credited than has passed.
        #[test]
        fn never_more_than_has_passed(beats in prop::collection::vec(0_i64..600_000, 1..60), most in 0_u32..200) {
            let start = DateTime::UNIX_EPOCH;
            let (mut last, mut credited) = (start, 0);
            for millis in &beats {
                let now = start + chrono::Duration::milliseconds(*millis);
                let gained = credit(last, now, most);
                prop_assert!((0..=i64::from(most) * 1000).contains(&gained));
                credited += gained;
                last = last.max(now);
            }
            prop_assert!(credited <= beats.iter().copied().max().unwrap_or(0));
        }
    }
}
