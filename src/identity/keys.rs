//! Signing keys of access tokens: stored sealed in the database, published as JWKs, rotated live.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::advisory;
use crate::kernel::db::schema::signing_keys;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::auth::KeyRing;
use crate::kernel::security::crypto::{Crypto, to_text};
use crate::kernel::state::State;

/// A key signs for this long before a new one takes over, days.
const SIGNS_DAYS: i64 = 30;
/// A new key is published this long before it signs, so that every instance and client knows it, hours.
const PUBLISHED_AHEAD_HOURS: i64 = 24;
/// A key verifies this long after its successor took over, hours; tokens live a quarter of one.
const VERIFIES_AFTER_HOURS: i64 = 2;

#[derive(Queryable, Selectable)]
#[diesel(table_name = signing_keys)]
struct StoredKey {
    kid: String,
    public_key: Vec<u8>,
    private_key_sealed: Vec<u8>,
    active_from: DateTime<Utc>,
}

/// Loads the keys in force, and creates the first or the next one when it is due. Called at start and every minute.
///
/// # Errors
/// When the database cannot be reached, or a key does not open with the master key.
pub async fn refresh_keys(state: &State) -> Result<(), Problem> {
    let now = state.clock.now();
    let stored = state
        .db
        .transaction(async |conn| {
            // One instance at a time decides whether a key is due.
            advisory::lock(conn, advisory::LockPurpose::SigningKeys).await?;
            let keys = valid_keys(conn, now).await?;
            let newest = keys.last().map(|key| key.active_from);
            let due = newest
                .is_none_or(|from| from + Duration::days(SIGNS_DAYS) - Duration::hours(PUBLISHED_AHEAD_HOURS) <= now);
            if !due {
                return Ok(keys);
            }
            let active_from = newest.map_or(now, |from| {
                (from + Duration::days(SIGNS_DAYS)).max(now + Duration::hours(PUBLISHED_AHEAD_HOURS))
            });
            make_key(conn, &state.crypto, active_from, now).await?;
            valid_keys(conn, now).await
        })
        .await?;
    let issuer = state.public_url.clone();
    state.keys.replace(KeyRing { issuer, ..ring(&state.crypto, &stored, now)? });
    Ok(())
}

async fn valid_keys(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<StoredKey>, Problem> {
    Ok(signing_keys::table
        .filter(signing_keys::expires_at.gt(now))
        .order(signing_keys::active_from)
        .select(StoredKey::as_select())
        .load(conn)
        .await?)
}

async fn make_key(
    conn: &mut Conn,
    crypto: &Crypto,
    active_from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let pair = Ed25519KeyPair::generate().map_err(Problem::internal)?;
    let private = pair.to_pkcs8v1().map_err(Problem::internal)?;
    let id = new_id(now);
    let sealed = crypto.seal(id, "signing_key", private.as_ref()).map_err(Problem::internal)?;
    let expires_at =
        active_from + Duration::days(SIGNS_DAYS) + Duration::hours(PUBLISHED_AHEAD_HOURS + VERIFIES_AFTER_HOURS);
    diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::kid.eq(id.to_string()),
            signing_keys::public_key.eq(pair.public_key().as_ref()),
            signing_keys::private_key_sealed.eq(sealed),
            signing_keys::created_at.eq(now),
            signing_keys::active_from.eq(active_from),
            signing_keys::expires_at.eq(expires_at),
        ))
        .execute(conn)
        .await?;
    tracing::info!(kid = %id, %active_from, "signing key created");
    Ok(())
}

fn ring(crypto: &Crypto, stored: &[StoredKey], now: DateTime<Utc>) -> Result<KeyRing, Problem> {
    let mut verifying = HashMap::new();
    let mut public = Vec::new();
    let mut signing = None;
    for key in stored {
        let x = to_text(&key.public_key);
        verifying.insert(key.kid.clone(), DecodingKey::from_ed_components(&x).map_err(Problem::internal)?);
        public.push(json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": x}));
        if key.active_from <= now {
            let id: Uuid = key.kid.parse().map_err(Problem::internal)?;
            let private = crypto.open(id, "signing_key", &key.private_key_sealed).map_err(Problem::internal)?;
            signing = Some((key.kid.clone(), EncodingKey::from_ed_der(&private)));
        }
    }
    Ok(KeyRing { signing, verifying, jwks: json!({"keys": public}), ..KeyRing::default() })
}

/// The public keys with which anyone verifies access tokens (RFC 7517).
#[get("/.well-known/jwks.json")]
pub async fn jwks(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(&state.keys.current().jwks)
}
