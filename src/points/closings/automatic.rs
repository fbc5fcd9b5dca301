//! Automatic closing of months: in slices, shared by instances, resumable.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::schema::{closing_passes, closing_states};
use crate::kernel::db::{Conn, Db};
use crate::kernel::http::problem::Problem;
use crate::kernel::security::crypto::Crypto;

use super::close::{Closer, close_cells};
use super::window;

/// Cells closed in one transaction: enough to make statements worth their round trip, few enough not to block others.
const SLICE: usize = 50;
/// Months that are checked, the latest first: also those of a time when no instance ran.
const MONTHS: usize = 12;

/// Result of one slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    pub closed: usize,
    /// Whether there may be more to do at once.
    pub more: bool,
}

/// Closes everything that is due, slice by slice. Returns how many months of cells it closed.
///
/// # Errors
/// 503 when the database cannot be reached; what was closed stays closed.
pub async fn close_due(db: &Db, crypto: &Crypto, now: DateTime<Utc>) -> Result<usize, Problem> {
    let mut closed = 0;
    loop {
        let slice = close_due_slice(db, crypto, now).await?;
        closed += slice.closed;
        if !slice.more {
            return Ok(closed);
        }
    }
}

/// Cells whose closing failed by itself, and the day. They are left out for the rest of it, so that they hold up no other.
static FAILED: LazyLock<Mutex<HashMap<(Uuid, Period), NaiveDate>>> = LazyLock::new(Mutex::default);

/// Closes some of what is due in a transaction. First come reopened months whose days are over. Then each month of the calendar
/// is gone through once a day; the row of its pass is locked during a slice, so that instances share the work without doing it
/// twice. When a slice fails, its cells are closed one by one.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn close_due_slice(db: &Db, crypto: &Crypto, now: DateTime<Utc>) -> Result<Slice, Problem> {
    let closer = Closer { crypto, by: None, request_id: None, now };
    match db.transaction(async |conn| slice(conn, &closer).await).await {
        Ok(slice) => Ok(slice),
        Err(problem) => one_by_one(db, &closer, problem).await,
    }
}

async fn slice(conn: &mut Conn, closer: &Closer<'_>) -> Result<Slice, Problem> {
    let today = day_of(closer.now);
    let Some(next) = next(conn, today).await? else { return Ok(Slice { closed: 0, more: false }) };
    let closed = if next.cells.is_empty() { 0 } else { close_cells(conn, closer, next.period, &next.cells).await? };
    if let Some((after_unit, done)) = next.pass {
        diesel::update(closing_passes::table.find(next.period.first_day()))
            .set((
                closing_passes::day.eq(today),
                closing_passes::after_unit.eq(after_unit),
                closing_passes::done.eq(done),
            ))
            .execute(conn)
            .await?;
    }
    if closed > 0 {
        tracing::info!(period = %next.period, closed, "months closed by themselves");
    }
    Ok(Slice { closed, more: true })
}

/// Closes the cells of a slice that failed, each in a transaction of its own, and notes those at fault.
async fn one_by_one(db: &Db, closer: &Closer<'_>, problem: Problem) -> Result<Slice, Problem> {
    let today = day_of(closer.now);
    let Some(next) = db.transaction(async |conn| next(conn, today).await).await? else { return Err(problem) };
    let (mut closed, mut failed) = (0, 0);
    for cell in next.cells {
        match db.transaction(async |conn| close_cells(conn, closer, next.period, &[cell]).await).await {
            Ok(count) => closed += count,
            Err(problem) => {
                // Where the database is away, no cell is at fault.
                db.transaction(async |conn| Ok(diesel::sql_query("SELECT 1").execute(conn).await?)).await?;
                tracing::error!(%problem, %cell, period = %next.period, "a month could not be closed; it is left out today");
                let mut left_out = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
                left_out.retain(|_, day| *day == today);
                left_out.insert((cell, next.period), today);
                failed += 1;
            }
        }
    }
    // Nothing got on: what fails is not a cell, and would fail again at once.
    if closed + failed == 0 { Err(problem) } else { Ok(Slice { closed, more: true }) }
}

/// What a slice is about.
struct NextSlice {
    period: Period,
    cells: Vec<Uuid>,
    /// How far the pass of the month has come then; none for reopened months.
    pass: Option<(Option<Uuid>, bool)>,
}

async fn next(conn: &mut Conn, today: NaiveDate) -> Result<Option<NextSlice>, Problem> {
    if let Some((period, cells)) = reopened(conn, today).await? {
        return Ok(Some(NextSlice { period, cells, pass: None }));
    }
    let Some((period, after)) = take_pass(conn, today).await? else { return Ok(None) };
    let candidates = candidates(conn, period, after, today).await?;
    let left_out = left_out(today);
    let cells = candidates.iter().filter(|cell| cell.due && !left_out.contains(&(cell.id, period)));
    let cells = cells.map(|cell| cell.id).collect();
    let pass = Some((candidates.last().map(|cell| cell.id), candidates.len() < SLICE));
    Ok(Some(NextSlice { period, cells, pass }))
}

