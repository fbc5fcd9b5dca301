//! Corrections whose proposal or entry was tampered with are named.

use serde_json::json;
use sotay::kernel::security::access::Role;

use super::{after, lines};
use crate::decisions::{ask_role, confirm, read_code};
use crate::support::World;

#[actix_web::test]
async fn a_correction_without_its_decision_is_named() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let proposal = json!({"period": "2026-11", "points": 3, "reason": "Bỏ sót", "evidence": "Biên bản số 11-BB/CB"});
    let path = format!("/v1/members/{}/point-adjustments", member.id);
    let id = secretary.post(&path, &proposal).await.expect(201).id();
    deputy.post(&format!("/v1/point-adjustments/{id}/approval"), &json!({})).await.expect(200);
    assert_eq!(lines(&world).await, Vec::<String>::new());
    let (unproposed, unwritten) = ("no approved proposal says so", "approved, but not in the ledger");
    for (table, damage, named) in [
        ("point_adjustments", "UPDATE point_adjustments SET points = 4", unproposed),
        ("point_adjustments", "UPDATE point_adjustments SET entry_id = gen_random_uuid()", unwritten),
        ("point_adjustments", "DELETE FROM point_adjustments", unproposed),
        ("point_entries", "UPDATE point_entries SET decision_id = gen_random_uuid()", unproposed),
        ("point_entries", "DELETE FROM point_entries", unwritten),
    ] {
        let found = after(&world, table, damage).await;
        assert!(found.iter().any(|line| line.contains(named)), "{damage}: {found:?}");
    }
}

#[actix_web::test]
async fn what_no_second_officer_confirmed_is_named() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let body = json!({"kind": "exempt", "valid_from": "2026-11-01", "reason": "Tuổi cao"});
    let waits = secretary.post(&format!("/v1/members/{}/exemptions", member.id), &body).await;
    crate::support::confirmed(&deputy, waits).await;
    let list = json!({"unit_id": world.cell, "kind": "meeting_attended", "day": "2026-11-05", "subject": "Sinh hoạt",
        "member_ids": [member.id]});
    secretary.post("/v1/attestations", &list).await.expect(201);
    assert_eq!(lines(&world).await, Vec::<String>::new());
    let another = "INSERT INTO exemptions (id, member_id, kind, valid_from, reason, recorded_by, created_at)
        SELECT gen_random_uuid(), member_id, 'excused', valid_from, reason, recorded_by, created_at FROM exemptions";
    for (table, damage, named) in [
        (
            "decisions",
            "UPDATE decisions SET kind = 'role_grant' WHERE kind = 'exemption'",
            "no confirmed decision says so",
        ),
        ("exemptions", another, "no confirmed decision says so"),
        ("exemptions", "UPDATE exemptions SET valid_from = '2026-10-01'", "no confirmed decision says so"),
        ("attestations", "UPDATE attestations SET state = 'expired'", "expired, and its decision waiting"),
    ] {
        let found = after(&world, table, damage).await;
        assert!(found.iter().any(|line| line.contains(named)), "{damage}: {found:?}");
    }
}

#[actix_web::test]
async fn a_role_or_a_slip_without_its_second_officer_is_named() {
    let world = World::new().await;
    let (officer, second) = (world.organisation_officer().await, world.committee_officer().await);
    let member = world.member().await;
    let role = ask_role(&officer, member.id, "cell_secretary", world.cell).await;
    confirm(&second, &role).await.expect(200);
    let path = format!("/v1/members/{}/activation-slips", member.id);
    let slip = officer.post(&path, &json!({})).await.expect(202).body;
    confirm(&second, &slip).await.expect(200);
    read_code(&second, &slip).await.expect(201);
    officer
        .post("/v1/grants", &json!({"member_id": member.id, "role": "minute_taker", "unit_id": world.cell}))
        .await
        .expect(201);
    assert_eq!(lines(&world).await, Vec::<String>::new());
    let undecided = "SET state = 'waiting', decided_by = NULL, decided_at = NULL";
    let alone = "ALTER TABLE decisions DROP CONSTRAINT decisions_two_persons; UPDATE decisions SET";
    for (damage, named) in [
        (format!("UPDATE decisions {undecided} WHERE kind = 'role_grant'"), "grant"),
        (format!("UPDATE decisions {undecided} WHERE kind = 'role_holder_slip'"), "slip"),
        ("UPDATE decisions SET payload = '{\"role\": \"minute_taker\"}' WHERE kind = 'role_grant'".to_owned(), "grant"),
        (format!("{alone} decided_by = proposed_by"), "who may not"),
        (format!("{alone} at_stake = at_stake || decided_by"), "who may not"),
    ] {
        let found = after(&world, "decisions", &damage).await;
        assert!(found.iter().any(|line| line.contains(named)), "{damage}: {found:?}");
    }
}
