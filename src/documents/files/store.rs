//! Rows of files.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::store::{DRAFT, RECALLED, lock, recalled, waits};
use crate::documents::versions;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_files, file_contents};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;

use super::content::StoredFile;
use super::contents;

/// Files a document may have.
const MOST_FILES: i64 = 20;

/// A file of a document.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable)]
#[schema(as = DocumentFile)]
pub struct FileOut {
    /// Identifier.
    pub id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "98-KH-ĐU.pdf")]
    pub name: String,
    /// Its media type.
    #[schema(max_length = 100, pattern = "^[a-z]+/[a-z0-9.+-]+$", example = "application/pdf")]
    pub media_type: String,
    /// Its size.
    #[schema(minimum = 1, maximum = 1_000_000_000, example = 27_752)]
    pub bytes: i64,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// The version that it came with.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub version: i32,
    /// What became of its text: `being_read`, `read`, `unreadable`, or `none` for pictures and sound.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "read")]
    pub text_state: String,
    /// Why there is no text: `encrypted`, `damaged`, `too_large`, `no_text`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "no_text")]
    pub text_reason: Option<String>,
}

/// What a download needs.
#[derive(Debug, Clone, Queryable)]
pub struct FileRow {
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    pub sha256: Vec<u8>,
    pub storage_key: String,
    pub version: i32,
}

/// Adds a file whose contents are kept already, to the version that is being written.
///
/// # Errors
/// 404 for an unknown document, 409 for a recalled one, for one that waits, and for a published one without a new version; 422 when
/// the version has twenty files or a marking stands in the file.
pub async fn attach(
    conn: &mut Conn,
    document_id: Uuid,
    name: &str,
    file: &StoredFile,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<FileOut, Problem> {
    let row = lock(conn, document_id).await?;
    if row.state == RECALLED {
        return Err(recalled());
    }
    let version = match versions::waiting(conn, document_id).await? {
        Some(version) if version.state == DRAFT => version.number,
        Some(_) => return Err(waits()),
        None => return Err(needs_version()),
    };
    let present: i64 = document_files::table
        .filter(document_files::document_id.eq(document_id))
        .filter(document_files::version.eq(version))
        .count()
        .get_result(conn)
        .await?;
    if present >= MOST_FILES {
        return Err(Problem::with(
            Code::RuleNotMet,
            format!("Mỗi tài liệu có nhiều nhất {MOST_FILES} tệp."),
            format!("A document has at most {MOST_FILES} files."),
        ));
    }
    contents::register(conn, file, now).await?;
    let id = new_id(now);
    diesel::insert_into(document_files::table)
        .values((
            document_files::id.eq(id),
            document_files::document_id.eq(document_id),
            document_files::name.eq(name),
            document_files::media_type.eq(file.media.as_str()),
            document_files::bytes.eq(file.bytes),
            document_files::sha256.eq(&file.sha256),
            document_files::added_by.eq(by),
            document_files::added_at.eq(now),
            document_files::version.eq(version),
        ))
        .execute(conn)
        .await?;
    Ok(files().filter(document_files::id.eq(id)).select(shown()).first(conn).await?)
}

fn needs_version() -> Problem {
    Problem::with(
        Code::Conflict,
        "Tài liệu đã ban hành: hãy tạo bản mới rồi thêm tệp vào bản đó.",
        "The document is published: write a new version and add the file to that.",
    )
}

#[diesel::dsl::auto_type]
fn files() -> _ {
    document_files::table.inner_join(file_contents::table.on(
        file_contents::sha256.eq(document_files::sha256).and(file_contents::media_type.eq(document_files::media_type)),
    ))
}

#[diesel::dsl::auto_type]
fn shown() -> _ {
    (
        document_files::id,
        document_files::name,
        document_files::media_type,
        document_files::bytes,
        document_files::added_at,
        document_files::version,
        file_contents::text_state,
        file_contents::reason,
    )
}

/// The files that a version brought, in the order they were added.
pub async fn of_document(conn: &mut Conn, document_id: Uuid, version: i32) -> Result<Vec<FileOut>, Problem> {
    Ok(files()
        .filter(document_files::document_id.eq(document_id))
        .filter(document_files::version.eq(version))
        .order(document_files::id)
        .limit(MOST_FILES)
        .select(shown())
        .load(conn)
        .await?)
}

/// One file of a document. 404 when the document has no such file.
pub async fn one(conn: &mut Conn, document_id: Uuid, file_id: Uuid) -> Result<FileRow, Problem> {
    Ok(files()
        .filter(document_files::id.eq(file_id))
        .filter(document_files::document_id.eq(document_id))
        .select((
            document_files::name,
            document_files::media_type,
            document_files::bytes,
            document_files::sha256,
            file_contents::storage_key,
            document_files::version,
        ))
        .first(conn)
        .await?)
}

/// The text of a file, as far as it was read.
#[derive(Debug, Serialize, ToSchema, Queryable)]
#[schema(as = DocumentFileText)]
pub struct FileText {
    /// `being_read`, `read`, `unreadable`, or `none` for pictures and sound.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "read")]
    pub text_state: String,
    /// Why there is no text: `encrypted`, `damaged`, `too_large`, `no_text`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "no_text")]
    pub text_reason: Option<String>,
    /// Number of pages, where the file has any.
    #[schema(minimum = 1, maximum = 100_000, example = 2)]
    pub pages: Option<i32>,
    /// Words of the whole text.
    #[schema(minimum = 0, maximum = 100_000_000, example = 480)]
    pub words: i32,
    /// The text; of long ones the beginning.
    #[schema(max_length = 200_000, example = "Điều 1. …")]
    pub text: String,
}

/// The text of one file of a document.
pub async fn text_of(conn: &mut Conn, document_id: Uuid, file_id: Uuid) -> Result<FileText, Problem> {
    Ok(files()
        .filter(document_files::id.eq(file_id))
        .filter(document_files::document_id.eq(document_id))
        .select((
            file_contents::text_state,
            file_contents::reason,
            file_contents::pages,
            file_contents::words,
            file_contents::body,
        ))
        .first(conn)
        .await?)
}
