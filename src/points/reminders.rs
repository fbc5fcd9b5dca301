//! Private reminders to members who may miss the threshold: at most one a day and member.
//! One call reminds a whole cell; its answer holds counts, never names.

use actix_web::post;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Date, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use diesel::prelude::*;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::extract::WriteRequest;
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::outbox;
use crate::kernel::security::access::needs::SendReminders;
use crate::kernel::security::audit;
use crate::organisation::{OnUnit, units};

use super::board::{BoardStanding, BoardView, page, statuses};
use super::model::Status;

/// Members read at a time.
const STEP: i64 = 200;

/// Who is reminded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReminderAudience {
    /// Those for whom what is still on offer does not suffice.
    #[default]
    AtRisk,
    /// All members who have not reached the threshold yet.
    Short,
}

/// A reminder to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReminderIn {
    /// Who is reminded; those at risk when left out.
    #[serde(default)]
    #[schema(nullable = false, default = "at_risk", example = "at_risk")]
    include: ReminderAudience,
}

/// How many members were reminded; their names are not disclosed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reminders {
    /// The month.
    period: Period,
    /// Members who get a reminder now.
    #[schema(minimum = 0, maximum = 1_000_000, example = 7)]
    reminded: usize,
    /// Members who already had one today and get no other.
    #[schema(minimum = 0, maximum = 1_000_000, example = 2)]
    already_reminded: usize,
}

/// Candidates for a reminder.
struct ChosenMembers {
    members: Vec<Uuid>,
    points_missing: Vec<i32>,
}

/// Remind members of a cell
///
/// Sends a private notification to each member of the cell who may miss the month's threshold: at most one a day and
/// member, regardless of the sender. Exempt and excused members get none. The answer holds counts, never names.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The cell.")), request_body = ReminderIn, responses(
    (status = 422, description = "The unit is no cell.")))]
#[post("/units/{unit_id}/reminders")]
pub async fn send_reminders(
    request: WriteRequest<ReminderIn, OnUnit<SendReminders>>,
) -> Result<Reply<Reminders>, Problem> {
    request
        .commit(async |conn, scope| {
            let (on, now) = (&scope.on, scope.now);
            units::require_cell(conn, on.unit_id).await?;
            let today = day_of(now);
            let view = BoardView { unit_id: on.unit_id, period: Period::containing(today), day: today };
            let chosen = choose(conn, view, scope.body.include).await?;
            let fresh = note(conn, &chosen.members, on.unit_id, scope.caller.account_id, today, now).await?;
            for (member, missing) in chosen.members.iter().zip(&chosen.points_missing) {
                if fresh.contains(member) {
                    tell(conn, *member, view.period, *missing, now).await?;
                }
            }
            let event = audit::AuditEvent {
                unit_id: Some(on.unit_id),
                details: json!({"reminded": fresh.len(), "include": scope.body.include}),
                ..scope.audit("points.reminded", "unit", on.unit_id)
            };
            audit::record(conn, event, now).await?;
            let already_reminded = chosen.members.len() - fresh.len();
            Ok(Reminders { period: view.period, reminded: fresh.len(), already_reminded })
        })
        .await
}

async fn choose(conn: &mut Conn, view: BoardView, include: ReminderAudience) -> Result<ChosenMembers, Problem> {
    let mut chosen = ChosenMembers { members: Vec::new(), points_missing: Vec::new() };
    let mut after = None;
    loop {
        let rows: Vec<BoardStanding> = page(conn, view, after, STEP).await?;
        let statuses = statuses(conn, &rows, view, view.day).await?;
        for row in &rows {
            let status = statuses.get(&row.member_id);
            let wanted = match include {
                ReminderAudience::AtRisk => status == Some(&Status::AtRisk),
                ReminderAudience::Short => matches!(status, Some(Status::AtRisk | Status::OnTrack)),
            };
            if wanted {
                chosen.members.push(row.member_id);
                chosen.points_missing.push(row.threshold - row.points);
            }
        }
        let full = i64::try_from(rows.len()).unwrap_or(0) == STEP;
        let Some(last) = rows.into_iter().next_back().filter(|_| full) else {
            return Ok(chosen);
        };
        after = Some((last.given_name, last.full_name, last.member_id));
    }
}

#[derive(QueryableByName)]
struct Noted {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
}

/// Records who is reminded today, in order of their ids. Returns those who had not been reminded yet.
async fn note(
    conn: &mut Conn,
    members: &[Uuid],
    unit_id: Uuid,
    by: Uuid,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Problem> {
    let fresh: Vec<Noted> = diesel::sql_query(
        "INSERT INTO point_reminders (member_id, day, unit_id, sent_by, sent_at)
         SELECT member_id, $2, $3, $4, $5 FROM unnest($1) AS t(member_id) ORDER BY member_id
         ON CONFLICT DO NOTHING RETURNING member_id",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Date, _>(day)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<SqlUuid, _>(by)
    .bind::<Timestamptz, _>(now)
    .get_results(conn)
    .await?;
    Ok(fresh.into_iter().map(|noted| noted.member_id).collect())
}

async fn tell(
    conn: &mut Conn,
    account_id: Uuid,
    period: Period,
    missing: i32,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let details = json!({"period": period, "points_missing": missing});
    outbox::tell(conn, "points_reminder", &[account_id], &details, now).await
}

/// How long it is known who was reminded, days.
const KEPT_DAYS: i64 = 92;

/// Drops some old reminders. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM point_reminders WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM point_reminders WHERE day < $1 ORDER BY day LIMIT $2))";
    let query = diesel::sql_query(query).bind::<Date, _>(day_of(now) - TimeDelta::days(KEPT_DAYS));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}
