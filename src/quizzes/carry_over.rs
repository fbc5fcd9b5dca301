//! Carries quizzes over into units that were merged or split.

use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::points::carry_offers;

use super::OBJECT_KIND;

/// The event of units that were merged or split.
const TOPIC: &str = "units.reorganised";

#[derive(Deserialize)]
struct QuizMerger {
    from_unit_ids: Vec<Uuid>,
    to_unit_id: Uuid,
}

#[derive(QueryableByName)]
struct Carried {
    #[diesel(sql_type = SqlUuid)]
    quiz_id: Uuid,
}

/// Gives the new unit the quizzes that went to the old ones themselves; what came from further above reaches it through the tree.
/// Lets all other events pass.
///
/// # Errors
/// When the payload names no units, or the database fails.
pub async fn consume(conn: &mut Conn, event: &outbox::OutboxEvent) -> Result<(), Problem> {
    if event.topic != TOPIC {
        return Ok(());
    }
    let payload: QuizMerger = serde_json::from_value(event.payload.clone()).map_err(Problem::internal)?;
    let carried: Vec<Carried> = diesel::sql_query(
        "INSERT INTO quiz_targets (quiz_id, target_id, unit_id)
         SELECT DISTINCT t.quiz_id, $2, $2 FROM quiz_targets t JOIN quizzes z ON z.id = t.quiz_id AND z.ended_at IS NULL
         WHERE t.unit_id = ANY($1) ORDER BY 1 ON CONFLICT DO NOTHING RETURNING quiz_id",
    )
    .bind::<Array<SqlUuid>, _>(&payload.from_unit_ids)
    .bind::<SqlUuid, _>(payload.to_unit_id)
    .load(conn)
    .await?;
    for Carried { quiz_id } in carried {
        carry_offers(conn, OBJECT_KIND, &quiz_id.to_string(), &payload.from_unit_ids, payload.to_unit_id).await?;
    }
    Ok(())
}
