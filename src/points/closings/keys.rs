//! Keys that sign reports: generated once, stored encrypted, published as long as reports exist.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::advisory;
use crate::kernel::db::schema::report_keys;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::crypto::{Crypto, to_text};
use crate::kernel::state::State;

use super::model::{ReportKey, hash};

/// Context to which the encrypted private key is bound.
const FIELD: &str = "report_key";

/// A key that can sign.
pub struct Signer {
    pub kid: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub fn sign(&self, canonical: &str) -> Vec<u8> {
        self.pair.sign(canonical.as_bytes()).as_ref().to_vec()
    }

    pub fn public(&self) -> ReportKey {
        jwk(self.pair.public_key().as_ref())
    }
}

/// A public key as it is published.
pub fn jwk(public: &[u8]) -> ReportKey {
    let x = to_text(public);
    ReportKey { kty: "OKP".to_owned(), crv: "Ed25519".to_owned(), kid: thumbprint(&x), x }
}

/// The name of a key is its thumbprint (RFC 7638), so that no other key can bear it.
pub fn thumbprint(x: &str) -> String {
    to_text(&hash(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

type StoredKeys = (Uuid, String, Vec<u8>);

/// The newest key, made when there is none yet.
///
/// # Errors
/// When the database cannot be reached, or the key does not open with the master key.
pub async fn signer(conn: &mut Conn, crypto: &Crypto, now: DateTime<Utc>) -> Result<Signer, Problem> {
    if let Some(stored) = newest(conn).await? {
        return open(crypto, &stored);
    }
    // One instance at a time makes the first key.
    advisory::lock(conn, advisory::LockPurpose::ReportKeys).await?;
    match newest(conn).await? {
        Some(stored) => open(crypto, &stored),
        None => make(conn, crypto, now).await,
    }
}

async fn newest(conn: &mut Conn) -> Result<Option<StoredKeys>, Problem> {
    Ok(report_keys::table
        .order(report_keys::id.desc())
        .select((report_keys::id, report_keys::kid, report_keys::private_key_sealed))
        .first(conn)
        .await
        .optional()?)
}

fn open(crypto: &Crypto, (id, kid, sealed): &StoredKeys) -> Result<Signer, Problem> {
    let private = crypto.open(*id, FIELD, sealed).map_err(Problem::internal)?;
    let pair = Ed25519KeyPair::from_pkcs8(&private).map_err(Problem::internal)?;
    Ok(Signer { kid: kid.clone(), pair })
}

async fn make(conn: &mut Conn, crypto: &Crypto, now: DateTime<Utc>) -> Result<Signer, Problem> {
    let pair = Ed25519KeyPair::generate().map_err(Problem::internal)?;
    let private = pair.to_pkcs8v1().map_err(Problem::internal)?;
    let (id, public) = (new_id(now), pair.public_key().as_ref());
    let kid = jwk(public).kid;
    diesel::insert_into(report_keys::table)
        .values((
            report_keys::id.eq(id),
            report_keys::kid.eq(&kid),
            report_keys::public_key.eq(public),
            report_keys::private_key_sealed.eq(crypto.seal(id, FIELD, private.as_ref()).map_err(Problem::internal)?),
            report_keys::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    tracing::info!(%kid, "report key made");
    Ok(Signer { kid, pair })
}

/// The public half of a key by its name.
pub async fn public(conn: &mut Conn, kid: &str) -> Result<ReportKey, Problem> {
    let found: Vec<u8> =
        report_keys::table.filter(report_keys::kid.eq(kid)).select(report_keys::public_key).first(conn).await?;
    Ok(jwk(&found))
}

async fn all(conn: &mut Conn) -> Result<Vec<Vec<u8>>, Problem> {
    Ok(report_keys::table.order(report_keys::id).select(report_keys::public_key).load(conn).await?)
}

/// All public keys that ever signed a report, the oldest first. Save it: with it a report can be verified without the server.
#[get("/.well-known/report-keys.json")]
pub async fn published_keys(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let mut keys = all(&mut *state.db.conn().await?).await?;
    if keys.is_empty() {
        let first = async |conn: &mut Conn| signer(conn, &state.crypto, state.clock.now()).await.map(drop);
        state.db.transaction(first).await?;
        keys = all(&mut *state.db.conn().await?).await?;
    }
    let keys: Vec<ReportKey> = keys.iter().map(|key| jwk(key)).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(json!({"keys": keys})))
}
