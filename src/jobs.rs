//! Background jobs: keys, outbox, webhooks, pushes, projections, closings, regularity, reorganisations, sweeping.
//!
//! Every instance runs them. Work that must happen once takes a lease in the database.

mod sweeping;

use std::time::{Duration, Instant};

use actix_web::web::Data;
use tokio::task::JoinHandle;

use crate::app::CONSUMERS;
use crate::kernel::db::lease;
use crate::kernel::db::transaction;
use crate::kernel::duty_cycle::DutyCycle;
use crate::kernel::http::problem::Problem;
use crate::kernel::http::rate_limit;
use crate::kernel::outbox;
use crate::kernel::state::State;
use crate::organisation::reorganisations;
use crate::points::{self, projection};
use crate::{cases, documents, identity, leaderboards, notifications, quizzes, webhooks};

pub use sweeping::sweep;

/// Each instance keeps nine tenths of its time for requests: after a slice of work it rests this many times as long.
const REST: u32 = 9;
/// A slice that waited long for locks or the database must not cause hours of rest.
const LONGEST_REST: Duration = Duration::from_secs(60);
const OUTBOX_PAUSE: Duration = Duration::from_millis(500);
/// Pause between two polls for changes. It grows when polling takes long, but stays below the lease and far below the
/// age at which boards count as stale.
const PROJECTION_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PROJECTION_PAUSE: Duration = Duration::from_secs(10);
const KEYS_PAUSE: Duration = Duration::from_secs(60);
const CLOSING_PAUSE: Duration = Duration::from_secs(60);
const CASES_PAUSE: Duration = Duration::from_secs(300);
const ATTEMPTS_PAUSE: Duration = Duration::from_secs(5);
const CONTESTS_PAUSE: Duration = Duration::from_secs(60);
const BOARDS_PAUSE: Duration = Duration::from_secs(15);
const PUBLICATIONS_PAUSE: Duration = Duration::from_secs(10);
const FILES_PAUSE: Duration = Duration::from_secs(5);
const PUSHES_PAUSE: Duration = Duration::from_secs(1);
const WEBHOOKS_PAUSE: Duration = Duration::from_millis(500);
const LEFT_OVER_PAUSE: Duration = Duration::from_secs(3600);
const REORGANISATIONS_PAUSE: Duration = Duration::from_secs(60);

/// The running loops; they end when this is dropped.
pub struct Jobs(Vec<JoinHandle<()>>);

impl Drop for Jobs {
    fn drop(&mut self) {
        for job in &self.0 {
            job.abort();
        }
    }
}

/// Starts the loops on the current runtime.
#[must_use]
pub fn start(state: Data<State>) -> Jobs {
    let mut jobs = vec![
        every(&state, OUTBOX_PAUSE, "the outbox", async |state| {
            while deliver(state).await? > 0 {}
            Ok(false)
        }),
        every(&state, KEYS_PAUSE, "the signing keys", async |state| {
            identity::refresh_keys(state).await?;
            Ok(false)
        }),
        every(&state, CASES_PAUSE, "the search for regularity", async |state| look_for_regularity(state).await),
        every(&state, REORGANISATIONS_PAUSE, "planned reorganisations", async |state| {
            reorganisations::apply_due(state).await?;
            Ok(false)
        }),
        every(&state, ATTEMPTS_PAUSE, "attempts whose time is over", async |state| {
            quizzes::grade_due(&state.work, state.clock.now()).await
        }),
        every(&state, ATTEMPTS_PAUSE, "attempts with voided questions", async |state| {
            quizzes::regrade_some(&state.work, state.clock.now()).await
        }),
        every(&state, CONTESTS_PAUSE, "results of contests", async |state| {
            quizzes::freeze_due(&state.work, &state.crypto, state.clock.now()).await
        }),
        every(&state, BOARDS_PAUSE, "kept leaderboards", async |state| keep_boards(state).await),
        every(&state, PUBLICATIONS_PAUSE, "planned publications", async |state| documents::publish_due(state).await),
        every(&state, FILES_PAUSE, "texts of files", async |state| documents::read_next_file(state).await),
        every(&state, WEBHOOKS_PAUSE, "webhooks", async |state| {
            webhooks::deliver_due(state).await?;
            Ok(false)
        }),
        every(&state, PUSHES_PAUSE, "pushes", async |state| {
            notifications::send_pushes(state).await?;
            Ok(false)
        }),
        every(&state, LEFT_OVER_PAUSE, "contents of files without a document", async |state| {
            documents::sweep_files(state, state.clock.now()).await?;
            Ok(false)
        }),
        every(&state, rate_limit::SWEEP, "sweeping", async |state| {
            state.limits.forget_idle();
            sweep(state).await;
            Ok(false)
        }),
    ];
    if state.config.automatic_closing {
        jobs.push(every(&state, CLOSING_PAUSE, "closing months", async |state| {
            let slice = points::close_due_slice(&state.work, &state.crypto, state.clock.now()).await?;
            Ok(slice.more)
        }));
    }
    jobs.push(actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(project_some(&state).await).await;
        }
    }));
    Jobs(jobs)
}

