//! Applies the changes of a projector step to the boards in Redis.
//! Each board stores its holder and its step. A board that lost something or has a newer holder
//! refuses, and is rebuilt.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::lease::Lease;
use crate::kernel::db::schema::projections;
use crate::kernel::duty_cycle::DutyCycle;
use crate::kernel::http::problem::Problem;
use crate::kernel::redis::Redis;
use crate::points::projection::{Step, Touched};

use super::BoardKeys;
use crate::leaderboards::model::{LARGE_KINDS, Viewer, score};
use crate::leaderboards::span::Span;
use crate::leaderboards::store;

/// The row of `projections` that counts the steps handed to Redis.
const BOARDS: &str = "boards";
/// A step so far ahead that no board can follow: all are rebuilt.
const BREAK: i64 = 1_000;
/// Boards that are no longer updated expire after so long, seconds.
pub const KEPT_SECONDS: i64 = 3_600;
/// Above this number of changed members, rebuilding the boards is cheaper.
const MANY: usize = 2_000;
/// Changes in one call, during which Redis serves nothing else.
const CHUNK: usize = 2_000;
/// Members looked up in one statement, which keeps PostgreSQL busy for some 20 ms.
const LOOKED_UP: usize = 300;
/// Calls sent at a time: the answers to all of them arrive well before the timeout.
const PORTION: usize = 10;

/// Applies changes to a board that is at the last step or this one: 1; 0 when it is not, -1 when it has a newer holder.
/// Arguments: fence, last step, this step, as of (or nothing), lifetime, number of scores, scores, those who go.
const APPLY: &str = r"
local about = redis.call('HMGET', KEYS[2], 'fence', 'step', 'size')
if about[1] and tonumber(about[1]) > tonumber(ARGV[1]) then return -1 end
if about[2] ~= ARGV[2] and about[2] ~= ARGV[3] then return 0 end
if redis.call('ZCARD', KEYS[1]) ~= tonumber(about[3]) then return 0 end
local last = 6 + 2 * tonumber(ARGV[6])
for i = 7, last, 2 do redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
for i = last + 1, #ARGV do redis.call('ZREM', KEYS[1], ARGV[i]) end
redis.call('HSET', KEYS[2], 'fence', ARGV[1], 'step', ARGV[3], 'size', redis.call('ZCARD', KEYS[1]))
if ARGV[4] ~= '' then redis.call('HSET', KEYS[2], 'as_of', ARGV[4]) end
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 1";

/// A board that has to be rebuilt.
pub type Lost = (Uuid, Span);

/// What changes on one board.
#[derive(Default)]
struct BoardChanges {
    scores: Vec<(f64, i64)>,
    gone: Vec<i64>,
}

type Boards = BTreeMap<(Uuid, Span), BoardChanges>;

/// Hands a step to Redis, in the transaction of the step. Returns the boards that have to be rebuilt.
///
/// # Errors
/// 503 when PostgreSQL cannot be reached; Redis may be away.
pub async fn follow(
    conn: &mut Conn,
    redis: Option<&Redis>,
    lease: &Lease,
    (step, pace): (&Step, &mut DutyCycle),
    now: DateTime<Utc>,
) -> Result<Vec<Lost>, Problem> {
    let throughout = step.touched.iter().any(|month| month.throughout || month.moved.len() > MANY);
    let Some(redis) = redis else {
        if !step.touched.is_empty() {
            advance(conn, BREAK, now).await?;
        }
        return Ok(Vec::new());
    };
    let today = day_of(now);
    let large = store::large_units(conn, &LARGE_KINDS, today).await?;
    let mut boards: Boards = Boards::new();
    for span in Span::around(Period::containing(today)) {
        boards.extend(large.iter().map(|unit| ((*unit, span), BoardChanges::default())));
        if !throughout {
            for month in step.touched.iter().filter(|month| span.contains(month.period)) {
                let view = Viewer::new(Uuid::nil(), span, today);
                take_in(conn, &mut boards, month, &view, &large, pace).await?;
            }
        }
    }
    let changed = boards.values().any(|changes| !changes.scores.is_empty() || !changes.gone.is_empty());
    let by = if throughout { BREAK } else { i64::from(changed) };
    let reached = advance(conn, by, now).await?;
    // Too many changes to list: no board that has taken in the last step may go on, and all are rebuilt.
    let before = if throughout { reached } else { reached - by };
    let as_of = step.drained.then_some(now);
    let applied = redis.ask(now, async |c| apply(c, &boards, lease, (before, reached), as_of).await).await;
    if applied.is_none() && changed {
        // Changes that Redis did not take are lost: all boards are rebuilt.
        advance(conn, BREAK, now).await?;
    }
    Ok(applied.unwrap_or_default())
}

