//! Limits on wrong guesses, kept in PostgreSQL so that they hold across instances.
//!
//! A try is counted before it is judged.

use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Int4, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::sign_in_failures;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::crypto::Crypto;

/// Failures are forgotten this long after the first of them, minutes.
const WINDOW_MINUTES: i64 = 15;
/// Failures per window for an account, or for one device that it knows.
const PER_ACCOUNT: i32 = 10;
/// Failures per window for an address; a whole village may share it.
const PER_ADDRESS: i32 = 300;
/// A window that begins later than now by more than this was begun before the clock was set back: it counts nothing, or it
/// would lock people out until then. Clocks of instances may differ by less.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// A counter under one keyed hash, and its limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allowance {
    bucket: Vec<u8>,
    limit: i32,
}

impl Allowance {
    fn new(crypto: &Crypto, kind: &str, value: &str, limit: i32) -> Self {
        Self { bucket: crypto.digest(kind, value), limit }
    }

    /// Sign-ins from an address on devices that are not known.
    pub fn of_address(crypto: &Crypto, address: IpAddr) -> Self {
        Self::new(crypto, "throttle_address", &network(address), PER_ADDRESS)
    }

    /// Activations from an address, which have nothing to do with its sign-ins.
    pub fn of_activation(crypto: &Crypto, address: IpAddr) -> Self {
        Self::new(crypto, "throttle_activation", &network(address), PER_ADDRESS)
    }

    /// A login on devices that are not known: counted as it is typed, whether it is one person's, two people's or nobody's, so
    /// that counting tells nothing of whose it is.
    pub fn of_login(crypto: &Crypto, login: &str) -> Self {
        Self::new(crypto, "throttle_login", login, PER_ACCOUNT)
    }

    /// A device the account knows.
    pub fn of_device(crypto: &Crypto, account_id: Uuid, device_id: Uuid) -> Self {
        let value = format!("{account_id}:{device_id}");
        Self::new(crypto, "throttle_device", &value, PER_ACCOUNT)
    }

    /// A signed-in caller who enters their current password again.
    pub fn of_confirmation(crypto: &Crypto, account_id: Uuid) -> Self {
        let value = account_id.to_string();
        Self::new(crypto, "throttle_confirmation", &value, PER_ACCOUNT)
    }
}

/// The address itself; of IPv6 the network, since one host owns all of it.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:?}", &v6.segments()[..4]),
    }
}

/// Counts a try. When none is left, counts nothing and returns how many seconds to wait.
pub async fn take(conn: &mut Conn, allowance: &Allowance, now: DateTime<Utc>) -> Result<Option<u64>, Problem> {
    let stale = now - Duration::minutes(WINDOW_MINUTES);
    let counted = diesel::sql_query(
        "INSERT INTO sign_in_failures AS f (bucket, window_started_at, failures) VALUES ($1, $2, 1)
         ON CONFLICT (bucket) DO UPDATE SET
             failures = CASE WHEN f.window_started_at > $3 AND f.window_started_at <= $5 THEN f.failures + 1 ELSE 1 END,
             window_started_at = CASE WHEN f.window_started_at > $3 AND f.window_started_at <= $5
                 THEN f.window_started_at ELSE $2 END
         WHERE f.window_started_at <= $3 OR f.window_started_at > $5 OR f.failures < $4",
    )
    .bind::<Binary, _>(&allowance.bucket)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(stale)
    .bind::<Int4, _>(allowance.limit)
    .bind::<Timestamptz, _>(now + Duration::seconds(CLOCK_SKEW_SECONDS))
    .execute(conn)
    .await?;
    if counted == 1 {
        return Ok(None);
    }
    let started: DateTime<Utc> =
        sign_in_failures::table.find(&allowance.bucket).select(sign_in_failures::window_started_at).first(conn).await?;
    let wait = (started - stale).num_seconds().max(1);
    Ok(Some(u64::try_from(wait).unwrap_or(1)))
}

/// The same, with the refusal as an error.
pub async fn require(conn: &mut Conn, allowance: &Allowance, now: DateTime<Utc>) -> Result<(), Problem> {
    match take(conn, allowance, now).await? {
        Some(wait) => Err(refusal(wait)),
        None => Ok(()),
    }
}

/// 429 with the seconds to wait.
pub fn refusal(wait: u64) -> Problem {
    Problem::new(Code::SignInThrottled).retry_after(wait)
}

/// Gives a counted try back because it was no failure.
pub async fn give_back(conn: &mut Conn, allowance: &Allowance) -> Result<(), Problem> {
    diesel::update(sign_in_failures::table.find(&allowance.bucket))
        .filter(sign_in_failures::failures.gt(0))
        .set(sign_in_failures::failures.eq(sign_in_failures::failures - 1))
        .execute(conn)
        .await?;
    Ok(())
}

/// Clears the failures of a device or a person that has just proved itself.
pub async fn reset(conn: &mut Conn, allowance: &Allowance) -> Result<(), Problem> {
    diesel::delete(sign_in_failures::table.find(&allowance.bucket)).execute(conn).await?;
    Ok(())
}

/// Drops some windows that have ended. Returns how many.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM sign_in_failures WHERE bucket = ANY(ARRAY(
        SELECT bucket FROM sign_in_failures WHERE window_started_at <= $1 OR window_started_at > $2 LIMIT $3))";
    let query = diesel::sql_query(query)
        .bind::<Timestamptz, _>(now - Duration::minutes(WINDOW_MINUTES))
        .bind::<Timestamptz, _>(now + Duration::seconds(CLOCK_SKEW_SECONDS));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}
