//! Looks up places on a board: in Redis when fresh, else in the roll-ups, else among the members.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::redis::Redis;
use crate::points::projection::{self, UnitMonth};

use super::BoardKeys;
use super::first_places;
use super::kept::{self, Tally};
use crate::leaderboards::boards::{self};
use crate::leaderboards::model::{BoardResult, BoardSource, Nameless, OwnRank, Ranked, Score, Viewer};
use crate::leaderboards::store::{self, UnitSize};

/// Cache of immutable data that each request needs: members' numbers and units' kinds.
static KNOWN: LazyLock<Mutex<BoardContext>> = LazyLock::new(Mutex::default);
/// Entries of each kind; a full table is cleared.
const MOST_KNOWN: usize = 200_000;

#[derive(Default)]
struct BoardContext {
    numbers: HashMap<Uuid, i64>,
    sizes: HashMap<Uuid, UnitSize>,
}

fn remember<T>(known: &mut HashMap<Uuid, T>, id: Uuid, value: T) {
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(id, value);
}

/// The member's number on boards.
pub async fn number(conn: &mut Conn, member: Uuid) -> Result<Option<i64>, Problem> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).numbers.get(&member).copied();
    if known.is_some() {
        return Ok(known);
    }
    let found = store::number(conn, member).await?;
    if let Some(no) = found {
        remember(&mut KNOWN.lock().unwrap_or_else(PoisonError::into_inner).numbers, member, no);
    }
    Ok(found)
}

/// How large a unit is; one that does not exist is small.
pub async fn size(conn: &mut Conn, unit: Uuid) -> Result<UnitSize, Problem> {
    if let Some(size) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).sizes.get(&unit) {
        return Ok(*size);
    }
    let Some(size) = store::size(conn, unit).await? else { return Ok(UnitSize::Small) };
    remember(&mut KNOWN.lock().unwrap_or_else(PoisonError::into_inner).sizes, unit, size);
    Ok(size)
}

/// How many members of a large unit have how many points, and since when.
struct RankRollUp {
    tally: Tally,
    /// After how many steps of the projection; none for a board that a job keeps.
    step: Option<i64>,
    as_of: DateTime<Utc>,
}

/// A viewer and the connections for the lookup.
pub struct Seeker<'a> {
    pub conn: &'a mut Conn,
    pub redis: Option<&'a Redis>,
    pub viewer: Uuid,
    pub now: DateTime<Utc>,
}

