//! The authorization endpoint: the consent page, and the answer to it.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, get, post};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::apps::codes::{self, Permit};
use crate::identity::{ProvenLogin, SignInAttempt, prove};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::accounts;
use crate::kernel::extract::form::{FormRequest, parameters};
use crate::kernel::extract::state_of;
use crate::kernel::http::context::RequestContext;
use crate::kernel::http::problem::{Code, Problem, Text};
use crate::kernel::http::reply::{AnyFile, Reply};
use crate::kernel::security::audit;
use crate::kernel::security::auth::AccountKind;
use crate::kernel::state::State;
use crate::kernel::{outbox, text};
use crate::organisation::units;

use super::page::{ConsentPage, no_member, too_many, wrong_password};
use super::request::{AuthorizationQuery, AuthorizationRefusal, CheckedRequest, check};
use super::seal::{BrowserMark, stale};

/// The answer of a person to the consent page.
#[derive(Deserialize, ToSchema)]
pub struct ConsentForm {
    /// The request, as the page had it.
    #[schema(max_length = 4000, nullable = false)]
    request: Option<String>,
    /// The token that binds the form to the browser.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    token: Option<String>,
    /// `allow` or `deny`.
    #[schema(max_length = 10, pattern = "^(allow|deny)$", nullable = false, example = "allow")]
    decision: Option<String>,
    /// The login; not needed to deny.
    #[schema(max_length = 100, nullable = false)]
    login: Option<String>,
    /// The password; not needed to deny.
    #[schema(max_length = 200, format = "password", nullable = false)]
    password: Option<String>,
}

/// Sends the browser back to the app.
fn send_back(location: String) -> Reply<AnyFile> {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    Reply::of(response.insert_header((header::LOCATION, location)).finish())
}

fn refuse(refusal: AuthorizationRefusal) -> Result<Reply<AnyFile>, Problem> {
    match refusal {
        AuthorizationRefusal::Shown(problem) => Err(problem),
        AuthorizationRefusal::Told(back, error) => Ok(send_back(back.with("error", error)?)),
    }
}

/// Who looks at the page.
struct ConsentVisit<'a> {
    state: &'a State,
    http: &'a HttpRequest,
    request: &'a str,
    login: &'a str,
}

impl ConsentVisit<'_> {
    async fn page(
        &self,
        conn: &mut Conn,
        asked: &CheckedRequest,
        fault: Option<(StatusCode, Text)>,
    ) -> Result<Reply<AnyFile>, Problem> {
        let (state, mark) = (self.state, BrowserMark::of(self.http, self.state)?);
        let page = ConsentPage {
            language: RequestContext::of(self.http).language,
            asked,
            unit_name: &units::name(conn, asked.client.unit_id).await?,
            request: self.request,
            token: &mark.token(&state.crypto, self.request, state.clock.now()),
            cookie: &mark.cookie(state),
            days: state.config.session_days,
            login: self.login,
            fault,
        };
        Ok(Reply::of(page.respond()))
    }
}

/// Ask a person to allow an app
///
/// The app sends the person's browser here (OAuth 2.1, authorization code with PKCE). The page says what the app asks for; the person
/// signs in on it and allows or denies. The answer goes to `redirect_uri` with `code` or `error`, with `state`, and with `iss`. A
/// request that names no registered address of an approved app is never sent anywhere.
#[utoipa::path(tag = "OAuth", security(()), params(AuthorizationQuery), extensions(("x-errors" = json!("page"))), responses(
    (status = 200, description = "The consent page.", body = String, content_type = "text/html"),
    (status = 303, description = "Back to the app: the request is not right (`error`).")))]
#[get("/oauth/authorize")]
pub async fn authorize(http: HttpRequest) -> Result<Reply<AnyFile>, Problem> {
    let state = state_of(&http)?;
    let query: AuthorizationQuery = parameters(http.query_string())?;
    let mut conn = state.db.conn().await?;
    match check(&mut conn, &query, &state.public_url).await {
        Ok(asked) => {
            let visitor = ConsentVisit { state: &state, http: &http, request: &query.to_text(), login: "" };
            visitor.page(&mut conn, &asked, None).await
        }
        Err(refusal) => refuse(refusal),
    }
}

/// Answer the consent page
///
/// Sent by the page itself. Sign-ins on it are counted as those of the handbook's own app are.
#[utoipa::path(tag = "OAuth", security(()),
    request_body(content = ConsentForm, content_type = "application/x-www-form-urlencoded"),
    extensions(("x-body-bytes" = json!(16384)), ("x-errors" = json!("page"))), responses(
    (status = 200, description = "The page again: the form says neither `allow` nor `deny`.", body = String, content_type = "text/html"),
    (status = 303, description = "Back to the app, with `code` or `error`."),
    (status = 401, description = "The page again: the login or the password is wrong (`invalid_credentials`)."),
    (status = 403, description = "The form was not filled in on the page that this browser was shown, or the person is no member."),
    (status = 429, description = "Too many requests, or too many failed tries (`sign_in_throttled`).")))]
