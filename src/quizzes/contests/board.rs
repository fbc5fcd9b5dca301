//! Leaderboards of a contest, per round and over all, within the privacy rules of leaderboards.

use actix_web::get;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Int4, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Query, ReadRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::organisation::units;
use crate::points::BoardMember;

use super::model::{OVER_ALL, ranks};
use super::store;
use super::target::{VisibleContest, sees_members};

/// Which board of a contest.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContestBoardQuery {
    /// The round; all rounds together when left out.
    #[param(minimum = 1, maximum = 50, nullable = false)]
    round: Option<i16>,
    /// Only members who belonged to this unit when they submitted; all of the contest when left out.
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

/// A place on the board of a contest.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContestPlace {
    /// Equal results share a rank: 1, 2, 2, 4.
    #[schema(minimum = 1, maximum = 10_000_000, example = 1)]
    rank: i64,
    /// Who; null for a member whom the viewer may not see by name.
    member: Option<BoardMember>,
    /// Questions answered as they should be.
    #[schema(minimum = 0, maximum = 10_000, example = 5)]
    score: i32,
    /// The time used.
    #[schema(minimum = 0, maximum = 5_000_000, example = 420)]
    seconds: i32,
}

/// The viewer's own place.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnContestPlace {
    /// Equal results share a rank.
    #[schema(minimum = 1, maximum = 10_000_000, example = 12)]
    rank: i64,
    /// Questions answered as they should be.
    #[schema(minimum = 0, maximum = 10_000, example = 4)]
    score: i32,
    /// The time used.
    #[schema(minimum = 0, maximum = 5_000_000, example = 600)]
    seconds: i32,
}

/// Members ranked by score, then by the time used.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContestLeaderboard {
    /// The contest.
    contest_id: Uuid,
    /// The round; null for all of them together.
    #[schema(minimum = 1, maximum = 50, example = 1)]
    round: Option<i16>,
    /// The unit whose members are ranked.
    unit_id: Uuid,
    /// Of the first places those that the viewer may see.
    #[schema(max_items = 200)]
    items: Vec<ContestPlace>,
    /// How many ranked members have no row in `items`, whatever the reason.
    #[schema(minimum = 0, maximum = 10_000_000, example = 7)]
    others: i64,
    /// The viewer's own place; null when the viewer is not ranked here.
    me: Option<OwnContestPlace>,
}

/// The members `s` of board `$1`, `$2`, narrowed to unit `$3` as it was on the day of each submission. The last place of a unit that
/// ended on that day still holds.
const BOARD: &str = "contest_scores s WHERE s.contest_id = $1 AND s.round = $2
    AND ($3 IS NULL OR EXISTS (SELECT 1 FROM unit_tree t WHERE t.descendant_id = s.unit_id AND t.ancestor_id = $3
        AND t.valid_from <= s.day AND (t.valid_to IS NULL OR t.valid_to > s.day OR (t.valid_to = s.day AND NOT EXISTS (
            SELECT 1 FROM unit_tree n WHERE n.descendant_id = s.unit_id
            AND n.valid_from <= s.day AND (n.valid_to IS NULL OR n.valid_to > s.day))))))";

#[derive(Debug, Clone, QueryableByName)]
struct ContestStanding {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = Int4)]
    score: i32,
    #[diesel(sql_type = Int4)]
    seconds: i32,
    #[diesel(sql_type = Bool)]
    passed: bool,
    /// Whether they chose to be shown to no peer at all.
    #[diesel(sql_type = Bool)]
    hidden: bool,
    /// Whether the viewer may see the name: they shared a cell on that day, or the member agreed to it.
    #[diesel(sql_type = Bool)]
    named: bool,
}

#[derive(Debug, Clone, Copy, QueryableByName)]
struct OwnStanding {
    #[diesel(sql_type = Int4)]
    score: i32,
    #[diesel(sql_type = Int4)]
    seconds: i32,
    #[diesel(sql_type = BigInt)]
    rank: i64,
}

#[derive(QueryableByName)]
struct RankedCount {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A board, and who looks at it.
struct ContestView {
    contest_id: Uuid,
    round: i16,
    unit_id: Option<Uuid>,
    viewer: Uuid,
}

impl ContestView {
    async fn first_places(&self, conn: &mut Conn, limit: i64) -> Result<Vec<ContestStanding>, Problem> {
        let query = format!(
            "SELECT p.member_id, m.full_name, p.score, p.seconds, p.passed, m.hidden_on_leaderboards AS hidden,
                 m.named_on_leaderboards OR EXISTS (SELECT 1 FROM memberships b WHERE b.member_id = $4 AND b.unit_id = p.unit_id
                     AND b.valid_from <= p.day AND (b.valid_to IS NULL OR b.valid_to >= p.day)) AS named
             FROM (SELECT * FROM {BOARD} ORDER BY s.score DESC, s.seconds, s.member_id LIMIT $5) p
             JOIN members m ON m.id = p.member_id ORDER BY p.score DESC, p.seconds, p.member_id"
        );
        let query = diesel::sql_query(query).bind::<SqlUuid, _>(self.contest_id).bind::<SmallInt, _>(self.round);
        let query = query.bind::<Nullable<SqlUuid>, _>(self.unit_id).bind::<SqlUuid, _>(self.viewer);
        Ok(query.bind::<BigInt, _>(limit).load(conn).await?)
    }

