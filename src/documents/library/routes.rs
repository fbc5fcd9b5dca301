//! The library over HTTP: the list of a cell, one document, the kinds there are.

use actix_web::web::Data;
use actix_web::{FromRequest, get};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::documents::model::{DocumentKind, issuer_key};
use crate::documents::search::{Filters, Search, find};
use crate::documents::store::note_opening;
use crate::documents::targets::Readable;
use crate::kernel::batching::loader::BatchLoader;
use crate::kernel::clock::{day_of, start_of};
use crate::kernel::extract::{Anyone, BatchedRequest, Empty, Myself, Query, ReadRequest};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{self, Reply};
use crate::kernel::text::fold;

use super::list::{LibraryItem, LibraryLoader, LibraryQuery};
use super::store::{self, Detail};

/// Which documents are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentQuery {
    /// Only those the caller has not finished reading.
    #[serde(default)]
    #[param(nullable = false, default = false)]
    unread: bool,
    /// Beginnings of words of the symbol, title, topics, summary, text or files, with or without diacritics; words in quotes stand
    /// together. A symbol is found in any spelling, `12 kh du` or `12-KH/ĐU`. The first ten words and phrases count.
    #[param(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    q: Option<String>,
    /// Only those of this kind.
    #[param(nullable = false)]
    kind: Option<DocumentKind>,
    /// Only those of this issuer, the letters of the symbol with or without diacritics: `ĐU`, `du`.
    #[param(nullable = false, min_length = 1, max_length = 40, pattern = r"\S", example = "ĐU")]
    issuer: Option<String>,
    /// Only those filed under this topic, with or without diacritics.
    #[param(nullable = false, min_length = 1, max_length = 60, pattern = r"\S", example = "chuyen doi so")]
    topic: Option<String>,
    /// Only those in this state.
    #[param(nullable = false, max_length = 20, pattern = "^(published|superseded)$")]
    state: Option<String>,
    /// The first day of publication.
    #[param(nullable = false)]
    from: Option<NaiveDate>,
    /// The last day of publication.
    #[param(nullable = false)]
    to: Option<NaiveDate>,
}

impl DocumentQuery {
    /// Whether the plain list answers it.
    fn is_plain(&self) -> bool {
        self.q.is_none()
            && self.kind.is_none()
            && self.issuer.is_none()
            && self.topic.is_none()
            && self.state.is_none()
            && self.from.is_none()
            && self.to.is_none()
    }

    fn filters(&self) -> Filters {
        Filters {
            unread: self.unread,
            kind: self.kind.map(|kind| kind.as_str().to_owned()),
            issuer_key: self.issuer.as_deref().map(issuer_key),
            topic_key: self.topic.as_deref().map(fold),
            state: self.state.clone(),
            from: self.from.map(start_of),
            until: self.to.and_then(|day| day.succ_opt()).map(start_of),
        }
    }
}

/// List documents
///
/// The documents that reach the caller, newest first; recalled ones are not among them. A search ranks what it finds: a symbol
/// before a title, a title before a text, the newer before the older; of more matches the newest thousand are ranked. Each item
/// then has the passage in which the words stand.
#[utoipa::path(tag = "Documents", security(("bearer" = []), ("oauth2" = ["documents:read"])), params(PageQuery, DocumentQuery),
    responses((status = 403, description = "The caller is not a member.")))]
#[get("/documents")]
pub async fn list_documents(
    request: BatchedRequest<Empty>,
    page: Query<PageQuery>,
    query: Query<DocumentQuery>,
    loader: Data<BatchLoader<LibraryLoader>>,
) -> Result<Reply<Page<LibraryItem>>, Problem> {
    let (Query(page), Query(query)) = (page, query);
    if query.is_plain() {
        let day = day_of(request.now);
        let wanted = LibraryQuery { unread: query.unread, after: page.after()?, fetch: page.fetch(), day };
        let items = loader.ask(request.claims, wanted, request.now).await?;
        return reply::json(&request.request, &page.page(items, |item| (item.published_at, item.id), |item| item));
    }
    let search = query.q.as_deref().map(Search::parse);
    let after = page.after()?;
    // A search may take longer: no plain list waits for it.
    let ReadRequest::<Myself> { mut conn, scope, .. } = ReadRequest::extract(&request.request).await?;
    let reader = (scope.caller.account_id, scope.caller.home.as_slice(), day_of(scope.now));
    // Punctuation alone is no word, and finds nothing.
    let found = match search.as_ref().is_some_and(Search::is_empty) {
        true => Vec::new(),
        false => find(&mut conn, reader, (search.as_ref(), &query.filters()), (after, page.fetch())).await?,
    };
    reply::json(&request.request, &page.page(found, |found| found.place, |found| found.item))
}

/// Get a document
///
/// Its text and its files. Members find what is distributed to their cell; those who may publish it find drafts and
/// recalled documents too. The `ETag` is what a change needs as `If-Match`.
#[utoipa::path(tag = "Documents", security(("bearer" = []), ("oauth2" = ["documents:read"])), params(("document_id" = Uuid, Path, description = "The document.")))]
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
#[utoipa::path(tag = "Documents", security(("bearer" = []), ("oauth2" = ["documents:read"])))]
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
