//! Batched reads: concurrent requests of one kind share one SQL statement.
//!
//! The more requests come at once, the less each costs.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use super::queue::{self, BATCH_WINDOW, Job, Queue, Workers, worker};
use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::auth::{Claims, Principal};
use crate::kernel::state::State;

/// A request with its token.
struct LoadRequest<W> {
    claims: Arc<Claims>,
    wanted: W,
    now: DateTime<Utc>,
}

/// A caller with a live session, and their input.
pub struct LoadedRequest<'a, W> {
    pub caller: Principal,
    pub wanted: &'a W,
}

/// Answers requests together, in the order given.
pub trait BatchQuery: 'static {
    type Input: 'static;
    type Output: 'static;

    /// Whether the caller may use this kind of read; any signed-in caller by default.
    ///
    /// # Errors
    /// 403 for a caller who may not.
    fn admit(_: &Principal) -> Result<(), Problem> {
        Ok(())
    }

    fn answer(
        conn: &Conn,
        asked: &[LoadedRequest<'_, Self::Input>],
    ) -> impl Future<Output = Result<Vec<Self::Output>, Problem>>;
}

/// The queue of one kind of batched reads.
pub struct BatchLoader<C: BatchQuery>(Queue<LoadRequest<C::Input>, C::Output>);

impl<C: BatchQuery> BatchLoader<C> {
    /// Queues a request and waits for its answer.
    ///
    /// # Errors
    /// 401 when the session has ended, 503 when the database cannot be reached or too many are waiting; otherwise the
    /// problem of the query.
    pub async fn ask(&self, claims: Arc<Claims>, wanted: C::Input, now: DateTime<Utc>) -> Result<C::Output, Problem> {
        self.0.ask(LoadRequest { claims, wanted, now }).await
    }
}

/// Opens the queue on the current runtime. `db` serves batched reads only ([`connections`]).
pub fn open<C: BatchQuery>(state: &Data<State>, db: &Db) -> (Data<BatchLoader<C>>, Workers) {
    let config = &state.config;
    let means = Rc::new(LoaderContext { state: state.clone(), db: db.clone() });
    let (queue, waiting) = queue::queue(config.award_queue, BATCH_WINDOW);
    let lanes = (0..WORKERS).map(|_| {
        let means = means.clone();
        worker(waiting.clone(), config.award_batch.max(1), move |jobs| serve::<C>(means.clone(), jobs).boxed_local())
    });
    (Data::new(BatchLoader(queue)), Workers(lanes.collect()))
}

/// The connections that all batched reads share.
///
/// # Errors
/// When the pool cannot be made.
pub fn connections(state: &State) -> Result<Db, String> {
    let url = state.config.database_url.as_ref().ok_or("no database")?;
    Db::with_generic_plans(url, CONNECTIONS).map_err(|e| e.to_string())
}

/// While one worker waits for the database, the other takes new requests.
const WORKERS: usize = 2;
/// Enough to keep the database busy; requests that wait for a connection are joined by later ones.
const CONNECTIONS: usize = 4;

/// The resources of a worker.
struct LoaderContext {
    state: Data<State>,
    db: Db,
}

type LoaderJob<C> = Job<LoadRequest<<C as BatchQuery>::Input>, <C as BatchQuery>::Output>;

async fn serve<C: BatchQuery>(means: Rc<LoaderContext>, jobs: Vec<LoaderJob<C>>) -> Vec<LoaderJob<C>> {
    let answer = async |waiting: &[&LoadRequest<C::Input>]| {
        means.db.with_timeout(async |conn| answer_all::<C>(&means.state, conn, waiting).await).await
    };
    queue::answer_all(jobs, answer).await
}

async fn answer_all<C: BatchQuery>(
    state: &State,
    conn: &Conn,
    waiting: &[&LoadRequest<C::Input>],
) -> Result<Vec<Result<C::Output, Problem>>, Problem> {
    let sight = state.changes.look(conn).await?;
    let claims: Vec<&Claims> = waiting.iter().map(|one| &*one.claims).collect();
    let latest = waiting.iter().map(|one| one.now).max().unwrap_or_default();
    // Most callers are cached.
    let callers = state.authenticator.load(conn, sight, &claims, latest).await?;
    let (mut asked, mut outcomes) = (Vec::new(), Vec::new());
    for (one, caller) in waiting.iter().zip(callers) {
        let caller = caller.ok_or_else(|| Problem::new(Code::Unauthenticated));
        let admitted = caller.and_then(|caller| C::admit(&caller).map(|()| caller));
        outcomes.push(admitted.map(|caller| asked.push(LoadedRequest { caller, wanted: &one.wanted })));
    }
    let mut answers = if asked.is_empty() { Vec::new() } else { C::answer(conn, &asked).await? }.into_iter();
    let mut next = || answers.next().ok_or_else(|| Problem::internal("an answer is missing"));
    Ok(outcomes.into_iter().map(|outcome| outcome.and_then(|()| next())).collect())
}

/// Groups the rows of one statement by the place of their request.
pub fn by_place<R>(rows: Vec<R>, places: usize, place: impl Fn(&R) -> i32) -> Vec<Vec<R>> {
    let mut found: Vec<Vec<R>> = (0..places).map(|_| Vec::new()).collect();
    for row in rows {
        if let Some(those) = usize::try_from(place(&row)).ok().and_then(|place| found.get_mut(place)) {
            those.push(row);
        }
    }
    found
}
