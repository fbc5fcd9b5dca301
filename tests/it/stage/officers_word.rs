//! Attestations, adjustments and appeals that wait.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::Scene;
use crate::support::Actor;

pub async fn prepare(scene: &mut Scene<'_>) {
    match scene.operation.id.as_str() {
        "recordAttestation" => {
            let body = list(scene, scene.subject().await);
            scene.json(body);
        }
        "declineAttestation" | "refuseAdjustment" => scene.json(json!({"reason": "Biên bản thiếu chữ ký"})),
        "proposeAdjustment" => {
            let member = scene.subject().await;
            scene.id("member_id", member);
            scene.json(adjustment());
        }
        "answerAppeal" => scene.json(json!({"outcome": "dismissed", "reason": "Biên bản không có tên đồng chí."})),
        "fileAppeal" => scene.json(appeal()),
        _ => {}
    }
    if scene.names("appeal_id") {
        let someone = scene.cast.world.member().await;
        scene.id("appeal_id", someone.post("/v1/me/appeals", &appeal()).await.expect(201).id());
    }
    if scene.names("attestation_id") {
        let (someone, author) = (scene.cast.world.member().await, author(scene).await);
        scene.id("attestation_id", author.post("/v1/attestations", &list(scene, someone.id)).await.expect(201).id());
    }
    if scene.names("adjustment_id") {
        let (someone, author) = (scene.cast.world.member().await, author(scene).await);
        let path = format!("/v1/members/{}/point-adjustments", someone.id);
        scene.id("adjustment_id", author.post(&path, &adjustment()).await.expect(201).id());
    }
}

/// What is to be withdrawn is the secretary's, the rest a deputy's.
async fn author(scene: &Scene<'_>) -> Actor {
    let world = &scene.cast.world;
    if scene.operation.path.ends_with("/withdrawal") {
        return scene.cast.actor("sec").clone();
    }
    world.officer(world.cell, Role::DeputySecretary, world.cell).await
}

fn list(scene: &Scene<'_>, member: Uuid) -> Value {
    json!({"unit_id": scene.cast.world.cell, "kind": "meeting_attended", "day": "2026-11-05", "subject": "Sinh hoạt",
        "member_ids": [member]})
}

fn adjustment() -> Value {
    json!({"period": "2026-11", "points": 3, "reason": "bỏ sót", "evidence": "biên bản"})
}

fn appeal() -> Value {
    json!({"kind": "missing", "period": "2026-11", "text": "thiếu điểm"})
}