async fn take_in(
    conn: &mut Conn,
    boards: &mut Boards,
    month: &Touched,
    view: &Viewer,
    large: &[Uuid],
    pace: &mut DutyCycle,
) -> Result<(), Problem> {
    for (ids, moved) in [(&month.members, false), (&month.moved, true)] {
        let ids: Vec<Uuid> = ids.iter().copied().collect();
        for portion in ids.chunks(LOOKED_UP) {
            pace.next().await;
            for row in store::projected(conn, view, portion.to_vec(), large).await? {
                for unit in large {
                    let Some(changes) = boards.get_mut(&(*unit, view.span)) else { continue };
                    if row.above.contains(unit) {
                        changes.scores.push((score(row.points, row.met), row.no));
                    } else if moved {
                        changes.gone.push(row.no);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Moves the count of steps on and returns it.
pub async fn advance(conn: &mut Conn, by: i64, now: DateTime<Utc>) -> Result<i64, Problem> {
    Ok(diesel::insert_into(projections::table)
        .values((projections::name.eq(BOARDS), projections::as_of.eq(now), projections::step.eq(BREAK)))
        .on_conflict(projections::name)
        .do_update()
        .set((projections::step.eq(projections::step + by), projections::as_of.eq(now)))
        .returning(projections::step)
        .get_result(conn)
        .await?)
}

/// Advances so far that every board has to be rebuilt.
pub async fn give_up(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), Problem> {
    advance(conn, BREAK, now).await.map(|_| ())
}

async fn apply(
    mut c: redis::aio::ConnectionManager,
    boards: &Boards,
    lease: &Lease,
    (before, after): (i64, i64),
    as_of: Option<DateTime<Utc>>,
) -> redis::RedisResult<Vec<Lost>> {
    let as_of = as_of.map(|at| at.timestamp().to_string()).unwrap_or_default();
    let parts = boards.iter().flat_map(|(board, changes)| chunks(changes).into_iter().map(move |part| (*board, part)));
    let parts: Vec<((Uuid, Span), BoardPart<'_>)> = parts.collect();
    let mut lost = Vec::new();
    for portion in parts.chunks(PORTION) {
        let mut calls = redis::pipe();
        for ((unit, span), (scores, gone)) in portion {
            let keys = BoardKeys::of(*unit, *span);
            let call = calls.cmd("EVAL").arg(APPLY).arg(2).arg(&keys.scores).arg(&keys.about);
            call.arg(lease.fence).arg(before).arg(after).arg(&as_of).arg(KEPT_SECONDS).arg(scores.len());
            for (score, no) in *scores {
                call.arg(*score).arg(*no);
            }
            call.arg(*gone);
        }
        let answers: Vec<i64> = calls.query_async(&mut c).await?;
        let refused = portion.iter().zip(answers).filter(|(_, answer)| *answer == 0);
        lost.extend(refused.map(|((board, _), _)| *board));
    }
    lost.dedup();
    Ok(lost)
}

/// Scores to be set, and members to be taken off.
type BoardPart<'a> = (&'a [(f64, i64)], &'a [i64]);

/// At least one call a board, so that each records its step.
fn chunks(changes: &BoardChanges) -> Vec<BoardPart<'_>> {
    let mut parts: Vec<BoardPart<'_>> = changes.scores.chunks(CHUNK).map(|scores| (scores, &[][..])).collect();
    parts.extend(changes.gone.chunks(CHUNK).map(|gone| (&[][..], gone)));
    if parts.is_empty() {
        parts.push((&[], &[]));
    }
    parts
}
