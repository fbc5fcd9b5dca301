//! Figures that an app without a person gets: of groups, never of a handful of people, nor what they follow from.

use serde_json::json;

use super::support::{acting, app};
use crate::support::World;

#[actix_web::test]
async fn an_app_alone_is_not_told_figures_of_a_handful() {
    let world = World::new().await;
    let app = app(&world).await;
    let alone = acting(&world, app, app, "units:read").await;
    let officer = world.committee_officer().await;
    // With the one who registered the app there are six in the cell.
    for _ in 0..5 {
        world.member().await;
    }
    for _ in 0..2 {
        world.outsider().await;
    }
    let summary = |unit| format!("/v1/units/{unit}/points/summary");
    let ward = alone.get(&summary(world.ward)).await.expect(200).body;
    assert_eq!(ward["summary"]["counted"], 8);
    assert_eq!(ward["items"], json!([]), "six of eight leave two");
    for unit in [world.cell, world.sibling] {
        assert_eq!(alone.get(&summary(unit)).await.expect(403).code(), "forbidden");
    }
    let seen = officer.get(&summary(world.ward)).await.expect(200).body;
    assert_eq!(seen["items"].as_array().unwrap().len(), 2, "an officer is told");
    for _ in 0..3 {
        world.outsider().await;
    }
    let ward = alone.get(&summary(world.ward)).await.expect(200).body;
    assert_eq!(ward["items"].as_array().unwrap().len(), 2);
    assert_eq!(alone.get(&summary(world.cell)).await.expect(200).body["summary"]["counted"], 6);
    alone.get(&summary(world.other_ward)).await.expect(404);
    alone.get(&format!("/v1/units/{}/points/trend", world.ward)).await.expect(200);
}
