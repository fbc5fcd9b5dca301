//! Transfers between cells: proposing, accepting, declining, withdrawing.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::{contents, count, rows};
use crate::support::{Actor, World};

/// A world with a secretary on either side and a member between them.
struct Sides {
    world: World,
    old: Actor,
    new: Actor,
    member: Actor,
}

impl Sides {
    async fn new() -> Self {
        let world = World::new().await;
        let old = world.secretary().await;
        let new = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
        let member = world.member().await;
        Self { world, old, new, member }
    }

    fn body(&self) -> Value {
        json!({"to_unit_id": self.world.sibling, "reason": "Chuyển nơi cư trú"})
    }

    async fn propose(&self) -> String {
        let path = format!("/v1/members/{}/transfers", self.member.id);
        self.old.post(&path, &self.body()).await.expect(201).id()
    }

    /// The cells of the member, the first one first.
    async fn history(&self) -> Value {
        let query = format!(
            "SELECT unit_id, valid_from, valid_to FROM memberships WHERE member_id = '{}' ORDER BY valid_from",
            self.member.id
        );
        serde_json::from_str(&rows(&self.world.app, &query).await).unwrap()
    }
}

fn stretch(unit: Uuid, from: &str, to: Option<&str>) -> Value {
    json!({"unit_id": unit, "valid_from": from, "valid_to": to})
}

#[actix_web::test]
async fn the_member_belongs_to_the_old_cell_until_the_new_one_accepts() {
    let sides = Sides::new().await;
    let world = &sides.world;
    world.grant(sides.member.id, Role::CellCommitteeMember, Some(world.cell)).await;
    let path = format!("/v1/members/{}/transfers", sides.member.id);
    let made = sides.old.post(&path, &sides.body()).await.expect(201);
    assert_eq!((&made.body["state"], &made.body["due_on"]), (&json!("proposed"), &json!("2027-02-12")));
    assert_eq!(sides.history().await, json!([stretch(world.cell, "2025-01-01", None)]));
    assert_eq!(sides.old.post(&path, &sides.body()).await.expect(409).code(), "conflict");
    let seen = sides.new.get(&format!("/v1/units/{}/transfers", world.sibling)).await.expect(200);
    assert_eq!(seen.body["items"][0]["id"], made.id());
    let list = format!("/v1/units/{}/members", world.cell);
    sides.member.get(&list).await.expect(200);

    let accept = format!("/v1/transfers/{}/accept", made.id());
    let done = sides.new.post(&accept, &json!({})).await.expect(200);
    assert_eq!((&done.body["state"], &done.body["effective_on"]), (&json!("accepted"), &json!("2026-11-20")));
    assert_eq!(
        sides.history().await,
        json!([stretch(world.cell, "2025-01-01", Some("2026-11-20")), stretch(world.sibling, "2026-11-20", None)])
    );
    // The role on the old cell ended with the membership.
    sides.member.get(&list).await.expect(404);
    let ended =
        format!("grants WHERE account_id = '{}' AND valid_to = '2026-11-20' AND revoked_at IS NULL", sides.member.id);
    assert_eq!(count(&world.app, &ended).await, 1);
    let history = sides.new.get(&format!("/v1/members/{}/memberships", sides.member.id)).await.expect(200);
    assert_eq!(history.body["items"][0]["origin"], "transferred");
    assert_eq!(history.body["items"].as_array().unwrap().len(), 2);
    sides.old.get(&format!("/v1/members/{}", sides.member.id)).await.expect(404);
    sides.new.post(&accept, &json!({})).await.expect(409);
    let seen = sides.old.get(&format!("/v1/units/{}/transfers", world.cell)).await.expect(200);
    assert_eq!(seen.body["items"][0]["state"], "accepted");
    assert_eq!(count(&world.app, "audit_events WHERE action LIKE 'transfer.%'").await, 2);
}

