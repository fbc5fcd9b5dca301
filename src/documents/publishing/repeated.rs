//! Documents published before under another id: the officer is warned, a case is opened.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::store::{DocumentRow, targets};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;

/// A document that was published before, with the same symbol, text or file.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
pub struct SameDocument {
    /// Identifier.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its symbol as printed.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    pub symbol: String,
    /// What it is about.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    pub title: String,
    /// When it was published.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub published_at: Option<DateTime<Utc>>,
}

/// The latest ten documents that are the same as this one and reached some of the same units, recalled ones too. With a new term of
/// a committee its numbers begin anew: symbols count within the present term, or within five years where none is known.
pub async fn published_before(
    conn: &mut Conn,
    row: &DocumentRow,
    now: DateTime<Utc>,
) -> Result<Vec<SameDocument>, Problem> {
    let reached = targets(conn, row.id).await?;
    Ok(diesel::sql_query(
        "WITH same AS (
            SELECT d.id FROM documents d JOIN documents o ON o.id = $1
            WHERE d.published_at IS NOT NULL AND fold_name(d.symbol) = fold_name(o.symbol) AND d.kind = o.kind
              AND d.published_at > coalesce((SELECT r.valid_from::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh' FROM document_terms r
                  WHERE r.unit_id = o.unit_id AND r.valid_from <= $4 AND (r.valid_to IS NULL OR r.valid_to > $4)), $3 - interval '5 years')
            UNION SELECT d.id FROM documents d JOIN documents o ON o.id = $1 AND o.words > 0
            WHERE d.published_at IS NOT NULL AND d.words > 0 AND text_digest(d.body) = text_digest(o.body)
            UNION SELECT f.document_id FROM document_files f JOIN document_files o ON o.document_id = $1 AND o.sha256 = f.sha256)
         SELECT d.id, d.symbol, d.title, d.published_at FROM same JOIN documents d ON d.id = same.id
         WHERE d.id <> $1 AND d.published_at IS NOT NULL AND EXISTS (SELECT 1 FROM document_targets t JOIN unit_tree a
             ON (a.ancestor_id = t.unit_id AND a.descendant_id = ANY($2)) OR (a.descendant_id = t.unit_id AND a.ancestor_id = ANY($2))
             WHERE t.document_id = d.id)
         ORDER BY d.published_at DESC, d.id LIMIT 10",
    )
    .bind::<SqlUuid, _>(row.id)
    .bind::<Array<SqlUuid>, _>(reached)
    .bind::<Timestamptz, _>(now)
    .bind::<Date, _>(day_of(now))
    .load(conn)
    .await?)
}

/// The event by which inspectors learn of it.
pub async fn tell(conn: &mut Conn, row: &DocumentRow, by: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let same = published_before(conn, row, now).await?;
    if same.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = same.iter().map(|same| same.id).collect();
    let payload = json!({"document_id": row.id, "unit_id": row.unit_id, "published_by": by, "same_ids": ids});
    outbox::emit(conn, "documents.published_again", payload, now).await
}
