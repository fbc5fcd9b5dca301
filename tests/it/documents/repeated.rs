//! The same document published again under another id: the officer is warned, and inspectors have a case to judge.

use serde_json::{Value, json};

use super::{publish, published, recall, write};
use crate::documents::draft_with;
use crate::support::{Actor, World};

/// Cases of the ward, once the outbox is empty.
async fn cases(world: &World, inspector: &Actor) -> Vec<Value> {
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let list = inspector.get(&format!("/v1/cases?unit_id={}", world.ward)).await.expect(200);
    list.body["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_document_published_again_under_another_id_is_warned_of() {
    let world = World::new().await;
    let (officer, inspector) = (world.propaganda_officer().await, world.inspector().await);
    let first = published(&world, &officer, json!({})).await;
    assert!(cases(&world, &inspector).await.is_empty());
    // Written a little differently; the first is gone, and its points are not.
    recall(&officer, &first).await.expect(200);
    let text = format!("{}!", "CHỮ  ".repeat(250));
    let second = write(&world, &officer, &draft_with(json!({"symbol": "98 - KH/ĐU (bản mới)", "text": text}))).await;
    let answer = publish(&officer, &second, &[world.ward]).await.expect(200).body;
    assert_eq!(answer["published_before"][0]["id"], json!(first), "{answer}");
    let found = cases(&world, &inspector).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["kind"], "repeated_document");
    assert_eq!(found[0]["evidence"], json!({"document_id": second, "same_ids": [first]}));
}

#[actix_web::test]
async fn what_differs_or_goes_elsewhere_is_not_the_same() {
    let world = World::new().await;
    let (officer, inspector) = (world.propaganda_officer().await, world.inspector().await);
    published(&world, &officer, json!({})).await;
    let other = json!({"symbol": "99-KH/ĐU", "text": "khác ".repeat(250)});
    let other = write(&world, &officer, &draft_with(other)).await;
    let answer = publish(&officer, &other, &[world.cell]).await.expect(200).body;
    assert_eq!(answer["published_before"], json!([]));
    // The same number of another cell's is another document, unless one member is to read both.
    let elsewhere = write(&world, &officer, &draft_with(json!({"text": "chi bộ ".repeat(250)}))).await;
    let answer = publish(&officer, &elsewhere, &[world.sibling]).await.expect(200).body;
    assert_eq!(answer["published_before"], json!([]));
    assert!(cases(&world, &inspector).await.is_empty());
    let answer = publish(&officer, &elsewhere, &[world.cell]).await.expect(200).body;
    assert_eq!(answer["published_before"].as_array().unwrap().len(), 1);
    assert_eq!(cases(&world, &inspector).await.len(), 1);
}
