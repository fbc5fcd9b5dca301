//! Units and reorganisations.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Scene;

pub async fn prepare(scene: &mut Scene<'_>) {
    let world = &scene.cast.world;
    match scene.operation.id.as_str() {
        "createUnit" => scene.json(json!({"name": "Chi bộ mới", "kind": "cell", "parent_id": world.ward})),
        "createReorganisation" | "previewReorganisation" => scene.json(merger(world.cell, world.sibling)),
        _ => {}
    }
    if scene.names("reorganisation_id") {
        let made = scene.cast.actor("org").post("/v1/reorganisations", &merger(world.cell, world.sibling)).await;
        scene.id("reorganisation_id", made.expect(201).id());
    }
}

/// Planned for later, so that the next caller meets the same units.
fn merger(cell: Uuid, sibling: Uuid) -> Value {
    json!({"kind": "merge", "unit_ids": [cell], "into_unit_id": sibling, "effective_on": "2026-12-15",
        "reason": "sáp nhập"})
}
