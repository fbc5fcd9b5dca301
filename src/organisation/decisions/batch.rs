//! Batch confirmation: up to fifty decisions in one request, each independent of the others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::{Conn, savepoint};
use crate::kernel::http::problem::{Language, Problem};

use super::output::{DecisionOut, answer};
use super::store;
use super::workflow::{Act, confirm};

/// Decisions to be confirmed together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationsIn {
    /// Up to fifty of them, each once.
    #[schema(min_items = 1, max_items = 50)]
    pub decision_ids: Vec<Uuid>,
}

/// Why one of them was not confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmationFailure {
    /// The error code that the single confirmation would return.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "own_interest")]
    pub code: &'static str,
    /// The obstacle, in the language of the request.
    #[schema(max_length = 2000, example = "Không ai quyết định việc liên quan đến chính mình.")]
    pub detail: String,
}

/// The outcome of one confirmation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmationResult {
    /// The decision that was requested.
    pub decision_id: Uuid,
    /// The decision, if it was confirmed.
    pub decision: Option<DecisionOut>,
    /// Why not, if it was not.
    pub problem: Option<ConfirmationFailure>,
}

/// The outcomes, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmationResults {
    /// One per decision.
    #[schema(max_items = 50)]
    pub items: Vec<ConfirmationResult>,
}

/// Confirms each decision that lies in the unit or below it. One that fails leaves no trace and does not undo the
/// others.
///
/// # Errors
/// When the database fails, or the whole has to be repeated after a conflict.
pub async fn confirm_all(
    conn: &mut Conn,
    unit_id: Uuid,
    ids: &[Uuid],
    act: &Act<'_>,
    language: Language,
) -> Result<ConfirmationResults, Problem> {
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        let confirmed = savepoint(conn, async |conn| {
            if !store::is_below(conn, *id, unit_id, act.now).await? {
                return Err(Problem::not_found());
            }
            confirm(conn, *id, act).await?;
            answer(conn, *id, act.kinds, language, act.now).await
        });
        let (decision, problem) = match confirmed.await? {
            Ok(decision) => (Some(decision), None),
            Err(problem) => (None, Some(failure(&problem, language))),
        };
        items.push(ConfirmationResult { decision_id: *id, decision, problem });
    }
    Ok(ConfirmationResults { items })
}

fn failure(problem: &Problem, language: Language) -> ConfirmationFailure {
    let title = problem.code.title();
    let detail = language.pick(problem.detail.as_ref().unwrap_or(&title)).to_owned();
    ConfirmationFailure { code: problem.code.as_str(), detail }
}
