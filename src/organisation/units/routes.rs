//! Units over HTTP.

use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::extract::{Anyone, Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::security::access::needs::ReadUnit;
use crate::kernel::security::access::{Permission, Role};
use crate::kernel::security::audit;
use crate::organisation::OnUnit;

use super::store::{self, NewUnit, OrgUnit};

/// Which units are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UnitQuery {
    /// List the units directly below this one; without it, the units the caller belongs to or holds a role on.
    #[param(nullable = false)]
    parent_id: Option<Uuid>,
}

/// List units
///
/// Lists the units directly below `parent_id`; without it, the units that the caller belongs to or holds a role on. By
/// name.
#[utoipa::path(tag = "Units", security(("bearer" = []), ("oauth2" = ["units:read"]), ("oauth2_client" = ["units:read"])), params(PageQuery, UnitQuery))]
#[get("/units")]
pub async fn list_units(
    mut request: ReadRequest<Anyone>,
    page: Query<PageQuery>,
    query: Query<UnitQuery>,
) -> Result<Reply<Page<OrgUnit>>, Problem> {
    let Query(page) = page;
    let (today, caller) = (day_of(request.scope.now), &request.scope.caller);
    let after = page.after()?;
    let rows = match query.0.parent_id {
        Some(parent_id) => {
            caller.require(&store::path(&mut request.conn, parent_id, today).await?, Permission::ReadUnit)?;
            store::children(&mut request.conn, parent_id, today, after, page.fetch()).await?
        }
        None => {
            let mut own: Vec<Uuid> = caller.home.clone();
            own.extend(caller.grants.iter().filter_map(|grant| grant.unit_id));
            let everything = caller.grants.iter().any(|grant| grant.unit_id.is_none());
            store::of_ids(&mut request.conn, (!everything).then_some(&own), today, after, page.fetch()).await?
        }
    };
    request.reply(&page.page(rows, |unit| (unit.name.clone(), unit.id), |unit| unit))
}

/// Get a unit
///
/// Returns its name, kind, code and place.
#[utoipa::path(tag = "Units", security(("bearer" = []), ("oauth2" = ["units:read"]), ("oauth2_client" = ["units:read"])), params(("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}")]
pub async fn get_unit(mut request: ReadRequest<OnUnit<ReadUnit>>) -> Result<Reply<OrgUnit>, Problem> {
    let unit = store::get(&mut request.conn, request.scope.on.unit_id, day_of(request.scope.now)).await?;
    request.reply(&unit)
}

/// A new unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitIn {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Chi bộ Tổ dân phố số 9")]
    name: String,
    /// Its kind: `province`, `superior_committee`, `grassroots_committee`, `sub_committee`, `cell`.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell")]
    kind: String,
    /// The unit above it; only a system administrator makes a unit without one.
    parent_id: Option<Uuid>,
    /// Code of 14 digits in groups, unique.
    #[schema(max_length = 18, pattern = "^[0-9]{2}([.][0-9]{3}){4}$", example = "38.168.053.000.009")]
    code: Option<String>,
}

/// Create a unit
///
/// Creates a unit below another one from today on. Needs the right to manage units on the parent.
#[utoipa::path(tag = "Units", request_body = UnitIn, responses(
    (status = 403, description = "The caller may not make units there."),
    (status = 404, description = "There is no such parent, or the caller may not know that there is.")))]
#[post("/units")]
pub async fn create_unit(request: WriteRequest<UnitIn, Anyone>) -> Result<Created<OrgUnit>, Problem> {
    request
        .commit(async |conn, scope| {
            let today = day_of(scope.now);
            match scope.body.parent_id {
                Some(parent_id) => {
                    scope.caller.require(&store::path(conn, parent_id, today).await?, Permission::ManageUnits)?;
                }
                None if scope.caller.grants.iter().any(|g| g.role == Role::SystemAdministrator) => {}
                None => return Err(Problem::new(Code::Forbidden)),
            }
            let new = NewUnit {
                name: scope.body.name.trim().to_owned(),
                kind: scope.body.kind.clone(),
                parent_id: scope.body.parent_id,
                code: scope.body.code.clone(),
                valid_from: today,
            };
            let id = store::create(conn, &new, scope.now).await?;
            audit::record(
                conn,
                audit::AuditEvent { unit_id: Some(id), ..scope.audit("unit.created", "unit", id) },
                scope.now,
            )
            .await?;
            store::get(conn, id, today).await
        })
        .await
}
