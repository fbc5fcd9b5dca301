//! The request for an authorization code (OAuth 2.1 §4.1), checked before anything of it is shown.

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::IntoParams;

use crate::apps::clients::model::ClientState;
use crate::apps::clients::store::{self, Client};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::scopes::AppScopes;

/// The longest `state` that is handed back.
const LONGEST_STATE: usize = 1000;

/// What the app asks. Parameters that are not known are ignored.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuthorizationQuery {
    /// Always `code`.
    #[param(max_length = 100, nullable = false, example = "code")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_type: Option<String>,
    /// The app.
    #[param(max_length = 36, nullable = false, example = "0199a3f0-7c1b-7000-8000-000000000001")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Where the answer goes: one of the addresses that the app registered, character by character.
    #[param(max_length = 500, nullable = false, example = "https://ban-tin.example/callback")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// What the app asks for, separated by spaces; without it, all that it registered.
    #[param(max_length = 300, nullable = false, example = "profile:read points:read")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Handed back as it came, so that the app knows its request again.
    #[param(max_length = 1000, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// SHA-256 of the verifier, in base64url (RFC 7636).
    #[param(min_length = 43, max_length = 43, pattern = "^[A-Za-z0-9_-]{43}$", nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<String>,
    /// Always `S256`.
    #[param(max_length = 10, nullable = false, example = "S256")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_challenge_method: Option<String>,
}

impl AuthorizationQuery {
    /// The request as it stands in the form.
    pub fn to_text(&self) -> String {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        let pairs = [
            ("response_type", &self.response_type),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("state", &self.state),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", &self.code_challenge_method),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                text.append_pair(name, value);
            }
        }
        text.finish()
    }
}

/// Where an answer goes, and what it repeats.
#[derive(Debug, Clone)]
pub struct ReturnAddress {
    pub redirect_uri: String,
    state: Option<String>,
    issuer: String,
}

impl ReturnAddress {
    /// The address with an answer; `iss` says whose answer it is (RFC 9207).
    pub fn with(&self, name: &str, value: &str) -> Result<String, Problem> {
        let mut url = Url::parse(&self.redirect_uri).map_err(Problem::internal)?;
        {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair(name, value);
            if let Some(state) = &self.state {
                pairs.append_pair("state", state);
            }
            pairs.append_pair("iss", &self.issuer);
        }
        Ok(url.into())
    }

    /// The source that the page's policy names, since browsers hold the answer to a form against it too.
    pub fn source(&self) -> String {
        let scheme = self.redirect_uri.split(':').next().unwrap_or_default();
        match Url::parse(&self.redirect_uri).map(|url| url.origin()) {
            Ok(origin) if origin.is_tuple() => origin.ascii_serialization(),
            _ => format!("{scheme}:"),
        }
    }

    /// The host or scheme, as a person is told it.
    pub fn shown(&self) -> String {
        let url = Url::parse(&self.redirect_uri).ok();
        let host = url.as_ref().and_then(Url::host_str).map(str::to_owned);
        host.unwrap_or_else(|| self.redirect_uri.split(':').next().unwrap_or_default().to_owned())
    }
}

/// A request that is right.
pub struct CheckedRequest {
    pub client: Client,
    pub back: ReturnAddress,
    pub scopes: AppScopes,
    pub challenge: String,
}

/// Why there is no page to show.
pub enum AuthorizationRefusal {
    /// The app or its address is not known: nothing is sent anywhere.
    Shown(Problem),
    /// The app is told, under this code.
    Told(ReturnAddress, &'static str),
}

impl From<Problem> for AuthorizationRefusal {
    fn from(problem: Problem) -> Self {
        Self::Shown(problem)
    }
}

fn not_registered() -> Problem {
    Problem::with(
        Code::InvalidRequest,
        "Ứng dụng hoặc địa chỉ quay về chưa được đăng ký ở đây, nên không có gì được gửi đi. Hãy báo cho người làm ứng dụng.",
        "The app or its return address is not registered here, so nothing was sent anywhere. Tell those who make the app.",
    )
}

/// Checks a request. Only what concerns a registered address of an approved app is ever sent back.
pub async fn check(
    conn: &mut Conn,
    query: &AuthorizationQuery,
    issuer: &str,
) -> Result<CheckedRequest, AuthorizationRefusal> {
    let id = query.client_id.as_deref().and_then(|id| id.parse().ok()).ok_or_else(not_registered)?;
    let client = store::get(conn, id).await.map_err(|problem| match problem.code {
        Code::NotFound => not_registered(),
        _ => problem,
    })?;
    let redirect_uri = query.redirect_uri.clone().filter(|uri| client.redirect_uris.contains(uri));
    let redirect_uri = redirect_uri.ok_or_else(not_registered)?;
    if client.state() != ClientState::Approved {
        return Err(not_registered().into());
    }
    let state = query.state.clone();
    let back = ReturnAddress { redirect_uri, state, issuer: issuer.to_owned() };
    if query.state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(AuthorizationRefusal::Told(ReturnAddress { state: None, ..back }, "invalid_request"));
    }
    match query.response_type.as_deref() {
        Some("code") => {}
        None => return Err(AuthorizationRefusal::Told(back, "invalid_request")),
        Some(_) => return Err(AuthorizationRefusal::Told(back, "unsupported_response_type")),
    }
    // Without a proof, or with one that is its own secret (`plain`), a stolen code would do.
    let is_digest =
        |text: &&String| text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let challenge = query.code_challenge.as_ref().filter(is_digest).cloned();
    let (Some(challenge), Some("S256")) = (challenge, query.code_challenge_method.as_deref()) else {
        return Err(AuthorizationRefusal::Told(back, "invalid_request"));
    };
    let asked = query.scope.as_deref().filter(|list| !list.trim().is_empty());
    let scopes = asked.map_or(Some(client.scopes()), AppScopes::parse).filter(|asked| asked.is_within(client.scopes()));
    match scopes {
        Some(scopes) => Ok(CheckedRequest { client, back, scopes, challenge }),
        None => Err(AuthorizationRefusal::Told(back, "invalid_scope")),
    }
}
