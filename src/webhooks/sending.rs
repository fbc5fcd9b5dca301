//! The job that sends what is due: one request at a time to an endpoint, several endpoints beside each other.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::json;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::outward::{OutwardError, backoff, work_off};
use crate::kernel::security::access::Permission;
use crate::kernel::state::State;
use crate::organisation::grants;

use super::deliveries::schedule;
use super::deliveries::store::{self, AttemptOutcome, DeliveryRow};
use super::endpoints::secrets;

/// An endpoint is left to the instance that claimed it for so long.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// One turn of an endpoint takes no new delivery after so long: the lease outlasts the last one.
const TURN: Duration = Duration::from_secs(30);
/// Deliveries of a turn.
const MOST: i64 = 50;

#[derive(Debug, Clone, QueryableByName)]
struct DueEndpoint {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Text)]
    url: String,
}

/// Sends what is due, until nothing is. Returns how many requests were made.
///
/// # Errors
/// 503 when the database cannot be reached; what was claimed is sent by the next one after a minute.
pub async fn deliver_due(state: &State) -> Result<usize, Problem> {
    let claim = async |most| claim(&mut *state.work.conn().await?, most, state.clock.now()).await;
    work_off(claim, |endpoint| turn(state, endpoint)).await
}

/// Claims endpoints for which something is due, those that have waited longest first.
async fn claim(conn: &mut Conn, most: usize, now: DateTime<Utc>) -> Result<Vec<DueEndpoint>, Problem> {
    let query = "UPDATE webhook_endpoints SET next_at = $1 WHERE id IN (
            SELECT e.id FROM webhook_endpoints e WHERE e.paused_at IS NULL AND e.next_at <= $2
                AND EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.next_at <= $2)
            ORDER BY e.next_at, e.id LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING id, unit_id, url";
    let query = diesel::sql_query(query).bind::<Timestamptz, _>(now + LEASE).bind::<Timestamptz, _>(now);
    Ok(query.bind::<BigInt, _>(i64::try_from(most).unwrap_or(1)).load(conn).await?)
}

/// Sends some of what is due for an endpoint. What fails is told, and tried again when the claim has ended.
async fn turn(state: &State, endpoint: DueEndpoint) -> usize {
    let begun = Instant::now();
    let mut made = 0;
    let outcome = async {
        let (keys, due) = prepare(state, &endpoint).await?;
        for delivery in &due {
            made += 1;
            let works = attempt(state, &endpoint, &keys, delivery).await?;
            // The rest waits, as the endpoint is left alone for a while.
            if !works {
                return Ok(());
            }
            if begun.elapsed() >= TURN {
                break;
            }
        }
        release(&mut *state.work.conn().await?, endpoint.id, state.clock.now()).await
    };
    let outcome: Result<(), Problem> = outcome.await;
    if let Err(problem) = outcome {
        tracing::warn!(%problem, endpoint = %endpoint.id, "a webhook will be tried again");
    }
    made
}

/// What signs, and what is due. No connection is held while an endpoint is called.
async fn prepare(state: &State, endpoint: &DueEndpoint) -> Result<(Vec<Webhook>, Vec<DeliveryRow>), Problem> {
    let now = state.clock.now();
    let mut conn = state.work.conn().await?;
    store::give_up_disallowed(&mut conn, endpoint.id, now).await?;
    let secrets = secrets::valid(&mut conn, &state.crypto, endpoint.id, now).await?;
    let keys = secrets.into_iter().map(|secret| Webhook::from_bytes(secret).map_err(Problem::internal));
    Ok((keys.collect::<Result<_, _>>()?, store::due(&mut conn, endpoint.id, MOST, now).await?))
}

/// Sends a delivery once and records what came of it. Returns whether it arrived.
async fn attempt(
    state: &State,
    endpoint: &DueEndpoint,
    keys: &[Webhook],
    delivery: &DeliveryRow,
) -> Result<bool, Problem> {
    let begun = Instant::now();
    let (headers, body) = message(keys, delivery, state.clock.now())?;
    let answer = state.outward.post(&endpoint.url, headers, body).await;
    let millis = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
    let now = state.clock.now();
    state.work.transaction(async |conn| record(conn, (endpoint, delivery), answer, millis, now).await).await
}

