//! Orders that are due: each is carried out in a transaction of its own.
//!
//! Failures are recorded and reported.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::outbox;
use crate::kernel::security::audit;
use crate::kernel::state::State;
use crate::organisation::grants;

use super::apply::{Order, apply};
use super::model::ReorganisationIn;
use super::{store, target};

/// Carries out due orders. Returns how many were processed. One that fails stays planned and is tried again, and no
/// other waits for it.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn apply_due(state: &State) -> Result<usize, Problem> {
    let today = day_of(state.clock.now());
    let (mut done, mut after) = (0, None);
    loop {
        let due = store::due(&mut *state.work.conn().await?, today, after).await?;
        let Some(last) = due.last().copied() else { return Ok(done) };
        for (_, id) in due {
            match deal_with(state, id).await {
                Ok(()) => done += 1,
                Err(problem) => tracing::error!(%problem, order = %id, "a planned reorganisation fails by itself"),
            }
        }
        after = Some(last);
    }
}

async fn deal_with(state: &State, id: Uuid) -> Result<(), Problem> {
    match state.work.transaction(async |conn| carry_out(conn, state, id).await).await {
        Ok(()) => Ok(()),
        // Another instance has done it, or it was cancelled.
        Err(problem) if problem.code.status() == 409 && !still_planned(state, id).await? => Ok(()),
        Err(problem) if problem.code.status() < 500 => give_up(state, id, &problem).await,
        Err(problem) => Err(problem),
    }
}

async fn still_planned(state: &State, id: Uuid) -> Result<bool, Problem> {
    Ok(store::get(&mut *state.work.conn().await?, id).await?.state == "planned")
}

async fn carry_out(conn: &mut Conn, state: &State, id: Uuid) -> Result<(), Problem> {
    let now = state.clock.now();
    let row = store::lock_planned(conn, id).await?;
    let body: ReorganisationIn = serde_json::from_value(row.details).map_err(Problem::internal)?;
    // A past day has its entries already: the order holds from today.
    let day = row.effective_on.max(day_of(now));
    require_still(conn, row.ordered_by, &body, now).await?;
    let order = Order { body: &body, by: row.ordered_by, now, day, strict: false };
    let effect = apply(conn, &order).await?;
    store::note_units(conn, id, effect.made.into_iter()).await?;
    store::applied(conn, id, day, effect.made, &effect.shown, now).await?;
    record(conn, "reorganisation.applied", id, &body, now).await
}

/// The officer who gave the order must have the right to it on the day, too.
async fn require_still(
    conn: &mut Conn,
    ordered_by: Uuid,
    body: &ReorganisationIn,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let lost = || {
        Problem::with(
            Code::Forbidden,
            "Người ra quyết định không còn quyền sắp xếp các tổ chức này.",
            "The officer who ordered it may not reorganise these units any more.",
        )
    };
    let officer = grants::principal(conn, ordered_by, now).await?.ok_or_else(lost)?;
    match target::require(conn, &officer, body, day_of(now)).await {
        Err(problem) if problem.code.status() == 403 || problem.code.status() == 404 => Err(lost()),
        other => other.map(drop),
    }
}

/// A later change makes the order impossible: its author is notified and gives a new one.
async fn give_up(state: &State, id: Uuid, problem: &Problem) -> Result<(), Problem> {
    let now = state.clock.now();
    let reason = problem.detail.as_ref().map_or_else(|| problem.code.title().vi, |detail| detail.vi.clone());
    state
        .work
        .transaction(async |conn| {
            let row = store::lock_planned(conn, id).await?;
            let body: ReorganisationIn = serde_json::from_value(row.details).map_err(Problem::internal)?;
            store::drop_plan(conn, id, Some(&reason), now).await?;
            let details = json!({"reorganisation_id": id});
            outbox::tell(conn, "reorganisation_failed", &[row.ordered_by], &details, now).await?;
            record(conn, "reorganisation.failed", id, &body, now).await
        })
        .await
}

async fn record(
    conn: &mut Conn,
    action: &'static str,
    id: Uuid,
    body: &ReorganisationIn,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    for unit_id in body.unit_ids.iter().chain(&body.into_unit_id) {
        let event = audit::AuditEvent {
            client_id: None,
            actor_id: None,
            action,
            object_kind: "reorganisation",
            object_id: id,
            unit_id: Some(*unit_id),
            member_id: None,
            request_id: None,
            details: json!({"kind": body.kind}),
        };
        audit::record(conn, event, now).await?;
    }
    Ok(())
}
