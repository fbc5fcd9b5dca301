//! Two who decide the same thing at once: one of them does.

use futures_util::future::{join, join_all};
use serde_json::json;

use super::{ask_role, confirm, refuse, roles_of, withdraw};
use crate::support::World;

#[actix_web::test]
async fn of_many_who_confirm_at_once_one_does() {
    let world = World::new().await;
    let (officer, member) = (world.organisation_officer().await, world.member().await);
    let asked = ask_role(&officer, member.id, "deputy_secretary", world.cell).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(world.committee_officer().await);
    }

    let replies = join_all(others.iter().map(|other| confirm(other, &asked))).await;

    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(409)), (1, 3));
    assert_eq!(roles_of(&world, member.id).await, 1);
}

#[actix_web::test]
async fn confirming_and_withdrawing_at_once_come_to_one_of_both() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    for round in 0..6 {
        let member = world.member().await;
        let asked = ask_role(&officer, member.id, "deputy_secretary", world.cell).await;

        let (won, lost) = if round % 2 == 0 {
            join(confirm(&second, &asked), withdraw(&officer, &asked)).await
        } else {
            join(confirm(&second, &asked), refuse(&world.administrator().await, &asked)).await
        };

        assert_eq!(i64::from(won.status == 200), roles_of(&world, member.id).await);
        let mut statuses = [won.status, lost.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[actix_web::test]
async fn two_batches_over_the_same_decisions_confirm_each_once() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let (one, other) = (world.committee_officer().await, world.committee_officer().await);
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(ask_role(&officer, world.member().await.id, "cell_committee_member", world.cell).await["id"].clone());
    }
    let path = format!("/v1/units/{}/decisions/confirmations", world.ward);
    let (forwards, backwards) = (json!({"decision_ids": ids}), {
        ids.reverse();
        json!({"decision_ids": ids})
    });

    let (first, second) = join(one.post(&path, &forwards), other.post(&path, &backwards)).await;

    let confirmed = [first.expect(200).body, second.expect(200).body]
        .iter()
        .flat_map(|body| body["items"].as_array().unwrap().clone())
        .filter(|item| item["problem"].is_null())
        .count();
    assert_eq!(confirmed, 10);
}

#[actix_web::test]
async fn the_answer_is_repeated_under_its_key() {
    let world = World::new().await;
    let (officer, second, member) =
        (world.organisation_officer().await, world.committee_officer().await, world.member().await);
    let asked = ask_role(&officer, member.id, "deputy_secretary", world.cell).await;
    let path = format!("/v1/decisions/{}/confirmation", asked["id"].as_str().unwrap());
    let keyed = async || second.request("POST", &path).header("Idempotency-Key", "k").json(&json!({})).send().await;

    let (first, again) = (keyed().await.expect(200), keyed().await.expect(200));

    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(roles_of(&world, member.id).await, 1);
}
