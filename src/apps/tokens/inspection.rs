//! Revocation (RFC 7009) and introspection (RFC 7662) of an app's own tokens.

use actix_web::http::header;
use actix_web::post;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::app_sessions::{self, AppSession};
use crate::identity::{Because, parse_app_refresh_token};
use crate::kernel::db::Conn;
use crate::kernel::extract::form::FormRequest;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::auth::Claims;
use crate::kernel::security::scopes::AppScopes;
use crate::kernel::state::State;

use super::client_auth::{self, ClientCredentials, FormCredentials};
use crate::apps::clients::model::ClientKind;

/// A token that a client asks about. Parameters that are not known are ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InspectedToken {
    /// An access token or a refresh token of the client.
    #[schema(max_length = 2000, pattern = r"^[A-Za-z0-9_.-]+$", nullable = false)]
    token: Option<String>,
    /// The client, where it does not authenticate by the `Authorization` header.
    #[schema(max_length = 36, nullable = false)]
    client_id: Option<String>,
    /// The secret of a confidential client, where it is not in the `Authorization` header.
    #[schema(max_length = 100, nullable = false)]
    client_secret: Option<String>,
}

/// What a token names: its session, what it may do, until when.
enum NamedToken {
    Access(std::sync::Arc<Claims>),
    Refresh { session_id: Uuid, generation: i32 },
}

impl NamedToken {
    /// Reads a genuine token of either kind.
    fn read(state: &State, token: &str, now: DateTime<Utc>) -> Option<Self> {
        match parse_app_refresh_token(&state.crypto, token) {
            Some((session_id, generation)) => Some(Self::Refresh { session_id, generation }),
            None => state.keys.verify(token, now).map(Self::Access),
        }
    }

    fn session_id(&self) -> Uuid {
        match self {
            Self::Access(claims) => claims.sid,
            Self::Refresh { session_id, .. } => *session_id,
        }
    }

    /// The live session, if the token is the client's and works now.
    async fn session(
        &self,
        conn: &mut Conn,
        client_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<AppSession>, Problem> {
        let session = app_sessions::find(conn, self.session_id(), client_id, now).await?;
        Ok(session.filter(|session| match self {
            Self::Access(claims) => claims.client_id == Some(client_id) && claims.sub == session.account_id,
            Self::Refresh { generation, .. } => *generation == session.generation,
        }))
    }
}

fn token_of(form: &InspectedToken) -> Result<&str, Problem> {
    let missing = || Problem::with(Code::InvalidRequest, "Thiếu token.", "token is missing.");
    form.token.as_deref().filter(|token| !token.is_empty()).ok_or_else(missing)
}

fn credentials(form: &InspectedToken) -> FormCredentials {
    FormCredentials { client_id: form.client_id.clone(), client_secret: form.client_secret.clone() }
}

/// Nothing to say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked {}

/// Revoke a token of an app
///
/// Ends what the token stands for: access and refresh tokens of the same session die at once. A token that is not known, or not the
/// client's, is answered alike.
#[utoipa::path(tag = "OAuth", security(()),
    request_body(content = InspectedToken, content_type = "application/x-www-form-urlencoded"),
    extensions(("x-body-bytes" = json!(8192)), ("x-errors" = json!("oauth"))), responses(
    (status = 401, description = "The client is not known, not approved, or its secret is wrong (`invalid_client`).")))]
#[post("/oauth/revoke")]
pub async fn revoke_token(request: FormRequest<InspectedToken>) -> Result<Reply<Revoked>, Problem> {
    let FormRequest { state, form, now, request: http, .. } = request;
    let shown = ClientCredentials::of(&http, &credentials(&form))?;
    let token = NamedToken::read(&state, token_of(&form)?, now);
    state
        .db
        .transaction(async |conn| {
            let client = shown.client(conn, &state.crypto, now).await?;
            let Some(token) = &token else { return Ok(()) };
            app_sessions::end_one(conn, token.session_id(), client.id, Because::Revoked, now).await.map(drop)
        })
        .await?;
    Ok(Reply::json(&Revoked {}).with((header::CACHE_CONTROL, "no-store")))
}

/// What a token is worth now.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Introspection {
    /// Whether it works. Everything else is left out when it does not.
    active: bool,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, max_length = 300, nullable = false, example = "points:read")]
    scope: Option<AppScopes>,
    /// The client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_id: Option<Uuid>,
    /// For whom: the person, or the client itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sub: Option<Uuid>,
    /// `Bearer` for an access token, `refresh_token` for the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, pattern = "^(Bearer|refresh_token)$", nullable = false, example = "Bearer")]
    token_type: Option<&'static str>,
    /// Until when, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000_000_i64, nullable = false)]
    exp: Option<i64>,
    /// Since when, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000_000_i64, nullable = false)]
    iat: Option<i64>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false, example = "https://sotay.example")]
    iss: Option<String>,
}

/// Ask about a token of an app
///
/// Says whether a token works now and what it may do. For confidential clients, about their own tokens; every other one is answered
/// as if it did not work.
#[utoipa::path(tag = "OAuth", security(()),
    request_body(content = InspectedToken, content_type = "application/x-www-form-urlencoded"),
    extensions(("x-body-bytes" = json!(8192)), ("x-errors" = json!("oauth"))), responses(
    (status = 401, description = "The client is public, not known, not approved, or its secret is wrong (`invalid_client`).")))]
#[post("/oauth/introspect")]
pub async fn introspect_token(request: FormRequest<InspectedToken>) -> Result<Reply<Introspection>, Problem> {
    let FormRequest { state, form, now, request: http, .. } = request;
    let shown = ClientCredentials::of(&http, &credentials(&form))?;
    let mut conn = state.db.conn().await?;
    let client = shown.client(&mut conn, &state.crypto, now).await?;
    if client.kind() == ClientKind::Public {
        return Err(client_auth::unknown());
    }
    let told = match NamedToken::read(&state, token_of(&form)?, now) {
        None => Introspection::default(),
        Some(token) => match token.session(&mut conn, client.id, now).await? {
            None => Introspection::default(),
            Some(session) => describe(&token, &session, client.id, &state.public_url),
        },
    };
    Ok(Reply::json(&told).with((header::CACHE_CONTROL, "no-store")))
}

fn describe(token: &NamedToken, session: &AppSession, client_id: Uuid, issuer: &str) -> Introspection {
    let (scope, token_type, exp, iat) = match token {
        NamedToken::Access(claims) => (claims.scope, "Bearer", claims.exp, Some(claims.iat)),
        NamedToken::Refresh { .. } => (Some(session.scopes), "refresh_token", session.expires_at.timestamp(), None),
    };
    Introspection {
        active: true,
        scope,
        client_id: Some(client_id),
        sub: Some(session.account_id),
        token_type: Some(token_type),
        exp: Some(exp),
        iat,
        iss: Some(issuer.to_owned()),
    }
}
