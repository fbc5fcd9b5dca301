//! The outbox: events written with their cause and delivered at least once, by claiming rows.

mod delivery;

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int4, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::db::Conn;
use super::db::schema::outbox;
use super::db::sweep::SLICE;
use super::http::problem::Problem;

pub use delivery::{Consume, Consumer, FailedDelivery, deliver, failed, replay};

/// How long a claimed event is left to the instance that claimed it.
const LEASE_SECONDS: i64 = 60;

/// An event to deliver.
#[derive(Debug, QueryableByName)]
pub struct OutboxEvent {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub topic: String,
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    #[diesel(sql_type = Int4)]
    pub attempts: i32,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// Writes an event in the transaction of its cause.
pub async fn emit(conn: &mut Conn, topic: &str, payload: Value, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::topic.eq(topic),
            outbox::payload.eq(payload),
            outbox::created_at.eq(now),
            outbox::available_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes several events of a topic in the transaction of their cause.
pub async fn emit_all(conn: &mut Conn, topic: &str, payloads: Vec<Value>, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO outbox (topic, payload, created_at, available_at) SELECT $1, p, $3, $3 FROM unnest($2) AS t(p)",
    )
    .bind::<Text, _>(topic)
    .bind::<Array<Jsonb>, _>(payloads)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes for each account an event that becomes a notification of this kind.
pub async fn tell(
    conn: &mut Conn,
    kind: &str,
    accounts: &[Uuid],
    details: &Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO outbox (topic, payload, created_at, available_at)
         SELECT 'notify.' || $1, jsonb_build_object('account_id', a, 'details', $3), $4, $4 FROM unnest($2) AS t(a)",
    )
    .bind::<Text, _>(kind)
    .bind::<Array<SqlUuid>, _>(accounts)
    .bind::<Jsonb, _>(details)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes an event that becomes one notification about an object for all who belong to audiences (`audience_keys` in SQL), now or later.
pub async fn announce(
    conn: &mut Conn,
    kind: &str,
    object_id: Uuid,
    (keys, details): (&[String], &Value),
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let payload = json!({"object_id": object_id, "keys": keys, "details": details});
    emit(conn, &format!("announce.{kind}"), payload, now).await
}

/// Claims waiting events for a minute. The claim of an instance that dies passes to the next one.
pub async fn claim(conn: &mut Conn, most: i64, now: DateTime<Utc>) -> Result<Vec<OutboxEvent>, Problem> {
    let claimed = diesel::sql_query(
        "UPDATE outbox SET available_at = $1, attempts = attempts + 1 WHERE id IN (
             SELECT id FROM outbox WHERE done_at IS NULL AND available_at <= $2
             ORDER BY available_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, topic, payload, attempts, created_at",
    )
    .bind::<Timestamptz, _>(now + Duration::seconds(LEASE_SECONDS))
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(most)
    .get_results(conn)
    .await?;
    Ok(claimed)
}

/// Locks a claimed event until the end of the transaction. Returns false when another instance took the claim over and
/// has delivered it.
pub async fn lock(conn: &mut Conn, id: i64) -> Result<bool, Problem> {
    let waiting: Option<i64> = outbox::table
        .find(id)
        .filter(outbox::done_at.is_null())
        .select(outbox::id)
        .for_update()
        .first(conn)
        .await
        .optional()?;
    Ok(waiting.is_some())
}

/// Marks an event as delivered, in the transaction of its consumer.
pub async fn done(conn: &mut Conn, id: i64, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(outbox::table.find(id)).set(outbox::done_at.eq(now)).execute(conn).await?;
    Ok(())
}

/// How long delivered events are kept for the analysis of faults, days.
const KEPT_DAYS: i64 = 7;
/// How long those are kept that a consumer failed at, days.
const FAILED_KEPT_DAYS: i64 = 90;

/// Drops some events delivered long ago. Returns how many.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM outbox o WHERE done_at < $1
        AND (done_at < $2 OR NOT EXISTS (SELECT FROM outbox_deliveries d WHERE d.event_id = o.id AND d.failed_at IS NOT NULL))
        ORDER BY done_at LIMIT $3))";
    let query = diesel::sql_query(query)
        .bind::<Timestamptz, _>(now - Duration::days(KEPT_DAYS))
        .bind::<Timestamptz, _>(now - Duration::days(FAILED_KEPT_DAYS));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}
