//! The three grants: a code with its proof, a refresh token, a client alone.

use chrono::{DateTime, Duration, Utc};

use crate::apps::clients::model::ClientKind;
use crate::apps::clients::store::Client;
use crate::apps::codes::{self, Presented};
use crate::identity::app_sessions::{self, AppOpening, AppSession};
use crate::identity::parse_app_refresh_token;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::scopes::{AppScopes, OF_NO_PERSON};
use crate::kernel::state::State;

use super::routes::TokenForm;

/// What a grant gives: the session, the scopes of the access token, and whether the session can be refreshed.
pub struct Granted {
    pub session: AppSession,
    pub scopes: AppScopes,
    pub refreshable: bool,
}

/// Who asks, when, and under which request.
pub struct Asking<'a> {
    pub state: &'a State,
    pub client: &'a Client,
    pub request_id: &'a str,
    pub now: DateTime<Utc>,
}

fn missing(parameter: &str) -> Problem {
    Problem::with(Code::InvalidRequest, format!("Thiếu {parameter}."), format!("{parameter} is missing."))
}

fn required<'a>(value: Option<&'a String>, name: &str) -> Result<&'a str, Problem> {
    value.map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))
}

/// The scopes asked for, all of those that may be had when none are named.
fn scopes(asked: Option<&String>, most: AppScopes) -> Result<AppScopes, Problem> {
    let Some(list) = asked.filter(|list| !list.trim().is_empty()) else { return Ok(most) };
    AppScopes::parse(list).filter(|scopes| scopes.is_within(most)).ok_or_else(|| Problem::new(Code::InvalidScope))
}

/// Grants what a form asks for; none for a code or a refresh token that is no good. What went on in the database must be committed
/// even then.
///
/// # Errors
/// 400 for a form that asks for nothing that can be had.
pub async fn grant(conn: &mut Conn, asking: &Asking<'_>, form: &TokenForm) -> Result<Option<Granted>, Problem> {
    match form.grant_type.as_deref() {
        Some("authorization_code") => with_code(conn, asking, form).await,
        Some("refresh_token") => with_refresh_token(conn, asking, form).await,
        Some("client_credentials") => alone(conn, asking, form).await.map(Some),
        Some(_) => Err(Problem::new(Code::UnsupportedGrantType)),
        None => Err(missing("grant_type")),
    }
}

async fn with_code(conn: &mut Conn, asking: &Asking<'_>, form: &TokenForm) -> Result<Option<Granted>, Problem> {
    let shown = Presented {
        code: required(form.code.as_ref(), "code")?,
        client_id: asking.client.id,
        client_name: &asking.client.name,
        redirect_uri: required(form.redirect_uri.as_ref(), "redirect_uri")?,
        verifier: required(form.code_verifier.as_ref(), "code_verifier")?,
        request_id: asking.request_id,
        days: asking.state.config.session_days,
    };
    let session = codes::redeem(conn, &asking.state.crypto, &shown, asking.now).await?;
    Ok(session.map(|session| Granted { scopes: session.scopes, session, refreshable: true }))
}

async fn with_refresh_token(
    conn: &mut Conn,
    asking: &Asking<'_>,
    form: &TokenForm,
) -> Result<Option<Granted>, Problem> {
    let token = required(form.refresh_token.as_ref(), "refresh_token")?;
    let Some(token) = parse_app_refresh_token(&asking.state.crypto, token) else { return Ok(None) };
    let (client_id, now) = (asking.client.id, asking.now);
    // What cannot be had is refused before the token is used up.
    if let Some(session) = app_sessions::find(conn, token.0, client_id, now).await? {
        scopes(form.scope.as_ref(), session.scopes)?;
    }
    let session = app_sessions::refresh(conn, token, client_id, asking.state.config.session_days, now).await?;
    let Some(session) = session else { return Ok(None) };
    let scopes = scopes(form.scope.as_ref(), session.scopes)?;
    Ok(Some(Granted { session, scopes, refreshable: true }))
}

async fn alone(conn: &mut Conn, asking: &Asking<'_>, form: &TokenForm) -> Result<Granted, Problem> {
    let client = asking.client;
    if client.kind() == ClientKind::Public {
        return Err(Problem::new(Code::UnauthorizedClient));
    }
    let most = client.scopes().common(OF_NO_PERSON.iter().copied().collect());
    let scopes = scopes(form.scope.as_ref(), most)?;
    if scopes.is_empty() {
        return Err(Problem::new(Code::InvalidScope));
    }
    let opening = AppOpening {
        account_id: client.id,
        client_id: client.id,
        name: &client.name,
        scopes: most,
        request_id: asking.request_id,
        lifetime: Duration::seconds(i64::from(asking.state.config.access_token_seconds)),
    };
    let session_id = app_sessions::open_alone(conn, &opening, asking.now).await?;
    let session = app_sessions::find(conn, session_id, client.id, asking.now).await?;
    let session = session.ok_or_else(|| Problem::new(Code::UnauthorizedClient))?;
    Ok(Granted { session, scopes, refreshable: false })
}
