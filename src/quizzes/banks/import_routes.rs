//! Question files over HTTP: in, and out again.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::kernel::clock::day_of;
use crate::kernel::db::transaction;
use crate::kernel::extract::{MediaType, Query, ReadRequest, Upload, is_any_file};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply::{AnyFile, Reply};
use crate::kernel::ids::new_id;
use crate::kernel::security::audit;
use crate::organisation::units;
use crate::points::question_review;
use crate::quizzes::exposure;
use crate::quizzes::formats::{self, Format, ImportedOption, ImportedQuestion, Kind, Place};

use super::file;
use super::import::{QuestionImportReport, identity_of, import};
use super::review;
use super::store::{self, QuestionRow};
use super::target::OnBank;

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/// Questions of an export.
const MOST: i64 = 20_000;

/// A file of questions.
pub struct QuestionFile;

impl MediaType for QuestionFile {
    const NAME: &'static str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    const OTHERS: &'static [&'static str] = &[DOCX, "text/plain", "application/xml", "text/xml"];
    const BYTES: usize = 20 << 20;
}

/// The format of a question file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionFormat {
    Xlsx,
    Docx,
    Aiken,
    Gift,
    MoodleXml,
}

impl From<QuestionFormat> for Format {
    fn from(format: QuestionFormat) -> Self {
        match format {
            QuestionFormat::Xlsx => Self::Xlsx,
            QuestionFormat::Docx => Self::Docx,
            QuestionFormat::Aiken => Self::Aiken,
            QuestionFormat::Gift => Self::Gift,
            QuestionFormat::MoodleXml => Self::MoodleXml,
        }
    }
}

/// How a file is read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuestionImportQuery {
    /// Compare only and write nothing.
    #[serde(default = "yes")]
    #[param(nullable = false, default = true)]
    dry_run: bool,
    /// The format, for `text/plain` (`aiken` or `gift`) and `application/octet-stream`.
    #[param(inline, nullable = false)]
    format: Option<QuestionFormat>,
}

fn yes() -> bool {
    true
}

/// Import questions
///
/// Reads a file of at most 20 MiB: Excel, Word (.docx), Moodle XML, or text as Aiken or GIFT by `format`. All of it comes in, or
/// nothing when anything is wrong, and then `errors` names every fault with its place. What has two readings is a fault, never a
/// guess; kinds of questions that banks do not have are named in `notices` and skipped. A question is the same as another when its
/// text and the set of its options are; with another key or other details it gets a new version. Without `dry_run=false` nothing
/// is written. Each import and each dry run is recorded: a person who has seen questions takes quizzes drawn from them as practice.
#[utoipa::path(tag = "Quizzes", params(("bank_id" = Uuid, Path, description = "The bank."), QuestionImportQuery),
    request_body(description = "The file.", content(
        ("application/octet-stream"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("text/plain"), ("application/xml"), ("text/xml"))),
    extensions(("x-body-bytes" = json!(20_971_520))),
    responses((status = 422, description = "The file has faults, or cannot be read (`file_unreadable`, `questions_faulty`).")))]
#[post("/question-banks/{bank_id}/imports")]
pub async fn import_questions(
    req: HttpRequest,
    upload: Upload<QuestionFile, OnBank>,
    query: Query<QuestionImportQuery>,
) -> Result<Reply<QuestionImportReport>, Problem> {
    let Query(query) = query;
    let format = format_of(&req, query.format)?;
    let state = upload.scope.state.clone();
    let reading = file::read(&state.config, format, &upload.scope.body).await?;
    let (account, now) = (upload.scope.caller.account_id, upload.scope.now);
    // Recorded even when nothing is imported: what a dry run shows has been seen.
    let identities: Vec<Vec<u8>> = reading.questions.iter().map(identity_of).collect();
    state.db.transaction(async |conn| exposure::record(conn, account, &identities, now).await).await?;
    if !reading.faults.is_empty() {
        return Err(file::faulty(&reading.faults));
    }
    let language = upload.scope.context.language;
    let call = upload.into_call().await?;
    call.commit_long(async |conn, scope| {
        let by = (language, scope.caller.account_id, scope.now);
        let path = units::last_path(conn, scope.on.unit_id, day_of(scope.now)).await?;
        let reviewed = !query.dry_run && question_review(conn, &path, scope.now).await?;
        let review_id = reviewed.then(|| new_id(scope.now));
        let mut report = import(conn, scope.on.bank_id, &reading, (query.dry_run, review_id), by).await?;
        if let Some(review_id) = review_id.filter(|_| report.written() > 0) {
            let proposer = (&scope.caller, Some(scope.context.request_id.as_str()));
            let review = (&scope.on, review_id);
            let decision = review::propose(conn, review, report.written(), proposer, scope.now).await?;
            report.review_decision_id = Some(decision);
        }
        let event = audit::AuditEvent {
            unit_id: Some(scope.on.unit_id),
            details: json!({"dry_run": query.dry_run, "questions": reading.questions.len()}),
            ..scope.audit("questions.imported", "question_bank", scope.on.bank_id)
        };
        audit::record(conn, event, scope.now).await?;
        Ok(report)
    })
    .await
}

