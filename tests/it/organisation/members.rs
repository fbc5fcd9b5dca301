//! The list of members, profiles and their correction.

use diesel_async::RunQueryDsl;
use serde_json::json;
use sotay::kernel::security::access::Role;
use sotay::kernel::text;

use super::{contents, count, rows};
use crate::support::{Actor, World};

async fn admitted(world: &World, secretary: &Actor) -> String {
    let body = json!({"full_name": "Đỗ Văn Út", "birth_date": "1985-04-03", "sex": "male", "admitted_on": "2010-02-03",
        "official_on": "2011-02-03", "citizen_id": "038185004321", "card_number": "038000008765", "phone": "0909 594 334"});
    let path = format!("/v1/units/{}/members", world.cell);
    secretary.post(&path, &body).await.expect(201).id()
}

#[actix_web::test]
async fn the_list_is_in_vietnamese_order_page_by_page() {
    let world = World::new().await;
    for name in ["Trần Văn Ân", "Lê Thị An", "Đỗ Văn Bách", "Bùi Thị Ánh", "Nguyễn An", "Phan Đức Đạt", "Lý Dũng"]
    {
        world.member_of(world.cell, name).await;
    }
    let inspector = world.inspector().await;
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = inspector.get(&format!("/v1/units/{}/members?limit=2{cursor}", world.cell)).await.expect(200);
        let items = page.body["items"].as_array().unwrap().clone();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|m| m["full_name"].as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(
        found,
        ["Lê Thị An", "Nguyễn An", "Bùi Thị Ánh", "Trần Văn Ân", "Đỗ Văn Bách", "Lý Dũng", "Phan Đức Đạt"]
    );
    for (q, expected) in
        [("dat", 1), ("Đức", 1), ("an", 6), ("%25", 0), ("%", 0), ("!!!", 0), ("%20.", 0), ("%20b%C3%A1ch%20", 1)]
    {
        let page = inspector.get(&format!("/v1/units/{}/members?q={q}", world.cell)).await.expect(200);
        assert_eq!(page.body["items"].as_array().unwrap().len(), expected, "{q}: {}", page.body);
    }
    inspector.get(&format!("/v1/units/{}/members?cursor=bm90", world.cell)).await.expect(400);
}

#[actix_web::test]
async fn the_list_has_standing_and_no_numbers() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let id = admitted(&world, &secretary).await;
    world.excuse(id.parse().unwrap(), "2026-11-01", "2026-12-01").await;
    let list = secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(200);
    let one = list.body["items"].as_array().unwrap().iter().find(|m| m["id"] == id).unwrap();
    assert_eq!((&one["status"], &one["unit_id"]), (&json!("excused"), &json!(world.cell)));
    let text = String::from_utf8(list.bytes.clone()).unwrap();
    for number in ["4321", "8765", "4334", "09095"] {
        assert!(!text.contains(number), "{text}");
    }
    world.app.set_time("2026-12-01T00:00:00+07:00");
    let list = secretary.get(&format!("/v1/units/{}/members?q=ut", world.cell)).await.expect(200);
    assert_eq!(list.body["items"][0]["status"], "official");
}

#[actix_web::test]
async fn who_may_list() {
    let world = World::new().await;
    world.member_of(world.sibling, "Trần Thị Hai").await;
    let cell = format!("/v1/units/{}/members", world.cell);
    let ward = format!("/v1/units/{}/members", world.ward);
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    for (actor, on_cell, on_ward) in [
        (world.member().await, 403, 403),
        (world.outsider().await, 404, 403),
        (sibling, 404, 403),
        (world.secretary().await, 200, 403),
        (world.committee_officer().await, 200, 200),
        (world.organisation_officer().await, 200, 200),
        (world.inspector().await, 200, 200),
        (world.administrator().await, 200, 200),
    ] {
        actor.get(&cell).await.expect(on_cell);
        actor.get(&ward).await.expect(on_ward);
    }
    let officer = world.committee_officer().await;
    let names = officer.get(&format!("{ward}?q=hai")).await.expect(200);
    assert_eq!(names.body["items"][0]["unit_id"], world.sibling.to_string());
}

#[actix_web::test]
async fn a_profile_is_masked_unless_revealed_and_each_look_is_recorded() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let id = admitted(&world, &secretary).await;
    let path = format!("/v1/members/{id}");
    let masked = secretary.get(&path).await.expect(200);
    assert_eq!(masked.body["citizen_id"], "********4321");
    assert_eq!(masked.body["card_number"], "********8765");
    assert_eq!(masked.body["phone"], "******4334");
    let full = secretary.get(&format!("{path}?reveal=true")).await.expect(200);
    assert_eq!(full.body["citizen_id"], "038185004321");
    assert_eq!(full.body["phone"], "0909594334");
    assert_eq!(full.header("cache-control"), "no-store");
    let looks =
        format!("audit_events WHERE action = 'member.viewed' AND member_id = '{id}' AND actor_id = '{}'", secretary.id);
    assert_eq!(count(&world.app, &looks).await, 2);
    assert_eq!(count(&world.app, &format!("{looks} AND details = '{{\"revealed\": true}}'")).await, 1);
    let log = rows(&world.app, "SELECT * FROM audit_events").await;
    assert!(!log.contains("4321") && !log.contains("09095"), "{log}");
    secretary.get("/v1/members/nobody").await.expect(404);
}

