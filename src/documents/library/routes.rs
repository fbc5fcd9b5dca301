//! The library over HTTP: the list of a cell, one document, the kinds there are.

use actix_web::web::Data;
use actix_web::{FromRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::documents::model::DocumentKind;
use crate::documents::store::note_opening;
use crate::documents::targets::Readable;
use crate::kernel::batching::loader::{BatchLoader, BatchQuery, LoadedRequest};
use crate::kernel::extract::{Anyone, BatchedRequest, Empty, Myself, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply;
use crate::kernel::http::reply::Reply;
use crate::kernel::text::search_words;

use super::store::{self, Detail, LibraryItem, LibraryLoader, LibraryQuery};

/// Which documents are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentQuery {
    /// Only those the caller has not finished reading.
    #[serde(default)]
    #[param(nullable = false, default = false)]
    unread: bool,
    /// Beginnings of words of the symbol, title, summary or text, with or without diacritics; the first ten words count.
    #[param(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    q: Option<String>,
}

/// List documents
///
/// The documents distributed to the caller's cell, newest first; recalled ones are not among them.
#[utoipa::path(tag = "Documents", params(PageQuery, DocumentQuery),
    responses((status = 403, description = "The caller is not a member.")))]
#[get("/documents")]
pub async fn list_documents(
    request: BatchedRequest<Empty>,
    page: Query<PageQuery>,
    query: Query<DocumentQuery>,
    desk: Data<BatchLoader<LibraryLoader>>,
) -> Result<Reply<Page<LibraryItem>>, Problem> {
    let (Query(page), Query(query)) = (page, query);
    let words = search_words(query.q.as_deref().unwrap_or_default());
    let wanted = LibraryQuery { unread: query.unread, words, after: page.after()?, fetch: page.fetch() };
    let rows = if query.q.is_none() {
        desk.ask(request.claims, wanted, request.now).await?
    } else {
        // A search may take longer: no plain list waits for it.
        let ReadRequest::<Myself> { conn, scope, .. } = ReadRequest::extract(&request.request).await?;
        let asked = [LoadedRequest { caller: scope.caller, wanted: &wanted }];
        // Punctuation alone is no word, and finds nothing.
        match wanted.words.is_empty() {
            true => Vec::new(),
            false => LibraryLoader::answer(&conn, &asked).await?.pop().unwrap_or_default(),
        }
    };
    reply::json(&request.request, &page.page(rows, |item| (item.published_at, item.id), |item| item))
}

/// Get a document
///
/// Its text and its files. Members find what is distributed to their cell; those who may publish it find drafts and
/// recalled documents too. The `ETag` is what a change needs as `If-Match`.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")))]
#[get("/documents/{document_id}")]
pub async fn get_document(mut request: ReadRequest<Readable>) -> Result<Reply<Detail>, Problem> {
    let (caller, now) = (request.scope.caller.account_id, request.scope.now);
    let row = request.scope.on.row.clone();
    note_opening(&mut request.conn, row.id, caller, now).await?;
    let detail = store::detail(&mut request.conn, row, caller, request.scope.on.publisher).await?;
    reply::versioned(&request.request, &detail, &detail.shared())
}

/// A kind of document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DocumentKind)]
pub struct KindOut {
    /// Its code in this API.
    code: DocumentKind,
    /// The letters that symbols carry; two kinds share `QĐ`.
    #[schema(max_length = 10, example = "KH")]
    abbreviation: &'static str,
    /// Its name in the language of the request.
    #[schema(max_length = 60, example = "Kế hoạch")]
    name: String,
}

/// List kinds of documents
///
/// All kinds on one page, with the letters that symbols carry.
#[utoipa::path(tag = "Documents")]
#[get("/document-kinds")]
pub async fn list_document_kinds(request: ReadRequest<Anyone>) -> Result<Reply<Page<KindOut>>, Problem> {
    let language = request.scope.context.language;
    let items = DocumentKind::ALL.iter().map(|kind| KindOut {
        code: *kind,
        abbreviation: kind.abbreviation(),
        name: language.pick(&kind.name()).to_owned(),
    });
    request.reply(&Page { items: items.collect(), next_cursor: None })
}
