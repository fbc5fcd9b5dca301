//! A decision as shown to officers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Language, Problem};

use super::model::{DecisionState, Registry};
use super::store::{self, Named};

/// A proposal of one officer that a second one decides.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionOut {
    /// Identifier.
    pub id: Uuid,
    /// Its kind; new kinds may be added.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "role_grant")]
    pub kind: String,
    /// The kind in words, in the language of the request.
    #[schema(max_length = 200, example = "Giao vai trò")]
    pub title: String,
    /// The object it is about: for `role_grant` the grant that it becomes, for `role_holder_slip` the activation slip.
    pub object_id: Uuid,
    /// The unit whose officers decide, or those above it.
    pub unit_id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    pub unit_name: String,
    /// The member, or other account, whom it is about; null when it is about no single person.
    pub subject_id: Option<Uuid>,
    /// That person's name.
    #[schema(max_length = 200, example = "Nguyễn Văn An")]
    pub subject_name: Option<String>,
    /// The reason for the proposal; empty where the kind asks for none.
    #[schema(max_length = 500, example = "Đại hội chi bộ ngày 15/11/2026")]
    pub reason: String,
    /// The details of the proposal, in the form of its kind.
    #[schema(value_type = Object)]
    pub details: Value,
    /// `waiting`, then `confirmed`, `declined`, `withdrawn` or `expired`.
    #[schema(value_type = DecisionState)]
    pub state: String,
    /// Who proposed it.
    pub proposed_by: Uuid,
    /// The proposer's name.
    #[schema(max_length = 200, example = "Lê Thị Cúc")]
    pub proposed_by_name: String,
    /// When it was proposed.
    pub proposed_at: DateTime<Utc>,
    /// Until when it can be confirmed.
    pub expires_at: DateTime<Utc>,
    /// Who confirmed, declined or withdrew it; null while it waits, when it expired, and when the operator of the server
    /// confirmed it.
    pub decided_by: Option<Uuid>,
    /// That person's name.
    #[schema(max_length = 200)]
    pub decided_by_name: Option<String>,
    /// When it was confirmed, declined or withdrawn.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was declined.
    #[schema(max_length = 500)]
    pub decision_reason: Option<String>,
}

/// The decision in the language of the request.
///
/// # Errors
/// 500 for a kind that a later version of the program wrote.
pub fn show(row: Named, kinds: Registry, language: Language) -> Result<DecisionOut, Problem> {
    let title = kinds.find(&row.kind)?.title();
    Ok(DecisionOut {
        id: row.id,
        title: language.pick(&title).to_owned(),
        kind: row.kind,
        object_id: row.object_id,
        unit_id: row.unit_id,
        unit_name: row.unit_name,
        subject_id: row.subject_id,
        subject_name: row.subject_name,
        reason: row.reason,
        details: row.payload,
        state: row.state,
        proposed_by: row.proposed_by,
        proposed_by_name: row.proposed_by_name,
        proposed_at: row.proposed_at,
        expires_at: row.expires_at,
        decided_by: row.decided_by,
        decided_by_name: row.decided_by_name,
        decided_at: row.decided_at,
        decision_reason: row.decision_reason,
    })
}

/// Reads a decision for the answer to the request that proposed or decided it.
///
/// # Errors
/// 404 for an unknown decision.
pub async fn answer(
    conn: &mut Conn,
    id: Uuid,
    kinds: Registry,
    language: Language,
    now: DateTime<Utc>,
) -> Result<DecisionOut, Problem> {
    show(store::named(conn, id, now).await?, kinds, language)
}
