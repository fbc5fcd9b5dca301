//! Endpoints over HTTP.

use actix_web::{delete, get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::db::transaction;
use crate::kernel::extract::secret::SecretCall;
use crate::kernel::extract::{Anyone, Empty, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::http::reply::{Created, NoContent, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::outward::TargetFault;
use crate::kernel::security::audit;
use crate::kernel::state::State;
use crate::organisation::units;
use crate::webhooks::event_types::WebhookEventType;
use crate::webhooks::targets::{OnEndpoint, OnWebhookUnit, unit_of};

use super::secrets;
use super::store::{self, EndpointChanges, EndpointRow, NewEndpoint};

/// Endpoints of a unit at most.
const MOST: i64 = 20;

/// An endpoint: where events are sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpoint {
    /// The endpoint.
    id: Uuid,
    /// The unit whose events it gets, with those of the units below.
    unit_id: Uuid,
    /// The app it belongs to; null for one that an officer made without an app.
    client_id: Option<Uuid>,
    /// Where it is.
    #[schema(format = "uri", max_length = 2000, example = "https://receiver.example/hooks")]
    url: String,
    /// What it is for.
    #[schema(max_length = 200, example = "Trang tin của phường")]
    description: Option<String>,
    /// The types of events that it gets.
    #[schema(max_items = 50)]
    events: Vec<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Since when nothing is sent to it; null while it works.
    paused_at: Option<DateTime<Utc>>,
    /// Why it is paused: `by_hand`, `failing` after a day of failures, `gone` after an answer of 410.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "failing")]
    pause_reason: Option<String>,
    /// Since when everything sent to it has failed.
    failing_since: Option<DateTime<Utc>>,
}

impl From<EndpointRow> for WebhookEndpoint {
    fn from(row: EndpointRow) -> Self {
        Self {
            id: row.id,
            unit_id: row.unit_id,
            client_id: row.client_id,
            url: row.url,
            description: row.description,
            events: row.events,
            created_at: row.created_at,
            paused_at: row.paused_at,
            pause_reason: row.pause_reason,
            failing_since: row.failing_since,
        }
    }
}

/// An endpoint to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpointIn {
    /// Where it is: HTTPS, on the public internet. A name that cannot be looked up now is taken, and judged when something is sent.
    #[schema(
        format = "uri",
        min_length = 8,
        max_length = 2000,
        pattern = r"^https?://[!-~]+$",
        example = "https://receiver.example/hooks"
    )]
    url: String,
    /// The types of events that it gets.
    #[schema(min_items = 1, max_items = 50, example = json!(["document.published", "month.closed"]))]
    events: Vec<WebhookEventType>,
    /// The unit whose events it gets, with those of the units below. May be left out by an officer of one unit only.
    #[schema(nullable = false, example = "01949d6c-7c00-7000-8000-000000000001")]
    unit_id: Option<Uuid>,
    /// What it is for.
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S", example = "Trang tin của phường")]
    description: Option<String>,
}

/// A new endpoint.
#[derive(Serialize, ToSchema)]
pub struct CreatedWebhookEndpoint {
    /// The endpoint.
    id: Uuid,
    /// The secret that signs what it gets, shown this once.
    #[schema(
        max_length = 100,
        pattern = "^whsec_[A-Za-z0-9+/=]+$",
        example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    )]
    secret: String,
}

/// Make a webhook endpoint
///
/// Has events of a unit and of the units below it sent to an address, from now on, and shows the secret that signs them, once. Private,
/// loopback and other special addresses are refused here and again, after the name was looked up, whenever something is sent.
/// A unit has 20 endpoints at most. Takes no `Idempotency-Key`: if the answer got lost, delete the endpoint and make another. For
/// officers who manage webhooks of the unit (committee officers, propaganda officers, system administrators), and for apps with the scope
/// `webhooks:manage`. Only endpoints of apps get what members earn, of those who allowed the app to read their points.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), request_body = WebhookEndpointIn, extensions(("x-secret-call" = json!(true))), responses(
    (status = 403, description = "The caller may not manage webhooks of the unit."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is."),
    (status = 422, description = "The address is not fit to be called, or the unit has 20 endpoints already (`rule_not_met`).")))]
#[post("/webhook-endpoints")]
pub async fn create_webhook_endpoint(
    call: SecretCall<WebhookEndpointIn, Anyone>,
) -> Result<Created<CreatedWebhookEndpoint>, Problem> {
    let (scope, mut conn) = (&call.scope, call.conn);
    let (body, now) = (&scope.body, scope.now);
    let unit_id = unit_of(&mut conn, &scope.caller, body.unit_id, "/unit_id", now).await?;
    fit(&scope.state, &body.url).await?;
    let made = transaction(&mut conn, async |conn| {
        units::lock(conn, unit_id).await?;
        if store::count(conn, unit_id).await? >= MOST {
            let (vi, en) = ("Đơn vị đã có 20 địa chỉ nhận sự kiện.", "The unit has 20 endpoints already.");
            return Err(Problem::with(Code::RuleNotMet, vi, en));
        }
        let id = new_id(now);
        let new = NewEndpoint {
            id,
            unit_id,
            created_by: scope.caller.account_id,
            url: &body.url,
            description: body.description.as_deref().map(str::trim),
            events: names(&body.events),
            created_at: now,
            failures: 0,
            next_at: now,
            client_id: scope.caller.client_id,
        };
        store::insert(conn, &new).await?;
        let event = audit::AuditEvent {
            unit_id: Some(unit_id),
            details: json!({"events": new.events}),
            ..scope.audit("webhook_endpoint.created", "webhook_endpoint", id)
        };
        audit::record(conn, event, now).await?;
        let (secret, _) = secrets::renew(conn, &scope.state.crypto, id, now).await?;
        Ok(CreatedWebhookEndpoint { id, secret })
    });
    Ok(Created::json(&made.await?))
}

