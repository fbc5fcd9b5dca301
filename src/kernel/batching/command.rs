//! Batched writes: concurrent commands of one kind share a transaction and its commit.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use uuid::Uuid;

use super::queue::{self, BATCH_WINDOW, Job, Queue, Workers, worker};
use crate::kernel::db::{Conn, Db, transaction};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::auth::Claims;
use crate::kernel::state::State;

/// A command with its token.
struct CommandRequest<I> {
    claims: Arc<Claims>,
    input: I,
    now: DateTime<Utc>,
}

/// A command of an account with a live session.
pub struct LiveCommand<'a, I> {
    pub account_id: Uuid,
    pub input: &'a I,
    /// When the server accepted the request.
    pub now: DateTime<Utc>,
}

/// Carries out commands together, in one transaction.
pub trait BatchCommand: 'static {
    type Input: 'static;
    type Output: 'static;

    /// What a command changes: a batch holds one command for each.
    fn subject(input: &Self::Input) -> Uuid;

    /// The outcomes in the order given. A problem of the whole makes the batch be tried in halves; a command with a
    /// problem of its own must have changed nothing.
    fn carry_out(
        conn: &mut Conn,
        asked: &[LiveCommand<'_, Self::Input>],
    ) -> impl Future<Output = Result<Vec<Result<Self::Output, Problem>>, Problem>>;
}

/// The queue of one kind of batched writes.
pub struct BatchWriter<C: BatchCommand>(Queue<CommandRequest<C::Input>, C::Output>);

impl<C: BatchCommand> BatchWriter<C> {
    /// Queues a command and waits for its answer, which comes after the commit.
    ///
    /// # Errors
    /// 401 when the session has ended, 503 when the database cannot be reached or too many are waiting; otherwise the
    /// problem of the command.
    pub async fn ask(&self, claims: Arc<Claims>, input: C::Input, now: DateTime<Utc>) -> Result<C::Output, Problem> {
        self.0.ask(CommandRequest { claims, input, now }).await
    }
}

/// While one worker waits for a commit, the other takes new commands.
const WORKERS: usize = 2;

/// The connections that all batched writes of this kind share.
///
/// # Errors
/// When the pool cannot be made.
pub fn connections(state: &State) -> Result<Db, String> {
    let url = state.config.database_url.as_ref().ok_or("no database")?;
    Db::with_generic_plans(url, WORKERS).map_err(|e| e.to_string())
}

/// Opens the queue on the current runtime. `db` serves batched writes only ([`connections`]).
pub fn open<C: BatchCommand>(state: &Data<State>, db: &Db) -> (Data<BatchWriter<C>>, Workers) {
    let config = &state.config;
    let means = Rc::new(WriterContext { state: state.clone(), db: db.clone() });
    let (queue, waiting) = queue::queue(config.award_queue, BATCH_WINDOW);
    let workers = (0..WORKERS).map(|_| {
        let means = means.clone();
        worker(waiting.clone(), config.award_batch.max(1), move |jobs| serve::<C>(means.clone(), jobs).boxed_local())
    });
    (Data::new(BatchWriter(queue)), Workers(workers.collect()))
}

/// The resources of a worker.
struct WriterContext {
    state: Data<State>,
    db: Db,
}

type CommandJob<C> = Job<CommandRequest<<C as BatchCommand>::Input>, <C as BatchCommand>::Output>;

/// Carries out commands together and answers them after the commit. Returns those that have to wait for another one on
/// the same subject.
async fn serve<C: BatchCommand>(means: Rc<WriterContext>, jobs: Vec<CommandJob<C>>) -> Vec<CommandJob<C>> {
    let mut seen = HashSet::new();
    let (jobs, mut waiting): (Vec<_>, Vec<_>) =
        jobs.into_iter().partition(|job| seen.insert(C::subject(&job.input.input)));
    let commit = async |asked: &[&CommandRequest<C::Input>]| {
        let work = async |conn: &mut Conn| carry_out_all::<C>(&means.state, conn, asked).await;
        means.db.with_timeout(async |conn| transaction(conn, work).await).await
    };
    waiting.extend(queue::answer_all(jobs, commit).await);
    waiting
}

async fn carry_out_all<C: BatchCommand>(
    state: &State,
    conn: &mut Conn,
    asked: &[&CommandRequest<C::Input>],
) -> Result<Vec<Result<C::Output, Problem>>, Problem> {
    let claims: Vec<&Claims> = asked.iter().map(|one| &*one.claims).collect();
    let latest = asked.iter().map(|one| one.now).max().unwrap_or_default();
    let sight = state.changes.look(conn).await?;
    // Most sessions are cached.
    let callers = state.authenticator.alive(conn, sight, &claims, latest).await?;
    let (mut live, mut outcomes) = (Vec::new(), Vec::new());
    for (one, caller) in asked.iter().zip(callers) {
        let command = LiveCommand { account_id: one.claims.sub, input: &one.input, now: one.now };
        outcomes.push(caller.map(|_| live.push(command)).ok_or_else(|| Problem::new(Code::Unauthenticated)));
    }
    let mut answers = if live.is_empty() { Vec::new() } else { C::carry_out(conn, &live).await? }.into_iter();
    let mut next = || answers.next().unwrap_or_else(|| Err(Problem::internal("an answer is missing")));
    Ok(outcomes.into_iter().map(|outcome| outcome.and_then(|()| next())).collect())
}
