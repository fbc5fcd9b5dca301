//! Tries, the log and replays over HTTP.

use actix_web::{HttpRequest, get, post};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Empty, Query, ReadRequest, Scope, WriteRequest, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::audit;
use crate::webhooks::event_types::{EventData, TEST, TestEventData};
use crate::webhooks::fan_out::{self, KEPT_DAYS};
use crate::webhooks::targets::OnEndpoint;

use super::store::{self, DeliveryRow};

/// Events that one replay of a time span queues at most.
const MOST: i64 = 1_000;

/// An event on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// The delivery.
    id: Uuid,
    /// The event; requests carry it as `webhook-id`.
    event_id: Uuid,
    /// The type of the event.
    #[serde(rename = "type")]
    #[schema(max_length = 60, pattern = r"^[a-z_]+\.[a-z_]+$", example = "document.published")]
    kind: String,
    /// `pending`, `delivered` or `failed`.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "delivered")]
    state: &'static str,
    /// How often it was tried since it was queued.
    #[schema(minimum = 0, maximum = 1_000, example = 1)]
    attempts: i32,
    /// When it is tried next; null when it has arrived or was given up.
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it was tried last.
    last_attempt_at: Option<DateTime<Utc>>,
    /// The status that the receiver answered last.
    #[schema(minimum = 100, maximum = 999, example = 204)]
    last_status: Option<i32>,
    /// Why there was no answer: `address_refused`, `name_unresolved`, `unreachable`, `timed_out` or `broken_off`; `not_allowed`
    /// when the member had taken back what the app was allowed.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "timed_out")]
    last_error: Option<String>,
    /// How long the last attempt took, milliseconds.
    #[schema(minimum = 0, maximum = 1_000_000, example = 84)]
    last_millis: Option<i32>,
}

impl From<DeliveryRow> for WebhookDelivery {
    fn from(row: DeliveryRow) -> Self {
        let state = match (row.delivered_at, row.failed_at) {
            (Some(_), _) => "delivered",
            (None, Some(_)) => "failed",
            (None, None) => "pending",
        };
        Self {
            id: row.id,
            event_id: row.event_id,
            kind: row.kind,
            state,
            attempts: row.attempts,
            next_attempt_at: row.next_at,
            last_attempt_at: row.last_attempt_at,
            last_status: row.last_status,
            last_error: row.last_error,
            last_millis: row.last_millis,
        }
    }
}

/// Try an endpoint
///
/// Sends an event `webhook.test` to the endpoint, whatever types of events it gets. The log shows what came of it. For officers of the
/// unit who manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint.")), request_body = Empty,
    responses((status = 409, description = "The endpoint is paused.")))]
#[post("/webhook-endpoints/{endpoint_id}/test")]
pub async fn test_webhook_endpoint(
    request: WriteRequest<Empty, OnEndpoint>,
) -> Result<Created<WebhookDelivery>, Problem> {
    request
        .commit(async |conn, scope| {
            let on = &scope.on.endpoint;
            if on.paused_at.is_some() {
                let (vi, en) = ("Địa chỉ đang tạm dừng.", "The endpoint is paused.");
                return Err(Problem::with(Code::Conflict, vi, en));
            }
            let data = EventData::Test(TestEventData { endpoint_id: on.id, unit_id: on.unit_id });
            let data = serde_json::to_value(data).map_err(Problem::internal)?;
            let event = fan_out::keep(conn, (TEST, on.unit_id, data), scope.now, scope.now).await?;
            let queued = store::queue(conn, &[(on.id, event)], scope.now).await?;
            let id = queued.first().copied().ok_or_else(|| Problem::internal("nothing was queued"))?;
            record(conn, scope, "webhook_endpoint.tested", json!({})).await?;
            store::get(conn, on.id, id).await.map(WebhookDelivery::from)
        })
        .await
}

async fn record<B>(
    conn: &mut Conn,
    scope: &Scope<B, OnEndpoint>,
    action: &'static str,
    details: serde_json::Value,
) -> Result<(), Problem> {
    let on = &scope.on.endpoint;
    let event =
        audit::AuditEvent { unit_id: Some(on.unit_id), details, ..scope.audit(action, "webhook_endpoint", on.id) };
    audit::record(conn, event, scope.now).await
}

/// Which deliveries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Only those in this state.
    #[param(nullable = false, max_length = 20, pattern = "^(pending|delivered|failed)$")]
    state: Option<String>,
}

