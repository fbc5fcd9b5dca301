//! When what failed to leave is tried again.

use chrono::TimeDelta;

use crate::kernel::http::problem::Problem;
use crate::kernel::security::crypto::random_bytes;

/// Pauses after each failed attempt, seconds: about a day in all.
const PAUSES: [i64; 10] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800];
/// A receiver that works again is noticed within so long, seconds.
const LONGEST_REST: i64 = 1_800;

/// The pause after a failure of this number, a fifth more or less by chance, so that what failed together comes apart. None after the
/// last attempt.
///
/// # Errors
/// When the random source fails.
pub fn pause(failures: i32) -> Result<Option<TimeDelta>, Problem> {
    let step = usize::try_from(failures - 1).unwrap_or(0);
    let Some(seconds) = PAUSES.get(step) else { return Ok(None) };
    jittered(*seconds).map(Some)
}

/// How long a receiver is left alone after this many failures in a row.
///
/// # Errors
/// When the random source fails.
pub fn rest(failures: i32) -> Result<TimeDelta, Problem> {
    let step = usize::try_from(failures - 1).unwrap_or(0).min(PAUSES.len() - 1);
    jittered(PAUSES[step].min(LONGEST_REST))
}

fn jittered(seconds: i64) -> Result<TimeDelta, Problem> {
    let chance = i64::from(u16::from_be_bytes(random_bytes::<2>().map_err(Problem::internal)?));
    // From 800 to 1,200 thousandths.
    Ok(TimeDelta::milliseconds(seconds * (800 + chance * 400 / i64::from(u16::MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_for_about_a_day() {
        let first = pause(1).unwrap().unwrap();
        assert!((TimeDelta::seconds(4)..=TimeDelta::seconds(6)).contains(&first), "{first}");
        let whole: TimeDelta = (1..=10).map(|failures| pause(failures).unwrap().unwrap()).sum();
        assert!((TimeDelta::hours(18)..=TimeDelta::hours(30)).contains(&whole), "{whole}");
        assert_eq!(pause(11).unwrap(), None);
    }

    #[test]
    fn a_receiver_is_looked_at_again_within_half_an_hour_or_so() {
        assert!((1..100).all(|failures| rest(failures).unwrap() <= TimeDelta::minutes(36)));
    }
}
