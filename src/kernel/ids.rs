//! Identifiers: opaque to clients, ordered by time inside.

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// A new identifier that sorts by its time of creation.
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}

/// The least identifier made at a time or later: what was made before is found by the primary key.
pub fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn identifiers_stand_behind_the_first_of_their_time() {
        let at: DateTime<Utc> = "2026-11-27T10:00:00.123Z".parse().unwrap();
        assert!(first_id(at) <= new_id(at) && new_id(at) < first_id(at + TimeDelta::milliseconds(1)));
    }
}
