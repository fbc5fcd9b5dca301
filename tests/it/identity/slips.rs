//! Activation slips: who may issue one, and what it takes to redeem it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use serde_json::json;
use sotay::kernel::db::schema::{activation_slips, idempotency_keys};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::support::*;
use crate::decisions::{confirm, read_code};
use crate::support::{Actor, Reply, World};

async fn issue(actor: &Actor, member: Uuid) -> Reply {
    let path = format!("/v1/members/{member}/activation-slips");
    actor.post(&path, &json!({})).await
}

#[actix_web::test]
async fn a_slip_activates_an_account_once() {
    let world = World::new().await;
    let (app, secretary) = (&world.app, world.secretary().await);
    let person = person(&world, world.cell).await;
    let slip = issue(&secretary, person.id).await.expect(201);
    assert_eq!(slip.header("cache-control"), "no-store");
    let code = text(&slip.body, "code");
    let typed = code.to_lowercase().replace('-', " ");
    let entered = redeem(app, &typed, &person, BIRTH).await.expect(201);
    let me = get(app, &entered.body, "/v1/me").await.expect(200);
    assert_eq!(me.body["id"], person.id.to_string());
    let again = redeem(app, &code, &person, BIRTH).await.expect(410);
    assert_eq!(again.code(), "slip_invalid");
    sign_in(app, &person.phone, PASSWORD, None).await.expect(201);
    // The program's own loop may have claimed an event that it has not told yet.
    for attempt in 0..50 {
        let told = told(app, &entered.body).await;
        let all = told.contains(&"slip_issued".to_owned()) && told.contains(&"slip_redeemed".to_owned());
        assert!(all || attempt < 49, "{told:?}");
        if all {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!((audited(app, "slip.issued").await, audited(app, "slip.redeemed").await), (1, 1));
}

#[actix_web::test]
async fn twenty_redemptions_at_once_give_one_session() {
    let world = World::new().await;
    let (app, secretary) = (&world.app, world.secretary().await);
    let person = person(&world, world.cell).await;
    let code = text(&issue(&secretary, person.id).await.expect(201).body, "code");
    let replies = join_all((0..20).map(|_| redeem(app, &code, &person, BIRTH))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(201), count(410)), (1, 19));
    assert_eq!(endings(app, person.id).await, [None]);
}

#[actix_web::test]
async fn five_wrong_tries_make_a_slip_void() {
    let world = World::new().await;
    let (app, secretary) = (&world.app, world.secretary().await);
    let (owner, thief) = (person(&world, world.cell).await, person(&world, world.cell).await);
    let code = text(&issue(&secretary, owner.id).await.expect(201).body, "code");
    for _ in 0..2 {
        assert_eq!(redeem(app, &code, &thief, BIRTH).await.code(), "slip_invalid");
        assert_eq!(redeem(app, &code, &owner, "1975-09-03").await.code(), "slip_invalid");
    }
    redeem(app, &code, &thief, BIRTH).await.expect(410);
    redeem(app, &code, &owner, BIRTH).await.expect(410);
    let code = text(&issue(&secretary, owner.id).await.expect(201).body, "code");
    redeem(app, &code, &owner, BIRTH).await.expect(201);
}

#[actix_web::test]
async fn new_slips_and_time_make_older_ones_void() {
    let world = World::new().await;
    let (app, secretary) = (&world.app, world.secretary().await);
    let person = person(&world, world.cell).await;
    let older = text(&issue(&secretary, person.id).await.expect(201).body, "code");
    let newer = text(&issue(&secretary, person.id).await.expect(201).body, "code");
    redeem(app, &older, &person, BIRTH).await.expect(410);
    app.advance(7 * 86_400);
    redeem(app, &newer, &person, BIRTH).await.expect(410);
}

#[actix_web::test]
async fn a_new_slip_ends_what_the_thief_has() {
    let world = World::new().await;
    let (app, secretary, person) = (&world.app, world.secretary().await, active(&world).await);
    let thief = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let code = text(&issue(&secretary, person.id).await.expect(201).body, "code");
    redeem(app, &code, &person, BIRTH).await.expect(201);
    get(app, &thief.body, "/v1/me").await.expect(401);
    refresh(app, &text(&thief.body, "refresh_token")).await.expect(401);
}

#[actix_web::test]
async fn only_the_right_officer_issues_a_slip() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let ward = world.committee_officer().await;
    issue(&secretary, member.id).await.expect(201);
    issue(&ward, member.id).await.expect(201);
    issue(&sibling, member.id).await.expect(404);
    issue(&member, secretary.id).await.expect(403);
    issue(&secretary, secretary.id).await.expect(403);
    // For a holder of a role one officer only asks, and sees no code.
    let asked = issue(&deputy, secretary.id).await.expect(202);
    assert_eq!(asked.body["code"], json!(null));
    issue(&ward, secretary.id).await.expect(409);
    issue(&member, deputy.id).await.expect(403);
    issue(&secretary, Uuid::nil()).await.expect(404);
}