/// Refuses an address that is not fit to be called.
async fn fit(state: &State, url: &str) -> Result<(), Problem> {
    let Err(fault) = state.outward.judge_resolved(url).await else { return Ok(()) };
    let (code, detail) = match fault {
        TargetFault::Unreadable => (
            "malformed_url",
            text("Địa chỉ không đọc được hoặc có tên người dùng.", "The address cannot be read, or holds a user name."),
        ),
        TargetFault::NotHttps => ("not_https", text("Địa chỉ phải bắt đầu bằng https.", "The address must be HTTPS.")),
        TargetFault::Private => (
            "private_address",
            text("Địa chỉ không thuộc mạng công cộng.", "The address does not belong to the public internet."),
        ),
    };
    Err(Problem::faults(Code::RuleNotMet, vec![Fault { pointer: "/url".to_owned(), code, detail }]))
}

fn names(events: &[WebhookEventType]) -> Vec<&'static str> {
    let mut names: Vec<&str> = events.iter().map(|kind| kind.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Of which unit.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WebhookUnit {
    /// The unit. May be left out by an officer of one unit only.
    #[param(nullable = false)]
    #[expect(dead_code, reason = "read by the extractor that checks the permission")]
    unit_id: Option<Uuid>,
}

/// List webhook endpoints
///
/// The endpoints of a unit, newest first. For officers of the unit who manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(WebhookUnit, PageQuery), responses(
    (status = 403, description = "The caller may not manage webhooks of the unit."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/webhook-endpoints")]
pub async fn list_webhook_endpoints(
    mut request: ReadRequest<OnWebhookUnit>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<WebhookEndpoint>>, Problem> {
    let Query(page) = page;
    let whose = (request.scope.on.unit_id, request.scope.caller.client_id);
    let rows = store::of_unit(&mut request.conn, whose, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| row.id, WebhookEndpoint::from))
}

/// Show a webhook endpoint
///
/// The endpoint without its secret. For officers of the unit who manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint.")))]
#[get("/webhook-endpoints/{endpoint_id}")]
pub async fn get_webhook_endpoint(request: ReadRequest<OnEndpoint>) -> Result<Reply<WebhookEndpoint>, Problem> {
    request.reply(&WebhookEndpoint::from(request.scope.on.endpoint.clone()))
}

/// What is changed of an endpoint; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpointChange {
    /// Where it is.
    #[schema(
        nullable = false,
        format = "uri",
        min_length = 8,
        max_length = 2000,
        pattern = r"^https?://[!-~]+$",
        example = "https://receiver.example/hooks"
    )]
    url: Option<String>,
    /// The types of events that it gets.
    #[schema(nullable = false, min_items = 1, max_items = 50, example = json!(["document.published"]))]
    events: Option<Vec<WebhookEventType>>,
    /// What it is for.
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S", example = "Trang tin của phường")]
    description: Option<String>,
    /// Whether nothing is sent to it. What happens meanwhile is not queued; it can be replayed.
    #[schema(nullable = false, example = false)]
    paused: Option<bool>,
}

/// Change a webhook endpoint
///
/// Changes the address, the types of events or the description; pauses the endpoint, or lets it go on. What waited goes on at once. For
/// officers of the unit who manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint.")),
    request_body = WebhookEndpointChange, responses(
    (status = 422, description = "The address is not fit to be called (`rule_not_met`).")))]
#[patch("/webhook-endpoints/{endpoint_id}")]
pub async fn update_webhook_endpoint(
    request: WriteRequest<WebhookEndpointChange, OnEndpoint>,
) -> Result<Reply<WebhookEndpoint>, Problem> {
    if let Some(url) = &request.body.url {
        fit(&request.state, url).await?;
    }
    request
        .commit(async |conn, scope| {
            let (body, on) = (&scope.body, &scope.on.endpoint);
            let resumed = body.paused == Some(false) && on.paused_at.is_some();
            let begins = body.paused == Some(true) && on.paused_at.is_none();
            let changes = EndpointChanges {
                // Always one field at least: an empty change would be none to the database.
                url: Some(body.url.as_deref().unwrap_or(&on.url)),
                description: body.description.as_deref().map(str::trim),
                events: body.events.as_deref().map(names),
                paused_at: (resumed || begins).then_some(begins.then_some(scope.now)),
                pause_reason: (resumed || begins).then_some(begins.then_some("by_hand")),
                failing_since: resumed.then_some(None),
                failures: resumed.then_some(0),
                next_at: (resumed || body.url.is_some()).then_some(scope.now),
            };
            let row = store::update(conn, on.id, &changes).await?;
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                details: json!({"url_changed": body.url.is_some(), "events": changes.events, "paused": body.paused}),
                ..scope.audit("webhook_endpoint.changed", "webhook_endpoint", on.id)
            };
            audit::record(conn, event, scope.now).await?;
            Ok(WebhookEndpoint::from(row))
        })
        .await
}

/// Delete a webhook endpoint
///
/// Ends the endpoint with its secrets and its log; nothing more is sent to it. For officers of the unit who manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint.")))]
#[delete("/webhook-endpoints/{endpoint_id}")]
pub async fn delete_webhook_endpoint(request: WriteRequest<Empty, OnEndpoint>) -> Result<NoContent, Problem> {
    request
        .commit(async |conn, scope| {
            let on = &scope.on.endpoint;
            store::delete(conn, on.id).await?;
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                ..scope.audit("webhook_endpoint.deleted", "webhook_endpoint", on.id)
            };
            audit::record(conn, event, scope.now).await
        })
        .await
}
