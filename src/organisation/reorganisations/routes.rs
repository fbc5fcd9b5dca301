//! Reorganisations over HTTP.

use actix_web::{get, post};
use chrono::NaiveDate;
use diesel_async::SimpleAsyncConnection;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Anyone, Empty, Query, ReadRequest, Scope, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply::{Created, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::needs::ManageUnits;
use crate::kernel::security::audit;
use crate::organisation::{OnUnit, units};

use super::apply::{Order, apply};
use super::model::{Reorganisation, ReorganisationIn, ReorganisationPreview};
use super::target::{OnReorganisation, require};
use super::{plan, store};

/// Years ahead that can be planned.
const FURTHEST_DAYS: i64 = 366;
/// Roles a preview names.
const MOST_ROLES: usize = 500;

/// Preview a reorganisation
///
/// Computes what a merger, a split or a move would do, and changes nothing: who moves, which roles end, what becomes of
/// open transfers, the denominators before and after. Needs the right to manage all the units, their parents and the
/// unit they go to.
#[utoipa::path(tag = "Units", request_body = ReorganisationIn, responses(
    (status = 403, description = "The caller does not manage one of the units."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is."),
    (status = 422, description = "The units do not fit together.")))]
#[post("/reorganisations/preview")]
pub async fn preview_reorganisation(
    request: WriteRequest<ReorganisationIn, Anyone>,
) -> Result<Reply<ReorganisationPreview>, Problem> {
    request
        .commit_long(async |conn, scope| {
            let day = effective_day(&scope.body, day_of(scope.now))?;
            units::lock_tree(conn, true).await?;
            require(conn, &scope.caller, &scope.body, day_of(scope.now)).await?;
            // Carried out and rolled back: a preview that is computed in another way would differ one day.
            conn.batch_execute("SAVEPOINT preview").await?;
            let order = Order { body: &scope.body, by: scope.caller.account_id, now: scope.now, day, strict: true };
            let effect = apply(conn, &order).await?;
            conn.batch_execute("ROLLBACK TO SAVEPOINT preview").await?;
            let mut ending_roles = effect.roles;
            ending_roles.truncate(MOST_ROLES);
            Ok(ReorganisationPreview { effective_on: day, effect: effect.shown, ending_roles })
        })
        .await
}

/// Order a reorganisation
///
/// Merges, splits or moves units from a day on; every month before it reads as it was. For today it is done at once;
/// for a later day it is planned, and carried out on that day against the state of that day. Needs the right to manage
/// all the units, their parents and the unit they go to. Members who move and officers whose roles end are notified.
#[utoipa::path(tag = "Units", request_body = ReorganisationIn, responses(
    (status = 403, description = "The caller does not manage one of the units."),
    (status = 404, description = "There is no such unit, or the caller may not know that there is."),
    (status = 409, description = "The code of the new unit is in use."),
    (status = 422, description = "The units do not fit together.")))]
#[post("/reorganisations")]
pub async fn create_reorganisation(
    request: WriteRequest<ReorganisationIn, Anyone>,
) -> Result<Created<Reorganisation>, Problem> {
    request
        .commit_long(async |conn, scope| {
            let (today, now, by) = (day_of(scope.now), scope.now, scope.caller.account_id);
            let day = effective_day(&scope.body, today)?;
            // One order at a time, checks included.
            units::lock_tree(conn, true).await?;
            let concerned = require(conn, &scope.caller, &scope.body, today).await?;
            let id = new_id(now);
            store::plan(conn, id, &scope.body, day, by, now).await?;
            store::note_units(conn, id, concerned.into_iter()).await?;
            if day == today {
                let order = Order { body: &scope.body, by, now, day, strict: true };
                let effect = apply(conn, &order).await?;
                store::note_units(conn, id, effect.made.into_iter()).await?;
                store::applied(conn, id, day, effect.made, &effect.shown, now).await?;
            } else {
                plan::check(conn, &scope.body, day, true).await?;
            }
            record(conn, scope, id, "reorganisation.ordered").await?;
            store::get(conn, id).await
        })
        .await
}

/// Get a reorganisation
///
/// Returns the order and its outcome. For officers who manage its units.
#[utoipa::path(tag = "Units", params(("reorganisation_id" = Uuid, Path, description = "The reorganisation.")))]
#[get("/reorganisations/{reorganisation_id}")]
pub async fn get_reorganisation(mut request: ReadRequest<OnReorganisation>) -> Result<Reply<Reorganisation>, Problem> {
    let found = store::get(&mut request.conn, request.scope.on.reorganisation_id).await?;
    request.reply(&found)
}

/// Cancel a reorganisation
///
/// Cancels an order that is planned for a later day. For officers who manage its units.
#[utoipa::path(tag = "Units", params(("reorganisation_id" = Uuid, Path, description = "The reorganisation.")), request_body = Empty,
    responses(
        (status = 409, description = "It was carried out or cancelled already.")))]
#[post("/reorganisations/{reorganisation_id}/cancel")]
pub async fn cancel_reorganisation(
    request: WriteRequest<Empty, OnReorganisation>,
) -> Result<Reply<Reorganisation>, Problem> {
    request
        .commit(async |conn, scope| {
            let id = scope.on.reorganisation_id;
            store::lock_planned(conn, id).await?;
            store::drop_plan(conn, id, None, scope.now).await?;
            for unit_id in store::units_of(conn, id).await? {
                let event = scope.audit("reorganisation.cancelled", "reorganisation", id);
                audit::record(conn, audit::AuditEvent { unit_id: Some(unit_id), ..event }, scope.now).await?;
            }
            store::get(conn, id).await
        })
        .await
}

/// List a unit's reorganisations
///
/// Lists the orders of the unit and of everything that is or was below it, planned ones too, latest first.
#[utoipa::path(tag = "Units", params(PageQuery, ("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}/reorganisations")]
pub async fn list_reorganisations(
    mut request: ReadRequest<OnUnit<ManageUnits>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Reorganisation>>, Problem> {
    let before = page.0.after()?;
    let (unit_id, today) = (request.scope.on.unit_id, day_of(request.scope.now));
    let rows = store::of_unit(&mut request.conn, unit_id, today, before, page.0.fetch()).await?;
    request.reply(&page.0.page(rows, |row| row.id, |row| row))
}

fn effective_day(body: &ReorganisationIn, today: NaiveDate) -> Result<NaiveDate, Problem> {
    let day = body.effective_on.unwrap_or(today);
    if (0..=FURTHEST_DAYS).contains(&(day - today).num_days()) {
        return Ok(day);
    }
    let detail = text("Từ hôm nay đến một năm sau.", "From today to a year ahead.");
    Err(Problem::fault("/effective_on", "out_of_range", detail))
}

/// One event per unit, so that each unit's officers find it.
async fn record(
    conn: &mut Conn,
    scope: &Scope<ReorganisationIn, Anyone>,
    id: Uuid,
    action: &'static str,
) -> Result<(), Problem> {
    let body = &scope.body;
    for unit_id in body.unit_ids.iter().chain(&body.into_unit_id).chain(&body.parent_id) {
        let event = audit::AuditEvent {
            unit_id: Some(*unit_id),
            details: json!({"kind": body.kind, "effective_on": body.effective_on}),
            ..scope.audit(action, "reorganisation", id)
        };
        audit::record(conn, event, scope.now).await?;
    }
    Ok(())
}
