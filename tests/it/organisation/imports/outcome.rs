//! What an import brings about.

use serde_json::{Value, json};

use super::{AN, BINH, XLSX, fixture, import, imported, register, sheet, with};
use crate::organisation::{contents, count, rows};
use crate::support::{World, confirm_waiting};

#[actix_web::test]
async fn officer_imports_the_sample_once_and_again_without_a_difference() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    let before = register(&world.app).await;
    let dry = import(&officer, &world, true, fixture("roster")).await.expect(200);
    assert_eq!(register(&world.app).await, before, "a dry run writes nothing");
    assert_eq!((&dry.body["dry_run"], &dry.body["added"]), (&json!(true), &json!(135)));

    let done = import(&officer, &world, false, fixture("roster")).await.expect(200);
    let body = &done.body;
    assert_eq!(body["as_of"], "2026-11-01");
    assert_eq!(body["unit"]["id"], world.cell.to_string());
    assert_eq!(body["counts"], json!({"members": 135, "official": 134, "probationary": 1, "exempt": 54}));
    assert_eq!(body["positions"], json!({"secretary": 1, "deputy": 1, "committee_members": 3}));
    assert_eq!((&body["added"], &body["granted"]), (&json!(135), &json!(0)));
    assert_eq!(body["proposals"].as_array().unwrap().iter().filter(|p| p["because"] == "second_officer").count(), 5);
    assert_eq!(body["ignored_columns"], json!(["Ghi chú"]));
    let on_day = format!("{} AND valid_from = '2026-11-01' AND valid_to IS NULL", imported(&world));
    assert_eq!(count(&world.app, &on_day).await, 135);
    // Nobody alone takes a member out of the figures.
    assert_eq!((&body["exempted"], &body["exemptions_waiting"]), (&json!(0), &json!(54)));
    assert_eq!(count(&world.app, "exemptions").await, 0);
    let second = world.committee_officer().await;
    assert_eq!(confirm_waiting(&second, world.cell, "exemption").await, 54);
    let exempt = "exemptions WHERE kind = 'exempt' AND valid_from = '2026-11-01' AND valid_to IS NULL";
    assert_eq!(count(&world.app, exempt).await, 54);
    let waiting = officer.get(&format!("/v1/units/{}/decisions?kind=role_grant", world.cell)).await.expect(200).body;
    let ids: Vec<&Value> = waiting["items"].as_array().unwrap().iter().map(|decision| &decision["id"]).collect();
    let path = format!("/v1/units/{}/decisions/confirmations", world.cell);
    world.committee_officer().await.post(&path, &json!({"decision_ids": ids})).await.expect(200);
    let roles = format!(
        "SELECT role, count(*) AS n FROM grants WHERE unit_id = '{}' AND valid_from = '2026-11-20' GROUP BY 1 ORDER BY 1",
        world.cell
    );
    let roles: Value = serde_json::from_str(&rows(&world.app, &roles).await).unwrap();
    assert_eq!(
        roles,
        json!([{"role": "cell_committee_member", "n": 3}, {"role": "cell_secretary", "n": 1}, {"role": "deputy_secretary", "n": 1}])
    );

    let after = contents(&world.app).await;
    let again = import(&officer, &world, false, fixture("roster")).await.expect(200);
    assert_eq!((&again.body["added"], &again.body["changed"]), (&json!(0), &json!([])));
    assert_eq!((&again.body["unchanged"], &again.body["granted"]), (&json!(135), &json!(0)));
    let later = contents(&world.app).await;
    // Only the audit log tells that it was done again; the outbox empties by itself.
    assert_eq!(later[..8], after[..8]);
    assert_eq!(count(&world.app, "audit_events WHERE action = 'roster.imported'").await, 2);
}

#[actix_web::test]
async fn secretary_only_proposes_positions() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let grants = count(&world.app, "grants").await;
    let reply = import(&secretary, &world, false, fixture("roster")).await.expect(200);
    assert_eq!((&reply.body["added"], &reply.body["granted"]), (&json!(135), &json!(0)));
    let proposals = reply.body["proposals"].as_array().unwrap();
    assert_eq!(proposals.len(), 5);
    assert!(proposals.iter().any(|p| p["what"] == "cell_secretary" && p["because"] == "held_by_another"));
    assert!(proposals.iter().any(|p| p["what"] == "deputy_secretary" && p["because"] == "not_allowed"));
    assert_eq!(count(&world.app, "grants").await, grants);
    // The member who is in the cell and not in the sheet stays, and is named.
    assert_eq!(reply.body["missing_from_sheet"][0]["id"], secretary.id.to_string());
    secretary.get("/v1/units").await.expect(200);
}

