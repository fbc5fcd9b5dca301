//! Metadata of the authorization server (RFC 8414), by which client libraries configure themselves.

use actix_web::{HttpRequest, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{self, Reply};
use crate::kernel::security::scopes::AppScope;
use crate::kernel::state::State;

/// What the authorization server can do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerMetadata {
    /// `iss` of tokens and of answers to the authorization request.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example")]
    issuer: String,
    /// Where a person is sent to.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/oauth/authorize")]
    authorization_endpoint: String,
    /// Where tokens are had.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/oauth/token")]
    token_endpoint: String,
    /// Where tokens are revoked.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/oauth/revoke")]
    revocation_endpoint: String,
    /// Where tokens are asked about.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/oauth/introspect")]
    introspection_endpoint: String,
    /// The keys that verify access tokens.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/.well-known/jwks.json")]
    jwks_uri: String,
    /// All scopes.
    #[schema(max_items = 20)]
    scopes_supported: Vec<AppScope>,
    /// `code`.
    #[schema(max_items = 1)]
    response_types_supported: [&'static str; 1],
    /// `query`.
    #[schema(max_items = 1)]
    response_modes_supported: [&'static str; 1],
    /// The three grants.
    #[schema(max_items = 3)]
    grant_types_supported: [&'static str; 3],
    /// `S256`.
    #[schema(max_items = 1)]
    code_challenge_methods_supported: [&'static str; 1],
    /// How clients authenticate.
    #[schema(max_items = 3)]
    token_endpoint_auth_methods_supported: [&'static str; 3],
    /// How clients authenticate there.
    #[schema(max_items = 3)]
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    /// How clients authenticate there.
    #[schema(max_items = 2)]
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    /// Whether answers to the authorization request carry `iss` (RFC 9207).
    authorization_response_iss_parameter_supported: bool,
    /// Languages of the consent page.
    #[schema(max_items = 2)]
    ui_locales_supported: [&'static str; 2],
    /// For developers.
    #[schema(format = "uri", max_length = 500, example = "https://sotay.example/docs/")]
    service_documentation: String,
}

/// Get the metadata of the authorization server
///
/// By RFC 8414: client libraries configure themselves from it.
#[utoipa::path(tag = "OAuth", security(()))]
#[get("/.well-known/oauth-authorization-server")]
pub async fn authorization_server(
    http: HttpRequest,
    state: web::Data<State>,
) -> Result<Reply<ServerMetadata>, Problem> {
    let at = |path: &str| format!("{}{path}", state.public_url);
    let metadata = ServerMetadata {
        issuer: state.public_url.clone(),
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        revocation_endpoint: at("/oauth/revoke"),
        introspection_endpoint: at("/oauth/introspect"),
        jwks_uri: at("/.well-known/jwks.json"),
        scopes_supported: AppScope::ALL.to_vec(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        revocation_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        authorization_response_iss_parameter_supported: true,
        ui_locales_supported: ["vi", "en"],
        service_documentation: at("/docs/"),
    };
    reply::json(&http, &metadata)
}
