//! Shared polls for changes: one poll serves all requests that arrived before it began.

use std::rc::Rc;
use std::time::Duration;

use actix_web::web::Data;
use futures_util::FutureExt;

use super::cache_invalidation::CacheEpoch;
use super::queue::{self, Job, Queue, Workers, worker};
use crate::kernel::db::Db;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;

/// The queue of requests that wait for the next poll.
pub struct ChangePoller(Queue<(), ()>);

impl ChangePoller {
    /// Reads the changes made until now.
    ///
    /// # Errors
    /// 503 when the database cannot be reached, does not answer, or too many are waiting.
    pub async fn look<'a>(&self, state: &'a State) -> Result<CacheEpoch<'a>, Problem> {
        self.0.ask(()).await?;
        Ok(state.changes.sight())
    }
}

/// The resources of the worker.
struct PollerContext {
    state: Data<State>,
    /// A connection of its own.
    db: Db,
}

/// Starts the worker on the current runtime.
///
/// # Errors
/// When the pool cannot be made.
pub fn start(state: &Data<State>) -> Result<(ChangePoller, Workers), String> {
    let config = &state.config;
    let url = config.database_url.as_ref().ok_or("no database")?;
    let means =
        Rc::new(PollerContext { state: state.clone(), db: Db::with_generic_plans(url, 1).map_err(|e| e.to_string())? });
    // No round: a poll costs little, and every request waits for it.
    let (queue, waiting) = queue::queue(config.award_queue, Duration::ZERO);
    let looking = worker(waiting, config.award_queue, move |jobs| look(means.clone(), jobs).boxed_local());
    Ok((ChangePoller(queue), Workers(vec![looking])))
}

async fn look(means: Rc<PollerContext>, jobs: Vec<Job<(), ()>>) -> Vec<Job<(), ()>> {
    let outcome = means.db.with_timeout(async |conn| means.state.changes.look(conn).await.map(drop)).await;
    for job in jobs {
        job.answer(outcome.clone());
    }
    Vec::new()
}
