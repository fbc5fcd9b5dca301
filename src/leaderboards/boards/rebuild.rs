//! Rebuilds boards: one pass over members and monthly totals feeds all of them at once.
//! New boards are built beside the old ones, which they replace only with a newer step of a holder
//! that is no older.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int4, Uuid as SqlUuid};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::TryStreamExt;
use redis::aio::ConnectionManager;
use uuid::Uuid;

use crate::kernel::clock::{Clock, day_of};
use crate::kernel::db::lease::{self, Lease};
use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::Problem;
use crate::kernel::redis::Redis;
use crate::points::projection::THRESHOLDS;

use super::BoardKeys;
use super::redis_sync::{self, KEPT_SECONDS, Lost};
use crate::leaderboards::model::Viewer;
use crate::leaderboards::span::Span;
use crate::leaderboards::store::over;

/// Scores sent in one round trip, over all boards.
const CHUNK: usize = 20_000;
/// Reads sent at a time: a millisecond or two for Redis.
const LOOKS: usize = 10_000;
/// Interval at which the lease is renewed, seconds.
const RENEWED_SECONDS: u64 = 5;

/// Lifetime of what a killed rebuild leaves behind, after its last renewal, seconds.
const UNFINISHED_SECONDS: i64 = 60;

/// Puts the new board in its place: 1, or 0 when it is incomplete, or a newer holder keeps the board or has made a
/// newer one. The old one is unlinked first: renaming over a board of millions would free it synchronously and block
/// Redis for seconds. Arguments: fence, step, as of, lifetime, size.
const PLACE: &str = r"
local about = redis.call('HMGET', KEYS[2], 'fence', 'step')
if about[1] and (tonumber(about[1]) > tonumber(ARGV[1]) or tonumber(about[2]) > tonumber(ARGV[2]))
    or redis.call('ZCARD', KEYS[3]) ~= tonumber(ARGV[5]) then
    redis.call('UNLINK', KEYS[3])
    return 0
end
redis.call('UNLINK', KEYS[1])
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[1]) end
redis.call('HSET', KEYS[2], 'fence', ARGV[1], 'step', ARGV[2], 'as_of', ARGV[3], 'size', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 1";

/// What a rebuild needs besides the boards.
pub struct RebuildContext<'a> {
    pub db: &'a Db,
    pub redis: &'a Redis,
    pub clock: &'a Clock,
    pub lease: Lease,
}

/// A cell: the boards it belongs to, its members' numbers, and twice their points, odd for those who reached the threshold.
#[derive(QueryableByName)]
pub struct RankedCell {
    #[diesel(sql_type = Array<SqlUuid>)]
    pub above: Vec<Uuid>,
    #[diesel(sql_type = Array<BigInt>)]
    pub numbers: Vec<i64>,
    #[diesel(sql_type = Array<Int4>)]
    pub halves: Vec<i32>,
}

/// The cells below the units `$1`, with all members ranked over the span; parameters as in [`super::standings`].
pub fn cells(span: Span) -> String {
    // Over a longer span the totals are summed first; a month's are joined as they are.
    let totals = if span.is_month() {
        "(SELECT member_id, points FROM member_months WHERE period = $3)"
    } else {
        "(SELECT member_id, sum(points)::int AS points FROM member_months WHERE period BETWEEN $3 AND $4 GROUP BY member_id)"
    };
    format!(
        "WITH tops AS (
            SELECT descendant_id AS unit_id, array_agg(ancestor_id) AS above FROM unit_tree WHERE ancestor_id = ANY($1)
              AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) GROUP BY descendant_id),
        wanted AS (SELECT unit_id FROM tops),
        {THRESHOLDS},
        ranked AS (
            SELECT ms.unit_id, m.no, coalesce(mm.points, 0) AS points, CASE WHEN ms.valid_from <= $3
                THEN c.threshold * (12 * (date_part('year', $4) - date_part('year', $3))
                    + date_part('month', $4) - date_part('month', $3) + 1)::int
                ELSE (SELECT c.threshold * (12 * (date_part('year', $4) - date_part('year', e.since))
                        + date_part('month', $4) - date_part('month', e.since))::int
                    + CASE WHEN c.prorated > 0 THEN ceil(c.threshold * (e.ends - e.since)::numeric / (e.ends - e.begins))::int
                        ELSE c.threshold END
                    FROM (SELECT f.since, date_trunc('month', f.since::timestamp)::date AS begins,
                            (date_trunc('month', f.since::timestamp) + interval '1 month')::date AS ends
                        FROM (SELECT greatest($3, min(valid_from)) AS since FROM memberships
                            WHERE member_id = ms.member_id) f) e) END AS threshold
            FROM cells c JOIN memberships ms ON ms.unit_id = c.unit_id
                AND ms.valid_from <= $2 AND (ms.valid_to IS NULL OR ms.valid_to > $2)
            JOIN members m ON m.id = ms.member_id
            LEFT JOIN {totals} mm ON mm.member_id = ms.member_id
            WHERE NOT EXISTS (SELECT 1 FROM exemptions x WHERE x.member_id = ms.member_id AND (x.kind = 'exempt' OR $3 = $4)
                AND exempts_from_month(x.kind, x.valid_from, x.valid_to, $2, $4, $5, c.excuse_days)))
        SELECT t.above, r.numbers, r.halves FROM tops t JOIN (
            SELECT unit_id, array_agg(no) AS numbers, array_agg(2 * points + (points >= threshold)::int) AS halves
            FROM ranked GROUP BY unit_id) r USING (unit_id)"
    )
}

