//! Relations over HTTP.

use std::collections::BTreeSet;

use actix_web::put;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::feed;
use crate::documents::library::{Detail, detail};
use crate::documents::store::{self as documents, RECALLED, recalled};
use crate::documents::targets::OnDocument;
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{Scope, WriteRequest};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::PublishDocuments;
use crate::kernel::security::audit;
use crate::organisation::units;

use super::store::{self, RelationKind};

/// A relation to another document.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentRelationIn)]
pub struct RelationIn {
    /// What the document does to the other one.
    #[schema(example = "replaces")]
    kind: RelationKind,
    /// The other document.
    document_id: Uuid,
}

/// All relations of a document to others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentRelationsIn)]
pub struct RelationsIn {
    /// They take the place of those that were.
    #[schema(max_items = 50)]
    relations: Vec<RelationIn>,
}

/// Set the relations of a document
///
/// What the document replaces, amends, repeals or guides. While it is published, what it replaces or repeals is `superseded`:
/// members find it still, with `superseded_by`, but it earns no points any more. That needs the right to publish the other document
/// too; amending and guiding needs a document that the caller may read.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = RelationsIn,
    responses((status = 409, description = "The document was recalled."),
        (status = 422, description = "Another document is unknown, not published, or this one itself.")))]
#[put("/documents/{document_id}/relations")]
pub async fn set_document_relations(
    request: WriteRequest<RelationsIn, OnDocument<PublishDocuments>>,
) -> Result<Reply<Detail>, Problem> {
    request
        .commit(async |conn, scope| {
            let row = documents::lock(conn, scope.on.document_id).await?;
            if row.state == RECALLED {
                return Err(recalled());
            }
            let wanted: BTreeSet<(RelationKind, Uuid)> =
                scope.body.relations.iter().map(|relation| (relation.kind, relation.document_id)).collect();
            let wanted: Vec<_> = wanted.into_iter().collect();
            for (kind, other) in &wanted {
                require(conn, scope, row.id, *kind, *other).await?;
            }
            store::replace(conn, row.id, &wanted).await?;
            store::settle(conn, &row, scope.now).await?;
            if row.is_out() {
                feed::refresh(conn, row.id, scope.now).await?;
            }
            let details: Vec<_> =
                wanted.iter().map(|(kind, id)| json!({"kind": kind.as_str(), "document_id": id})).collect();
            let event = audit::AuditEvent {
                unit_id: Some(row.unit_id),
                details: json!({"relations": details}),
                ..scope.audit("document.related", "document", row.id)
            };
            audit::record(conn, event, scope.now).await?;
            let row = documents::get(conn, row.id).await?;
            detail(conn, row, scope.caller.account_id, true).await
        })
        .await
}

/// Whether the caller may relate to this other document in this way.
async fn require<B>(
    conn: &mut Conn,
    scope: &Scope<B, OnDocument<PublishDocuments>>,
    own: Uuid,
    kind: RelationKind,
    other: Uuid,
) -> Result<(), Problem> {
    let refused = || {
        let detail = text(
            "Văn bản liên quan không tồn tại, chưa ban hành, hoặc chính là văn bản này.",
            "The other document does not exist, is not published, or is this one.",
        );
        Problem::faults(Code::RuleNotMet, vec![Fault { pointer: "/relations".to_owned(), code: "unknown", detail }])
    };
    let row = match documents::get(conn, other).await {
        Ok(row) if row.is_out() && row.id != own => row,
        Ok(_) => return Err(refused()),
        Err(problem) if problem.code == Code::NotFound => return Err(refused()),
        Err(problem) => return Err(problem),
    };
    let path = units::last_path(conn, row.unit_id, day_of(scope.now)).await?;
    let publisher = scope.caller.may(&path, Permission::PublishDocuments);
    if publisher || (!kind.ends() && documents::reaches(conn, other, &scope.caller, scope.now).await?) {
        return Ok(());
    }
    if documents::reaches(conn, other, &scope.caller, scope.now).await? {
        return Err(Problem::with(
            Code::Forbidden,
            "Chỉ người có quyền ban hành văn bản kia mới thay thế hoặc bãi bỏ được.",
            "Only those who may publish the other document can replace or repeal it.",
        ));
    }
    Err(refused())
}
