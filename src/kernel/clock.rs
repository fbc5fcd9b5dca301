//! The injected clock, and months as the organisation counts them: UTC+7, no daylight saving.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// Asia/Ho_Chi_Minh.
pub const VIET_NAM: FixedOffset = match FixedOffset::east_opt(7 * 3600) {
    Some(offset) => offset,
    None => unreachable!(),
};

/// The day of an instant in Viet Nam.
pub fn day_of(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&VIET_NAM).date_naive()
}

/// The first moment of a day in Viet Nam.
#[must_use]
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    (day.and_time(chrono::NaiveTime::MIN) - VIET_NAM).and_utc()
}

/// Source of the current time. Everything that needs the time asks this; nothing asks the database or the client.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved; microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(at: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// The current time, cut to microseconds as PostgreSQL stores it.
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match self {
            #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
            Self::System => Utc::now().timestamp_micros(),
            Self::Manual(at) => at.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Advances a manual clock; has no effect on the machine's.
    pub fn advance(&self, by: chrono::Duration) {
        if let Self::Manual(at) = self {
            at.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }

    /// Sets a manual clock; has no effect on the machine's.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Self::Manual(at) = self {
            at.store(to.timestamp_micros(), Ordering::SeqCst);
        }
    }
}

/// A calendar month in Viet Nam, written `2026-11`. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    first: NaiveDate,
}

impl Period {
    /// The month that contains a day.
    pub fn containing(day: NaiveDate) -> Self {
        Self { first: day.with_day(1).unwrap_or(day) }
    }

    pub fn first_day(self) -> NaiveDate {
        self.first
    }

    pub fn last_day(self) -> NaiveDate {
        self.next().first - Days::new(1)
    }

    pub fn next(self) -> Self {
        Self { first: self.first + Months::new(1) }
    }

    pub fn previous(self) -> Self {
        Self { first: self.first - Months::new(1) }
    }

    /// Number of days, 28–31.
    pub fn days(self) -> i32 {
        i32::try_from((self.next().first - self.first).num_days()).unwrap_or(31)
    }

    /// The day for which memberships and exemptions are evaluated: the last of the month, or today while it runs.
    pub fn reference_day(self, today: NaiveDate) -> NaiveDate {
        self.last_day().min(today.max(self.first))
    }

    /// Days that can still earn points, today included; 0 when the month has ended.
    pub fn days_left(self, today: NaiveDate) -> i32 {
        let from = today.max(self.first);
        i32::try_from((self.next().first - from).num_days().max(0)).unwrap_or(0)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first.format("%Y-%m"))
    }
}

impl FromStr for Period {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if s.len() != 7 {
            return Err("a month is written YYYY-MM");
        }
        let first =
            NaiveDate::parse_from_str(&format!("{s}-01"), "%Y-%m-%d").map_err(|_| "a month is written YYYY-MM")?;
        if !(2000..=2200).contains(&first.year()) {
            return Err("a month lies between 2000 and 2200");
        }
        Ok(Self { first })
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl ToSchema for Period {}

impl PartialSchema for Period {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .description(Some("A calendar month in Asia/Ho_Chi_Minh, `YYYY-MM`."))
            .pattern(Some("^2[01][0-9]{2}-(0[1-9]|1[0-2])$"))
            .max_length(Some(7))
            .examples([serde_json::json!("2026-11")])
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(s: &str) -> NaiveDate {
        s.parse().unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_in_viet_nam() {
        let before: DateTime<Utc> = "2026-11-30T16:59:59Z".parse().unwrap();
        assert_eq!(day_of(before), day("2026-11-30"));
        let after: DateTime<Utc> = "2026-11-30T17:00:00Z".parse().unwrap();
        assert_eq!(day_of(after), day("2026-12-01"));
    }

    #[test]
    fn months_know_their_days() {
        let november: Period = "2026-11".parse().unwrap();
        assert_eq!(november.last_day(), day("2026-11-30"));
        assert_eq!(november.next().to_string(), "2026-12");
        assert_eq!(november.days_left(day("2026-11-20")), 11);
        assert_eq!(november.days_left(day("2026-12-01")), 0);
        assert_eq!(november.reference_day(day("2026-11-20")), day("2026-11-20"));
        assert_eq!(november.reference_day(day("2027-02-01")), day("2026-11-30"));
        assert_eq!("2024-02".parse::<Period>().unwrap().days(), 29);
        assert!("2026-13".parse::<Period>().is_err());
        assert!("2026-1".parse::<Period>().is_err());
    }
}
