//! Types of leaderboards: the requested board, places on it, and scores.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Int4, Text, Uuid as SqlUuid};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::span::Span;

/// Kinds whose board is projected into Redis. PostgreSQL ranks smaller units at each request.
pub const LARGE_KINDS: [&str; 3] = ["superior_committee", "province", "central"];

/// The unit and the span of a board, and the reference day of membership.
#[derive(Debug, Clone, Copy)]
pub struct Viewer {
    pub unit_id: Uuid,
    pub span: Span,
    pub day: NaiveDate,
}

impl Viewer {
    pub fn new(unit_id: Uuid, span: Span, today: NaiveDate) -> Self {
        Self { unit_id, span, day: span.reference(today).reference_day(today) }
    }
}

/// Where the figures of an answer come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoardSource {
    /// From the members themselves, now.
    Ledger,
    /// From the roll-ups of units, which follow the ledger within seconds.
    RollUp,
    /// From the board kept in memory, which follows the ledger within seconds.
    Board,
}

/// Places with where they come from.
pub struct BoardResult<T> {
    pub rows: T,
    pub source: BoardSource,
    pub as_of: DateTime<Utc>,
}

/// A ranked member.
#[derive(Debug, Clone, QueryableByName)]
pub struct Ranked {
    /// Where the row stands on the board, from 1; beyond its end for a viewer who is not on it.
    #[diesel(sql_type = BigInt)]
    pub place: i64,
    #[diesel(sql_type = BigInt)]
    pub rank: i64,
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub full_name: String,
    #[diesel(sql_type = Int4)]
    pub points: i32,
    #[diesel(sql_type = Bool)]
    pub met: bool,
    /// Whether they may be shown outside their own cell.
    #[diesel(sql_type = Bool)]
    pub opted_in: bool,
    /// Whether they chose to be shown to no peer at all.
    #[diesel(sql_type = Bool)]
    pub hidden: bool,
}

/// A rank without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct Nameless {
    /// Equal points share a rank: 1, 2, 2, 4.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 1, maximum = 10_000_000, example = 12)]
    pub rank: i64,
    /// Points of the span.
    #[diesel(sql_type = Int4)]
    #[schema(minimum = -10_000, maximum = 100_000, example = 27)]
    pub points: i32,
    /// Whether it is the viewer's own place.
    #[diesel(sql_type = Bool)]
    pub me: bool,
}

/// What decides where a member stands.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Score {
    #[diesel(sql_type = Int4)]
    pub points: i32,
    /// Whether they reached their threshold: of equals these come first.
    #[diesel(sql_type = Bool)]
    pub met: bool,
}

/// The viewer's own rank, and the number of ranked members.
#[derive(Debug, Clone, Copy)]
pub struct OwnRank {
    pub rank: i64,
    pub points: i32,
    pub of: i64,
}

/// A place as Redis stores it.
pub struct RankedMember {
    pub place: i64,
    pub rank: i64,
    pub no: i64,
    pub points: i32,
    pub met: bool,
}

/// The score by which Redis sorts: the points, and half a point more for members who reached the threshold. Ranks are
/// counted from whole points, so the half decides only which of equals may be named.
pub fn score(points: i32, met: bool) -> f64 {
    f64::from(points) + if met { 0.5 } else { 0.0 }
}

/// The points and the threshold behind a score.
#[expect(clippy::cast_possible_truncation, reason = "points are far below what a float holds exactly")]
pub fn unscore(score: f64) -> (i32, bool) {
    (score.floor() as i32, score > score.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_says_what_went_into_it() {
        for (points, met) in [(0, false), (30, true), (30, false), (-3, true), (-3, false), (700, true)] {
            assert_eq!(unscore(score(points, met)), (points, met));
        }
        assert!(score(31, false) > score(30, true));
    }
}
