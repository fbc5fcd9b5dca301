//! What can still be earned leaves out quizzes that earn a member nothing any more.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{bank, publish, quiz, take, write};
use crate::support::{Actor, World};

async fn attainable(member: &Actor) -> Value {
    member.get("/v1/me/points").await.expect(200).body["attainable"].clone()
}

#[actix_web::test]
async fn who_used_up_the_attempts_or_saw_the_key_is_offered_the_quiz_no_more() {
    let world = World::new().await;
    let officer = world.officer(world.cell, Role::PropagandaOfficer, world.ward).await;
    let (member, other) = (world.member().await, world.member().await);
    let before = attainable(&other).await.as_i64().unwrap();
    let bank = bank(&world, &officer, 8).await;
    let id = write(&world, &officer, &quiz(&world, &bank, json!({"attempts": 1}))).await.expect(201).id();
    publish(&officer, &id).await.expect(200);
    let offered = attainable(&other).await.as_i64().unwrap();

    take(&member, &id, 0).await;

    assert_eq!(offered, before + 6);
    assert_eq!((attainable(&member).await, attainable(&officer).await), (json!(before), json!(before)));
    assert_eq!(attainable(&other).await, json!(offered));
}
