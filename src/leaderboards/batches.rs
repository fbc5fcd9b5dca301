//! Batched ranks: concurrent requests share one read of PostgreSQL and two of Redis.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::web::Data;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use uuid::Uuid;

use crate::kernel::batching::cache_invalidation::{self, CacheEpoch, EpochCache};
use crate::kernel::batching::queue::{self, BATCH_WINDOW, Job, Queue, Workers, worker};
use crate::kernel::clock::day_of;
use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::Problem;
use crate::kernel::redis::Redis;
use crate::kernel::security::auth::{Claims, require_member};
use crate::kernel::state::State;

use super::boards::lookup::size;
use super::boards::{self, BoardKeys};
use super::model::{BoardResult, BoardSource, OwnRank, Viewer};
use super::span::Span;
use super::store::{self, OwnUnit, UnitSize};

/// A request for a rank: the caller, the unit (none: the own cell) and the span.
struct RankJob {
    claims: Arc<Claims>,
    unit_id: Option<Uuid>,
    span: Span,
    now: DateTime<Utc>,
}

/// A member's rank as far as boards have it.
pub struct RankView {
    pub unit_id: Uuid,
    /// None when Redis has no fresh board of the unit: PostgreSQL computes the rank.
    pub on_board: Option<BoardResult<Option<OwnRank>>>,
}

/// The queue of this process.
pub struct Ranks(Queue<RankJob, RankView>);

impl Ranks {
    /// The caller's rank.
    ///
    /// # Errors
    /// 401 when the session has ended, 403 for callers who are not members, 404 for a unit that is not the caller's
    /// own, 503 when the database cannot be reached or too many are waiting.
    pub async fn of(
        &self,
        claims: Arc<Claims>,
        unit_id: Option<Uuid>,
        span: Span,
        now: DateTime<Utc>,
    ) -> Result<RankView, Problem> {
        self.0.ask(RankJob { claims, unit_id, span, now }).await
    }
}

/// Shared context of all workers.
struct RankContext {
    state: Data<State>,
    /// A pool of their own.
    db: Db,
    units: EpochCache<RankQuery, OwnUnit>,
}

/// A member and the unit they name, on a day.
type RankQuery = (Uuid, Option<Uuid>, NaiveDate);

/// Maximum number of members whose units are cached, some 120 bytes each.
const REMEMBERED: usize = 200_000;

/// Starts the workers on the current runtime.
///
/// # Errors
/// When the pool cannot be made.
pub fn start(state: &Data<State>) -> Result<(Ranks, Workers), String> {
    let config = &state.config;
    let url = config.database_url.as_ref().ok_or("no database")?;
    let lanes = config.award_lanes.max(1);
    let db = Db::with_generic_plans(url, lanes).map_err(|e| e.to_string())?;
    let means = Rc::new(RankContext { state: state.clone(), db, units: EpochCache::new(REMEMBERED) });
    let (queue, waiting) = queue::queue(config.award_queue, BATCH_WINDOW);
    let running = (0..lanes).map(|_| {
        let means = means.clone();
        worker(waiting.clone(), config.award_batch.max(1), move |jobs| see(means.clone(), jobs).boxed_local())
    });
    Ok((Ranks(queue), Workers(running.collect())))
}

type SeeJob = Job<RankJob, RankView>;

async fn see(means: Rc<RankContext>, jobs: Vec<SeeJob>) -> Vec<SeeJob> {
    let see = async |asked: &[&RankJob]| means.db.with_timeout(async |conn| see_all(&means, conn, asked).await).await;
    queue::answer_all(jobs, see).await
}

