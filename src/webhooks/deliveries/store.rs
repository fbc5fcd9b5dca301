//! Deliveries in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int4, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::webhook_deliveries;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;

/// Rows a statement.
const CHUNK: usize = 1_000;

/// Queues events for endpoints, or anew where they were queued before. Returns the deliveries that are new, in the order given.
pub async fn queue(conn: &mut Conn, wanted: &[(Uuid, Uuid)], now: DateTime<Utc>) -> Result<Vec<Uuid>, Problem> {
    let mut queued = Vec::new();
    for chunk in wanted.chunks(CHUNK) {
        let ids: Vec<Uuid> = chunk.iter().map(|_| new_id(now)).collect();
        let rows: Vec<_> = chunk
            .iter()
            .zip(&ids)
            .map(|((endpoint, event), id)| {
                (
                    webhook_deliveries::id.eq(*id),
                    webhook_deliveries::endpoint_id.eq(*endpoint),
                    webhook_deliveries::event_id.eq(*event),
                    webhook_deliveries::attempts.eq(0),
                    webhook_deliveries::next_at.eq(now),
                )
            })
            .collect();
        diesel::insert_into(webhook_deliveries::table)
            .values(rows)
            .on_conflict((webhook_deliveries::endpoint_id, webhook_deliveries::event_id))
            .do_update()
            .set((
                webhook_deliveries::attempts.eq(0),
                webhook_deliveries::next_at.eq(now),
                webhook_deliveries::delivered_at.eq(None::<DateTime<Utc>>),
                webhook_deliveries::failed_at.eq(None::<DateTime<Utc>>),
            ))
            .execute(conn)
            .await?;
        queued.extend(ids);
    }
    Ok(queued)
}

/// A delivery with its event.
#[derive(Debug, Clone, QueryableByName)]
pub struct DeliveryRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub event_id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Jsonb)]
    pub data: Value,
    #[diesel(sql_type = Timestamptz)]
    pub occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Int4)]
    pub attempts: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub next_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub delivered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_attempt_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Int4>)]
    pub last_status: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Nullable<Int4>)]
    pub last_millis: Option<i32>,
}

const SELECT: &str =
    "SELECT d.id, d.event_id, e.kind, e.data, e.occurred_at, d.attempts, d.next_at, d.delivered_at, d.failed_at,
    d.last_attempt_at, d.last_status, d.last_error, d.last_millis
    FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id WHERE d.endpoint_id = $1";

/// Deliveries of an endpoint, newest first; only those in this state, if one is named.
pub async fn of_endpoint(
    conn: &mut Conn,
    endpoint_id: Uuid,
    state: Option<&str>,
    (before, fetch): (Option<Uuid>, i64),
) -> Result<Vec<DeliveryRow>, Problem> {
    let condition = match state {
        Some("pending") => "AND d.next_at IS NOT NULL",
        Some("delivered") => "AND d.delivered_at IS NOT NULL",
        Some("failed") => "AND d.failed_at IS NOT NULL",
        _ => "",
    };
    let query = format!("{SELECT} {condition} AND ($2 IS NULL OR d.id < $2) ORDER BY d.id DESC LIMIT $3");
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(endpoint_id).bind::<Nullable<SqlUuid>, _>(before);
    Ok(query.bind::<BigInt, _>(fetch).load(conn).await?)
}

/// One delivery of an endpoint. 404 when there is none.
pub async fn get(conn: &mut Conn, endpoint_id: Uuid, id: Uuid) -> Result<DeliveryRow, Problem> {
    let query = diesel::sql_query(format!("{SELECT} AND d.id = $2"));
    Ok(query.bind::<SqlUuid, _>(endpoint_id).bind::<SqlUuid, _>(id).get_result(conn).await?)
}

/// Gives up what is due for an endpoint of an app and concerns members who allow the app nothing any more.
pub async fn give_up_disallowed(conn: &mut Conn, endpoint_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query(
        "UPDATE webhook_deliveries d SET next_at = NULL, failed_at = $2, last_error = 'not_allowed'
         FROM webhook_events e, webhook_endpoints w
         WHERE d.endpoint_id = $1 AND d.next_at <= $2 AND e.id = d.event_id AND w.id = d.endpoint_id AND e.kind LIKE 'points.%'
            AND NOT coalesce(app_may_read(w.client_id, (e.data->>'member_id')::uuid, 'points:read', $2), false)",
    )
    .bind::<SqlUuid, _>(endpoint_id)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// What is due for an endpoint, the oldest first.
pub async fn due(
    conn: &mut Conn,
    endpoint_id: Uuid,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<DeliveryRow>, Problem> {
    let query = diesel::sql_query(format!("{SELECT} AND d.next_at <= $2 ORDER BY d.next_at, d.id LIMIT $3"));
    let query = query.bind::<SqlUuid, _>(endpoint_id).bind::<Timestamptz, _>(now);
    Ok(query.bind::<BigInt, _>(most).load(conn).await?)
}

#[derive(QueryableByName)]
struct EventIdRow {
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
}

/// Events of a unit, or of an app, of these types within a time, the oldest first.
pub async fn events_between(
    conn: &mut Conn,
    (recipients, kinds): (&[Uuid], &[String]),
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    most: i64,
) -> Result<Vec<Uuid>, Problem> {
    let found: Vec<EventIdRow> = diesel::sql_query(
        "SELECT e.id AS event_id FROM webhook_feed f JOIN webhook_events e ON e.id = f.event_id
         WHERE f.recipient_id = ANY($1) AND e.kind = ANY($2) AND e.occurred_at >= $3 AND e.occurred_at < $4
         ORDER BY e.id LIMIT $5",
    )
    .bind::<Array<SqlUuid>, _>(recipients)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<BigInt, _>(most)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|row| row.event_id).collect())
}

/// What came of an attempt.
#[derive(AsChangeset)]
#[diesel(table_name = webhook_deliveries, treat_none_as_null = true)]
pub struct AttemptOutcome {
    pub attempts: i32,
    pub next_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub failed_at: Option<DateTime<Utc>>,
    pub last_attempt_at: DateTime<Utc>,
    pub last_status: Option<i32>,
    pub last_error: Option<&'static str>,
    pub last_millis: i32,
}

pub async fn record(conn: &mut Conn, id: Uuid, outcome: &AttemptOutcome) -> Result<(), Problem> {
    diesel::update(webhook_deliveries::table.find(id)).set(outcome).execute(conn).await?;
    Ok(())
}