/// List deliveries of an endpoint
///
/// The log of the last 30 days, newest first: what was sent, how often it was tried, what the receiver answered last. For officers of
/// the unit who manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint."), PageQuery, DeliveryQuery))]
#[get("/webhook-endpoints/{endpoint_id}/deliveries")]
pub async fn list_webhook_deliveries(
    mut request: ReadRequest<OnEndpoint>,
    page: Query<PageQuery>,
    query: Query<DeliveryQuery>,
) -> Result<Reply<Page<WebhookDelivery>>, Problem> {
    let (Query(page), Query(query)) = (page, query);
    let (id, part) = (request.scope.on.endpoint.id, (page.after()?, page.fetch()));
    let rows = store::of_endpoint(&mut request.conn, id, query.state.as_deref(), part).await?;
    request.reply(&page.page(rows, |row| row.id, WebhookDelivery::from))
}

/// Send a delivery again
///
/// Queues the delivery anew, whether it had arrived or not; the receiver knows it by its `webhook-id`. For officers of the unit who
/// manage webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint."),
    ("delivery_id" = Uuid, Path, description = "The delivery.")), request_body = Empty)]
#[post("/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/replay")]
pub async fn replay_webhook_delivery(
    request: WriteRequest<Empty, OnEndpoint>,
    path: HttpRequest,
) -> Result<Reply<WebhookDelivery>, Problem> {
    let id = path_id(&path, "delivery_id")?;
    request
        .commit(async |conn, scope| {
            let endpoint_id = scope.on.endpoint.id;
            let row = store::get(conn, endpoint_id, id).await?;
            store::queue(conn, &[(endpoint_id, row.event_id)], scope.now).await?;
            record(conn, scope, "webhook_endpoint.replayed", json!({"event_id": row.event_id})).await?;
            store::get(conn, endpoint_id, id).await.map(WebhookDelivery::from)
        })
        .await
}

/// The time whose events are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayIn {
    /// The first instant of it.
    from: DateTime<Utc>,
    /// The first instant after it.
    to: DateTime<Utc>,
}

/// What a replay queued.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replay {
    /// How many events.
    #[schema(minimum = 0, maximum = 1_000, example = 12)]
    queued: usize,
}

/// Send the events of a time again
///
/// Queues all events of a time span that the endpoint gets now, whether they were sent before, failed, or happened while it was paused
/// or before it was made. Events are kept for 30 days; a span holds 1,000 events at most. For officers of the unit who manage
/// webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(("endpoint_id" = Uuid, Path, description = "The endpoint.")), request_body = ReplayIn,
    responses((status = 422, description = "The span ends before it begins, or holds more than 1,000 events (`rule_not_met`).")))]
#[post("/webhook-endpoints/{endpoint_id}/replays")]
pub async fn replay_webhook_events(request: WriteRequest<ReplayIn, OnEndpoint>) -> Result<Reply<Replay>, Problem> {
    let (from, to) = (request.body.from, request.body.to);
    if from >= to {
        let detail = text("Thời điểm cuối phải sau thời điểm đầu.", "The span must end after it begins.");
        let fault = Fault { pointer: "/to".to_owned(), code: "out_of_range", detail };
        return Err(Problem::faults(Code::RuleNotMet, vec![fault]));
    }
    request
        .commit(async |conn, scope| {
            let on = &scope.on.endpoint;
            let recipients: Vec<Uuid> = [Some(on.unit_id), on.client_id].into_iter().flatten().collect();
            // Of what is older the events are gone, and far days would be none to the database.
            let (from, to) =
                (from.max(scope.now - TimeDelta::days(KEPT_DAYS + 1)), to.min(scope.now + TimeDelta::days(1)));
            let events = store::events_between(conn, (&recipients, &on.events), (from, to), MOST + 1).await?;
            if i64::try_from(events.len()).is_ok_and(|found| found > MOST) {
                let (vi, en) = ("Khoảng thời gian có hơn 1.000 sự kiện.", "The span holds more than 1,000 events.");
                return Err(Problem::with(Code::RuleNotMet, vi, en));
            }
            let wanted: Vec<_> = events.iter().map(|event| (on.id, *event)).collect();
            store::queue(conn, &wanted, scope.now).await?;
            record(conn, scope, "webhook_endpoint.replayed", json!({"from": from, "to": to, "events": wanted.len()}))
                .await?;
            Ok(Replay { queued: wanted.len() })
        })
        .await
}
