//! Reorganisations: history, denominators, boards right before and after; permissions; races.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use sotay::organisation::reorganisations::apply_due;
use uuid::Uuid;

use super::{contents, count, rows};
use crate::support::{Actor, World, sum_of_entries};

fn merger(from: &[Uuid], name: &str) -> Value {
    json!({"kind": "merge", "unit_ids": from, "new_unit": {"name": name}, "reason": "Quyết định số 12-QĐ/ĐU"})
}

pub fn into(from: &[Uuid], target: Uuid) -> Value {
    json!({"kind": "merge", "unit_ids": from, "into_unit_id": target, "reason": "Quyết định số 12-QĐ/ĐU"})
}

async fn visit(member: &Actor) {
    member.post("/v1/me/visits", &json!({})).await.expect(200);
}

/// Who is counted on a unit's board of a month.
async fn board(reader: &Actor, unit: Uuid, period: &str) -> Vec<String> {
    let reply = reader.get(&format!("/v1/units/{unit}/points?period={period}")).await.expect(200);
    let mut ids: Vec<String> = reply.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["member"]["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn names(members: &[&Actor]) -> Vec<String> {
    let mut ids: Vec<String> = members.iter().map(|member| member.id.to_string()).collect();
    ids.sort();
    ids
}

async fn cells_of(world: &World, member: &Actor) -> Value {
    let query = format!(
        "SELECT unit_id, valid_from, valid_to, origin FROM memberships WHERE member_id = '{}' ORDER BY valid_from",
        member.id
    );
    serde_json::from_str(&rows(&world.app, &query).await).unwrap()
}

fn of_unit<'a>(effect: &'a Value, unit: &str) -> &'a Value {
    effect["units"].as_array().unwrap().iter().find(|shown| shown["unit_id"] == unit).unwrap()
}

