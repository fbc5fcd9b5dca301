//! Terms of a committee, within which the numbers of its documents run.

use serde_json::{Value, json};

use super::{draft_with, write};
use crate::support::{Actor, World};

async fn set(world: &World, officer: &Actor, terms: Value) -> crate::support::Reply {
    let path = format!("/v1/units/{}/document-terms", world.ward);
    officer.request("PUT", &path).json(&json!({"terms": terms})).send().await
}

/// How many documents with the same symbol the answer to publishing names.
async fn warned(world: &World, officer: &Actor, text: &str) -> usize {
    let id = write(world, officer, &draft_with(json!({"text": text}))).await;
    let answer = super::publish(officer, &id, &[world.cell]).await.expect(200).body;
    answer["published_before"].as_array().unwrap().len()
}

#[actix_web::test]
async fn numbers_begin_anew_with_a_term() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let first = warned(&world, &officer, "Một").await;
    let same = warned(&world, &officer, "Hai").await;
    world.app.advance(86_400);
    let terms = json!([
        {"name": "Nhiệm kỳ 2025–2030", "valid_from": "2026-11-21", "valid_to": null},
        {"name": "Nhiệm kỳ 2020–2025", "valid_from": "2020-06-01", "valid_to": "2026-11-21"},
    ]);

    let set_now = set(&world, &officer, terms).await.expect(200).body;
    let in_new_term = warned(&world, &officer, "Ba").await;

    assert_eq!((first, same, in_new_term), (0, 1, 0));
    assert_eq!(set_now["items"][0]["name"], "Nhiệm kỳ 2025–2030");
    let seen = world.member().await.get(&format!("/v1/units/{}/document-terms", world.ward)).await.expect(200).body;
    assert_eq!(seen, set_now);
}

#[actix_web::test]
async fn terms_do_not_overlap() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    for terms in [
        json!([{"name": "a", "valid_from": "2025-01-01", "valid_to": null}, {"name": "b", "valid_from": "2026-01-01", "valid_to": null}]),
        json!([{"name": "a", "valid_from": "2025-01-01", "valid_to": "2024-01-01"}]),
        json!([{"name": "a", "valid_from": "2025-01-01", "valid_to": null}, {"name": "b", "valid_from": "2025-01-01", "valid_to": null}]),
    ] {
        let answer = set(&world, &officer, terms.clone()).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["code"]), (422, &json!("overlaps")), "{terms}");
    }
    let of_member = format!("/v1/units/{}/document-terms", world.ward);
    let member = world.member().await;
    let refused = member.request("PUT", &of_member).json(&json!({"terms": []})).send().await;
    assert_eq!(refused.status, 403);
}
