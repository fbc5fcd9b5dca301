//! Queries on closings: writing and reading snapshots, and the ledger's figures of today.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{closing_rows, closings};
use crate::kernel::http::problem::Problem;
use crate::points::board::BoardCounts;

use super::model::{ClosedRow, ClosingManifest, FormerClosing, hex};

/// Rows a statement; each has 6 parameters of the 65,535 that PostgreSQL takes.
const CHUNK: usize = 5_000;

/// A closing to be written.
pub struct NewClosing {
    pub manifest: ClosingManifest,
    /// The manifest in canonical form: what is signed.
    pub text: String,
    pub manifest_hash: Vec<u8>,
    pub signature: Vec<u8>,
}

/// A row to be written.
#[derive(Insertable)]
#[diesel(table_name = closing_rows)]
pub struct NewRow {
    pub closing_id: Uuid,
    pub position: i32,
    pub member_id: Uuid,
    pub points: i32,
    pub content: String,
    pub hash: Vec<u8>,
}

/// Writes snapshots and puts them in force; the states of the months are locked.
pub async fn write(conn: &mut Conn, period: Period, closings: &[NewClosing], rows: &[NewRow]) -> Result<(), Problem> {
    let values: Vec<_> = closings.iter().map(record).collect();
    diesel::insert_into(closings::table).values(values).execute(conn).await?;
    for chunk in rows.chunks(CHUNK) {
        diesel::insert_into(closing_rows::table).values(chunk).execute(conn).await?;
    }
    let cells: Vec<Uuid> = closings.iter().map(|closing| closing.manifest.unit_id).collect();
    let ids: Vec<Uuid> = closings.iter().map(|closing| closing.manifest.closing_id).collect();
    diesel::sql_query(
        "UPDATE closing_states s SET generation = s.generation + 1, closing_id = n.id, open_until = NULL
         FROM unnest($1, $2) AS n(unit_id, id) WHERE s.unit_id = n.unit_id AND s.period = $3",
    )
    .bind::<Array<SqlUuid>, _>(cells)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Date, _>(period.first_day())
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = closings)]
struct ClosingRecord<'a> {
    id: Uuid,
    unit_id: Uuid,
    period: NaiveDate,
    generation: i32,
    former_id: Option<Uuid>,
    closed_at: DateTime<Utc>,
    closed_by: Option<Uuid>,
    threshold: i32,
    members: i32,
    exempt: i32,
    excused: i32,
    met: i32,
    manifest: &'a str,
    manifest_hash: &'a [u8],
    signature: &'a [u8],
    kid: &'a str,
}

fn record(new: &NewClosing) -> ClosingRecord<'_> {
    let manifest = &new.manifest;
    ClosingRecord {
        id: manifest.closing_id,
        unit_id: manifest.unit_id,
        period: manifest.period.first_day(),
        generation: manifest.generation,
        former_id: manifest.former.as_ref().map(|former| former.closing_id),
        closed_at: manifest.closed_at,
        closed_by: manifest.closed_by,
        threshold: manifest.threshold,
        members: manifest.members,
        exempt: manifest.exempt,
        excused: manifest.excused,
        met: manifest.met,
        manifest: &new.text,
        manifest_hash: &new.manifest_hash,
        signature: &new.signature,
        kid: &manifest.kid,
    }
}

/// The closings of a month of cells, by cell and generation.
pub async fn formers(
    conn: &mut Conn,
    cells: &[Uuid],
    period: Period,
) -> Result<BTreeMap<(Uuid, i32), FormerClosing>, Problem> {
    let found: Vec<(Uuid, i32, Uuid, Vec<u8>)> = closings::table
        .filter(closings::unit_id.eq_any(cells))
        .filter(closings::period.eq(period.first_day()))
        .select((closings::unit_id, closings::generation, closings::id, closings::manifest_hash))
        .load(conn)
        .await?;
    let former = |(cell, generation, closing_id, hash): (Uuid, i32, Uuid, Vec<u8>)| {
        ((cell, generation), FormerClosing { closing_id, manifest_hash: hex(&hash) })
    };
    Ok(found.into_iter().map(former).collect())
}

/// A closing as it is stored, with what became of it.
#[derive(Debug, QueryableByName)]
pub struct StoredClosing {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Date)]
    pub period: NaiveDate,
    #[diesel(sql_type = Int4)]
    pub generation: i32,
    #[diesel(sql_type = Timestamptz)]
    pub closed_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub closed_by: Option<Uuid>,
    #[diesel(sql_type = Int4)]
    pub threshold: i32,
    #[diesel(embed)]
    pub counts: BoardCounts,
    #[diesel(sql_type = Binary)]
    pub manifest_hash: Vec<u8>,
    #[diesel(sql_type = Binary)]
    pub signature: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub kid: String,
    #[diesel(sql_type = Text)]
    pub manifest: String,
    /// Whether no later closing has replaced it.
    #[diesel(sql_type = Bool)]
    pub is_last: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub reopened_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub reopened_by: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    pub open_until: Option<NaiveDate>,
}

const CLOSING: &str = "SELECT c.id, c.unit_id, c.period, c.generation, c.closed_at, c.closed_by, c.threshold,
        c.members::bigint AS members, c.exempt::bigint AS exempt, c.excused::bigint AS excused, c.met::bigint AS met,
        c.manifest_hash, c.signature, c.kid, c.manifest, c.generation = s.generation AS is_last,
        r.reopened_at, r.reopened_by, r.reason, s.open_until
    FROM closings c JOIN closing_states s ON s.unit_id = c.unit_id AND s.period = c.period
    LEFT JOIN closing_reopenings r ON r.closing_id = c.id";

