//! Orders whose day has come. Each is carried out in a transaction of its own; what cannot be done is noted, and told.

use serde_json::json;
use uuid::Uuid;

use crate::kernel::audit;
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::outbox;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::state::State;

use super::apply::{Order, apply};
use super::model::ReorganisationIn;
use super::store;

/// Carries out what is due. Returns how many orders were dealt with.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn apply_due(state: &State) -> Result<usize, Problem> {
    let today = day_of(state.clock.now());
    let due = store::due(&mut *state.db.conn().await?, today).await?;
    for id in &due {
        let done = state.db.transaction(async |conn| carry_out(conn, state, *id).await).await;
        match done {
            Ok(()) => {}
            // Another instance has done it, or somebody has cancelled it.
            Err(problem) if problem.code.status() == 409 && !still_planned(state, *id).await? => {}
            Err(problem) if problem.code.status() < 500 => give_up(state, *id, &problem).await?,
            // It stays planned and is tried again; nobody else's waits for it.
            Err(problem) if problem.code == Code::Internal => {
                tracing::error!(%problem, order = %id, "a planned reorganisation fails by itself");
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(due.len())
}

async fn still_planned(state: &State, id: Uuid) -> Result<bool, Problem> {
    Ok(store::get(&mut *state.db.conn().await?, id).await?.state == "planned")
}

async fn carry_out(conn: &mut Conn, state: &State, id: Uuid) -> Result<(), Problem> {
    let now = state.clock.now();
    let row = store::lock_planned(conn, id).await?;
    let body: ReorganisationIn = serde_json::from_value(row.details).map_err(Problem::internal)?;
    // A day that has passed has its entries already: it holds from today.
    let day = row.effective_on.max(day_of(now));
    let order = Order { body: &body, by: row.ordered_by, now, day, strict: false };
    let effect = apply(conn, &order).await?;
    store::note_units(conn, id, effect.made.into_iter()).await?;
    store::applied(conn, id, day, effect.made, &effect.shown, now).await?;
    record(conn, "reorganisation.applied", id, &body, now).await
}

/// The order stands in the way of something that came later: its giver is told and gives a new one.
async fn give_up(state: &State, id: Uuid, problem: &Problem) -> Result<(), Problem> {
    let now = state.clock.now();
    let reason = problem.detail.as_ref().map_or_else(|| problem.code.title().vi, |detail| detail.vi.clone());
    state
        .db
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
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Problem> {
    for unit_id in body.unit_ids.iter().chain(&body.into_unit_id) {
        let event = audit::Event {
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
