//! `Idempotency-Key`: a repeated request gets the answer of the first, which committed with its effect.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::db::Conn;
use super::problem::{Code, Problem, text};
use super::schema::idempotency_keys;

/// How long an answer is kept, hours.
pub const KEPT_HOURS: i64 = 24;

/// A key together with what it stands for.
#[derive(Debug, Clone)]
pub struct Key {
    pub principal_id: Uuid,
    /// Method, path and query of the request.
    pub operation: String,
    pub key: String,
    /// Digest of the body; keyed where the body may hold personal data.
    pub body_hash: Vec<u8>,
}

/// What became of claiming a key.
pub enum Claim {
    /// The first request with this key: do the work, then [`store`] its answer.
    New,
    /// It was done before: answer this.
    Done(u16, Value),
}

/// Checks the form of the header: 1 to 100 visible ASCII characters.
///
/// # Errors
/// 400 otherwise.
pub fn parse(header: &str) -> Result<&str, Problem> {
    let fits = (1..=100).contains(&header.len()) && header.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some(header).ok_or_else(|| {
        Problem::fault(
            "Idempotency-Key",
            "format",
            text("Từ 1 đến 100 ký tự ASCII nhìn thấy được.", "1 to 100 visible ASCII characters."),
        )
    })
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

/// Claims a key inside the transaction of the work.
///
/// # Errors
/// 409 while the first request is still being processed, 422 when the key stands for another body.
pub async fn claim(conn: &mut Conn, key: &Key, now: DateTime<Utc>) -> Result<Claim, Problem> {
    let lock = lock_number(key);
    let taken = diesel::sql_query("SELECT pg_try_advisory_xact_lock($1) AS locked")
        .bind::<BigInt, _>(lock)
        .get_result::<Locked>(conn)
        .await?;
    if !taken.locked {
        return Err(Problem::new(Code::IdempotencyInFlight).retry_after(1));
    }
    let stored: Option<(Vec<u8>, i16, Value, DateTime<Utc>)> = idempotency_keys::table
        .find((key.principal_id, &key.operation, &key.key))
        .select((
            idempotency_keys::body_hash,
            idempotency_keys::status,
            idempotency_keys::response,
            idempotency_keys::created_at,
        ))
        .first(conn)
        .await
        .optional()?;
    match stored {
        Some((_, _, _, at)) if at < now - Duration::hours(KEPT_HOURS) => {
            diesel::delete(idempotency_keys::table.find((key.principal_id, &key.operation, &key.key)))
                .execute(conn)
                .await?;
            Ok(Claim::New)
        }
        Some((hash, ..)) if hash != key.body_hash => Err(Problem::new(Code::IdempotencyKeyReused)),
        Some((_, status, response, _)) => Ok(Claim::Done(u16::try_from(status).unwrap_or(200), response)),
        None => Ok(Claim::New),
    }
}

/// Keeps the answer, in the same transaction as the work.
pub async fn store(
    conn: &mut Conn,
    key: &Key,
    status: u16,
    response: &Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::principal_id.eq(key.principal_id),
            idempotency_keys::operation.eq(&key.operation),
            idempotency_keys::key.eq(&key.key),
            idempotency_keys::body_hash.eq(&key.body_hash),
            idempotency_keys::status.eq(i16::try_from(status).unwrap_or(200)),
            idempotency_keys::response.eq(response),
            idempotency_keys::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Drops answers that are older than they are kept. Returns how many.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let old = idempotency_keys::created_at.lt(now - Duration::hours(KEPT_HOURS));
    Ok(diesel::delete(idempotency_keys::table.filter(old)).execute(conn).await?)
}

fn lock_number(key: &Key) -> i64 {
    let text = format!("{}\0{}\0{}", key.principal_id, key.operation, key.key);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest.as_ref()[..8]);
    i64::from_be_bytes(first)
}
