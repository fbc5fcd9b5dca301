//! Sign-in, refresh, sign-out and the list of one's devices over HTTP.

use actix_web::{delete, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{
    AnonymousRequest, Anyone, Empty, Proof, Query, ReadRequest, Scope, WriteRequest, path_id,
};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::rate_limit::Payer;
use crate::kernel::http::reply::{Created, NoContent, Reply};
use crate::kernel::security::audit;
use crate::kernel::security::crypto::Crypto;

use super::device_sessions::{self, Because};
use super::sign_in::{SignInAttempt, sign_in};
use super::tokens::{SessionTokens, parse_device_token, parse_refresh_token};

/// A sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInIn {
    /// Citizen ID, card number, a phone that no other member uses, or an administrator's user name.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "001080000001")]
    login: String,
    /// The password.
    #[schema(min_length = 1, max_length = 200, format = "password", example = "mùa thu năm ấy")]
    password: String,
    /// What the person calls this device; shown in the list of devices.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "Điện thoại của An")]
    device_name: String,
    /// `device_token` of an earlier sign-in on this device.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    device_token: Option<String>,
}

/// Sign in
///
/// Opens a device session. An account has at most 10; the oldest ends when there are more. Failed tries are limited for
/// each account, with a separate allowance for each device that sends its `device_token`.
#[utoipa::path(tag = "Sessions", security(()), request_body = SignInIn,
    extensions(("x-body-bytes" = json!(8192)), ("x-budget" = json!("sign_in"))), responses(
    (status = 401, description = "The login or the password is wrong (`invalid_credentials`)."),
    (status = 429, description = "Too many requests, or too many failed tries (`sign_in_throttled`).")))]
#[post("/auth/sessions")]
pub async fn create_session(request: AnonymousRequest<SignInIn>) -> Result<Created<SessionTokens>, Problem> {
    let attempt = SignInAttempt {
        login: &request.body.login,
        password: &request.body.password,
        device_name: &request.body.device_name,
        device_token: request.body.device_token.as_deref(),
        address: request.context.address,
        request_id: &request.context.request_id,
    };
    let tokens = sign_in(&request.state, &attempt, request.now).await?;
    Ok(tokens.answer())
}

impl Proof for SignInIn {
    fn payer(&self, crypto: &Crypto) -> Option<Payer> {
        self.device_token.as_deref().and_then(|token| parse_device_token(crypto, token)).map(Payer::Device)
    }
}

/// A refresh.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshIn {
    /// The refresh token of the last answer.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$", example = "AZqQ3x2kcAGyXw")]
    refresh_token: String,
}

impl Proof for RefreshIn {
    fn payer(&self, crypto: &Crypto) -> Option<Payer> {
        parse_refresh_token(crypto, &self.refresh_token).map(|(session_id, _)| Payer::Session(session_id))
    }
}

/// Refresh a session
///
/// Exchanges the refresh token for new tokens. When the answer got lost, the same token may be sent again for 30
/// seconds and buys the same successor. Used later than that, or repeated in two generations running, it ends the session:
/// another person has it.
#[utoipa::path(tag = "Sessions", security(()), request_body = RefreshIn,
    extensions(("x-body-bytes" = json!(8192)), ("x-budget" = json!("refresh"))), responses(
    (status = 401, description = "The session is over (`refresh_token_invalid`).")))]
#[post("/auth/sessions/refresh")]
pub async fn refresh_session(request: AnonymousRequest<RefreshIn>) -> Result<Reply<SessionTokens>, Problem> {
    let (state, now) = (&request.state, request.now);
    let invalid = || Problem::new(Code::RefreshTokenInvalid);
    let token = parse_refresh_token(&state.crypto, &request.body.refresh_token).ok_or_else(invalid)?;
    let days = state.config.session_days;
    let issue = state
        .db
        .transaction(async |conn| device_sessions::refresh(conn, token, None, days, now).await)
        .await?
        .ok_or_else(invalid)?;
    Ok(SessionTokens::issue(state, &issue, now)?.answer())
}

