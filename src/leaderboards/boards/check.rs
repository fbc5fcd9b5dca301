//! Compares the boards in Redis with the members they rank, a cell at a time.
//! Boards lag by seconds, and may be ahead of what was read: only lasting differences are
//! reported.

use std::collections::{BTreeMap, BTreeSet};

use diesel_async::RunQueryDsl;
use futures_util::TryStreamExt;
use redis::FromRedisValue;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::http::problem::Problem;

use super::BoardKeys;
use super::rebuild::{RankedCell, RebuildContext, cells};
use super::redis_sync;
use crate::leaderboards::Lost;
use crate::leaderboards::model::Viewer;
use crate::leaderboards::span::Span;
use crate::leaderboards::store::over;

/// Differences reported for one board.
const MOST: usize = 20;
/// Members of one board remembered until the next comparison: more than are in transit at any moment of a busy day.
const KEPT: usize = 10_000;

/// Differences of one board in one comparison.
#[derive(Default)]
struct CheckedCell {
    /// Numbers of members, the first [`KEPT`].
    numbers: BTreeSet<i64>,
    count: usize,
    /// The first [`MOST`].
    lines: Vec<String>,
    size: Option<String>,
}

type CheckResult = BTreeMap<Lost, CheckedCell>;

impl CheckedCell {
    /// Whether a member differed. True for all members when too many differed to be remembered.
    fn has(&self, no: i64) -> bool {
        self.count > self.numbers.len() || self.numbers.contains(&no)
    }

    fn take_in(&mut self, no: i64, line: impl FnOnce() -> String) {
        self.count += 1;
        if self.numbers.len() < KEPT {
            self.numbers.insert(no);
        }
        if self.lines.len() < MOST {
            self.lines.push(line());
        }
    }

    fn told(self, (unit, span): Lost) -> Vec<(Lost, String)> {
        let more = self.count - self.lines.len();
        let more = (more > 0).then(|| format!("board {unit} {span}: … and {more} more"));
        self.lines.into_iter().chain(more).chain(self.size).map(|line| ((unit, span), line)).collect()
    }
}

/// Differences between the boards and the members: a line each, with its board. The comparison is repeated as long as
/// `again` returns true; it gets the number of repetitions so far and may give the projector time. Only lasting
/// differences are returned.
///
/// # Errors
/// 503 when PostgreSQL or Redis cannot be reached.
pub async fn differences(
    means: &RebuildContext<'_>,
    boards: &[Lost],
    again: impl AsyncFn(usize) -> Result<bool, Problem>,
) -> Result<Vec<(Lost, String)>, Problem> {
    let mut seen = look(means, boards, None).await?;
    let mut looked = 0;
    while !seen.is_empty() && again(looked).await? {
        looked += 1;
        let boards: Vec<Lost> = seen.keys().copied().collect();
        seen = look(means, &boards, Some(&seen)).await?;
    }
    Ok(seen.into_iter().flat_map(|(board, seen)| seen.told(board)).collect())
}

/// Differences on these boards, among those of the previous comparison.
async fn look(
    means: &RebuildContext<'_>,
    boards: &[Lost],
    before: Option<&CheckResult>,
) -> Result<CheckResult, Problem> {
    let mut spans: BTreeMap<Span, Vec<Uuid>> = BTreeMap::new();
    for (unit, span) in boards {
        spans.entry(*span).or_default().push(*unit);
    }
    let mut seen = CheckResult::new();
    for (span, units) in spans {
        compare(means, (span, units.as_slice()), before, &mut seen).await?;
    }
    Ok(seen)
}

async fn compare(
    means: &RebuildContext<'_>,
    (span, units): (Span, &[Uuid]),
    before: Option<&CheckResult>,
    seen: &mut CheckResult,
) -> Result<(), Problem> {
    let mut conn = means.db.conn().await?;
    let view = Viewer::new(Uuid::nil(), span, day_of(means.clock.now()));
    let mut sizes: BTreeMap<Uuid, usize> = units.iter().map(|unit| (*unit, 0)).collect();
    let mut rows = over(cells(span), units.to_vec(), &view).load_stream::<RankedCell>(&mut conn).await?;
    while let Some(cell) = rows.try_next().await? {
        for unit in &cell.above {
            let board = (*unit, span);
            let mut call = redis::cmd("ZMSCORE");
            call.arg(BoardKeys::of(*unit, span).scores).arg(&cell.numbers);
            let there: Vec<Option<f64>> = ask(means, &call).await?;
            for ((no, halves), score) in cell.numbers.iter().zip(&cell.halves).zip(there) {
                let right = f64::from(*halves) / 2.0;
                if score != Some(right) && differed(before, board, |former| former.has(*no)) {
                    let line = || format!("board {unit} {span}: member no. {no} should have {right}, has {score:?}");
                    seen.entry(board).or_default().take_in(*no, line);
                }
            }
            *sizes.entry(*unit).or_default() += cell.numbers.len();
        }
    }
    for (unit, right) in sizes {
        let board = (unit, span);
        let mut call = redis::cmd("ZCARD");
        let size: usize = ask(means, call.arg(BoardKeys::of(unit, span).scores)).await?;
        if size != right && differed(before, board, |former| former.size.is_some()) {
            let line = format!("board {unit} {span}: {right} members are ranked, {size} are on it");
            seen.entry(board).or_default().size = Some(line);
        }
    }
    Ok(())
}

/// Whether something of a board differed in the previous comparison, if there was one.
fn differed(before: Option<&CheckResult>, board: Lost, what: impl Fn(&CheckedCell) -> bool) -> bool {
    before.is_none_or(|boards| boards.get(&board).is_some_and(what))
}

async fn ask<T: FromRedisValue>(means: &RebuildContext<'_>, call: &redis::Cmd) -> Result<T, Problem> {
    let asked = means.redis.ask(means.clock.now(), async |mut c| call.query_async(&mut c).await);
    asked.await.ok_or_else(|| Problem::unavailable("Redis is away"))
}

/// Invalidates all boards: the projector rebuilds them.
///
/// # Errors
/// 503 when PostgreSQL cannot be reached.
pub async fn give_up(means: &RebuildContext<'_>) -> Result<(), Problem> {
    let now = means.clock.now();
    means.db.transaction(async |conn| redis_sync::give_up(conn, now).await).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_who_differ_so_many_are_remembered_and_nobody_is_forgotten() {
        let mut seen = CheckedCell::default();
        for no in 0..KEPT {
            seen.take_in(i64::try_from(no).unwrap(), String::new);
        }
        assert_eq!((seen.has(0), seen.has(-1)), (true, false));
        seen.take_in(-1, String::new);
        assert_eq!((seen.numbers.len(), seen.lines.len(), seen.count), (KEPT, MOST, KEPT + 1));
        assert!(seen.has(-1) && seen.has(-2), "too many differ to rule any member out");
    }
}
