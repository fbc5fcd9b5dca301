//! Planned publications: what is due is published, if the officer who vouched for it still may.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::documents::store::{DRAFT, lock};
use crate::documents::versions::{self, StoredVersion};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_versions, documents};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::outbox;
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::state::State;
use crate::organisation::{grants, units};

use super::publication::{put_out, set_waiting};

/// Publications looked at in one round.
const MOST: i64 = 50;

/// Publishes what is due, each in a transaction of its own. Returns whether there may be more.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn publish_due(state: &State) -> Result<bool, Problem> {
    let now = state.clock.now();
    let due: Vec<Uuid> = document_versions::table
        .filter(document_versions::state.eq("scheduled"))
        .filter(document_versions::publish_at.le(now))
        .order((document_versions::publish_at, document_versions::document_id))
        .limit(MOST)
        .select(document_versions::document_id)
        .load(&mut *state.work.conn().await?)
        .await?;
    let more = i64::try_from(due.len()).is_ok_and(|found| found == MOST);
    for id in due {
        match state.work.transaction(async |conn| carry_out(conn, id, now).await).await {
            Ok(()) => {}
            Err(problem) if problem.retry_after.is_some() || problem.code.status() >= 500 => {
                tracing::warn!(%problem, document = %id, "a planned publication will be tried again");
            }
            Err(problem) => state.work.transaction(async |conn| give_up(conn, id, &problem, now).await).await?,
        }
    }
    Ok(more)
}

async fn due(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<Option<StoredVersion>, Problem> {
    let waiting = versions::waiting(conn, id).await?;
    Ok(waiting.filter(|version| version.publish_at.is_some_and(|at| at <= now)))
}

async fn carry_out(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let row = lock(conn, id).await?;
    // Another instance may have done it, or it was recalled.
    let Some(version) = due(conn, id, now).await? else { return Ok(()) };
    let by: Option<Uuid> = documents::table.find(id).select(documents::attested_no_secrets_by).first(conn).await?;
    let by = by.ok_or_else(|| Problem::internal("a planned publication without an officer"))?;
    let path = units::last_path(conn, row.unit_id, day_of(now)).await?;
    let officer = grants::principal(conn, by, now).await?;
    if !officer.is_some_and(|officer| officer.may(&path, Permission::PublishDocuments)) {
        return Err(Problem::with(
            Code::Forbidden,
            "Người cam kết không còn quyền ban hành.",
            "The officer who vouched for it may not publish any more.",
        ));
    }
    put_out(conn, &row, &version, by, now).await?;
    record(conn, ("document.published", id, row.unit_id), Some(by), json!({"planned": true}), now).await
}

async fn give_up(conn: &mut Conn, id: Uuid, problem: &Problem, now: DateTime<Utc>) -> Result<(), Problem> {
    let row = lock(conn, id).await?;
    let Some(version) = due(conn, id, now).await? else { return Ok(()) };
    versions::wait_for(conn, id, DRAFT, None).await?;
    set_waiting(conn, &row, DRAFT).await?;
    let details = json!({"document_id": id});
    outbox::tell(conn, "publication_failed", &[version.created_by], &details, now).await?;
    record(conn, ("document.publication_failed", id, row.unit_id), None, json!({"code": problem.code.as_str()}), now)
        .await
}

async fn record(
    conn: &mut Conn,
    (action, id, unit_id): (&'static str, Uuid, Uuid),
    actor_id: Option<Uuid>,
    details: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let event = audit::AuditEvent {
        client_id: None,
        actor_id,
        action,
        object_kind: "document",
        object_id: id,
        unit_id: Some(unit_id),
        member_id: None,
        request_id: None,
        details,
    };
    audit::record(conn, event, now).await
}
