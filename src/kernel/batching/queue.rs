//! Batching: requests that arrive together share one statement or one transaction.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::kernel::db::{DB_TIMEOUT, within};
use crate::kernel::http::problem::{Code, Problem};

/// One queued request, and where its answer goes.
pub struct Job<I, O> {
    pub input: I,
    answer: oneshot::Sender<Result<O, Problem>>,
}

impl<I, O> Job<I, O> {
    /// Answers the request. The requester may have gone away; what was committed stays.
    pub fn answer(self, outcome: Result<O, Problem>) {
        drop(self.answer.send(outcome));
    }
}

/// The sending side of a queue. Cheap to clone; one per kind of work and process.
pub struct Queue<I, O>(mpsc::Sender<Job<I, O>>);

impl<I, O> Clone for Queue<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The receiving side of a queue, shared by its workers.
pub struct Receiver<I, O>(Arc<Mutex<Pending<I, O>>>);

impl<I, O> Clone for Receiver<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Requests that follow one another within this time form one batch: a statement costs about the same for few as for
/// many.
pub const BATCH_WINDOW: Duration = Duration::from_millis(8);
/// If requests were already waiting, the round was too short for the work: those that arrive within this time join the
/// batch too. The busier the machine is, the more it matters that many share a statement.
const LATE_WINDOW: Duration = Duration::from_millis(1);
/// A batch of this size does not wait for the end of the round.
const FULL_BATCH: usize = 16;

/// Makes a queue that holds at most `places` requests. A batch is taken once per `round`, or as soon as it is large
/// enough; a request that follows a quiet moment is taken at once.
pub fn queue<I, O>(places: usize, round: Duration) -> (Queue<I, O>, Receiver<I, O>) {
    let (sender, receiver) = mpsc::channel(places);
    (Queue(sender), Receiver(Arc::new(Mutex::new(Pending { receiver, round, taken: None }))))
}

/// The waiting requests, and when a batch was last taken.
struct Pending<I, O> {
    receiver: mpsc::Receiver<Job<I, O>>,
    round: Duration,
    taken: Option<Instant>,
}

impl<I, O> Pending<I, O> {
    /// Waits for the next request and takes it with those that arrive until the round is over, at most `most`. Takes
    /// none when the queue is closed.
    async fn take(&mut self, jobs: &mut Vec<Job<I, O>>, most: usize) {
        let late = !self.receiver.is_empty();
        if self.receiver.recv_many(jobs, most).await == 0 {
            return;
        }
        let now = Instant::now();
        let round = self.taken.map(|taken| taken + self.round);
        let moment = late.then(|| now + self.round.min(LATE_WINDOW));
        // A timer would wait for the next millisecond even when its deadline has passed.
        if let Some(end) = round.max(moment).filter(|end| *end > now) {
            let gather = async {
                while jobs.len() < FULL_BATCH.min(most) && self.receiver.recv_many(jobs, most - jobs.len()).await > 0 {}
            };
            // Requests that have arrived by then are in the batch.
            drop(timeout_at(end, gather).await);
        }
        self.taken = Some(Instant::now());
    }

    /// Takes the requests that wait already, without waiting for more.
    fn join(&mut self, jobs: &mut Vec<Job<I, O>>, most: usize) {
        while jobs.len() < most
            && let Ok(job) = self.receiver.try_recv()
        {
            jobs.push(job);
            self.taken = Some(Instant::now());
        }
    }
}

impl<I, O> Queue<I, O> {
    /// Queues a request and waits for its answer.
    ///
    /// # Errors
    /// 503 when the queue is full, when it has no worker any more or the database hangs; otherwise the problem of the
    /// work.
    pub async fn ask(&self, input: I) -> Result<O, Problem> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Job { input, answer }).map_err(|refused| {
            Problem::unavailable(match refused {
                TrySendError::Full(_) => "the queue is full",
                TrySendError::Closed(_) => "the queue is closed",
            })
        })?;
        // A requester who gives up may retry with the same key: what is committed meanwhile is found.
        within(DB_TIMEOUT, async {
            answered.await.unwrap_or_else(|_| Err(Problem::unavailable("the work was abandoned")))
        })
        .await
    }
}

/// Running workers; they end when this is dropped.
pub struct Workers(pub Vec<JoinHandle<()>>);

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &self.0 {
            worker.abort();
        }
    }
}

/// Outcomes of requests, in the order of the requests; none for those without an answer yet.
pub type Outcomes<O> = Result<Vec<Option<Result<O, Problem>>>, Problem>;

/// Processes requests together and answers them. When that fails because of one of them, each half is tried separately,
/// so that a fault affects its own request only. While the database is away, all of them get that answer. Returns the
/// requests without an answer yet.
pub fn settle<'w, I: 'w, O: 'w>(
    mut jobs: Vec<Job<I, O>>,
    work: &'w impl AsyncFn(&[&I]) -> Outcomes<O>,
) -> LocalBoxFuture<'w, Vec<Job<I, O>>> {
    Box::pin(async move {
        let inputs: Vec<&I> = jobs.iter().map(|job| &job.input).collect();
        match work(&inputs).await {
            Ok(outcomes) => {
                let mut left = Vec::new();
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    match outcome {
                        Some(outcome) => job.answer(outcome),
                        None => left.push(job),
                    }
                }
                left
            }
            Err(problem) if jobs.len() == 1 || problem.code == Code::Unavailable => {
                for job in jobs {
                    job.answer(Err(problem.clone()));
                }
                Vec::new()
            }
            Err(_) => {
                let second = jobs.split_off(jobs.len() / 2);
                let mut left = settle(jobs, work).await;
                left.extend(settle(second, work).await);
                left
            }
        }
    })
}

