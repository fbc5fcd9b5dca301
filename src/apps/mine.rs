//! The apps that a member allowed, and taking it back.

use actix_web::{HttpRequest, delete, get};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::{Because, app_sessions};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Empty, Myself, Query, ReadRequest, WriteRequest, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{NoContent, Reply};
use crate::kernel::security::audit;
use crate::kernel::security::scopes::{AppScope, AppScopes};

use super::codes;

/// An app that the member allowed.
#[derive(Serialize, ToSchema)]
pub struct AllowedApp {
    /// The app.
    client_id: Uuid,
    /// Its name.
    #[schema(max_length = 100, example = "Bản tin phường Bình Minh")]
    name: String,
    /// The unit that answers for it.
    #[schema(max_length = 200, example = "Đảng bộ phường Bình Minh")]
    unit_name: String,
    /// What it may do.
    #[schema(max_items = 10)]
    scopes: Vec<AppScope>,
    /// When it was first allowed.
    allowed_at: DateTime<Utc>,
    /// When it last asked for new tokens, to the hour.
    last_used_at: DateTime<Utc>,
    /// When this ends if the app does not use it.
    expires_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct AllowedRow {
    #[diesel(sql_type = SqlUuid)]
    client_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    unit_name: String,
    #[diesel(sql_type = Array<Text>)]
    scopes: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    allowed_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_used_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
}

const ALLOWED: &str = "
    SELECT c.id AS client_id, c.name, u.name AS unit_name, array_agg(DISTINCT scope) AS scopes,
        min(s.created_at) AS allowed_at, max(s.last_used_at) AS last_used_at, max(s.expires_at) AS expires_at
    FROM sessions s JOIN oauth_clients c ON c.id = s.client_id JOIN units u ON u.id = c.unit_id CROSS JOIN unnest(s.scopes) AS scope
    WHERE s.account_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND ($3 IS NULL OR c.id > $3)
    GROUP BY c.id, c.name, u.name ORDER BY c.id LIMIT $4";

async fn allowed(
    conn: &mut Conn,
    account_id: Uuid,
    now: DateTime<Utc>,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<AllowedRow>, Problem> {
    Ok(diesel::sql_query(ALLOWED)
        .bind::<SqlUuid, _>(account_id)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<SqlUuid>, _>(after)
        .bind::<BigInt, _>(most)
        .load(conn)
        .await?)
}

impl From<AllowedRow> for AllowedApp {
    fn from(row: AllowedRow) -> Self {
        Self {
            client_id: row.client_id,
            name: row.name,
            unit_name: row.unit_name,
            scopes: AppScopes::of_names(&row.scopes).iter().collect(),
            allowed_at: row.allowed_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        }
    }
}

/// List the apps that one allowed
///
/// Lists the apps of third parties that may read something for the caller now. What they read stands in the access log, once a day
/// for each kind. For members.
#[utoipa::path(tag = "Me", params(PageQuery), responses((status = 403, description = "The caller is no member.")))]
#[get("/me/apps")]
pub async fn list_my_apps(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<AllowedApp>>, Problem> {
    let (Query(page), me, now) = (page, request.scope.caller.account_id, request.scope.now);
    let rows = allowed(&mut request.conn, me, now, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| row.client_id, AllowedApp::from))
}

/// Take back what one allowed an app
///
/// Ends everything that the caller allowed the app; its tokens stop working at once. For members.
#[utoipa::path(tag = "Me", params(("client_id" = Uuid, Path, description = "The app.")))]
#[delete("/me/apps/{client_id}")]
pub async fn remove_my_app(request: WriteRequest<Empty, Myself>, path: HttpRequest) -> Result<NoContent, Problem> {
    let client_id = path_id(&path, "client_id")?;
    request
        .commit(async |conn, scope| {
            let (me, now) = (scope.caller.account_id, scope.now);
            codes::forget(conn, client_id, Some(me)).await?;
            if app_sessions::end_all(conn, client_id, Some(me), Because::Revoked, now).await? == 0 {
                return Err(Problem::not_found());
            }
            let event =
                audit::AuditEvent { member_id: Some(me), ..scope.audit("app.removed", "oauth_client", client_id) };
            audit::record(conn, event, now).await
        })
        .await
}
