//! `sotay verify`: readings against the ledger, versions, distribution, the index, and files against their store.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::file_contents;
use crate::kernel::http::problem::Problem;

use super::files::store_away;

/// What each query proves; its lines are the differences.
const CHECKS: [(&str, &str); 5] = [
    (
        "each completed reading says what the ledger says",
        "SELECT format('reading %s: entry %s of %s point(s), in the ledger %s', s.id, e.id, e.points, coalesce(p.points::text, 'none'))
             AS line
         FROM reading_sessions s
         CROSS JOIN LATERAL jsonb_to_recordset(coalesce(s.receipt -> 'entries', '[]')) AS e (id uuid, points integer)
         LEFT JOIN point_entries p ON p.member_id = s.member_id AND p.id = e.id
         WHERE s.completed_at IS NOT NULL AND p.points IS DISTINCT FROM e.points LIMIT 100",
    ),
    (
        "each document shows its latest published version",
        "SELECT format('document %s: version %s, published last %s, files of %s', d.id, d.version, v.number, d.files_version) AS line
         FROM documents d CROSS JOIN LATERAL (SELECT max(n.number) AS number FROM document_versions n
             WHERE n.document_id = d.id AND n.state = 'published') v
         WHERE (d.published_at IS NOT NULL AND d.version IS DISTINCT FROM v.number)
            OR (d.published_at IS NULL AND v.number IS NOT NULL) OR d.files_version > d.version LIMIT 100",
    ),
    (
        "each document reaches those to whom it was distributed, and no others",
        "WITH out AS (SELECT id FROM documents WHERE state IN ('published', 'superseded')),
         wanted AS (SELECT t.document_id, 'u:' || t.unit_id AS key FROM document_targets t JOIN out ON out.id = t.document_id
             UNION SELECT a.document_id, a.key FROM document_audiences a JOIN out ON out.id = a.document_id),
         there AS (SELECT document_id, key FROM document_feed WHERE NOT removed)
         SELECT format('document %s: audience %s %s', document_id, key,
             CASE WHEN there.key IS NULL THEN 'is not reached' ELSE 'is reached' END) AS line
         FROM wanted FULL JOIN there USING (document_id, key) WHERE wanted.key IS NULL OR there.key IS NULL LIMIT 100",
    ),
    (
        "each published document can be found, and no other",
        "SELECT format('document %s is %s and %s in the index', d.id, d.state,
             CASE WHEN s.document_id IS NULL THEN 'not' ELSE 'stands' END) AS line
         FROM documents d LEFT JOIN document_search s ON s.document_id = d.id
         WHERE (d.state IN ('published', 'superseded')) <> (s.document_id IS NOT NULL) LIMIT 100",
    ),
    (
        "what is superseded has a document in force that took its place",
        "SELECT format('document %s: superseded by %s, which is %s', d.id, d.superseded_by, o.state) AS line
         FROM documents d LEFT JOIN documents o ON o.id = d.superseded_by
         WHERE d.state = 'superseded' AND (o.id IS NULL OR o.state NOT IN ('published', 'superseded')) LIMIT 100",
    ),
];

#[derive(QueryableByName)]
struct DifferenceLine {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Does all checks. Returns for each what it proves and the differences, a hundred at most.
///
/// # Errors
/// 503 when the database or the file store cannot be reached.
pub async fn verify(conn: &mut Conn, files: &dyn ObjectStore) -> Result<Vec<(&'static str, Vec<String>)>, Problem> {
    let mut found = Vec::new();
    for (proves, query) in CHECKS {
        let rows: Vec<DifferenceLine> = diesel::sql_query(query).load(conn).await?;
        found.push((proves, rows.into_iter().map(|row| row.line).collect()));
    }
    found.push(("each file is in the store, whole", missing(conn, files).await?));
    Ok(found)
}

/// Contents of files that the store does not have, or has with another size.
async fn missing(conn: &mut Conn, files: &dyn ObjectStore) -> Result<Vec<String>, Problem> {
    // The rows first: what is uploaded meanwhile is in the store before its row is.
    let rows: Vec<(String, i64)> =
        file_contents::table.select((file_contents::storage_key, file_contents::bytes)).load(conn).await?;
    let mut sizes: HashMap<String, u64> = HashMap::new();
    let mut listed = files.list(Some(&Path::from("documents")));
    while let Some(object) = listed.try_next().await.map_err(store_away)? {
        sizes.insert(object.location.to_string(), object.size);
    }
    let difference = |(key, bytes): (String, i64)| match sizes.get(&key) {
        Some(size) if u64::try_from(bytes) == Ok(*size) => None,
        Some(size) => Some(format!("a file of {bytes} bytes has {size} in the store")),
        None => Some(format!("a file of {bytes} bytes is not in the store")),
    };
    Ok(rows.into_iter().filter_map(difference).take(100).collect())
}
