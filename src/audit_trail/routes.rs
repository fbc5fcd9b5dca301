//! The audit log over HTTP.

use actix_web::get;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::extract::{Anyone, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::organisation::units;

use super::store::{self, AuditEntry};

/// A role that the actor held at the time of the event.
#[derive(Serialize, ToSchema)]
pub struct ActorRole {
    /// The role.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "cell_secretary")]
    role: String,
    /// The name of the unit it was held on; null for the whole system.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    unit_name: Option<String>,
}

/// An event about the caller's own record.
#[derive(Serialize, ToSchema)]
pub struct AccessOut {
    /// The event.
    id: Uuid,
    /// When.
    at: DateTime<Utc>,
    /// What: `feature.deed`.
    #[schema(max_length = 60, pattern = "^[a-z_.]+$", example = "member.viewed")]
    action: String,
    /// Who; null for the system itself.
    #[schema(max_length = 200, example = "Lê Thị Cúc")]
    actor_name: Option<String>,
    /// The roles they held at that time.
    #[schema(max_items = 20)]
    actor_roles: Vec<ActorRole>,
    /// Whether the caller did it themselves.
    by_myself: bool,
}

fn roles(entry: &AuditEntry) -> Vec<ActorRole> {
    let role = |text: &String| {
        let (role, unit) = text.split_once(':')?;
        Some(ActorRole { role: role.to_owned(), unit_name: (!unit.is_empty()).then(|| unit.to_owned()) })
    };
    entry.actor_roles.iter().filter_map(role).collect()
}

/// See who looked at one's record
///
/// Lists every event about the caller's own record, by any actor, newest first.
#[utoipa::path(tag = "Me", params(PageQuery))]
#[get("/me/access-log")]
pub async fn list_my_access_log(
    mut request: ReadRequest<Anyone>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<AccessOut>>, Problem> {
    let (Query(page), me) = (page, request.scope.caller.account_id);
    let rows = store::of_member(&mut request.conn, me, page.after()?, page.fetch()).await?;
    request.reply(&page.page(
        rows,
        |row| row.id,
        |row| AccessOut {
            actor_roles: roles(&row),
            by_myself: row.actor_id == Some(me),
            id: row.id,
            at: row.at,
            action: row.action,
            actor_name: row.actor_name,
        },
    ))
}

/// Which events are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Lists events of this unit and of the units below it at the time. Only system administrators may leave it out.
    #[param(nullable = false)]
    unit_id: Option<Uuid>,
    /// Only this action, for example `slip.issued`.
    #[param(max_length = 60, pattern = "^[a-z_.]+$", nullable = false)]
    action: Option<String>,
}

/// An event of the audit log.
#[derive(Serialize, ToSchema)]
pub struct AuditOut {
    /// The event.
    id: Uuid,
    /// When.
    at: DateTime<Utc>,
    /// Who; null for the system itself.
    actor_id: Option<Uuid>,
    /// Their name.
    #[schema(max_length = 200, example = "Lê Thị Cúc")]
    actor_name: Option<String>,
    /// The roles they held at that time.
    #[schema(max_items = 20)]
    actor_roles: Vec<ActorRole>,
    /// What: `feature.deed`.
    #[schema(max_length = 60, pattern = "^[a-z_.]+$", example = "slip.issued")]
    action: String,
    /// The kind of object it was done to.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "activation_slip")]
    object_kind: String,
    /// The object.
    #[schema(max_length = 100)]
    object_id: String,
    /// The unit it concerns.
    unit_id: Option<Uuid>,
    /// The member it concerns.
    member_id: Option<Uuid>,
    /// The request by which it was done.
    #[schema(max_length = 100)]
    request_id: Option<String>,
    /// The app of a third party through which, or by which, it was done.
    client_id: Option<Uuid>,
    /// What changed; ids only, never personal data.
    #[schema(value_type = Object)]
    details: Value,
}

/// Search the audit log
///
/// Lists events of the unit, and of units that were below it at the time or until they ended, newest first. For
/// inspectors of the unit; system administrators search the whole log. The search itself is recorded.
#[utoipa::path(tag = "Audit", params(PageQuery, AuditQuery), responses(
    (status = 403, description = "The caller may not read the audit log there."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/audit-events")]
pub async fn list_audit_events(
    mut request: ReadRequest<Anyone>,
    page: Query<PageQuery>,
    query: Query<AuditQuery>,
) -> Result<Reply<Page<AuditOut>>, Problem> {
    let (Query(page), Query(query), now) = (page, query, request.scope.now);
    match query.unit_id {
        Some(unit_id) => {
            let path = units::last_path(&mut request.conn, unit_id, day_of(now)).await?;
            request.scope.caller.require(&path, Permission::ReadAudit)?;
        }
        None if request.scope.caller.may(&[], Permission::ReadAudit) => {}
        None => return Err(Problem::new(Code::Forbidden)),
    }
    let (action, after) = (query.action.as_deref(), page.after()?);
    let rows = store::of_unit(&mut request.conn, query.unit_id, action, after, page.fetch()).await?;
    let object = query.unit_id.unwrap_or(request.scope.caller.account_id);
    let look = audit::AuditEvent {
        unit_id: query.unit_id,
        details: json!({"action": query.action}),
        ..request.scope.audit("audit.read", "audit_log", object)
    };
    audit::record(&mut request.conn, look, now).await?;
    request.reply(&page.page(
        rows,
        |row| row.id,
        |row| AuditOut {
            actor_roles: roles(&row),
            id: row.id,
            at: row.at,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            action: row.action,
            object_kind: row.object_kind,
            object_id: row.object_id,
            unit_id: row.unit_id,
            member_id: row.member_id,
            request_id: row.request_id,
            client_id: row.client_id,
            details: row.details,
        },
    ))
}