/// The format that the sender names; text alone may be either of two.
fn format_of(req: &HttpRequest, named: Option<QuestionFormat>) -> Result<Format, Problem> {
    let header = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let by_type = match essence.as_str() {
        QuestionFile::NAME => Some(QuestionFormat::Xlsx),
        DOCX => Some(QuestionFormat::Docx),
        "application/xml" | "text/xml" => Some(QuestionFormat::MoodleXml),
        _ => None,
    };
    let fits = match (by_type, named) {
        (Some(by_type), Some(named)) => by_type == named,
        (None, Some(named)) if !is_any_file(&essence) => matches!(named, QuestionFormat::Aiken | QuestionFormat::Gift),
        _ => true,
    };
    by_type.or(named).filter(|_| fits).map(Format::from).ok_or_else(|| {
        let detail = text(
            "Hãy ghi format: aiken hoặc gift cho tệp văn bản, hoặc định dạng đúng với tệp.",
            "Name the format: aiken or gift for text, or the one that fits the file.",
        );
        Problem::malformed("format", "format", detail)
    })
}

/// Which format is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuestionExportQuery {
    /// The format.
    #[param(inline, nullable = false)]
    format: ExportFormat,
}

/// A format of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = QuestionExportFormat)]
pub enum ExportFormat {
    Xlsx,
    Aiken,
    Gift,
    MoodleXml,
}

impl ExportFormat {
    fn parts(self) -> (Format, &'static str, &'static str) {
        match self {
            Self::Xlsx => (Format::Xlsx, QuestionFile::NAME, "xlsx"),
            Self::Aiken => (Format::Aiken, "text/plain; charset=utf-8", "txt"),
            Self::Gift => (Format::Gift, "text/plain; charset=utf-8", "gift.txt"),
            Self::MoodleXml => (Format::MoodleXml, "application/xml; charset=utf-8", "xml"),
        }
    }
}

/// Export questions
///
/// The questions of the bank that are not retired, with their key. What the format cannot express is refused, question by question.
/// Recorded: the caller takes quizzes drawn from these questions as practice.
#[utoipa::path(tag = "Quizzes", params(("bank_id" = Uuid, Path, description = "The bank."), QuestionExportQuery),
    responses((status = 200, description = "The file.", content(("text/plain"), ("application/xml"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 422, description = "The format cannot express some of the questions.")))]
#[get("/question-banks/{bank_id}/export")]
pub async fn export_questions(
    mut request: ReadRequest<OnBank>,
    query: Query<QuestionExportQuery>,
) -> Result<Reply<AnyFile>, Problem> {
    let (format, media_type, extension) = query.0.format.parts();
    let (scope, conn) = (&request.scope, &mut request.conn);
    let bank_id = scope.on.bank_id;
    let rows = transaction(conn, async |conn| {
        let mut rows = store::questions(conn, bank_id, None, MOST).await?;
        rows.retain(|row| row.state != "retired");
        let identities: Vec<Vec<u8>> = rows.iter().map(|row| row.identity.clone()).collect();
        exposure::record(conn, scope.caller.account_id, &identities, scope.now).await?;
        let event = audit::AuditEvent {
            unit_id: Some(scope.on.unit_id),
            details: json!({"format": extension, "questions": rows.len()}),
            ..scope.audit("questions.exported", "question_bank", bank_id)
        };
        audit::record(conn, event, scope.now).await?;
        Ok::<_, Problem>(rows)
    })
    .await?;
    let questions: Vec<ImportedQuestion> = (1..).zip(&rows).map(exported).collect::<Result<_, _>>()?;
    let written = tokio::task::spawn_blocking(move || formats::write(format, &questions)).await;
    let bytes = written.map_err(Problem::internal)?.map_err(|faults| inexpressible(&faults))?;
    let disposition = format!("attachment; filename=\"cau-hoi.{extension}\"");
    let response = HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(bytes);
    Ok(Reply::of(response))
}

fn inexpressible(faults: &[formats::FormatFault]) -> Problem {
    let mut problem = file::faulty(faults);
    problem.detail = Some(text(
        format!("Định dạng này không viết được {} câu hỏi; hãy chọn định dạng khác.", faults.len()),
        format!("The format cannot express {} question(s); choose another.", faults.len()),
    ));
    problem
}

fn exported((number, row): (u32, &QuestionRow)) -> Result<ImportedQuestion, Problem> {
    let kind = match row.kind.as_str() {
        "multiple_choice" => Kind::MultipleChoice,
        "true_false" => Kind::TrueFalse,
        _ => Kind::SingleChoice,
    };
    let options = row.options()?.into_iter();
    Ok(ImportedQuestion {
        place: Place::question(number),
        kind,
        text: row.text.clone(),
        options: options.map(|option| ImportedOption { text: option.text, correct: option.correct }).collect(),
        explanation: row.explanation.clone(),
        topic: row.topic.clone(),
        difficulty: row.difficulty.and_then(|level| u8::try_from(level).ok()),
    })
}
