//! Closings over HTTP: closing a month, the list, one closing, its rows.

use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::extract::{Query, ReadRequest, WriteRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::needs::{CloseMonth, ReadBoard};
use crate::kernel::security::crypto::to_text;
use crate::organisation::{OnUnit, units};
use crate::points::board::{BoardMember, Summary};
use crate::points::model::Status;

use super::close::{Closer, close_by_hand};
use super::model::{ClosedRule, ClosingManifest, hex};
use super::store::{self, StoredClosing};
use super::target::OnMonth;

/// Which month is to be closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingIn {
    /// The month before the present one, or a reopened one.
    #[schema(example = "2026-10")]
    period: Period,
}

/// Which closing of a month that was closed more than once.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GenerationQuery {
    /// 1 for the first closing; the last one when left out.
    #[param(minimum = 1, maximum = 1_000, nullable = false)]
    pub generation: Option<i32>,
}

/// State of a closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClosingState {
    /// It is in force.
    Closed,
    /// A superior committee reopened the month; it is not closed again yet.
    Reopened,
    /// A later closing replaced it.
    Superseded,
}

/// Why and by whom a closed month was reopened.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reopening {
    /// When.
    reopened_at: DateTime<Utc>,
    /// The officer of the superior committee.
    reopened_by: Uuid,
    /// The reason given.
    #[schema(max_length = 500, example = "Bổ sung danh sách dự sinh hoạt ngày 15")]
    reason: String,
    /// The last day on which the secretary closes it again, after which it closes by itself; null once it is closed.
    open_until: Option<NaiveDate>,
}

/// A closed month of a cell.
#[derive(Debug, Serialize, ToSchema)]
pub struct Closing {
    /// Identifier.
    id: Uuid,
    /// The cell.
    unit_id: Uuid,
    /// The month.
    period: Period,
    /// 1 for the first closing of the month, one more after each reopening.
    #[schema(minimum = 1, maximum = 1_000, example = 1)]
    generation: i32,
    /// What became of it.
    state: ClosingState,
    /// When it was closed.
    closed_at: DateTime<Utc>,
    /// By whom; null when the month closed by itself.
    closed_by: Option<Uuid>,
    /// The cell's threshold before proration.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    threshold: i32,
    /// The counts as they were closed.
    summary: Summary,
    /// SHA-256 of the canonical form of the signed manifest.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    manifest_hash: String,
    /// Ed25519 signature of the manifest.
    #[schema(
        min_length = 86,
        max_length = 86,
        pattern = "^[A-Za-z0-9_-]{86}$",
        example = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )]
    signature: String,
    /// The key that signed, published at `/.well-known/report-keys.json`.
    #[schema(
        min_length = 43,
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )]
    kid: String,
    /// How it was reopened, if it was.
    reopening: Option<Reopening>,
}

impl From<StoredClosing> for Closing {
    fn from(stored: StoredClosing) -> Self {
        let state = match (stored.is_last, stored.reopened_at) {
            (false, _) => ClosingState::Superseded,
            (true, Some(_)) => ClosingState::Reopened,
            (true, None) => ClosingState::Closed,
        };
        let reopening = match (stored.reopened_at, stored.reopened_by, stored.reason) {
            (Some(reopened_at), Some(reopened_by), Some(reason)) => {
                let open_until = stored.open_until.filter(|_| state == ClosingState::Reopened);
                Some(Reopening { reopened_at, reopened_by, reason, open_until })
            }
            _ => None,
        };
        Self {
            id: stored.id,
            unit_id: stored.unit_id,
            period: Period::containing(stored.period),
            generation: stored.generation,
            state,
            closed_at: stored.closed_at,
            closed_by: stored.closed_by,
            threshold: stored.threshold,
            summary: stored.counts.into(),
            manifest_hash: hex(&stored.manifest_hash),
            signature: to_text(&stored.signature),
            kid: stored.kid,
            reopening,
        }
    }
}

/// Close a month of a cell
///
/// Takes an immutable snapshot of the month: a row for each member who belonged to the cell on its last day, a hash of
/// each row, a signed manifest. For the secretary, in the first five days of the next month (UTC+7), or while the month
/// is reopened. After that it closes automatically, unless it ended before any member of the cell was entered in the
/// system. For a month that is closed already the answer is its closing, no matter who closed it: two concurrent calls
/// get the same closing. What is posted for the month later is a late correction and leaves the snapshot untouched.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell.")), request_body = ClosingIn, responses(
    (status = 422, description = "The unit is no cell, had no members, or it is not the time to close that month.")))]