fn left_out(today: NaiveDate) -> Vec<(Uuid, Period)> {
    let failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    failed.iter().filter(|(_, day)| **day == today).map(|(key, _)| *key).collect()
}

/// Cells of the earliest month, whatever its age, that was reopened and is open no longer.
///
/// No one else closes them: after its days neither the secretary does nor a superior reopens it again, and passes go back
/// [`MONTHS`] only. Of instances that come at once, one closes and the others find nothing left.
async fn reopened(conn: &mut Conn, today: NaiveDate) -> Result<Option<(Period, Vec<Uuid>)>, Problem> {
    let left_out = left_out(today);
    let over: Vec<(NaiveDate, Uuid)> = closing_states::table
        .filter(closing_states::closing_id.is_null())
        .filter(closing_states::open_until.lt(today))
        .order((closing_states::period, closing_states::unit_id))
        .limit((SLICE + left_out.len()) as i64)
        .select((closing_states::period, closing_states::unit_id))
        .load(conn)
        .await?;
    let over: Vec<(Period, Uuid)> = over
        .into_iter()
        .map(|(month, unit)| (Period::containing(month), unit))
        .filter(|(month, unit)| !left_out.contains(&(*unit, *month)))
        .take(SLICE)
        .collect();
    let Some((earliest, _)) = over.as_slice().first().copied() else { return Ok(None) };
    let cells = over.into_iter().filter(|(month, _)| *month == earliest).map(|(_, cell)| cell).collect();
    Ok(Some((earliest, cells)))
}

/// Locks the pass of a month that was not completed today and that no other instance works on.
async fn take_pass(conn: &mut Conn, today: NaiveDate) -> Result<Option<(Period, Option<Uuid>)>, Problem> {
    #[derive(QueryableByName)]
    struct Pass {
        #[diesel(sql_type = Date)]
        period: NaiveDate,
        #[diesel(sql_type = Nullable<SqlUuid>)]
        after_unit: Option<Uuid>,
    }
    let latest = window::latest_due(today);
    let periods: Vec<NaiveDate> = std::iter::successors(Some(latest), |period| Some(period.previous()))
        .take(MONTHS)
        .map(Period::first_day)
        .collect();
    diesel::sql_query(
        "INSERT INTO closing_passes (period, day, done) SELECT p, $2, false FROM unnest($1) AS t(p)
         WHERE NOT EXISTS (SELECT 1 FROM closing_passes c WHERE c.period = p) ORDER BY p ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Date>, _>(&periods)
    .bind::<Date, _>(today)
    .execute(conn)
    .await?;
    // A pass of another day starts again from its beginning.
    let taken: Option<Pass> = diesel::sql_query(
        "SELECT period, CASE WHEN day = $2 THEN after_unit END AS after_unit FROM closing_passes
         WHERE period = ANY($1) AND (day <> $2 OR NOT done) ORDER BY period DESC LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind::<Array<Date>, _>(&periods)
    .bind::<Date, _>(today)
    .get_result(conn)
    .await
    .optional()?;
    Ok(taken.map(|pass| (Period::containing(pass.period), pass.after_unit)))
}

#[derive(QueryableByName)]
struct DueCell {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// Whether it had members on the month's last day who were entered by then.
    #[diesel(sql_type = Bool)]
    due: bool,
}

/// The next cells that are not closed; reopened ones wait for their days to pass.
///
/// A sheet may say that people belonged to the cell long before it was imported. They could earn nothing before the
/// first of them was entered, so months that had ended by then are left open: otherwise all members would be signed as
/// `below`.
async fn candidates(
    conn: &mut Conn,
    period: Period,
    after: Option<Uuid>,
    today: NaiveDate,
) -> Result<Vec<DueCell>, Problem> {
    Ok(diesel::sql_query(
        "SELECT u.id, EXISTS (SELECT 1 FROM memberships m JOIN members p ON p.id = m.member_id WHERE m.unit_id = u.id
             AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to > $2)
             AND (p.created_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date <= $2) AS due
         FROM units u JOIN unit_kinds k ON k.code = u.kind
         WHERE k.holds_members AND ($3::uuid IS NULL OR u.id > $3)
           AND NOT EXISTS (SELECT 1 FROM closing_states s WHERE s.unit_id = u.id AND s.period = $1
               AND (s.closing_id IS NOT NULL OR s.open_until >= $4))
         ORDER BY u.id LIMIT $5",
    )
    .bind::<Date, _>(period.first_day())
    .bind::<Date, _>(period.last_day())
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<Date, _>(today)
    .bind::<BigInt, _>(SLICE as i64)
    .load(conn)
    .await?)
}
