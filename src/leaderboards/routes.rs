//! Leaderboards of members over HTTP: the board, the viewer's rank, and the places around it.

use actix_web::get;
use actix_web::web::Data;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Anyone, BatchedRequest, Empty, Myself, Query, ReadRequest};
use crate::kernel::http::problem::{Problem, text};
use crate::kernel::http::reply;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::kernel::security::auth::Principal;
use crate::organisation::units;
use crate::points::BoardMember;

use super::batches::Ranks;
use super::boards::lookup::Seeker;
use super::model::{BoardSource, Nameless, Ranked, Viewer};
use super::span::Span;
use super::store;

/// Which board.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BoardQuery {
    /// The unit whose members are ranked; the caller's own cell when left out.
    #[param(nullable = false)]
    pub unit_id: Option<Uuid>,
    /// A month `2026-11`, a quarter `2026-Q4` or a year `2026`; the present month when left out. Spans to come are refused.
    #[param(nullable = false)]
    pub period: Option<Span>,
}

impl BoardQuery {
    /// The requested span.
    ///
    /// # Errors
    /// 400 for a span to come.
    pub fn span(&self, today: NaiveDate) -> Result<Span, Problem> {
        let present = Period::containing(today);
        let span = self.period.unwrap_or(Span::month(present));
        if span.first() > present {
            let detail = text("Kỳ này chưa đến.", "That span has not come yet.");
            return Err(Problem::malformed("period", "too_large", detail));
        }
        Ok(span)
    }
}

/// How many places.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PlacesQuery {
    /// How many places at most; 1 to 200.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    pub limit: i32,
}

fn default_limit() -> i32 {
    50
}

/// How wide a neighbourhood is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WidthQuery {
    /// How many places on either side at most; 1 to 20.
    #[serde(default = "default_width")]
    #[param(minimum = 1, maximum = 20, default = 5, nullable = false)]
    width: i32,
}

fn default_width() -> i32 {
    5
}

/// A place on the board.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankedPlace {
    /// Equal points share a rank: 1, 2, 2, 4.
    #[schema(minimum = 1, maximum = 10_000_000, example = 1)]
    rank: i64,
    /// Who.
    member: BoardMember,
    /// Points of the span.
    #[schema(minimum = -10_000, maximum = 100_000, example = 44)]
    points: i32,
}

/// The viewer's own place.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnPlace {
    /// Equal points share a rank.
    #[schema(minimum = 1, maximum = 10_000_000, example = 12)]
    rank: i64,
    /// Points of the span.
    #[schema(minimum = -10_000, maximum = 100_000, example = 27)]
    points: i32,
}

/// Members ranked by points.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberLeaderboard {
    /// The unit.
    unit_id: Uuid,
    /// The month, quarter or year.
    period: Span,
    /// Of the first places those that the viewer may see.
    #[schema(max_items = 200)]
    items: Vec<RankedPlace>,
    /// How many members of the unit have no row in `items`, whatever the reason: one number that tells of nobody.
    #[schema(minimum = 0, maximum = 10_000_000, example = 7)]
    others: i64,
    /// The viewer's own place; null when the viewer is not ranked here.
    me: Option<OwnPlace>,
    /// Where the figures come from.
    source: BoardSource,
    /// When the figures were taken from the ledger: now, or seconds ago for large units.
    as_of: DateTime<Utc>,
}

/// Get the leaderboard of members
///
/// Members of a unit, from a cell to the whole country, by points of a month, a quarter or a year; exempt members are not
/// ranked, nor in a month those excused for it. Peers see the rows of those who reached the threshold (over a longer span,
/// that of its months together): in the own cell all of them but those who chose to be hidden, elsewhere those who agreed to
/// it. All others are one number, `others`. Ranks are those among all who are ranked.
#[utoipa::path(tag = "Leaderboards", security(("bearer" = []), ("oauth2" = ["leaderboards:read"])), params(BoardQuery, PlacesQuery), responses(
    (status = 404, description = "There is no such unit, or the caller may not know that there is.")))]
#[get("/leaderboards/members")]
pub async fn get_member_leaderboard(
    mut request: ReadRequest<Anyone>,
    query: Query<BoardQuery>,
    places: Query<PlacesQuery>,
) -> Result<Reply<MemberLeaderboard>, Problem> {
    let today = day_of(request.scope.now);
    let span = query.0.span(today)?;
    let viewer = &request.scope.caller;
    let own_cell = viewer.home.first().copied();
    let unit_id = query.0.unit_id.or(own_cell).ok_or_else(Problem::not_found)?;
    let path = units::last_path(&mut request.conn, unit_id, today).await?;
    viewer.require(&path, Permission::ReadUnit)?;
    let officer = viewer.may(&path, Permission::ReadBoard);
    let limit = i64::from(places.0.limit);
    let redis = request.scope.state.redis.as_ref();
    let mut seeker = Seeker { conn: &mut request.conn, redis, viewer: viewer.account_id, now: request.scope.now };
    let view = Viewer::new(unit_id, span, today);
    let found = seeker.top(&view, limit).await?;
    let own = found.rows.iter().find(|row| row.member_id == viewer.account_id);
    let me = own.map(|row| OwnPlace { rank: row.rank, points: row.points });
    let top = found.rows.into_iter().filter(|row| row.place <= limit);
    let items: Vec<RankedPlace> = top
        .filter(|row| officer || row.member_id == viewer.account_id || peer_sees(row, own_cell))
        .map(place)
        .collect();
    let others = (seeker.members(&view).await? - i64::try_from(items.len()).unwrap_or(0)).max(0);
    let (source, as_of) = (found.source, found.as_of);
    request.reply(&MemberLeaderboard { unit_id, period: span, items, others, me, source, as_of })
}

