//! Carries documents over into units that were merged or split.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_targets, documents};
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::points::carry_offers;

use super::OBJECT_KIND;
use super::store::{PUBLISHED, SUPERSEDED, lock};
use super::{cover_notes, feed, versions};

/// The event of units that were merged or split.
const TOPIC: &str = "units.reorganised";

#[derive(Deserialize)]
struct MergerPayload {
    from_unit_ids: Vec<Uuid>,
    to_unit_id: Uuid,
}

/// Distributes to the new unit what was distributed to the old ones themselves; what came from further above reaches it
/// through the tree. Lets all other events pass.
///
/// # Errors
/// When the payload names no units, or the database fails.
pub async fn consume(conn: &mut Conn, event: &outbox::OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    versions::consume(conn, event, now).await?;
    if event.topic != TOPIC {
        return Ok(());
    }
    let payload: MergerPayload = serde_json::from_value(event.payload.clone()).map_err(Problem::internal)?;
    cover_notes::carry_over(conn, &payload.from_unit_ids, payload.to_unit_id).await?;
    let found: Vec<Uuid> = documents::table
        .filter(documents::state.eq_any([PUBLISHED, SUPERSEDED]))
        .filter(
            documents::id.eq_any(
                document_targets::table
                    .filter(document_targets::unit_id.eq_any(&payload.from_unit_ids))
                    .select(document_targets::document_id),
            ),
        )
        .order(documents::id)
        .select(documents::id)
        .load(conn)
        .await?;
    for id in found {
        let row = lock(conn, id).await?;
        if row.is_out() {
            diesel::insert_into(document_targets::table)
                .values((document_targets::document_id.eq(id), document_targets::unit_id.eq(payload.to_unit_id)))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            carry_offers(conn, OBJECT_KIND, &id.to_string(), &payload.from_unit_ids, payload.to_unit_id).await?;
            feed::refresh(conn, id, now).await?;
        }
    }
    Ok(())
}
