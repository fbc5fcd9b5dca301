//! Rows of relations, and what becomes of the documents that others replace.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::feed;
use crate::documents::publishing::{announce, end_offers};
use crate::documents::store::{DocumentRow, PUBLISHED, SUPERSEDED, lock};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_relations, documents};
use crate::kernel::http::problem::Problem;

/// What one document does to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DocumentRelationKind)]
pub enum RelationKind {
    /// It takes the other one's place.
    Replaces,
    /// It changes parts of it.
    Amends,
    /// It ends it.
    Repeals,
    /// It explains how to carry it out.
    Guides,
}

impl RelationKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replaces => "replaces",
            Self::Amends => "amends",
            Self::Repeals => "repeals",
            Self::Guides => "guides",
        }
    }

    /// Whether the other document holds no more.
    pub fn ends(self) -> bool {
        matches!(self, Self::Replaces | Self::Repeals)
    }
}

/// A document that this one is related to.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
#[schema(as = RelatedDocument)]
pub struct Related {
    /// What this document does to the other one: `replaces`, `amends`, `repeals`, `guides`.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "replaces")]
    pub kind: String,
    /// The other document.
    #[diesel(sql_type = SqlUuid)]
    pub document_id: Uuid,
    /// Its symbol as printed.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 60, example = "98-KH/ĐU")]
    pub symbol: String,
    /// What it is about.
    #[diesel(sql_type = Text)]
    #[schema(max_length = 500, example = "Kế hoạch sinh hoạt chuyên đề quý IV")]
    pub title: String,
}

/// The documents that this one is related to.
pub async fn of_document(conn: &mut Conn, document_id: Uuid) -> Result<Vec<Related>, Problem> {
    Ok(diesel::sql_query(
        "SELECT r.kind, r.other_id AS document_id, d.symbol, d.title FROM document_relations r
         JOIN documents d ON d.id = r.other_id AND d.state IN ('published', 'superseded')
         WHERE r.document_id = $1 ORDER BY r.kind, r.other_id LIMIT 50",
    )
    .bind::<SqlUuid, _>(document_id)
    .load(conn)
    .await?)
}

/// Puts these relations in the place of those that were.
pub async fn replace(conn: &mut Conn, document_id: Uuid, relations: &[(RelationKind, Uuid)]) -> Result<(), Problem> {
    diesel::delete(document_relations::table.filter(document_relations::document_id.eq(document_id)))
        .execute(conn)
        .await?;
    let rows: Vec<_> = relations
        .iter()
        .map(|(kind, other)| {
            (
                document_relations::document_id.eq(document_id),
                document_relations::kind.eq(kind.as_str()),
                document_relations::other_id.eq(*other),
            )
        })
        .collect();
    diesel::insert_into(document_relations::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Supersedes what a document replaces or repeals while it is out, and lets the rest hold again.
pub async fn settle(conn: &mut Conn, row: &DocumentRow, now: DateTime<Utc>) -> Result<(), Problem> {
    let mut concerned: Vec<Uuid> = document_relations::table
        .filter(document_relations::document_id.eq(row.id))
        .filter(document_relations::kind.eq_any(["replaces", "repeals"]))
        .select(document_relations::other_id)
        .load(conn)
        .await?;
    let before: Vec<Uuid> =
        documents::table.filter(documents::superseded_by.eq(row.id)).select(documents::id).load(conn).await?;
    concerned.extend(before);
    // One order for all, so that two officers do not wait for each other.
    concerned.sort_unstable();
    concerned.dedup();
    for id in concerned {
        settle_one(conn, id, now).await?;
    }
    Ok(())
}

async fn settle_one(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let other = lock(conn, id).await?;
    if !other.is_out() {
        return Ok(());
    }
    let by: Option<Uuid> = document_relations::table
        .inner_join(documents::table.on(documents::id.eq(document_relations::document_id)))
        .filter(document_relations::other_id.eq(id))
        .filter(document_relations::kind.eq_any(["replaces", "repeals"]))
        .filter(documents::state.eq_any([PUBLISHED, SUPERSEDED]))
        .order((documents::published_at.desc(), documents::id))
        .select(documents::id)
        .first(conn)
        .await
        .optional()?;
    if by == other.superseded_by {
        return Ok(());
    }
    let state = if by.is_some() { SUPERSEDED } else { PUBLISHED };
    diesel::update(documents::table.find(id))
        .set((documents::state.eq(state), documents::superseded_by.eq(by)))
        .execute(conn)
        .await?;
    match (by.is_some(), other.superseded_by.is_some()) {
        (true, false) => end_offers(conn, id).await?,
        (false, true) => announce(conn, &other, now).await?,
        _ => {}
    }
    feed::refresh(conn, id, now).await
}