/// The request: the same id whenever it is sent, a signature by each secret in force.
fn message(keys: &[Webhook], delivery: &DeliveryRow, now: DateTime<Utc>) -> Result<(HeaderMap, Vec<u8>), Problem> {
    let body = json!({"type": delivery.kind, "timestamp": delivery.occurred_at, "data": delivery.data});
    let body = serde_json::to_vec(&body).map_err(Problem::internal)?;
    let (id, timestamp) = (delivery.event_id.to_string(), now.timestamp());
    let signatures = keys.iter().map(|key| key.sign(&id, timestamp, &body).map_err(Problem::internal));
    let signatures = signatures.collect::<Result<Vec<String>, Problem>>()?.join(" ");
    let value = |text: &str| HeaderValue::from_str(text).map_err(Problem::internal);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HEADER_WEBHOOK_ID, value(&id)?);
    headers.insert(HEADER_WEBHOOK_TIMESTAMP, value(&timestamp.to_string())?);
    headers.insert(HEADER_WEBHOOK_SIGNATURE, value(&signatures)?);
    Ok((headers, body))
}

/// Records an attempt: an arrival, or a failure with the pause after it.
async fn record(
    conn: &mut Conn,
    (endpoint, delivery): (&DueEndpoint, &DeliveryRow),
    answer: Result<u16, OutwardError>,
    millis: i32,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let arrived = answer.is_ok_and(|status| (200..300).contains(&status));
    let attempts = delivery.attempts + 1;
    let pause = if arrived { None } else { backoff::pause(attempts)? };
    let lost = !arrived && pause.is_none();
    let outcome = AttemptOutcome {
        attempts,
        next_at: pause.map(|pause| now + pause),
        delivered_at: arrived.then_some(now),
        failed_at: lost.then_some(now),
        last_attempt_at: now,
        last_status: answer.ok().map(i32::from),
        last_error: answer.err().map(OutwardError::code),
        last_millis: millis,
    };
    store::record(conn, delivery.id, &outcome).await?;
    if arrived {
        recover(conn, endpoint.id).await?;
    } else {
        suspend(conn, endpoint, (answer == Ok(410), lost), now).await?;
    }
    Ok(arrived)
}

/// Lets an endpoint be claimed again.
async fn release(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let query = diesel::sql_query("UPDATE webhook_endpoints SET next_at = $2 WHERE id = $1");
    query.bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now).execute(conn).await?;
    Ok(())
}

async fn recover(conn: &mut Conn, id: Uuid) -> Result<(), Problem> {
    let query = "UPDATE webhook_endpoints SET failures = 0, failing_since = NULL WHERE id = $1 AND failures > 0";
    diesel::sql_query(query).bind::<SqlUuid, _>(id).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Failing {
    #[diesel(sql_type = Int4)]
    failures: i32,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_at: Option<DateTime<Utc>>,
}

/// Leaves an endpoint alone for a while after a failure. One that is gone or has failed for long is paused, and officers are told.
async fn suspend(
    conn: &mut Conn,
    endpoint: &DueEndpoint,
    (gone, lost): (bool, bool),
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let query = "UPDATE webhook_endpoints SET failures = failures + 1, failing_since = coalesce(failing_since, $2)
        WHERE id = $1 RETURNING failures, failing_since AS since, paused_at";
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(endpoint.id).bind::<Timestamptz, _>(now);
    let failing: Vec<Failing> = query.load(conn).await?;
    // It may have been deleted meanwhile.
    let Some(failing) = failing.into_iter().next() else { return Ok(()) };
    release(conn, endpoint.id, now + backoff::rest(failing.failures)?).await?;
    if failing.paused_at.is_some() || !(gone || schedule::is_dead(failing.since, lost, now)) {
        return Ok(());
    }
    diesel::sql_query("UPDATE webhook_endpoints SET paused_at = $2, pause_reason = $3 WHERE id = $1")
        .bind::<SqlUuid, _>(endpoint.id)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(if gone { "gone" } else { "failing" })
        .execute(conn)
        .await?;
    tracing::info!(endpoint = %endpoint.id, gone, "a webhook endpoint is paused");
    grants::tell_nearest(conn, (endpoint.unit_id, Permission::ManageWebhooks), &[], "webhook_paused", now).await
}