/// The same for work that answers every request.
pub async fn answer_all<I, O>(
    jobs: Vec<Job<I, O>>,
    work: impl AsyncFn(&[&I]) -> Result<Vec<Result<O, Problem>>, Problem>,
) -> Vec<Job<I, O>> {
    let answered = async |inputs: &[&I]| Ok(work(inputs).await?.into_iter().map(Some).collect());
    settle(jobs, &answered).await
}

/// Starts a worker: it takes waiting requests, at most `most` at a time, processes them and repeats. Requests that the
/// work returns are taken again with the next ones. Several workers may share a queue.
pub fn worker<I: 'static, O: 'static>(
    waiting: Receiver<I, O>,
    most: usize,
    work: impl Fn(Vec<Job<I, O>>) -> LocalBoxFuture<'static, Vec<Job<I, O>>> + 'static,
) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut jobs = Vec::new();
        loop {
            if jobs.is_empty() {
                waiting.0.lock().await.take(&mut jobs, most).await;
                if jobs.is_empty() {
                    return;
                }
            } else if let Ok(mut line) = waiting.0.try_lock() {
                // Never waits here: another worker may hold the lock until the next request comes, and these have
                // waited already.
                line.join(&mut jobs, most);
            }
            // Drops jobs whose requester has gone; repeated requests are served first.
            jobs.retain(|job| !job.answer.is_closed());
            if !jobs.is_empty() {
                // When a batch panics, its requesters are told that the work was abandoned; the worker continues with
                // others.
                let done = AssertUnwindSafe(async { work(jobs).await }).catch_unwind().await;
                jobs = done.unwrap_or_default();
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(input: &str) -> Result<usize, Problem> {
        if input == "wrong" { Err(Problem::internal("wrong")) } else { Ok(input.len()) }
    }

    #[actix_web::test]
    async fn a_fault_is_nobody_elses() {
        let (queue, waiting) = queue::<&str, usize>(10, BATCH_WINDOW);
        // A batch fails as a whole while it contains a faulty request.
        let work = async |inputs: &[&&str]| inputs.iter().map(|input| outcome(input).map(Ok)).collect();
        let ask = async |input| queue.ask(input).await.ok();
        let asked = async { tokio::join!(ask("a"), ask("wrong"), ask("bcd"), ask("ef")) };
        let answered = async {
            let mut jobs = Vec::new();
            waiting.0.lock().await.take(&mut jobs, 10).await;
            assert_eq!(jobs.len(), 4);
            assert!(answer_all(jobs, work).await.is_empty());
        };
        let (answers, ()) = tokio::join!(asked, answered);
        assert_eq!(answers, (Some(1), None, Some(3), Some(2)));
    }

    async fn put(queue: &Queue<&str, usize>) {
        let (answer, _) = oneshot::channel();
        assert!(queue.0.send(Job { input: "a", answer }).await.is_ok());
    }

    /// The size of a batch, and after how long it is taken, when the last one was taken `last` ago and `come` requests
    /// follow one another.
    async fn taken_together(round: Duration, last: Option<Duration>, come: usize) -> (usize, Duration) {
        let (queue, waiting) = queue::<&str, usize>(10 * FULL_BATCH, round);
        let mut line = waiting.0.lock().await;
        let begun = Instant::now();
        line.taken = last.and_then(|ago| begun.checked_sub(ago));
        let mut jobs = Vec::new();
        let come = async {
            for _ in 0..come {
                put(&queue).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(biased; line.take(&mut jobs, 10 * FULL_BATCH), come);
        (jobs.len(), begun.elapsed())
    }

    #[actix_web::test]
    async fn those_who_come_within_a_round_are_taken_together() {
        let (long, short) = (Duration::from_secs(10), Duration::from_millis(20));
        let (taken, after) = taken_together(long, Some(Duration::ZERO), 2 * FULL_BATCH).await;
        assert!(taken == FULL_BATCH && after < long, "{taken} after {after:?}");
        let (taken, after) = taken_together(short, Some(Duration::ZERO), 3).await;
        assert!(taken == 3 && after >= short, "{taken} after {after:?}");
    }

    #[actix_web::test]
    async fn nobody_waits_after_a_quiet_moment() {
        let long = Duration::from_secs(10);
        assert_eq!(taken_together(long, Some(long), 3).await.0, 1);
        assert_eq!(taken_together(long, None, 3).await.0, 1);
        assert_eq!(taken_together(Duration::ZERO, Some(Duration::ZERO), 3).await.0, 1);
    }

    #[actix_web::test]
    async fn where_somebody_waited_those_who_come_within_a_moment_are_taken_too() {
        let (queue, waiting) = queue::<&str, usize>(10, BATCH_WINDOW);
        put(&queue).await;
        let (mut line, mut jobs) = (waiting.0.lock().await, Vec::new());
        tokio::join!(biased; line.take(&mut jobs, 10), put(&queue));
        assert_eq!(jobs.len(), 2);
    }

    #[actix_web::test]
    async fn a_lane_outlives_work_that_panics() {
        let (queue, waiting) = queue::<&str, usize>(10, BATCH_WINDOW);
        let work = |jobs: Vec<Job<&'static str, usize>>| {
            answer_all(jobs, async |inputs: &[&&'static str]| {
                assert!(!inputs.contains(&&"panic"), "a test");
                Ok(inputs.iter().map(|input| outcome(input)).collect())
            })
            .boxed_local()
        };
        let _lane = Workers(vec![worker(waiting, 1, work)]);
        assert_eq!(queue.ask("panic").await.unwrap_err().code, Code::Unavailable);
        assert_eq!(queue.ask("ab").await.ok(), Some(2));
    }
}
