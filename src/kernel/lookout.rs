//! Looks at what has changed for all requests that begin at the same time: one look serves whoever came before it began.

use std::rc::Rc;
use std::time::Duration;

use actix_web::web::Data;
use futures_util::FutureExt;

use super::batch::{self, Job, Lanes, Queue, lane};
use super::changes::Sight;
use super::db::Db;
use super::problem::Problem;
use super::state::State;

/// Where requests wait for the next look.
pub struct Lookout(Queue<(), ()>);

impl Lookout {
    /// What has changed until now is taken in.
    ///
    /// # Errors
    /// 503 when the database cannot be reached, does not answer, or too many are waiting.
    pub async fn look<'a>(&self, state: &'a State) -> Result<Sight<'a>, Problem> {
        self.0.ask(()).await?;
        Ok(state.changes.sight())
    }
}

/// What the lane works with.
struct Means {
    state: Data<State>,
    /// A connection of its own.
    db: Db,
}

/// Starts the lane on the current runtime.
///
/// # Errors
/// When the pool cannot be made.
pub fn start(state: &Data<State>) -> Result<(Lookout, Lanes), String> {
    let config = &state.config;
    let url = config.database_url.as_ref().ok_or("no database")?;
    let means = Rc::new(Means { state: state.clone(), db: Db::of_few_words(url, 1).map_err(|e| e.to_string())? });
    // It costs little, and somebody's work begins after it.
    let (queue, waiting) = batch::queue(config.award_queue, Duration::ZERO);
    let looking = lane(waiting, config.award_queue, move |jobs| look(means.clone(), jobs).boxed_local());
    Ok((Lookout(queue), Lanes(vec![looking])))
}

async fn look(means: Rc<Means>, jobs: Vec<Job<(), ()>>) -> Vec<Job<(), ()>> {
    let outcome = means.db.patiently(async |conn| means.state.changes.look(conn).await.map(drop)).await;
    for job in jobs {
        job.answer(outcome.clone());
    }
    Vec::new()
}
