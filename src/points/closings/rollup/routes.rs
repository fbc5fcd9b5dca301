//! The roll-up of closings over HTTP: by unit directly below, as pages and as files.

use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Csv, Html, Reply, Xlsx};
use crate::kernel::security::access::needs::{ExportBoard, ReadBoard};
use crate::kernel::sheet::{ColumnKind, Sheet, Value};
use crate::organisation::units;
use crate::points::board::{Summary, in_words};

use super::super::export::{ReportKind, column, file, percent, record};
use super::super::target::OnMonth;
use super::store::{self, ChildTotals, ClosingTotals};

/// Most units of one file.
const MOST: i64 = 20_000;

/// The closings of a unit directly below.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedChild {
    /// The unit.
    unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Đảng bộ phường Bình Minh")]
    name: String,
    /// Its kind.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "grassroots_committee")]
    kind: String,
    /// Cells that had members on the last day of the month.
    #[schema(minimum = 0, maximum = 1_000_000, example = 7)]
    cells: i64,
    /// Those of them whose month is closed.
    #[schema(minimum = 0, maximum = 1_000_000, example = 6)]
    closed: i64,
    /// The counts of the closed cells.
    summary: Summary,
}

/// The closings below a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosingSummary {
    /// The month.
    period: Period,
    /// Cells that had members on the last day of the month.
    #[schema(minimum = 0, maximum = 1_000_000, example = 4300)]
    cells: i64,
    /// Those of them whose month is closed.
    #[schema(minimum = 0, maximum = 1_000_000, example = 4251)]
    closed: i64,
    /// The counts of the closed cells.
    summary: Summary,
    /// The units directly below, by name.
    #[schema(max_items = 200)]
    items: Vec<ClosedChild>,
    /// Where the next page begins; null on the last one.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    next_cursor: Option<String>,
}

fn child(row: ChildTotals) -> ClosedChild {
    ClosedChild {
        unit_id: row.id,
        name: row.name,
        kind: row.kind,
        cells: row.totals.cells,
        closed: row.totals.closed,
        summary: row.totals.counts.into(),
    }
}

/// Get the closings below a unit
///
/// How many cells of the unit, and of each unit directly below it, have closed the month, and the sums of what they closed.
/// Late corrections are not in it. The tree is that of the last day of the month.
#[utoipa::path(tag = "Closings", security(("bearer" = []), ("oauth2" = ["units:read"])), params(("unit_id" = Uuid, Path, description = "The unit."),
    ("period" = Period, Path, description = "The month."), PageQuery))]
#[get("/units/{unit_id}/closing-summaries/{period}")]
pub async fn get_closing_summary(
    mut request: ReadRequest<OnMonth<ReadBoard>>,
    page: Query<PageQuery>,
) -> Result<Reply<ClosingSummary>, Problem> {
    let (unit_id, period) = (request.scope.on.unit_id, request.scope.on.period);
    let totals = store::totals(&mut request.conn, unit_id, period).await?;
    let rows = store::children(&mut request.conn, unit_id, period, page.0.after()?, page.0.fetch()).await?;
    let shown: Page<ClosedChild> = page.0.page(rows, |row| (row.name.clone(), row.id), child);
    request.reply(&ClosingSummary {
        period,
        cells: totals.cells,
        closed: totals.closed,
        summary: totals.counts.into(),
        items: shown.items,
        next_cursor: shown.next_cursor,
    })
}

/// Export the closings below a unit as XLSX
///
/// A row for each unit directly below. Recorded in the audit log.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The unit."),
    ("period" = Period, Path, description = "The month.")))]
#[get("/units/{unit_id}/closing-summaries/{period}/export.xlsx")]
pub async fn export_summary_xlsx(request: ReadRequest<OnMonth<ExportBoard>>) -> Result<Reply<Xlsx>, Problem> {
    answer(request, ReportKind::Xlsx).await
}

/// Export the closings below a unit as CSV
///
/// A row for each unit directly below, in UTF-8 with a byte order mark. Recorded in the audit log.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The unit."),
    ("period" = Period, Path, description = "The month.")))]
#[get("/units/{unit_id}/closing-summaries/{period}/export.csv")]
pub async fn export_summary_csv(request: ReadRequest<OnMonth<ExportBoard>>) -> Result<Reply<Csv>, Problem> {
    answer(request, ReportKind::Csv).await
}

/// Export the closings below a unit as a page
///
/// A page in Vietnamese that prints well on A4 and loads nothing from elsewhere. Recorded in the audit log.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The unit."),
    ("period" = Period, Path, description = "The month.")))]
#[get("/units/{unit_id}/closing-summaries/{period}/export.html")]
pub async fn export_summary_page(request: ReadRequest<OnMonth<ExportBoard>>) -> Result<Reply<Html>, Problem> {
    answer(request, ReportKind::Page).await
}

async fn answer<T>(mut request: ReadRequest<OnMonth<ExportBoard>>, kind: ReportKind) -> Result<Reply<T>, Problem> {
    let (unit_id, period) = (request.scope.on.unit_id, request.scope.on.period);
    let totals = store::totals(&mut request.conn, unit_id, period).await?;
    let rows = store::children(&mut request.conn, unit_id, period, None, MOST + 1).await?;
    if rows.len() > usize::try_from(MOST).unwrap_or(usize::MAX) {
        return Err(Problem::with(
            Code::RuleNotMet,
            format!("Mỗi tệp chứa tối đa {MOST} đơn vị."),
            format!("A file holds at most {MOST} units."),
        ));
    }
    let name = units::name(&mut request.conn, unit_id).await?;
    record(&mut request, "closings.exported", unit_id, kind.extension()).await?;
    file(sheet(&name, period, totals, rows), &format!("tong-hop-chot-{period}"), kind).await
}

fn sheet(name: &str, period: Period, totals: ClosingTotals, rows: Vec<ChildTotals>) -> Sheet {
    let summary: Summary = totals.counts.into();
    let headers = vec![
        column("STT", 6.0, ColumnKind::Number),
        column("Đơn vị", 34.0, ColumnKind::Text),
        column("Chi bộ", 8.0, ColumnKind::Number),
        column("Đã chốt", 8.0, ColumnKind::Number),
        column("Đảng viên", 9.0, ColumnKind::Number),
        column("Tính chỉ tiêu", 9.0, ColumnKind::Number),
        column("Đạt", 8.0, ColumnKind::Number),
        column("Tỷ lệ", 9.0, ColumnKind::Number),
    ];
    let cells = rows.into_iter().map(child).zip(1..).map(|(row, number)| {
        vec![
            Value::Integer(number),
            Value::Text(row.name),
            Value::Integer(row.cells),
            Value::Integer(row.closed),
            Value::Integer(row.summary.members),
            Value::Integer(row.summary.counted),
            Value::Integer(row.summary.met),
            row.summary.rate.map_or(Value::Empty, Value::Ratio),
        ]
    });
    Sheet {
        title_lines: vec![
            name.to_uppercase(),
            format!("TỔNG HỢP CHỐT ĐIỂM THÁNG {}", in_words(period)),
            format!(
                "Đã chốt: {}/{} chi bộ; đảng viên: {}; tính chỉ tiêu: {}; đạt: {} ({})",
                totals.closed,
                totals.cells,
                summary.members,
                summary.counted,
                summary.met,
                percent(summary.rate)
            ),
        ],
        headers,
        rows: cells.collect(),
        footer: vec![
            "Số liệu cộng từ các báo cáo chốt đã ký của từng chi bộ, không gồm điều chỉnh sau khi chốt.".to_owned(),
        ],
        landscape: false,
    }
}