/// The closings of a unit, the latest month and generation first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    before: Option<(NaiveDate, i32)>,
    fetch: i64,
) -> Result<Vec<StoredClosing>, Problem> {
    let (period, generation) = before.unzip();
    Ok(diesel::sql_query(format!(
        "{CLOSING} WHERE c.unit_id = $1 AND ($2::date IS NULL OR (c.period, c.generation) < ($2, $3))
         ORDER BY c.period DESC, c.generation DESC LIMIT $4"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Nullable<Date>, _>(period)
    .bind::<Nullable<Int4>, _>(generation)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// The closing of a month, the last one or that of a generation.
///
/// # Errors
/// 404 when the month has no such closing.
pub async fn of_month(
    conn: &mut Conn,
    unit_id: Uuid,
    period: Period,
    generation: Option<i32>,
) -> Result<StoredClosing, Problem> {
    Ok(diesel::sql_query(format!(
        "{CLOSING} WHERE c.unit_id = $1 AND c.period = $2 AND c.generation = coalesce($3, s.generation)"
    ))
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(period.first_day())
    .bind::<Nullable<Int4>, _>(generation)
    .get_result(conn)
    .await?)
}

/// Closings by id, in the order of the ids given.
pub async fn of_ids(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<StoredClosing>, Problem> {
    Ok(diesel::sql_query(format!("{CLOSING} WHERE c.id = ANY($1) ORDER BY array_position($1, c.id)"))
        .bind::<Array<SqlUuid>, _>(ids)
        .load(conn)
        .await?)
}

/// A row of a snapshot with its hash.
pub struct SnapshotRow {
    pub row: ClosedRow,
    pub hash: Vec<u8>,
}

/// Rows of a closing after a position.
pub async fn rows(conn: &mut Conn, closing_id: Uuid, after: i32, fetch: i64) -> Result<Vec<SnapshotRow>, Problem> {
    let found: Vec<(String, Vec<u8>)> = closing_rows::table
        .filter(closing_rows::closing_id.eq(closing_id))
        .filter(closing_rows::position.gt(after))
        .order(closing_rows::position)
        .limit(fetch)
        .select((closing_rows::content, closing_rows::hash))
        .load(conn)
        .await?;
    found.into_iter().map(|(content, hash)| Ok(SnapshotRow { row: parse(&content)?, hash })).collect()
}

/// All rows of some closings, by closing, in order.
pub async fn rows_of(conn: &mut Conn, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<ClosedRow>>, Problem> {
    let found: Vec<(Uuid, String)> = closing_rows::table
        .filter(closing_rows::closing_id.eq_any(ids))
        .order((closing_rows::closing_id, closing_rows::position))
        .select((closing_rows::closing_id, closing_rows::content))
        .load(conn)
        .await?;
    let mut rows: BTreeMap<Uuid, Vec<ClosedRow>> = BTreeMap::new();
    for (id, content) in found {
        rows.entry(id).or_default().push(parse(&content)?);
    }
    Ok(rows)
}

fn parse(content: &str) -> Result<ClosedRow, Problem> {
    serde_json::from_str(content).map_err(Problem::internal)
}

/// Members' points of the month in the ledger today, with everything that came after the closing.
pub async fn corrected(conn: &mut Conn, members: &[Uuid], period: Period) -> Result<BTreeMap<Uuid, i32>, Problem> {
    #[derive(QueryableByName)]
    struct CorrectionSum {
        #[diesel(sql_type = SqlUuid)]
        member_id: Uuid,
        #[diesel(sql_type = BigInt)]
        points: i64,
    }
    let sums: Vec<CorrectionSum> = diesel::sql_query(
        "SELECT member_id, sum(points) AS points FROM point_entries
         WHERE member_id = ANY($1) AND period = $2 GROUP BY member_id",
    )
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Date, _>(period.first_day())
    .load(conn)
    .await?;
    sums.into_iter().map(|sum| Ok((sum.member_id, i32::try_from(sum.points).map_err(Problem::internal)?))).collect()
}

/// How many rows of a closing differ from the ledger today.
pub async fn count_corrected(conn: &mut Conn, closing_id: Uuid, period: Period) -> Result<i64, Problem> {
    let rows: Vec<(Uuid, i32)> = closing_rows::table
        .filter(closing_rows::closing_id.eq(closing_id))
        .select((closing_rows::member_id, closing_rows::points))
        .load(conn)
        .await?;
    let members: Vec<Uuid> = rows.iter().map(|(member, _)| *member).collect();
    let sums = corrected(conn, &members, period).await?;
    let differ = rows.iter().filter(|(member, points)| sums.get(member).copied().unwrap_or(0) != *points).count();
    i64::try_from(differ).map_err(Problem::internal)
}

/// The members that a closing lists, in the order in which their months are locked.
pub async fn members_of(conn: &mut Conn, closing_id: Uuid) -> Result<Vec<Uuid>, Problem> {
    Ok(closing_rows::table
        .filter(closing_rows::closing_id.eq(closing_id))
        .order(closing_rows::member_id)
        .select(closing_rows::member_id)
        .load(conn)
        .await?)
}
