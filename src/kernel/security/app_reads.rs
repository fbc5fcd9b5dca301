//! What apps read of a person's data stands in that person's access log: one event per app, kind and day.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};
use diesel_async::RunQueryDsl;
use quick_cache::sync::Cache;
use serde_json::json;
use uuid::Uuid;

use super::audit;
use super::auth::Claims;
use super::scopes::AppScope;
use crate::kernel::clock::day_of;
use crate::kernel::db::schema::app_reads;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::Problem;

/// Maximum number of cached events.
const REMEMBERED: usize = 50_000;

/// The app, the person, the kind, the day.
type AppRead = (Uuid, Uuid, AppScope, NaiveDate);

/// The events that this process knows to be written.
pub struct AppReads(Cache<AppRead, ()>);

impl Default for AppReads {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl AppReads {
    /// Makes sure that the person will find the reading in their access log.
    ///
    /// # Errors
    /// 503 when the database cannot be reached: what cannot be recorded is not shown.
    pub async fn note(&self, db: &Db, (claims, scope): (&Claims, AppScope), now: DateTime<Utc>) -> Result<(), Problem> {
        let (Some(client_id), day) = (claims.client_id, day_of(now)) else { return Ok(()) };
        let read = (client_id, claims.sub, scope, day);
        if claims.is_alone() || scope.deed().is_empty() || self.0.get(&read).is_some() {
            return Ok(());
        }
        db.transaction(async |conn| record(conn, read, now).await).await?;
        self.0.insert(read, ());
        Ok(())
    }
}

async fn record(conn: &mut Conn, read: AppRead, now: DateTime<Utc>) -> Result<(), Problem> {
    let (client_id, account_id, scope, day) = read;
    let row = (
        app_reads::client_id.eq(client_id),
        app_reads::account_id.eq(account_id),
        app_reads::scope.eq(scope.as_str()),
        app_reads::day.eq(day),
    );
    let fresh = diesel::insert_into(app_reads::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    if fresh == 0 {
        return Ok(());
    }
    let event = audit::AuditEvent {
        actor_id: Some(client_id),
        client_id: Some(client_id),
        action: scope.deed(),
        object_kind: "oauth_client",
        object_id: client_id,
        unit_id: None,
        member_id: Some(account_id),
        request_id: None,
        details: json!({"scope": scope.as_str()}),
    };
    audit::record(conn, event, now).await
}

/// Forgets some rows of earlier days, whose events stay. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM app_reads WHERE ctid = ANY(ARRAY(SELECT ctid FROM app_reads WHERE day < $1 LIMIT $2))";
    let query = diesel::sql_query(query).bind::<Date, _>(day_of(now));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}
