//! R5: who signs in with a record is told when a list changes it, and no secretary locks out a superior with one.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{AN, BINH, import, sheet, with};
use crate::organisation::rows;
use crate::support::{Actor, World};

async fn find(world: &World, name: &str) -> Actor {
    let found = rows(&world.app, &format!("SELECT id FROM members WHERE full_name = '{name}'")).await;
    let found: Value = serde_json::from_str(&found).unwrap();
    world.sign_in(found[0]["id"].as_str().unwrap().parse().unwrap()).await
}

#[actix_web::test]
async fn r5_a_member_finds_and_is_told_what_a_list_changed() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, sheet(&[AN, BINH])).await.expect(200);
    let (an, binh) = (find(&world, AN[0]).await, find(&world, BINH[0]).await);
    let changed = with(with(with(AN, 0, "Đỗ Văn Ân"), 1, "02/02/1970"), 7, "03/02/1997");
    import(&officer, &world, false, sheet(&[changed, with(BINH, 7, "03/02/2001")])).await.expect(200);
    while sotay::jobs::deliver(&world.app.state).await.unwrap() > 0 {}
    let log = an.get("/v1/me/access-log").await.expect(200);
    assert_eq!(log.body["items"][0]["action"], "member.changed");
    // The program's own loop may have claimed an event that it has not told yet.
    for attempt in 0..50 {
        let told = an.get("/v1/me/notifications").await.expect(200).body;
        let all = told["items"].as_array().unwrap().iter().any(|item| item["kind"] == "record_changed");
        assert!(all || attempt < 49, "{told}");
        if all {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // What nobody signs in with is in the log only.
    assert_eq!(binh.get("/v1/me/access-log").await.expect(200).body["items"][0]["action"], "member.changed");
    let told = binh.get("/v1/me/notifications").await.expect(200).body;
    let kinds: Vec<&Value> = told["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert!(!kinds.contains(&&json!("record_changed")), "{told}");
}

#[actix_web::test]
async fn r5_a_secretary_changes_no_record_of_a_superior_with_a_list() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, sheet(&[AN, BINH])).await.expect(200);
    let an = find(&world, AN[0]).await;
    world.grant(an.id, Role::CommitteeOfficer, Some(world.ward)).await;
    let secretary = world.secretary().await;
    let changed = sheet(&[with(with(AN, 0, "Đỗ Văn Ân"), 1, "02/02/1970"), with(BINH, 0, "Đỗ Thị Bích")]);
    let query = rows(&world.app, "SELECT full_name, birth_date FROM members ORDER BY no").await;
    let dry = import(&secretary, &world, true, changed.clone()).await.expect(200);
    assert_eq!(dry.body["rows"]["items"][0]["full_name"], AN[0]);
    let reply = import(&secretary, &world, false, changed.clone()).await.expect(200);
    assert_eq!(
        reply.body["proposals"],
        json!([
            {"sheet": null, "row": 2, "what": "full_name", "because": "superior"},
            {"sheet": null, "row": 2, "what": "birth_date", "because": "superior"}])
    );
    assert_eq!(reply.body["changed"], json!([{"sheet": null, "row": 3, "fields": ["full_name"]}]));
    let after = rows(&world.app, "SELECT full_name, birth_date FROM members ORDER BY no").await;
    assert_eq!(after, query.replace("Đỗ Thị Bình", "Đỗ Thị Bích"));
    // The ward's officer is not above the ward either; the province's is.
    let again = import(&officer, &world, false, changed.clone()).await.expect(200);
    assert_eq!(again.body["proposals"].as_array().unwrap().len(), 2);
    let above = world.officer(world.other_cell, Role::OrganisationOfficer, world.province).await;
    let done = import(&above, &world, false, changed).await.expect(200);
    assert_eq!((&done.body["proposals"], &done.body["changed_total"]), (&json!([]), &json!(1)));
}

#[actix_web::test]
async fn r5_nobody_changes_their_own_record_with_a_list() {
    let world = World::new().await;
    let officer = world.organisation_officer().await;
    import(&officer, &world, false, sheet(&[AN])).await.expect(200);
    let an = find(&world, AN[0]).await;
    world.grant(an.id, Role::OrganisationOfficer, Some(world.ward)).await;
    let reply = import(&an, &world, false, sheet(&[with(AN, 1, "02/02/1971")])).await.expect(200);
    assert_eq!(
        reply.body["proposals"][0],
        json!({"sheet": null, "row": 2, "what": "birth_date", "because": "own_record"})
    );
    assert_eq!(reply.body["changed_total"], 0);
}