/// Repeats the work, with a pause before each run. Failed work is retried after the next pause.
fn every(
    state: &Data<State>,
    pause: Duration,
    what: &'static str,
    slice: impl AsyncFn(&Data<State>) -> Result<bool, Problem> + 'static,
) -> JoinHandle<()> {
    let state = state.clone();
    actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            if let Err(problem) = in_slices(async || slice(&state).await).await {
                tracing::warn!(%problem, what, "background work will be tried again");
            }
        }
    })
}

/// Works slice by slice while more is waiting, and rests between slices.
async fn in_slices(slice: impl AsyncFn() -> Result<bool, Problem>) -> Result<(), Problem> {
    loop {
        let begun = Instant::now();
        if !slice().await? {
            return Ok(());
        }
        tokio::time::sleep((begun.elapsed() * REST).min(LONGEST_REST)).await;
    }
}

/// Projects once. Returns how long to rest, so that a large backlog does not keep other requests from the database.
async fn project_some(state: &State) -> Duration {
    let begun = Instant::now();
    match project(state).await {
        Ok(true) => begun.elapsed().min(PROJECTION_PAUSE),
        // Changes made meanwhile are processed together.
        Ok(false) => {
            let took = begun.elapsed();
            let longest = LONGEST_PROJECTION_PAUSE.saturating_sub(took).max(PROJECTION_PAUSE);
            (took * REST).clamp(PROJECTION_PAUSE, longest)
        }
        Err(problem) => {
            tracing::warn!(%problem, "the projection will be tried again");
            PROJECTION_PAUSE
        }
    }
}

/// Projects the next step of the ledger, unless another instance does. Returns whether more is waiting.
///
/// # Errors
/// When the database cannot be reached.
pub async fn project(state: &State) -> Result<bool, Problem> {
    let now = state.clock.now();
    let mut conn = state.work.conn().await?;
    let Some(lease) = lease::take(&mut conn, projection::LEASE, state.instance, now).await? else {
        return Ok(false);
    };
    let redis = state.redis.as_ref();
    let (drained, lost) = transaction(&mut conn, async |conn| {
        if !lease.hold(conn).await? {
            return Ok((true, Vec::new()));
        }
        let mut pace = DutyCycle::default();
        let step = projection::step(conn, &lease, now, &mut pace).await?;
        let lost = leaderboards::follow(conn, redis, &lease, (&step, &mut pace), now).await?;
        Ok((step.drained, lost))
    })
    .await?;
    drop(conn);
    if let Some(redis) = redis.filter(|_| !lost.is_empty()) {
        let means = leaderboards::RebuildContext { db: &state.work, redis, clock: &state.clock, lease };
        let scores = leaderboards::rebuild(&means, &lost, |_, _| {}).await?;
        tracing::info!(boards = lost.len(), scores, "leaderboards rebuilt");
    }
    Ok(!drained)
}

/// Searches the ledger of the last month once a day, one step at a time. Returns whether more is left.
///
/// # Errors
/// When the database cannot be reached.
pub async fn look_for_regularity(state: &State) -> Result<bool, Problem> {
    state.work.transaction(async |conn| cases::look_for_regularity(conn, state.clock.now()).await).await
}

/// Makes a leaderboard that requests read instead of ranking a large unit. Returns whether there may be more to make.
///
/// # Errors
/// When the database cannot be reached.
pub async fn keep_boards(state: &State) -> Result<bool, Problem> {
    state.work.transaction(async |conn| leaderboards::keep_next_board(conn, state.clock.now()).await).await
}

/// Delivers waiting outbox events. Returns how many.
///
/// # Errors
/// When the database cannot be reached.
pub async fn deliver(state: &State) -> Result<usize, Problem> {
    const BATCH: i64 = 50;
    let now = state.clock.now();
    let events = outbox::claim(&mut *state.work.conn().await?, BATCH, now).await?;
    for event in &events {
        if let Err(problem) = deliver_one(state, event).await {
            tracing::warn!(%problem, event = event.id, topic = %event.topic, "event will be tried again");
        }
    }
    Ok(events.len())
}

/// Delivers one claimed event to those of [`CONSUMERS`] that want it, unless another instance has done so since the claim.
///
/// # Errors
/// When the database cannot be reached; the event will be claimed again.
pub async fn deliver_one(state: &State, event: &outbox::OutboxEvent) -> Result<(), Problem> {
    outbox::deliver(&state.work, &CONSUMERS, event, state.clock.now()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[actix_web::test]
    async fn long_work_leaves_nine_tenths_of_the_time_to_others() {
        let spans: RefCell<Vec<(Instant, Instant)>> = RefCell::default();
        let slice = async || {
            let begun = Instant::now();
            tokio::time::sleep(Duration::from_millis(5)).await;
            spans.borrow_mut().push((begun, Instant::now()));
            Ok(spans.borrow().len() < 3)
        };
        in_slices(slice).await.unwrap();
        let spans = spans.into_inner();
        assert_eq!(spans.len(), 3);
        for pair in spans.windows(2) {
            let ((begun, ended), (next, _)) = (pair[0], pair[1]);
            assert!(next - ended >= (ended - begun) * REST, "{:?} after {:?}", next - ended, ended - begun);
        }
    }

    #[actix_web::test]
    async fn what_fails_ends_the_work() {
        let times = RefCell::new(0);
        let failing = async || {
            *times.borrow_mut() += 1;
            Err(Problem::unavailable("gone"))
        };
        assert!(in_slices(failing).await.is_err());
        assert_eq!(times.into_inner(), 1);
    }
}
