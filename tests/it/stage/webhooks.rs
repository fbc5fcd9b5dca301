//! An endpoint of the ward, and an event that has arrived there. Nothing is on its way: the job that sends would change rows.

use serde_json::json;
use uuid::Uuid;

use super::Scene;

pub async fn prepare(scene: &mut Scene<'_>) {
    let id = scene.operation.id.as_str();
    let url = "https://receiver.example/hooks";
    match id {
        "createWebhookEndpoint" => scene.json(json!({
            "url": url, "events": ["document.published", "month.closed"], "unit_id": scene.cast.world.cell,
            "description": "Trang tin của phường",
        })),
        "updateWebhookEndpoint" => scene.json(json!({"description": "Trang tin", "paused": true})),
        "replayWebhookEvents" => {
            scene.json(json!({"from": "2026-11-01T00:00:00+07:00", "to": "2026-11-19T00:00:00+07:00"}));
        }
        "listWebhookEndpoints" | "listEvents" => {
            scene.query.push(("unit_id".to_owned(), scene.cast.world.cell.to_string()));
        }
        _ => {}
    }
    if scene.names("endpoint_id") {
        let (cast, unit) = (scene.cast, scene.cast.world.cell);
        let body = json!({"url": url, "events": ["document.published"], "unit_id": unit});
        let endpoint = cast.actor("prop").post("/v1/webhook-endpoints", &body).await.expect(201).id();
        let (event, delivery) = (Uuid::now_v7(), Uuid::now_v7());
        cast.execute(&format!(
            "WITH event AS (INSERT INTO webhook_events (id, kind, unit_id, data, occurred_at)
                VALUES ('{event}', 'quiz.published', '{unit}', '{{}}', now()) RETURNING id)
             INSERT INTO webhook_deliveries (id, endpoint_id, event_id, attempts, delivered_at, last_attempt_at, last_status)
             SELECT '{delivery}', '{endpoint}', id, 1, now(), now(), 204 FROM event"
        ))
        .await;
        scene.id("endpoint_id", endpoint);
        if scene.names("delivery_id") {
            scene.id("delivery_id", delivery);
        }
    }
}
