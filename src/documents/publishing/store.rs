//! Drafts, changes, publication and recall. Each works inside the caller's transaction.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::OBJECT_KIND;
use crate::documents::model::{DocumentKind, carries_secret_marking, searchable, words};
use crate::documents::store::{DRAFT, DocumentRow, PUBLISHED, RECALLED, body, lock, next_version, recalled, targets};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_targets, documents};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::points::{Offer, offer, withdraw_offers};

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
}

/// Writes a draft. Returns its id.
///
/// # Errors
/// 422 when it has neither text nor pages, or carries a secrecy marking.
pub async fn draft(conn: &mut Conn, new: &NewDocument, author: Uuid, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    check(&new.symbol, &new.title, &new.summary, &new.text, new.pages)?;
    let id = new_id(now);
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
            documents::status.eq(DRAFT),
            documents::created_by.eq(author),
            documents::created_at.eq(now),
            documents::search.eq(search_text(&new.symbol, &new.title, &new.summary, &new.text)),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

/// Writes a changed document as its next version.
///
/// # Errors
/// As [`draft`].
pub async fn rewrite(
    conn: &mut Conn,
    (row, text): (&DocumentRow, &str),
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    check(&row.symbol, &row.title, &row.summary, text, row.pages)?;
    diesel::update(documents::table.find(row.id))
        .set((
            documents::symbol.eq(&row.symbol),
            documents::kind.eq(&row.kind),
            documents::title.eq(&row.title),
            documents::summary.eq(&row.summary),
            documents::body.eq(text),
            documents::words.eq(words(text)),
            documents::pages.eq(row.pages),
            documents::must_read_by.eq(row.must_read_by),
            documents::search.eq(search_text(&row.symbol, &row.title, &row.summary, text)),
        ))
        .execute(conn)
        .await?;
    next_version(conn, row.id).await?;
    if row.status == PUBLISHED {
        announce(conn, row, now).await?;
        repeated::tell(conn, row, by, now).await?;
    }
    Ok(())
}

/// Publishes a draft to units and everything below them, or a published document to more units. `attested_by` vouches
/// that the document holds no state secret.
///
/// # Errors
/// 409 for a recalled document, 422 for a unit outside the owning one or a secrecy marking.
pub async fn publish(
    conn: &mut Conn,
    document_id: Uuid,
    unit_ids: &[Uuid],
    attested_by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let row = lock(conn, document_id).await?;
    if row.status == RECALLED {
        return Err(recalled());
    }
    let text = body(conn, row.id).await?;
    check(&row.symbol, &row.title, &row.summary, &text, row.pages)?;
    let mut unit_ids = unit_ids.to_vec();
    unit_ids.sort_unstable();
    unit_ids.dedup();
    require_below(conn, row.unit_id, &unit_ids, day_of(now)).await?;
    if row.status == DRAFT {
        diesel::update(documents::table.find(row.id))
            .set((
                documents::status.eq(PUBLISHED),
                documents::published_at.eq(now),
                documents::attested_no_secrets_by.eq(attested_by),
            ))
            .execute(conn)
            .await?;
    }
    let rows: Vec<_> = unit_ids
        .iter()
        .map(|unit_id| (document_targets::document_id.eq(row.id), document_targets::unit_id.eq(*unit_id)))
        .collect();
    diesel::insert_into(document_targets::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    announce(conn, &row, now).await?;
    repeated::tell(conn, &row, attested_by, now).await
}

/// Recalls a published document at once: no member sees it, opens it or earns with it any more.
///
/// # Errors
/// 409 when it is not published.
pub async fn recall(
    conn: &mut Conn,
    document_id: Uuid,
    by: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let row = lock(conn, document_id).await?;
    if row.status != PUBLISHED {
        return Err(Problem::with(
            Code::Conflict,
            "Chỉ thu hồi được tài liệu đang ban hành.",
            "Only a published document can be recalled.",
        ));
    }
    diesel::update(documents::table.find(row.id))
        .set((
            documents::status.eq(RECALLED),
            documents::recalled_at.eq(now),
            documents::recalled_by.eq(by),
            documents::recall_reason.eq(reason),
        ))
        .execute(conn)
        .await?;
    withdraw_offers(conn, OBJECT_KIND, &row.id.to_string()).await
}

/// The documents a unit owns, drafts and recalled ones too, newest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    after: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<DocumentRow>, Problem> {
    let mut query = documents::table
        .filter(documents::unit_id.eq(unit_id))
        .order(documents::id.desc())
        .limit(fetch)
        .select(DocumentRow::as_select())
        .into_boxed();
    if let Some(id) = after {
        query = query.filter(documents::id.lt(id));
    }
    Ok(query.load(conn).await?)
}

/// Announces to the points engine what can be earned with the document, and where.
async fn announce(conn: &mut Conn, row: &DocumentRow, now: DateTime<Utc>) -> Result<(), Problem> {
    let rules: &[&str] =
        if row.must_read_by.is_some() { &["document_acknowledged", "document_read"] } else { &["document_read"] };
    let unit_ids = targets(conn, row.id).await?;
    let made = Offer {
        rules,
        object_kind: OBJECT_KIND,
        object_id: row.id.to_string(),
        unit_ids: &unit_ids,
        title: row.title.clone(),
    };
    offer(conn, &made, now).await
}

#[derive(QueryableByName)]
struct Below {
    #[diesel(sql_type = Bool)]
    all: bool,
}

async fn require_below(conn: &mut Conn, owner: Uuid, unit_ids: &[Uuid], day: NaiveDate) -> Result<(), Problem> {
    let below: Below = diesel::sql_query(
        "SELECT count(DISTINCT descendant_id) = $4 AS \"all\" FROM unit_tree
         WHERE ancestor_id = $1 AND descendant_id = ANY($2)
         AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3)",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Array<SqlUuid>, _>(unit_ids)
    .bind::<Date, _>(day)
    .bind::<BigInt, _>(i64::try_from(unit_ids.len()).unwrap_or(i64::MAX))
    .get_result(conn)
    .await?;
    if below.all {
        return Ok(());
    }
    Err(Problem::with(
        Code::RuleNotMet,
        "Chỉ ban hành đến chính đơn vị sở hữu tài liệu hoặc đơn vị trực thuộc.",
        "A document goes to the unit that owns it or to units below it only.",
    ))
}

fn check(symbol: &str, title: &str, summary: &str, text: &str, pages: Option<i32>) -> Result<(), Problem> {
    if [symbol, title, summary, text].into_iter().any(carries_secret_marking) {
        return Err(Problem::new(Code::SecretMarking));
    }
    if words(text) == 0 && pages.is_none() {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Cần có nội dung văn bản hoặc số trang.",
            "A document needs a text or a number of pages.",
        ));
    }
    Ok(())
}

fn search_text(symbol: &str, title: &str, summary: &str, body: &str) -> String {
    [symbol, title, summary, body].map(searchable).concat()
}