#[actix_web::test]
async fn acceptance_may_take_effect_later_within_the_due_day() {
    let sides = Sides::new().await;
    let world = &sides.world;
    let accept = format!("/v1/transfers/{}/accept", sides.propose().await);
    for day in ["2026-11-19", "2027-02-13"] {
        sides.new.post(&accept, &json!({"effective_on": day})).await.expect(422);
    }
    sides.new.post(&accept, &json!({"effective_on": "2026-12-01"})).await.expect(200);
    assert_eq!(
        sides.history().await,
        json!([stretch(world.cell, "2025-01-01", Some("2026-12-01")), stretch(world.sibling, "2026-12-01", None)])
    );
    sides.old.get(&format!("/v1/members/{}", sides.member.id)).await.expect(200);
    // On the way already: no second transfer, and no import elsewhere, can take the member.
    let path = format!("/v1/members/{}/transfers", sides.member.id);
    let elsewhere = json!({"to_unit_id": world.other_cell, "reason": "Khác"});
    sides.old.post(&path, &elsewhere).await.expect(409);
    world.app.set_time("2026-12-01T00:00:00+07:00");
    sides.old.get(&format!("/v1/members/{}", sides.member.id)).await.expect(404);
    sides.new.get(&format!("/v1/members/{}", sides.member.id)).await.expect(200);
}

#[actix_web::test]
async fn an_overdue_transfer_is_proposed_anew() {
    let sides = Sides::new().await;
    let id = sides.propose().await;
    sides.world.app.set_time("2027-02-13T00:00:00+07:00");
    let reply = sides.new.post(&format!("/v1/transfers/{id}/accept"), &json!({})).await.expect(422);
    assert_eq!(reply.code(), "rule_not_met");
    sides.old.post(&format!("/v1/transfers/{id}/withdraw"), &json!({})).await.expect(200);
    sides.propose().await;
}

#[actix_web::test]
async fn decline_and_withdraw_leave_everything_as_it_was() {
    let sides = Sides::new().await;
    let before = sides.history().await;
    let id = sides.propose().await;
    let declined =
        sides.new.post(&format!("/v1/transfers/{id}/decline"), &json!({"note": "Hồ sơ thiếu"})).await.expect(200);
    assert_eq!((&declined.body["state"], &declined.body["decision_note"]), (&json!("declined"), &json!("Hồ sơ thiếu")));
    sides.old.post(&format!("/v1/transfers/{id}/withdraw"), &json!({})).await.expect(409);
    sides.world.app.advance(60);
    let id = sides.propose().await;
    let withdrawn = sides.old.request("POST", &format!("/v1/transfers/{id}/withdraw")).send().await.expect(200);
    assert_eq!(withdrawn.body["state"], "withdrawn");
    sides.new.post(&format!("/v1/transfers/{id}/accept"), &json!({})).await.expect(409);
    assert_eq!(sides.history().await, before);
    let list = sides.old.get(&format!("/v1/units/{}/transfers?limit=1", sides.world.cell)).await.expect(200);
    assert_eq!(list.body["items"][0]["state"], "withdrawn");
    let cursor = list.body["next_cursor"].as_str().unwrap();
    let list =
        sides.old.get(&format!("/v1/units/{}/transfers?limit=1&cursor={cursor}", sides.world.cell)).await.expect(200);
    assert_eq!((&list.body["items"][0]["state"], &list.body["next_cursor"]), (&json!("declined"), &json!(null)));
}

#[actix_web::test]
async fn each_side_does_its_own_part() {
    let sides = Sides::new().await;
    let world = &sides.world;
    let id = sides.propose().await;
    let (accept, decline, withdraw) = (
        format!("/v1/transfers/{id}/accept"),
        format!("/v1/transfers/{id}/decline"),
        format!("/v1/transfers/{id}/withdraw"),
    );
    let far = world.officer(world.other_cell, Role::CellSecretary, world.other_cell).await;
    for (actor, to_new, to_old) in [
        (&sides.member, 404, 403),
        (&world.outsider().await, 403, 404),
        (&far, 404, 404),
        (&sides.old, 403, 0),
        (&sides.new, 0, 403),
        (&world.inspector().await, 403, 403),
        (&world.administrator().await, 403, 403),
    ] {
        if to_new > 0 {
            actor.post(&accept, &json!({})).await.expect(to_new);
            actor.post(&decline, &json!({"note": "x"})).await.expect(to_new);
        }
        if to_old > 0 {
            actor.post(&withdraw, &json!({})).await.expect(to_old);
        }
    }
    assert_eq!(count(&world.app, "transfers WHERE state = 'proposed'").await, 1);
    world.committee_officer().await.post(&accept, &json!({})).await.expect(200);
}

