//! Sweeping what is kept no longer: each table in bounded slices, and none holds up another.

use std::time::Instant;

use crate::app::DECISION_KINDS;
use crate::kernel::batching::cache_invalidation;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::db::{Conn, transaction};
use crate::kernel::http::idempotency;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::kernel::security::{app_reads, audit};
use crate::kernel::state::State;
use crate::organisation::{decisions, lookups};
use crate::{documents, identity, notifications, points, webhooks};

use super::REST;

/// Slices of a table a minute: twenty thousand rows, which is more than a country makes.
const MOST_SLICES: usize = 20;

/// Sweeps every table once. What fails is told, and tried again with the next sweep.
pub async fn sweep(state: &State) {
    let now = state.clock.now();
    let full = |swept: usize| swept >= usize::try_from(SLICE).unwrap_or(usize::MAX);
    slices(state, "idempotency_keys", async |conn| Ok(full(idempotency::sweep(conn, now).await?))).await;
    slices(state, "outbox", async |conn| Ok(full(outbox::sweep(conn, now).await?))).await;
    slices(state, "changes", async |conn| Ok(full(cache_invalidation::sweep(conn).await?))).await;
    slices(state, "looked_up_numbers", async |conn| Ok(full(lookups::sweep(conn, now).await?))).await;
    slices(state, "sign_in_failures", async |conn| Ok(full(identity::sweep_failures(conn, now).await?))).await;
    slices(state, "sessions", async |conn| identity::sweep_sessions(conn, now).await).await;
    slices(state, "known_devices", async |conn| Ok(full(identity::sweep_devices(conn, now).await?))).await;
    slices(state, "activation_slips", async |conn| identity::sweep_slips(conn, now).await).await;
    slices(state, "notifications", async |conn| Ok(full(notifications::sweep(conn, now).await?))).await;
    slices(state, "announcements", async |conn| Ok(full(notifications::sweep_announcements(conn, now).await?))).await;
    slices(state, "reading_sessions", async |conn| documents::sweep_readings(conn, now).await).await;
    slices(state, "document_feed", async |conn| Ok(full(documents::sweep_feed(conn, now).await?))).await;
    slices(state, "document_reminders", async |conn| Ok(full(documents::sweep_reminders(conn, now).await?))).await;
    slices(state, "point_reminders", async |conn| Ok(full(points::sweep_reminders(conn, now).await?))).await;
    slices(state, "webhook_events", async |conn| Ok(full(webhooks::sweep(conn, now).await?))).await;
    let overdue = async |conn: &mut Conn| {
        transaction(conn, async |conn| decisions::expire(conn, DECISION_KINDS, now).await).await
    };
    slices(state, "decisions", overdue).await;
    slices(state, "oauth_codes", async |conn| Ok(full(crate::apps::sweep_codes(conn, now).await?))).await;
    slices(state, "oauth_clients", async |conn| Ok(full(crate::apps::sweep_secrets(conn, now).await?))).await;
    slices(state, "app_reads", async |conn| Ok(full(app_reads::sweep(conn, now).await?))).await;
    slices(state, "audit_events", async |conn| Ok(full(audit::sweep(conn, now).await?))).await;
}

/// Sweeps slice by slice while one says that there may be more, with rests in between.
async fn slices(state: &State, table: &'static str, slice: impl AsyncFn(&mut Conn) -> Result<bool, Problem>) {
    for _ in 0..MOST_SLICES {
        let begun = Instant::now();
        let swept = match state.work.conn().await {
            Ok(mut conn) => slice(&mut conn).await,
            Err(problem) => Err(problem),
        };
        match swept {
            Ok(true) => tokio::time::sleep(begun.elapsed() * REST).await,
            Ok(false) => return,
            Err(problem) => {
                tracing::warn!(%problem, table, "sweeping will be tried again");
                return;
            }
        }
    }
}