#[actix_web::test]
async fn changes_are_made_and_named_and_nothing_is_taken_away() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, sheet(&[AN, BINH])).await.expect(200);
    confirm_waiting(&world.committee_officer().await, world.cell, "exemption").await;
    let people = rows(&world.app, "SELECT id, full_name FROM members ORDER BY no DESC LIMIT 2").await;
    let people: Value = serde_json::from_str(&people).unwrap();
    let binh = people.as_array().unwrap().iter().find(|p| p["full_name"] == "Đỗ Thị Bình").unwrap();
    // A shared phone is a handle of both.
    assert_eq!(count(&world.app, "sign_in_handles WHERE kind = 'phone'").await, 2);

    // A new phone and name, recognised by citizen ID; an exemption not marked any more; a card number left empty.
    let changed = with(with(with(with(BINH, 5, "0911222333"), 0, "Đỗ Thị Thanh Bình"), 9, ""), 3, "");
    let reply = import(&officer, &world, false, sheet(&[changed])).await.expect(200);
    assert_eq!(reply.body["changed"], json!([{"sheet": null, "row": 2, "fields": ["full_name", "phone"]}]));
    assert_eq!(reply.body["left_empty"], json!([{"sheet": null, "row": 2, "fields": ["card_number"]}]));
    assert_eq!(reply.body["exempt_unmarked"], json!([2]));
    assert_eq!((&reply.body["missing_total"], &reply.body["added"]), (&json!(1), &json!(0)));
    assert_eq!(count(&world.app, &imported(&world)).await, 2);
    assert_eq!(count(&world.app, "exemptions WHERE valid_to IS NULL").await, 1);
    let name =
        rows(&world.app, &format!("SELECT display_name FROM accounts WHERE id = '{}'", binh["id"].as_str().unwrap()))
            .await;
    assert_eq!(name, r#"[{"display_name": "Đỗ Thị Thanh Bình"}]"#);

    // A new citizen ID, recognised by card number and birthday.
    let renumbered = with(BINH, 4, "038170000009");
    let reply = import(&officer, &world, false, sheet(&[renumbered])).await.expect(200);
    assert_eq!(reply.body["changed"][0]["fields"], json!(["full_name", "citizen_id", "phone"]));
    // The same card with another birthday is not the same person.
    let other = with(with(BINH, 4, "038170000077"), 1, "05/06/1973");
    let reply = import(&officer, &world, false, sheet(&[other])).await.expect(422);
    assert_eq!(reply.body["errors"][0]["code"], "card_number_taken");
}

#[actix_web::test]
async fn a_dry_run_is_the_default_and_a_key_does_not_mix_it_up_with_the_real_thing() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    // Made once: a workbook carries the second in which it was made.
    let file = sheet(&[AN]);
    let keyed = async |query: &str| {
        let path = format!("/v1/imports?unit_id={}{query}", world.cell);
        let request = officer.request("POST", &path).header("Idempotency-Key", "k1");
        request.bytes(XLSX, file.clone()).send().await.expect(200)
    };
    assert_eq!(keyed("").await.body["dry_run"], true);
    assert_eq!(count(&world.app, &imported(&world)).await, 0);
    let done = keyed("&dry_run=false").await;
    let replayed = keyed("&dry_run=false").await;
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    assert_eq!((&done.body["added"], &replayed.body["added"]), (&json!(1), &json!(1)));
    assert_eq!(count(&world.app, &imported(&world)).await, 1);
}

#[actix_web::test]
async fn ten_imports_at_once_add_everybody_once() {
    let world = World::new().await;
    // An account sends one file at a time.
    let mut officers = Vec::new();
    for _ in 0..10 {
        officers.push(world.organisation_officer().await);
    }
    let all = officers.iter().map(|officer| import(officer, &world, false, sheet(&[AN, BINH])));
    let replies = futures_util::future::join_all(all).await;
    let added: i64 = replies.iter().map(|r| r.body["added"].as_i64().expect("200")).sum();
    assert_eq!(added, 2);
    assert_eq!(count(&world.app, &imported(&world)).await, 2);
    assert_eq!(confirm_waiting(&world.committee_officer().await, world.cell, "exemption").await, 1);
    assert_eq!(count(&world.app, "exemptions").await, 1);
}

#[actix_web::test]
async fn the_board_of_an_imported_cell_counts_81_of_135() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, fixture("roster")).await.expect(200);
    let second = world.committee_officer().await;
    let board = second.get(&format!("/v1/units/{}/points?limit=200", world.cell)).await.expect(200).body;
    assert_eq!(board["summary"]["counted"], 135, "what waits changes no figure");
    confirm_waiting(&second, world.cell, "exemption").await;
    let board = second.get(&format!("/v1/units/{}/points?limit=200", world.cell)).await;
    let board = board.expect(200).body;
    let expected = json!({"members": 135, "counted": 81, "exempt": 54, "excused": 0, "met": 0, "rate": 0.0});
    assert_eq!(board["summary"], expected);
    assert_eq!(board["items"].as_array().unwrap().len(), 135);
}
