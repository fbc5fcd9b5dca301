//! Endpoints and units as authorised objects: loading one checks the permission on its unit.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, path_id};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::{AccountKind, Principal};
use crate::organisation::units;

use super::endpoints::store::{self, EndpointRow};

/// The endpoint of the path's `endpoint_id`, on whose unit the caller manages webhooks.
pub struct OnEndpoint {
    pub endpoint: EndpointRow,
}

impl Authorize for OnEndpoint {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let endpoint = store::get(conn, path_id(req, "endpoint_id")?).await?;
            let path = units::last_path(conn, endpoint.unit_id, day_of(now)).await?;
            caller.require(&path, Permission::ManageWebhooks)?;
            // An app knows its own endpoints only.
            if caller.client_id.is_some() && caller.client_id != endpoint.client_id {
                return Err(Problem::not_found());
            }
            Ok(Self { endpoint })
        })
    }
}

/// The unit of the query's `unit_id`, or else the caller's only one, on which the caller manages webhooks.
pub struct OnWebhookUnit {
    pub unit_id: Uuid,
    /// The app that calls for itself, if it is one: what members allowed it is its own to know.
    pub app: Option<Uuid>,
}

#[derive(serde::Deserialize)]
struct WebhookUnitQuery {
    unit_id: Option<Uuid>,
}

impl Authorize for OnWebhookUnit {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let query = web::Query::<WebhookUnitQuery>::from_query(req.query_string());
            let named = query.map_err(|_| Problem::not_found())?.unit_id;
            let unit_id = unit_of(conn, caller, named, "unit_id", now).await?;
            let app = (caller.kind == AccountKind::Client).then_some(caller.account_id);
            Ok(Self { unit_id, app })
        })
    }
}

/// The named unit, or the only one on which the caller manages webhooks by a role given there. `pointer` says where it can be named.
///
/// # Errors
/// 400 when several come into question, 403 or 404 without the permission.
pub async fn unit_of(
    conn: &mut Conn,
    caller: &Principal,
    named: Option<Uuid>,
    pointer: &str,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let unit_id = match named {
        Some(unit_id) => unit_id,
        None => own_unit(caller, pointer)?,
    };
    let path = units::path(conn, unit_id, day_of(now)).await?;
    caller.require(&path, Permission::ManageWebhooks)?;
    Ok(unit_id)
}

fn own_unit(caller: &Principal, pointer: &str) -> Result<Uuid, Problem> {
    let managing = caller.grants.iter().filter(|grant| grant.role.permissions().contains(&Permission::ManageWebhooks));
    let mut units: Vec<Option<Uuid>> = managing.map(|grant| grant.unit_id).collect();
    units.sort_unstable();
    units.dedup();
    match units.as_slice() {
        [] => Err(Problem::new(Code::Forbidden)),
        [Some(unit_id)] => Ok(*unit_id),
        _ => Err(Problem::malformed(pointer, "required", text("Hãy nêu đơn vị.", "Name the unit."))),
    }
}
