//! Bookmarks and private notes over HTTP.

use actix_web::http::header;
use actix_web::{HttpRequest, delete, get, put};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::library::LibraryItem;
use crate::documents::targets::Distributed;
use crate::kernel::extract::{Empty, Myself, Query, ReadRequest, WriteRequest, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{self, Reply};
use crate::kernel::text::many_lines;

use super::store;

/// A bookmark.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bookmark {
    /// The document.
    document_id: Uuid,
    /// Whether it is set.
    bookmarked: bool,
}

/// Bookmark a document
///
/// Setting it again changes nothing.
#[utoipa::path(tag = "Me", params(("document_id" = Uuid, Path, description = "The document.")), request_body = Empty)]
#[put("/me/bookmarks/{document_id}")]
pub async fn set_bookmark(request: WriteRequest<Empty, Distributed>) -> Result<Reply<Bookmark>, Problem> {
    request
        .commit(async |conn, scope| {
            let document_id = scope.on.row.id;
            store::bookmark(conn, scope.caller.account_id, document_id, Some(scope.now)).await?;
            Ok(Bookmark { document_id, bookmarked: true })
        })
        .await
}

/// Remove a bookmark
///
/// Removing one that is not there changes nothing. Works for documents that reach the member no more, too.
#[utoipa::path(tag = "Me", params(("document_id" = Uuid, Path, description = "The document.")))]
#[delete("/me/bookmarks/{document_id}")]
pub async fn remove_bookmark(
    req: HttpRequest,
    request: WriteRequest<Empty, Myself>,
) -> Result<Reply<Bookmark>, Problem> {
    let document_id = path_id(&req, "document_id")?;
    request
        .commit(async |conn, scope| {
            store::bookmark(conn, scope.caller.account_id, document_id, None).await?;
            Ok(Bookmark { document_id, bookmarked: false })
        })
        .await
}

/// List one's bookmarks
///
/// The bookmarked documents that reach the caller, the latest bookmark first.
#[utoipa::path(tag = "Me", security(("bearer" = []), ("oauth2" = ["documents:read"])), params(PageQuery),
    responses((status = 403, description = "The caller is no member.")))]
#[get("/me/bookmarks")]
pub async fn list_my_bookmarks(
    mut request: ReadRequest<Myself>,
    page: Query<PageQuery>,
) -> Result<Reply<Page<LibraryItem>>, Problem> {
    let Query(page) = page;
    let (caller, now) = (&request.scope.caller, request.scope.now);
    let rows = store::bookmarks(&mut request.conn, caller, page.after()?, page.fetch(), now).await?;
    request.reply(&page.page(rows, |row| (row.bookmarked_at, row.row.id), |row| row.row.show(None)))
}

/// A private note on a document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DocumentNote)]
pub struct Note {
    /// The document.
    document_id: Uuid,
    /// The note; empty when there is none.
    #[schema(max_length = 10_000, example = "Hỏi đồng chí bí thư về Điều 2.")]
    text: String,
    /// When it was written; null when there is none.
    changed_at: Option<DateTime<Utc>>,
}

/// A note to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DocumentNoteIn)]
pub struct NoteIn {
    /// The note; an empty one removes it.
    #[schema(max_length = 10_000, content_media_type = "text/plain", example = "Hỏi đồng chí bí thư về Điều 2.")]
    text: String,
}

/// Get one's note on a document
///
/// The member's own; no other person sees it. The `ETag` is what a careful change needs as `If-Match`.
#[utoipa::path(tag = "Me", security(("bearer" = []), ("oauth2" = ["documents:read"])), params(("document_id" = Uuid, Path, description = "The document.")))]
#[get("/documents/{document_id}/note")]
pub async fn get_document_note(mut request: ReadRequest<Distributed>) -> Result<Reply<Note>, Problem> {
    let (me, document_id) = (request.scope.caller.account_id, request.scope.on.row.id);
    let (text, changed_at) = store::note(&mut request.conn, me, document_id, false).await?;
    request.reply(&Note { document_id, text, changed_at })
}

/// Write one's note on a document
///
/// Without `If-Match` the last write wins. With it, a note that was changed on another phone meanwhile is refused with 412, and
/// the problem's `current` holds the text that stands.
#[utoipa::path(tag = "Me", params(("document_id" = Uuid, Path, description = "The document."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the note that was read.", max_length = 500, pattern = "^.+$", nullable = false)),
    request_body = NoteIn,
    responses((status = 412, description = "The note was changed meanwhile; `current` holds its text.")))]
#[put("/documents/{document_id}/note")]
pub async fn set_document_note(
    req: HttpRequest,
    request: WriteRequest<NoteIn, Distributed>,
) -> Result<Reply<Note>, Problem> {
    request
        .commit(async |conn, scope| {
            let (me, document_id) = (scope.caller.account_id, scope.on.row.id);
            store::touch(conn, me, document_id).await?;
            let (text, changed_at) = store::note(conn, me, document_id, true).await?;
            let present = Note { document_id, text, changed_at };
            if req.headers().contains_key(header::IF_MATCH)
                && !reply::matches_any(&req, header::IF_MATCH, &reply::tag(&present)?)
            {
                let mut stale = Problem::new(Code::PreconditionFailed);
                stale.current = Some(present.text.into());
                return Err(stale);
            }
            let text = many_lines(&scope.body.text);
            store::write_note(conn, me, document_id, &text, scope.now).await?;
            Ok(Note { document_id, text, changed_at: Some(scope.now) })
        })
        .await
}
