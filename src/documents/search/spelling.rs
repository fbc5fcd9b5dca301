//! Misspelt words: the likeliest words of the library for those that begin none of its words.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::words::Search;

/// Notes the words of a document that is in the index, so that misspelt ones can be compared with them.
pub async fn learn(conn: &mut Conn, document_id: Uuid) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO document_words (word)
         SELECT w FROM document_search s, unnest(tsvector_to_array(s.words)) AS w
         WHERE s.document_id = $1 AND w ~ '^[a-z]{3,30}$' ORDER BY w ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(document_id)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Respelt {
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = Text)]
    better: String,
}

/// The search with the likeliest word in the place of each that no document has; none when there is nothing to mend. Such a search
/// finds nothing as it was typed, so that nothing is hidden by it.
pub async fn respell(conn: &mut Conn, search: &Search) -> Result<Option<Search>, Problem> {
    let rows: Vec<Respelt> = diesel::sql_query(
        "SELECT t.word, b.word AS better FROM unnest($1::text[]) AS t (word)
         CROSS JOIN LATERAL (SELECT d.word FROM document_words d WHERE d.word % t.word
             ORDER BY similarity(d.word, t.word) DESC, d.word LIMIT 1) b
         WHERE t.word ~ '^[a-z]{3,30}$'
         AND NOT EXISTS (SELECT 1 FROM document_words d WHERE d.word >= t.word AND d.word < t.word || '{')",
    )
    .bind::<Array<Text>, _>(search.words())
    .load(conn)
    .await?;
    let better: HashMap<String, String> = rows.into_iter().map(|row| (row.word, row.better)).collect();
    Ok((!better.is_empty()).then(|| search.respelt(&better)))
}
