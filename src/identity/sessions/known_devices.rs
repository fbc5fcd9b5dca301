//! Devices that an account knows: each has an allowance of its own for tries to sign in.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::known_devices;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::crypto::Crypto;

/// Maximum number of devices that an account remembers.
const MOST_KNOWN: i64 = 30;
/// How long a device that nobody uses is known, days.
const UNUSED_KEPT_DAYS: i64 = 365;

/// Forgets some devices on which nobody has signed in for a year. Returns how many.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM known_devices WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM known_devices WHERE last_seen_at < $1 ORDER BY last_seen_at LIMIT $2))";
    let query = diesel::sql_query(query).bind::<Timestamptz, _>(now - Duration::days(UNUSED_KEPT_DAYS));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}

/// The keyed hash under which an account remembers a device.
fn device_digest(crypto: &Crypto, device_id: Uuid) -> Vec<u8> {
    crypto.digest("device", &device_id.to_string())
}

/// Which of the accounts know the device.
pub async fn knowing(
    conn: &mut Conn,
    crypto: &Crypto,
    accounts: &[Uuid],
    device_id: Uuid,
) -> Result<Vec<Uuid>, Problem> {
    Ok(known_devices::table
        .filter(known_devices::account_id.eq_any(accounts))
        .filter(known_devices::digest.eq(device_digest(crypto, device_id)))
        .select(known_devices::account_id)
        .load(conn)
        .await?)
}

/// Remembers a device of a locked account. Returns whether it is a new one.
pub async fn remember_device(
    conn: &mut Conn,
    crypto: &Crypto,
    account_id: Uuid,
    device_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let digest = device_digest(crypto, device_id);
    let seen = diesel::update(known_devices::table.find((account_id, &digest)))
        .set(known_devices::last_seen_at.eq(now))
        .execute(conn)
        .await?;
    if seen > 0 {
        return Ok(false);
    }
    let surplus: Vec<Vec<u8>> = known_devices::table
        .filter(known_devices::account_id.eq(account_id))
        .order((known_devices::last_seen_at.desc(), known_devices::digest))
        .offset(MOST_KNOWN - 1)
        .limit(MOST_KNOWN)
        .select(known_devices::digest)
        .load(conn)
        .await?;
    diesel::delete(
        known_devices::table
            .filter(known_devices::account_id.eq(account_id))
            .filter(known_devices::digest.eq_any(surplus)),
    )
    .execute(conn)
    .await?;
    diesel::insert_into(known_devices::table)
        .values((
            known_devices::account_id.eq(account_id),
            known_devices::digest.eq(digest),
            known_devices::last_seen_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(true)
}

/// Forgets all devices of an account.
pub async fn forget_devices(conn: &mut Conn, account_id: Uuid) -> Result<(), Problem> {
    diesel::delete(known_devices::table.filter(known_devices::account_id.eq(account_id))).execute(conn).await?;
    Ok(())
}
