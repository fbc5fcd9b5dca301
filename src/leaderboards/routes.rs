//! Leaderboards over HTTP.

use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::access::Permission;
use crate::kernel::auth::Principal;
use crate::kernel::call::{Anyone, Ask, Query};
use crate::kernel::clock::{Period, day_of};
use crate::kernel::problem::{Code, Problem};
use crate::organisation::units;
use crate::points::{BoardMember, PeriodQuery};

use super::model::{Ranked, View};
use super::{projection, store};

/// Kinds of units small enough for PostgreSQL to rank at each request.
const SMALL_KINDS: [&str; 3] = ["cell", "sub_committee", "grassroots_committee"];
/// Kinds whose board is projected into Redis; PostgreSQL answers when it is away.
const PROJECTED_KINDS: [&str; 2] = ["superior_committee", "province"];

/// Which board.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LeaderboardQuery {
    /// The unit whose members are ranked; one's own cell when left out.
    #[param(nullable = false)]
    unit_id: Option<Uuid>,
    /// How many places at most; 1 to 200.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: i32,
}

fn default_limit() -> i32 {
    50
}

/// A place on the board.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    /// Equal points share a rank: 1, 2, 2, 4.
    #[schema(minimum = 1, maximum = 10_000_000, example = 1)]
    rank: i64,
    /// Who; null when the viewer may not see the name.
    member: Option<BoardMember>,
    /// Points of the month.
    #[schema(minimum = -10_000, maximum = 10_000, example = 44)]
    points: i32,
}

/// The viewer's own place.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnPlace {
    /// Equal points share a rank.
    #[schema(minimum = 1, maximum = 10_000_000, example = 12)]
    rank: i64,
    /// Points of the month.
    #[schema(minimum = -10_000, maximum = 10_000, example = 27)]
    points: i32,
}

/// Members ranked by points.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberLeaderboard {
    /// The unit.
    unit_id: Uuid,
    /// The month.
    period: Period,
    /// The first places.
    #[schema(max_items = 200)]
    items: Vec<Place>,
    /// The viewer's own place; null for whoever is not ranked here.
    me: Option<OwnPlace>,
    /// When the figures were taken from the ledger: now, or less than a minute ago for large units.
    as_of: DateTime<Utc>,
}

/// Get the leaderboard of members
///
/// Members of a cell, a committee or a province by points of a month; exempt and excused members are not ranked. Peers see the names
/// of those who reached the threshold: all of them in the own cell, elsewhere those who agreed to it.
#[utoipa::path(tag = "Leaderboards", params(LeaderboardQuery, PeriodQuery), responses(
    (status = 200, description = "The board.", body = MemberLeaderboard),
    (status = 404, description = "There is no such unit, or the caller may not know that there is."),
    (status = 422, description = "Units of this kind have no leaderboard of members.")))]
#[get("/leaderboards/members")]
pub async fn get_member_leaderboard(
    mut ask: Ask<Anyone>,
    query: Query<LeaderboardQuery>,
    period: Query<PeriodQuery>,
) -> Result<HttpResponse, Problem> {
    let today = day_of(ask.scope.now);
    let period = period.0.resolve(today)?;
    let viewer = &ask.scope.caller;
    let own_cell = viewer.home.as_slice().first().copied();
    let unit_id = query.0.unit_id.or(own_cell).ok_or_else(Problem::not_found)?;
    let path = units::path(&mut ask.conn, unit_id, today).await?;
    viewer.require(&path, Permission::ReadUnit)?;
    let view = View { unit_id, period, day: period.reference_day(today) };
    let kind = store::kind(&mut ask.conn, unit_id).await?.unwrap_or_default();
    let projected = PROJECTED_KINDS.contains(&kind.as_str());
    if !projected && !SMALL_KINDS.contains(&kind.as_str()) {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Bảng xếp hạng đảng viên có từ chi bộ đến cấp tỉnh.",
            "Members are ranked from cells up to provinces.",
        ));
    }
    let officer = viewer.may(&path, Permission::ReadBoard);
    let (viewer_id, limit) = (viewer.account_id, i64::from(query.0.limit));
    let board = match &ask.scope.state.redis {
        Some(redis) if projected => {
            projection::ranks(redis, &mut ask.conn, &view, viewer_id, limit, ask.scope.now).await?
        }
        _ => None,
    };
    let (rows, as_of) = match board {
        Some(board) => (board.rows, board.as_of),
        None => (store::ranks(&mut ask.conn, &view, viewer_id, limit).await?, ask.scope.now),
    };
    let me = rows
        .iter()
        .find(|row| row.member_id == viewer.account_id)
        .map(|row| OwnPlace { rank: row.rank, points: row.points });
    let top = rows.into_iter().filter(|row| row.place <= limit);
    let items = top.map(|row| place(row, viewer, own_cell, officer)).collect();
    ask.reply(&MemberLeaderboard { unit_id, period, items, me, as_of })
}

fn place(row: Ranked, viewer: &Principal, own_cell: Option<Uuid>, officer: bool) -> Place {
    let peer_sees = row.met && (own_cell == Some(row.unit_id) || row.opted_in);
    let named = officer || peer_sees || row.member_id == viewer.account_id;
    Place {
        rank: row.rank,
        member: named.then_some(BoardMember { id: row.member_id, full_name: row.full_name }),
        points: row.points,
    }
}
