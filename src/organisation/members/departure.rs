//! The end of a membership for good: death, leaving, expulsion.

use actix_web::post;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, member_months, memberships, transfers};
use crate::kernel::extract::WriteRequest;
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::http::reply::Created;
use crate::kernel::outbox;
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::ManageMembers;
use crate::kernel::security::audit;
use crate::organisation::grants::{self, Rank};
use crate::organisation::memberships::{lock_member, on_day};
use crate::organisation::{OnMember, units};

use super::own_record::require_other;

/// Why a membership ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepartureReason {
    /// The member has died.
    Deceased,
    /// The member has left the Party.
    Left,
    /// The member was expelled.
    Expelled,
}

impl DepartureReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Deceased => "deceased",
            Self::Left => "left",
            Self::Expelled => "expelled",
        }
    }
}

/// The end of a membership.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DepartureIn {
    /// Why it ends.
    #[schema(example = "deceased")]
    reason: DepartureReason,
    /// The last day on which the member belonged to the cell, today or before.
    #[schema(example = "2026-11-19")]
    last_day: NaiveDate,
}

/// A membership that has ended for good.
#[derive(Debug, Serialize, ToSchema)]
pub struct Departure {
    /// The member.
    member_id: Uuid,
    /// The cell that the member belonged to last.
    unit_id: Uuid,
    /// Why it ended.
    reason: DepartureReason,
    /// The last day of the membership.
    last_day: NaiveDate,
    /// Roles that ended with it.
    #[schema(minimum = 0, maximum = 10_000, example = 0)]
    roles_ended: usize,
}

/// End a membership
///
/// For death, leaving and expulsion. From the day after `last_day` on the member belongs to no cell and counts nowhere; what was
/// earned stays. All roles of the person end, their account is suspended, and an open transfer is withdrawn. It touches no month
/// that is closed for the member. The record stays visible to the last cell and those above it. Who holds a role is seen off by
/// an officer above it; nobody ends their own membership. Officers of the cell and the person are told.
#[utoipa::path(tag = "Members", params(("member_id" = Uuid, Path, description = "The member.")), request_body = DepartureIn,
    responses(
    (status = 403, description = "It is the caller's own membership, or the member holds a role that the caller does not stand above (`own_interest`)."),
    (status = 409, description = "The member belongs to no cell, or to another one soon, or a month that it changes is closed.")))]
#[post("/members/{member_id}/departure")]
pub async fn record_departure(
    request: WriteRequest<DepartureIn, OnMember<ManageMembers>>,
) -> Result<Created<Departure>, Problem> {
    request
        .commit(async |conn, scope| {
            let (member_id, unit_id, by) = (scope.on.member_id, scope.on.unit_id, scope.caller.account_id);
            require_other(by, member_id)?;
            grants::require_rank(conn, &scope.caller, member_id, (Permission::ManageMembers, Rank::Above), scope.now)
                .await?;
            units::keep(conn, unit_id).await?;
            withdraw_transfer(conn, member_id, by, scope.now).await?;
            lock_member(conn, member_id).await?;
            let DepartureIn { reason, last_day } = scope.body;
            end(conn, member_id, reason, last_day, day_of(scope.now)).await?;
            let roles_ended = grants::revoke_all(conn, member_id, by, scope.now).await?;
            suspend(conn, member_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(unit_id),
                member_id: Some(member_id),
                details: json!({"reason": reason, "last_day": last_day, "roles_ended": roles_ended}),
                ..scope.audit("member.departed", "member", member_id)
            };
            audit::record(conn, event, scope.now).await?;
            outbox::tell(conn, "membership_ended", &[member_id], &json!({}), scope.now).await?;
            let officers = (unit_id, Permission::ManageMembers);
            grants::tell_nearest(conn, officers, &[by, member_id], "member_departed", scope.now).await?;
            Ok(Departure { member_id, unit_id, reason, last_day, roles_ended })
        })
        .await
}

/// Ends the membership of today, of a member whose row is locked.
async fn end(
    conn: &mut Conn,
    member_id: Uuid,
    reason: DepartureReason,
    last_day: NaiveDate,
    today: NaiveDate,
) -> Result<(), Problem> {
    let settled = on_day(conn, member_id, today).await?.filter(|present| present.valid_to.is_none());
    let Some(present) = settled else {
        return Err(Problem::with(
            Code::Conflict,
            "Đảng viên không còn thuộc chi bộ nào, hoặc sắp chuyển sang chi bộ khác.",
            "The member belongs to no cell any more, or moves to another one.",
        ));
    };
    if last_day > today || last_day < present.valid_from {
        let detail = text(
            format!("Từ {} đến hôm nay.", present.valid_from.format("%d/%m/%Y")),
            format!("From {} to today.", present.valid_from),
        );
        return Err(Problem::fault("/last_day", "out_of_range", detail));
    }
    let first_day_without = last_day.succ_opt().ok_or_else(|| Problem::internal("no day after the last one"))?;
    require_open(conn, member_id, Period::containing(first_day_without)).await?;
    diesel::update(memberships::table.find(present.id))
        .set((memberships::valid_to.eq(first_day_without), memberships::ended_because.eq(reason.as_str())))
        .execute(conn)
        .await?;
    Ok(())
}

/// Refuses to change who belonged to the cell in a month that was signed; a closing waits for the member's row.
async fn require_open(conn: &mut Conn, member_id: Uuid, since: Period) -> Result<(), Problem> {
    let closed: Option<NaiveDate> = member_months::table
        .filter(member_months::member_id.eq(member_id))
        .filter(member_months::period.ge(since.first_day()))
        .filter(member_months::closed_at.is_not_null())
        .order(member_months::period.desc())
        .select(member_months::period)
        .first(conn)
        .await
        .optional()?;
    match closed.map(Period::containing) {
        None => Ok(()),
        Some(month) => Err(Problem::with(
            Code::Conflict,
            format!("Tháng {month} đã chốt; hãy ghi ngày cuối của tháng đó, hoặc đề nghị cấp trên mở lại."),
            format!("The month {month} is closed: state its last day, or have a superior committee reopen it."),
        )),
    }
}

async fn withdraw_transfer(conn: &mut Conn, member_id: Uuid, by: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let open = transfers::table.filter(transfers::member_id.eq(member_id)).filter(transfers::state.eq("proposed"));
    diesel::update(open)
        .set((transfers::state.eq("withdrawn"), transfers::decided_by.eq(by), transfers::decided_at.eq(now)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Who is no member any more signs in no more.
async fn suspend(conn: &mut Conn, account_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(accounts::table.find(account_id).filter(accounts::disabled_at.is_null()))
        .set(accounts::disabled_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}