#[actix_web::test]
async fn a_merger_in_mid_month_leaves_the_months_before_as_they_were() {
    let world = World::new().await;
    let (officer, secretary) = (world.committee_officer().await, world.secretary().await);
    let (member, outsider) = (world.member().await, world.outsider().await);
    world.exempt(outsider.id).await;
    world.app.set_time("2026-10-20T09:00:00+07:00");
    visit(&member).await;
    world.app.set_time("2026-11-10T09:00:00+07:00");
    visit(&member).await;

    let before = contents(&world.app).await;
    let order = merger(&[world.cell, world.sibling], "Chi bộ Tổ dân phố số 5 và 6");
    let preview = officer.post("/v1/reorganisations/preview", &order).await.expect(200);
    assert_eq!(contents(&world.app).await, before, "a preview changes nothing");
    assert_eq!(preview.body["ending_roles"][0]["account_id"], json!(secretary.id));

    let made = officer.post("/v1/reorganisations", &order).await.expect(201);
    let (effect, new) = (&made.body["effect"], made.body["new_unit_id"].as_str().unwrap());
    assert_eq!((&effect["members_moved"], &effect["roles_ended"]), (&json!(3), &json!(1)));
    assert_eq!(effect["members_moved"], preview.body["effect"]["members_moved"]);
    let ward = of_unit(effect, &world.ward.to_string());
    assert_eq!(ward["before"], ward["after"], "the ward's denominator stays");
    let merged = of_unit(effect, new);
    assert_eq!((&merged["before"], &merged["after"]["members"]), (&Value::Null, &json!(3)));
    assert_eq!((&merged["after"]["exempt"], &merged["after"]["counted"]), (&json!(1), &json!(2)));
    assert_eq!(of_unit(effect, &world.cell.to_string())["after"], Value::Null);
    let codes: Vec<&Value> = effect["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert_eq!(codes, ["without_secretary"]);

    assert_eq!(
        cells_of(&world, &member).await,
        json!([
            {"unit_id": world.cell, "valid_from": "2025-01-01", "valid_to": "2026-11-10", "origin": "admitted"},
            {"unit_id": new, "valid_from": "2026-11-10", "valid_to": null, "origin": "reorganised"},
        ])
    );
    // October stays with the cells of October, November is whole in the new one.
    assert_eq!(board(&officer, world.cell, "2026-10").await, names(&[&secretary, &member]));
    let new: Uuid = new.parse().unwrap();
    assert_eq!(board(&officer, new, "2026-10").await, Vec::<String>::new());
    assert_eq!(board(&officer, new, "2026-11").await, names(&[&secretary, &member, &outsider]));
    assert_eq!(board(&officer, world.cell, "2026-11").await, Vec::<String>::new());
    assert_eq!(board(&officer, world.ward, "2026-10").await, board(&officer, world.ward, "2026-11").await);
    world.app.set_time("2026-11-11T09:00:00+07:00");
    visit(&member).await;
    assert_eq!(sum_of_entries(&world.app, member.id).await, 3);
    let in_new =
        format!("point_entries WHERE member_id = '{}' AND unit_id = '{new}' AND day = '2026-11-11'", member.id);
    assert_eq!(count(&world.app, &in_new).await, 1);

    // The secretary's role ended with the cell; all who moved are notified, and the officers find it in the audit log.
    secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(404);
    assert_eq!(count(&world.app, "outbox WHERE topic = 'notify.cell_changed'").await, 3);
    assert_eq!(count(&world.app, "outbox WHERE topic = 'notify.roles_ended'").await, 1);
    assert_eq!(world.audit_count("reorganisation.ordered").await, 2);
    let listed = officer.get(&format!("/v1/units/{}/reorganisations", world.ward)).await.expect(200);
    assert_eq!(listed.body["items"][0]["id"], made.id());
}

#[actix_web::test]
async fn a_member_who_was_transferred_in_the_same_month_keeps_every_stretch() {
    let world = World::new().await;
    let (officer, secretary) = (world.committee_officer().await, world.secretary().await);
    let receiving = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let (member, waiting) = (world.member().await, world.member().await);
    let propose = async |who: &Actor, to: Uuid| {
        let body = json!({"to_unit_id": to, "reason": "Chuyển nơi cư trú"});
        secretary.post(&format!("/v1/members/{}/transfers", who.id), &body).await.expect(201).id()
    };
    world.app.set_time("2026-11-05T09:00:00+07:00");
    visit(&member).await;
    let transfer = propose(&member, world.sibling).await;
    receiving.post(&format!("/v1/transfers/{transfer}/accept"), &json!({})).await.expect(200);
    world.app.set_time("2026-11-06T09:00:00+07:00");
    visit(&member).await;
    // One open transfer leads elsewhere, one into the cell it is merged with.
    let elsewhere = propose(&waiting, world.other_cell).await;
    let pointless = propose(&world.member().await, world.sibling).await;
    world.app.set_time("2026-11-12T09:00:00+07:00");
    let done = officer.post("/v1/reorganisations", &into(&[world.cell], world.sibling)).await.expect(201);
    let effect = &done.body["effect"];
    assert_eq!((&effect["transfers_withdrawn"], &effect["transfers_redirected"]), (&json!(1), &json!(1)));
    let state = async |id: &str| {
        let found = rows(&world.app, &format!("SELECT state, from_unit_id FROM transfers WHERE id = '{id}'")).await;
        serde_json::from_str::<Value>(&found).unwrap()[0].clone()
    };
    assert_eq!(state(&pointless).await["state"], "withdrawn");
    assert_eq!(state(&elsewhere).await, json!({"state": "proposed", "from_unit_id": world.sibling}));
    let stretches = cells_of(&world, &member).await;
    assert_eq!(stretches.as_array().unwrap().len(), 2, "the merger did not touch who had left: {stretches}");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 2);
    let board = board(&officer, world.sibling, "2026-11").await;
    assert!(board.contains(&member.id.to_string()) && board.contains(&waiting.id.to_string()));
    // The cell that is gone takes no members in.
    let body = json!({"to_unit_id": world.cell, "reason": "Chuyển nơi cư trú"});
    receiving.post(&format!("/v1/members/{}/transfers", member.id), &body).await.expect(404);
}

#[actix_web::test]
async fn a_split_takes_the_named_members_and_their_roles_only() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let (secretary, member, outsider) = (world.secretary().await, world.member().await, world.outsider().await);
    let minutes = world.officer(world.cell, Role::MinuteTaker, world.cell).await;
    let order = |ids: Vec<Uuid>| {
        json!({"kind": "split", "unit_ids": [world.cell], "new_unit": {"name": "Chi bộ Tổ dân phố số 7"},
            "member_ids": ids, "reason": "Quyết định số 13-QĐ/ĐU"})
    };
    let path = "/v1/reorganisations";
    officer.post(path, &order(vec![outsider.id])).await.expect(422);
    officer.post(path, &order(vec![secretary.id, member.id, minutes.id])).await.expect(422);
    let done = officer.post(path, &order(vec![member.id, minutes.id])).await.expect(201);
    let new: Uuid = done.body["new_unit_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(board(&officer, new, "2026-11").await, names(&[&member, &minutes]));
    assert_eq!(board(&officer, world.cell, "2026-11").await, names(&[&secretary]));
    assert_eq!(board(&officer, world.cell, "2026-10").await, names(&[&secretary, &member, &minutes]));
    secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(200);
    minutes.get(&format!("/v1/units/{}/members", world.cell)).await.expect(404);
    let warned = done.body["effect"]["warnings"].to_string();
    assert!(warned.contains("few_official_members"), "{warned}");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 0);
}

