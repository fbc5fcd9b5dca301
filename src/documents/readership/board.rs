//! Queries for the board of a month's documents: whom each reaches in a unit, and how far they are.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::{Period, start_of};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

/// Members below which figures tell of persons.
const FEWEST: i64 = 5;

/// What the board is about.
#[derive(Debug, Clone, Copy)]
pub struct BoardOfDocuments {
    pub unit_id: Uuid,
    /// The unit above, when the caller sees its figures too: less one of the units below it they would be those of the others.
    pub above: Option<Uuid>,
    /// The month in which the documents were published.
    pub period: Period,
    pub day: NaiveDate,
    /// Whether the caller may list the members, so that small groups are no secret.
    pub lists_members: bool,
}

/// A document with the figures of a unit.
#[derive(Debug, Clone, QueryableByName)]
pub struct BoardDocument {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub unit_id: Uuid,
    #[diesel(sql_type = Text)]
    pub symbol: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Nullable<Date>)]
    pub must_read_by: Option<NaiveDate>,
    #[diesel(sql_type = Timestamptz)]
    pub published_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    pub counted: i64,
    #[diesel(sql_type = BigInt)]
    pub opened: i64,
    #[diesel(sql_type = BigInt)]
    pub read: i64,
    #[diesel(sql_type = BigInt)]
    pub acknowledged: i64,
    /// Whether the figures would tell of persons.
    #[diesel(sql_type = Bool)]
    pub withheld: bool,
    /// The share that has read it, in millionths; -1 when it is withheld.
    #[diesel(sql_type = Int4)]
    pub share: i32,
}

