//! Delivery of events to consumers: one that fails is tried again by itself and holds up no other.

use chrono::{DateTime, Duration, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use futures_util::future::LocalBoxFuture;

use super::{OutboxEvent, done, lock};
use crate::kernel::db::schema::outbox_deliveries;
use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::{Code, Problem};

/// What a consumer does with an event, in a transaction.
pub type Consume = for<'a> fn(&'a mut Conn, &'a OutboxEvent, DateTime<Utc>) -> LocalBoxFuture<'a, Result<(), Problem>>;

/// A part of the program that reacts to events.
pub struct Consumer {
    /// Its name in the database; never renamed.
    pub name: &'static str,
    /// The topics it wants; one that ends with a full stop stands for all that begin so.
    pub topics: &'static [&'static str],
    pub consume: Consume,
}

impl Consumer {
    fn wants(&self, topic: &str) -> bool {
        self.topics.iter().any(|wanted| *wanted == topic || (wanted.ends_with('.') && topic.starts_with(wanted)))
    }
}

/// After so many failures an administrator has to look at a delivery.
const MAX_ATTEMPTS: i32 = 8;

/// The pause after a failed attempt: 5 seconds, then four times as long each time, at most an hour.
fn pause(attempts: i32) -> Duration {
    let times = u32::try_from(attempts - 1).unwrap_or(0).min(6);
    Duration::seconds((5 * 4_i64.pow(times)).min(3_600))
}

/// Delivers a claimed event to all that want it and have not had it.
///
/// # Errors
/// 503 when the database cannot be reached. What consumers fail at is recorded, not returned.
pub async fn deliver(db: &Db, consumers: &[Consumer], event: &OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    let wanting: Vec<&Consumer> = consumers.iter().filter(|consumer| consumer.wants(&event.topic)).collect();
    let together = db.transaction(async |conn| {
        if lock(conn, event.id).await? {
            // Read under the lock: another instance may have delivered to some since the claim.
            let ended = ended(conn, event.id).await?;
            for consumer in wanting.iter().filter(|consumer| !ended.iter().any(|name| name == consumer.name)) {
                (consumer.consume)(conn, event, now).await?;
            }
            done(conn, event.id, now).await?;
        }
        Ok(())
    });
    match together.await {
        Ok(()) => Ok(()),
        Err(problem) if problem.code == Code::Unavailable => Err(problem),
        Err(_) => apart(db, &wanting, event, now).await,
    }
}

/// Delivers to each consumer in a transaction of its own.
async fn apart(db: &Db, consumers: &[&Consumer], event: &OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    for consumer in consumers {
        let delivered = db.transaction(async |conn| {
            if lock(conn, event.id).await? && is_due(conn, event.id, consumer.name, now).await? {
                (consumer.consume)(conn, event, now).await?;
                note(conn, event.id, consumer.name, None, now).await?;
            }
            Ok(())
        });
        match delivered.await {
            Ok(()) => {}
            Err(problem) if problem.code == Code::Unavailable => return Err(problem),
            Err(problem) => {
                tracing::warn!(%problem, event = event.id, topic = %event.topic, consumer = consumer.name, "delivery failed");
                note(&mut *db.conn().await?, event.id, consumer.name, Some(&problem), now).await?;
            }
        }
    }
    settle(&mut *db.conn().await?, event.id, now).await
}

/// The consumers that have had the event, or have failed at it for good.
async fn ended(conn: &mut Conn, event_id: i64) -> Result<Vec<String>, Problem> {
    Ok(outbox_deliveries::table
        .filter(outbox_deliveries::event_id.eq(event_id))
        .filter(outbox_deliveries::done_at.is_not_null().or(outbox_deliveries::failed_at.is_not_null()))
        .select(outbox_deliveries::consumer)
        .load(conn)
        .await?)
}

async fn is_due(conn: &mut Conn, event_id: i64, consumer: &str, now: DateTime<Utc>) -> Result<bool, Problem> {
    let not_due = outbox_deliveries::next_at.gt(now);
    let ended = outbox_deliveries::done_at.is_not_null().or(outbox_deliveries::failed_at.is_not_null());
    let waiting = outbox_deliveries::table.find((event_id, consumer)).filter(not_due.or(ended));
    Ok(!diesel::select(exists(waiting)).get_result::<bool>(conn).await?)
}

