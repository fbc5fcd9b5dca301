//! Boards that a job keeps of large units over spans without a roll-up: the histogram of points and the first places. A request
//! reads them, and never ranks a province.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Int2, Int4, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use crate::leaderboards::model::{LARGE_KINDS, Ranked, Viewer};
use crate::leaderboards::span::Span;
use crate::leaderboards::standings::{BELOW, standings};
use crate::leaderboards::store::{large_units, over};

/// Units with so many members or fewer are ranked at each request.
const MAX_CHANGES_PER_POLL: i64 = 5_000;
/// First places that are kept: what a request shows at most.
const MOST_PLACES: i64 = 200;
/// A board is made anew at most so often, while its span runs and after it.
const RUNNING_KEPT: TimeDelta = TimeDelta::minutes(10);
const PAST_KEPT: TimeDelta = TimeDelta::hours(6);
/// What nobody asked for within so many days is not made anew.
const WANTED_DAYS: i64 = 30;
/// How long a client waits before it asks again for a board that is still to be made, seconds.
const COME_AGAIN: u64 = 60;

/// How many members of a unit have how many points.
#[derive(Debug, Clone, QueryableByName)]
pub struct Tally {
    #[diesel(sql_type = Int4)]
    pub counted: i32,
    /// The most first.
    #[diesel(sql_type = Array<Int4>)]
    pub scores: Vec<i32>,
    #[diesel(sql_type = Array<Int4>)]
    pub holders: Vec<i32>,
    /// Of these, how many reached their threshold.
    #[diesel(sql_type = Array<Int4>)]
    pub reached: Vec<i32>,
}

impl Tally {
    /// The rank that these points have: one more than the number of members with more.
    pub fn rank(&self, points: i32) -> i64 {
        let above = self.scores.iter().zip(&self.holders).take_while(|(score, _)| **score > points);
        above.map(|(_, held)| i64::from(*held)).sum::<i64>() + 1
    }
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Timestamptz)]
    made_at: DateTime<Utc>,
    #[diesel(embed)]
    tally: Tally,
}

#[derive(QueryableByName)]
struct BoardSize {
    #[diesel(sql_type = BigInt)]
    members: i64,
}

/// Units and days of which it is known whether they are crowds; a full table begins again.
static CROWDS: LazyLock<Mutex<HashMap<(Uuid, NaiveDate), bool>>> = LazyLock::new(Mutex::default);
const MOST_KNOWN: usize = 10_000;

/// Whether a unit has more members on a day than a request may rank.
pub async fn is_crowd(conn: &mut Conn, view: &Viewer) -> Result<bool, Problem> {
    let key = (view.unit_id, view.day);
    if let Some(crowd) = CROWDS.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(*crowd);
    }
    let found: BoardSize = diesel::sql_query(
        "SELECT count(*) AS members FROM (SELECT 1 FROM unit_tree t CROSS JOIN LATERAL (
             SELECT 1 FROM memberships s WHERE s.unit_id = t.descendant_id AND s.valid_from <= $2
                 AND (s.valid_to IS NULL OR s.valid_to > $2)) m
         WHERE t.ancestor_id = $1 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2) LIMIT $3) found",
    )
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.day)
    .bind::<BigInt, _>(MAX_CHANGES_PER_POLL + 1)
    .get_result(conn)
    .await?;
    let mut known = CROWDS.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(key, found.members > MAX_CHANGES_PER_POLL);
    Ok(found.members > MAX_CHANGES_PER_POLL)
}

/// The board of a crowd, and since when it is true. One that is not there yet is ordered.
///
/// # Errors
/// 503 until it is made.
pub async fn of(conn: &mut Conn, view: &Viewer, now: DateTime<Utc>) -> Result<(Tally, DateTime<Utc>), Problem> {
    let found: Option<Kept> = diesel::sql_query(
        "SELECT made_at, counted, scores, holders, reached FROM kept_boards
         WHERE unit_id = $1 AND first = $2 AND months = $3 AND made_at IS NOT NULL",
    )
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.span.first().first_day())
    .bind::<Int2, _>(view.span.length())
    .get_result(conn)
    .await
    .optional()?;
    if let Some(kept) = found {
        return Ok((kept.tally, kept.made_at));
    }
    order(conn, &[view.unit_id], view.span, now).await?;
    Err(Problem::unavailable("the board is still to be made").retry_after(COME_AGAIN))
}

/// Has boards made, unless they are kept or ordered already.
async fn order(conn: &mut Conn, units: &[Uuid], span: Span, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO kept_boards (unit_id, first, months, wanted_at) SELECT u, $2, $3, $4 FROM unnest($1::uuid[]) AS t (u)
         ORDER BY u ON CONFLICT (unit_id, first, months) DO UPDATE SET wanted_at = excluded.wanted_at
         WHERE kept_boards.wanted_at < excluded.wanted_at - interval '1 day'",
    )
    .bind::<Array<SqlUuid>, _>(units)
    .bind::<Date, _>(span.first().first_day())
    .bind::<Int2, _>(span.length())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The first places of a kept board with who they are; members who left the unit since then are not shown.
