//! Review: where the unit asks for it, a second officer confirms a publication.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde_json::json;

use crate::documents::store::{DRAFT, IN_REVIEW, get, lock};
use crate::documents::versions;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Problem, Text, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::decisions::{self, Decision, DecisionKind, NewDecision};

use super::publication::{self, Publication, set_waiting};

/// The kind of decision that publishes a document.
pub struct DocumentPublication;

/// See [`DocumentPublication`].
pub static DOCUMENT_PUBLICATION: DocumentPublication = DocumentPublication;

/// Asks for a second officer. Returns the decision's id.
///
/// # Errors
/// As [`publication::publish`] and [`decisions::propose`].
pub async fn propose(
    conn: &mut Conn,
    wanted: &Publication,
    by: &Principal,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<uuid::Uuid, Problem> {
    let row = lock(conn, wanted.document_id).await?;
    publication::check(conn, &row, wanted, false, now).await?;
    versions::wait_for(conn, row.id, IN_REVIEW, None).await?;
    set_waiting(conn, &row, IN_REVIEW).await?;
    let proposal = NewDecision {
        kind: &DOCUMENT_PUBLICATION,
        object_id: row.id,
        unit_id: row.unit_id,
        subject_id: None,
        at_stake: Vec::new(),
        reason: "",
        payload: serde_json::to_value(wanted).map_err(Problem::internal)?,
    };
    decisions::propose(conn, proposal, by, request_id, now).await
}

impl DecisionKind for DocumentPublication {
    fn code(&self) -> &'static str {
        "document_publication"
    }

    fn title(&self) -> Text {
        text("Ban hành tài liệu", "Publication of a document")
    }

    fn proposing(&self) -> Permission {
        Permission::PublishDocuments
    }

    fn deciding(&self) -> Permission {
        Permission::PublishDocuments
    }

    /// Publishing moves no figure.
    fn rests_proposer(&self) -> bool {
        false
    }

    fn apply<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        request_id: Option<&'a str>,
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let mut wanted: Publication =
                serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)?;
            // Confirmed too late for its time, it is published at once.
            wanted.publish_at = wanted.publish_at.filter(|at| *at > now);
            publication::publish(conn, &wanted, true, now).await?;
            let event = audit::AuditEvent {
                client_id: None,
                actor_id: decision.decided_by,
                action: "document.published",
                object_kind: "document",
                object_id: wanted.document_id,
                unit_id: Some(decision.unit_id),
                member_id: None,
                request_id,
                details: json!({"unit_ids": wanted.unit_ids, "publish_at": wanted.publish_at}),
            };
            audit::record(conn, event, now).await
        })
    }

    fn close<'a>(
        &'a self,
        conn: &'a mut Conn,
        decision: &'a Decision,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            let row = get(conn, decision.object_id).await?;
            versions::wait_for(conn, row.id, DRAFT, None).await?;
            set_waiting(conn, &row, DRAFT).await
        })
    }
}