/// Records an attempt: a success, or a failure with its pause. A failure never hides the success of another instance.
async fn note(
    conn: &mut Conn,
    event_id: i64,
    consumer: &str,
    problem: Option<&Problem>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let earlier: Option<i32> = outbox_deliveries::table
        .find((event_id, consumer))
        .select(outbox_deliveries::attempts)
        .first(conn)
        .await
        .optional()?;
    let attempts = earlier.unwrap_or(0) + 1;
    let failed = problem.is_some() && attempts >= MAX_ATTEMPTS;
    let upsert = "INSERT INTO outbox_deliveries AS d (event_id, consumer, attempts, next_at, done_at, failed_at, problem)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_id, consumer) DO UPDATE SET attempts = EXCLUDED.attempts,
            next_at = EXCLUDED.next_at, done_at = EXCLUDED.done_at, failed_at = EXCLUDED.failed_at, problem = EXCLUDED.problem
        WHERE d.done_at IS NULL";
    diesel::sql_query(upsert)
        .bind::<BigInt, _>(event_id)
        .bind::<Text, _>(consumer)
        .bind::<Int4, _>(attempts)
        .bind::<Timestamptz, _>(now + pause(attempts))
        .bind::<Nullable<Timestamptz>, _>(problem.is_none().then_some(now))
        .bind::<Nullable<Timestamptz>, _>(failed.then_some(now))
        .bind::<Nullable<Text>, _>(problem.map(|problem| problem.code.as_str()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends an event that no consumer is left to try, or puts it off until the next is due.
async fn settle(conn: &mut Conn, event_id: i64, now: DateTime<Utc>) -> Result<(), Problem> {
    let query = "WITH next AS (SELECT min(next_at) AS at FROM outbox_deliveries
            WHERE event_id = $1 AND done_at IS NULL AND failed_at IS NULL)
        UPDATE outbox SET available_at = coalesce(next.at, available_at),
            done_at = CASE WHEN next.at IS NULL THEN $2 ELSE done_at END FROM next WHERE id = $1 AND done_at IS NULL";
    diesel::sql_query(query).bind::<BigInt, _>(event_id).bind::<Timestamptz, _>(now).execute(conn).await?;
    Ok(())
}

/// A delivery that failed for good.
#[derive(Debug, QueryableByName)]
pub struct FailedDelivery {
    #[diesel(sql_type = BigInt)]
    pub event_id: i64,
    #[diesel(sql_type = Text)]
    pub topic: String,
    #[diesel(sql_type = Text)]
    pub consumer: String,
    #[diesel(sql_type = Int4)]
    pub attempts: i32,
    #[diesel(sql_type = Text)]
    pub problem: String,
    #[diesel(sql_type = Timestamptz)]
    pub failed_at: DateTime<Utc>,
}

/// Deliveries that failed for good, the oldest first, after this one.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn failed(
    conn: &mut Conn,
    after: Option<(DateTime<Utc>, i64)>,
    limit: i64,
) -> Result<Vec<FailedDelivery>, Problem> {
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, 0));
    let query = "SELECT d.event_id, o.topic, d.consumer, d.attempts, coalesce(d.problem, '') AS problem, d.failed_at
        FROM outbox_deliveries d JOIN outbox o ON o.id = d.event_id
        WHERE d.failed_at IS NOT NULL AND (d.failed_at, d.event_id) > ($1, $2)
        ORDER BY d.failed_at, d.event_id, d.consumer LIMIT $3";
    let query = diesel::sql_query(query).bind::<Timestamptz, _>(at).bind::<BigInt, _>(id).bind::<BigInt, _>(limit);
    Ok(query.load(conn).await?)
}

/// Puts a failed delivery back, as if it had never been tried. Returns whether there was one.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn replay(conn: &mut Conn, event_id: i64, consumer: &str, now: DateTime<Utc>) -> Result<bool, Problem> {
    let query = "WITH again AS (UPDATE outbox_deliveries SET failed_at = NULL, attempts = 0, next_at = $3
            WHERE event_id = $1 AND consumer = $2 AND failed_at IS NOT NULL RETURNING event_id)
        UPDATE outbox SET done_at = NULL, available_at = $3 FROM again WHERE id = again.event_id";
    let query = diesel::sql_query(query).bind::<BigInt, _>(event_id).bind::<Text, _>(consumer);
    Ok(query.bind::<Timestamptz, _>(now).execute(conn).await? > 0)
}
