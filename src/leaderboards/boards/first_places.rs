//! First places of large units while Redis has no board: computed once a roll-up step, shared.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::db::{Conn, within};
use crate::kernel::http::problem::Problem;
use crate::points::projection;

use crate::leaderboards::model::{Ranked, Viewer};
use crate::leaderboards::span::Span;
use crate::leaderboards::store::{self, UnitSize};

/// Places computed for small requests: most are small.
const FEW: i64 = 50;
const MOST: i64 = 200;
/// Maximum number of cached boards; beyond it the cache is cleared.
const MOST_BOARDS: usize = 1_000;

/// A board, and how many of its places.
type Which = (Uuid, Span, i64);

/// Names are shown from memory for no longer than this, even when no step is taken meanwhile.
const KEPT: TimeDelta = TimeDelta::seconds(10);

/// How long a request waits for places that are being computed.
const DB_TIMEOUT: Duration = Duration::from_secs(3);

/// Places, with the step of the roll-ups and the time at which they were computed.
struct Places {
    step: i64,
    at: DateTime<Utc>,
    rows: Arc<Vec<Ranked>>,
}

/// Locked while the places are being computed.
type CachedPlaces = Arc<tokio::sync::Mutex<Option<Places>>>;

static FOUND: LazyLock<Mutex<HashMap<Which, CachedPlaces>>> = LazyLock::new(Mutex::default);

fn held(which: Which) -> CachedPlaces {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if found.len() >= MOST_BOARDS && !found.contains_key(&which) {
        found.clear();
    }
    found.entry(which).or_default().clone()
}

/// The first `limit` places of a large unit in a month, after so many steps of the roll-ups. Computing them takes
/// tenths of a second: concurrent requests wait and share the result.
///
/// # Errors
/// 503 when the database cannot be reached, or too many wait for it.
pub async fn places(
    conn: &mut Conn,
    view: &Viewer,
    limit: i64,
    (step, now): (i64, DateTime<Utc>),
) -> Result<Vec<Ranked>, Problem> {
    let most = if limit <= FEW { FEW } else { MOST };
    let held = held((view.unit_id, view.span, most));
    // Waiters hold a pooled connection, so the wait is bounded.
    let rows = within(DB_TIMEOUT, async {
        let mut known = held.lock().await;
        match known.as_ref().filter(|known| known.step >= step && now - known.at < KEPT) {
            Some(known) => Ok(known.rows.clone()),
            None => {
                let found = find(conn, view, most, now).await?;
                Ok(known.insert(found).rows.clone())
            }
        }
    });
    Ok(rows.await?.iter().filter(|row| row.place <= limit).cloned().collect())
}

async fn find(conn: &mut Conn, view: &Viewer, most: i64, at: DateTime<Utc>) -> Result<Places, Problem> {
    // Read again: the roll-ups may have taken steps during the wait, and requests that saw them share these places.
    let step = projection::position(conn).await?.map_or(0, |(step, _)| step);
    let cells = store::best_cells(conn, view, most).await?;
    let rows = store::best_of(conn, (view, UnitSize::Large), cells, Uuid::nil(), most).await?;
    Ok(Places { step, at, rows: Arc::new(rows) })
}
