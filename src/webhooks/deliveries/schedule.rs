//! When an endpoint counts as dead.

use chrono::{DateTime, TimeDelta, Utc};

/// After so many hours of nothing but failures an endpoint is paused.
const DEAD_HOURS: i64 = 24;
/// The same when a delivery was given up meanwhile.
const DEAD_HOURS_AFTER_LOSS: i64 = 12;

/// Whether an endpoint that has failed since then counts as dead. `lost` says that a delivery was given up.
pub fn is_dead(failing_since: DateTime<Utc>, lost: bool, now: DateTime<Utc>) -> bool {
    let hours = if lost { DEAD_HOURS_AFTER_LOSS } else { DEAD_HOURS };
    now - failing_since >= TimeDelta::hours(hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_dead_after_a_day_of_failures() {
        let now: DateTime<Utc> = "2026-11-20T03:00:00Z".parse().unwrap();
        let since = |hours| now - TimeDelta::hours(hours);
        assert!(is_dead(since(24), false, now) && !is_dead(since(23), false, now));
        assert!(is_dead(since(12), true, now) && !is_dead(since(11), true, now));
    }
}