#[actix_web::test]
async fn whoever_holds_a_role_higher_up_is_reset_from_above_it() {
    let world = World::new().await;
    let high = world.officer(world.cell, Role::CommitteeOfficer, world.province).await;
    let ward = world.committee_officer().await;
    let asked = issue(&ward, high.id).await.expect(202).body;
    confirm(&world.organisation_officer().await, &asked).await.expect(403);
    let administrator = world.administrator().await;
    confirm(&administrator, &asked).await.expect(200);
    read_code(&administrator, &asked).await.expect(201);
}

#[actix_web::test]
async fn a_code_is_kept_nowhere() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let path = format!("/v1/members/{}/activation-slips", member.id);
    let request = secretary.request("POST", &path).header("Idempotency-Key", "k1");
    let refused = request.json(&json!({})).send().await.expect(400);
    assert_eq!(refused.body["errors"][0]["pointer"], "Idempotency-Key");
    issue(&secretary, member.id).await.expect(201);
    let mut conn = world.app.state.db.conn().await.unwrap();
    let kept: i64 = idempotency_keys::table.count().get_result(&mut *conn).await.unwrap();
    let slips: i64 = activation_slips::table.count().get_result(&mut *conn).await.unwrap();
    assert_eq!((kept, slips), (0, 1));
    let document = sotay::app::document();
    let operation = document["paths"]["/v1/members/{member_id}/activation-slips"]["post"].to_string();
    assert!(!operation.contains("\"name\":\"Idempotency-Key\"") && !operation.contains("x-secret-call"));
}

#[actix_web::test]
async fn a_slip_does_not_outlive_a_role_given_since() {
    let world = World::new().await;
    let (app, secretary) = (&world.app, world.secretary().await);
    let person = person(&world, world.cell).await;
    let code = text(&issue(&secretary, person.id).await.expect(201).body, "code");
    app.advance(60);
    world.grant(person.id, Role::CommitteeOfficer, Some(world.ward)).await;
    // The secretary, who knows the data of all members, must not become the officer.
    redeem(app, &code, &person, BIRTH).await.expect(410);
    let asked = issue(&secretary, person.id).await.expect(202).body;
    let administrator = world.administrator().await;
    confirm(&administrator, &asked).await.expect(200);
    let code = text(&read_code(&administrator, &asked).await.expect(201).body, "code");
    redeem(app, &code, &person, BIRTH).await.expect(201);
}

#[actix_web::test]
async fn a_role_that_begins_tomorrow_protects_today() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let body = json!({"member_id": member.id, "role": "committee_officer", "unit_id": world.ward,
        "valid_from": "2026-11-21"});
    let asked = world.administrator().await.post("/v1/grants", &body).await.expect(202).body;
    world.app.advance(60);
    confirm(&world.administrator().await, &asked).await.expect(200);
    assert_eq!(issue(&secretary, member.id).await.expect(202).body["kind"], "role_holder_slip");
}
