//! Readings of a unit over HTTP: the list, the file, the reminder.

use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Reply, Xlsx};
use crate::kernel::outbox;
use crate::kernel::security::access::needs::{ExportBoard, ReadBoard, SendReminders};
use crate::kernel::security::audit;
use crate::kernel::sheet::{Column, ColumnKind, Sheet, Value, to_xlsx};
use crate::organisation::OnUnit;

use super::store::{self, ReadingRow, ReadingsQuery};

/// Rows of a file, and members reminded by one request.
const MOST: i64 = 10_000;

/// Which readings are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadingQuery {
    /// Only those whose last day is over and that the member has not confirmed, or not read where only a unit asks for it.
    #[serde(default)]
    #[param(nullable = false, default = false)]
    overdue: bool,
    /// Only those of this document.
    #[param(nullable = false)]
    document_id: Option<Uuid>,
}

/// Who has to read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingMember {
    /// The member.
    id: Uuid,
    /// Their name.
    #[schema(max_length = 200, example = "Nguyễn Văn An")]
    full_name: String,
}

/// What is to be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingDocument {
    /// The document.
    id: Uuid,
    /// Its symbol as printed.
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    symbol: String,
    /// What it is about.
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    title: String,
}

/// A member and a document that they have to read.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberReading {
    /// Who.
    member: ReadingMember,
    /// What.
    document: ReadingDocument,
    /// The last day for this member: that of the document or an earlier one of a unit of theirs, and at least seven days after the
    /// member joined.
    must_read_by: NaiveDate,
    /// `unopened`, `opened`, `reading`, `read` or `acknowledged`.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "opened")]
    state: String,
    /// Whether the last day is over and it is not confirmed; where only a unit asks for it, not read.
    overdue: bool,
}

impl From<ReadingRow> for MemberReading {
    fn from(row: ReadingRow) -> Self {
        Self {
            member: ReadingMember { id: row.member_id, full_name: row.full_name },
            document: ReadingDocument { id: row.document_id, symbol: row.symbol, title: row.title },
            must_read_by: row.must_read_by,
            state: row.state,
            overdue: row.overdue,
        }
    }
}

/// List readings of a unit
///
/// The members of a unit and everything below it with each document that they have to read, the oldest day first. Recorded in the
/// audit log. For those who see the unit's board by name.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery, ReadingQuery))]
#[get("/units/{unit_id}/readings")]
pub async fn list_unit_readings(
    mut request: ReadRequest<OnUnit<ReadBoard>>,
    page: Query<PageQuery>,
    query: Query<ReadingQuery>,
) -> Result<Reply<Page<MemberReading>>, Problem> {
    let (Query(page), Query(query)) = (page, query);
    let unit_id = request.scope.on.unit_id;
    let wanted = ReadingsQuery {
        unit_id,
        overdue: query.overdue,
        document_id: query.document_id,
        after: page.after()?,
        fetch: page.fetch(),
    };
    let rows = store::list(&mut request.conn, wanted, request.scope.now).await?;
    let event = audit::AuditEvent {
        unit_id: Some(unit_id),
        ..request.scope.audit("document.readings_listed", "unit", unit_id)
    };
    audit::record(&mut request.conn, event, request.scope.now).await?;
    let key = |row: &ReadingRow| (row.must_read_by, row.document_id, row.member_id);
    request.reply(&page.page(rows, key, MemberReading::from))
}

/// Export readings of a unit
///
/// The same as an XLSX file, at most 10,000 rows. Recorded in the audit log.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."), ReadingQuery))]
#[get("/units/{unit_id}/readings/export")]
pub async fn export_unit_readings(
    mut request: ReadRequest<OnUnit<ExportBoard>>,
    query: Query<ReadingQuery>,
) -> Result<Reply<Xlsx>, Problem> {
    let unit_id = request.scope.on.unit_id;
    let wanted =
        ReadingsQuery { unit_id, overdue: query.0.overdue, document_id: query.0.document_id, after: None, fetch: MOST };
    let rows = store::list(&mut request.conn, wanted, request.scope.now).await?;
    let event = audit::AuditEvent {
        unit_id: Some(unit_id),
        details: json!({"rows": rows.len()}),
        ..request.scope.audit("document.readings_exported", "unit", unit_id)
    };
    audit::record(&mut request.conn, event, request.scope.now).await?;
    let file = tokio::task::spawn_blocking(move || to_xlsx(&sheet(rows))).await.map_err(Problem::internal)?;
    let file = file.map_err(Problem::internal)?;
    let response = HttpResponse::Ok()
        .content_type("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        .insert_header(("Content-Disposition", "attachment; filename=\"readings.xlsx\""))
        .insert_header(("Cache-Control", "private, no-store"))
        .body(file);
    Ok(Reply::of(response))
}