/// Rebuilds these boards; `progress` gets the number of members read. Returns the number of scores written.
///
/// # Errors
/// 503 when PostgreSQL or Redis cannot be reached, or the lease is lost.
pub async fn rebuild(
    means: &RebuildContext<'_>,
    lost: &[Lost],
    progress: impl Fn(Span, usize),
) -> Result<usize, Problem> {
    let mut spans: BTreeMap<Span, Vec<Uuid>> = BTreeMap::new();
    for (unit, span) in lost {
        spans.entry(*span).or_default().push(*unit);
    }
    let mut written = 0;
    for (span, units) in spans {
        written += rebuild_span(means, span, &units, &progress).await?;
    }
    Ok(written)
}

async fn rebuild_span(
    means: &RebuildContext<'_>,
    span: Span,
    units: &[Uuid],
    progress: &impl Fn(Span, usize),
) -> Result<usize, Problem> {
    let now = means.clock.now();
    let today: NaiveDate = day_of(now);
    let mut conn = means.db.conn().await?;
    // No other projector claims changes while the lease is held: what commits after this is applied to the new boards.
    let step = means.db.transaction(async |conn| {
        if !means.lease.hold(conn).await? {
            return Err(lost_it());
        }
        redis_sync::advance(conn, 0, now).await
    });
    let step = step.await?;
    let mut feed = Feed::new(means, span, units);
    let view = Viewer::new(Uuid::nil(), span, today);
    conn.batch_execute("BEGIN READ ONLY; SET LOCAL work_mem = '256MB'").await?;
    let read = read(&mut conn, &view, units, &mut feed, progress).await;
    conn.batch_execute("ROLLBACK").await?;
    let placed = match read {
        Ok(()) => feed.finish(step, now.timestamp()).await,
        Err(problem) => Err(problem),
    };
    if placed.is_err() {
        feed.discard().await;
    }
    placed
}

async fn read(
    conn: &mut Conn,
    view: &Viewer,
    units: &[Uuid],
    feed: &mut Feed<'_>,
    progress: &impl Fn(Span, usize),
) -> Result<(), Problem> {
    let mut cells = over(cells(view.span), units.to_vec(), view).load_stream::<RankedCell>(conn).await?;
    let mut members = 0;
    while let Some(cell) = cells.try_next().await? {
        members += cell.numbers.len();
        if feed.take_in(cell) {
            feed.send().await?;
            progress(view.span, members);
        }
    }
    feed.send().await?;
    progress(view.span, members);
    Ok(())
}

fn lost_it() -> Problem {
    Problem::unavailable("the lease of the projections is lost")
}

/// Scores on their way to Redis.
struct Feed<'a> {
    means: &'a RebuildContext<'a>,
    /// The boards, and where each is made.
    boards: BTreeMap<Uuid, (BoardKeys, String)>,
    waiting: BTreeMap<Uuid, Vec<(f64, i64)>>,
    count: usize,
    /// Scores written to each board.
    sizes: BTreeMap<Uuid, usize>,
    renewed: Instant,
}

impl<'a> Feed<'a> {
    fn new(means: &'a RebuildContext<'a>, span: Span, units: &[Uuid]) -> Self {
        let own = Uuid::now_v7();
        let made = |unit| {
            let keys = BoardKeys::of(unit, span);
            let next = keys.next(own);
            (unit, (keys, next))
        };
        let boards = units.iter().copied().map(made).collect();
        Self { means, boards, waiting: BTreeMap::new(), count: 0, sizes: BTreeMap::new(), renewed: Instant::now() }
    }

