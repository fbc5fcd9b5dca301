//! Background work of every instance: signing keys, the outbox, planned reorganisations, sweeping. Whatever must happen once takes a lease in the database.

use std::time::Duration;

use actix_web::web::Data;
use tokio::task::JoinHandle;

use crate::kernel::problem::Problem;
use crate::kernel::state::State;
use crate::kernel::{idempotency, outbox, rate_limit};
use crate::organisation::reorganisations;
use crate::{documents, identity, notifications};

const OUTBOX_PAUSE: Duration = Duration::from_millis(500);
const KEYS_PAUSE: Duration = Duration::from_secs(60);
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
    let outbox_state = state.clone();
    let outbox = actix_web::rt::spawn(async move {
        loop {
            let delivered = deliver(&outbox_state).await.unwrap_or(0);
            if delivered == 0 {
                tokio::time::sleep(OUTBOX_PAUSE).await;
            }
        }
    });
    let keys_state = state.clone();
    let keys = actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(KEYS_PAUSE).await;
            if let Err(problem) = identity::refresh_keys(&keys_state).await {
                tracing::warn!(%problem, "signing keys could not be refreshed");
            }
        }
    });
    let reorganisations_state = state.clone();
    let reorganising = actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(REORGANISATIONS_PAUSE).await;
            if let Err(problem) = reorganisations::apply_due(&reorganisations_state).await {
                tracing::warn!(%problem, "planned reorganisations will be tried again");
            }
        }
    });
    let sweeping = actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(rate_limit::SWEEP).await;
            state.limits.forget_idle();
            if let Err(problem) = sweep(&state).await {
                tracing::warn!(%problem, "old rows could not be swept");
            }
        }
    });
    Jobs(vec![outbox, keys, reorganising, sweeping])
}

async fn sweep(state: &State) -> Result<(), Problem> {
    let mut conn = state.db.conn().await?;
    idempotency::sweep(&mut conn, state.clock.now()).await?;
    outbox::sweep(&mut conn, state.clock.now()).await?;
    identity::sweep_failures(&mut conn, state.clock.now()).await?;
    Ok(())
}

/// Delivers what waits in the outbox, each event in a transaction of its own. Returns how many.
///
/// # Errors
/// When the database cannot be reached.
pub async fn deliver(state: &State) -> Result<usize, Problem> {
    const BATCH: i64 = 50;
    let now = state.clock.now();
    let events = outbox::claim(&mut *state.db.conn().await?, BATCH, now).await?;
    for event in &events {
        if let Err(problem) = deliver_one(state, event).await {
            tracing::warn!(%problem, event = event.id, topic = %event.topic, attempts = event.attempts, "event will be tried again");
        }
    }
    Ok(events.len())
}

/// Delivers one claimed event in a transaction of its own, unless somebody else has done so since the claim.
///
/// # Errors
/// When a consumer fails, or the database cannot be reached; the event will be claimed again.
pub async fn deliver_one(state: &State, event: &outbox::Event) -> Result<(), Problem> {
    let now = state.clock.now();
    state
        .db
        .transaction(async |conn| {
            if !outbox::lock(conn, event.id).await? {
                return Ok(());
            }
            notifications::consume(conn, event, now).await?;
            documents::consume(conn, event, now).await?;
            outbox::done(conn, event.id, now).await
        })
        .await
}