#[actix_web::test]
async fn who_may_propose_and_list() {
    let sides = Sides::new().await;
    let world = &sides.world;
    let path = format!("/v1/members/{}/transfers", sides.member.id);
    let list = format!("/v1/units/{}/transfers", world.cell);
    for (actor, status) in [
        (&sides.member, 403),
        (&world.outsider().await, 404),
        (&sides.new, 404),
        (&world.inspector().await, 403),
        (&world.administrator().await, 403),
    ] {
        actor.post(&path, &sides.body()).await.expect(status);
        actor.get(&list).await.expect(status);
    }
    assert_eq!(count(&world.app, "transfers").await, 0);
    let officer = world.committee_officer().await;
    let id = officer.post(&path, &sides.body()).await.expect(201).id();
    // Who proposed does not accept, even with rights on both sides.
    officer.post(&format!("/v1/transfers/{id}/accept"), &json!({})).await.expect(403);
    world.organisation_officer().await.post(&format!("/v1/transfers/{id}/accept"), &json!({})).await.expect(200);
}

#[actix_web::test]
async fn wrong_input_changes_nothing() {
    let sides = Sides::new().await;
    let path = format!("/v1/members/{}/transfers", sides.member.id);
    let before = contents(&sides.world.app).await;
    for (body, status) in [
        (json!({"to_unit_id": sides.world.cell, "reason": "a"}), 422),
        (json!({"to_unit_id": sides.world.ward, "reason": "a"}), 422),
        (json!({"to_unit_id": Uuid::from_u128(7), "reason": "a"}), 404),
        (json!({"to_unit_id": "x", "reason": "a"}), 400),
        (json!({"to_unit_id": sides.world.sibling}), 400),
        (json!({"to_unit_id": sides.world.sibling, "reason": "a", "state": "accepted"}), 400),
    ] {
        sides.old.post(&path, &body).await.expect(status);
    }
    sides.new.post("/v1/transfers/0192f0c1-0000-7000-8000-000000000001/accept", &json!({})).await.expect(404);
    assert_eq!(contents(&sides.world.app).await, before);
}

#[actix_web::test]
async fn of_ten_acceptances_one_counts() {
    let sides = Sides::new().await;
    let accept = format!("/v1/transfers/{}/accept", sides.propose().await);
    let body = json!({});
    let all = (0..10).map(|_| sides.new.post(&accept, &body));
    let mut statuses: Vec<u16> = futures_util::future::join_all(all).await.iter().map(|r| r.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(sides.history().await.as_array().unwrap().len(), 2);
    assert_eq!(count(&sides.world.app, "audit_events WHERE action = 'transfer.accepted'").await, 1);
}

#[actix_web::test]
async fn points_of_the_day_of_a_transfer_stay_with_the_old_cell_and_verify() {
    let sides = Sides::new().await;
    let app = &sides.world.app;
    sides.member.post("/v1/me/visits", &json!({})).await.expect(200);
    let id = sides.propose().await;
    sides.new.post(&format!("/v1/transfers/{id}/accept"), &json!({})).await.expect(200);
    let mut conn = app.state.db.conn().await.unwrap();
    let mut differences = Vec::new();
    let found = sotay::points::verify(&mut conn, |_, lines| differences.extend_from_slice(lines)).await.unwrap();
    assert_eq!(found, 0, "{differences:?}");
    // The month counts whole in the cell of its last day.
    let board = sides.new.get(&format!("/v1/units/{}/points", sides.world.sibling)).await.expect(200);
    let rows = board.body["items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["member"]["id"] == json!(sides.member.id)).unwrap();
    assert_eq!(row["points"], 1);
}
