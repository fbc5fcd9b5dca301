//! What an import refuses, and from whom.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{AN, BINH, XLSX, fixture, import, register, send, sheet, with};
use crate::organisation::{count, rows};
use crate::support::World;

#[actix_web::test]
async fn a_faulty_roster_is_refused_with_every_fault() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let before = register(&world.app).await;
    let reply = import(&officer, &world, false, fixture("roster-faulty")).await.expect(422);
    assert_eq!(reply.code(), "roster_faulty");
    let errors = reply.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 14);
    assert_eq!(errors[3]["pointer"], "row 5, column \"Số CCCD\"");
    assert_eq!(errors[3]["code"], "citizen_id_invalid");
    let detail = errors[3]["detail"].as_str().unwrap();
    assert!(detail.starts_with("Dòng 5, cột \"Số CCCD\": số CCCD phải có đúng 12 chữ số"), "{detail}");
    assert_eq!(register(&world.app).await, before);
}

#[actix_web::test]
async fn who_may_import() {
    let world = World::new().await;
    let file = || sheet(&[AN]);
    let before = count(&world.app, "members").await;
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    for (actor, status) in [
        (world.member().await, 403),
        (world.outsider().await, 404),
        (sibling, 404),
        (world.committee_officer().await, 403),
        (world.inspector().await, 403),
        (world.propaganda_officer().await, 403),
    ] {
        import(&actor, &world, false, file()).await.expect(status);
    }
    let anonymous = world.app.request("POST", &format!("/v1/imports?unit_id={}", world.cell));
    assert_eq!(anonymous.bytes(XLSX, file()).send().await.status, 401);
    assert_eq!(count(&world.app, "members").await, before + 6);
    for actor in [world.secretary().await, world.administrator().await] {
        import(&actor, &world, true, file()).await.expect(200);
    }
}

#[actix_web::test]
async fn officer_cannot_import_a_second_secretary() {
    let world = World::new().await;
    world.secretary().await;
    let officer = world.organisation_officer().await;
    let file = sheet(&[AN, with(BINH, 8, "Bí thư")]);
    let before = register(&world.app).await;
    let reply = import(&officer, &world, false, file).await.expect(422);
    assert_eq!(reply.body["errors"][0]["code"], "secretary_conflict");
    assert_eq!(reply.body["errors"][0]["pointer"], "row 3, column \"Chức vụ\"");
    let two = sheet(&[with(AN, 8, "Bí thư"), with(BINH, 8, "Bí thư")]);
    let reply = import(&officer, &world, false, two).await.expect(422);
    assert_eq!(reply.body["errors"].as_array().unwrap().len(), 2);
    assert_eq!(register(&world.app).await, before);
}

#[actix_web::test]
async fn a_member_of_another_cell_needs_a_transfer() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let elsewhere = format!("unit_id={}&dry_run=false", world.sibling);
    send(&officer, &elsewhere, sheet(&[AN])).await.expect(200);
    let before = register(&world.app).await;
    let secretary = world.officer(world.cell, Role::CellSecretary, world.cell).await;
    let members = count(&world.app, "members").await;
    for file in [sheet(&[BINH, AN]), sheet(&[BINH, with(AN, 4, "038170000099")])] {
        let reply = import(&secretary, &world, false, file).await.expect(422);
        let errors = reply.body["errors"].as_array().unwrap();
        assert_eq!((errors.len(), &errors[0]["code"]), (1, &json!("member_of_another_cell")));
        let text = String::from_utf8(reply.bytes).unwrap();
        assert!(!text.contains("Đỗ Văn An") && !text.contains("03817") && !text.contains("số 6"), "{text}");
    }
    assert_eq!(count(&world.app, "members").await, members);
    assert_eq!(register(&world.app).await[2].matches("imported").count(), before[2].matches("imported").count());
}

#[actix_web::test]
async fn files_that_are_no_rosters_are_refused() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let before = register(&world.app).await;
    let reply = import(&officer, &world, false, b"PK nothing".to_vec()).await.expect(422);
    assert_eq!(reply.code(), "file_unreadable");
    let reply = import(&officer, &world, false, vec![0; (20 << 20) + 1]).await.expect(413);
    assert_eq!(reply.code(), "too_large");
    let path = format!("/v1/imports?unit_id={}", world.cell);
    let csv = officer.request("POST", &path).bytes("text/csv", "a,b").send().await;
    assert_eq!((csv.status, csv.code()), (415, "unsupported_media_type"));
    send(&officer, "dry_run=false", sheet(&[AN])).await.expect(400);
    send(&officer, &format!("unit_id={}&force=true", world.cell), sheet(&[AN])).await.expect(400);
    let ward = format!("unit_id={}", world.ward);
    let reply = send(&officer, &ward, sheet(&[AN])).await.expect(422);
    assert_eq!(reply.code(), "rule_not_met");
    assert_eq!(register(&world.app).await, before);
}

#[actix_web::test]
async fn nobody_exempts_or_promotes_themselves_with_a_sheet() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, sheet(&[AN])).await.expect(200);
    let id = rows(&world.app, "SELECT id FROM members WHERE full_name = 'Đỗ Văn An'").await;
    let id: Value = serde_json::from_str(&id).unwrap();
    let id = id[0]["id"].as_str().unwrap().parse().unwrap();
    world.grant(id, Role::OrganisationOfficer, Some(world.ward)).await;
    let an = world.sign_in(id).await;
    let file = sheet(&[with(with(AN, 8, "Bí thư"), 9, "x")]);
    let reply = import(&an, &world, false, file).await.expect(200);
    assert_eq!(
        reply.body["proposals"],
        json!([
        {"sheet": null, "row": 2, "what": "exempt", "because": "own_record"},
        {"sheet": null, "row": 2, "what": "cell_secretary", "because": "own_record"}])
    );
    assert_eq!(count(&world.app, "exemptions").await, 0);
    assert_eq!(count(&world.app, "grants WHERE role = 'cell_secretary'").await, 0);
}

#[actix_web::test]
async fn many_uploads_at_once_take_turns() {
    let world = World::new().await;
    let mut officers = Vec::new();
    for _ in 0..8 {
        officers.push(world.organisation_officer().await);
    }
    let all = (0..40).map(|n| import(&officers[n % 8], &world, true, fixture("roster-faulty")));
    for reply in futures_util::future::join_all(all).await {
        // 429: the account is sending another file.
        assert!(matches!(reply.status, 422 | 429 | 503), "{}", reply.status);
    }
    import(&officers[0], &world, true, fixture("roster")).await.expect(200);
}
