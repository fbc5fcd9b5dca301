//! Exports of a closed month: verifiable JSON, spreadsheets, a printable page. Each is audited.

mod page;

use actix_web::http::header::{self};
use actix_web::{HttpResponse, get};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::{Period, VIET_NAM};
use crate::kernel::db::transaction;
use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Csv, Html, Reply, Saved, Xlsx};
use crate::kernel::security::access::needs::ExportBoard;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::to_text;
use crate::kernel::sheet::{Column, ColumnKind, Sheet, Value, to_csv, to_xlsx};
use crate::points::board::{Summary, in_vietnamese, in_words};

use super::keys;
use super::model::{ClosedRow, ClosingReport, hex};
use super::routes::GenerationQuery;
use super::store::{self, StoredClosing};
use super::target::OnMonth;

/// Requested file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    Xlsx,
    Csv,
    Page,
}

/// Export a closed month as a file that can be verified
///
/// The signed manifest, every row, the signature and the key: with `sotay verify-report` and the keys published at
/// `/.well-known/report-keys.json` anyone finds out offline whether and which row was changed. Recorded in the audit log.
///
/// The SHA-256 of each row and the signature are over the *canonical form* of the row and the manifest: JSON in UTF-8 without
/// whitespace; the fields of each object in the canonical order that its schema states, all of them, absent values as
/// `null`; whole numbers only; text in Unicode NFC, in which `"` and `\` are escaped by a backslash, control characters
/// below U+0020 as `\b`, `\t`, `\n`, `\f`, `\r` or else as `\u00` and two lower-case hexadecimal digits, and nothing
/// else. Ids, times and hashes are strings, written as in the file.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."),
    ("period" = Period, Path, description = "The month."), GenerationQuery))]
#[get("/units/{unit_id}/closings/{period}/export.json")]
pub async fn export_closing_report(
    mut request: ReadRequest<OnMonth<ExportBoard>>,
    query: Query<GenerationQuery>,
) -> Result<Reply<Saved<ClosingReport>>, Problem> {
    let (unit_id, period) = (request.scope.on.unit_id, request.scope.on.period);
    let closing = store::of_month(&mut request.conn, unit_id, period, query.0.generation).await?;
    let key = keys::public(&mut request.conn, &closing.kid).await?;
    let rows = store::rows_of(&mut request.conn, &[closing.id]).await?.remove(&closing.id).unwrap_or_default();
    record(&mut request, "closing.exported", closing.id, "json").await?;
    let report = ClosingReport {
        manifest: serde_json::from_str(&closing.manifest).map_err(Problem::internal)?,
        rows,
        signature: to_text(&closing.signature),
        key,
    };
    let name = attachment(&format!("chot-{period}"), "json");
    Ok(request.reply(&report)?.with((header::CONTENT_DISPOSITION, name)).described_as())
}

/// Export a closed month as XLSX
///
/// The closed points of each member and those of today, with the hash, the key and the signature of the manifest. Recorded in
/// the audit log.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."),
    ("period" = Period, Path, description = "The month."), GenerationQuery))]
#[get("/units/{unit_id}/closings/{period}/export.xlsx")]
pub async fn export_closing_xlsx(
    request: ReadRequest<OnMonth<ExportBoard>>,
    query: Query<GenerationQuery>,
) -> Result<Reply<Xlsx>, Problem> {
    answer(request, query.0, ReportKind::Xlsx).await
}

/// Export a closed month as CSV
///
/// The closed points of each member and those of today, in UTF-8 with a byte order mark. Recorded in the audit log.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."),
    ("period" = Period, Path, description = "The month."), GenerationQuery))]
#[get("/units/{unit_id}/closings/{period}/export.csv")]
pub async fn export_closing_csv(
    request: ReadRequest<OnMonth<ExportBoard>>,
    query: Query<GenerationQuery>,
) -> Result<Reply<Csv>, Problem> {
    answer(request, query.0, ReportKind::Csv).await
}

/// Export a closed month as a page
///
/// A page in Vietnamese that prints well on A4, with the hash, the key and the signature of the manifest; it loads nothing
/// from elsewhere. Recorded in the audit log.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."),
    ("period" = Period, Path, description = "The month."), GenerationQuery))]
#[get("/units/{unit_id}/closings/{period}/export.html")]
pub async fn export_closing_page(
    request: ReadRequest<OnMonth<ExportBoard>>,
    query: Query<GenerationQuery>,
) -> Result<Reply<Html>, Problem> {
    answer(request, query.0, ReportKind::Page).await
}

async fn answer<T>(
    mut request: ReadRequest<OnMonth<ExportBoard>>,
    query: GenerationQuery,
    kind: ReportKind,
) -> Result<Reply<T>, Problem> {
    let (unit_id, period) = (request.scope.on.unit_id, request.scope.on.period);
    let closing = store::of_month(&mut request.conn, unit_id, period, query.generation).await?;
    let rows = store::rows_of(&mut request.conn, &[closing.id]).await?.remove(&closing.id).unwrap_or_default();
    let members: Vec<Uuid> = rows.iter().map(|row| row.member_id).collect();
    let corrected = store::corrected(&mut request.conn, &members, period).await?;
    let today = |row: &ClosedRow| corrected.get(&row.member_id).copied().unwrap_or(0);
    let id = closing.id;
    let sheet = sheet(closing, period, &rows, today)?;
    record(&mut request, "closing.exported", id, kind.extension()).await?;
    file(sheet, &format!("chot-{period}"), kind).await
}

