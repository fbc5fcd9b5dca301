//! The threshold board over HTTP.

use std::collections::HashSet;

use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Csv, Reply, Xlsx};
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::{ExportBoard, ReadBoard};
use crate::kernel::security::auth::AccountKind;
use crate::organisation::{OnUnit, units};
use crate::points::closings::ClosedFigure;
use crate::points::engine::store;
use crate::points::model::Status;
use crate::points::projection;
use crate::points::reads::mine::PeriodQuery;

use super::export::{self, ExportKind};
use super::standings::{self, BoardCounts, BoardView, ChildCounts};
use super::summary::{Summary, statuses};
use super::withheld;

/// Kinds of units small enough for their members to be counted at each request.
const COMPUTED_KINDS: [&str; 3] = ["cell", "sub_committee", "grassroots_committee"];

/// A member on a board.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BoardMember {
    /// Identifier.
    pub id: Uuid,
    /// Full name.
    #[schema(max_length = 100, example = "Nguyễn Văn An")]
    pub full_name: String,
}

/// A row of the board.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardRow {
    /// Who.
    pub member: BoardMember,
    /// The member's cell.
    pub unit_id: Uuid,
    /// Points of the month.
    #[schema(minimum = -10_000, maximum = 10_000, example = 27)]
    pub points: i32,
    /// The member's own threshold.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    pub threshold: i32,
    /// Whether it is smaller because the membership began during the month.
    pub prorated: bool,
    /// Where the member stands.
    pub status: Status,
    /// The month as it was closed; null while it is open.
    pub closed: Option<ClosedFigure>,
}

/// The threshold board of a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct Board {
    /// The month.
    pub period: Period,
    /// The unit's threshold before proration.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    pub threshold: i32,
    /// Counts of the whole unit, on every page.
    pub summary: Summary,
    /// Members by Vietnamese given name.
    #[schema(max_items = 200)]
    pub items: Vec<BoardRow>,
    /// Where the next page begins; null on the last one.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
}

/// Get the threshold board of a unit
///
/// Members of the unit and everything below it, by given name, with points, own threshold and status. Exempt and excused
/// members are shown and leave the denominator. A month counts whole in the cell of its last day. Of a closed month `points` and
/// `status` are those of today, with late corrections; `closed` says what they were.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery, PeriodQuery))]
#[get("/units/{unit_id}/points")]
pub async fn get_board(
    mut request: ReadRequest<OnUnit<ReadBoard>>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
) -> Result<Reply<Board>, Problem> {
    let Query(page) = page;
    let today = day_of(request.scope.now);
    let view = view(request.scope.on.unit_id, &query.0, today)?;
    let path = path_of(&mut request.conn, &request.scope.on, view.day, today).await?;
    let threshold = store::parameters(&mut request.conn, &path, view.day).await?.threshold;
    let rows = standings::page(&mut request.conn, view, page.after()?, page.fetch()).await?;
    // Most cells fit on one page, whose rows are counted; only larger units need a query.
    let counts = if page.shows_all(rows.len()) {
        BoardCounts::of(&rows)
    } else {
        standings::counts(&mut request.conn, view).await?
    };
    let statuses = statuses(&request.conn, &rows, view, today).await?;
    let closed = standings::closed(&mut request.conn, &rows, view, today).await?;
    let shown = page.page(
        rows,
        |row| (row.given_name.clone(), row.full_name.clone(), row.member_id),
        |row| BoardRow {
            status: statuses.get(&row.member_id).copied().unwrap_or(Status::Below),
            closed: closed.get(&row.member_id).copied(),
            member: BoardMember { id: row.member_id, full_name: row.full_name },
            unit_id: row.unit_id,
            points: row.points,
            threshold: row.threshold,
            prorated: row.prorated,
        },
    );
    let (items, next_cursor) = (shown.items, shown.next_cursor);
    request.reply(&Board { period: view.period, threshold, summary: counts.into(), items, next_cursor })
}

/// The path of the unit on the day of the board, as its rows are counted; today's path if the unit came later and the
/// board has no rows.
async fn path_of(
    conn: &mut Conn,
    on: &OnUnit<ReadBoard>,
    day: NaiveDate,
    today: NaiveDate,
) -> Result<Vec<Uuid>, Problem> {
    if day == today {
        return Ok(on.path.clone());
    }
    match units::last_path(conn, on.unit_id, day).await {
        Err(problem) if problem.code == Code::NotFound => Ok(on.path.clone()),
        found => found,
    }
}

fn view(unit_id: Uuid, query: &PeriodQuery, today: NaiveDate) -> Result<BoardView, Problem> {
    let period = query.resolve(today)?;
    Ok(BoardView { unit_id, period, day: period.reference_day(today) })
}

/// A unit directly below, in the roll-up.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChildSummary {
    /// The unit.
    pub unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub name: String,
    /// Its kind.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell")]
    pub kind: String,
    /// Its counts.
    pub summary: Summary,
}

/// The roll-up of a unit by the units directly below it.
#[derive(Debug, Serialize, ToSchema)]
pub struct BoardRollUp {
    /// The month.
    pub period: Period,
    /// Of the whole unit.
    pub summary: Summary,
    /// The units directly below, by name.
    #[schema(max_items = 200)]
    pub items: Vec<ChildSummary>,
    /// Where the next page begins; null on the last one.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
    /// When the figures were taken: now for cells and grassroots committees, seconds ago for larger units.
    pub as_of: DateTime<Utc>,
}

