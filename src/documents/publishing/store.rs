//! Rows of drafts and changes. Each function works inside the caller's transaction.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::feed;
use crate::documents::model::{DocumentKind, issuer_key, parse_symbol, topic_keys, words};
use crate::documents::store::{DRAFT, DocumentRow, IN_REVIEW, PUBLISHED, SCHEDULED, waits};
use crate::documents::versions::{self, NewVersion};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::documents;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;

use super::gate::{self, CheckedTexts};
use super::publication::{announce, end_offers};
use super::repeated;

/// A document that is to be written.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// The unit that will own it.
    pub unit_id: Uuid,
    pub symbol: String,
    pub kind: DocumentKind,
    pub title: String,
    /// May be empty.
    pub summary: String,
    /// Empty for a scan, which then needs `pages`.
    pub text: String,
    pub pages: Option<i32>,
    /// Makes it a document that members should read and confirm until a day.
    pub must_read_by: Option<NaiveDate>,
    /// What it is filed under.
    pub topics: Vec<String>,
}

/// Writes a draft. Returns its id.
///
/// # Errors
/// 422 when it has neither text nor pages, or carries a secrecy marking.
pub async fn draft(conn: &mut Conn, new: &NewDocument, author: Uuid, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    let texts = CheckedTexts {
        symbol: &new.symbol,
        title: &new.title,
        summary: &new.summary,
        body: &new.text,
        topics: &new.topics,
    };
    gate::check(&texts, new.pages)?;
    let id = new_id(now);
    let issuer = parse_symbol(&new.symbol).map(|symbol| symbol.issuer);
    diesel::insert_into(documents::table)
        .values((
            documents::id.eq(id),
            documents::unit_id.eq(new.unit_id),
            documents::symbol.eq(&new.symbol),
            documents::kind.eq(new.kind.as_str()),
            documents::title.eq(&new.title),
            documents::summary.eq(&new.summary),
            documents::body.eq(&new.text),
            documents::words.eq(words(&new.text)),
            documents::pages.eq(new.pages),
            documents::must_read_by.eq(new.must_read_by),
            documents::state.eq(DRAFT),
            documents::created_by.eq(author),
            documents::created_at.eq(now),
            documents::issuer_key.eq(issuer.as_deref().map(issuer_key)),
            documents::issuer.eq(issuer),
            documents::topic_keys.eq(topic_keys(&new.topics)),
            documents::topics.eq(&new.topics),
        ))
        .execute(conn)
        .await?;
    let first = NewVersion { document_id: id, number: 1, note: "", body: None, by: author };
    versions::open(conn, &first, now).await?;
    Ok(id)
}

/// Writes a changed document. Another text of a published one is its next version.
///
/// # Errors
/// As [`draft`]; 409 while the document, or a version of it whose text would change, waits.
pub async fn rewrite(
    conn: &mut Conn,
    (before, row, body): (&DocumentRow, &DocumentRow, &str),
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if [IN_REVIEW, SCHEDULED].contains(&row.state.as_str()) {
        return Err(waits());
    }
    let old = crate::documents::store::body(conn, row.id).await?;
    gate::check(&CheckedTexts::of(row, body), row.pages)?;
    gate::check_files(conn, row.id, row.files_version).await.or_else(|problem| match row.is_out() {
        true => Err(problem),
        false => Ok(gate::InFiles::default()),
    })?;
    let issuer = parse_symbol(&row.symbol).map(|symbol| symbol.issuer);
    diesel::update(documents::table.find(row.id))
        .set((
            documents::symbol.eq(&row.symbol),
            documents::kind.eq(&row.kind),
            documents::title.eq(&row.title),
            documents::summary.eq(&row.summary),
            documents::body.eq(body),
            documents::words.eq(if body == old { row.words } else { words(body) }),
            documents::pages.eq(row.pages),
            documents::must_read_by.eq(row.must_read_by),
            documents::issuer_key.eq(issuer.as_deref().map(issuer_key)),
            documents::issuer.eq(issuer),
            documents::topic_keys.eq(topic_keys(&row.topics)),
            documents::topics.eq(&row.topics),
        ))
        .execute(conn)
        .await?;
    if !row.is_out() {
        return Ok(());
    }
    if body != old || row.pages != before.pages {
        next_version(conn, row, by, now).await?;
    }
    if row.state == PUBLISHED {
        if row.must_read_by.is_none() && before.must_read_by.is_some() {
            end_offers(conn, row.id).await?;
        }
        announce(conn, row, now).await?;
    }
    feed::refresh(conn, row.id, now).await?;
    repeated::tell(conn, row, by, now).await
}

/// Reading sessions that were opened for the text before cannot be completed any more.
async fn next_version(conn: &mut Conn, row: &DocumentRow, by: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let new = NewVersion { document_id: row.id, number: row.version + 1, note: "", body: None, by };
    versions::open(conn, &new, now).await?;
    let version = versions::waiting(conn, row.id).await?.ok_or_else(|| Problem::internal("no version"))?;
    versions::write_out(conn, &version, now).await?;
    diesel::update(documents::table.find(row.id)).set(documents::version.eq(version.number)).execute(conn).await?;
    Ok(())
}

/// Which documents of a unit are listed.
#[derive(Debug, Default)]
pub struct OwnedQuery<'a> {
    pub state: Option<&'a str>,
    pub after: Option<Uuid>,
    pub fetch: i64,
}

/// The documents a unit owns, drafts and recalled ones too, newest first.
pub async fn of_unit(conn: &mut Conn, unit_id: Uuid, wanted: &OwnedQuery<'_>) -> Result<Vec<DocumentRow>, Problem> {
    let mut query = documents::table
        .filter(documents::unit_id.eq(unit_id))
        .order(documents::id.desc())
        .limit(wanted.fetch)
        .select(DocumentRow::as_select())
        .into_boxed();
    if let Some(id) = wanted.after {
        query = query.filter(documents::id.lt(id));
    }
    if let Some(state) = wanted.state {
        query = query.filter(documents::state.eq(state));
    }
    Ok(query.load(conn).await?)
}
