//! Requests that arrive together are worked on together: one statement, or one transaction, for all of them.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::db::{PATIENCE, within};
use super::problem::Problem;

/// One request waiting for its turn, and where its answer goes.
pub struct Job<I, O> {
    pub input: I,
    answer: oneshot::Sender<Result<O, Problem>>,
}

impl<I, O> Job<I, O> {
    /// Answers the request. Whoever asked may have gone away; what was committed stays.
    pub fn answer(self, outcome: Result<O, Problem>) {
        drop(self.answer.send(outcome));
    }
}

/// Where requests wait. Cheap to clone; one a kind of work and process.
pub struct Queue<I, O>(mpsc::Sender<Job<I, O>>);

impl<I, O> Clone for Queue<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Where lanes take requests from.
pub struct Waiting<I, O>(Arc<Mutex<mpsc::Receiver<Job<I, O>>>>);

impl<I, O> Clone for Waiting<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Makes a queue that holds at most `places` requests.
pub fn queue<I, O>(places: usize) -> (Queue<I, O>, Waiting<I, O>) {
    let (sender, receiver) = mpsc::channel(places);
    (Queue(sender), Waiting(Arc::new(Mutex::new(receiver))))
}

impl<I, O> Queue<I, O> {
    /// Waits for the turn of a request and for its answer.
    ///
    /// # Errors
    /// 503 when the queue is full, when nobody works on it any more or the database hangs; otherwise what the work answers.
    pub async fn ask(&self, input: I) -> Result<O, Problem> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Job { input, answer }).map_err(|refused| {
            Problem::unavailable(match refused {
                TrySendError::Full(_) => "the queue is full",
                TrySendError::Closed(_) => "the queue is closed",
            })
        })?;
        // Whoever gives up may ask again with the same key: what is committed meanwhile is found.
        within(PATIENCE, async {
            answered.await.unwrap_or_else(|_| Err(Problem::unavailable("the work was abandoned")))
        })
        .await
    }
}

/// Lanes at work; they end when this is dropped.
pub struct Lanes(pub Vec<JoinHandle<()>>);

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in &self.0 {
            lane.abort();
        }
    }
}

/// Answers requests that were worked on together, in the order they came in; one fault is everybody's.
pub fn answer_all<I, O>(jobs: Vec<Job<I, O>>, outcomes: Result<Vec<Result<O, Problem>>, Problem>) {
    match outcomes {
        Ok(outcomes) => {
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                job.answer(outcome);
            }
        }
        Err(problem) => {
            for job in jobs {
                job.answer(Err(problem.clone()));
            }
        }
    }
}

/// Starts a lane: it takes what waits, at most `most` at a time, works on it and comes back for more. What the work hands back
/// is taken again with the next ones. Several lanes may share a queue.
pub fn lane<I: 'static, O: 'static>(
    waiting: Waiting<I, O>,
    most: usize,
    work: impl Fn(Vec<Job<I, O>>) -> LocalBoxFuture<'static, Vec<Job<I, O>>> + 'static,
) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut jobs = Vec::new();
        loop {
            if jobs.is_empty() {
                if waiting.0.lock().await.recv_many(&mut jobs, most).await == 0 {
                    return;
                }
            } else if let Ok(mut receiver) = waiting.0.try_lock() {
                // Never waits here: another lane may hold the lock until the next request comes, and these have waited already.
                while jobs.len() < most
                    && let Ok(job) = receiver.try_recv()
                {
                    jobs.push(job);
                }
            }
            // Nobody waits for them any more; whoever asks again is served before them.
            jobs.retain(|job| !job.answer.is_closed());
            if !jobs.is_empty() {
                jobs = work(jobs).await;
            }
        }
    })
}