async fn audit_end<B, T>(
    conn: &mut Conn,
    scope: &Scope<B, T>,
    action: &'static str,
    session_id: Uuid,
) -> Result<(), Problem> {
    let event =
        audit::AuditEvent { member_id: Some(scope.caller.account_id), ..scope.audit(action, "session", session_id) };
    audit::record(conn, event, scope.now).await
}

/// Sign out
///
/// Ends the session of the token sent, which stops working at once.
#[utoipa::path(tag = "Sessions")]
#[delete("/auth/sessions/current")]
pub async fn delete_current_session(request: WriteRequest<Empty, Anyone>) -> Result<NoContent, Problem> {
    request
        .commit(async |conn, scope| {
            let (account, session) = (scope.caller.account_id, scope.caller.session_id);
            device_sessions::revoke(conn, account, session, Because::SignedOut, scope.now).await?;
            audit_end(conn, scope, "session.signed_out", session).await
        })
        .await
}

/// A device on which the caller is signed in.
#[derive(Serialize, ToSchema)]
pub struct SessionOut {
    /// The session.
    id: Uuid,
    /// The device's name, as given at sign-in.
    #[schema(max_length = 100, example = "Điện thoại của An")]
    device_name: String,
    /// When it signed in.
    created_at: DateTime<Utc>,
    /// When it last asked for new tokens, to the hour.
    last_used_at: DateTime<Utc>,
    /// When it ends if it is not used.
    expires_at: DateTime<Utc>,
    /// Whether it is the device that sent the request.
    current: bool,
}

/// List one's devices
///
/// Lists the live sessions of the caller, newest first.
#[utoipa::path(tag = "Me", params(PageQuery))]
#[get("/me/sessions")]
pub async fn list_my_sessions(
    mut request: ReadRequest<Anyone>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<SessionOut>>, Problem> {
    let (Query(page), caller) = (page, &request.scope.caller);
    let (after, most, now) = (page.after()?, page.fetch(), request.scope.now);
    let rows = device_sessions::list(&mut request.conn, caller.account_id, after, most, now).await?;
    let current = caller.session_id;
    request.reply(&page.page(
        rows,
        |row| (row.created_at, row.id),
        |row| SessionOut {
            current: row.id == current,
            id: row.id,
            device_name: row.device_name,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        },
    ))
}

/// Sign a device out
///
/// Ends one session of the caller's own; its tokens stop working at once.
#[utoipa::path(tag = "Me", params(("session_id" = Uuid, Path, description = "The session.")))]
#[delete("/me/sessions/{session_id}")]
pub async fn delete_my_session(
    request: WriteRequest<Empty, Anyone>,
    req: actix_web::HttpRequest,
) -> Result<NoContent, Problem> {
    let session = path_id(&req, "session_id")?;
    request
        .commit(async |conn, scope| {
            let account = scope.caller.account_id;
            if !device_sessions::revoke(conn, account, session, Because::Revoked, scope.now).await? {
                return Err(Problem::not_found());
            }
            audit_end(conn, scope, "session.revoked", session).await
        })
        .await
}

/// Sign all other devices out
///
/// Ends every session of the caller except the current one.
#[utoipa::path(tag = "Me")]
#[delete("/me/sessions")]
pub async fn delete_my_other_sessions(request: WriteRequest<Empty, Anyone>) -> Result<NoContent, Problem> {
    request
        .commit(async |conn, scope| {
            let (account, kept) = (scope.caller.account_id, scope.caller.session_id);
            device_sessions::lock_account(conn, account).await?;
            device_sessions::revoke_others(conn, account, Some(kept), Because::Revoked, scope.now).await?;
            audit_end(conn, scope, "session.others_revoked", kept).await
        })
        .await
}
