//! The decision: a second officer confirms a list, and the members on it have read the document.

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde_json::json;

use crate::documents::OBJECT_KIND;
use crate::documents::personal::touch;
use crate::documents::reading::READ;
use crate::documents::store::{PUBLISHED, get, hold, note_opening};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem, Text, text};
use crate::kernel::security::access::Permission;
use crate::kernel::security::audit;
use crate::organisation::decisions::{Decision, DecisionKind};
use crate::points::{self, AwardRequest, Deed};

use super::record::AssistedReading;
use super::store::{self, VouchedReading};

/// The kind of decision by which members without a device have read a document.
pub struct AssistedReadingConfirmation;

/// See [`AssistedReadingConfirmation`].
pub static ASSISTED_READING: AssistedReadingConfirmation = AssistedReadingConfirmation;

impl DecisionKind for AssistedReadingConfirmation {
    fn code(&self) -> &'static str {
        "assisted_reading"
    }

    fn title(&self) -> Text {
        text("Đọc tài liệu cùng người giúp đỡ", "A document read together")
    }

    fn proposing(&self) -> Permission {
        Permission::RecordAttestations
    }

    fn deciding(&self) -> Permission {
        Permission::ConfirmAttestations
    }

    /// A report of what was seen is no decision.
    fn rests_proposer(&self) -> bool {
        false
    }

    /// What was seen stays seen when the recorder's office has ended.
    fn needs_proposer_still(&self) -> bool {
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
            let reading: AssistedReading =
                serde_json::from_value(decision.payload.clone()).map_err(Problem::internal)?;
            let points = complete_all(conn, decision, &reading, now).await?;
            let event = audit::AuditEvent {
                client_id: None,
                actor_id: decision.decided_by,
                action: "document.read_together",
                object_kind: "document",
                object_id: reading.document_id,
                unit_id: Some(decision.unit_id),
                member_id: None,
                request_id,
                details: json!({"day": reading.day, "members": reading.member_ids.len(), "points": points}),
            };
            audit::record(conn, event, now).await
        })
    }
}

/// Awards and completes the reading of all who belonged to the cell that day. Returns the sum of the points.
async fn complete_all(
    conn: &mut Conn,
    decision: &Decision,
    reading: &AssistedReading,
    now: DateTime<Utc>,
) -> Result<i32, Problem> {
    let listed = store::listed(conn, (decision.unit_id, reading.day), &reading.member_ids).await?;
    let present = reading.member_ids.iter().zip(&listed).filter(|(_, listed)| listed.belongs);
    let deed = Deed {
        event: READ,
        object_kind: OBJECT_KIND,
        object_id: reading.document_id.to_string(),
        attested_by: Some(decision.proposed_by),
        on: Some(reading.day),
        ..Deed::default()
    };
    let wants: Vec<AwardRequest> =
        present.map(|(member, _)| AwardRequest { member_id: *member, deed: deed.clone(), now }).collect();
    // The months are locked before anything else of the members.
    let awards = points::award_all(conn, &wants).await?;
    hold(conn, reading.document_id).await?;
    if get(conn, reading.document_id).await?.state != PUBLISHED {
        return Err(Problem::with(
            Code::Conflict,
            "Tài liệu đã được thu hồi hoặc thay thế.",
            "The document was recalled or another one has taken its place.",
        ));
    }
    let mut sum = 0;
    for (want, award) in wants.iter().zip(awards) {
        let award = award?;
        sum += award.points_awarded;
        let read = VouchedReading {
            member_id: want.member_id,
            document_id: reading.document_id,
            document_version: reading.version,
            receipt: &serde_json::to_value(&award).map_err(Problem::internal)?,
            assisted_by: decision.proposed_by,
        };
        store::complete(conn, &read, now).await?;
        note_opening(conn, reading.document_id, want.member_id, now).await?;
        touch(conn, want.member_id, reading.document_id).await?;
    }
    Ok(sum)
}
