//! Redis boards of large units: sorted sets of member numbers, read in one or two round trips.

pub mod check;
pub mod first_places;
pub mod kept;
pub mod lookup;
pub mod rebuild;
pub mod redis_sync;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use redis::RedisResult;
use redis::aio::ConnectionManager;
use uuid::Uuid;

use super::model::{Nameless, OwnRank, RankedMember, unscore};
use super::span::Span;

/// A board that is not updated for so long is stale, seconds.
const FRESH_SECONDS: i64 = 30;

/// The keys of one board; the braces keep them on one node of a cluster.
pub struct BoardKeys {
    pub scores: String,
    /// Its holder (`fence`), its step (`step`) and the time of its figures (`as_of`).
    pub about: String,
    tag: String,
}

impl BoardKeys {
    pub fn of(unit_id: Uuid, span: Span) -> Self {
        let tag = format!("{{board:{unit_id}:{span}}}");
        let key = |part: &str| format!("{tag}:{part}");
        Self { scores: key("scores"), about: key("about"), tag }
    }

    /// Key of the board that one rebuild makes as the next one.
    pub fn next(&self, rebuild: Uuid) -> String {
        format!("{}:next:{rebuild}", self.tag)
    }
}

fn fresh(as_of: Option<i64>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    as_of.filter(|at| now.timestamp() - at < FRESH_SECONDS).and_then(|at| DateTime::from_timestamp(at, 0))
}

fn index(place: i64) -> isize {
    isize::try_from(place).unwrap_or(isize::MAX)
}

/// The members with more points than these.
fn count_above<'p>(pipe: &'p mut redis::Pipeline, keys: &BoardKeys, points: i32) -> &'p mut redis::Pipeline {
    pipe.zcount(&keys.scores, points + 1, "+inf")
}

/// The first places and the viewer's own; none when the board is missing or stale.
pub async fn top(
    mut c: ConnectionManager,
    keys: &BoardKeys,
    own: Option<i64>,
    limit: i64,
    now: DateTime<Utc>,
) -> RedisResult<Option<(Vec<RankedMember>, DateTime<Utc>)>> {
    type Answer = (Option<i64>, Vec<(i64, f64)>, Option<f64>);
    let mut ask = redis::pipe();
    ask.hget(&keys.about, "as_of");
    ask.zrevrange_withscores(&keys.scores, 0, index(limit - 1));
    ask.zscore(&keys.scores, own.unwrap_or(-1));
    let (as_of, first, own_score): Answer = ask.query_async(&mut c).await?;
    let Some(as_of) = fresh(as_of, now) else { return Ok(None) };
    let mut found: Vec<RankedMember> = Vec::new();
    for (place, (no, score)) in (1..).zip(first) {
        let (points, met) = unscore(score);
        let rank = found.last().filter(|before| before.points == points).map_or(place, |before| before.rank);
        found.push(RankedMember { place, rank, no, points, met });
    }
    if let (Some(no), Some(score)) = (own, own_score)
        && !found.iter().any(|standing| standing.no == no)
    {
        let (points, met) = unscore(score);
        let (above,): (i64,) = count_above(&mut redis::pipe(), keys, points).query_async(&mut c).await?;
        found.push(RankedMember { place: i64::MAX, rank: above + 1, no, points, met });
    }
    Ok(Some((found, as_of)))
}

/// Ranks of several members on one board, none for members who are not ranked here; no answer at all when the board is
/// missing or stale.
pub async fn ranks(
    mut c: ConnectionManager,
    keys: &BoardKeys,
    numbers: &[i64],
    now: DateTime<Utc>,
) -> RedisResult<Option<(Vec<Option<OwnRank>>, DateTime<Utc>)>> {
    let mut ask = redis::pipe();
    ask.hget(&keys.about, "as_of").zcard(&keys.scores).zscore_multiple(&keys.scores, numbers);
    let (as_of, of, scores): (Option<i64>, i64, Vec<Option<f64>>) = ask.query_async(&mut c).await?;
    if fresh(as_of, now).is_none() {
        return Ok(None);
    }
    let points: Vec<Option<i32>> = scores.into_iter().map(|score| Some(unscore(score?).0)).collect();
    // Many members have the same points: they share a rank, and its count.
    let different: BTreeSet<i32> = points.iter().flatten().copied().collect();
    let mut ask = redis::pipe();
    ask.hget(&keys.about, "as_of");
    for points in &different {
        count_above(&mut ask, keys, *points);
    }
    let told: Vec<Option<i64>> = ask.query_async(&mut c).await?;
    let Some((as_of, above)) = told.split_first() else { return Ok(None) };
    // Checked again: on a board that vanished in between, all counts would be zero.
    let Some(as_of) = fresh(*as_of, now) else { return Ok(None) };
    let above: BTreeMap<i32, i64> = different.into_iter().zip(above.iter().flatten().copied()).collect();
    let rank = |points: i32| Some(OwnRank { rank: above.get(&points)? + 1, points, of });
    Ok(Some((points.into_iter().map(|points| rank(points?)).collect(), as_of)))
}

/// The places around one's own, who comes last of their equals, without names and without those of others below their threshold;
/// empty for a member who is not ranked here.
pub async fn around(
    mut c: ConnectionManager,
    keys: &BoardKeys,
    own: i64,
    width: i64,
    now: DateTime<Utc>,
) -> RedisResult<Option<(Vec<Nameless>, DateTime<Utc>)>> {
    let mut ask = redis::pipe();
    ask.hget(&keys.about, "as_of").zscore(&keys.scores, own);
    let (as_of, own_score): (Option<i64>, Option<f64>) = ask.query_async(&mut c).await?;
    let Some(as_of) = fresh(as_of, now) else { return Ok(None) };
    let Some(own_score) = own_score else { return Ok(Some((Vec::new(), as_of))) };
    let (no_worse,): (i64,) = redis::pipe().zcount(&keys.scores, own_score, "+inf").query_async(&mut c).await?;
    // The equals stand in any order on the board: one more place above makes up for one's own.
    let first = (no_worse - 1 - width).max(0);
    let rows: Vec<(i64, f64)> = redis::cmd("ZREVRANGE")
        .arg(&keys.scores)
        .arg(first)
        .arg(no_worse - 1 + width)
        .arg("WITHSCORES")
        .query_async(&mut c)
        .await?;
    let (above, below): (Vec<_>, Vec<_>) =
        rows.into_iter().filter(|(no, _)| *no != own).map(|(_, score)| score).partition(|score| *score >= own_score);
    let surplus = above.len().saturating_sub(usize::try_from(width).unwrap_or(0));
    let others =
        |scores: &[f64]| scores.iter().map(|score| unscore(*score)).filter(|(_, met)| *met).collect::<Vec<_>>();
    let (above, below) = (others(&above[surplus..]), others(&below));
    let own_points = unscore(own_score).0;
    let shown = above.iter().map(|(points, _)| (*points, false)).chain([(own_points, true)]);
    let shown: Vec<(i32, bool)> = shown.chain(below.iter().map(|(points, _)| (*points, false))).collect();
    let mut ask = redis::pipe();
    for (points, _) in &shown {
        count_above(&mut ask, keys, *points);
    }
    let ranks: Vec<i64> = ask.query_async(&mut c).await?;
    let row = |((points, me), above): ((i32, bool), i64)| Nameless { rank: above + 1, points, me };
    Ok(Some((shown.into_iter().zip(ranks).map(row).collect(), as_of)))
}