async fn see_all(
    means: &RankContext,
    conn: &mut Conn,
    asked: &[&RankJob],
) -> Result<Vec<Result<RankView, Problem>>, Problem> {
    let state = &means.state;
    let now = asked.iter().map(|asked| asked.now).max().unwrap_or_default();
    let claims: Vec<&Claims> = asked.iter().map(|asked| &*asked.claims).collect();
    let sight = state.changes.look(conn).await?;
    let (callers, units) =
        tokio::join!(state.authenticator.alive(conn, sight, &claims, now), own_units(means, conn, sight, asked));
    let (callers, units) = (callers?, units?);
    // Members by projected board.
    let mut on_boards: BTreeMap<(Uuid, Span), Vec<(usize, i64)>> = BTreeMap::new();
    for (place, (asked, unit)) in asked.iter().zip(&units).enumerate() {
        let Some(OwnUnit { unit_id, no, .. }) = *unit else { continue };
        if require_member(callers[place]).is_ok() && size(conn, unit_id).await? == UnitSize::Large {
            on_boards.entry((unit_id, asked.span)).or_default().push((place, no));
        }
    }
    let mut found = match &state.redis {
        Some(redis) => ask(redis, &on_boards, now).await,
        None => BTreeMap::new(),
    };
    let outcome = |(place, unit): (usize, &Option<OwnUnit>)| {
        require_member(callers[place])?;
        let unit_id = unit.ok_or_else(Problem::not_found)?.unit_id;
        Ok(RankView { unit_id, on_board: found.remove(&place) })
    };
    Ok(units.iter().enumerate().map(outcome).collect())
}

/// The requested units, none where they are not the callers' own. For a past span the units of that time, or those of
/// today for members who are not ranked in it.
async fn own_units(
    means: &RankContext,
    conn: &Conn,
    sight: CacheEpoch<'_>,
    asked: &[&RankJob],
) -> Result<Vec<Option<OwnUnit>>, Problem> {
    let wanted = |asked: &RankJob, day: NaiveDate| (asked.claims.sub, asked.unit_id, day);
    let then = |asked: &&RankJob| wanted(asked, Viewer::new(Uuid::nil(), asked.span, day_of(asked.now)).day);
    let mut units = recall(means, conn, sight, &asked.iter().map(then).collect::<Vec<_>>()).await?;
    let elsewhere: Vec<usize> = (0..asked.len()).filter(|place| units[*place].is_none()).collect();
    if !elsewhere.is_empty() {
        let today: Vec<RankQuery> =
            elsewhere.iter().map(|place| wanted(asked[*place], day_of(asked[*place].now))).collect();
        for (place, unit) in elsewhere.into_iter().zip(recall(means, conn, sight, &today).await?) {
            units[place] = unit;
        }
    }
    Ok(units)
}

/// Units by member and day: most are cached.
async fn recall(
    means: &RankContext,
    conn: &Conn,
    sight: CacheEpoch<'_>,
    wanted: &[RankQuery],
) -> Result<Vec<Option<OwnUnit>>, Problem> {
    let mut units: Vec<_> =
        wanted.iter().map(|one| means.units.get(sight, one, &[one.0, cache_invalidation::UNITS])).collect();
    let unknown: Vec<usize> = (0..wanted.len()).filter(|place| units[*place].is_none()).collect();
    if unknown.is_empty() {
        return Ok(units);
    }
    let asked: Vec<RankQuery> = unknown.iter().map(|place| wanted[*place]).collect();
    for (place, unit) in unknown.into_iter().zip(store::own_units(conn, &asked).await?) {
        if let Some(unit) = unit {
            means.units.insert(sight, wanted[place], unit);
        }
        units[place] = unit;
    }
    Ok(units)
}

/// The answers of the boards, by place of the request; all boards are asked at once.
async fn ask(
    redis: &Redis,
    on_boards: &BTreeMap<(Uuid, Span), Vec<(usize, i64)>>,
    now: DateTime<Utc>,
) -> BTreeMap<usize, BoardResult<Option<OwnRank>>> {
    let told = redis.ask(now, async |c| {
        let each = on_boards.iter().map(async |((unit_id, span), members)| {
            let numbers: Vec<i64> = members.iter().map(|(_, no)| *no).collect();
            boards::ranks(c.clone(), &BoardKeys::of(*unit_id, *span), &numbers, now).await
        });
        try_join_all(each).await
    });
    let told = told.await.unwrap_or_default();
    let known = on_boards.values().zip(told).filter_map(|(members, told)| Some((members, told?)));
    let found = known.flat_map(|(members, (ranks, as_of))| {
        let found = move |rows| BoardResult { rows, source: BoardSource::Board, as_of };
        members.iter().map(|(place, _)| *place).zip(ranks.into_iter().map(found))
    });
    found.collect()
}
