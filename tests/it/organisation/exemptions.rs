//! Exemptions by two officers: proposing, confirming, listing, ending.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{contents, count};
use crate::support::{Actor, World, confirmed};

async fn deputy(world: &World) -> Actor {
    world.officer(world.cell, Role::DeputySecretary, world.cell).await
}

/// Whether a member counts: by their own month, by the board and by the leaderboard of the cell.
async fn status(world: &World, member: &Actor) -> Value {
    let status = member.get("/v1/me/points").await.expect(200).body["status"].clone();
    let officer = world.committee_officer().await;
    let board = officer.get(&format!("/v1/units/{}/points?limit=200", world.cell)).await.expect(200).body;
    let row = board["items"].as_array().unwrap().iter().find(|row| row["member"]["id"] == json!(member.id)).unwrap();
    assert_eq!(row["status"], status);
    let ranked = member.get("/v1/leaderboards/members").await.expect(200).body;
    assert_eq!(ranked["me"].is_null(), status == "exempt" || status == "excused", "{ranked}");
    status
}

#[actix_web::test]
async fn what_one_officer_proposes_counts_when_a_second_one_confirms_it() {
    let world = World::new().await;
    let (secretary, member, second) = (world.secretary().await, world.member().await, deputy(&world).await);
    let path = format!("/v1/members/{}/exemptions", member.id);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Tuổi cao"});
    let waits = secretary.post(&path, &body).await.expect(202).body;
    assert_eq!((&waits["kind"], &waits["state"]), (&json!("exemption"), &json!("waiting")));
    assert_eq!((&waits["subject_id"], &waits["reason"]), (&json!(member.id), &json!("Tuổi cao")));
    assert_eq!(waits["details"], json!({"kind": "exempt", "valid_from": "2026-11-01", "valid_to": null}));
    assert_eq!(status(&world, &member).await, "at_risk");
    assert_eq!(secretary.get(&path).await.expect(200).body["items"], json!([]));

    let confirmation = format!("/v1/decisions/{}/confirmation", waits["id"].as_str().unwrap());
    assert_eq!(secretary.post(&confirmation, &json!({})).await.expect(403).code(), "second_officer_required");
    second.post(&confirmation, &json!({})).await.expect(200);
    assert_eq!(status(&world, &member).await, "exempt");
    let listed = secretary.get(&path).await.expect(200).body;
    assert_eq!(listed["items"][0]["id"], waits["object_id"]);

    let end = format!("/v1/exemptions/{}/end", waits["object_id"].as_str().unwrap());
    let ended = secretary.post(&end, &json!({"valid_to": "2026-11-20"})).await;
    assert_eq!(status(&world, &member).await, "exempt", "an end waits too");
    confirmed(&second, ended).await;
    assert_eq!(status(&world, &member).await, "at_risk");
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
    for action in ["exemption.recorded", "exemption.ended"] {
        assert_eq!(world.audit_count(action).await, 1, "{action}");
    }
}

