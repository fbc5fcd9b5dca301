//! Terms of a committee over HTTP.

use actix_web::{get, put};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::kernel::extract::{ReadRequest, WriteRequest};
use crate::kernel::http::page::Page;
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::needs::{PublishDocuments, ReadUnit};
use crate::kernel::security::audit;
use crate::kernel::text::one_line;
use crate::organisation::{OnUnit, units};

use super::store::{self, CommitteeTerm};

/// A term of a committee.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentTerm {
    /// What it is called.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "Nhiệm kỳ 2025–2030")]
    name: String,
    /// Its first day.
    valid_from: NaiveDate,
    /// The first day of the next one; null for the present term.
    valid_to: Option<NaiveDate>,
}

impl From<CommitteeTerm> for DocumentTerm {
    fn from(term: CommitteeTerm) -> Self {
        Self { name: term.name, valid_from: term.valid_from, valid_to: term.valid_to }
    }
}

/// The terms of a committee.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentTermsIn {
    /// Terms that do not overlap; they take the place of those before.
    #[schema(max_items = 50)]
    terms: Vec<DocumentTerm>,
}

/// List the terms of a committee
///
/// The latest first. The numbers of its documents run per type within a term; where no term is known, five years count.
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit.")))]
#[get("/units/{unit_id}/document-terms")]
pub async fn list_document_terms(
    mut request: ReadRequest<OnUnit<ReadUnit>>,
) -> Result<Reply<Page<DocumentTerm>>, Problem> {
    let terms = store::of_unit(&mut request.conn, request.scope.on.unit_id).await?;
    request.reply(&Page { items: terms.into_iter().map(DocumentTerm::from).collect(), next_cursor: None })
}

/// Set the terms of a committee
///
/// Publishing a document with a symbol that the unit has used for the same type within the term is warned of (`published_before`).
#[utoipa::path(tag = "Documents", params(("unit_id" = Uuid, Path, description = "The unit.")), request_body = DocumentTermsIn,
    responses((status = 422, description = "Terms overlap, or one ends before it begins (`rule_not_met`); see `errors`.")))]
#[put("/units/{unit_id}/document-terms")]
pub async fn set_document_terms(
    request: WriteRequest<DocumentTermsIn, OnUnit<PublishDocuments>>,
) -> Result<Reply<Page<DocumentTerm>>, Problem> {
    request
        .commit(async |conn, scope| {
            let terms = checked(&scope.body.terms)?;
            let unit_id = scope.on.unit_id;
            units::lock(conn, unit_id).await?;
            store::replace(conn, unit_id, &terms, scope.caller.account_id, scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(unit_id),
                details: json!({"terms": terms.len()}),
                ..scope.audit("document.terms_set", "unit", unit_id)
            };
            audit::record(conn, event, scope.now).await?;
            let terms = store::of_unit(conn, unit_id).await?;
            Ok(Page { items: terms.into_iter().map(DocumentTerm::from).collect(), next_cursor: None })
        })
        .await
}

/// The terms in their order, each ending before the next begins.
fn checked(terms: &[DocumentTerm]) -> Result<Vec<CommitteeTerm>, Problem> {
    let mut ordered: Vec<(usize, &DocumentTerm)> = terms.iter().enumerate().collect();
    ordered.sort_by_key(|(_, term)| term.valid_from);
    let mut faults = Vec::new();
    for (place, (at, term)) in ordered.iter().enumerate() {
        let next = ordered.get(place + 1).map(|(_, next)| next.valid_from);
        let ends_late = match (term.valid_to, next) {
            (Some(end), Some(next)) => end > next,
            (None, next) => next.is_some(),
            (Some(_), None) => false,
        };
        if ends_late || term.valid_to.is_some_and(|end| end <= term.valid_from) {
            let detail = text("Các nhiệm kỳ không được chồng lên nhau.", "Terms do not overlap.");
            faults.push(Fault { pointer: format!("/terms/{at}/valid_to"), code: "overlaps", detail });
        }
    }
    if !faults.is_empty() {
        return Err(Problem::faults(Code::RuleNotMet, faults));
    }
    let stored = |(_, term): (usize, &DocumentTerm)| CommitteeTerm {
        name: one_line(&term.name),
        valid_from: term.valid_from,
        valid_to: term.valid_to,
    };
    Ok(ordered.into_iter().map(stored).collect())
}