    /// Adds a cell; true when enough scores are waiting to be sent.
    fn take_in(&mut self, cell: RankedCell) -> bool {
        for unit in cell.above {
            let waiting = self.waiting.entry(unit).or_default();
            let scores = cell.numbers.iter().zip(&cell.halves);
            waiting.extend(scores.map(|(no, halves)| (f64::from(*halves) / 2.0, *no)));
            self.count += cell.numbers.len();
        }
        self.count >= CHUNK
    }

    async fn ask<T>(&self, work: impl AsyncFnOnce(ConnectionManager) -> redis::RedisResult<T>) -> Result<T, Problem> {
        let answer = self.means.redis.ask(self.means.clock.now(), work).await;
        answer.ok_or_else(|| Problem::unavailable("Redis is away"))
    }

    /// Deletes unfinished boards; where Redis cannot be reached, they expire.
    async fn discard(&self) {
        let mut calls = redis::pipe();
        for (_, next) in self.boards.values() {
            calls.unlink(next).ignore();
        }
        self.means.redis.try_anyway(async |mut c| calls.exec_async(&mut c).await).await;
    }

    async fn send(&mut self) -> Result<(), Problem> {
        self.renew_in_time().await?;
        let mut calls = redis::pipe();
        for (unit, scores) in &mut self.waiting {
            if let Some((_, next)) = self.boards.get(unit)
                && !scores.is_empty()
            {
                calls.zadd_multiple(next, scores).ignore().expire(next, UNFINISHED_SECONDS).ignore();
                *self.sizes.entry(*unit).or_default() += scores.len();
            }
            scores.clear();
        }
        self.count = 0;
        if calls.is_empty() {
            return Ok(());
        }
        self.ask(async |mut c| calls.exec_async(&mut c).await).await
    }

    /// Redis moves an outgrown hash table to one of twice the size step by step, a bit with each read, and keeps both
    /// until it is done. Reads often enough to finish this for every board, which saves some six bytes a member.
    async fn grow(&mut self) -> Result<(), Problem> {
        for (unit, size) in self.sizes.clone() {
            let Some(next) = self.boards.get(&unit).map(|(_, next)| next.clone()) else { continue };
            // A small table is moved within a few reads.
            let mut left = if size < LOOKS { 0 } else { size.next_power_of_two() / 2 };
            while left > 0 {
                self.renew_in_time().await?;
                let looks = vec![0; left.min(LOOKS)];
                left -= looks.len();
                let looked = async |mut c| redis::cmd("ZMSCORE").arg(&next).arg(&looks).exec_async(&mut c).await;
                self.ask(looked).await?;
            }
        }
        Ok(())
    }

    /// Renews the lease, and the lifetime of unfinished boards.
    async fn renew_in_time(&mut self) -> Result<(), Problem> {
        if self.renewed.elapsed().as_secs() < RENEWED_SECONDS {
            return Ok(());
        }
        let mut conn = self.means.db.conn().await?;
        let lease = &self.means.lease;
        let kept = lease::take(&mut conn, lease.name, lease.holder, self.means.clock.now()).await?;
        self.renewed = Instant::now();
        kept.filter(|kept| kept.fence == lease.fence).ok_or_else(lost_it)?;
        let mut calls = redis::pipe();
        for (_, next) in self.boards.values() {
            calls.expire(next, UNFINISHED_SECONDS).ignore();
        }
        self.ask(async |mut c| calls.exec_async(&mut c).await).await
    }

    /// Puts the boards in their places and returns how many scores are on them.
    async fn finish(&mut self, step: i64, as_of: i64) -> Result<usize, Problem> {
        self.grow().await?;
        self.place(step, as_of).await
    }

    async fn place(&self, step: i64, as_of: i64) -> Result<usize, Problem> {
        let mut calls = redis::pipe();
        let size = |unit| self.sizes.get(unit).copied().unwrap_or(0);
        for (unit, (keys, next)) in &self.boards {
            let call = calls.cmd("EVAL").arg(PLACE).arg(3).arg(&keys.scores).arg(&keys.about).arg(next);
            call.arg(self.means.lease.fence).arg(step).arg(as_of).arg(KEPT_SECONDS).arg(size(unit));
        }
        let placed: Vec<bool> = self.ask(async |mut c| calls.query_async(&mut c).await).await?;
        let mut scores = 0;
        for ((unit, (_, next)), placed) in self.boards.iter().zip(placed) {
            if placed {
                scores += size(unit);
            } else {
                tracing::warn!(board = next, "a board is incomplete or has a newer holder: it was not placed");
            }
        }
        Ok(scores)
    }
}
