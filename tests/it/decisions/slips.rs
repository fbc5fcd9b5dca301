//! Slips of role holders: one officer asks, a second one releases and reads the code once.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::db::schema::{activation_slips, idempotency_keys};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::{ask_role, confirm, read_code, withdraw};
use crate::identity::support::{BIRTH, Person, person, redeem, text};
use crate::support::{Actor, Reply, World};

pub async fn ask_slip(actor: &Actor, member: Uuid) -> Reply {
    actor.post(&format!("/v1/members/{member}/activation-slips"), &json!({})).await
}

/// A person of the cell with a role on it.
pub async fn holder(world: &World, role: Role) -> Person {
    let person = person(world, world.cell).await;
    world.grant(person.id, role, Some(world.cell)).await;
    person
}

async fn slips(world: &World) -> i64 {
    let mut conn = world.app.state.db.conn().await.unwrap();
    activation_slips::table.count().get_result(&mut *conn).await.unwrap()
}

#[actix_web::test]
async fn one_officer_asks_a_second_releases_and_reads_the_code_once() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let secretary = holder(&world, Role::CellSecretary).await;

    let asked = ask_slip(&officer, secretary.id).await.expect(202).body;

    assert_eq!((&asked["kind"], &asked["subject_id"]), (&json!("role_holder_slip"), &json!(secretary.id.to_string())));
    read_code(&officer, &asked).await.expect(404);
    read_code(&second, &asked).await.expect(404);
    confirm(&officer, &asked).await.expect(403);
    let confirmed = confirm(&second, &asked).await.expect(200).body;
    assert!(!confirmed.to_string().contains("code"));
    assert_eq!(slips(&world).await, 0);
    read_code(&officer, &asked).await.expect(404);
    read_code(&world.administrator().await, &asked).await.expect(404);
    let keyed = second.request("POST", &format!("/v1/activation-slips/{}/code", text(&asked, "object_id")));
    keyed.header("Idempotency-Key", "k").json(&json!({})).send().await.expect(400);
    let read = read_code(&second, &asked).await.expect(201);
    assert_eq!((read.header("cache-control"), &read.body["id"]), ("no-store", &asked["object_id"]));
    read_code(&second, &asked).await.expect(409);
    redeem(&world.app, &text(&read.body, "code"), &secretary, BIRTH).await.expect(201);
    let mut conn = world.app.state.db.conn().await.unwrap();
    let kept: i64 = idempotency_keys::table.count().get_result(&mut *conn).await.unwrap();
    assert_eq!((kept, slips(&world).await), (0, 1));
}

#[actix_web::test]
async fn who_releases_stands_above_every_role() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let secretary = holder(&world, Role::CellSecretary).await;
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;

    let asked = ask_slip(&deputy, secretary.id).await.expect(202).body;

    // The cell's own officers do not release it, and the one it is for even less.
    let other = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    confirm(&other, &asked).await.expect(403);
    confirm(&world.sign_in(secretary.id).await, &asked).await.expect(403);
    // Since then the secretary has got a role on the ward, which the ward's officers are not above.
    world.grant(secretary.id, Role::Inspector, Some(world.ward)).await;
    confirm(&officer, &asked).await.expect(403);
    let province = world.officer(world.other_cell, Role::OrganisationOfficer, world.province).await;
    confirm(&province, &asked).await.expect(200);
    read_code(&province, &asked).await.expect(201);
}

#[actix_web::test]
async fn a_release_that_a_role_has_overtaken_gives_no_code() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let secretary = holder(&world, Role::CellSecretary).await;
    let asked = ask_slip(&officer, secretary.id).await.expect(202).body;
    confirm(&second, &asked).await.expect(200);

    world.app.advance(60);
    world.grant(secretary.id, Role::CommitteeOfficer, Some(world.ward)).await;

    read_code(&second, &asked).await.expect(403);
    assert_eq!(slips(&world).await, 0);
}

#[actix_web::test]
async fn a_released_slip_has_its_days() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let secretary = holder(&world, Role::CellSecretary).await;
    let asked = ask_slip(&officer, secretary.id).await.expect(202).body;
    confirm(&second, &asked).await.expect(200);

    world.app.advance(7 * 86_400);

    assert_eq!(read_code(&second, &asked).await.expect(410).code(), "decision_expired");
    let again = ask_slip(&officer, secretary.id).await.expect(202).body;
    withdraw(&officer, &again).await.expect(200);
    read_code(&second, &again).await.expect(404);
}

#[actix_web::test]
async fn a_slip_issued_alone_is_void_once_a_role_is_given() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let person = person(&world, world.cell).await;
    let asked = ask_role(&officer, person.id, "cell_secretary", world.cell).await;
    // While the role waits, the member holds none yet.
    let code = text(&ask_slip(&officer, person.id).await.expect(201).body, "code");

    world.app.advance(60);
    confirm(&second, &asked).await.expect(200);

    redeem(&world.app, &code, &person, BIRTH).await.expect(410);
}

#[actix_web::test]
async fn a_slip_issued_alone_opens_no_account_with_a_role_whichever_came_first() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let person = person(&world, world.cell).await;
    let code = text(&ask_slip(&officer, person.id).await.expect(201).body, "code");

    // Given in the same instant, as when the two requests ran at once.
    world.grant(person.id, Role::CellSecretary, Some(world.cell)).await;

    redeem(&world.app, &code, &person, BIRTH).await.expect(410);
}

#[actix_web::test]
async fn the_operator_releases_what_nobody_is_above() {
    let world = World::new().await;
    let administrator = world.administrator().await;
    let person = person(&world, world.cell).await;
    let role = ask_role(&administrator, person.id, "organisation_officer", world.ward).await;
    let release = async |decision: &Value| {
        let id = text(decision, "id").parse().unwrap();
        sotay::cli::release::release(&world.app.state, id).await
    };

    assert_eq!(release(&role).await.unwrap(), "confirmed");
    assert!(release(&role).await.is_err());
    let slip = ask_slip(&administrator, person.id).await.expect(202).body;
    confirm(&administrator, &slip).await.expect(403);
    let printed = release(&slip).await.unwrap();

    let code = printed.lines().next().unwrap().strip_prefix("code: ").unwrap();
    redeem(&world.app, code, &person, BIRTH).await.expect(201);
    let decision = administrator.get(&format!("/v1/decisions/{}", text(&slip, "id"))).await.expect(200).body;
    assert_eq!((&decision["state"], &decision["decided_by"]), (&json!("confirmed"), &json!(null)));
}
