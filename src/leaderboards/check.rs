//! Compares the boards in Redis with the members they rank, a cell at a time.

use std::collections::BTreeMap;

use diesel_async::RunQueryDsl;
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::problem::Problem;

use super::boards::Keys;
use super::model::View;
use super::rebuild::{Cell, Means, cells};
use super::span::Span;
use super::store::over;
use super::{Lost, follow};

/// Differences told of one board.
const MOST: usize = 20;

/// What differs between the boards and the members: a line each, and the boards they are on.
///
/// # Errors
/// 503 when PostgreSQL or Redis cannot be reached.
pub async fn differences(means: &Means<'_>, boards: &[Lost]) -> Result<Vec<(Lost, String)>, Problem> {
    let mut spans: BTreeMap<Span, Vec<Uuid>> = BTreeMap::new();
    for (unit, span) in boards {
        spans.entry(*span).or_default().push(*unit);
    }
    let mut found = Vec::new();
    for (span, units) in spans {
        compare(means, span, &units, &mut found).await?;
    }
    Ok(found)
}

async fn compare(
    means: &Means<'_>,
    span: Span,
    units: &[Uuid],
    found: &mut Vec<(Lost, String)>,
) -> Result<(), Problem> {
    let now = means.clock.now();
    let mut conn = means.db.conn().await?;
    let view = View::new(Uuid::nil(), span, day_of(now));
    let mut sizes: BTreeMap<Uuid, usize> = units.iter().map(|unit| (*unit, 0)).collect();
    let mut wrong: BTreeMap<Uuid, usize> = BTreeMap::new();
    let mut rows = over(cells(span), units.to_vec(), &view).load_stream::<Cell>(&mut conn).await?;
    while let Some(cell) = rows.try_next().await? {
        for unit in &cell.above {
            let keys = Keys::of(*unit, span);
            let asked = means.redis.ask(now, async |mut c| {
                redis::cmd("ZMSCORE").arg(&keys.scores).arg(&cell.numbers).query_async::<Vec<Option<f64>>>(&mut c).await
            });
            let there = asked.await.ok_or_else(|| Problem::unavailable("Redis is away"))?;
            for ((no, halves), score) in cell.numbers.iter().zip(&cell.halves).zip(there) {
                let right = f64::from(*halves) / 2.0;
                if score != Some(right) {
                    let count = wrong.entry(*unit).or_default();
                    *count += 1;
                    if *count <= MOST {
                        let line = format!("board {unit} {span}: member no. {no} should have {right}, has {score:?}");
                        found.push(((*unit, span), line));
                    }
                }
            }
            *sizes.entry(*unit).or_default() += cell.numbers.len();
        }
    }
    for (unit, count) in wrong.into_iter().filter(|(_, count)| *count > MOST) {
        found.push(((unit, span), format!("board {unit} {span}: … and {} more", count - MOST)));
    }
    for (unit, right) in sizes {
        let keys = Keys::of(unit, span);
        let asked = means
            .redis
            .ask(now, async |mut c| redis::cmd("ZCARD").arg(&keys.scores).query_async::<usize>(&mut c).await);
        let size = asked.await.ok_or_else(|| Problem::unavailable("Redis is away"))?;
        if size != right {
            found.push(((unit, span), format!("board {unit} {span}: {right} members are ranked, {size} are on it")));
        }
    }
    Ok(())
}

/// Gives up all boards as they are: the projector makes them anew.
///
/// # Errors
/// 503 when PostgreSQL cannot be reached.
pub async fn give_up(means: &Means<'_>) -> Result<(), Problem> {
    let now = means.clock.now();
    means.db.transaction(async |conn| follow::give_up(conn, now).await).await
}
