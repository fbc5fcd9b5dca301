//! Secrets that sign what an endpoint gets: kept sealed, shown once, two of them during a rotation.

use actix_web::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::schema::webhook_secrets;
use crate::kernel::db::{Conn, transaction};
use crate::kernel::extract::Empty;
use crate::kernel::extract::secret::SecretCall;
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Created;
use crate::kernel::ids::new_id;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::{Crypto, random_bytes};
use crate::webhooks::targets::OnEndpoint;

/// How long the former secret signs beside the new one, hours.
const OVERLAP_HOURS: i64 = 24;
const FIELD: &str = "webhook_secret";

/// Makes the next secret of an endpoint. The one before it signs for a day more, older ones end. Returns it as the receiver needs it,
/// and until when the former one signs.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn renew(
    conn: &mut Conn,
    crypto: &Crypto,
    endpoint_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(String, DateTime<Utc>), Problem> {
    let until = now + TimeDelta::hours(OVERLAP_HOURS);
    let of_endpoint = webhook_secrets::table.filter(webhook_secrets::endpoint_id.eq(endpoint_id));
    diesel::delete(of_endpoint.filter(webhook_secrets::expires_at.is_not_null())).execute(conn).await?;
    diesel::update(of_endpoint).set(webhook_secrets::expires_at.eq(until)).execute(conn).await?;
    let bytes = random_bytes::<32>().map_err(Problem::internal)?;
    let id = new_id(now);
    diesel::insert_into(webhook_secrets::table)
        .values((
            webhook_secrets::id.eq(id),
            webhook_secrets::endpoint_id.eq(endpoint_id),
            webhook_secrets::sealed.eq(crypto.seal(id, FIELD, &bytes).map_err(Problem::internal)?),
            webhook_secrets::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok((format!("whsec_{}", STANDARD.encode(bytes)), until))
}

/// The secrets that sign at a time, the newest first.
///
/// # Errors
/// 503 when the database cannot be reached; 500 when one does not open with the master key.
pub async fn valid(
    conn: &mut Conn,
    crypto: &Crypto,
    endpoint_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Vec<u8>>, Problem> {
    let sealed: Vec<(Uuid, Vec<u8>)> = webhook_secrets::table
        .filter(webhook_secrets::endpoint_id.eq(endpoint_id))
        .filter(webhook_secrets::expires_at.is_null().or(webhook_secrets::expires_at.gt(now)))
        .order(webhook_secrets::id.desc())
        .select((webhook_secrets::id, webhook_secrets::sealed))
        .load(conn)
        .await?;
    sealed.iter().map(|(id, sealed)| crypto.open(*id, FIELD, sealed).map_err(Problem::internal)).collect()
}

/// The next secret of an endpoint.
#[derive(Serialize, ToSchema)]
pub struct RotatedSecret {
    /// The secret, shown this once.
    #[schema(
        max_length = 100,
        pattern = "^whsec_[A-Za-z0-9+/=]+$",
        example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    )]
    secret: String,
    /// Until when requests are also signed with the former one.
    former_valid_until: DateTime<Utc>,
}

/// Rotate the secret of an endpoint
///
/// Makes a new secret and shows it once. For 24 hours requests carry two signatures, by the former secret too. Takes no
/// `Idempotency-Key`: if the answer got lost, rotate again; then the secret whose answer got lost is the former one. For officers of
/// the unit who manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint.")),
    request_body = Empty, extensions(("x-secret-call" = json!(true))))]
#[post("/webhook-endpoints/{endpoint_id}/secret-rotation")]
pub async fn rotate_webhook_secret(call: SecretCall<Empty, OnEndpoint>) -> Result<Created<RotatedSecret>, Problem> {
    let (scope, mut conn) = (&call.scope, call.conn);
    let (id, unit_id) = (scope.on.endpoint.id, scope.on.endpoint.unit_id);
    let renewed = transaction(&mut conn, async |conn| {
        let event = audit::AuditEvent {
            unit_id: Some(unit_id),
            ..scope.audit("webhook_endpoint.secret_rotated", "webhook_endpoint", id)
        };
        audit::record(conn, event, scope.now).await?;
        renew(conn, &scope.state.crypto, id, scope.now).await
    });
    let (secret, former_valid_until) = renewed.await?;
    Ok(Created::json(&RotatedSecret { secret, former_valid_until }))
}
