//! The board of a month's documents over HTTP, and as a file.

use actix_web::{HttpResponse, get};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::extract::{Query, ReadRequest, Scope};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Reply, Xlsx};
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::ReadReadership;
use crate::kernel::security::audit;
use crate::kernel::sheet::{Column, ColumnKind, Sheet, Value, to_xlsx};
use crate::organisation::OnUnit;
use crate::points::PeriodQuery;

use super::board::{self, BoardDocument, BoardOfDocuments};

/// Documents of one file.
const MOST: i64 = 5000;

/// A document and how far the members of a unit are with it. Figures are null where they would tell of fewer than five persons.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DocumentBoardItem)]
pub struct ReadershipItem {
    /// The document.
    document_id: Uuid,
    /// The unit that owns it.
    unit_id: Uuid,
    /// Its symbol as printed.
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    symbol: String,
    /// What it is about.
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    title: String,
    /// `published` or `superseded`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "published")]
    state: String,
    /// The last day on which it should be read; null when it need not be.
    must_read_by: Option<NaiveDate>,
    /// When it was published.
    published_at: DateTime<Utc>,
    /// Members of the unit whom it reaches today, without the exempt and the excused.
    #[schema(minimum = 0, maximum = 10_000_000, example = 25)]
    counted: Option<i64>,
    /// How many of them have opened it.
    #[schema(minimum = 0, maximum = 10_000_000, example = 20)]
    opened: Option<i64>,
    /// How many of them have finished reading it.
    #[schema(minimum = 0, maximum = 10_000_000, example = 18)]
    read: Option<i64>,
    /// How many of them have confirmed it.
    #[schema(minimum = 0, maximum = 10_000_000, example = 12)]
    acknowledged: Option<i64>,
    /// `read` of `counted`, between 0 and 1.
    #[schema(minimum = 0, maximum = 1, example = 0.72)]
    share_read: Option<f64>,
}

impl From<BoardDocument> for ReadershipItem {
    fn from(row: BoardDocument) -> Self {
        let shown = |figure: i64| (!row.withheld).then_some(figure);
        Self {
            document_id: row.id,
            unit_id: row.unit_id,
            must_read_by: row.must_read_by,
            published_at: row.published_at,
            counted: shown(row.counted),
            opened: shown(row.opened),
            read: shown(row.read),
            acknowledged: shown(row.acknowledged),
            share_read: (!row.withheld).then(|| f64::from(row.share) / 1_000_000.0),
            symbol: row.symbol,
            title: row.title,
            state: row.state,
        }
    }
}

fn wanted(scope: &Scope<(), OnUnit<ReadReadership>>, period: &PeriodQuery) -> Result<BoardOfDocuments, Problem> {
    let (day, path) = (day_of(scope.now), scope.on.path.as_slice());
    let above = path.get(1..).filter(|above| scope.caller.may(above, Permission::ReadReadership));
    let lists_members = scope.caller.may(path, Permission::ListMembers);
    Ok(BoardOfDocuments {
        unit_id: scope.on.unit_id,
        above: above.and_then(|above| above.first().copied()).filter(|_| !lists_members),
        period: period.resolve(day)?,
        day,
        lists_members,
    })
}

/// Get the readership board of a unit
///
/// The documents published in a month that reach members of the unit or of units below it, those that the smallest share has read
/// first: counts of the members whom each reaches, who opened, finished and confirmed it. For those who may not list members,
/// figures of fewer than five persons are null, and so are those from which they could be had by subtraction.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."), PeriodQuery, PageQuery))]
#[get("/units/{unit_id}/document-readership")]
pub async fn get_readership_board(
    mut request: ReadRequest<OnUnit<ReadReadership>>,
    period: Query<PeriodQuery>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<ReadershipItem>>, Problem> {
    let Query(page) = page;
    let wanted = wanted(&request.scope, &period.0)?;
    let rows = board::documents(&mut request.conn, &wanted, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| (row.share, row.id), ReadershipItem::from))
}

/// Export the readership board of a unit
///
/// The same as an XLSX file, at most 5,000 documents. Recorded in the audit log.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit."), PeriodQuery))]
#[get("/units/{unit_id}/document-readership/export")]
pub async fn export_readership_board(
    mut request: ReadRequest<OnUnit<ReadReadership>>,
    period: Query<PeriodQuery>,
) -> Result<Reply<Xlsx>, Problem> {
    let wanted = wanted(&request.scope, &period.0)?;
    let rows = board::documents(&mut request.conn, &wanted, None, MOST).await?;
    let event = audit::AuditEvent {
        unit_id: Some(wanted.unit_id),
        details: json!({"rows": rows.len(), "period": wanted.period}),
        ..request.scope.audit("document.readership_exported", "unit", wanted.unit_id)
    };
    audit::record(&mut request.conn, event, request.scope.now).await?;
    let sheet = sheet(rows.into_iter().map(ReadershipItem::from).collect(), &wanted);
    let file = tokio::task::spawn_blocking(move || to_xlsx(&sheet)).await.map_err(Problem::internal)?;
    let response = HttpResponse::Ok()
        .content_type("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        .insert_header(("Content-Disposition", "attachment; filename=\"document-readership.xlsx\""))
        .insert_header(("Cache-Control", "private, no-store"))
        .body(file.map_err(Problem::internal)?);
    Ok(Reply::of(response))
}

fn sheet(items: Vec<ReadershipItem>, wanted: &BoardOfDocuments) -> Sheet {
    let column = |title: &str, width: f64, kind| Column { title: title.to_owned(), width, kind };
    let number = |figure: Option<i64>| figure.map_or(Value::Empty, Value::Integer);
    Sheet {
        title_lines: vec![format!("Tình hình đọc tài liệu ban hành trong tháng {}", wanted.period)],
        headers: vec![
            column("Ký hiệu", 14.0, ColumnKind::Text),
            column("Trích yếu", 60.0, ColumnKind::Text),
            column("Hạn đọc", 12.0, ColumnKind::Centred),
            column("Số đảng viên", 12.0, ColumnKind::Number),
            column("Đã mở", 10.0, ColumnKind::Number),
            column("Đã đọc", 10.0, ColumnKind::Number),
            column("Đã xác nhận", 12.0, ColumnKind::Number),
            column("Tỷ lệ đọc", 10.0, ColumnKind::Number),
        ],
        rows: items
            .into_iter()
            .map(|item| {
                vec![
                    Value::Text(item.symbol),
                    Value::Text(item.title),
                    item.must_read_by.map_or(Value::Empty, Value::Date),
                    number(item.counted),
                    number(item.opened),
                    number(item.read),
                    number(item.acknowledged),
                    item.share_read.map_or(Value::Empty, Value::Ratio),
                ]
            })
            .collect(),
        footer: Vec::new(),
        landscape: true,
    }
}
