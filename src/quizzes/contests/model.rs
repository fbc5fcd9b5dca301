//! Final results of a contest as a verifiable document, in the canonical form of closed months. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::points::signing::ReportKey;

/// What the first version of the form is called.
pub const FORMAT: &str = "sotay/contest/1";
/// The number of all rounds together.
pub const OVER_ALL: i16 = 0;

/// A member's result in one round.
///
/// Canonical order: `round`, `rank`, `score`, `seconds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestRoundResult {
    /// The round, from 1.
    #[schema(minimum = 1, maximum = 50, example = 1)]
    pub round: i16,
    /// The rank in the round; equal results share one.
    #[schema(minimum = 1, maximum = 10_000_000, example = 3)]
    pub rank: i64,
    /// Questions answered as they should be.
    #[schema(minimum = 0, maximum = 200, example = 4)]
    pub score: i32,
    /// The time used.
    #[schema(minimum = 0, maximum = 100_000, example = 420)]
    pub seconds: i32,
}

/// A member's final result.
///
/// Canonical order: `position`, `rank`, `member_id`, `full_name`, `unit_id`, `unit_name`, `score`, `seconds`, `rounds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestRow {
    /// Its place in the list, from 1.
    #[schema(minimum = 1, maximum = 10_000_000, example = 1)]
    pub position: i32,
    /// The rank over all rounds; equal results share one: 1, 2, 2, 4.
    #[schema(minimum = 1, maximum = 10_000_000, example = 1)]
    pub rank: i64,
    /// The member.
    pub member_id: Uuid,
    /// The name on that day.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub full_name: String,
    /// The member's cell at the last attempt that counted.
    pub unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ khu phố 1")]
    pub unit_name: String,
    /// The sum of the rounds.
    #[schema(minimum = 0, maximum = 10_000, example = 9)]
    pub score: i32,
    /// The time used in all rounds.
    #[schema(minimum = 0, maximum = 5_000_000, example = 840)]
    pub seconds: i32,
    /// The rounds that the member took.
    #[schema(max_items = 50)]
    pub rounds: Vec<ContestRoundResult>,
}

/// A round as it was held.
///
/// Canonical order: `round`, `quiz_id`, `title`, `opens_at`, `closes_at`, `questions`, `participants`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldRound {
    /// The round, from 1.
    #[schema(minimum = 1, maximum = 50, example = 1)]
    pub round: i16,
    /// Its quiz.
    pub quiz_id: Uuid,
    /// What it was called.
    #[schema(max_length = 200, example = "Tìm hiểu Điều lệ Đảng, tuần 1")]
    pub title: String,
    /// When its window began.
    pub opens_at: DateTime<Utc>,
    /// When its window ended.
    pub closes_at: DateTime<Utc>,
    /// Questions of an attempt.
    #[schema(minimum = 1, maximum = 200, example = 5)]
    pub questions: i32,
    /// Members who are ranked in it.
    #[schema(minimum = 0, maximum = 10_000_000, example = 60)]
    pub participants: i32,
}

/// What is signed: the contest, its rounds, and the hash of every row.
///
/// Canonical order: `format`, `contest_id`, `unit_id`, `unit_name`, `title`, `frozen_at`, `rounds`, `row_hashes`, `kid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestManifest {
    /// The form, always `sotay/contest/1`.
    #[schema(max_length = 40, pattern = "^sotay/contest/1$", example = "sotay/contest/1")]
    pub format: String,
    /// The contest.
    pub contest_id: Uuid,
    /// The unit that held it.
    pub unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Đảng bộ phường Bình Minh")]
    pub unit_name: String,
    /// What it was called.
    #[schema(max_length = 200, example = "Cuộc thi tìm hiểu Điều lệ Đảng")]
    pub title: String,
    /// When the results were frozen.
    pub frozen_at: DateTime<Utc>,
    /// The rounds that were published.
    #[schema(max_items = 50)]
    pub rounds: Vec<HeldRound>,
    /// SHA-256 of each row's canonical form, in order, in lower-case hexadecimal digits.
    #[schema(max_items = 10_000_000)]
    pub row_hashes: Vec<String>,
    /// The key that signed: the thumbprint (RFC 7638) of its public half.
    #[schema(
        min_length = 43,
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )]
    pub kid: String,
}

/// Final results as a file: what `sotay verify-report` reads.
///
/// Canonical order: `manifest`, `rows`, `signature`, `key`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestReport {
    /// What is signed.
    pub manifest: ContestManifest,
    /// The rows whose hashes the manifest lists.
    #[schema(max_items = 10_000_000)]
    pub rows: Vec<ContestRow>,
    /// Ed25519 signature of the manifest's canonical form, in base64url without padding.
    #[schema(
        min_length = 86,
        max_length = 86,
        pattern = "^[A-Za-z0-9_-]{86}$",
        example = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )]
    pub signature: String,
    /// The key that made it. Trust the one published at `/.well-known/report-keys.json`, not the one in the file.
    pub key: ReportKey,
}

/// The ranks of results that stand in their order: equal ones share a rank (1, 2, 2, 4).
pub fn ranks<T: PartialEq>(results: impl Iterator<Item = T>) -> impl Iterator<Item = i64> {
    let mut last: Option<(T, i64)> = None;
    (1..).zip(results).map(move |(place, result)| {
        let rank = match &last {
            Some((before, rank)) if *before == result => *rank,
            _ => place,
        };
        last = Some((result, rank));
        rank
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_results_share_a_rank() {
        let results = [(5, 60), (5, 70), (5, 70), (4, 10), (4, 10), (4, 10), (0, 1)];

        assert_eq!(ranks(results.into_iter()).collect::<Vec<_>>(), [1, 2, 2, 4, 4, 4, 7]);
    }
}
