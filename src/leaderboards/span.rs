//! What a leaderboard covers: a month, a quarter or a year.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::clock::Period;

/// A month `2026-11`, a quarter `2026-Q4` or a year `2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    first: Period,
    months: u32,
}

impl Span {
    pub fn month(period: Period) -> Self {
        Self { first: period, months: 1 }
    }

    /// The month, the quarter and the year that contain a month.
    pub fn around(period: Period) -> [Self; 3] {
        let day = period.first_day();
        let starting = |month: u32| Period::containing(day.with_month(month).unwrap_or(day));
        [
            Self::month(period),
            Self { first: starting(day.month0() / 3 * 3 + 1), months: 3 },
            Self { first: starting(1), months: 12 },
        ]
    }

    pub fn first(self) -> Period {
        self.first
    }

    /// A span of so many months; none of a length that no span has.
    pub fn of(first: Period, months: i16) -> Option<Self> {
        Self::around(first).into_iter().find(|span| span.first == first && span.length() == months)
    }

    /// How many months it has: 1, 3 or 12.
    pub fn length(self) -> i16 {
        i16::try_from(self.months).unwrap_or(i16::MAX)
    }

    /// The span of the same length that ended when this one began.
    pub fn before(self) -> Self {
        Self { first: Period::containing(self.first.first_day() - Months::new(self.months)), months: self.months }
    }

    pub fn is_month(self) -> bool {
        self.months == 1
    }

    pub fn contains(self, period: Period) -> bool {
        self.first <= period && period <= self.last()
    }

    fn last(self) -> Period {
        Period::containing(self.first.first_day() + Months::new(self.months - 1))
    }

    /// The month whose reference day decides membership: the last one, or the present one while the span runs.
    pub fn reference(self, today: NaiveDate) -> Period {
        self.last().min(Period::containing(today).max(self.first))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.first.first_day();
        match self.months {
            1 => write!(f, "{}", self.first),
            3 => write!(f, "{}-Q{}", day.year(), day.month0() / 3 + 1),
            _ => write!(f, "{}", day.year()),
        }
    }
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a month is written YYYY-MM, a quarter YYYY-Q1, a year YYYY";
        if let Some((year, quarter)) = s.split_once("-Q") {
            let quarter: u32 = quarter.parse().ok().filter(|q| (1..=4).contains(q)).ok_or(FORM)?;
            let first = format!("{year}-{:02}", quarter * 3 - 2).parse().map_err(|_| FORM)?;
            return Ok(Self { first, months: 3 });
        }
        if s.len() == 4 {
            return Ok(Self { first: format!("{s}-01").parse().map_err(|_| FORM)?, months: 12 });
        }
        s.parse().map(Self::month)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl ToSchema for Span {}

impl PartialSchema for Span {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .description(Some("A calendar month `YYYY-MM`, a quarter `YYYY-Q1` or a year `YYYY` in Asia/Ho_Chi_Minh."))
            .pattern(Some("^2[01][0-9]{2}(-(0[1-9]|1[0-2])|-Q[1-4])?$"))
            .max_length(Some(7))
            .examples([serde_json::json!("2026-11"), serde_json::json!("2026-Q4"), serde_json::json!("2026")])
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_one_another() {
        for (span, before) in [("2026-01", "2025-12"), ("2026-Q1", "2025-Q4"), ("2026", "2025")] {
            let (span, before): (Span, Span) = (span.parse().unwrap(), before.parse().unwrap());
            assert_eq!(span.before(), before);
            assert_eq!(Span::of(span.first(), span.length()), Some(span));
        }
        assert_eq!(Span::of("2026-02".parse().unwrap(), 3), None);
    }

    #[test]
    fn spans_are_written_as_they_are_read() {
        for written in ["2026-11", "2026-Q4", "2026"] {
            assert_eq!(written.parse::<Span>().unwrap().to_string(), written);
        }
        for wrong in ["2026-Q5", "2026-Q0", "26", "2026-13", "2026-Q", "1999"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_running_span_is_looked_at_today_and_an_ended_one_at_its_end() {
        let (today, year): (NaiveDate, Span) = ("2026-11-20".parse().unwrap(), "2026".parse().unwrap());
        assert_eq!(year.reference(today).to_string(), "2026-11");
        assert_eq!("2026-Q2".parse::<Span>().unwrap().reference(today).to_string(), "2026-06");
        let names = Span::around("2026-11".parse().unwrap()).map(|span| span.to_string());
        assert_eq!(names, ["2026-11", "2026-Q4", "2026"]);
        assert!(year.contains("2026-12".parse().unwrap()) && !year.contains("2027-01".parse().unwrap()));
    }
}
