//! From an event of the outbox to a delivery for each endpoint that wants it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::webhook_endpoints;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::{first_id, new_id};
use crate::kernel::outbox::OutboxEvent;
use crate::organisation::units;

use super::deliveries::store;
use super::event_types::WebhookEventType;

/// The topics of the outbox that other systems are told.
pub const TOPICS: &[&str] =
    &["document.published", "document.recalled", "month.closed", "month.reopened", "quiz.published"];

/// How long events and their deliveries are kept, days.
pub const KEPT_DAYS: i64 = 30;

/// Keeps the event for those who poll, and queues it for the endpoints of its unit and of the units above that want it.
///
/// # Errors
/// When the event does not say what its type promises, or the database fails.
pub async fn consume(conn: &mut Conn, event: &OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    let Some(kind) = WebhookEventType::parse(&event.topic) else {
        return Ok(());
    };
    let (unit_id, data) = kind.data(&event.payload)?;
    let data = serde_json::to_value(data).map_err(Problem::internal)?;
    let path = units::last_path(conn, unit_id, day_of(now)).await?;
    let id = keep(conn, (kind.as_str(), unit_id, data), event.created_at, now).await?;
    list(conn, id, &path).await?;
    let wanting: Vec<Uuid> = webhook_endpoints::table
        .filter(webhook_endpoints::unit_id.eq_any(&path))
        .filter(webhook_endpoints::events.contains(vec![kind.as_str()]))
        .filter(webhook_endpoints::paused_at.is_null())
        .order(webhook_endpoints::id)
        .select(webhook_endpoints::id)
        .load(conn)
        .await?;
    let deliveries: Vec<_> = wanting.into_iter().map(|endpoint| (endpoint, id)).collect();
    store::queue(conn, &deliveries, now).await.map(drop)
}

/// Writes an event. Returns its id, which every request with it carries.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn keep(
    conn: &mut Conn,
    (kind, unit_id, data): (&str, Uuid, Value),
    occurred_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let id = new_id(now);
    diesel::sql_query("INSERT INTO webhook_events (id, kind, unit_id, data, occurred_at) VALUES ($1, $2, $3, $4, $5)")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(kind)
        .bind::<SqlUuid, _>(unit_id)
        .bind::<Jsonb, _>(data)
        .bind::<Timestamptz, _>(occurred_at)
        .execute(conn)
        .await?;
    Ok(id)
}

/// Lists the event for each unit from which it is seen.
async fn list(conn: &mut Conn, event_id: Uuid, path: &[Uuid]) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO webhook_feed (recipient_id, xid, event_id)
         SELECT u, pg_current_xact_id()::text::bigint, $2 FROM unnest($1) AS t(u)",
    )
    .bind::<Array<SqlUuid>, _>(path)
    .bind::<SqlUuid, _>(event_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Drops some old events with their deliveries. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM webhook_events WHERE id = ANY(ARRAY(
        SELECT id FROM webhook_events WHERE id < $1 ORDER BY id LIMIT $2))";
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(first_id(now - TimeDelta::days(KEPT_DAYS)));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_topic() {
        assert!(WebhookEventType::ALL.iter().map(|kind| kind.as_str()).eq(TOPICS.iter().copied()));
    }
}