#[actix_web::test]
async fn a_committee_moves_to_another_province_from_its_day_on() {
    let world = World::new().await;
    let administrator = world.administrator().await;
    let province = json!({"name": "Tỉnh ủy Núi Bạc", "kind": "province"});
    let province = administrator.post("/v1/units", &province).await.expect(201).id();
    let member = world.member().await;
    let reader = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let order = json!({"kind": "move", "unit_ids": [world.ward], "parent_id": province, "effective_on": "2026-12-10",
        "reason": "Quyết định số 14-QĐ/TW"});
    let planned = administrator.post("/v1/reorganisations", &order).await.expect(201);
    assert_eq!((&planned.body["state"], &planned.body["effect"]), (&json!("planned"), &Value::Null));
    assert_eq!(apply_due(&world.app.state).await.unwrap(), 0, "its day has not come");
    world.app.set_time("2026-12-10T00:05:00+07:00");
    assert_eq!(apply_due(&world.app.state).await.unwrap(), 1);
    let path = format!("/v1/reorganisations/{}", planned.id());
    let done = administrator.get(&path).await.expect(200);
    assert_eq!((&done.body["state"], &done.body["applied_on"]), (&json!("applied"), &json!("2026-12-10")));
    assert_eq!(of_unit(&done.body["effect"], &province)["after"]["members"], 1);
    // November is still the old province's; December is not.
    assert!(board(&reader, world.province, "2026-11").await.contains(&member.id.to_string()));
    assert!(!board(&reader, world.province, "2026-12").await.contains(&member.id.to_string()));
    reader.get(&format!("/v1/units/{}/members", world.cell)).await.expect(404);
    let above: Value = serde_json::from_str(
        &rows(
            &world.app,
            &format!(
                "SELECT depth FROM unit_tree WHERE ancestor_id = '{province}' AND descendant_id = '{}' AND valid_to IS NULL",
                world.cell
            ),
        )
        .await,
    )
    .unwrap();
    assert_eq!(above, json!([{"depth": 2}]));
    assert_eq!(sum_of_entries(&world.app, member.id).await, 0);
    administrator.post(&format!("{path}/cancel"), &json!({})).await.expect(409);
}

#[actix_web::test]
async fn the_board_of_a_month_before_a_move_shows_the_threshold_of_then() {
    let world = World::new().await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    world.member().await;
    world.threshold(world.other_ward, 40, "2026-11-01").await;
    world.app.set_time("2026-12-10T09:00:00+07:00");
    let order =
        json!({"kind": "move", "unit_ids": [world.cell], "parent_id": world.other_ward, "reason": "Quyết định số 15"});
    officer.post("/v1/reorganisations", &order).await.expect(201);
    for (period, threshold) in [("2026-11", 30), ("2026-12", 40)] {
        let path = format!("/v1/units/{}/points?period={period}", world.cell);
        let board = officer.get(&path).await.expect(200).body;
        let shown = (&board["threshold"], &board["items"][0]["threshold"]);
        assert_eq!(shown, (&json!(threshold), &json!(threshold)), "{period}");
    }
}

#[actix_web::test]
async fn only_whoever_manages_all_the_units_may() {
    let world = World::new().await;
    let order = into(&[world.cell], world.sibling);
    let across = into(&[world.cell], world.other_cell);
    let away = json!({"kind": "move", "unit_ids": [world.ward], "parent_id": world.other_ward, "reason": "thử"});
    let before = contents(&world.app).await.len();
    let officer = world.organisation_officer().await;
    let secretary = world.secretary().await;
    let far = world.officer(world.other_cell, Role::CommitteeOfficer, world.other_ward).await;
    for path in ["/v1/reorganisations/preview", "/v1/reorganisations"] {
        secretary.post(path, &order).await.expect(404);
        far.post(path, &order).await.expect(404);
        // Their own home is there, so they know it.
        officer.post(path, &across).await.expect(403);
        officer.post(path, &away).await.expect(403);
        world.inspector().await.post(path, &order).await.expect(403);
        let mut wrong = order.clone();
        wrong["into_unit_id"] = json!(world.ward);
        officer.post(path, &wrong).await.expect(403);
        wrong["into_unit_id"] = json!(Uuid::nil());
        officer.post(path, &wrong).await.expect(404);
        let mut past = order.clone();
        past["effective_on"] = json!("2026-11-19");
        officer.post(path, &past).await.expect(422);
        let mut surplus = order.clone();
        surplus["member_ids"] = json!([secretary.id]);
        officer.post(path, &surplus).await.expect(422);
    }
    assert_eq!(count(&world.app, "reorganisations").await, 0);
    assert_eq!(before, contents(&world.app).await.len());
    officer.post("/v1/reorganisations", &order).await.expect(201);
}

