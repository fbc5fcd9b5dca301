//! From an event of the outbox to a delivery for each endpoint that wants it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::{first_id, new_id};
use crate::kernel::outbox::OutboxEvent;
use crate::organisation::units;

use super::deliveries::store;
use super::event_types::{EventData, WebhookEventType};

/// The topics of the outbox that other systems are told.
pub const TOPICS: &[&str] = &[
    "document.published",
    "document.recalled",
    "month.closed",
    "month.reopened",
    "quiz.published",
    "points.awarded",
    "points.reversed",
];

/// How long events and their deliveries are kept, days.
pub const KEPT_DAYS: i64 = 30;

/// Keeps the event for those who poll, and queues it for the endpoints of its unit and of the units above that want it. What concerns the
/// points of a member goes to apps that the member has allowed, and to no other.
///
/// # Errors
/// When the event does not say what its type promises, or the database fails.
pub async fn consume(conn: &mut Conn, event: &OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    let Some(kind) = WebhookEventType::parse(&event.topic) else {
        return Ok(());
    };
    let (unit_id, data) = kind.data(&event.payload)?;
    let (units, clients) = match &data {
        EventData::Entry(entry) => (Vec::new(), allowed_by(conn, entry.member_id, now).await?),
        _ => (units::last_path(conn, unit_id, day_of(now)).await?, Vec::new()),
    };
    let recipients: Vec<Uuid> = units.iter().chain(&clients).copied().collect();
    if recipients.is_empty() {
        return Ok(());
    }
    let data = serde_json::to_value(data).map_err(Problem::internal)?;
    let id = keep(conn, (kind.as_str(), unit_id, data), event.created_at, now).await?;
    list(conn, id, &recipients).await?;
    let wanting: Vec<Recipient> = diesel::sql_query(WANTING)
        .bind::<Array<SqlUuid>, _>(units)
        .bind::<Array<SqlUuid>, _>(clients)
        .bind::<Text, _>(kind.as_str())
        .load(conn)
        .await?;
    let deliveries: Vec<_> = wanting.into_iter().map(|endpoint| (endpoint.id, id)).collect();
    store::queue(conn, &deliveries, now).await.map(drop)
}

/// Endpoints of units and of apps that want a type of event. Those of apps that are not approved get nothing.
const WANTING: &str = "SELECT e.id FROM webhook_endpoints e
    WHERE (e.unit_id = ANY($1) OR e.client_id = ANY($2)) AND $3 = ANY(e.events) AND e.paused_at IS NULL
        AND (e.client_id IS NULL OR EXISTS (SELECT FROM oauth_clients c WHERE c.id = e.client_id AND c.state = 'approved'))
    ORDER BY e.id";

/// An endpoint, or an app.
#[derive(QueryableByName)]
struct Recipient {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The apps that a member has allowed to read their points.
async fn allowed_by(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Uuid>, Problem> {
    let query = "SELECT DISTINCT s.client_id AS id FROM sessions s WHERE s.account_id = $1 AND s.client_id IS NOT NULL
        AND s.revoked_at IS NULL AND app_may_read(s.client_id, $1, 'points:read', $2)";
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(member_id).bind::<Timestamptz, _>(now);
    let found: Vec<Recipient> = query.load(conn).await?;
    Ok(found.into_iter().map(|row| row.id).collect())
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

/// Lists the event for each unit from which it is seen, or each app that may know of it.
async fn list(conn: &mut Conn, event_id: Uuid, recipients: &[Uuid]) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO webhook_feed (recipient_id, xid, event_id)
         SELECT u, pg_current_xact_id()::text::bigint, $2 FROM unnest($1) AS t(u)",
    )
    .bind::<Array<SqlUuid>, _>(recipients)
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
