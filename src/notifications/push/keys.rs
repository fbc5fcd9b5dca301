//! The key by which push services know this server (VAPID, RFC 8292): made once, stored sealed.

use actix_web::get;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::schema::push_keys;
use crate::kernel::db::{Conn, advisory, transaction};
use crate::kernel::extract::{Anyone, ReadRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::ids::new_id;
use crate::kernel::security::crypto::{Crypto, to_text};

const FIELD: &str = "push_key";
/// How long a signature holds; push services refuse more than a day.
const HOLDS: TimeDelta = TimeDelta::hours(12);

type StoredPushKey = (Uuid, Vec<u8>, Vec<u8>);

async fn stored(conn: &mut Conn) -> Result<Option<StoredPushKey>, Problem> {
    Ok(push_keys::table
        .order(push_keys::id)
        .select((push_keys::id, push_keys::public_key, push_keys::private_key_sealed))
        .first(conn)
        .await
        .optional()?)
}

/// The key; the first time it is made.
async fn key(conn: &mut Conn, crypto: &Crypto, now: DateTime<Utc>) -> Result<StoredPushKey, Problem> {
    if let Some(stored) = stored(conn).await? {
        return Ok(stored);
    }
    transaction(conn, async |conn| {
        advisory::lock(conn, advisory::LockPurpose::PushKeys).await?;
        if let Some(stored) = stored(conn).await? {
            return Ok(stored);
        }
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(Problem::internal)?;
        let private = pair.to_pkcs8v1().map_err(Problem::internal)?;
        let (id, public) = (new_id(now), pair.public_key().as_ref().to_vec());
        let sealed = crypto.seal(id, FIELD, private.as_ref()).map_err(Problem::internal)?;
        diesel::insert_into(push_keys::table)
            .values((
                push_keys::id.eq(id),
                push_keys::public_key.eq(&public),
                push_keys::private_key_sealed.eq(&sealed),
                push_keys::created_at.eq(now),
            ))
            .execute(conn)
            .await?;
        Ok((id, public, sealed))
    })
    .await
}

/// Who sends, as a push service is told.
#[derive(Serialize)]
struct VapidClaims<'a> {
    aud: &'a str,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
}

/// What signs requests to push services.
pub struct VapidKey {
    public: String,
    private: EncodingKey,
}

impl VapidKey {
    /// Loads the key.
    ///
    /// # Errors
    /// 503 when the database cannot be reached; 500 when the key does not open with the master key.
    pub async fn load(conn: &mut Conn, crypto: &Crypto, now: DateTime<Utc>) -> Result<Self, Problem> {
        let (id, public, sealed) = key(conn, crypto, now).await?;
        let private = crypto.open(id, FIELD, &sealed).map_err(Problem::internal)?;
        Ok(Self { public: to_text(&public), private: EncodingKey::from_ec_der(&private) })
    }

    /// The `Authorization` of a request to a push service. `contact` is where its operators find those of this server.
    ///
    /// # Errors
    /// When signing fails.
    pub fn authorization(&self, origin: &str, contact: &str, now: DateTime<Utc>) -> Result<String, Problem> {
        let sub = Some(contact).filter(|contact| contact.starts_with("https://"));
        let claims = VapidClaims { aud: origin, exp: (now + HOLDS).timestamp(), sub };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.private);
        Ok(format!("vapid t={}, k={}", token.map_err(Problem::internal)?, self.public))
    }
}

/// The key of this server.
#[derive(Serialize, ToSchema)]
pub struct PushKey {
    /// The public key on the curve P-256, uncompressed, in base64url.
    #[schema(
        min_length = 87,
        max_length = 87,
        pattern = "^[A-Za-z0-9_-]+$",
        example = "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY"
    )]
    public_key: String,
}

/// Show the key for Web Push
///
/// What a phone passes to `pushManager.subscribe` as `applicationServerKey`. It does not change.
#[utoipa::path(tag = "Me")]
#[get("/me/push-key")]
pub async fn get_push_key(mut request: ReadRequest<Anyone>) -> Result<Reply<PushKey>, Problem> {
    let (_, public, _) = key(&mut request.conn, &request.scope.state.crypto, request.scope.now).await?;
    request.reply(&PushKey { public_key: to_text(&public) })
}
