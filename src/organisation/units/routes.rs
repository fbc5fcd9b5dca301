//! Units over HTTP.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::access::needs::ReadUnit;
use crate::kernel::access::{Permission, Role};
use crate::kernel::audit;
use crate::kernel::call::{Anyone, Ask, Call, Query};
use crate::kernel::clock::day_of;
use crate::kernel::page::{Page, PageQuery};
use crate::kernel::problem::{Code, Problem};
use crate::organisation::OnUnit;

use super::store::{self, NewUnit, Unit};

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
#[utoipa::path(tag = "Units", params(PageQuery, UnitQuery), responses((status = 200, description = "A page of units.", body = Page<Unit>)))]
#[get("/units")]
pub async fn list_units(
    mut ask: Ask<Anyone>,
    page: Query<PageQuery>,
    query: Query<UnitQuery>,
) -> Result<HttpResponse, Problem> {
    let Query(page) = page;
    let (today, caller) = (day_of(ask.scope.now), &ask.scope.caller);
    let after = page.after()?;
    let rows = match query.0.parent_id {
        Some(parent_id) => {
            caller.require(&store::path(&mut ask.conn, parent_id, today).await?, Permission::ReadUnit)?;
            store::children(&mut ask.conn, parent_id, today, after, page.fetch()).await?
        }
        None => {
            let mut own: Vec<Uuid> = caller.home.clone();
            own.extend(caller.grants.iter().filter_map(|grant| grant.unit_id));
            let everything = caller.grants.iter().any(|grant| grant.unit_id.is_none());
            store::of_ids(&mut ask.conn, (!everything).then_some(&own), today, after, page.fetch()).await?
        }
    };
    ask.reply(&page.page(rows, |unit| (unit.name.clone(), unit.id), |unit| unit))
}

/// Get a unit
///
/// Returns its name, kind, code and place.
#[utoipa::path(tag = "Units", params(("unit_id" = Uuid, Path, description = "The unit.")),
    responses((status = 200, description = "The unit.", body = Unit)))]
#[get("/units/{unit_id}")]
pub async fn get_unit(mut ask: Ask<OnUnit<ReadUnit>>) -> Result<HttpResponse, Problem> {
    let unit = store::get(&mut ask.conn, ask.scope.on.unit_id, day_of(ask.scope.now)).await?;
    ask.reply(&unit)
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
    (status = 201, description = "The unit.", body = Unit),
    (status = 403, description = "The caller may not make units there."),
    (status = 404, description = "There is no such parent, or the caller may not know that there is.")))]
#[post("/units")]
pub async fn create_unit(call: Call<UnitIn, Anyone>) -> Result<HttpResponse, Problem> {
    call.commit(StatusCode::CREATED, async |conn, scope| {
        let today = day_of(scope.now);
        match scope.body.parent_id {
            Some(parent_id) => {
                scope.caller.require(&store::path(conn, parent_id, today).await?, Permission::ManageUnits)?
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
        audit::record(conn, audit::Event { unit_id: Some(id), ..scope.audit("unit.created", "unit", id) }, scope.now)
            .await?;
        store::get(conn, id, today).await
    })
    .await
}
