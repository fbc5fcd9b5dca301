//! Results over HTTP.

use actix_web::get;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::{Conn, transaction};
use crate::kernel::extract::{Anyone, Query, ReadRequest, Scope, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Csv, Reply, Xlsx};
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::ManageQuizzes;
use crate::kernel::security::audit;
use crate::organisation::units;
use crate::quizzes::publishing::OnQuiz;
use crate::quizzes::publishing::store::{QuizRow, get as get_quiz};
use crate::quizzes::{OBJECT_KIND, exposure};

use super::analysis::{self, QuestionAnalysis};
use super::export::{FileKind, answer};
use super::store::{self, Figures, MemberResult};

/// Members below which figures tell of persons.
const LEAST: i64 = 5;
/// Members of one file; a larger unit exports its child units one by one.
const MOST: i64 = 20_000;

/// Whose results are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultsQuery {
    /// The unit, with everything below it; without it the unit that owns the quiz.
    #[param(nullable = false)]
    unit_id: Option<Uuid>,
}

/// Figures of a unit. A group of fewer than five members has none, nor has the smallest unit beside such a group, from which
/// the group's could be had by subtraction, except for those who see the members one by one.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuizFigures {
    /// Members whom the quiz reaches.
    #[schema(minimum = 0, maximum = 10_000_000, example = 25)]
    members: Option<i64>,
    /// Members who have submitted an attempt.
    #[schema(minimum = 0, maximum = 10_000_000, example = 20)]
    taken: Option<i64>,
    /// Members who have passed.
    #[schema(minimum = 0, maximum = 10_000_000, example = 18)]
    passed: Option<i64>,
    /// The mean of their best results in percent; null when fewer than five have taken it.
    #[schema(minimum = 0.0, maximum = 100.0, example = 82.5)]
    average_percent: Option<f64>,
}

/// A member, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuizMember {
    /// Identifier.
    id: Uuid,
    /// Full name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    full_name: String,
}

/// The result of a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuizResult {
    /// The member.
    member: QuizMember,
    /// The member's cell.
    unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ khu phố 1")]
    unit_name: String,
    /// Attempts submitted.
    #[schema(minimum = 0, maximum = 5, example = 1)]
    attempts: i64,
    /// The best result in percent; null for a member who has not taken it.
    #[schema(minimum = 0, maximum = 100, example = 80)]
    percent: Option<i32>,
    /// Whether the member has passed.
    passed: bool,
    /// When the member passed first.
    passed_at: Option<DateTime<Utc>>,
    /// Points earned.
    #[schema(minimum = 0, maximum = 10_000, example = 5)]
    points: i32,
    /// Whether officers entered the answers of a sheet of paper.
    assisted: bool,
}

/// Results of a quiz in a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuizResults {
    /// The unit in figures.
    summary: QuizFigures,
    /// Members one by one; empty for officers who may not list members.
    #[schema(max_items = 200)]
    items: Vec<QuizResult>,
    /// Where the next page begins; null on the last one.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: Option<String>,
}

fn result(row: MemberResult) -> QuizResult {
    QuizResult {
        member: QuizMember { id: row.member_id, full_name: row.full_name },
        unit_id: row.unit_id,
        unit_name: row.unit_name,
        attempts: row.attempts,
        percent: row.percent,
        passed: row.passed,
        passed_at: row.passed_at,
        points: row.points,
        assisted: row.assisted,
    }
}

/// Whether the figures of a unit, subtracted from those of the unit above, would tell those of units with fewer than five members beside
/// it: then the smallest of the units that have figures has none either.
fn tells_of_others(unit_id: Uuid, beside: &[(Uuid, i64)]) -> bool {
    let hidden: i64 = beside.iter().map(|(_, members)| *members).filter(|members| *members < LEAST).sum();
    let smallest = beside.iter().find(|(_, members)| *members >= LEAST);
    (1..LEAST).contains(&hidden) && smallest.is_some_and(|(id, _)| *id == unit_id)
}

fn summary(figures: &Figures, lists_members: bool, told_apart: bool) -> QuizFigures {
    let shown = lists_members || (figures.members >= LEAST && !told_apart);
    QuizFigures {
        members: shown.then_some(figures.members),
        taken: shown.then_some(figures.taken),
        passed: shown.then_some(figures.passed),
        average_percent: figures.average_percent.filter(|_| figures.taken >= LEAST && (lists_members || !told_apart)),
    }
}

/// A quiz and a unit on which the caller may see its results.
struct AskedUnit {
    quiz: QuizRow,
    unit_id: Uuid,
    /// Whether the caller may list the unit's members.
    lists_members: bool,
}

async fn asked(
    conn: &mut Conn,
    id: Uuid,
    unit_id: Option<Uuid>,
    scope: &Scope<(), Anyone>,
) -> Result<AskedUnit, Problem> {
    let today = day_of(scope.now);
    let quiz = get_quiz(conn, id).await?;
    let unit_id = unit_id.unwrap_or(quiz.unit_id);
    let path = units::last_path(conn, unit_id, today).await?;
    scope.caller.require(&path, Permission::ReadQuizResults)?;
    if !store::concerns(conn, id, unit_id, today).await? {
        return Err(Problem::not_found());
    }
    Ok(AskedUnit { quiz, unit_id, lists_members: scope.caller.may(&path, Permission::ListMembers) })
}

