//! Tells those who had opened a document that there is a new version, some at a time.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::document_openings;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;

/// The event of a version that was published.
pub const TOPIC: &str = "documents.version_published";
/// Readers told at a time; what is left is an event of its own.
const SLICE: i64 = 500;

/// What the event says.
#[derive(Serialize, Deserialize)]
struct VersionPayload {
    document_id: Uuid,
    after: Option<Uuid>,
}

/// Announces the version.
pub async fn announce(conn: &mut Conn, document_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    emit(conn, VersionPayload { document_id, after: None }, now).await
}

async fn emit(conn: &mut Conn, payload: VersionPayload, now: DateTime<Utc>) -> Result<(), Problem> {
    let payload = serde_json::to_value(payload).map_err(Problem::internal)?;
    outbox::emit(conn, TOPIC, payload, now).await
}

/// Tells the next readers. Lets all other events pass.
///
/// # Errors
/// When the payload names no document, or the database fails.
pub async fn consume(conn: &mut Conn, event: &outbox::OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    if event.topic != TOPIC {
        return Ok(());
    }
    let payload: VersionPayload = serde_json::from_value(event.payload.clone()).map_err(Problem::internal)?;
    let readers: Vec<Uuid> = document_openings::table
        .filter(document_openings::document_id.eq(payload.document_id))
        .filter(document_openings::account_id.gt(payload.after.unwrap_or_default()))
        .order(document_openings::account_id)
        .limit(SLICE)
        .select(document_openings::account_id)
        .load(conn)
        .await?;
    let details = json!({"document_id": payload.document_id});
    outbox::tell(conn, "document_version", &readers, &details, now).await?;
    match readers.last() {
        Some(last) if i64::try_from(readers.len()).is_ok_and(|told| told == SLICE) => {
            emit(conn, VersionPayload { document_id: payload.document_id, after: Some(*last) }, now).await
        }
        _ => Ok(()),
    }
}
