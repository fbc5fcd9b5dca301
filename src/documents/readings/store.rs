//! Queries on the must-read documents of a unit's members.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;

/// Days that a member who joined later has at least.
pub const LEAST_DAYS: i32 = 7;

/// A member and a document that they have to read.
#[derive(Debug, Clone, QueryableByName)]
pub struct ReadingRow {
    #[diesel(sql_type = SqlUuid)]
    pub member_id: Uuid,
    #[diesel(sql_type = Text)]
    pub full_name: String,
    #[diesel(sql_type = SqlUuid)]
    pub document_id: Uuid,
    #[diesel(sql_type = Text)]
    pub symbol: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    /// The last day for this member.
    #[diesel(sql_type = Date)]
    pub must_read_by: NaiveDate,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Bool)]
    pub overdue: bool,
}

/// Which readings are listed.
#[derive(Debug, Clone, Copy)]
pub struct ReadingsQuery {
    pub unit_id: Uuid,
    pub overdue: bool,
    pub document_id: Option<Uuid>,
    pub after: Option<(NaiveDate, Uuid, Uuid)>,
    pub fetch: i64,
}

/// Members of today, with the units above their cells; documents that reach one of these and are to be read. The last day for a
/// member is that of the document or an earlier one of a unit of theirs, and at least a week after the member joined. What only a
/// unit asks for is done when it is read: the publisher asks for no confirmation.
const READINGS: &str = "WITH here AS (
        SELECT m.member_id, p.full_name, m.unit_id,
            (SELECT min(e.valid_from) FROM memberships e WHERE e.member_id = m.member_id) AS joined,
            (SELECT array_agg(u.ancestor_id ORDER BY u.depth) FROM unit_tree u
                WHERE u.descendant_id = m.unit_id AND u.valid_from <= $2 AND (u.valid_to IS NULL OR u.valid_to > $2)) AS home
        FROM unit_tree t
        JOIN memberships m ON m.unit_id = t.descendant_id AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to > $2)
        JOIN members p ON p.id = m.member_id
        WHERE t.ancestor_id = $1 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)),
    above AS (SELECT h.member_id, unnest(audience_keys(h.member_id, h.home, $2)) AS key FROM here h),
    asked AS (
        SELECT h.member_id, n.document_id, min(n.must_read_by) AS day
        FROM here h JOIN document_cover_notes n ON n.unit_id = ANY(h.home) AND NOT n.removed AND n.must_read_by IS NOT NULL
        GROUP BY h.member_id, n.document_id),
    dated AS (
        SELECT d.id, d.symbol, d.title, d.must_read_by FROM documents d
        WHERE d.state = 'published' AND ($5 IS NULL OR d.id = $5)
        AND (d.must_read_by IS NOT NULL OR d.id IN (SELECT document_id FROM asked))),
    due AS (
        SELECT DISTINCT h.member_id, h.full_name, d.id AS document_id, d.symbol, d.title, d.must_read_by IS NULL AS by_unit,
            greatest(least(d.must_read_by, q.day), h.joined + $3::int) AS must_read_by
        FROM here h JOIN above a ON a.member_id = h.member_id
        JOIN document_feed f ON f.key = a.key AND NOT f.removed
        JOIN dated d ON d.id = f.document_id
        LEFT JOIN asked q ON q.member_id = h.member_id AND q.document_id = d.id
        WHERE coalesce(d.must_read_by, q.day) IS NOT NULL),
    seen AS (
        SELECT u.*,
            CASE WHEN EXISTS (SELECT 1 FROM document_acknowledgements k
                    WHERE k.document_id = u.document_id AND k.member_id = u.member_id) THEN 'acknowledged'
                WHEN EXISTS (SELECT 1 FROM reading_sessions s WHERE s.document_id = u.document_id AND s.member_id = u.member_id
                    AND s.completed_at IS NOT NULL) THEN 'read'
                WHEN EXISTS (SELECT 1 FROM reading_sessions s WHERE s.document_id = u.document_id AND s.member_id = u.member_id
                    AND s.credited_ms > 0) THEN 'reading'
                WHEN EXISTS (SELECT 1 FROM document_openings o
                    WHERE o.document_id = u.document_id AND o.account_id = u.member_id) THEN 'opened'
                ELSE 'unopened' END AS state
        FROM due u),
    judged AS (
        SELECT s.*, (s.must_read_by < $2 AND s.state <> 'acknowledged' AND NOT (s.by_unit AND s.state = 'read')) AS overdue
        FROM seen s)
    SELECT s.* FROM judged s WHERE (NOT $4 OR s.overdue)
    AND ($6 IS NULL OR (s.must_read_by, s.document_id, s.member_id) > ($6, $7, $8))
    ORDER BY s.must_read_by, s.document_id, s.member_id LIMIT $9";

/// Members of a unit and everything below it with the documents they have to read, the oldest day first.
pub async fn list(conn: &mut Conn, wanted: ReadingsQuery, now: DateTime<Utc>) -> Result<Vec<ReadingRow>, Problem> {
    let after = wanted.after;
    Ok(sql_query(READINGS)
        .bind::<SqlUuid, _>(wanted.unit_id)
        .bind::<Date, _>(day_of(now))
        .bind::<Int4, _>(LEAST_DAYS)
        .bind::<Bool, _>(wanted.overdue)
        .bind::<Nullable<SqlUuid>, _>(wanted.document_id)
        .bind::<Nullable<Date>, _>(after.map(|(day, ..)| day))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(_, document, _)| document))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(.., member)| member))
        .bind::<BigInt, _>(wanted.fetch)
        .load(conn)
        .await?)
}

#[derive(QueryableByName)]
struct RemindedRow {
    #[diesel(sql_type = SqlUuid)]
    member_id: Uuid,
}

/// Notes a reminder of today for each of these members. Returns those who have had none today.
pub async fn note_reminders(
    conn: &mut Conn,
    (document_id, members): (Uuid, &[Uuid]),
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Problem> {
    let rows: Vec<RemindedRow> = sql_query(
        "INSERT INTO document_reminders (document_id, member_id, day, sent_by, sent_at)
         SELECT $1, m, $3, $4, $5 FROM unnest($2) AS t (m) ON CONFLICT DO NOTHING RETURNING member_id",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<Array<SqlUuid>, _>(members)
    .bind::<Date, _>(day_of(now))
    .bind::<SqlUuid, _>(by)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.member_id).collect())
}

/// How long reminders are kept, days.
const KEPT_DAYS: i64 = 90;

/// Drops some old reminders. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM document_reminders WHERE (document_id, member_id, day) IN (
        SELECT document_id, member_id, day FROM document_reminders WHERE day < $1 ORDER BY day LIMIT $2)";
    let query = sql_query(query).bind::<Date, _>(day_of(now - TimeDelta::days(KEPT_DAYS)));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}
