//! The threshold board as a spreadsheet file.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::{Conn, transaction};
use crate::kernel::extract::ReadRequest;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::needs::ExportBoard;
use crate::kernel::security::audit;
use crate::kernel::sheet::{Column, ColumnKind, Sheet, Value, to_csv, to_xlsx};
use crate::organisation::{OnUnit, units};
use crate::points::closings::ClosedFigure;
use crate::points::model::Status;

use super::standings::{self, BoardCounts, BoardStanding, BoardView};
use super::summary::{Summary, statuses};

/// Most members of one file; a larger unit exports its child units one by one.
const MOST: i64 = 20_000;

/// Requested file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportKind {
    Xlsx,
    Csv,
}

impl ExportKind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
        }
    }
}

/// Records the export in the audit log and returns the file.
///
/// # Errors
/// 422 when the unit has more members than a file may hold.
pub async fn answer<T>(
    mut request: ReadRequest<OnUnit<ExportBoard>>,
    view: BoardView,
    kind: ExportKind,
) -> Result<Reply<T>, Problem> {
    let today = day_of(request.scope.now);
    let read = async |conn: &mut Conn| {
        let rows = standings::page(conn, view, None, MOST + 1).await?;
        if rows.len() > usize::try_from(MOST).unwrap_or(usize::MAX) {
            return Err(Problem::with(
                Code::RuleNotMet,
                format!("Mỗi tệp chứa tối đa {MOST} đảng viên; hãy xuất theo từng đơn vị trực thuộc."),
                format!("A file holds at most {MOST} members; export the units below one by one."),
            ));
        }
        let summary: Summary = BoardCounts::of(&rows).into();
        let statuses = statuses(conn, &rows, view, today).await?;
        let closed = standings::closed(conn, &rows, view, today).await?;
        let name = units::name(conn, view.unit_id).await?;
        let with_unit = rows.iter().any(|row| row.unit_id != view.unit_id);
        let status = |row: &BoardStanding| statuses.get(&row.member_id).copied().unwrap_or(Status::Below);
        Ok(sheet(&name, view.period, &summary, &rows, with_unit, status, &closed))
    };
    let sheet = request.conn.long_transaction(read).await?;
    record(&mut request, view, kind, sheet.rows.len()).await?;
    let bytes = match kind {
        ExportKind::Csv => to_csv(&sheet),
        ExportKind::Xlsx => tokio::task::spawn_blocking(move || to_xlsx(&sheet))
            .await
            .map_err(Problem::internal)?
            .map_err(Problem::internal)?,
    };
    let response = HttpResponse::Ok()
        .content_type(kind.media_type())
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"diem-{}.{}\"", view.period, kind.extension()),
        ))
        .body(bytes);
    Ok(Reply::of(response))
}

async fn record(
    request: &mut ReadRequest<OnUnit<ExportBoard>>,
    view: BoardView,
    kind: ExportKind,
    rows: usize,
) -> Result<(), Problem> {
    let scope = &request.scope;
    transaction(&mut request.conn, async |conn| {
        let event = audit::AuditEvent {
            unit_id: Some(view.unit_id),
            details: json!({"period": view.period, "format": kind.extension(), "rows": rows}),
            ..scope.audit("points.exported", "unit", view.unit_id)
        };
        audit::record(conn, event, scope.now).await
    })
    .await
}

fn sheet(
    name: &str,
    period: Period,
    summary: &Summary,
    rows: &[BoardStanding],
    with_unit: bool,
    status: impl Fn(&BoardStanding) -> Status,
    closed: &BTreeMap<Uuid, ClosedFigure>,
) -> Sheet {
    let rows = rows.iter().zip(1..).map(|(row, number)| {
        let mut cells = vec![Value::Integer(number), Value::Text(row.full_name.clone())];
        if with_unit {
            cells.push(Value::Text(row.unit_name.clone()));
        }
        cells.extend([
            Value::Integer(row.points.into()),
            Value::Integer(row.threshold.into()),
            Value::Text(in_vietnamese(status(row)).to_owned()),
        ]);
        if !closed.is_empty() {
            cells.push(closed.get(&row.member_id).map_or(Value::Empty, |figure| Value::Integer(figure.points.into())));
        }
        cells
    });
    let percent = summary.rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1}%", rate * 100.0).replace('.', ","));
    Sheet {
        title_lines: vec![
            name.to_uppercase(),
            format!("ĐIỂM TÍCH LŨY THÁNG {}", in_words(period)),
            format!(
                "Tổng số: {} đảng viên; tính chỉ tiêu: {}; miễn sinh hoạt: {}; được miễn trong tháng: {}; đạt: {} ({percent})",
                summary.members, summary.counted, summary.exempt, summary.excused, summary.met
            ),
        ],
        headers: headers(with_unit, !closed.is_empty()),
        rows: rows.collect(),
        footer: Vec::new(),
        landscape: with_unit,
    }
}

fn headers(with_unit: bool, with_closed: bool) -> Vec<Column> {
    let column = |title: &str, width: f64, kind| Column { title: title.to_owned(), width, kind };
    let mut headers = vec![column("STT", 6.0, ColumnKind::Number), column("Họ và tên", 30.0, ColumnKind::Text)];
    if with_unit {
        headers.push(column("Chi bộ", 32.0, ColumnKind::Text));
    }
    headers.extend([
        column("Điểm", 9.0, ColumnKind::Number),
        column("Chỉ tiêu", 9.0, ColumnKind::Number),
        column("Kết quả", 16.0, ColumnKind::Centred),
    ]);
    if with_closed {
        headers.push(column("Đã chốt", 9.0, ColumnKind::Number));
    }
    headers
}

/// The month in Vietnamese notation.
pub fn in_words(period: Period) -> String {
    period.first_day().format("%m/%Y").to_string()
}

/// The status in Vietnamese.
pub fn in_vietnamese(status: Status) -> &'static str {
    match status {
        Status::Met => "Đạt",
        Status::OnTrack => "Có thể đạt",
        Status::AtRisk => "Có nguy cơ",
        Status::Below => "Chưa đạt",
        Status::Exempt => "Miễn sinh hoạt",
        Status::Excused => "Được miễn",
    }
}
