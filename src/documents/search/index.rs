//! The index entry of a document: written by the program, because PostgreSQL folds no Vietnamese.

use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::store;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_files, file_contents};
use crate::kernel::http::problem::Problem;

use super::spelling;
use super::words::{symbol_lexeme, vector};

/// Writes the entry anew, or drops it when members do not see the document.
pub async fn index(conn: &mut Conn, document_id: Uuid) -> Result<(), Problem> {
    let row = store::get(conn, document_id).await?;
    if !row.is_out() {
        diesel::sql_query("DELETE FROM document_search WHERE document_id = $1")
            .bind::<SqlUuid, _>(document_id)
            .execute(conn)
            .await?;
        return Ok(());
    }
    let body = store::body(conn, document_id).await?;
    let files: Vec<String> = document_files::table
        .inner_join(
            file_contents::table.on(file_contents::sha256
                .eq(document_files::sha256)
                .and(file_contents::media_type.eq(document_files::media_type))),
        )
        .filter(document_files::document_id.eq(document_id))
        .filter(document_files::version.eq(row.files_version))
        .order(document_files::id)
        .select(file_contents::body)
        .load(conn)
        .await?;
    let topics = row.topics.join(" ");
    let key = symbol_lexeme(&row.symbol);
    let head = [row.symbol.as_str(), &row.title, &topics];
    let all = head.into_iter().chain([row.summary.as_str(), &body]).chain(files.iter().map(String::as_str));
    diesel::sql_query(
        "INSERT INTO document_search (document_id, published_at, reach, symbol, head, words)
         SELECT d.id, d.published_at,
             (SELECT coalesce(array_agg(key), '{}') FROM document_feed f WHERE f.document_id = d.id AND NOT f.removed),
             $2::tsvector, $3::tsvector, $4::tsvector
         FROM documents d WHERE d.id = $1
         ON CONFLICT (document_id) DO UPDATE SET published_at = excluded.published_at, reach = excluded.reach,
             symbol = excluded.symbol, head = excluded.head, words = excluded.words",
    )
    .bind::<SqlUuid, _>(document_id)
    .bind::<Text, _>(vector([row.symbol.as_str()]) + &key)
    .bind::<Text, _>(vector(head) + &key)
    .bind::<Text, _>(vector(all) + &key)
    .execute(conn)
    .await?;
    spelling::learn(conn, document_id).await
}
