//! Queries on who opened, read and confirmed a document.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

/// A person who has opened a document.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
#[schema(as = DocumentReader)]
pub struct Reader {
    /// Who.
    #[diesel(sql_type = SqlUuid)]
    pub account_id: Uuid,
    /// Their name.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 200, example = "Nguyễn Văn An")]
    pub full_name: String,
    /// When they first opened it.
    #[diesel(sql_type = Timestamptz)]
    pub opened_at: DateTime<Utc>,
    /// When they first finished reading it.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub completed_at: Option<DateTime<Utc>>,
    /// Whether they read it together with a helper, as officers recorded and confirmed.
    #[diesel(sql_type = Bool)]
    pub assisted: bool,
    /// When they confirmed it.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub acknowledged_at: Option<DateTime<Utc>>,
}

/// All persons who have opened a document, in the order in which they first did.
pub async fn readers(
    conn: &mut Conn,
    document_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    fetch: i64,
) -> Result<Vec<Reader>, Problem> {
    let (at, id) = after.unzip();
    Ok(diesel::sql_query(
        "SELECT o.account_id, coalesce(m.full_name, a.display_name) AS full_name, o.opened_at,
             (SELECT min(s.completed_at) FROM reading_sessions s
              WHERE s.document_id = o.document_id AND s.member_id = o.account_id) AS completed_at,
             EXISTS (SELECT 1 FROM reading_sessions s
              WHERE s.document_id = o.document_id AND s.member_id = o.account_id AND s.assisted_by IS NOT NULL) AS assisted,
             k.acknowledged_at
         FROM document_openings o
         JOIN accounts a ON a.id = o.account_id
         LEFT JOIN members m ON m.id = o.account_id
         LEFT JOIN document_acknowledgements k ON k.document_id = o.document_id AND k.member_id = o.account_id
         WHERE o.document_id = $1 AND ($2 IS NULL OR (o.opened_at, o.account_id) > ($2, $3))
         ORDER BY o.opened_at, o.account_id LIMIT $4",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<Nullable<Timestamptz>, _>(at)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch)
    .load(conn)
    .await?)
}

/// Progress of a document in a unit and everything below it. Opening a document is not reading it.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
#[schema(as = DocumentReadership)]
pub struct Readership {
    /// Members today.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 0, maximum = 10_000_000, example = 25)]
    pub members: i64,
    /// How many of them have opened it.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 0, maximum = 10_000_000, example = 20)]
    pub opened: i64,
    /// How many of them have finished reading it.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 0, maximum = 10_000_000, example = 18)]
    pub completed: i64,
    /// How many of them have confirmed it.
    #[diesel(sql_type = BigInt)]
    #[schema(minimum = 0, maximum = 10_000_000, example = 12)]
    pub acknowledged: i64,
}

/// Counts the members of a unit and everything below it on a day.
pub async fn of_unit(conn: &mut Conn, document_id: Uuid, unit_id: Uuid, day: NaiveDate) -> Result<Readership, Problem> {
    Ok(diesel::sql_query(
        "WITH here AS (
             SELECT p.member_id AS id FROM unit_tree t
             JOIN memberships p ON p.unit_id = t.descendant_id
                 AND p.valid_from <= $3 AND (p.valid_to IS NULL OR p.valid_to > $3)
             WHERE t.ancestor_id = $2 AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3))
         SELECT count(*) AS members,
             count(*) FILTER (WHERE EXISTS (SELECT 1 FROM document_openings o
                 WHERE o.document_id = $1 AND o.account_id = here.id)) AS opened,
             count(*) FILTER (WHERE EXISTS (SELECT 1 FROM reading_sessions s
                 WHERE s.document_id = $1 AND s.member_id = here.id AND s.completed_at IS NOT NULL)) AS completed,
             count(*) FILTER (WHERE EXISTS (SELECT 1 FROM document_acknowledgements k
                 WHERE k.document_id = $1 AND k.member_id = here.id)) AS acknowledged
         FROM here",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(day)
    .get_result(conn)
    .await?)
}

#[derive(QueryableByName)]
struct Concerns {
    #[diesel(sql_type = Bool)]
    concerns: bool,
}

/// Whether a document was distributed to a unit, to one above it or to one that is or was below it. `path` is the unit with its
/// ancestors.
pub async fn concerns(conn: &mut Conn, document_id: Uuid, path: &[Uuid], day: NaiveDate) -> Result<bool, Problem> {
    let row: Concerns = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM document_targets d WHERE d.document_id = $1
             AND (d.unit_id = ANY($2) OR EXISTS (SELECT 1 FROM unit_tree t
                 WHERE t.ancestor_id = ($2)[1] AND t.descendant_id = d.unit_id AND t.valid_from <= $3))) AS concerns",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<Array<SqlUuid>, _>(path)
    .bind::<Date, _>(day)
    .get_result(conn)
    .await?;
    Ok(row.concerns)
}
