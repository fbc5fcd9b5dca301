//! Deliveries of events that failed.

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use super::Scene;

#[derive(QueryableByName)]
struct Delivery {
    #[diesel(sql_type = BigInt)]
    event_id: i64,
}

/// An event that a consumer failed at for good.
const FAIL: &str = "WITH event AS (INSERT INTO outbox (topic, payload, created_at, available_at, done_at)
        VALUES ('units.renamed', '{}', now(), now(), now()) RETURNING id)
    INSERT INTO outbox_deliveries (event_id, consumer, attempts, next_at, failed_at, problem)
    SELECT id, 'documents', 8, now(), now(), 'internal' FROM event RETURNING event_id";

pub async fn prepare(scene: &mut Scene<'_>) {
    if scene.names("delivery_id") {
        let mut conn = scene.cast.world.app.state.db.conn().await.unwrap();
        let failed: Delivery = diesel::sql_query(FAIL).get_result(&mut *conn).await.unwrap();
        scene.id("delivery_id", format!("{}-documents", failed.event_id));
    }
}
