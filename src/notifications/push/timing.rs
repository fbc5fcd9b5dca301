//! When a phone may be told: not at night, unless it cannot wait.

use chrono::{DateTime, Days, NaiveTime, Timelike, Utc};

use crate::kernel::clock::{VIET_NAM, start_of};

/// The first hour of the night in Viet Nam, and the first after it.
const NIGHT: (u32, u32) = (21, 6);

/// What an account is told of at any hour, muted or not: it may be a stranger's doing.
const URGENT: &[&str] = &["new_device", "password_changed", "sessions_revoked", "slip_redeemed", "account_suspended"];

pub fn is_urgent(kind: &str) -> bool {
    URGENT.contains(&kind)
}

/// The same instant, or the end of the night that it lies in.
pub fn after_the_night(at: DateTime<Utc>) -> DateTime<Utc> {
    let local = at.with_timezone(&VIET_NAM);
    let (dusk, dawn) = NIGHT;
    let day = match local.hour() {
        hour if hour >= dusk => local.date_naive() + Days::new(1),
        hour if hour < dawn => local.date_naive(),
        _ => return at,
    };
    let morning = NaiveTime::from_hms_opt(dawn, 0, 0).unwrap_or_default();
    start_of(day) + (morning - NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_lasts_from_nine_to_six() {
        let at = |text: &str| text.parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc();
        let morning = at("2026-11-21T06:00:00+07:00");
        for night in [
            "2026-11-20T21:00:00+07:00",
            "2026-11-20T23:59:59+07:00",
            "2026-11-21T00:00:00+07:00",
            "2026-11-21T05:59:59+07:00",
        ] {
            assert_eq!(after_the_night(at(night)), morning, "{night}");
        }
        for day in ["2026-11-20T20:59:59+07:00", "2026-11-21T06:00:00+07:00"] {
            assert_eq!(after_the_night(at(day)), at(day));
        }
    }
}
