//! The same events as a list, for systems that cannot be called.

use actix_web::get;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::page::PageQuery;
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::crypto::to_text;

use super::endpoints::routes::WebhookUnit;
use super::event_types::EventData;
use super::targets::OnWebhookUnit;

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventOut {
    /// The event; a webhook carries it as `webhook-id`.
    id: Uuid,
    /// Its type, as in the section `webhooks` of this document.
    #[serde(rename = "type")]
    #[schema(max_length = 60, pattern = r"^[a-z_]+\.[a-z_]+$", example = "document.published")]
    kind: String,
    /// When it happened.
    timestamp: DateTime<Utc>,
    /// What it says: ids and what changed.
    #[schema(value_type = EventData)]
    data: Value,
}

/// Events in the order in which they came to be known.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventFeed {
    /// The events.
    #[schema(max_items = 200)]
    items: Vec<EventOut>,
    /// Where to go on, now or later; null while there was no event at all.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: Option<String>,
    /// Whether there are more events now.
    more: bool,
}

#[derive(QueryableByName)]
struct FeedRow {
    #[diesel(sql_type = BigInt)]
    xid: i64,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    data: Value,
}

/// What transactions that are still open will add comes behind all that is shown: a cursor passes over nothing.
const FEED: &str = "SELECT f.xid, e.id, e.kind, e.occurred_at, e.data
    FROM webhook_feed f JOIN webhook_events e ON e.id = f.event_id
    WHERE f.recipient_id = ANY($1) AND (f.xid, f.event_id) > ($2, $3)
        AND f.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        AND (e.kind NOT LIKE 'points.%' OR app_may_read(f.recipient_id, (e.data->>'member_id')::uuid, 'points:read', $5))
    ORDER BY f.xid, f.event_id LIMIT $4";

async fn after(
    conn: &mut Conn,
    recipients: Vec<Uuid>,
    (xid, id): (i64, Uuid),
    fetch: i64,
    now: DateTime<Utc>,
) -> Result<Vec<FeedRow>, Problem> {
    let query = diesel::sql_query(FEED)
        .bind::<Array<SqlUuid>, _>(recipients)
        .bind::<BigInt, _>(xid)
        .bind::<SqlUuid, _>(id)
        .bind::<BigInt, _>(fetch)
        .bind::<Timestamptz, _>(now);
    Ok(query.load(conn).await?)
}

/// List events
///
/// The events of a unit and of the units below it that webhooks carry, the oldest first: for systems that cannot be called. Keep
/// `next_cursor` and pass it as `cursor` the next time; without one the list begins 30 days ago. For officers of the unit who manage
/// webhooks.
#[utoipa::path(tag = "Webhooks", security(("bearer" = []), ("oauth2" = ["webhooks:manage"]), ("oauth2_client" = ["webhooks:manage"])), params(WebhookUnit, PageQuery), responses(
    (status = 403, description = "The caller may not manage webhooks of the unit."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/events")]
pub async fn list_events(
    mut request: ReadRequest<OnWebhookUnit>,
    page: Query<PageQuery>,
) -> Result<Reply<EventFeed>, Problem> {
    let Query(page) = page;
    let recipients = [Some(request.scope.on.unit_id), request.scope.on.app].into_iter().flatten().collect();
    let from = page.after()?.unwrap_or_default();
    let mut rows = after(&mut request.conn, recipients, from, page.fetch(), request.scope.now).await?;
    let limit = usize::try_from(page.limit).unwrap_or(1);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|row| (row.xid, row.id));
    let reached = last.and_then(|key| serde_json::to_vec(&key).ok()).map(|bytes| to_text(&bytes));
    let show = |row: FeedRow| EventOut { id: row.id, kind: row.kind, timestamp: row.occurred_at, data: row.data };
    let feed = EventFeed { items: rows.into_iter().map(show).collect(), next_cursor: reached.or(page.cursor), more };
    request.reply(&feed)
}