impl Seeker<'_> {
    fn now<T>(&self, rows: T) -> BoardResult<T> {
        BoardResult { rows, source: BoardSource::Ledger, as_of: self.now }
    }

    /// The figures of a large unit: of a month from its roll-up, else from a board that a job keeps. None for a unit that is small
    /// enough to be ranked now.
    ///
    /// # Errors
    /// 503 while the board of a longer span is still to be made.
    async fn roll_up(&mut self, view: &Viewer) -> Result<Option<RankRollUp>, Problem> {
        if view.span.is_month() {
            let unit = projection::unit(self.conn, view.unit_id, view.span.first()).await?;
            let position = projection::position(self.conn).await?;
            if let Some((unit, (step, as_of))) = unit.zip(position) {
                let UnitMonth { counted, scores, holders, reached, .. } = unit;
                let tally = Tally { counted, scores, holders, reached };
                return Ok(Some(RankRollUp { tally, step: Some(step), as_of }));
            }
        }
        if !kept::is_crowd(self.conn, view).await? {
            return Ok(None);
        }
        let (tally, as_of) = kept::of(self.conn, view, self.now).await?;
        Ok(Some(RankRollUp { tally, step: None, as_of }))
    }

    /// The first `limit` places, and the viewer's.
    pub async fn top(&mut self, view: &Viewer, limit: i64) -> Result<BoardResult<Vec<Ranked>>, Problem> {
        let size = size(self.conn, view.unit_id).await?;
        if size != UnitSize::Large {
            let rows = store::ranks(self.conn, (view, size), self.viewer, limit).await?;
            return Ok(self.now(rows));
        }
        let keys = BoardKeys::of(view.unit_id, view.span);
        if let Some(redis) = self.redis {
            let (own, now) = (number(self.conn, self.viewer).await?, self.now);
            let found = redis.ask(now, async |c| boards::top(c, &keys, own, limit, now).await).await.flatten();
            if let Some((places, as_of)) = found {
                let rows = store::people(self.conn, view, places).await?;
                return Ok(BoardResult { rows, source: BoardSource::Board, as_of });
            }
        }
        let Some(RankRollUp { tally, step, as_of }) = self.roll_up(view).await? else {
            let rows = store::ranks(self.conn, (view, size), self.viewer, limit).await?;
            return Ok(self.now(rows));
        };
        let mut rows = match step {
            Some(step) => first_places::places(self.conn, view, limit, (step, self.now)).await?,
            None => kept::places(self.conn, view, limit).await?,
        };
        if !rows.iter().any(|row| row.member_id == self.viewer)
            && let Some(own) = store::score(self.conn, view, self.viewer).await?
        {
            rows.push(beyond(self.viewer, tally.rank(own.points), own.points));
        }
        Ok(BoardResult { rows, source: BoardSource::RollUp, as_of })
    }

    /// The viewer's own rank, from PostgreSQL.
    pub async fn own_rank(&mut self, view: &Viewer) -> Result<BoardResult<Option<OwnRank>>, Problem> {
        let size = size(self.conn, view.unit_id).await?;
        if size == UnitSize::Large
            && let Some(RankRollUp { tally, as_of, .. }) = self.roll_up(view).await?
        {
            let own = store::score(self.conn, view, self.viewer).await?;
            let of = i64::from(tally.counted);
            let rows = own.map(|own| OwnRank { rank: tally.rank(own.points), points: own.points, of });
            return Ok(BoardResult { rows, source: BoardSource::RollUp, as_of });
        }
        let rows = store::own_rank(self.conn, (view, size), self.viewer).await?;
        Ok(self.now(rows))
    }

    /// How many members the unit has.
    pub async fn members(&mut self, view: &Viewer) -> Result<i64, Problem> {
        let size = size(self.conn, view.unit_id).await?;
        if size == UnitSize::Large
            && let Some(unit) = projection::unit(self.conn, view.unit_id, Period::containing(view.day)).await?
        {
            return Ok(unit.members.into());
        }
        store::members_of(self.conn, view, size).await
    }

    /// The places around the viewer's, without names.
    pub async fn around(&mut self, view: &Viewer, width: i64) -> Result<BoardResult<Vec<Nameless>>, Problem> {
        let size = size(self.conn, view.unit_id).await?;
        if size == UnitSize::Large {
            let keys = BoardKeys::of(view.unit_id, view.span);
            if let (Some(redis), Some(own)) = (self.redis, number(self.conn, self.viewer).await?) {
                let now = self.now;
                let found = redis.ask(now, async |c| boards::around(c, &keys, own, width, now).await).await.flatten();
                if let Some((rows, as_of)) = found {
                    return Ok(BoardResult { rows, source: BoardSource::Board, as_of });
                }
            }
            if let Some(RankRollUp { tally, as_of, .. }) = self.roll_up(view).await? {
                let own = store::score(self.conn, view, self.viewer).await?;
                let rows = own.map(|own| window(&tally, own, width)).unwrap_or_default();
                return Ok(BoardResult { rows, source: BoardSource::RollUp, as_of });
            }
        }
        let rows = store::around(self.conn, (view, size), self.viewer, width).await?;
        Ok(self.now(rows))
    }
}

/// The viewer's own row beyond the end of a list; only its rank and points are shown.
fn beyond(member_id: Uuid, rank: i64, points: i32) -> Ranked {
    Ranked {
        place: i64::MAX,
        rank,
        member_id,
        unit_id: Uuid::nil(),
        full_name: String::new(),
        points,
        met: false,
        opted_in: false,
        hidden: false,
    }
}

/// The places around a member's own, who comes last of their equals, without those of others below their threshold.
fn window(unit: &Tally, own: Score, width: i64) -> Vec<Nameless> {
    let wide = usize::try_from(width).unwrap_or(0);
    let lists = unit.scores.iter().zip(&unit.holders).zip(&unit.reached);
    // Of each score those who reached their threshold come first.
    let groups: Vec<(Score, i32)> = lists
        .flat_map(|((points, held), reached)| {
            let score = |met: bool| Score { points: *points, met };
            [(score(true), *reached), (score(false), held - reached)]
        })
        .collect();
    let key = |score: Score| (score.points, score.met);
    let places = |better: bool| {
        let side = groups.iter().filter(move |(score, _)| (key(*score) >= key(own)) == better);
        side.flat_map(move |(score, held)| {
            let others = held - i32::from(key(*score) == key(own));
            std::iter::repeat_n(*score, usize::try_from(others.clamp(0, 1_000)).unwrap_or(0))
        })
    };
    let show = |points: i32, me: bool| Nameless { rank: unit.rank(points), points, me };
    let mut above: Vec<Score> = places(true).collect();
    let above = above.split_off(above.len().saturating_sub(wide));
    let others = |rows: Vec<Score>| rows.into_iter().filter(|score| score.met).map(|score| show(score.points, false));
    let below = others(places(false).take(wide).collect());
    others(above).chain([show(own.points, true)]).chain(below).collect()
}
