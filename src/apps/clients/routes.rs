//! Registration of clients, and reading them.

use actix_web::http::header;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::transaction;
use crate::kernel::extract::secret::SecretCall;
use crate::kernel::extract::{Anyone, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::ManageApps;
use crate::kernel::security::audit;
use crate::kernel::security::scopes::{AppScope, AppScopes};
use crate::kernel::text::one_line;
use crate::organisation::{OnUnitOfQuery, units};

use super::model::{ClientKind, ClientState, address_faults};
use super::secrets;
use super::store::{self, Client, NewClient};
use super::target::OnClient;

/// A new client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientIn {
    /// The unit that answers for it. Without a person it reads figures of this unit and of those below.
    unit_id: Uuid,
    /// What people see when they are asked to allow it.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "Bản tin phường Bình Minh")]
    name: String,
    /// `confidential` for what runs on a server and keeps a secret, `public` for what runs on people's devices.
    kind: ClientKind,
    /// Where people are sent back to; compared character by character. `https`, or `http` on the loopback; `public` clients may
    /// use a scheme of their own. None for a client that acts for no person.
    #[schema(max_items = 10, example = json!(["https://ban-tin.example/callback"]))]
    redirect_uris: Vec<String>,
    /// All that it may ever ask for.
    #[schema(min_items = 1, max_items = 10, example = json!(["profile:read", "points:read"]))]
    scopes: Vec<AppScope>,
}

/// A client.
#[derive(Debug, Serialize, ToSchema)]
pub struct OauthClient {
    /// The client.
    client_id: Uuid,
    /// The unit that answers for it.
    unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 100, example = "Bản tin phường Bình Minh")]
    name: String,
    /// Whether it keeps a secret.
    kind: ClientKind,
    /// Where people are sent back to.
    #[schema(max_items = 10)]
    redirect_uris: Vec<String>,
    /// All that it may ask for.
    #[schema(max_items = 10)]
    scopes: Vec<AppScope>,
    /// `pending` until an administrator has reviewed it, then `approved`; `suspended` when it was stopped.
    state: ClientState,
    /// When it was registered.
    created_at: DateTime<Utc>,
    /// When it was approved or suspended last.
    decided_at: Option<DateTime<Utc>>,
    /// Until when the secret before the last one works too.
    former_secret_until: Option<DateTime<Utc>>,
}

impl From<Client> for OauthClient {
    fn from(client: Client) -> Self {
        Self {
            kind: client.kind(),
            scopes: client.scopes().iter().collect(),
            state: client.state(),
            client_id: client.id,
            unit_id: client.unit_id,
            name: client.name,
            redirect_uris: client.redirect_uris,
            created_at: client.created_at,
            decided_at: client.decided_at,
            former_secret_until: client.former_secret_until,
        }
    }
}

/// A registered client with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct NewOauthClient {
    #[serde(flatten)]
    client: OauthClient,
    /// The secret; null for `public` clients. It cannot be read again.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    client_secret: Option<String>,
}

/// Register an app
///
/// Registers an app of a third party or of the unit itself. It can do nothing until an administrator has approved it. For
/// officers of the unit.
#[utoipa::path(tag = "Apps", request_body = ClientIn, extensions(("x-secret-call" = json!(true))), responses(
    (status = 403, description = "The caller is no officer of the unit."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is."),
    (status = 422, description = "Answers must not go to one of the addresses (`rule_not_met`).")))]
#[post("/oauth-clients")]
pub async fn create_oauth_client(mut call: SecretCall<ClientIn, Anyone>) -> Result<Created<NewOauthClient>, Problem> {
    let (scope, body) = (&call.scope, &call.scope.body);
    let path = units::path(&mut call.conn, body.unit_id, day_of(scope.now)).await?;
    scope.caller.require(&path, Permission::ManageApps)?;
    let faults = address_faults(&body.redirect_uris, body.kind);
    if !faults.is_empty() {
        return Err(Problem::faults(Code::RuleNotMet, faults));
    }
    let secret = match body.kind {
        ClientKind::Public => None,
        ClientKind::Confidential => Some(secrets::fresh()?),
    };
    let name = one_line(&body.name);
    let new = NewClient {
        unit_id: body.unit_id,
        name: &name,
        kind: body.kind,
        redirect_uris: &body.redirect_uris,
        scopes: body.scopes.iter().copied().collect::<AppScopes>(),
        secret_digest: secret.as_deref().map(|secret| secrets::digest(&scope.state.crypto, secret)),
        registered_by: scope.caller.account_id,
    };
    let client = transaction(&mut call.conn, async |conn| {
        let id = store::insert(conn, &new, scope.now).await?;
        let event = audit::AuditEvent {
            unit_id: Some(new.unit_id),
            details: json!({"scope": new.scopes, "redirect_uris": new.redirect_uris}),
            ..scope.audit("app.registered", "oauth_client", id)
        };
        audit::record(conn, event, scope.now).await?;
        store::get(conn, id).await
    });
    let made = NewOauthClient { client: client.await?.into(), client_secret: secret };
    Ok(Reply::json(&made).with((header::CACHE_CONTROL, "no-store")))
}

/// Which clients are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClientQuery {
    /// Lists the apps of this unit and of the units below it.
    #[allow(dead_code)]
    unit_id: Uuid,
}

/// List apps of a unit
///
/// Lists the apps of the unit and of the units below it, newest first. For officers of the unit and administrators.
#[utoipa::path(tag = "Apps", params(PageQuery, ClientQuery), responses(
    (status = 403, description = "The caller is no officer of the unit."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/oauth-clients")]
pub async fn list_oauth_clients(
    mut request: ReadRequest<OnUnitOfQuery<ManageApps>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<OauthClient>>, Problem> {
    let (Query(page), unit_id, today) = (page, request.scope.on.unit_id, day_of(request.scope.now));
    let rows = store::of_unit(&mut request.conn, unit_id, today, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |client| client.id, OauthClient::from))
}

/// Get an app
///
/// Returns its registration and state. For officers of its unit and administrators.
#[utoipa::path(tag = "Apps", params(("client_id" = Uuid, Path, description = "The app.")))]
#[get("/oauth-clients/{client_id}")]
pub async fn get_oauth_client(request: ReadRequest<OnClient<ManageApps>>) -> Result<Reply<OauthClient>, Problem> {
    request.reply(&OauthClient::from(request.scope.on.client.clone()))
}
