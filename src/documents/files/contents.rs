//! Contents of files: stored once however often they are attached, with their text.

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::extraction::{Extracted, is_read};
use crate::documents::model::Media;
use crate::documents::{feed, search};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_files, documents, file_contents};
use crate::kernel::http::problem::{Code, Problem};

use super::content::StoredFile;

/// After this time another reader takes a file over.
const TAKEN_FOR: Duration = Duration::minutes(10);

/// What is known of contents.
pub struct KnownContents {
    pub being_read: bool,
    pub marked: bool,
}

/// Whether the same contents are there already.
pub async fn known(conn: &mut Conn, file: &StoredFile) -> Result<Option<KnownContents>, Problem> {
    let row: Option<(String, bool)> = file_contents::table
        .find((&file.sha256, file.media.as_str()))
        .select((file_contents::text_state, file_contents::marked))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(state, marked)| KnownContents { being_read: state == "being_read", marked }))
}

/// Notes contents that are new; those that are known keep the place where they are.
///
/// # Errors
/// 422 when a marking of state secrecy stands in them.
pub async fn register(conn: &mut Conn, file: &StoredFile, now: DateTime<Utc>) -> Result<(), Problem> {
    let state = if is_read(file.media) { "being_read" } else { "none" };
    diesel::insert_into(file_contents::table)
        .values((
            file_contents::sha256.eq(&file.sha256),
            file_contents::media_type.eq(file.media.as_str()),
            file_contents::bytes.eq(file.bytes),
            file_contents::storage_key.eq(&file.key),
            file_contents::stored_at.eq(now),
            file_contents::text_state.eq(state),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if let Some(read) = &file.read {
        finish(conn, &file.sha256, file.media.as_str(), read).await?;
    }
    match known(conn, file).await? {
        Some(KnownContents { marked: true, .. }) => Err(Problem::new(Code::SecretMarking)),
        _ => Ok(()),
    }
}

/// Whether the store keeps these contents under this key: others are left over.
pub async fn is_kept(conn: &mut Conn, key: &str) -> Result<bool, Problem> {
    let kept = file_contents::table.filter(file_contents::storage_key.eq(key));
    Ok(diesel::select(diesel::dsl::exists(kept)).get_result(conn).await?)
}

/// Those of these keys under which the store keeps contents that a row names.
pub async fn kept(conn: &mut Conn, keys: &[&str]) -> Result<HashSet<String>, Problem> {
    let rows: Vec<String> = file_contents::table
        .filter(file_contents::storage_key.eq_any(keys))
        .select(file_contents::storage_key)
        .load(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Writes what was read from contents.
async fn finish(conn: &mut Conn, sha256: &[u8], media_type: &str, read: &Extracted) -> Result<(), Problem> {
    let state = match read.reason {
        None => "read",
        Some(_) => "unreadable",
    };
    let waiting = file_contents::table
        .filter(file_contents::sha256.eq(sha256))
        .filter(file_contents::media_type.eq(media_type))
        .filter(file_contents::text_state.eq("being_read"));
    diesel::update(waiting)
        .set((
            file_contents::text_state.eq(state),
            file_contents::reason.eq(read.reason.map(|reason| reason.as_str())),
            file_contents::body.eq(&read.text),
            file_contents::words.eq(read.words),
            file_contents::pages.eq(read.pages),
            file_contents::marked.eq(read.marked),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Contents that wait to be read.
pub struct TakenContents {
    pub sha256: Vec<u8>,
    pub media: Media,
    pub storage_key: String,
}

#[derive(QueryableByName)]
struct TakenContentsRow {
    #[diesel(sql_type = diesel::sql_types::Bytea)]
    sha256: Vec<u8>,
    #[diesel(sql_type = Text)]
    media_type: String,
    #[diesel(sql_type = Text)]
    storage_key: String,
}

/// Takes the contents that have waited longest, so that no other reader does.
pub async fn take(conn: &mut Conn, now: DateTime<Utc>) -> Result<Option<TakenContents>, Problem> {
    let row: Option<TakenContentsRow> = diesel::sql_query(
        "UPDATE file_contents SET taken_at = $1 WHERE (sha256, media_type) IN (
             SELECT sha256, media_type FROM file_contents WHERE text_state = 'being_read' AND (taken_at IS NULL OR taken_at < $2)
             ORDER BY stored_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING sha256, media_type, storage_key",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - TAKEN_FOR)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.and_then(|row| {
        let media = Media::of_content_type(&row.media_type)?;
        Some(TakenContents { sha256: row.sha256, media, storage_key: row.storage_key })
    }))
}

/// Writes what was read, and lets searches find the published documents that have the file.
pub async fn put_text(
    conn: &mut Conn,
    taken: &TakenContents,
    read: &Extracted,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    finish(conn, &taken.sha256, taken.media.as_str(), read).await?;
    let having: Vec<Uuid> = document_files::table
        .inner_join(documents::table.on(documents::id.eq(document_files::document_id)))
        .filter(document_files::sha256.eq(&taken.sha256))
        .filter(document_files::version.eq(documents::files_version))
        .filter(documents::state.eq_any(["published", "superseded"]))
        .order(documents::id)
        .select(documents::id)
        .distinct()
        .load(conn)
        .await?;
    for id in having {
        search::index(conn, id).await?;
        feed::refresh(conn, id, now).await?;
    }
    Ok(())
}
