//! Closed months, and reminders in the present one.

use serde_json::json;

use super::Scene;
use crate::closings::IN_TIME;

pub async fn prepare(scene: &mut Scene<'_>) {
    let world = &scene.cast.world;
    match scene.operation.id.as_str() {
        "closeMonth" => {
            world.app.set_time(IN_TIME);
            scene.json(json!({"period": "2026-11"}));
        }
        "reopenMonth" => scene.json(json!({"reason": "Bổ sung danh sách dự sinh hoạt ngày 15"})),
        "sendReminders" => scene.json(json!({})),
        _ => {}
    }
    if scene.names("period") {
        world.close_due().await;
        scene.id("period", "2026-10");
    }
}