/// Whether peers see a row. Of members below the threshold, or hidden by choice, they see not even the points.
fn peer_sees(row: &Ranked, own_cell: Option<Uuid>) -> bool {
    row.met && !row.hidden && (own_cell == Some(row.unit_id) || row.opted_in)
}

fn place(row: Ranked) -> RankedPlace {
    let member = BoardMember { id: row.member_id, full_name: row.full_name };
    RankedPlace { rank: row.rank, member, points: row.points }
}

/// The caller's own unit that is requested, on that day or else today: members are ranked in their own units only.
async fn own_unit(conn: &Conn, caller: &Principal, unit_id: Option<Uuid>, day: NaiveDate) -> Result<Uuid, Problem> {
    if let Some(Some(then)) = store::own_units(conn, &[(caller.account_id, unit_id, day)]).await?.pop() {
        return Ok(then.unit_id);
    }
    let unit_id = unit_id.or(caller.home.first().copied());
    unit_id.filter(|unit| caller.home.contains(unit)).ok_or_else(Problem::not_found)
}

/// The places around the caller's own.
#[derive(Debug, Serialize, ToSchema)]
pub struct Neighbourhood {
    /// The unit.
    unit_id: Uuid,
    /// The month, quarter or year.
    period: Span,
    /// The places by rank, the caller's own among them; empty when the caller is not ranked here.
    #[schema(max_items = 41)]
    items: Vec<Nameless>,
    /// Where the figures come from.
    source: BoardSource,
    /// When the figures were taken from the ledger.
    as_of: DateTime<Utc>,
}

/// Get the places around my own
///
/// Ranks and points just above and below one's own in one's cell or a unit above it, without names, and without the places of
/// others below their threshold. Of a span that is over, in the cell and the units of then.
#[utoipa::path(tag = "Leaderboards", security(("bearer" = []), ("oauth2" = ["leaderboards:read"])), params(BoardQuery, WidthQuery), responses(
    (status = 404, description = "It is no unit of one's own."),
    (status = 403, description = "The caller is no member.")))]
#[get("/leaderboards/members/neighbourhood")]
pub async fn get_neighbourhood(
    mut request: ReadRequest<Myself>,
    query: Query<BoardQuery>,
    width: Query<WidthQuery>,
) -> Result<Reply<Neighbourhood>, Problem> {
    let today = day_of(request.scope.now);
    let span = query.0.span(today)?;
    let viewer = &request.scope.caller;
    let day = Viewer::new(Uuid::nil(), span, today).day;
    let unit_id = own_unit(&request.conn, viewer, query.0.unit_id, day).await?;
    let redis = request.scope.state.redis.as_ref();
    let mut seeker = Seeker { conn: &mut request.conn, redis, viewer: viewer.account_id, now: request.scope.now };
    let found = seeker.around(&Viewer::new(unit_id, span, today), width.0.width.into()).await?;
    let (source, as_of) = (found.source, found.as_of);
    request.reply(&Neighbourhood { unit_id, period: span, items: found.rows, source, as_of })
}

/// The caller's own rank.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyRank {
    /// The unit.
    unit_id: Uuid,
    /// The month, quarter or year.
    period: Span,
    /// Equal points share a rank; null when the caller is not ranked here.
    #[schema(minimum = 1, maximum = 10_000_000, example = 1_204)]
    rank: Option<i64>,
    /// Points of the span; null when the caller is not ranked here.
    #[schema(minimum = -10_000, maximum = 100_000, example = 27)]
    points: Option<i32>,
    /// How many are ranked; null when the caller is not.
    #[schema(minimum = 1, maximum = 10_000_000, example = 108_600)]
    of: Option<i64>,
    /// Where the figures come from.
    source: BoardSource,
    /// When the figures were taken from the ledger.
    as_of: DateTime<Utc>,
}

/// Get my rank
///
/// The caller's own rank in their cell or any unit above it, up to the whole country, and among how many. For a past
/// span, in the cell and the units of that time.
#[utoipa::path(tag = "Leaderboards", security(("bearer" = []), ("oauth2" = ["leaderboards:read"])), params(BoardQuery), responses(
    (status = 404, description = "It is no unit of one's own."),
    (status = 403, description = "The caller is no member.")))]
#[get("/me/rank")]
pub async fn get_my_rank(
    request: BatchedRequest<Empty>,
    query: Query<BoardQuery>,
    ranks: Data<Ranks>,
) -> Result<Reply<MyRank>, Problem> {
    let today = day_of(request.now);
    let span = query.0.span(today)?;
    let viewer = request.claims.sub;
    let seen = ranks.of(request.claims, query.0.unit_id, span, request.now).await?;
    let found = match seen.on_board {
        Some(found) => found,
        None => {
            let mut conn = request.state.db.conn().await?;
            let mut seeker = Seeker { conn: &mut conn, redis: None, viewer, now: request.now };
            seeker.own_rank(&Viewer::new(seen.unit_id, span, today)).await?
        }
    };
    let own = found.rows;
    let (unit_id, source, as_of) = (seen.unit_id, found.source, found.as_of);
    let (rank, points, of) = (own.map(|own| own.rank), own.map(|own| own.points), own.map(|own| own.of));
    reply::json(&request.request, &MyRank { unit_id, period: span, rank, points, of, source, as_of })
}
