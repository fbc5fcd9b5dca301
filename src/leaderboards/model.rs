//! Types of leaderboards: the board asked for, places on it, what a projection keeps.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Int4, Text, Uuid as SqlUuid};
use uuid::Uuid;

use crate::kernel::clock::Period;

/// The unit and the month a board is of, and the day on which membership is looked at.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub unit_id: Uuid,
    pub period: Period,
    pub day: NaiveDate,
}

/// A ranked member.
#[derive(Debug, QueryableByName)]
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
    #[diesel(sql_type = Bool)]
    pub opted_in: bool,
}

/// What a projection keeps of a member.
#[derive(Debug, QueryableByName)]
pub struct Score {
    #[diesel(sql_type = BigInt)]
    pub no: i64,
    #[diesel(sql_type = Int4)]
    pub points: i32,
    #[diesel(sql_type = Bool)]
    pub met: bool,
}

/// What Redis knows of a place.
pub struct Standing {
    pub place: i64,
    pub rank: i64,
    pub no: i64,
    pub points: i32,
    pub met: bool,
}