/// Members of the unit `$2`, or of the one above it, `$1`, whom each document reaches today, without those who are exempt or excused.
/// Who belongs to a unit, a kind of unit or a role is asked a cell at a time, not a member at a time. With the unit above, the
/// figures are withheld as soon as one of its branches is too small: the others would give it away.
const BOARD: &str = "WITH docs AS (
        SELECT d.id, d.unit_id, d.symbol, d.title, d.state, d.must_read_by, d.published_at FROM documents d
        WHERE d.state IN ('published', 'superseded') AND d.published_at >= $4 AND d.published_at < $5),
    cells AS (
        SELECT t.descendant_id AS id,
            EXISTS (SELECT 1 FROM unit_tree i WHERE i.ancestor_id = $2 AND i.descendant_id = t.descendant_id
                AND i.valid_from <= $3 AND (i.valid_to IS NULL OR i.valid_to > $3)) AS inside,
            (SELECT b.ancestor_id FROM unit_tree b JOIN unit_tree p ON p.ancestor_id = $1 AND p.descendant_id = b.ancestor_id
                AND p.depth = 1 AND p.valid_from <= $3 AND (p.valid_to IS NULL OR p.valid_to > $3)
                WHERE b.descendant_id = t.descendant_id AND b.valid_from <= $3 AND (b.valid_to IS NULL OR b.valid_to > $3)
                LIMIT 1) AS branch,
            (SELECT array_agg(u.ancestor_id ORDER BY u.depth) FROM unit_tree u
                WHERE u.descendant_id = t.descendant_id AND u.valid_from <= $3 AND (u.valid_to IS NULL OR u.valid_to > $3)) AS path
        FROM unit_tree t WHERE t.ancestor_id = $1 AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)),
    here AS (
        SELECT m.member_id, c.id AS cell_id, c.inside, c.branch FROM cells c
        JOIN memberships m ON m.unit_id = c.id AND m.valid_from <= $3 AND (m.valid_to IS NULL OR m.valid_to > $3)
        WHERE NOT EXISTS (SELECT 1 FROM exemptions x WHERE x.member_id = m.member_id
            AND x.valid_from <= $3 AND (x.valid_to IS NULL OR x.valid_to > $3))),
    cell_keys AS (
        SELECT c.id, unnest(audience_keys('00000000-0000-0000-0000-000000000000', c.path, $3)) AS key
        FROM cells c WHERE c.id IN (SELECT cell_id FROM here)),
    own_keys AS (
        SELECT h.member_id, 'm:' || h.member_id AS key FROM here h
        UNION ALL SELECT h.member_id, 'r:' || t.ancestor_id || ':' || g.role FROM here h
            JOIN grants g ON g.account_id = h.member_id AND g.revoked_at IS NULL
                AND g.valid_from <= $3 AND (g.valid_to IS NULL OR g.valid_to > $3)
            JOIN unit_tree t ON t.descendant_id = g.unit_id AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3)),
    feed AS (SELECT f.document_id, f.key FROM docs d JOIN document_feed f ON f.document_id = d.id AND NOT f.removed),
    reached AS (
        SELECT f.document_id, h.member_id FROM feed f JOIN cell_keys k ON k.key = f.key JOIN here h ON h.cell_id = k.id
        UNION SELECT f.document_id, o.member_id FROM feed f JOIN own_keys o ON o.key = f.key),
    branches AS (
        SELECT r.document_id, h.branch, count(*) AS members, count(*) FILTER (WHERE h.inside) AS counted,
            count(*) FILTER (WHERE h.inside AND EXISTS (SELECT 1 FROM document_openings o
                WHERE o.document_id = r.document_id AND o.account_id = r.member_id)) AS opened,
            count(*) FILTER (WHERE h.inside AND EXISTS (SELECT 1 FROM reading_sessions s
                WHERE s.document_id = r.document_id AND s.member_id = r.member_id AND s.completed_at IS NOT NULL)) AS read,
            count(*) FILTER (WHERE h.inside AND EXISTS (SELECT 1 FROM document_acknowledgements k
                WHERE k.document_id = r.document_id AND k.member_id = r.member_id)) AS acknowledged
        FROM reached r JOIN here h ON h.member_id = r.member_id GROUP BY r.document_id, h.branch),
    figures AS (
        SELECT document_id, sum(counted)::bigint AS counted, sum(opened)::bigint AS opened, sum(read)::bigint AS read,
            sum(acknowledged)::bigint AS acknowledged, min(members) AS smallest
        FROM branches GROUP BY document_id HAVING sum(counted) > 0),
    judged AS (
        SELECT d.*, f.counted, f.opened, f.read, f.acknowledged,
            NOT $6 AND (f.counted < $7 OR ($1 <> $2 AND f.smallest < $7)) AS withheld
        FROM docs d JOIN figures f ON f.document_id = d.id),
    ranked AS (
        SELECT j.*, CASE WHEN j.withheld THEN -1 ELSE (j.read * 1000000 / j.counted)::int END AS share FROM judged j)
    SELECT * FROM ranked WHERE $8 IS NULL OR (share, id) > ($8, $9) ORDER BY share, id LIMIT $10";

/// The documents of a month, those that the smallest share has read first.
pub async fn documents(
    conn: &mut Conn,
    wanted: &BoardOfDocuments,
    after: Option<(i32, Uuid)>,
    fetch: i64,
) -> Result<Vec<BoardDocument>, Problem> {
    let (share, id) = after.unzip();
    Ok(diesel::sql_query(BOARD)
        .bind::<SqlUuid, _>(wanted.above.unwrap_or(wanted.unit_id))
        .bind::<SqlUuid, _>(wanted.unit_id)
        .bind::<Date, _>(wanted.day)
        .bind::<Timestamptz, _>(start_of(wanted.period.first_day()))
        .bind::<Timestamptz, _>(start_of(wanted.period.next().first_day()))
        .bind::<Bool, _>(wanted.lists_members)
        .bind::<BigInt, _>(FEWEST)
        .bind::<Nullable<Int4>, _>(share)
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<BigInt, _>(fetch)
        .load(conn)
        .await?)
}