pub async fn places(conn: &mut Conn, view: &Viewer, limit: i64) -> Result<Vec<Ranked>, Problem> {
    Ok(diesel::sql_query(
        "SELECT p.place::bigint AS place, p.rank, p.member_id, p.cell_id AS unit_id, m.full_name, p.points, p.met,
             m.named_on_leaderboards AS opted_in, m.hidden_on_leaderboards AS hidden
         FROM kept_places p JOIN members m ON m.id = p.member_id
         WHERE p.unit_id = $1 AND p.first = $2 AND p.months = $3 AND p.place <= $4 ORDER BY p.place",
    )
    .bind::<SqlUuid, _>(view.unit_id)
    .bind::<Date, _>(view.span.first().first_day())
    .bind::<Int2, _>(view.span.length())
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?)
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    unit_id: Uuid,
    #[diesel(sql_type = Date)]
    first: NaiveDate,
    #[diesel(sql_type = Int2)]
    months: i16,
}

/// Makes the board that has waited longest, in the caller's transaction. Returns whether there was one.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn make_next(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool, Problem> {
    order_usual(conn, now).await?;
    // What changed since is told by the roll-ups of its months. Of instances that come at once, each takes another one.
    let due: Option<Due> = diesel::sql_query(
        "SELECT b.unit_id, b.first, b.months FROM kept_boards b WHERE b.made_at IS NULL OR (b.wanted_at > $1
             AND b.made_at < CASE WHEN b.first + make_interval(months => b.months::int) > $2 THEN $3 ELSE $4 END
             AND EXISTS (SELECT 1 FROM unit_months m WHERE m.unit_id = b.unit_id AND m.taken_at >= b.made_at
                 AND m.period >= b.first AND m.period < b.first + make_interval(months => b.months::int)))
         ORDER BY b.made_at NULLS FIRST, b.wanted_at LIMIT 1 FOR UPDATE OF b SKIP LOCKED",
    )
    .bind::<Timestamptz, _>(now - TimeDelta::days(WANTED_DAYS))
    .bind::<Date, _>(day_of(now))
    .bind::<Timestamptz, _>(now - RUNNING_KEPT)
    .bind::<Timestamptz, _>(now - PAST_KEPT)
    .get_result(conn)
    .await
    .optional()?;
    let Some(due) = due else { return Ok(false) };
    let Some(span) = Span::of(Period::containing(due.first), due.months) else { return Ok(false) };
    make(conn, &Viewer::new(due.unit_id, span, day_of(now)), now).await?;
    Ok(true)
}

/// All quarters and years, the present and the last, are there before the first asks.
async fn order_usual(conn: &mut Conn, now: DateTime<Utc>) -> Result<(), Problem> {
    let today = day_of(now);
    let mut crowds = Vec::new();
    for unit_id in large_units(conn, &LARGE_KINDS, today).await? {
        if is_crowd(conn, &Viewer::new(unit_id, Span::month(Period::containing(today)), today)).await? {
            crowds.push(unit_id);
        }
    }
    if crowds.is_empty() {
        return Ok(());
    }
    for span in Span::around(Period::containing(today)).into_iter().filter(|span| !span.is_month()) {
        order(conn, &crowds, span, now).await?;
        order(conn, &crowds, span.before(), now).await?;
    }
    Ok(())
}

/// Ranks all members of the unit once, and writes down what requests need.
async fn make(conn: &mut Conn, view: &Viewer, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query("DELETE FROM kept_places WHERE unit_id = $1 AND first = $2 AND months = $3")
        .bind::<SqlUuid, _>(view.unit_id)
        .bind::<Date, _>(view.span.first().first_day())
        .bind::<Int2, _>(view.span.length())
        .execute(conn)
        .await?;
    let query = format!(
        "WITH {}, tally AS (
            SELECT points, count(*)::int4 AS holders, (count(*) FILTER (WHERE points >= threshold))::int4 AS reached
            FROM standings GROUP BY points),
        board AS (
            UPDATE kept_boards b SET made_at = $7, counted = t.counted, scores = t.scores, holders = t.holders,
                reached = t.reached
            FROM (SELECT coalesce(sum(holders), 0)::int4 AS counted, coalesce(array_agg(points ORDER BY points DESC), '{{}}') AS scores,
                coalesce(array_agg(holders ORDER BY points DESC), '{{}}') AS holders,
                coalesce(array_agg(reached ORDER BY points DESC), '{{}}') AS reached FROM tally) t
            WHERE b.unit_id = ($1)[1] AND b.first = $3 AND b.months = $6),
        ranked AS (
            SELECT rank() OVER (ORDER BY points DESC) AS rank,
                row_number() OVER (ORDER BY points DESC, (points >= threshold) DESC, md5(member_id::text || $4::text)) AS place,
                member_id, unit_id, points, points >= threshold AS met FROM standings)
        INSERT INTO kept_places (unit_id, first, months, place, rank, member_id, cell_id, points, met)
        SELECT ($1)[1], $3, $6, place, rank, member_id, unit_id, points, met FROM ranked WHERE place <= $8",
        standings(BELOW)
    );
    let query = over(query, vec![view.unit_id], view).bind::<Int2, _>(view.span.length());
    query.bind::<Timestamptz, _>(now).bind::<BigInt, _>(MOST_PLACES).execute(conn).await?;
    Ok(())
}
