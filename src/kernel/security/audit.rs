//! The audit log: who did what to whose record; written with the change, never changed itself.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::audit_events;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::{first_id, new_id};

/// One event. Holds ids and what changed, never personal data.
#[derive(Debug, Clone)]
pub struct AuditEvent<'a> {
    /// Who did it; none for the system itself.
    pub actor_id: Option<Uuid>,
    /// The application through which they did it.
    pub client_id: Option<Uuid>,
    /// `feature.verb`, for example `points.exported`.
    pub action: &'static str,
    pub object_kind: &'static str,
    pub object_id: Uuid,
    /// The unit it concerns, by which officers find it.
    pub unit_id: Option<Uuid>,
    /// The person whose record it touched, by which they find it.
    pub member_id: Option<Uuid>,
    pub request_id: Option<&'a str>,
    pub details: Value,
}

/// Writes the event in the transaction of the change.
pub async fn record(conn: &mut Conn, event: AuditEvent<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    record_all(conn, vec![event], now).await
}

/// Rows a statement; each has 11 parameters of the 65,535 that PostgreSQL takes.
const CHUNK: usize = 2_000;

/// Writes the events of one deed.
pub async fn record_all(conn: &mut Conn, events: Vec<AuditEvent<'_>>, now: DateTime<Utc>) -> Result<(), Problem> {
    let mut rows = events.into_iter().map(|event| {
        (
            audit_events::id.eq(new_id(now)),
            audit_events::at.eq(now),
            audit_events::actor_id.eq(event.actor_id),
            audit_events::action.eq(event.action),
            audit_events::object_kind.eq(event.object_kind),
            audit_events::object_id.eq(event.object_id.to_string()),
            audit_events::unit_id.eq(event.unit_id),
            audit_events::member_id.eq(event.member_id),
            audit_events::request_id.eq(event.request_id.map(str::to_owned)),
            audit_events::details.eq(event.details),
            audit_events::client_id.eq(event.client_id),
        )
    });
    loop {
        let chunk: Vec<_> = rows.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        diesel::insert_into(audit_events::table).values(chunk).execute(conn).await?;
    }
}

/// Access logs are kept twelve months, by law; a day more than any of them has.
const KEPT_DAYS: i64 = 367;

#[derive(QueryableByName)]
struct Swept {
    #[diesel(sql_type = BigInt)]
    swept: i64,
}

/// Drops some events that are kept no longer. Returns how many. The database refuses younger ones by its own clock.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = diesel::sql_query("SELECT sweep_audit_events($1, $2) AS swept")
        .bind::<SqlUuid, _>(first_id(now - TimeDelta::days(KEPT_DAYS)))
        .bind::<Int4, _>(i32::try_from(SLICE).unwrap_or(i32::MAX));
    let done: Swept = query.get_result(conn).await?;
    Ok(usize::try_from(done.swept).unwrap_or(0))
}