/// Get the roll-up of a unit
///
/// How many members of the unit, and of each unit directly below it, reached the threshold. The figures of units above
/// the grassroots are kept by a projection that follows the ledger within seconds; `as_of` says how current they are. An app that
/// acts for no person is not told figures of fewer than five people, nor those from which they follow.
#[utoipa::path(tag = "Points", security(("bearer" = []), ("oauth2" = ["units:read"]), ("oauth2_client" = ["units:read"])), params(("unit_id" = Uuid, Path, description = "The unit."), PageQuery, PeriodQuery))]
#[get("/units/{unit_id}/points/summary")]
pub async fn get_roll_up(
    mut request: ReadRequest<OnUnit<ReadBoard>>,
    page: Query<PageQuery>,
    query: Query<PeriodQuery>,
) -> Result<Reply<BoardRollUp>, Problem> {
    let view = view(request.scope.on.unit_id, &query.0, day_of(request.scope.now))?;
    let mut body = match projected(&mut request.conn, view, &page.0).await? {
        Some(roll_up) => roll_up,
        None => computed(&mut request.conn, view, &page.0, request.scope.now).await?,
    };
    if request.scope.caller.kind == AccountKind::Client {
        withhold(&mut request, view, &mut body).await?;
    }
    request.reply(&body)
}

/// Takes out of a roll-up what an app without a person is not told.
async fn withhold(
    request: &mut ReadRequest<OnUnit<ReadBoard>>,
    view: BoardView,
    body: &mut BoardRollUp,
) -> Result<(), Problem> {
    let (conn, scope) = (&mut request.conn, &request.scope);
    let above = scope.on.path.get(1..).filter(|path| scope.caller.may(path, Permission::ReadBoard));
    let siblings = match above.and_then(|path| path.first()) {
        Some(parent) => small_below(conn, BoardView { unit_id: *parent, ..view }).await?,
        None => HashSet::new(),
    };
    withheld::require_told(&body.summary, view.unit_id, &siblings)?;
    let hidden = small_below(conn, view).await?;
    body.items.retain(|item| !hidden.contains(&item.unit_id));
    Ok(())
}

async fn small_below(conn: &mut Conn, view: BoardView) -> Result<HashSet<Uuid>, Problem> {
    let kind = units::get(conn, view.unit_id, view.day).await?.kind;
    withheld::below(conn, view, COMPUTED_KINDS.contains(&kind.as_str())).await
}

/// From the projection; none for units that are small enough to be computed, and for those without figures.
async fn projected(conn: &mut Conn, view: BoardView, page: &PageQuery) -> Result<Option<BoardRollUp>, Problem> {
    let Some(unit) = projection::unit(conn, view.unit_id, view.period).await? else { return Ok(None) };
    let Some(as_of) = projection::as_of(conn).await?.filter(|_| !COMPUTED_KINDS.contains(&unit.kind.as_str())) else {
        return Ok(None);
    };
    let rows = projection::children(conn, view.unit_id, view.period, view.day, page.after()?, page.fetch()).await?;
    let shown: Page<ChildSummary> = page.page(
        rows,
        |row| (row.name.clone(), row.unit_id),
        |row| ChildSummary { summary: (&row).into(), unit_id: row.unit_id, name: row.name, kind: row.kind },
    );
    let (items, next_cursor) = (shown.items, shown.next_cursor);
    Ok(Some(BoardRollUp { period: view.period, summary: (&unit).into(), items, next_cursor, as_of }))
}

/// From the members themselves.
async fn computed(
    conn: &mut Conn,
    view: BoardView,
    page: &PageQuery,
    now: DateTime<Utc>,
) -> Result<BoardRollUp, Problem> {
    let summary = standings::counts(conn, view).await?.into();
    let rows = standings::children(conn, view, page.after()?, page.fetch()).await?;
    let shown: Page<ChildSummary> = page.page(
        rows,
        |row| (row.name.clone(), row.id),
        |row: ChildCounts| ChildSummary { unit_id: row.id, name: row.name, kind: row.kind, summary: row.counts.into() },
    );
    Ok(BoardRollUp { period: view.period, summary, items: shown.items, next_cursor: shown.next_cursor, as_of: now })
}

/// Export the threshold board as XLSX
///
/// The whole board as an Excel workbook with Vietnamese headers; of a closed month the closed points too. Recorded in the audit log.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit."), PeriodQuery))]
#[get("/units/{unit_id}/points.xlsx")]
pub async fn export_xlsx(
    request: ReadRequest<OnUnit<ExportBoard>>,
    query: Query<PeriodQuery>,
) -> Result<Reply<Xlsx>, Problem> {
    let view = view(request.scope.on.unit_id, &query.0, day_of(request.scope.now))?;
    export::answer(request, view, ExportKind::Xlsx).await
}

/// Export the threshold board as CSV
///
/// The whole board as comma-separated values in UTF-8 with a byte order mark; of a closed month the closed points too. Recorded
/// in the audit log.
#[utoipa::path(tag = "Points", params(("unit_id" = Uuid, Path, description = "The unit."), PeriodQuery))]
#[get("/units/{unit_id}/points.csv")]
pub async fn export_csv(
    request: ReadRequest<OnUnit<ExportBoard>>,
    query: Query<PeriodQuery>,
) -> Result<Reply<Csv>, Problem> {
    let view = view(request.scope.on.unit_id, &query.0, day_of(request.scope.now))?;
    export::answer(request, view, ExportKind::Csv).await
}
