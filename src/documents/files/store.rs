//! Rows of files.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::store::{RECALLED, lock, next_version, recalled};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::document_files;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;

use super::content::StoredFile;

/// Files a document may have.
const MOST_FILES: i64 = 20;

/// A file of a document.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = document_files)]
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
}

/// What a download needs.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = document_files)]
pub struct FileRow {
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    pub sha256: Vec<u8>,
    pub storage_key: String,
}

/// Adds a file whose contents are kept already. A change of the document: it gets its next version.
///
/// # Errors
/// 404 for an unknown document, 409 for a recalled one, 422 when it has twenty files.
pub async fn attach(
    conn: &mut Conn,
    document_id: Uuid,
    name: &str,
    file: &StoredFile,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<FileOut, Problem> {
    let row = lock(conn, document_id).await?;
    if row.status == RECALLED {
        return Err(recalled());
    }
    let present: i64 =
        document_files::table.filter(document_files::document_id.eq(document_id)).count().get_result(conn).await?;
    if present >= MOST_FILES {
        return Err(Problem::with(
            Code::RuleNotMet,
            format!("Mỗi tài liệu có nhiều nhất {MOST_FILES} tệp."),
            format!("A document has at most {MOST_FILES} files."),
        ));
    }
    next_version(conn, document_id).await?;
    Ok(diesel::insert_into(document_files::table)
        .values((
            document_files::id.eq(new_id(now)),
            document_files::document_id.eq(document_id),
            document_files::name.eq(name),
            document_files::media_type.eq(file.media.as_str()),
            document_files::bytes.eq(file.bytes),
            document_files::sha256.eq(&file.sha256),
            document_files::storage_key.eq(&file.key),
            document_files::added_by.eq(by),
            document_files::added_at.eq(now),
        ))
        .returning(FileOut::as_returning())
        .get_result(conn)
        .await?)
}

/// The files of a document, in the order they were added.
pub async fn of_document(conn: &mut Conn, document_id: Uuid) -> Result<Vec<FileOut>, Problem> {
    Ok(document_files::table
        .filter(document_files::document_id.eq(document_id))
        .order(document_files::id)
        .limit(MOST_FILES)
        .select(FileOut::as_select())
        .load(conn)
        .await?)
}

/// One file of a document. 404 when the document has no such file.
pub async fn one(conn: &mut Conn, document_id: Uuid, file_id: Uuid) -> Result<FileRow, Problem> {
    Ok(document_files::table
        .find(file_id)
        .filter(document_files::document_id.eq(document_id))
        .select(FileRow::as_select())
        .first(conn)
        .await?)
}