/// Records the export in the audit log.
pub async fn record(
    request: &mut ReadRequest<OnMonth<ExportBoard>>,
    action: &'static str,
    object_id: Uuid,
    format: &str,
) -> Result<(), Problem> {
    let scope = &request.scope;
    let kind = if object_id == scope.on.unit_id { "unit" } else { "closing" };
    transaction(&mut request.conn, async |conn| {
        let event = audit::AuditEvent {
            unit_id: Some(scope.on.unit_id),
            details: json!({"period": scope.on.period, "format": format}),
            ..scope.audit(action, kind, object_id)
        };
        audit::record(conn, event, scope.now).await
    })
    .await
}

impl ReportKind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Page => "text/html; charset=utf-8",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
            Self::Page => "html",
        }
    }
}

/// The header that names a file to be saved.
pub fn attachment(stem: &str, extension: &str) -> String {
    format!("attachment; filename=\"{stem}.{extension}\"")
}

/// The table as a file of the kind.
pub async fn file<T>(sheet: Sheet, stem: &str, kind: ReportKind) -> Result<Reply<T>, Problem> {
    if kind == ReportKind::Page {
        return Ok(Reply::of(page::respond(&sheet)));
    }
    let mut response = HttpResponse::Ok();
    response.content_type(kind.media_type());
    let bytes = match kind {
        ReportKind::Xlsx => tokio::task::spawn_blocking(move || to_xlsx(&sheet))
            .await
            .map_err(Problem::internal)?
            .map_err(Problem::internal)?,
        _ => to_csv(&sheet),
    };
    response.insert_header((header::CONTENT_DISPOSITION, attachment(stem, kind.extension())));
    Ok(Reply::of(response.body(bytes)))
}

pub fn column(title: &str, width: f64, kind: ColumnKind) -> Column {
    Column { title: title.to_owned(), width, kind }
}

/// A share as a percentage in Vietnamese notation.
pub fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1}%", rate * 100.0).replace('.', ","))
}

/// Lines above the rows: cell and month, figures, how and when it was closed.
fn title_lines(closing: &StoredClosing, unit_name: &str, period: Period) -> Vec<String> {
    let Summary { members, counted, exempt, excused, met, rate } = closing.counts.clone().into();
    let closed_at = closing.closed_at.with_timezone(&VIET_NAM).format("%H:%M ngày %d/%m/%Y");
    let how = if closing.closed_by.is_some() { "bí thư chốt" } else { "tự động chốt" };
    vec![
        unit_name.to_uppercase(),
        format!("BÁO CÁO CHỐT ĐIỂM THÁNG {}", in_words(period)),
        format!(
            "Tổng số: {members} đảng viên; tính chỉ tiêu: {counted}; miễn sinh hoạt: {exempt}; được miễn trong tháng: {excused}; đạt: {met} ({})",
            percent(rate)
        ),
        format!("Lần chốt {}, {how} lúc {closed_at}", closing.generation),
    ]
}

fn sheet(
    closing: StoredClosing,
    period: Period,
    rows: &[ClosedRow],
    today: impl Fn(&ClosedRow) -> i32,
) -> Result<Sheet, Problem> {
    let manifest: super::model::ClosingManifest = serde_json::from_str(&closing.manifest).map_err(Problem::internal)?;
    let headers = vec![
        column("STT", 6.0, ColumnKind::Number),
        column("Họ và tên", 30.0, ColumnKind::Text),
        column("Điểm đã chốt", 10.0, ColumnKind::Number),
        column("Sau điều chỉnh", 11.0, ColumnKind::Number),
        column("Chỉ tiêu", 9.0, ColumnKind::Number),
        column("Kết quả", 16.0, ColumnKind::Centred),
    ];
    let cells = rows.iter().map(|row| {
        vec![
            Value::Integer(row.position.into()),
            Value::Text(row.full_name.clone()),
            Value::Integer(row.points.into()),
            Value::Integer(today(row).into()),
            Value::Integer(row.threshold.into()),
            Value::Text(in_vietnamese(row.status).to_owned()),
        ]
    });
    Ok(Sheet {
        title_lines: title_lines(&closing, &manifest.unit_name, period),
        headers,
        rows: cells.collect(),
        footer: vec![
            format!("Mã băm bản kê (SHA-256): {}", hex(&closing.manifest_hash)),
            format!("Khóa: {}", closing.kid),
            format!("Chữ ký (Ed25519): {}", to_text(&closing.signature)),
            "Kiểm tra: tải tệp export.json của báo cáo này và khóa tại /.well-known/report-keys.json, rồi chạy sotay verify-report."
                .to_owned(),
        ],
        landscape: false,
    })
}
