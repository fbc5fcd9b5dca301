//! Closes the month of some cells: locks, marks, takes and signs snapshots, in one transaction.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Date, Int4, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::Crypto;

use super::gather::{self, CellMonth};
use super::keys::{self, Signer};
use super::model::{ClosingManifest, FORMAT, FormerClosing, RowCounts, canonical, hash, hex};
use super::store::{self, NewClosing, NewRow};
use super::window;

/// Who closes.
pub struct Closer<'a> {
    pub crypto: &'a Crypto,
    /// None when the month closes by itself.
    pub by: Option<Uuid>,
    pub request_id: Option<&'a str>,
    pub now: DateTime<Utc>,
}

/// The month of a cell, its row locked.
#[derive(Debug, Clone, QueryableByName)]
pub struct MonthState {
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Int4)]
    pub generation: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub closing_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Date>)]
    pub open_until: Option<NaiveDate>,
}

/// Locks the months of cells, in the order of their ids: before anything of their members.
pub async fn lock_states(conn: &mut Conn, cells: &[Uuid], period: Period) -> Result<Vec<MonthState>, Problem> {
    // Units are locked before members, as everywhere: for an existing row the insert below locks no unit.
    diesel::sql_query("SELECT 1 FROM units WHERE id = ANY($1) ORDER BY id FOR KEY SHARE")
        .bind::<Array<SqlUuid>, _>(cells)
        .execute(conn)
        .await?;
    diesel::sql_query(
        "INSERT INTO closing_states (unit_id, period) SELECT c, $2 FROM unnest($1) AS t(c) ORDER BY c ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(cells)
    .bind::<Date, _>(period.first_day())
    .execute(conn)
    .await?;
    Ok(diesel::sql_query(
        "SELECT unit_id, generation, closing_id, open_until FROM closing_states
         WHERE unit_id = ANY($1) AND period = $2 ORDER BY unit_id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(cells)
    .bind::<Date, _>(period.first_day())
    .load(conn)
    .await?)
}

/// Closes the month of one cell at its secretary's request. A month that is closed already stays as it is.
///
/// # Errors
/// 422 outside the days for it, and for a cell without members.
pub async fn close_by_hand(conn: &mut Conn, closer: &Closer<'_>, unit_id: Uuid, period: Period) -> Result<(), Problem> {
    let states = lock_states(conn, &[unit_id], period).await?;
    let [state] = states.as_slice() else {
        return Err(Problem::internal("the month has no state"));
    };
    if state.closing_id.is_some() {
        return Ok(());
    }
    if !window::open_to_the_secretary(period, state.open_until, day_of(closer.now)) {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Bí thư chốt tháng trong 5 ngày đầu của tháng sau, hoặc trong thời hạn mở lại.",
            "The secretary closes a month in the first five days of the next one, or while it is reopened.",
        ));
    }
    if close_locked(conn, closer, period, states).await? == 0 {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Chi bộ không có đảng viên nào vào ngày cuối tháng.",
            "The cell had no members on the last day of the month.",
        ));
    }
    Ok(())
}

/// Closes the months of cells that are not closed yet and had members on the last day. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn close_cells(
    conn: &mut Conn,
    closer: &Closer<'_>,
    period: Period,
    cells: &[Uuid],
) -> Result<usize, Problem> {
    let states = lock_states(conn, cells, period).await?;
    close_locked(conn, closer, period, states).await
}