/// Get results of a quiz
///
/// Who has taken it and with what result, in a unit and everything below it: figures for its officers, members one by one for those
/// who may list them, which is recorded. The best attempt counts. Figures of fewer than five members are null.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz."), ResultsQuery, PageQuery))]
#[get("/quizzes/{quiz_id}/results")]
pub async fn get_results(
    mut request: ReadRequest<Anyone>,
    query: Query<ResultsQuery>,
    page: Query<PageQuery>,
) -> Result<Reply<QuizResults>, Problem> {
    let Query(page) = page;
    let id = path_id(&request.request, "quiz_id")?;
    let (scope, conn) = (&request.scope, &mut request.conn);
    let asked = asked(conn, id, query.0.unit_id, scope).await?;
    let today = day_of(scope.now);
    let figures = store::figures(conn, id, asked.unit_id, today).await?;
    let rows = if asked.lists_members {
        let event =
            audit::AuditEvent { unit_id: Some(asked.unit_id), ..scope.audit("quiz.results_read", OBJECT_KIND, id) };
        audit::record(conn, event, scope.now).await?;
        store::members(conn, (id, asked.unit_id, today), page.after()?, page.fetch()).await?
    } else {
        Vec::new()
    };
    let Page { items, next_cursor } = page.page(rows, |row| row.member_id, result);
    let told_apart =
        !asked.lists_members && tells_of_others(asked.unit_id, &store::beside(conn, id, asked.unit_id, today).await?);
    let summary = summary(&figures, asked.lists_members, told_apart);
    request.reply(&QuizResults { summary, items, next_cursor })
}

async fn export<T>(
    mut request: ReadRequest<Anyone>,
    unit_id: Option<Uuid>,
    kind: FileKind,
) -> Result<Reply<T>, Problem> {
    let id = path_id(&request.request, "quiz_id")?;
    let (scope, conn) = (&request.scope, &mut request.conn);
    let asked = asked(conn, id, unit_id, scope).await?;
    if !asked.lists_members {
        return Err(Problem::new(Code::Forbidden));
    }
    let today = day_of(scope.now);
    let figures = store::figures(conn, id, asked.unit_id, today).await?;
    if figures.members > MOST {
        return Err(Problem::with(
            Code::RuleNotMet,
            format!("Mỗi tệp chứa tối đa {MOST} đảng viên; hãy xuất theo từng đơn vị trực thuộc."),
            format!("A file holds at most {MOST} members; export the units below one by one."),
        ));
    }
    let rows = store::members(conn, (id, asked.unit_id, today), None, MOST).await?;
    transaction(conn, async |conn| {
        let event = audit::AuditEvent {
            unit_id: Some(asked.unit_id),
            details: json!({"format": kind.extension(), "rows": rows.len()}),
            ..scope.audit("quiz.results_exported", OBJECT_KIND, id)
        };
        audit::record(conn, event, scope.now).await
    })
    .await?;
    answer(kind, asked.quiz.title, &figures, &rows).await
}

/// Export results of a quiz as XLSX
///
/// The members one by one, for those who may list them. Recorded in the audit log.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz."), ResultsQuery),
    responses((status = 422, description = "The unit has more members than a file may hold.")))]
#[get("/quizzes/{quiz_id}/results.xlsx")]
pub async fn export_results_xlsx(
    request: ReadRequest<Anyone>,
    query: Query<ResultsQuery>,
) -> Result<Reply<Xlsx>, Problem> {
    export(request, query.0.unit_id, FileKind::Xlsx).await
}

/// Export results of a quiz as CSV
///
/// The members one by one, for those who may list them. Recorded in the audit log.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz."), ResultsQuery),
    responses((status = 422, description = "The unit has more members than a file may hold.")))]
#[get("/quizzes/{quiz_id}/results.csv")]
pub async fn export_results_csv(
    request: ReadRequest<Anyone>,
    query: Query<ResultsQuery>,
) -> Result<Reply<Csv>, Problem> {
    export(request, query.0.unit_id, FileKind::Csv).await
}

/// Analyse a quiz
///
/// How each question fared, for those who manage the quiz. Recorded: the caller takes quizzes drawn from these questions as practice.
#[utoipa::path(tag = "Quizzes", params(("quiz_id" = Uuid, Path, description = "The quiz."), PageQuery))]
#[get("/quizzes/{quiz_id}/analysis")]
pub async fn get_analysis(
    mut request: ReadRequest<OnQuiz<ManageQuizzes>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<QuestionAnalysis>>, Problem> {
    let Query(page) = page;
    let (scope, conn) = (&request.scope, &mut request.conn);
    let id = scope.on.quiz.id;
    let after = page.after()?;
    let rows = transaction(conn, async |conn| {
        let identities = analysis::identities(conn, id).await?;
        exposure::record(conn, scope.caller.account_id, &identities, scope.now).await?;
        analysis::analyse(conn, id, after, page.fetch()).await
    })
    .await?;
    request.reply(&page.page(rows, |row| row.0, |row| row.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_unit_is_not_to_be_had_by_subtraction() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);

        assert!(tells_of_others(b, &[(a, 3), (b, 9), (c, 20)]));
        assert!(!tells_of_others(c, &[(a, 3), (b, 9), (c, 20)]));
        assert!(!tells_of_others(b, &[(a, 4), (c, 4), (b, 9)]));
        assert!(!tells_of_others(a, &[(a, 9), (b, 20)]));
    }
}