#[actix_web::test]
async fn exemptions_of_a_kind_do_not_overlap_and_end_within_themselves() {
    let world = World::new().await;
    let (secretary, member, second) = (world.secretary().await, world.member().await, deputy(&world).await);
    let path = format!("/v1/members/{}/exemptions", member.id);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Tuổi cao"});
    let first = secretary.post(&path, &body).await.expect(202);
    let overlapping = json!({"kind": "exempt", "valid_from": "2027-01-01", "reason": "Tuổi cao"});
    assert_eq!(secretary.post(&path, &overlapping).await.expect(409).code(), "conflict", "one waits");
    let made = confirmed(&second, first).await.body["object_id"].as_str().unwrap().to_owned();
    assert_eq!(secretary.post(&path, &overlapping).await.expect(409).code(), "conflict", "one holds");
    // Another kind may overlap, and one that ends before the other begins does not.
    let excused =
        json!({"kind": "excused", "valid_from": "2026-11-01", "valid_to": "2026-11-15", "reason": "Đi công tác"});
    confirmed(&second, secretary.post(&path, &excused).await).await;
    let earlier = json!({"kind": "exempt", "valid_from": "2026-10-01", "valid_to": "2026-11-01", "reason": "Ốm"});
    confirmed(&second, secretary.post(&path, &earlier).await).await;

    let end = format!("/v1/exemptions/{made}/end");
    confirmed(&second, secretary.post(&end, &json!({"valid_to": "2026-12-01"})).await).await;
    for day in ["2026-11-01", "2027-01-01"] {
        secretary.post(&end, &json!({"valid_to": day})).await.expect(422);
    }
    let page = secretary.get(&format!("{path}?limit=2")).await.expect(200);
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let rest = secretary.get(&format!("{path}?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(rest.body["items"][0]["valid_from"], "2026-10-01");
}

#[actix_web::test]
async fn nobody_exempts_themselves() {
    let world = World::new().await;
    let (secretary, other) = (world.secretary().await, deputy(&world).await);
    let path = format!("/v1/members/{}/exemptions", secretary.id);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Bận"});
    assert_eq!(secretary.post(&path, &body).await.expect(403).code(), "forbidden");
    let waits = other.post(&path, &body).await.expect(202);
    let confirmation = format!("/v1/decisions/{}/confirmation", waits.id());
    assert_eq!(secretary.post(&confirmation, &json!({})).await.expect(403).code(), "own_interest");
    assert_eq!(count(&world.app, "exemptions").await, 0);
    let made = confirmed(&world.committee_officer().await, waits).await.body["object_id"].clone();
    let end = format!("/v1/exemptions/{}/end", made.as_str().unwrap());
    secretary.post(&end, &json!({"valid_to": "2026-11-20"})).await.expect(403);
}

#[actix_web::test]
async fn who_may_propose_and_end() {
    let world = World::new().await;
    let member = world.member().await;
    let path = format!("/v1/members/{}/exemptions", member.id);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Tuổi cao"});
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let made = confirmed(&second, officer.post(&path, &body).await).await.body["object_id"].clone();
    let end = format!("/v1/exemptions/{}/end", made.as_str().unwrap());
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let actors = [
        (world.member().await, 403, 403),
        (world.outsider().await, 404, 404),
        (sibling, 404, 404),
        (world.committee_officer().await, 403, 200),
        (world.inspector().await, 403, 200),
        (world.propaganda_officer().await, 403, 403),
    ];
    for (actor, write, read) in actors {
        actor.post(&path, &body).await.expect(write);
        actor.post(&end, &json!({"valid_to": "2026-12-01"})).await.expect(write);
        actor.get(&path).await.expect(read);
    }
    assert_eq!(count(&world.app, "decisions").await, 1);
    confirmed(&second, world.administrator().await.post(&end, &json!({"valid_to": "2026-12-01"})).await).await;
    officer.post("/v1/exemptions/none/end", &json!({"valid_to": "2026-12-01"})).await.expect(404);
}

#[actix_web::test]
async fn wrong_input_and_races() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let path = format!("/v1/members/{}/exemptions", member.id);
    let before = contents(&world.app).await;
    for (body, status) in [
        (json!({"kind": "free", "valid_from": "2026-11-01", "reason": "a"}), 400),
        (json!({"kind": "exempt", "valid_from": "2026-11-01", "valid_to": "2026-11-01", "reason": "a"}), 422),
        (json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "  "}), 400),
        (json!({"kind": "exempt", "valid_from": "2026-11-01"}), 400),
        (json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "a", "recorded_by": member.id}), 400),
    ] {
        secretary.post(&path, &body).await.expect(status);
    }
    assert_eq!(contents(&world.app).await, before);
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "a"});
    let all = (0..10).map(|_| secretary.post(&path, &body));
    let replies = futures_util::future::join_all(all).await;
    assert_eq!(replies.iter().filter(|r| r.status == 202).count(), 1);
    assert_eq!(replies.iter().filter(|r| r.status == 409).count(), 9);
}
