//! Private reminders to members who have not taken a quiz.

use actix_web::post;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::WriteRequest;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::outbox;
use crate::kernel::security::access::needs::SendReminders;
use crate::kernel::security::audit;
use crate::organisation::OnUnit;
use crate::quizzes::OBJECT_KIND;
use crate::quizzes::publishing::store::get as get_quiz;

use super::store;

/// Members reminded in one request.
const MOST: i64 = 20_000;

/// Whom to remind.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuizReminderIn {
    /// The quiz.
    quiz_id: Uuid,
}

/// How many members were reminded; their names are not disclosed.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuizReminders {
    /// Members who get a reminder now.
    #[schema(minimum = 0, maximum = 1_000_000, example = 7)]
    reminded: usize,
    /// Members who had one for the quiz today.
    #[schema(minimum = 0, maximum = 1_000_000, example = 2)]
    already_reminded: usize,
}

#[derive(QueryableByName)]
struct RemindedMember {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
}

/// Notes a reminder of today for each of these members. Returns those who have had none today.
async fn note(
    conn: &mut Conn,
    (quiz_id, members): (Uuid, &[Uuid]),
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Problem> {
    let rows: Vec<RemindedMember> = diesel::sql_query(
        "INSERT INTO quiz_reminders AS r (quiz_id, member_id, day, sent_by)
         SELECT $1, m, $3, $4 FROM unnest($2) AS t (m) ORDER BY m
         ON CONFLICT (quiz_id, member_id) DO UPDATE SET day = excluded.day, sent_by = excluded.sent_by
             WHERE r.day < excluded.day RETURNING r.member_id",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Date, _>(day_of(now))
    .bind::<SqlUuid, _>(by)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.member_id).collect())
}

/// Remind members of a quiz
///
/// Sends a private notification to each member of the unit whom the open quiz reaches and who has not taken it: at most one a day,
/// whoever sends it. Nobody learns who was reminded.
#[utoipa::path(tag = "Quizzes", params(("unit_id" = Uuid, Path, description = "The unit, with everything below it.")),
    request_body = QuizReminderIn,
    responses((status = 409, description = "The quiz is not open (`quiz_not_open`)."),
        (status = 422, description = "No such quiz reaches the unit.")))]
#[post("/units/{unit_id}/quiz-reminders")]
pub async fn send_quiz_reminders(
    request: WriteRequest<QuizReminderIn, OnUnit<SendReminders>>,
) -> Result<Reply<QuizReminders>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, unit_id, today) = (scope.body.quiz_id, scope.on.unit_id, day_of(scope.now));
            if !store::concerns(conn, id, unit_id, today).await? {
                let (vi, en) = ("Đơn vị không có bài thi này.", "No such quiz reaches the unit.");
                return Err(Problem::with(Code::RuleNotMet, vi, en));
            }
            let quiz = get_quiz(conn, id).await?;
            if scope.now < quiz.opens_at || scope.now >= quiz.closes_at {
                return Err(Problem::new(Code::QuizNotOpen));
            }
            let members = store::not_taken(conn, (id, unit_id, today), MOST).await?;
            let fresh = note(conn, (id, &members), scope.caller.account_id, scope.now).await?;
            outbox::tell(conn, "quiz_reminder", &fresh, &json!({"quiz_id": id}), scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(unit_id),
                details: json!({"reminded": fresh.len()}),
                ..scope.audit("quiz.reminders_sent", OBJECT_KIND, id)
            };
            audit::record(conn, event, scope.now).await?;
            Ok(QuizReminders { reminded: fresh.len(), already_reminded: members.len() - fresh.len() })
        })
        .await
}
