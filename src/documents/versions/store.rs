//! Rows of versions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::store::{DRAFT, PUBLISHED, SCHEDULED, waits};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::document_versions;
use crate::kernel::http::problem::{Code, Problem};

/// A version as it stands.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = document_versions)]
pub struct StoredVersion {
    pub document_id: Uuid,
    pub number: i32,
    pub note: String,
    /// None when the text of the document stays.
    pub body: Option<String>,
    pub state: String,
    pub publish_at: Option<DateTime<Utc>>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
}

/// A version to be written.
pub struct NewVersion<'a> {
    pub document_id: Uuid,
    pub number: i32,
    pub note: &'a str,
    pub body: Option<&'a str>,
    pub by: Uuid,
}

/// Writes a draft of a version.
///
/// # Errors
/// 409 when another one waits already.
pub async fn open(conn: &mut Conn, new: &NewVersion<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    if waiting(conn, new.document_id).await?.is_some() {
        return Err(Problem::with(
            Code::Conflict,
            "Đã có một bản mới đang soạn; hãy ban hành bản đó trước.",
            "A new version is being written already: publish that one first.",
        ));
    }
    diesel::insert_into(document_versions::table)
        .values((
            document_versions::document_id.eq(new.document_id),
            document_versions::number.eq(new.number),
            document_versions::note.eq(new.note),
            document_versions::body.eq(new.body),
            document_versions::state.eq(DRAFT),
            document_versions::created_by.eq(new.by),
            document_versions::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes a draft of a version, or writes it anew.
///
/// # Errors
/// 409 while it waits for a second officer or for its time.
pub async fn write(conn: &mut Conn, new: &NewVersion<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    match waiting(conn, new.document_id).await? {
        Some(version) if version.state != DRAFT => Err(waits()),
        Some(version) => {
            diesel::update(document_versions::table.find((version.document_id, version.number)))
                .set((document_versions::note.eq(new.note), document_versions::body.eq(new.body)))
                .execute(conn)
                .await?;
            Ok(())
        }
        None => open(conn, new, now).await,
    }
}

/// The version that is not published yet.
pub async fn waiting(conn: &mut Conn, document_id: Uuid) -> Result<Option<StoredVersion>, Problem> {
    Ok(document_versions::table
        .filter(document_versions::document_id.eq(document_id))
        .filter(document_versions::state.ne(PUBLISHED))
        .select(StoredVersion::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Lets the waiting version wait for something: a second officer, a time, or its author again.
pub async fn wait_for(
    conn: &mut Conn,
    document_id: Uuid,
    state: &str,
    publish_at: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    let waiting = document_versions::table
        .filter(document_versions::document_id.eq(document_id))
        .filter(document_versions::state.ne(PUBLISHED));
    diesel::update(waiting)
        .set((
            document_versions::state.eq(state),
            document_versions::publish_at.eq(publish_at.filter(|_| state == SCHEDULED)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Marks a version as published.
pub async fn write_out(conn: &mut Conn, version: &StoredVersion, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(document_versions::table.find((version.document_id, version.number)))
        .set((
            document_versions::state.eq(PUBLISHED),
            document_versions::publish_at.eq(None::<DateTime<Utc>>),
            document_versions::published_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The versions of a document, the newest first. Those who do not publish see published ones only.
pub async fn list(
    conn: &mut Conn,
    document_id: Uuid,
    publisher: bool,
    before: Option<i32>,
    fetch: i64,
) -> Result<Vec<StoredVersion>, Problem> {
    let mut query = document_versions::table
        .filter(document_versions::document_id.eq(document_id))
        .order(document_versions::number.desc())
        .limit(fetch)
        .select(StoredVersion::as_select())
        .into_boxed();
    if !publisher {
        query = query.filter(document_versions::state.eq(PUBLISHED));
    }
    if let Some(number) = before {
        query = query.filter(document_versions::number.lt(number));
    }
    Ok(query.load(conn).await?)
}
