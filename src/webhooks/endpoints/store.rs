//! Endpoints in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::webhook_endpoints;
use crate::kernel::http::problem::Problem;

/// An endpoint.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhook_endpoints)]
pub struct EndpointRow {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub url: String,
    pub description: Option<String>,
    pub events: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub paused_at: Option<DateTime<Utc>>,
    pub pause_reason: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
    pub client_id: Option<Uuid>,
}

/// What an endpoint is made of.
#[derive(Insertable)]
#[diesel(table_name = webhook_endpoints)]
pub struct NewEndpoint<'a> {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub created_by: Uuid,
    pub url: &'a str,
    pub description: Option<&'a str>,
    pub events: Vec<&'static str>,
    pub created_at: DateTime<Utc>,
    pub failures: i32,
    pub next_at: DateTime<Utc>,
    pub client_id: Option<Uuid>,
}

/// What is changed of an endpoint; what is none stays.
#[derive(AsChangeset)]
#[diesel(table_name = webhook_endpoints)]
pub struct EndpointChanges<'a> {
    pub url: Option<&'a str>,
    pub description: Option<&'a str>,
    pub events: Option<Vec<&'static str>>,
    pub paused_at: Option<Option<DateTime<Utc>>>,
    pub pause_reason: Option<Option<&'static str>>,
    pub failing_since: Option<Option<DateTime<Utc>>>,
    pub failures: Option<i32>,
    pub next_at: Option<DateTime<Utc>>,
}

/// One endpoint. 404 when there is none.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<EndpointRow, Problem> {
    Ok(webhook_endpoints::table.find(id).select(EndpointRow::as_select()).first(conn).await?)
}

/// Endpoints of a unit, newest first; for an app only its own.
pub async fn of_unit(
    conn: &mut Conn,
    (unit_id, client_id): (Uuid, Option<Uuid>),
    before: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<EndpointRow>, Problem> {
    let mut query = webhook_endpoints::table.filter(webhook_endpoints::unit_id.eq(unit_id)).into_boxed();
    if let Some(client_id) = client_id {
        query = query.filter(webhook_endpoints::client_id.eq(client_id));
    }
    if let Some(before) = before {
        query = query.filter(webhook_endpoints::id.lt(before));
    }
    let query = query.order(webhook_endpoints::id.desc()).limit(fetch);
    Ok(query.select(EndpointRow::as_select()).load(conn).await?)
}

pub async fn count(conn: &mut Conn, unit_id: Uuid) -> Result<i64, Problem> {
    let of_unit = webhook_endpoints::table.filter(webhook_endpoints::unit_id.eq(unit_id));
    Ok(of_unit.count().get_result(conn).await?)
}

pub async fn insert(conn: &mut Conn, new: &NewEndpoint<'_>) -> Result<(), Problem> {
    diesel::insert_into(webhook_endpoints::table).values(new).execute(conn).await?;
    Ok(())
}

pub async fn update(conn: &mut Conn, id: Uuid, changes: &EndpointChanges<'_>) -> Result<EndpointRow, Problem> {
    let changed = diesel::update(webhook_endpoints::table.find(id)).set(changes);
    Ok(changed.returning(EndpointRow::as_returning()).get_result(conn).await?)
}

/// Deletes the endpoint with its secrets and its log.
pub async fn delete(conn: &mut Conn, id: Uuid) -> Result<(), Problem> {
    diesel::delete(webhook_endpoints::table.find(id)).execute(conn).await?;
    Ok(())
}
