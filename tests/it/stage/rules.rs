//! Rules of points and parameters.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::Scene;

pub async fn prepare(scene: &mut Scene<'_>) {
    match scene.operation.id.as_str() {
        "draftRuleChange" | "replaceRuleChange" => scene.json(change(first_day(scene))),
        "setParameter" => scene.json(json!({"name": "threshold", "value": 35, "from": "2026-12"})),
        _ => {}
    }
    if scene.names("change_id") {
        drafted(scene).await;
    }
}

/// Each change begins later than those before: published ones follow one another.
fn first_day(scene: &Scene<'_>) -> NaiveDate {
    let start: NaiveDate = "2027-01-01".parse().unwrap();
    start + Days::new(scene.cast.number())
}

fn change(first: NaiveDate) -> Value {
    json!({"rule": "quiz_passed", "points": 5, "valid_from": first})
}

/// A change of the cell by the ward's committee officer: a draft, or published where it is to be ended.
async fn drafted(scene: &mut Scene<'_>) {
    let (ward, first) = (scene.cast.actor("ward"), first_day(scene));
    let changes = format!("/v1/units/{}/point-rule-changes", scene.cast.world.cell);
    let id = ward.post(&changes, &change(first)).await.expect(201).id();
    if scene.operation.id == "endRuleChange" {
        ward.post(&format!("/v1/point-rule-changes/{id}/publication"), &json!({})).await.expect(200);
        scene.json(json!({"valid_to": first + Days::new(30)}));
    }
    scene.id("change_id", id);
}
