//! The token endpoint (OAuth 2.1 §3.2).

use actix_web::http::header;
use actix_web::post;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::app_refresh_token;
use crate::kernel::extract::form::FormRequest;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::auth::Claims;
use crate::kernel::security::scopes::AppScopes;
use crate::kernel::state::State;

use super::client_auth::{ClientCredentials, FormCredentials};
use super::grants::{Asking, Granted, grant};

/// A request for tokens. Parameters that are not known are ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TokenForm {
    /// `authorization_code`, `refresh_token` or `client_credentials`.
    #[schema(max_length = 100, pattern = "^[a-z_]+$", nullable = false, example = "authorization_code")]
    pub grant_type: Option<String>,
    /// The code that the app was sent back with.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    pub code: Option<String>,
    /// The address that the code was sent to, as it was in the request for it.
    #[schema(max_length = 500, nullable = false, example = "https://ban-tin.example/callback")]
    pub redirect_uri: Option<String>,
    /// The secret whose SHA-256 the request for the code had as `code_challenge` (RFC 7636).
    #[schema(min_length = 43, max_length = 128, pattern = "^[A-Za-z0-9._~-]+$", nullable = false)]
    pub code_verifier: Option<String>,
    /// The refresh token of the last answer.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    pub refresh_token: Option<String>,
    /// Fewer scopes than could be had, separated by spaces.
    #[schema(max_length = 300, nullable = false, example = "points:read")]
    pub scope: Option<String>,
    /// The client, where it does not authenticate by the `Authorization` header.
    #[schema(max_length = 36, nullable = false)]
    pub client_id: Option<String>,
    /// The secret of a confidential client, where it is not in the `Authorization` header.
    #[schema(max_length = 100, nullable = false)]
    pub client_secret: Option<String>,
}

/// Tokens of an app.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppTokens {
    /// Sent as `Authorization: Bearer …` with every request: a JWT (RFC 9068).
    #[schema(max_length = 2000, pattern = r"^[A-Za-z0-9_.-]+$")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(max_length = 6, pattern = "^Bearer$", example = "Bearer")]
    token_type: &'static str,
    /// Lifetime of the access token, seconds.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    expires_in: u32,
    /// Exchanged for the next tokens, once; a lost answer may be asked for again for 30 seconds. Left out for a client alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    refresh_token: Option<String>,
    /// The scopes of the access token.
    #[schema(value_type = String, max_length = 300, example = "points:read profile:read")]
    scope: AppScopes,
}

fn tokens(state: &State, granted: &Granted, claims: Claims) -> Result<AppTokens, Problem> {
    let session = &granted.session;
    let refresh = || app_refresh_token(&state.crypto, session.id, session.generation);
    Ok(AppTokens {
        access_token: state.keys.current().sign(&claims)?,
        token_type: "Bearer",
        expires_in: state.config.access_token_seconds,
        refresh_token: granted.refreshable.then(refresh),
        scope: granted.scopes,
    })
}

/// Get tokens for an app
///
/// Exchanges an authorization code with its PKCE proof, or a refresh token, for tokens that act for a person; or gives a
/// confidential client a token of its own. A code or a refresh token that is used a second time ends what it had bought.
#[utoipa::path(tag = "OAuth", security(()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    extensions(("x-body-bytes" = json!(8192)), ("x-errors" = json!("oauth"))), responses(
    (status = 400, description = "The form is not whole (`invalid_request`), the code or the refresh token is no good \
        (`invalid_grant`), or it asks for what the client cannot have (`invalid_scope`, `unauthorized_client`, \
        `unsupported_grant_type`)."),
    (status = 401, description = "The client is not known, not approved, or its secret is wrong (`invalid_client`).")))]
#[post("/oauth/token")]
pub async fn create_token(request: FormRequest<TokenForm>) -> Result<Reply<AppTokens>, Problem> {
    let FormRequest { state, context, form, now, request: http } = request;
    let credentials = FormCredentials { client_id: form.client_id.clone(), client_secret: form.client_secret.clone() };
    let credentials = ClientCredentials::of(&http, &credentials)?;
    let granted = state
        .db
        .transaction(async |conn| {
            let client = credentials.client(conn, &state.crypto, now).await?;
            let request_id = &context.request_id;
            let asking = Asking { state: &state, client: &client, request_id, now };
            Ok((client.id, grant(conn, &asking, &form).await?))
        })
        .await?;
    let (client_id, Some(granted)) = granted else {
        return Err(Problem::new(Code::InvalidGrant));
    };
    let (iat, exp) = (now.timestamp(), now.timestamp() + i64::from(state.config.access_token_seconds));
    let claims = Claims::first_party(granted.session.account_id, granted.session.id, iat, exp);
    let claims = claims.of_app(&state.public_url, client_id, granted.scopes);
    Ok(Reply::json(&tokens(&state, &granted, claims)?).with((header::CACHE_CONTROL, "no-store")))
}