    async fn own_place(&self, conn: &mut Conn) -> Result<Option<OwnStanding>, Problem> {
        let query = format!(
            "SELECT o.score, o.seconds, (SELECT 1 + count(*) FROM {BOARD} AND s.score >= o.score
                 AND (s.score > o.score OR s.seconds < o.seconds)) AS rank
             FROM (SELECT s.score, s.seconds FROM {BOARD} AND s.member_id = $4) o"
        );
        let query = diesel::sql_query(query).bind::<SqlUuid, _>(self.contest_id).bind::<SmallInt, _>(self.round);
        let query = query.bind::<Nullable<SqlUuid>, _>(self.unit_id).bind::<SqlUuid, _>(self.viewer);
        Ok(query.get_result(conn).await.optional()?)
    }

    async fn all(&self, conn: &mut Conn) -> Result<i64, Problem> {
        let query = diesel::sql_query(format!("SELECT count(*) AS count FROM {BOARD}"));
        let query = query.bind::<SqlUuid, _>(self.contest_id).bind::<SmallInt, _>(self.round);
        Ok(query.bind::<Nullable<SqlUuid>, _>(self.unit_id).get_result::<RankedCount>(conn).await?.count)
    }
}

/// Get the leaderboard of a contest
///
/// Members by score, then by the time used; of several attempts the best one counts. While a round runs, its submitted attempts
/// are shown. Peers see the rows of members who reached the pass mark (over all rounds, the marks of the rounds taken together),
/// by name when they shared a cell on the day of the submission or the member agreed to it; members who chose to be hidden
/// have no row. All others are one number, `others`. Who belonged to a unit when submitting is ranked in it, whatever came later.
#[utoipa::path(tag = "Contests", params(("contest_id" = Uuid, Path, description = "The contest."), ContestBoardQuery),
    responses((status = 404, description = "There is no such contest, round or unit, or the caller may not know that there is.")))]
#[get("/contests/{contest_id}/leaderboard")]
pub async fn get_contest_leaderboard(
    mut request: ReadRequest<VisibleContest>,
    query: Query<ContestBoardQuery>,
) -> Result<Reply<ContestLeaderboard>, Problem> {
    let Query(query) = query;
    let (scope, conn) = (&request.scope, &mut request.conn);
    let contest = &scope.on.contest;
    let mut officer = scope.on.sees_members;
    if let Some(unit_id) = query.unit_id {
        let path = units::last_path(conn, unit_id, day_of(scope.now)).await?;
        scope.caller.require(&path, Permission::ReadUnit)?;
        officer |= sees_members(&scope.caller, &path);
    }
    if query.round.is_some() {
        let rounds = store::rounds(conn, &[contest.id]).await?;
        let seen = |row: &&crate::quizzes::publishing::store::QuizRow| scope.on.manager || row.is_published();
        rounds.iter().filter(seen).find(|row| row.round == query.round).ok_or_else(Problem::not_found)?;
    }
    let round = query.round.unwrap_or(OVER_ALL);
    let view = ContestView { contest_id: contest.id, round, unit_id: query.unit_id, viewer: scope.caller.account_id };
    let first = view.first_places(conn, query.limit.into()).await?;
    let me = view.own_place(conn).await?;
    let ranks: Vec<i64> = ranks(first.iter().map(|row| (row.score, row.seconds))).collect();
    let seen = |row: &ContestStanding| officer || row.member_id == view.viewer || (row.passed && !row.hidden);
    let named = |row: &ContestStanding| officer || row.member_id == view.viewer || row.named;
    let items: Vec<ContestPlace> = first
        .into_iter()
        .zip(ranks)
        .filter(|(row, _)| seen(row))
        .map(|(row, rank)| ContestPlace {
            rank,
            score: row.score,
            seconds: row.seconds,
            member: named(&row).then_some(BoardMember { id: row.member_id, full_name: row.full_name }),
        })
        .collect();
    let others = (view.all(conn).await? - i64::try_from(items.len()).unwrap_or(0)).max(0);
    let me = me.map(|own| OwnContestPlace { rank: own.rank, score: own.score, seconds: own.seconds });
    let unit_id = query.unit_id.unwrap_or(contest.unit_id);
    request.reply(&ContestLeaderboard { contest_id: contest.id, round: query.round, unit_id, items, others, me })
}