#[post("/units/{unit_id}/closings")]
pub async fn close_month(request: WriteRequest<ClosingIn, OnUnit<CloseMonth>>) -> Result<Reply<Closing>, Problem> {
    request
        .commit(async |conn, scope| {
            let (unit_id, period) = (scope.on.unit_id, scope.body.period);
            units::require_cell(conn, unit_id).await?;
            let closer = Closer {
                crypto: &scope.state.crypto,
                by: Some(scope.caller.account_id),
                request_id: Some(&scope.context.request_id),
                now: scope.now,
            };
            close_by_hand(conn, &closer, unit_id, period).await?;
            Ok(Closing::from(store::of_month(conn, unit_id, period, None).await?))
        })
        .await
}

/// List the closings of a cell
///
/// The latest month first; of a month that was reopened every closing, the last one first. The closings below a committee or
/// a province are summed up by `getClosingSummary`.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."), PageQuery))]
#[get("/units/{unit_id}/closings")]
pub async fn list_closings(
    mut request: ReadRequest<OnUnit<ReadBoard>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Closing>>, Problem> {
    let Query(page) = page;
    let rows = store::of_unit(&mut request.conn, request.scope.on.unit_id, page.after()?, page.fetch()).await?;
    request.reply(&page.page(rows, |row| (row.period, row.generation), Closing::from))
}

/// A closing with what was signed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosingDetail {
    /// The closing.
    closing: Closing,
    /// Members whose points of the month differ today from those closed, through late corrections.
    #[schema(minimum = 0, maximum = 100_000, example = 1)]
    corrected: i64,
    /// What was signed.
    manifest: ClosingManifest,
}

/// Get the closing of a month
///
/// Its counts, its signed manifest, and how many members' points late corrections have changed since.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."),
    ("period" = Period, Path, description = "The month."), GenerationQuery))]
#[get("/units/{unit_id}/closings/{period}")]
pub async fn get_closing(
    mut request: ReadRequest<OnMonth<ReadBoard>>,
    query: Query<GenerationQuery>,
) -> Result<Reply<ClosingDetail>, Problem> {
    let (unit_id, period) = (request.scope.on.unit_id, request.scope.on.period);
    let stored = store::of_month(&mut request.conn, unit_id, period, query.0.generation).await?;
    let corrected = store::count_corrected(&mut request.conn, stored.id, period).await?;
    let manifest = serde_json::from_str(&stored.manifest).map_err(Problem::internal)?;
    request.reply(&ClosingDetail { closing: stored.into(), corrected, manifest })
}

/// A member's closed month.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosingRow {
    /// Its place in the list, from 1.
    #[schema(minimum = 1, maximum = 100_000, example = 1)]
    position: i32,
    /// Who, by the name on that day.
    member: BoardMember,
    /// Points as they were closed.
    #[schema(minimum = -10_000, maximum = 10_000, example = 28)]
    points: i32,
    /// Points today, with the late corrections.
    #[schema(minimum = -10_000, maximum = 10_000, example = 31)]
    corrected_points: i32,
    /// The member's own threshold.
    #[schema(minimum = 0, maximum = 10_000, example = 30)]
    threshold: i32,
    /// Whether it is smaller because the membership began during the month.
    prorated: bool,
    /// The status as it was closed: `met`, `below`, `exempt` or `excused`.
    status: Status,
    /// The closed points by rule.
    #[schema(max_items = 100)]
    by_rule: Vec<ClosedRule>,
    /// SHA-256 of the canonical form of the row's `ClosedRow`, as the manifest lists it.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    hash: String,
}

/// List the rows of a closing
///
/// In the order of the snapshot, by Vietnamese given name: the points as they were closed, and as they are today.
#[utoipa::path(tag = "Closings", params(("unit_id" = Uuid, Path, description = "The cell."),
    ("period" = Period, Path, description = "The month."), PageQuery, GenerationQuery))]
#[get("/units/{unit_id}/closings/{period}/rows")]
pub async fn list_closing_rows(
    mut request: ReadRequest<OnMonth<ReadBoard>>,
    page: Query<PageQuery>,
    query: Query<GenerationQuery>,
) -> Result<Reply<Page<ClosingRow>>, Problem> {
    let Query(page) = page;
    let (unit_id, period) = (request.scope.on.unit_id, request.scope.on.period);
    let closing = store::of_month(&mut request.conn, unit_id, period, query.0.generation).await?;
    let rows = store::rows(&mut request.conn, closing.id, page.after()?.unwrap_or(0), page.fetch()).await?;
    let members: Vec<Uuid> = rows.iter().map(|stored| stored.row.member_id).collect();
    let corrected = store::corrected(&mut request.conn, &members, period).await?;
    request.reply(&page.page(
        rows,
        |stored| stored.row.position,
        |stored| ClosingRow {
            position: stored.row.position,
            corrected_points: corrected.get(&stored.row.member_id).copied().unwrap_or(0),
            member: BoardMember { id: stored.row.member_id, full_name: stored.row.full_name },
            points: stored.row.points,
            threshold: stored.row.threshold,
            prorated: stored.row.prorated,
            status: stored.row.status,
            by_rule: stored.row.by_rule,
            hash: hex(&stored.hash),
        },
    ))
}