#[actix_web::test]
async fn of_two_orders_at_once_one_is_carried_out_and_awards_go_on() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let member = world.member().await;
    let path = "/v1/reorganisations";
    let (one, other) = (into(&[world.cell], world.sibling), into(&[world.sibling], world.cell));
    let nothing = json!({});
    let (one, other, visited) =
        tokio::join!(officer.post(path, &one), officer.post(path, &other), member.post("/v1/me/visits", &nothing));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(
        statuses[0] == 201 && statuses[1] >= 400 && statuses[1] < 500,
        "{statuses:?} {:?} {:?}",
        one.body,
        other.body
    );
    assert_eq!(visited.status, 200);
    assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
    assert_eq!(count(&world.app, "memberships WHERE valid_to IS NULL AND unit_id NOT IN (SELECT unit_id FROM unit_links WHERE valid_to IS NULL)").await, 0);
}

#[actix_web::test]
async fn nobody_is_let_into_a_cell_while_it_is_merged() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    world.member().await;
    let person = json!({"full_name": "Nguyễn Văn Bảy", "birth_date": "1990-05-19", "sex": "male",
        "admitted_on": "2026-11-03", "citizen_id": "038090004321"});
    let (admit, order) = (format!("/v1/units/{}/members", world.cell), into(&[world.cell], world.sibling));
    let (admitted, merged) = tokio::join!(officer.post(&admit, &person), officer.post("/v1/reorganisations", &order));
    assert_eq!(merged.status, 201, "{:?}", merged.body);
    assert!([201, 404, 409].contains(&admitted.status), "{:?}", admitted.body);
    let stranded = format!("memberships WHERE unit_id = '{}' AND valid_to IS NULL", world.cell);
    assert_eq!(count(&world.app, &stranded).await, 0);
}

#[actix_web::test]
async fn a_repeated_order_with_its_key_does_nothing_twice_and_documents_follow() {
    let world = World::new().await;
    let (officer, propaganda) = (world.committee_officer().await, world.propaganda_officer().await);
    let member = world.member().await;
    let document = json!({"symbol": "1-KH/ĐU", "kind": "ke_hoach", "title": "Kế hoạch", "text": "Một hai ba."});
    let document = propaganda.post(&format!("/v1/units/{}/documents", world.ward), &document).await.expect(201).id();
    let publication = json!({"unit_ids": [world.cell], "attests_no_state_secrets": true});
    propaganda.post(&format!("/v1/documents/{document}/publish"), &publication).await.expect(200);
    let order = into(&[world.cell], world.sibling);
    let send = async || {
        let request = officer.request("POST", "/v1/reorganisations").header("Idempotency-Key", "merge-1");
        request.json(&order).send().await.expect(201).id()
    };
    let first = send().await;
    assert_eq!(send().await, first);
    officer.post("/v1/reorganisations", &order).await.expect(404);
    assert_eq!(count(&world.app, "reorganisations").await, 1);
    let targets = format!("document_targets WHERE document_id = '{document}' AND unit_id = '{}'", world.sibling);
    for _ in 0..50 {
        sotay::jobs::deliver(&world.app.state).await.unwrap();
        if count(&world.app, &targets).await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    member.get(&format!("/v1/documents/{document}")).await.expect(200);
}

#[actix_web::test]
async fn committees_are_merged_with_the_cells_below_and_one_keeps_its_officers() {
    let world = World::new().await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let ward_officer = world.officer(world.cell, Role::CommitteeOfficer, world.ward).await;
    let far_officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.other_ward).await;
    let mut order = merger(&[world.ward, world.other_ward], "Đảng bộ phường Bình Minh Hoàng Hôn");
    order["keep_roles_of"] = json!(world.ward);
    let done = officer.post("/v1/reorganisations", &order).await.expect(201);
    let effect = &done.body["effect"];
    assert_eq!(
        (&effect["members_moved"], &effect["roles_kept"], &effect["roles_ended"]),
        (&json!(0), &json!(1), &json!(2))
    );
    let new = done.body["new_unit_id"].as_str().unwrap();
    for cell in [world.cell, world.sibling, world.other_cell] {
        ward_officer.get(&format!("/v1/units/{cell}/members")).await.expect(200);
        let refused = far_officer.get(&format!("/v1/units/{cell}/members")).await;
        assert!([403, 404].contains(&refused.status));
    }
    assert_eq!(board(&officer, new.parse().unwrap(), "2026-11").await.len(), 3);
    assert_eq!(board(&officer, world.other_ward, "2026-10").await.len(), 2);
    assert_eq!(sum_of_entries(&world.app, officer.id).await, 0);
    // What was reorganised today is not reorganised again today.
    let again = json!({"kind": "move", "unit_ids": [world.cell], "parent_id": world.province, "reason": "thử"});
    officer.post("/v1/reorganisations", &again).await.expect(422);
}
