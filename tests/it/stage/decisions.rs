//! Decisions that wait, and cases.

use serde_json::json;
use uuid::Uuid;

use super::Scene;
use super::members::role;

pub async fn prepare(scene: &mut Scene<'_>) {
    match scene.operation.id.as_str() {
        "refuseDecision" => scene.json(json!({"reason": "Chưa có nghị quyết của chi bộ"})),
        "confirmDecisions" => {
            let waiting = decision(scene, false).await;
            scene.json(json!({"decision_ids": [waiting]}));
        }
        "decideCase" => scene.json(json!({"outcome": "no_action", "reason": "Nhờ con cài báo thức."})),
        _ => {}
    }
    if scene.names("decision_id") {
        let own = scene.operation.id == "withdrawDecision";
        let waiting = decision(scene, own).await;
        scene.id("decision_id", waiting);
    }
    if scene.names("case_id") {
        let case = case(scene).await;
        scene.id("case_id", case);
    }
}

/// A role that waits for a second officer: proposed by the organisation officer of the table, or by another one.
async fn decision(scene: &Scene<'_>, own: bool) -> String {
    let cast = scene.cast;
    let someone = cast.world.member().await;
    let another = cast.world.organisation_officer().await;
    let author = if own { cast.actor("org") } else { &another };
    author.post("/v1/grants", &role(someone.id, "cell_committee_member", scene)).await.expect(202).id()
}

/// An open case of the cell, about no member.
async fn case(scene: &Scene<'_>) -> Uuid {
    let id = Uuid::now_v7();
    let statement = format!(
        "INSERT INTO cases (id, kind, subject_id, unit_id, evidence, opened_at, state)
         VALUES ('{id}', 'regularity', '{id}', '{}', '{{}}', '2026-11-20', 'open')",
        scene.cast.world.cell
    );
    scene.cast.execute(&statement).await;
    id
}
