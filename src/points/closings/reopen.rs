//! Reopening a closed month: by a superior committee, with a reason; the snapshot stays.

use actix_web::post;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{closing_reopenings, closing_states, grants};
use crate::kernel::extract::{Scope, WriteRequest};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Created;
use crate::kernel::outbox;
use crate::kernel::security::access::Role;
use crate::kernel::security::audit;

use super::close::lock_states;
use super::routes::Closing;
use super::store;
use super::target::FromAbove;
use super::window;

/// Why a month is reopened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopeningIn {
    /// The reason, which the cell and the auditors read.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Bổ sung danh sách dự sinh hoạt ngày 15")]
    reason: String,
}

/// Reopen a closed month
///
/// For officers of a committee above the cell. The snapshot stays as it is; entries for the month count in time again
/// until it is closed again: by the secretary within five days, or automatically after them. The new closing names this
/// one. The secretary is notified.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."),
    ("period" = Period, Path, description = "The month.")), request_body = ReopeningIn, responses(
    (status = 409, description = "The month is not closed, or reopened already.")))]
#[post("/units/{unit_id}/closings/{period}/reopening")]
pub async fn reopen_month(request: WriteRequest<ReopeningIn, FromAbove>) -> Result<Created<Closing>, Problem> {
    request
        .commit(async |conn, scope| {
            let (unit_id, period) = (scope.on.unit_id, scope.on.period);
            let closing_id = reopen(conn, scope).await?;
            let event = audit::AuditEvent {
                unit_id: Some(unit_id),
                details: json!({"period": period, "reason": scope.body.reason.trim()}),
                ..scope.audit("month.reopened", "closing", closing_id)
            };
            audit::record(conn, event, scope.now).await?;
            let reopened = json!({"closing_id": closing_id, "unit_id": unit_id, "period": period});
            outbox::emit(conn, "month.reopened", reopened, scope.now).await?;
            notify(conn, scope).await?;
            Ok(Closing::from(store::of_month(conn, unit_id, period, None).await?))
        })
        .await
}

async fn reopen(conn: &mut Conn, scope: &Scope<ReopeningIn, FromAbove>) -> Result<Uuid, Problem> {
    let (unit_id, period) = (scope.on.unit_id, scope.on.period);
    let locked = lock_states(conn, &[unit_id], period).await?;
    let closing_id = locked.into_iter().next().and_then(|state| state.closing_id).ok_or_else(|| {
        Problem::with(Code::Conflict, "Tháng này chưa chốt hoặc đang mở lại.", "The month is not closed.")
    })?;
    open_months(conn, closing_id, period).await?;
    diesel::insert_into(closing_reopenings::table)
        .values((
            closing_reopenings::closing_id.eq(closing_id),
            closing_reopenings::reopened_at.eq(scope.now),
            closing_reopenings::reopened_by.eq(scope.caller.account_id),
            closing_reopenings::reason.eq(scope.body.reason.trim()),
        ))
        .execute(conn)
        .await?;
    let until: NaiveDate = window::reopened_until(day_of(scope.now));
    diesel::update(closing_states::table.find((unit_id, period.first_day())))
        .set((closing_states::closing_id.eq(None::<Uuid>), closing_states::open_until.eq(until)))
        .execute(conn)
        .await?;
    Ok(closing_id)
}

/// Opens the months of those whom the snapshot lists, locked in the order of the members.
async fn open_months(conn: &mut Conn, closing_id: Uuid, period: Period) -> Result<(), Problem> {
    let members = store::members_of(conn, closing_id).await?;
    diesel::sql_query(
        "SELECT 1 FROM member_months WHERE member_id = ANY($1) AND period = $2 ORDER BY member_id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(&members)
    .bind::<Date, _>(period.first_day())
    .execute(conn)
    .await?;
    diesel::sql_query("UPDATE member_months SET closed_at = NULL WHERE member_id = ANY($1) AND period = $2")
        .bind::<Array<SqlUuid>, _>(&members)
        .bind::<Date, _>(period.first_day())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notifies the secretary and the deputies of the cell.
async fn notify(conn: &mut Conn, scope: &Scope<ReopeningIn, FromAbove>) -> Result<(), Problem> {
    let today = day_of(scope.now);
    let accounts: Vec<Uuid> = grants::table
        .filter(grants::unit_id.eq(scope.on.unit_id))
        .filter(grants::role.eq_any([Role::CellSecretary.as_str(), Role::DeputySecretary.as_str()]))
        .filter(grants::revoked_at.is_null())
        .filter(grants::valid_from.le(today))
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(today)))
        .order(grants::account_id)
        .select(grants::account_id)
        .distinct()
        .load(conn)
        .await?;
    let details = json!({"unit_id": scope.on.unit_id, "period": scope.on.period});
    outbox::tell(conn, "month_reopened", &accounts, &details, scope.now).await
}
