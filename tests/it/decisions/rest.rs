//! What a slip that one officer issued alone does to the right to decide.

use serde_json::json;
use sotay::kernel::security::access::Role;

use super::slips::ask_slip;
use super::{ask_role, confirm, read_code, refuse};
use crate::identity::support::{BIRTH, Person, person, redeem, text};
use crate::support::{Actor, World};

/// Redeems a slip that one officer issues alone.
async fn alone(world: &World, issuer: &Actor, person: &Person) -> Actor {
    let code = text(&ask_slip(issuer, person.id).await.expect(201).body, "code");
    redeem(&world.app, &code, person, BIRTH).await.expect(201);
    world.sign_in(person.id).await
}

#[actix_web::test]
async fn decisions_rest_for_72_hours_after_a_lone_slip() {
    let world = World::new().await;
    let (officer, issuer) = (world.organisation_officer().await, world.secretary().await);
    let person = person(&world, world.cell).await;
    let fresh = alone(&world, &issuer, &person).await;
    world.grant(fresh.id, Role::CommitteeOfficer, Some(world.ward)).await;
    let asked = ask_role(&officer, world.member().await.id, "deputy_secretary", world.cell).await;

    let grant = |role: &str, member| json!({"member_id": member, "role": role, "unit_id": world.cell});
    let member = world.member().await;
    assert_eq!(confirm(&fresh, &asked).await.expect(403).code(), "decisions_rest");
    assert_eq!(refuse(&fresh, &asked).await.expect(403).code(), "decisions_rest");
    for role in ["deputy_secretary", "minute_taker"] {
        let refused = fresh.post("/v1/grants", &grant(role, member.id)).await.expect(403);
        assert_eq!(refused.code(), "decisions_rest");
    }
    assert_eq!(ask_slip(&fresh, issuer.id).await.expect(403).code(), "decisions_rest");
    // Reading, and what one officer does alone for members, do not rest.
    fresh.get(&format!("/v1/units/{}/decisions", world.ward)).await.expect(200);
    ask_slip(&fresh, member.id).await.expect(201);
    world.app.advance(72 * 3600 - 1);
    confirm(&fresh, &asked).await.expect(403);
    world.app.advance(1);
    confirm(&fresh, &asked).await.expect(200);
}

#[actix_web::test]
async fn a_released_slip_brings_no_rest() {
    let world = World::new().await;
    let (officer, issuer) = (world.organisation_officer().await, world.secretary().await);
    let person = person(&world, world.other_cell).await;
    let province = world.officer(world.other_cell, Role::OrganisationOfficer, world.province).await;
    // First a lone one, which would bring rest; what counts is the last.
    alone(&world, &province, &person).await;
    world.app.advance(60);
    world.grant(person.id, Role::CommitteeOfficer, Some(world.ward)).await;
    let asked = ask_slip(&province, person.id).await.expect(202).body;
    let administrator = world.administrator().await;
    confirm(&administrator, &asked).await.expect(200);
    let code = text(&read_code(&administrator, &asked).await.expect(201).body, "code");
    redeem(&world.app, &code, &person, BIRTH).await.expect(201);
    let fresh = world.sign_in(person.id).await;

    let role = ask_role(&officer, issuer.id, "cell_committee_member", world.cell).await;

    confirm(&fresh, &role).await.expect(200);
}

/// Lets the rest pass.
fn rested(world: &World) {
    world.app.advance(73 * 3600);
}

#[actix_web::test]
async fn who_issued_the_slip_alone_and_who_redeemed_it_are_not_the_two() {
    let world = World::new().await;
    let (officer, deputy) =
        (world.organisation_officer().await, world.officer(world.cell, Role::DeputySecretary, world.cell).await);
    let own = alone(&world, &officer, &person(&world, world.cell).await).await;
    let other = alone(&world, &deputy, &person(&world, world.cell).await).await;
    for account in [&own, &other] {
        world.grant(account.id, Role::CommitteeOfficer, Some(world.ward)).await;
    }
    rested(&world);

    let asked = ask_role(&officer, world.member().await.id, "deputy_secretary", world.cell).await;
    let reverse = ask_role(&own, world.member().await.id, "deputy_secretary", world.cell).await;

    assert_eq!(confirm(&own, &asked).await.expect(403).code(), "second_officer_required");
    assert_eq!(confirm(&officer, &reverse).await.expect(403).code(), "second_officer_required");
    confirm(&other, &asked).await.expect(200);
    confirm(&other, &reverse).await.expect(200);
}

#[actix_web::test]
async fn two_whose_slips_one_person_issued_alone_are_not_the_two() {
    let world = World::new().await;
    let (issuer, other) = (world.secretary().await, world.committee_officer().await);
    let one = alone(&world, &issuer, &person(&world, world.cell).await).await;
    let two = alone(&world, &issuer, &person(&world, world.cell).await).await;
    // And further along: whose slip one of them issued alone, whom the issuer holds in hand.
    world.grant(two.id, Role::DeputySecretary, Some(world.cell)).await;
    rested(&world);
    let three = alone(&world, &two, &person(&world, world.cell).await).await;
    rested(&world);
    for officer in [&one, &two, &three] {
        world.grant(officer.id, Role::OrganisationOfficer, Some(world.ward)).await;
    }

    let asked = ask_role(&one, world.member().await.id, "cell_committee_member", world.cell).await;

    for prisoner in [&two, &three] {
        assert_eq!(confirm(prisoner, &asked).await.expect(403).code(), "second_officer_required");
    }
    confirm(&other, &asked).await.expect(200);
}

#[actix_web::test]
async fn a_later_released_slip_does_not_whitewash_what_was_proposed_before() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let captured_person = person(&world, world.cell).await;
    let captured = alone(&world, &officer, &captured_person).await;
    world.grant(captured.id, Role::CommitteeOfficer, Some(world.ward)).await;
    rested(&world);
    // The officer, in the captured account, proposes; then its owner gets it back.
    let asked = ask_role(&captured, world.member().await.id, "deputy_secretary", world.cell).await;
    let administrator = world.administrator().await;
    world.app.advance(60);
    let slip = ask_slip(&second, captured.id).await.expect(202).body;
    confirm(&administrator, &slip).await.expect(200);
    let code = text(&read_code(&administrator, &slip).await.expect(201).body, "code");
    redeem(&world.app, &code, &captured_person, BIRTH).await.expect(201);

    assert_eq!(confirm(&officer, &asked).await.expect(403).code(), "second_officer_required");
    // What the owner proposes from now on is the owner's word.
    let owner = world.sign_in(captured.id).await;
    let own = ask_role(&owner, world.member().await.id, "deputy_secretary", world.cell).await;
    confirm(&officer, &own).await.expect(200);
}

#[actix_web::test]
async fn who_was_captured_hands_nobody_on_in_the_same_instant() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let captured = alone(&world, &officer, &person(&world, world.cell).await).await;
    world.grant(captured.id, Role::CommitteeOfficer, Some(world.ward)).await;
    let next = alone(&world, &captured, &person(&world, world.cell).await).await;
    world.grant(next.id, Role::CommitteeOfficer, Some(world.ward)).await;
    rested(&world);

    let asked = ask_role(&officer, world.member().await.id, "deputy_secretary", world.cell).await;

    assert_eq!(confirm(&next, &asked).await.expect(403).code(), "second_officer_required");
}