#[actix_web::test]
async fn what_superiors_sign_in_with_is_changed_from_above() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let superior = world.officer(world.cell, Role::CommitteeOfficer, world.ward).await;
    let ward = world.organisation_officer().await;
    let province = world.officer(world.other_cell, Role::OrganisationOfficer, world.province).await;
    for (n, (by, whom, status)) in [
        (&secretary, &superior, 403),
        (&ward, &superior, 403),
        (&province, &superior, 200),
        (&secretary, &deputy, 200),
        (&secretary, &secretary, 403),
        (&ward, &secretary, 200),
    ]
    .into_iter()
    .enumerate()
    {
        for change in [json!({"phone": format!("090900000{n}")}), json!({"card_number": format!("03800000000{n}")})] {
            let tag = by.get(&format!("/v1/members/{}", whom.id)).await.expect(200).header("etag").to_owned();
            patch(by, &whom.id.to_string(), &tag, change).await.expect(status);
        }
    }
    let tag = secretary.get(&format!("/v1/members/{}", superior.id)).await.expect(200).header("etag").to_owned();
    patch(&secretary, &superior.id.to_string(), &tag, json!({"full_name": "Trần Văn Tám"})).await.expect(200);
}

#[actix_web::test]
async fn who_may_read_a_profile() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let id = admitted(&world, &secretary).await;
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    for (actor, status) in [
        (world.member().await, 403),
        (world.outsider().await, 404),
        (sibling, 404),
        (world.committee_officer().await, 200),
        (world.organisation_officer().await, 200),
        (world.inspector().await, 200),
        (world.administrator().await, 403),
    ] {
        actor.get(&format!("/v1/members/{id}?reveal=true")).await.expect(status);
        actor.get(&format!("/v1/members/{id}/memberships")).await.expect(status);
    }
    assert_eq!(count(&world.app, "audit_events WHERE action = 'member.viewed'").await, 6);
}

async fn patch(actor: &Actor, id: &str, tag: &str, body: serde_json::Value) -> crate::support::Reply {
    let request = actor.request("PATCH", &format!("/v1/members/{id}"));
    request.header("If-Match", tag).json(&body).send().await
}

#[actix_web::test]
async fn a_correction_keeps_handles_in_step_and_names_only_the_fields() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let id = admitted(&world, &secretary).await;
    let tag = secretary.get(&format!("/v1/members/{id}")).await.header("etag").to_owned();
    let handles = format!("sign_in_handles WHERE account_id = '{id}'");
    let body =
        json!({"full_name": "Đỗ Văn Út Em", "phone": null, "card_number": "038000001111", "without_device": true});
    let done = patch(&secretary, &id, &tag, body).await.expect(200);
    assert_eq!((&done.body["version"], &done.body["phone"]), (&json!(2), &json!(null)));
    assert_eq!(done.body["card_number"], "********1111");
    assert_eq!(count(&world.app, &handles).await, 2);
    let crypto = &world.app.state.crypto;
    let mut conn = world.app.state.db.conn().await.unwrap();
    use sotay::organisation::members::handles::find;
    assert_eq!(find(&mut conn, crypto, "038000001111").await.unwrap()[0].to_string(), id);
    assert!(find(&mut conn, crypto, "038000008765").await.unwrap().is_empty());
    let details = rows(&world.app, "SELECT details FROM audit_events WHERE action = 'member.changed'").await;
    assert_eq!(details, r#"[{"details": {"fields": ["full_name", "phone", "card_number", "without_device"]}}]"#);
    // The old tag is of no more use, and neither is none.
    let stale = patch(&secretary, &id, &tag, json!({"full_name": "Đỗ Văn Khác"})).await;
    assert_eq!((stale.status, stale.code()), (412, "precondition_failed"));
    secretary.patch(&format!("/v1/members/{id}"), &json!({"full_name": "X Y"})).await.expect(400);
    let fresh = secretary.get(&format!("/v1/members/{id}")).await.header("etag").to_owned();
    patch(&secretary, &id, &fresh, json!({"official_on": "2009-01-01"})).await.expect(422);
    patch(&secretary, &id, &fresh, json!({"full_name": null})).await.expect(400);
    patch(&secretary, &id, &fresh, json!({})).await.expect(200);
    assert_eq!(count(&world.app, "audit_events WHERE action = 'member.changed'").await, 1);
}

#[actix_web::test]
async fn of_ten_corrections_of_the_same_state_one_wins() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let id = admitted(&world, &secretary).await;
    let tag = secretary.get(&format!("/v1/members/{id}")).await.header("etag").to_owned();
    let bodies: Vec<_> = (0..10).map(|n| json!({"phone": format!("09110000{n:02}")})).collect();
    let all = bodies.into_iter().map(|body| patch(&secretary, &id, &tag, body));
    let mut statuses: Vec<u16> = futures_util::future::join_all(all).await.iter().map(|r| r.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412, 412, 412]);
}