fn sheet(rows: Vec<ReadingRow>) -> Sheet {
    let column = |title: &str, width: f64, kind| Column { title: title.to_owned(), width, kind };
    let state = |state: &str| match state {
        "acknowledged" => "Đã xác nhận",
        "read" => "Đã đọc",
        "reading" => "Đang đọc",
        "opened" => "Đã mở",
        _ => "Chưa mở",
    };
    Sheet {
        title_lines: vec!["Tình hình đọc tài liệu bắt buộc".to_owned()],
        headers: vec![
            column("Họ và tên", 28.0, ColumnKind::Text),
            column("Ký hiệu", 14.0, ColumnKind::Text),
            column("Trích yếu", 60.0, ColumnKind::Text),
            column("Hạn đọc", 12.0, ColumnKind::Centred),
            column("Trạng thái", 14.0, ColumnKind::Centred),
            column("Quá hạn", 10.0, ColumnKind::Centred),
        ],
        rows: rows
            .into_iter()
            .map(|row| {
                vec![
                    Value::Text(row.full_name),
                    Value::Text(row.symbol),
                    Value::Text(row.title),
                    Value::Date(row.must_read_by),
                    Value::Text(state(&row.state).to_owned()),
                    if row.overdue { Value::Text("x".to_owned()) } else { Value::Empty },
                ]
            })
            .collect(),
        footer: Vec::new(),
        landscape: true,
    }
}

/// A reminder to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingReminderIn {
    /// The document; all overdue ones when it is left out.
    #[schema(nullable = false)]
    document_id: Option<Uuid>,
}

/// How many members were reminded; their names are not disclosed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingReminders {
    /// Members who get a reminder now.
    #[schema(minimum = 0, maximum = 1_000_000, example = 7)]
    reminded: usize,
    /// Reminders that were left out, because the member had one for the document today.
    #[schema(minimum = 0, maximum = 1_000_000, example = 2)]
    already_reminded: usize,
}

/// Remind members of overdue documents
///
/// Sends a private notification to each member of the unit for whom a document is overdue: at most one a day, member and document,
/// regardless of the sender.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit.")),
    request_body = ReadingReminderIn)]
#[post("/units/{unit_id}/reading-reminders")]
pub async fn send_reading_reminders(
    request: WriteRequest<ReadingReminderIn, OnUnit<SendReminders>>,
) -> Result<Reply<ReadingReminders>, Problem> {
    request
        .commit(async |conn, scope| {
            let unit_id = scope.on.unit_id;
            let wanted =
                ReadingsQuery { unit_id, overdue: true, document_id: scope.body.document_id, after: None, fetch: MOST };
            let rows = store::list(conn, wanted, scope.now).await?;
            let done = remind(conn, &rows, scope.caller.account_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(unit_id),
                details: json!({"reminded": done.reminded}),
                ..scope.audit("document.reminders_sent", "unit", unit_id)
            };
            audit::record(conn, event, scope.now).await?;
            Ok(done)
        })
        .await
}

async fn remind(
    conn: &mut Conn,
    rows: &[ReadingRow],
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<ReadingReminders, Problem> {
    let mut done = ReadingReminders { reminded: 0, already_reminded: 0 };
    for of_one in rows.chunk_by(|a, b| a.document_id == b.document_id) {
        let document_id = of_one[0].document_id;
        let members: Vec<Uuid> = of_one.iter().map(|row| row.member_id).collect();
        let fresh = store::note_reminders(conn, (document_id, &members), by, now).await?;
        outbox::tell(conn, "document_reminder", &fresh, &json!({"document_id": document_id}), now).await?;
        done.reminded += fresh.len();
        done.already_reminded += members.len() - fresh.len();
    }
    Ok(done)
}
