//! Publication, at once or at a planned time, and recall, in the caller's transaction.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::documents::audiences::{self, DocumentAudience};
use crate::documents::model::words;
use crate::documents::store::{
    DRAFT, DocumentRow, IN_REVIEW, PUBLISHED, RECALLED, SCHEDULED, SUPERSEDED, body, lock, recalled, targets, waits,
};
use crate::documents::versions::{self, StoredVersion};
use crate::documents::{OBJECT_KIND, feed, relations};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_targets, documents};
use crate::kernel::http::problem::{Code, Problem, text};
use crate::kernel::outbox;
use crate::points::{Offer, offer, withdraw_offers};

use super::gate::{self, CheckedTexts};
use super::repeated;

/// How far ahead a publication is planned.
const FURTHEST: TimeDelta = TimeDelta::days(366);

/// What is published, to whom and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Publication {
    pub document_id: Uuid,
    /// More units that it goes to; may be empty when it went to some before.
    pub unit_ids: Vec<Uuid>,
    /// Whom it goes to besides units.
    #[serde(default)]
    pub audiences: Vec<DocumentAudience>,
    /// The officer who vouches that it holds no state secret.
    pub attested_by: Uuid,
    /// At once when there is none.
    pub publish_at: Option<DateTime<Utc>>,
}

/// Publishes what waits, a draft or a new version, to units and everything below them; or distributes a published document to
/// more units. `reviewed` says that a second officer has just confirmed it.
///
/// # Errors
/// 409 for a recalled document, for one that waits for a second officer, and while a file is being read; 422 for a unit
/// outside the owning one, for a marking, and for a time that is over.
pub async fn publish(conn: &mut Conn, wanted: &Publication, reviewed: bool, now: DateTime<Utc>) -> Result<(), Problem> {
    let row = lock(conn, wanted.document_id).await?;
    let waiting = check(conn, &row, wanted, reviewed, now).await?;
    distribute(conn, &row, &wanted.unit_ids, day_of(now)).await?;
    audiences::add(conn, row.id, &wanted.audiences).await?;
    diesel::update(documents::table.find(row.id))
        .set(documents::attested_no_secrets_by.eq(wanted.attested_by))
        .execute(conn)
        .await?;
    match (waiting, wanted.publish_at) {
        (Some(_), Some(at)) => {
            versions::wait_for(conn, row.id, SCHEDULED, Some(at)).await?;
            set_waiting(conn, &row, SCHEDULED).await
        }
        (Some(version), None) => put_out(conn, &row, &version, wanted.attested_by, now).await,
        (None, _) => {
            announce(conn, &row, now).await?;
            feed::refresh(conn, row.id, now).await?;
            tell_audiences(conn, &row, now).await?;
            repeated::tell(conn, &row, wanted.attested_by, now).await
        }
    }
}

/// Whether it may be published. Returns the version that waits.
///
/// # Errors
/// As [`publish`].
pub async fn check(
    conn: &mut Conn,
    row: &DocumentRow,
    wanted: &Publication,
    reviewed: bool,
    now: DateTime<Utc>,
) -> Result<Option<StoredVersion>, Problem> {
    if row.state == RECALLED {
        return Err(recalled());
    }
    let waiting = versions::waiting(conn, row.id).await?;
    if !reviewed && waiting.as_ref().is_some_and(|version| version.state == IN_REVIEW) {
        return Err(waits());
    }
    let named = !wanted.unit_ids.is_empty() || !wanted.audiences.is_empty();
    if !named && targets(conn, row.id).await?.is_empty() && audiences::of_document(conn, row.id).await?.is_empty() {
        return Err(Problem::fault(
            "/unit_ids",
            "required",
            text("Chọn ít nhất một đơn vị nhận.", "Choose one unit at least."),
        ));
    }
    if let Some(at) = wanted.publish_at {
        plausible(at, waiting.is_some(), now)?;
    }
    let text = match waiting.as_ref().and_then(|version| version.body.clone()) {
        Some(text) => text,
        None => body(conn, row.id).await?,
    };
    gate::check(&CheckedTexts::of(row, &text), row.pages)?;
    if let Some(version) = &waiting {
        gate::unmarked(&CheckedTexts { summary: &version.note, ..CheckedTexts::of(row, "") })?;
        gate::check_files(conn, row.id, version.number).await?;
    }
    gate::check_files(conn, row.id, row.files_version).await?;
    require_below(conn, row.unit_id, &wanted.unit_ids, day_of(now)).await?;
    audiences::check(conn, row.unit_id, &wanted.audiences, day_of(now)).await?;
    Ok(waiting)
}

fn plausible(at: DateTime<Utc>, something_waits: bool, now: DateTime<Utc>) -> Result<(), Problem> {
    if !something_waits {
        return Err(Problem::with(
            Code::Conflict,
            "Tài liệu đã ban hành, không còn gì để hẹn giờ.",
            "The document is published: nothing is left to be planned.",
        ));
    }
    if at <= now || at > now + FURTHEST {
        let detail =
            text("Giờ ban hành phải ở tương lai, trong vòng một năm.", "The time must lie ahead, within a year.");
        return Err(Problem::fault("/publish_at", "out_of_range", detail));
    }
    Ok(())
}

/// A document that was never published waits as its first version does.
pub async fn set_waiting(conn: &mut Conn, row: &DocumentRow, state: &str) -> Result<(), Problem> {
    if row.is_unpublished() {
        diesel::update(documents::table.find(row.id)).set(documents::state.eq(state)).execute(conn).await?;
    }
    Ok(())
}