#[actix_web::test]
async fn who_may_correct_and_nothing_else_slips_in() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let id = admitted(&world, &secretary).await;
    let tag = secretary.get(&format!("/v1/members/{id}")).await.header("etag").to_owned();
    let sibling = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let actors = [
        (world.member().await, 403),
        (world.outsider().await, 404),
        (sibling, 404),
        (world.committee_officer().await, 403),
        (world.inspector().await, 403),
    ];
    let before = contents(&world.app).await;
    for (actor, status) in actors {
        patch(&actor, &id, &tag, json!({"full_name": "Đỗ Văn Khác"})).await.expect(status);
    }
    for extra in [
        json!({"admitted_on": "2009-02-03"}),
        json!({"version": 9}),
        json!({"full_name": "A B", "unit_id": world.sibling}),
    ] {
        patch(&secretary, &id, &tag, extra).await.expect(400);
    }
    assert_eq!(contents(&world.app).await, before);
}

#[actix_web::test]
async fn citizen_id_and_birth_date_are_corrected_with_trace_and_notice() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let id = admitted(&world, &secretary).await;
    let path = format!("/v1/members/{id}");
    let change = async |actor: &Actor, path: &str, body: serde_json::Value| {
        let seen = actor.get(path).await.expect(200);
        actor.request("PATCH", path).header("If-Match", seen.header("etag")).json(&body).send().await
    };
    let right = json!({"citizen_id": "038185009999", "birth_date": "1985-04-04"});
    let done = change(&secretary, &path, right).await.expect(200).body;
    assert_eq!((&done["citizen_id"], &done["birth_date"]), (&json!("********9999"), &json!("1985-04-04")));
    let trace = rows(&world.app, "SELECT details FROM audit_events WHERE action = 'member.changed'").await;
    assert!(trace.contains("citizen_id") && trace.contains("birth_date") && !trace.contains("9999"), "{trace}");
    assert_eq!(count(&world.app, "outbox WHERE topic = 'notify.record_changed'").await, 1);
    for (wrong, status) in [
        (json!({"citizen_id": "12"}), 400),
        (json!({"citizen_id": null}), 400),
        (json!({"birth_date": "2010-01-01"}), 422),
    ] {
        change(&secretary, &path, wrong).await.expect(status);
    }
    let other = world.member().await;
    let taken = json!({"citizen_id": "038185009999"});
    assert_eq!(change(&secretary, &format!("/v1/members/{}", other.id), taken).await.expect(409).code(), "conflict");
}

#[actix_web::test]
async fn nobody_edits_their_own_record_nor_the_proofs_of_a_superior() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let superior = world.officer(world.cell, Role::CommitteeOfficer, world.ward).await;
    let before = contents(&world.app).await.len();
    for (whose, body, code) in [
        (secretary.id, json!({"without_device": true}), "own_interest"),
        (secretary.id, json!({"phone": "0909594334"}), "own_interest"),
        (superior.id, json!({"phone": "0909594334"}), "forbidden"),
        (superior.id, json!({"citizen_id": "038185009999"}), "forbidden"),
    ] {
        let path = format!("/v1/members/{whose}");
        let seen = secretary.get(&path).await.expect(200);
        let tag = seen.header("etag");
        let refused = secretary.request("PATCH", &path).header("If-Match", tag).json(&body).send().await.expect(403);
        assert_eq!(refused.code(), code, "{body}");
    }
    assert_eq!(contents(&world.app).await.len(), before);
    assert_eq!(count(&world.app, "members WHERE without_device OR version > 1").await, 0);
}

#[derive(diesel::QueryableByName)]
struct Folded {
    #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::Text>)]
    folded: Vec<String>,
}

#[actix_web::test]
async fn names_are_folded_in_the_database_as_in_the_program() {
    let world = World::new().await;
    let letters = (' '..='\u{1eff}').filter(|c| text::is_name_character(*c));
    let mut names: Vec<String> = letters.map(|c| format!("A{c}b {c}")).collect();
    names
        .extend(["Đặng  Thị H’Hen Niê", "ÐINH ƉỨC", "Y-Ƀrăm (Ama Thuột)", "Lê Văn A.", " 'Trần'  "].map(str::to_owned));
    names.extend(['`', '´', 'ʹ', 'ʻ', 'ʼ', 'ʽ', 'ˈ', '‘', '’', '‛', '′', 'ꞌ', '‐', '‑'].map(|c| format!("H{c}Hen")));
    let names: Vec<String> = names.iter().map(|name| text::one_line(name)).collect();
    let mut conn = world.app.state.db.conn().await.unwrap();
    let query = "SELECT array_agg(fold_name(name) ORDER BY n) AS folded FROM unnest($1) WITH ORDINALITY AS t(name, n)";
    let query = diesel::sql_query(query).bind::<diesel::sql_types::Array<diesel::sql_types::Text>, _>(&names);
    let found: Folded = query.get_result(&mut *conn).await.unwrap();
    assert_eq!(found.folded, names.iter().map(|name| text::fold(name)).collect::<Vec<_>>());
}
