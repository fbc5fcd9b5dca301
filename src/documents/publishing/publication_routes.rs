//! Publishing and recalling documents over HTTP.

use actix_web::web::Data;
use actix_web::{HttpRequest, post};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::documents::audiences::DocumentAudience;
use crate::documents::library::{Detail, ReachedOffer, detail};
use crate::documents::store::{get as get_row, targets};
use crate::documents::targets::OnDocument;
use crate::documents::versions;
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::Conn;
use crate::kernel::extract::{Authorize, Scope, WriteRequest};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::{Accepted, OneOf, Reply};
use crate::kernel::security::access::needs::PublishDocuments;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, DecisionOut, Registry};
use crate::organisation::units;
use crate::points::{document_review, month_offer};

use super::publication::{self, Publication};
use super::repeated::published_before;
use super::review;

/// A document to be published, and whether a second officer has to look at it first.
pub struct ToPublish {
    on: OnDocument<PublishDocuments>,
    reviewed: bool,
}

impl Authorize for ToPublish {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let on = OnDocument::<PublishDocuments>::authorize(req, conn, caller, now).await?;
            let path = units::last_path(conn, on.unit_id, day_of(now)).await?;
            let waits = versions::waiting(conn, on.document_id).await?.is_some();
            let reviewed = waits && document_review(conn, &path, now).await?;
            Ok(Self { on, reviewed })
        })
    }
}

/// Where a document goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicationIn {
    /// The units that get it, each with everything below it: the owning unit or units below it. May be left out for a document that
    /// has some already.
    #[serde(default)]
    #[schema(max_items = 500, example = json!(["01949d6c-7c00-7000-8000-000000000001"]))]
    unit_ids: Vec<Uuid>,
    /// Whom it goes to besides: kinds of units, holders of roles, named members.
    #[serde(default)]
    #[schema(max_items = 500)]
    audiences: Vec<DocumentAudience>,
    /// The officer's word that the document holds no state secret; must be true.
    #[schema(example = true)]
    attests_no_state_secrets: bool,
    /// When it is to be published, within a year; at once when it is left out.
    #[schema(nullable = false)]
    publish_at: Option<DateTime<Utc>>,
}

/// Publish a document
///
/// Distributes a draft to units, at once or at a planned time; the answer warns in how many of their cells the month offers less than
/// the threshold, and names documents with the same symbol, text or file that were published there before: they would pay twice, and
/// inspectors look at it. A new version that waits takes the place of the present one. Publishing a published document again
/// distributes it to more units. Where the unit's parameter `document_review` is 1, the answer is 202 with a decision, and the document
/// is published when a second officer confirms it. Documents that hold state secrets must not be on a networked system: the officer
/// attests that this one does not, and a document with a secrecy marking, in its texts or in a file, is refused. While a file is
/// being read the answer is 409 with `Retry-After`.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = PublicationIn,
    responses((status = 409, description = "The document was recalled, waits for a second officer, or a file is being read."),
        (status = 422, description = "A unit is not below the owning one, the attestation is missing, or the document carries a secrecy marking.")))]
#[post("/documents/{document_id}/publish")]
pub async fn publish_document(
    request: WriteRequest<PublicationIn, ToPublish>,
    kinds: Data<Registry>,
) -> Result<OneOf<Reply<Detail>, Accepted<DecisionOut>>, Problem> {
    if !request.body.attests_no_state_secrets {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Người ban hành phải cam kết tài liệu không chứa bí mật nhà nước.",
            "The publisher must attest that the document holds no state secret.",
        ));
    }
    let kinds = **kinds;
    if request.on.reviewed {
        let decision = request.commit(async |conn, scope| {
            let request_id = Some(scope.context.request_id.as_str());
            let id = review::propose(conn, &wanted(scope), &scope.caller, request_id, scope.now).await?;
            decisions::answer(conn, id, kinds, scope.context.language, scope.now).await
        });
        return decision.await.map(OneOf::Second);
    }
    let published = request.commit(async |conn, scope| {
        let (wanted, id) = (wanted(scope), scope.on.on.document_id);
        publication::publish(conn, &wanted, false, scope.now).await?;
        let event = audit::AuditEvent {
            unit_id: Some(scope.on.on.unit_id),
            details: json!({"unit_ids": wanted.unit_ids, "audiences": wanted.audiences, "publish_at": wanted.publish_at}),
            ..scope.audit("document.published", "document", id)
        };
        audit::record(conn, event, scope.now).await?;
        show_with_offer(conn, id, scope).await
    });
    published.await.map(OneOf::First)
}

fn wanted(scope: &Scope<PublicationIn, ToPublish>) -> Publication {
    Publication {
        document_id: scope.on.on.document_id,
        unit_ids: scope.body.unit_ids.clone(),
        audiences: scope.body.audiences.clone(),
        attested_by: scope.caller.account_id,
        publish_at: scope.body.publish_at,
    }
}

/// Why a document is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallIn {
    /// The reason, shown to those who may publish.
    #[schema(
        min_length = 1,
        max_length = 1000,
        content_media_type = "text/plain",
        pattern = r"\S",
        example = "Gửi nhầm đơn vị."
    )]
    reason: String,
}

/// Recall a document
///
/// From that moment no member finds, opens or downloads the document, and it earns no points. Members who had opened it
/// stay listed as its readers. A document that waits for its time becomes a draft again.
#[utoipa::path(tag = "Documents", params(("document_id" = Uuid, Path, description = "The document.")),
    request_body = RecallIn,
    responses((status = 409, description = "The document is not published.")))]
#[post("/documents/{document_id}/recall")]
pub async fn recall_document(
    request: WriteRequest<RecallIn, OnDocument<PublishDocuments>>,
) -> Result<Reply<Detail>, Problem> {
    request
        .commit(async |conn, scope| {
            let (id, by) = (scope.on.document_id, scope.caller.account_id);
            publication::recall(conn, id, by, scope.body.reason.trim(), scope.now).await?;
            let event = audit::AuditEvent {
                unit_id: Some(scope.on.unit_id),
                ..scope.audit("document.recalled", "document", id)
            };
            audit::record(conn, event, scope.now).await?;
            show_with_offer(conn, id, scope).await
        })
        .await
}

/// The same with warnings for the publisher: in how many of the cells it reaches the month offers too little, and which documents
/// that are the same were published before.
async fn show_with_offer<B, T>(conn: &mut Conn, id: Uuid, scope: &Scope<B, T>) -> Result<Detail, Problem> {
    let row = get_row(conn, id).await?;
    let same = if row.is_out() { published_before(conn, &row, scope.now).await? } else { Vec::new() };
    let units = targets(conn, id).await?;
    let reached = month_offer(conn, &units, scope.now).await?;
    let period = Period::containing(day_of(scope.now));
    let offer = ReachedOffer {
        period,
        cells: reached.cells,
        cells_short: reached.cells_short,
        cells_short_without_device: reached.cells_short_without_device,
    };
    Ok(Detail {
        month_offer: Some(offer),
        published_before: Some(same),
        ..detail(conn, row, scope.caller.account_id, true).await?
    })
}
