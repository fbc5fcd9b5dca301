//! `Idempotency-Key`: a repeated request gets the first answer, committed with its effect.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Int4, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::problem::{Code, Problem, text};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::idempotency_keys;
use crate::kernel::db::statement::Prepared;
use crate::kernel::db::sweep::SLICE;

/// How long an answer is kept, hours.
pub const KEPT_HOURS: i64 = 24;

/// A key together with what it stands for.
#[derive(Debug, Clone)]
pub struct Key {
    pub principal_id: Uuid,
    /// The operation with its parameters, in one spelling.
    pub operation: String,
    pub key: String,
    /// Digest of the body; keyed where the body may hold personal data.
    pub body_hash: Vec<u8>,
}

/// The outcome of claiming a key.
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
        Problem::malformed(
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

#[derive(QueryableByName)]
struct StoredRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = Binary)]
    body_hash: Vec<u8>,
    #[diesel(sql_type = SmallInt)]
    status: i16,
    #[diesel(sql_type = Text)]
    response: String,
    #[diesel(sql_type = Bool)]
    expired: bool,
}

/// The earlier use of a key.
pub enum Earlier {
    /// Its answer: status and body; or the problem that it stands for another body.
    Answer(Result<(u16, String), Problem>),
    /// An answer that is no longer kept, though it has not been swept away: see [`forget`].
    Expired,
}

const FIND: &str = "SELECT k.place, i.body_hash, i.status, i.response::text AS response, i.created_at < $5 AS expired
    FROM unnest($1::int4[], $2::uuid[], $3::text[], $4::text[]) AS k (place, principal_id, operation, key)
    JOIN idempotency_keys i ON i.principal_id = k.principal_id AND i.operation = k.operation AND i.key = k.key";

/// Looks up many keys, each with its place among the requests. Claims none: [`store_all`] refuses a key that another
/// request stored meanwhile.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn find_all(
    mut conn: &Conn,
    keys: &[(i32, &Key)],
    now: DateTime<Utc>,
) -> Result<HashMap<i32, Earlier>, Problem> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let query = diesel::sql_query(FIND)
        .bind::<Array<Int4>, _>(keys.iter().map(|(place, _)| *place).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, key)| key.principal_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(keys.iter().map(|(_, key)| &key.operation).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(keys.iter().map(|(_, key)| &key.key).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now - Duration::hours(KEPT_HOURS));
    let rows: Vec<StoredRow> = Prepared(query).load(&mut conn).await?;
    let hashes: HashMap<i32, &[u8]> = keys.iter().map(|(place, key)| (*place, key.body_hash.as_slice())).collect();
    let told = rows.into_iter().map(|row| {
        let same = hashes.get(&row.place).is_some_and(|hash| *hash == row.body_hash);
        let answer = (u16::try_from(row.status).unwrap_or(200), row.response);
        let known = match row.expired {
            true => Earlier::Expired,
            false => Earlier::Answer(same.then_some(answer).ok_or_else(|| Problem::new(Code::IdempotencyKeyReused))),
        };
        (row.place, known)
    });
    Ok(told.collect())
}

/// Drops an expired key, so that it can be stored again.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn forget(mut conn: &Conn, key: &Key, now: DateTime<Utc>) -> Result<(), Problem> {
    let row = idempotency_keys::table.find((key.principal_id, &key.operation, &key.key));
    // Another request may have stored it again meanwhile: that is a conflict, and is found.
    let expired = idempotency_keys::created_at.lt(now - Duration::hours(KEPT_HOURS));
    diesel::delete(row.filter(expired)).execute(&mut conn).await?;
    Ok(())
}

const STORE: &str = "INSERT INTO idempotency_keys (principal_id, operation, key, body_hash, status, response, created_at)
    SELECT n.principal_id, n.operation, n.key, n.body_hash, 200, n.response::json, $6
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[]) AS n (principal_id, operation, key, body_hash, response)
    ORDER BY 1, 2, 3";

/// Stores the answers of many requests that ended with 200, in the transaction of their effect. A key that another
/// request stored meanwhile is a conflict: the transaction must be run again, and will find that answer.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn store_all(mut conn: &Conn, answers: &[(&Key, &str)], now: DateTime<Utc>) -> Result<(), Problem> {
    if answers.is_empty() {
        return Ok(());
    }
    let query = diesel::sql_query(STORE)
        .bind::<Array<SqlUuid>, _>(answers.iter().map(|(key, _)| key.principal_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(answers.iter().map(|(key, _)| &key.operation).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(answers.iter().map(|(key, _)| &key.key).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(answers.iter().map(|(key, _)| &key.body_hash).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(answers.iter().map(|(_, answer)| *answer).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(now);
    match Prepared(query).execute(&mut conn).await {
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info)) => Err(Problem::repeatable(info.message())),
        other => Ok(other.map(drop)?),
    }
}

/// Drops some answers that are older than they are kept. Returns how many.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_keys WHERE created_at < $1 LIMIT $2))";
    let query = diesel::sql_query(query).bind::<Timestamptz, _>(now - Duration::hours(KEPT_HOURS));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}

fn lock_number(key: &Key) -> i64 {
    let text = format!("{}\0{}\0{}", key.principal_id, key.operation, key.key);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest.as_ref()[..8]);
    i64::from_be_bytes(first)
}
