//! Readership over HTTP.

use actix_web::get;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::documents::targets::OnDocument;
use crate::kernel::clock::day_of;
use crate::kernel::extract::{Anyone, Query, ReadRequest, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::access::Permission;
use crate::kernel::security::access::needs::ReadReadership;
use crate::kernel::security::audit;
use crate::organisation::units;

use super::store::{self, Reader, Readership};

/// List readers of a document
///
/// Who has opened it, by name, in the order in which they did; of a recalled document too. Recorded in the audit log.
/// Needs the right to see readership on the unit that owns the document.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document."), PageQuery))]
#[get("/documents/{document_id}/readers")]
pub async fn list_document_readers(
    mut request: ReadRequest<OnDocument<ReadReadership>>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<Reader>>, Problem> {
    let Query(page) = page;
    let (id, unit_id) = (request.scope.on.document_id, request.scope.on.unit_id);
    let rows = store::readers(&mut request.conn, id, page.after()?, page.fetch()).await?;
    let event =
        audit::AuditEvent { unit_id: Some(unit_id), ..request.scope.audit("document.readers_listed", "document", id) };
    audit::record(&mut request.conn, event, request.scope.now).await?;
    request.reply(&page.page(rows, |reader| (reader.opened_at, reader.account_id), |reader| reader))
}

/// Whose readership is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadershipQuery {
    /// The unit, with everything below it.
    unit_id: Uuid,
}

/// Get the readership of a document
///
/// How many members of a unit and everything below it have opened, finished and confirmed the document. Needs the right
/// to see readership on that unit, and a document that reaches the unit or one below it.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document."), ReadershipQuery))]
#[get("/documents/{document_id}/readership")]
pub async fn get_document_readership(
    mut request: ReadRequest<Anyone>,
    query: Query<ReadershipQuery>,
) -> Result<Reply<Readership>, Problem> {
    let (unit_id, today) = (query.0.unit_id, day_of(request.scope.now));
    let path = units::last_path(&mut request.conn, unit_id, today).await?;
    request.scope.caller.require(&path, Permission::ReadReadership)?;
    let id = path_id(&request.request, "document_id")?;
    if !store::concerns(&mut request.conn, id, &path, today).await? {
        return Err(Problem::not_found());
    }
    let counts = store::of_unit(&mut request.conn, id, unit_id, today).await?;
    request.reply(&counts)
}