async fn distribute(conn: &mut Conn, row: &DocumentRow, unit_ids: &[Uuid], day: NaiveDate) -> Result<(), Problem> {
    let mut unit_ids = unit_ids.to_vec();
    unit_ids.sort_unstable();
    unit_ids.dedup();
    require_below(conn, row.unit_id, &unit_ids, day).await?;
    let rows: Vec<_> = unit_ids
        .iter()
        .map(|unit_id| (document_targets::document_id.eq(row.id), document_targets::unit_id.eq(*unit_id)))
        .collect();
    diesel::insert_into(document_targets::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Puts a version out: from this moment on it is what members read.
pub async fn put_out(
    conn: &mut Conn,
    row: &DocumentRow,
    version: &StoredVersion,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let own = gate::check_files(conn, row.id, version.number).await?;
    let files_version = if own.files > 0 { version.number } else { row.files_version };
    let files = gate::check_files(conn, row.id, files_version).await?;
    let text = match &version.body {
        Some(text) => text.clone(),
        None => body(conn, row.id).await?,
    };
    // The reading time of a document without a text of its own is that of its files.
    let (own_words, is_scan) = (words(&text), words(&text) == 0);
    diesel::update(documents::table.find(row.id))
        .set((
            documents::body.eq(&text),
            documents::words.eq(if is_scan { files.words } else { own_words }),
            documents::pages.eq(if is_scan { row.pages.or(files.pages) } else { row.pages }),
            documents::version.eq(version.number),
            documents::files_version.eq(files_version),
            documents::state.eq(if row.state == SUPERSEDED { SUPERSEDED } else { PUBLISHED }),
            documents::published_at.eq(row.published_at.unwrap_or(now)),
        ))
        .execute(conn)
        .await?;
    versions::write_out(conn, version, now).await?;
    let row = lock(conn, row.id).await?;
    relations::settle(conn, &row, now).await?;
    if row.state == PUBLISHED {
        announce(conn, &row, now).await?;
        emit(conn, "document.published", &row, now).await?;
    }
    feed::refresh(conn, row.id, now).await?;
    if row.state == PUBLISHED {
        tell_audiences(conn, &row, now).await?;
    }
    if version.number > 1 {
        versions::announce(conn, row.id, now).await?;
    }
    repeated::tell(conn, &row, by, now).await
}

/// Recalls a document at once: no member sees it, opens it or earns with it any more. A planned publication becomes a draft again.
///
/// # Errors
/// 409 when it is neither published nor planned.
pub async fn recall(
    conn: &mut Conn,
    document_id: Uuid,
    by: Uuid,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let row = lock(conn, document_id).await?;
    if row.state == SCHEDULED {
        versions::wait_for(conn, row.id, DRAFT, None).await?;
        return set_waiting(conn, &row, DRAFT).await;
    }
    if !row.is_out() {
        return Err(Problem::with(
            Code::Conflict,
            "Chỉ thu hồi được tài liệu đang ban hành hoặc đang chờ đến giờ ban hành.",
            "Only a published document, or one that waits for its time, can be recalled.",
        ));
    }
    diesel::update(documents::table.find(row.id))
        .set((
            documents::state.eq(RECALLED),
            documents::recalled_at.eq(now),
            documents::recalled_by.eq(by),
            documents::recall_reason.eq(reason),
        ))
        .execute(conn)
        .await?;
    versions::wait_for(conn, row.id, DRAFT, None).await?;
    end_offers(conn, row.id).await?;
    emit(conn, "document.recalled", &row, now).await?;
    feed::refresh(conn, row.id, now).await?;
    relations::settle(conn, &row, now).await
}

/// Announces the document to those whom it reaches and was not announced to before.
async fn tell_audiences(conn: &mut Conn, row: &DocumentRow, now: DateTime<Utc>) -> Result<(), Problem> {
    let keys = feed::audiences(conn, row.id).await?;
    let details = json!({"document_id": row.id, "unit_id": row.unit_id});
    outbox::announce(conn, "document_published", row.id, (&keys, &details), now).await
}

/// Tells other systems what happened to the document.
async fn emit(conn: &mut Conn, topic: &str, row: &DocumentRow, now: DateTime<Utc>) -> Result<(), Problem> {
    let payload = json!({"document_id": row.id, "unit_id": row.unit_id, "version": row.version});
    outbox::emit(conn, topic, payload, now).await
}

/// Announces to the points engine what can be earned with the document, and where.
pub async fn announce(conn: &mut Conn, row: &DocumentRow, now: DateTime<Utc>) -> Result<(), Problem> {
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

/// Ends what can be earned with the document.
pub async fn end_offers(conn: &mut Conn, document_id: Uuid) -> Result<(), Problem> {
    withdraw_offers(conn, OBJECT_KIND, &document_id.to_string()).await
}

#[derive(QueryableByName)]
struct Below {
    #[diesel(sql_type = Bool)]
    all: bool,
}

async fn require_below(conn: &mut Conn, owner: Uuid, unit_ids: &[Uuid], day: NaiveDate) -> Result<(), Problem> {
    let mut distinct = unit_ids.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let below: Below = diesel::sql_query(
        "SELECT count(DISTINCT descendant_id) = $4 AS \"all\" FROM unit_tree
         WHERE ancestor_id = $1 AND descendant_id = ANY($2)
         AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3)",
    )
    .bind::<SqlUuid, _>(owner)
    .bind::<Array<SqlUuid>, _>(&distinct)
    .bind::<Date, _>(day)
    .bind::<BigInt, _>(i64::try_from(distinct.len()).unwrap_or(i64::MAX))
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
