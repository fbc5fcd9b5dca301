//! Failed deliveries over HTTP.

use actix_web::{HttpRequest, get, post};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::extract::{Empty, OnSystem, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{NoContent, Reply};
use crate::kernel::outbox::{self, FailedDelivery};
use crate::kernel::security::access::needs::ManageDeliveries;
use crate::kernel::security::audit;

/// A delivery that was tried eight times in vain.
#[derive(Serialize, ToSchema)]
pub struct FailedDeliveryOut {
    /// The delivery.
    #[schema(max_length = 100, pattern = "^[0-9]+-[a-z_.]+$", example = "1042-cases.reveals")]
    id: String,
    /// What the event is about.
    #[schema(max_length = 100, pattern = "^[a-z_.]+$", example = "identity.slip_issued")]
    topic: String,
    /// The part of the program that failed at it.
    #[schema(max_length = 60, pattern = "^[a-z_.]+$", example = "cases.reveals")]
    consumer: String,
    /// How often it was tried.
    #[schema(minimum = 1, maximum = 1_000, example = 8)]
    attempts: i32,
    /// The code of the last problem.
    #[schema(max_length = 60, pattern = "^[a-z_]*$", example = "internal")]
    problem: String,
    /// When the last attempt failed.
    failed_at: DateTime<Utc>,
}

impl From<FailedDelivery> for FailedDeliveryOut {
    fn from(row: FailedDelivery) -> Self {
        Self {
            id: format!("{}-{}", row.event_id, row.consumer),
            topic: row.topic,
            consumer: row.consumer,
            attempts: row.attempts,
            problem: row.problem,
            failed_at: row.failed_at,
        }
    }
}

/// List failed deliveries
///
/// Lists the deliveries of events that eight attempts did not bring about, the oldest failure first. Other deliveries go on
/// meanwhile. For system administrators.
#[utoipa::path(tag = "Deliveries", params(PageQuery), responses((status = 403, description = "The caller is no system administrator.")))]
#[get("/failed-deliveries")]
pub async fn list_failed_deliveries(
    mut request: ReadRequest<OnSystem<ManageDeliveries>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<FailedDeliveryOut>>, Problem> {
    let Query(page) = page;
    let rows = outbox::failed(&mut request.conn, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| (row.failed_at, row.event_id), FailedDeliveryOut::from))
}

/// Try a failed delivery again
///
/// Puts the delivery back, as if it had never been tried. Recorded in the audit log. For system administrators.
#[utoipa::path(tag = "Deliveries", params(("delivery_id" = String, Path, description = "The delivery.", max_length = 100)),
    request_body = Empty)]
#[post("/failed-deliveries/{delivery_id}/replay")]
pub async fn replay_delivery(
    request: WriteRequest<Empty, OnSystem<ManageDeliveries>>,
    path: HttpRequest,
) -> Result<NoContent, Problem> {
    let id = path.match_info().get("delivery_id").unwrap_or_default().to_owned();
    let (event, consumer) = id.split_once('-').ok_or_else(Problem::not_found)?;
    let event: i64 = event.parse().map_err(|_| Problem::not_found())?;
    request
        .commit(async |conn, scope| {
            if !outbox::replay(conn, event, consumer, scope.now).await? {
                return Err(Problem::not_found());
            }
            let details = json!({"event": event, "consumer": consumer});
            let event = audit::AuditEvent { details, ..scope.audit("delivery.replayed", "delivery", Uuid::nil()) };
            audit::record(conn, event, scope.now).await
        })
        .await
}
