//! Review of clients: an administrator approves, who did not register the client; officers of its unit may stop it.

use actix_web::post;
use serde_json::json;

use crate::identity::{Because, app_sessions};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Empty, Scope, WriteRequest};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::outbox;
use crate::kernel::security::access::needs::{ApproveApps, ManageApps};
use crate::kernel::security::audit;

use crate::apps::codes;

use super::model::ClientState;
use super::routes::OauthClient;
use super::store;
use super::target::OnClient;

/// Approve an app
///
/// Lets a registered or suspended app in. For system administrators; the one who registered it cannot approve it.
#[utoipa::path(tag = "Apps", request_body = Empty, params(("client_id" = Uuid, Path, description = "The app.")), responses(
    (status = 403, description = "The caller registered it (`own_interest`), or is no system administrator.")))]
#[post("/oauth-clients/{client_id}/approval")]
pub async fn approve_oauth_client(
    request: WriteRequest<Empty, OnClient<ApproveApps>>,
) -> Result<Reply<OauthClient>, Problem> {
    request
        .commit(async |conn, scope| {
            let client = store::lock(conn, scope.on.client.id).await?;
            if client.registered_by == scope.caller.account_id {
                return Err(Problem::new(Code::OwnInterest));
            }
            let tell = client.state() == ClientState::Pending;
            let shown = decide(conn, scope, ClientState::Approved, "app.approved").await?;
            if tell {
                let (who, details) = ([client.registered_by], json!({"client_id": client.id}));
                outbox::tell(conn, "app_approved", &who, &details, scope.now).await?;
            }
            Ok(shown)
        })
        .await
}

/// Suspend an app
///
/// Stops it at once: its tokens and everything that people allowed it end. An administrator can approve it again; people are then
/// asked anew. For officers of its unit and administrators.
#[utoipa::path(tag = "Apps", request_body = Empty, params(("client_id" = Uuid, Path, description = "The app.")))]
#[post("/oauth-clients/{client_id}/suspension")]
pub async fn suspend_oauth_client(
    request: WriteRequest<Empty, OnClient<ManageApps>>,
) -> Result<Reply<OauthClient>, Problem> {
    request
        .commit(async |conn, scope| {
            let client = store::lock(conn, scope.on.client.id).await?;
            codes::forget(conn, client.id, None).await?;
            app_sessions::end_all(conn, client.id, None, Because::Suspended, scope.now).await?;
            decide(conn, scope, ClientState::Suspended, "app.suspended").await
        })
        .await
}

async fn decide<T>(
    conn: &mut Conn,
    scope: &Scope<Empty, OnClient<T>>,
    state: ClientState,
    action: &'static str,
) -> Result<OauthClient, Problem> {
    let client = store::get(conn, scope.on.client.id).await?;
    if client.state() != state {
        store::decide(conn, client.id, state, scope.caller.account_id, scope.now).await?;
        let event =
            audit::AuditEvent { unit_id: Some(client.unit_id), ..scope.audit(action, "oauth_client", client.id) };
        audit::record(conn, event, scope.now).await?;
    }
    Ok(store::get(conn, client.id).await?.into())
}
