//! Secrets of confidential clients: random, stored as keyed hashes; two of them work while one is replaced.

use actix_web::http::header;
use actix_web::post;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::schema::oauth_clients;
use crate::kernel::db::{Conn, transaction};
use crate::kernel::extract::Empty;
use crate::kernel::extract::secret::SecretCall;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::needs::ManageApps;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::{Crypto, random_bytes, to_text};

use super::model::ClientKind;
use super::store::{self, Client};
use super::target::OnClient;

/// How long the secret before the last one works, days.
const FORMER_DAYS: i64 = 7;

/// A new secret.
pub fn fresh() -> Result<String, Problem> {
    Ok(to_text(&random_bytes::<32>().map_err(Problem::internal)?))
}

/// The keyed hash that is stored of a secret. It needs no stretching: a secret is 32 random bytes.
pub fn digest(crypto: &Crypto, secret: &str) -> Vec<u8> {
    crypto.digest("client_secret", secret)
}

/// Whether it is a secret of the client now.
pub fn is_right(crypto: &Crypto, client: &Client, secret: &str, now: DateTime<Utc>) -> bool {
    let found = digest(crypto, secret);
    let equals = |known: &Option<Vec<u8>>| {
        known.as_deref().is_some_and(|known| aws_lc_rs::constant_time::verify_slices_are_equal(known, &found).is_ok())
    };
    let former = client.former_secret_until.is_some_and(|until| until > now);
    equals(&client.secret_digest) || (former && equals(&client.former_secret_digest))
}

/// A new secret of an app.
#[derive(Serialize, ToSchema)]
pub struct RotatedClientSecret {
    /// The app.
    client_id: Uuid,
    /// The new secret. It cannot be read again.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    client_secret: String,
    /// Until when the secret before it works too.
    former_secret_until: DateTime<Utc>,
}

/// Replace the secret of an app
///
/// Makes a new secret. The present one works for seven more days, so that the app can be changed over; an older one ends at once.
/// For officers of its unit and administrators.
#[utoipa::path(tag = "Apps", request_body = Empty, params(("client_id" = Uuid, Path, description = "The app.")),
    extensions(("x-secret-call" = json!(true))), responses(
    (status = 409, description = "A `public` app has no secret (`conflict`).")))]
#[post("/oauth-clients/{client_id}/secret-rotation")]
pub async fn rotate_client_secret(
    mut call: SecretCall<Empty, OnClient<ManageApps>>,
) -> Result<Created<RotatedClientSecret>, Problem> {
    let (scope, secret) = (&call.scope, fresh()?);
    let (until, new) = (scope.now + Duration::days(FORMER_DAYS), digest(&scope.state.crypto, &secret));
    transaction(&mut call.conn, async |conn| {
        let client = store::lock(conn, scope.on.client.id).await?;
        if client.kind() == ClientKind::Public {
            return Err(Problem::with(Code::Conflict, "Ứng dụng này không có bí mật.", "This app has no secret."));
        }
        diesel::update(oauth_clients::table.find(client.id))
            .set((
                oauth_clients::secret_digest.eq(&new),
                oauth_clients::former_secret_digest.eq(&client.secret_digest),
                oauth_clients::former_secret_until.eq(until),
            ))
            .execute(conn)
            .await?;
        let event = scope.audit("app.secret_rotated", "oauth_client", client.id);
        let event = audit::AuditEvent { unit_id: Some(client.unit_id), ..event };
        audit::record(conn, event, scope.now).await
    })
    .await?;
    let client_id = scope.on.client.id;
    let made = RotatedClientSecret { client_id, client_secret: secret, former_secret_until: until };
    Ok(Reply::json(&made).with((header::CACHE_CONTROL, "no-store")))
}

/// Forgets former secrets that work no longer. Returns how many.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    Ok(diesel::update(oauth_clients::table.filter(oauth_clients::former_secret_until.le(now)))
        .set((
            oauth_clients::former_secret_digest.eq(None::<Vec<u8>>),
            oauth_clients::former_secret_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)
        .await?)
}