#[post("/oauth/authorize")]
pub async fn answer_authorization(request: FormRequest<ConsentForm>) -> Result<Reply<AnyFile>, Problem> {
    let FormRequest { state, context, form, now, request: http } = request;
    let asked_text = form.request.as_deref().unwrap_or_default();
    let mark = BrowserMark::sent(&http, &state).ok_or_else(stale)?;
    mark.require(&state.crypto, asked_text, form.token.as_deref().unwrap_or_default(), now)?;
    let query: AuthorizationQuery = parameters(asked_text)?;
    let mut conn = state.db.conn().await?;
    let asked = match check(&mut conn, &query, &state.public_url).await {
        Ok(asked) => asked,
        Err(refusal) => return refuse(refusal),
    };
    match form.decision.as_deref() {
        Some("allow") => {}
        Some("deny") => return Ok(send_back(asked.back.with("error", "access_denied")?)),
        // Nothing was decided, as when Enter is pressed in a browser that names no button.
        _ => {
            let visitor = ConsentVisit { state: &state, http: &http, request: asked_text, login: "" };
            return visitor.page(&mut conn, &asked, None).await;
        }
    }
    // Hashing may queue, so the connection is released first.
    drop(conn);
    let login = text::one_line(form.login.as_deref().unwrap_or_default());
    let attempt = SignInAttempt {
        login: &login,
        password: form.password.as_deref().unwrap_or_default(),
        device_name: "",
        device_token: None,
        address: context.address,
        request_id: &context.request_id,
    };
    match allow(&state, &asked, &attempt).await {
        Ok(code) => Ok(send_back(asked.back.with("code", &code)?)),
        Err(problem) => {
            let fault = fault(problem)?;
            let visitor = ConsentVisit { state: &state, http: &http, request: asked_text, login: &login };
            visitor.page(&mut *state.db.conn().await?, &asked, Some(fault)).await
        }
    }
}

/// What the page says when the sign-in failed.
fn fault(problem: Problem) -> Result<(StatusCode, Text), Problem> {
    match problem.code {
        Code::InvalidCredentials => Ok((StatusCode::UNAUTHORIZED, wrong_password())),
        Code::SignInThrottled => Ok((StatusCode::TOO_MANY_REQUESTS, too_many(problem.retry_after.unwrap_or(60)))),
        Code::Forbidden => Ok((StatusCode::FORBIDDEN, no_member())),
        _ => Err(problem),
    }
}

/// Signs the person in and makes the code for what they allow.
async fn allow(state: &State, asked: &CheckedRequest, attempt: &SignInAttempt<'_>) -> Result<String, Problem> {
    let now = state.clock.now();
    let fits = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    if !fits(attempt.login, 100) || !fits(attempt.password, 200) {
        return Err(Problem::new(Code::InvalidCredentials));
    }
    let proven = prove(state, attempt, None, now).await?;
    state.db.transaction(async |conn| permit(conn, state, asked, (&proven, attempt.request_id)).await).await
}

async fn permit(
    conn: &mut Conn,
    state: &State,
    asked: &CheckedRequest,
    (proven, request_id): (&ProvenLogin, &str),
) -> Result<String, Problem> {
    let (now, account_id, client) = (state.clock.now(), proven.account_id, &asked.client);
    proven.settle(conn).await?;
    let kind: String = accounts::table.find(account_id).select(accounts::kind).first(conn).await?;
    if AccountKind::parse(&kind) != Some(AccountKind::Member) {
        return Err(Problem::new(Code::Forbidden));
    }
    let event = audit::AuditEvent {
        actor_id: Some(account_id),
        client_id: Some(client.id),
        action: "app.allowed",
        object_kind: "oauth_client",
        object_id: client.id,
        unit_id: None,
        member_id: Some(account_id),
        request_id: Some(request_id),
        details: json!({"scope": asked.scopes}),
    };
    audit::record(conn, event, now).await?;
    outbox::tell(conn, "app_allowed", &[account_id], &json!({"client_id": client.id, "name": client.name}), now)
        .await?;
    let permit = Permit {
        client_id: client.id,
        account_id,
        redirect_uri: &asked.back.redirect_uri,
        challenge: &asked.challenge,
        scopes: asked.scopes,
    };
    codes::issue(conn, &state.crypto, &permit, now).await
}