async fn close_locked(
    conn: &mut Conn,
    closer: &Closer<'_>,
    period: Period,
    mut states: Vec<MonthState>,
) -> Result<usize, Problem> {
    states.retain(|state| state.closing_id.is_none());
    let cells: Vec<Uuid> = states.iter().map(|state| state.unit_id).collect();
    mark_months(conn, &cells, period, closer.now).await?;
    let mut months = gather::months(conn, &cells, period).await?;
    let signer = keys::signer(conn, closer.crypto, closer.now).await?;
    let former = store::formers(conn, &cells, period).await?;
    let (mut closings, mut rows) = (Vec::new(), Vec::new());
    for state in states {
        if let Some(month) = months.remove(&state.unit_id) {
            let former = former.get(&(state.unit_id, state.generation));
            closings.push(snapshot(closer, &signer, period, &state, month, former, &mut rows)?);
        }
    }
    store::write(conn, period, &closings, &rows).await?;
    for closing in &closings {
        record(conn, closer, period, closing).await?;
    }
    let closed = closings.iter().map(|closing| &closing.manifest);
    let closed = closed.map(|of| json!({"closing_id": of.closing_id, "unit_id": of.unit_id, "period": period}));
    outbox::emit_all(conn, "month.closed", closed.collect(), closer.now).await?;
    Ok(closings.len())
}

/// Locks the members' months in the order of the members, inserting missing rows, and marks them as closed: later
/// entries are late corrections.
async fn mark_months(conn: &mut Conn, cells: &[Uuid], period: Period, now: DateTime<Utc>) -> Result<(), Problem> {
    let members = gather::members(conn, cells, period.last_day()).await?;
    diesel::sql_query(
        "INSERT INTO member_months (member_id, period) SELECT m, $2 FROM unnest($1) AS t(m) ORDER BY m ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(&members)
    .bind::<Date, _>(period.first_day())
    .execute(conn)
    .await?;
    diesel::sql_query(
        "SELECT 1 FROM member_months WHERE member_id = ANY($1) AND period = $2 ORDER BY member_id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(&members)
    .bind::<Date, _>(period.first_day())
    .execute(conn)
    .await?;
    // A change of exemptions locks the member's row: the snapshot sees the change, or the change sees the closing.
    diesel::sql_query("SELECT 1 FROM members WHERE id = ANY($1) ORDER BY id FOR KEY SHARE")
        .bind::<Array<SqlUuid>, _>(&members)
        .execute(conn)
        .await?;
    diesel::sql_query("UPDATE member_months SET closed_at = $3 WHERE member_id = ANY($1) AND period = $2")
        .bind::<Array<SqlUuid>, _>(&members)
        .bind::<Date, _>(period.first_day())
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await?;
    Ok(())
}

fn snapshot(
    closer: &Closer<'_>,
    signer: &Signer,
    period: Period,
    state: &MonthState,
    month: CellMonth,
    former: Option<&FormerClosing>,
    rows: &mut Vec<NewRow>,
) -> Result<NewClosing, Problem> {
    let id = new_id(closer.now);
    let counts = RowCounts::of(&month.rows);
    let mut row_hashes = Vec::with_capacity(month.rows.len());
    for row in &month.rows {
        let content = canonical(row)?;
        let hash = hash(&content);
        row_hashes.push(hex(&hash));
        rows.push(NewRow {
            closing_id: id,
            position: row.position,
            member_id: row.member_id,
            points: row.points,
            content,
            hash,
        });
    }
    let manifest = ClosingManifest {
        format: FORMAT.to_owned(),
        closing_id: id,
        unit_id: state.unit_id,
        unit_name: month.name,
        period,
        generation: state.generation + 1,
        former: former.cloned(),
        closed_at: closer.now,
        closed_by: closer.by,
        threshold: month.threshold,
        members: counts.members,
        counted: counts.counted(),
        exempt: counts.exempt,
        excused: counts.excused,
        met: counts.met,
        row_hashes,
        kid: signer.kid.clone(),
    };
    let text = canonical(&manifest)?;
    Ok(NewClosing { manifest_hash: hash(&text), signature: signer.sign(&text), text, manifest })
}

async fn record(conn: &mut Conn, closer: &Closer<'_>, period: Period, closing: &NewClosing) -> Result<(), Problem> {
    let manifest = &closing.manifest;
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: closer.by,
        action: "month.closed",
        object_kind: "closing",
        object_id: manifest.closing_id,
        unit_id: Some(manifest.unit_id),
        member_id: None,
        request_id: closer.request_id,
        details: json!({"period": period, "generation": manifest.generation, "manifest_hash": hex(&closing.manifest_hash)}),
    };
    audit::record(conn, event, closer.now).await
}
