//! The signed-in person: profile, choices, password, notifications, access log; and the audit log.

use serde_json::json;

use super::support::*;
use crate::support::World;

#[actix_web::test]
async fn a_person_sees_and_changes_their_own_choices() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let me = secretary.get("/v1/me").await.expect(200);
    assert_eq!(me.body["cell"], json!({"id": world.cell.to_string(), "name": "Chi bộ Tổ dân phố số 5"}));
    assert_eq!(me.body["roles"], json!([{"role": "cell_secretary", "unit_id": world.cell.to_string()}]));
    assert_eq!(me.body["named_on_leaderboards"], false);
    let changed = secretary.patch("/v1/me", &json!({"named_on_leaderboards": true})).await.expect(200);
    assert_eq!(changed.body["named_on_leaderboards"], true);
    let administrator = world.administrator().await;
    administrator.patch("/v1/me", &json!({"named_on_leaderboards": true})).await.expect(403);
}

#[actix_web::test]
async fn a_new_password_signs_other_devices_out() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let phone = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    let tablet = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let request = app.request("POST", "/v1/me/password").token(&text(&phone, "access_token"));
        request.json(&body).send().await
    };
    assert_eq!(change("sai", "mùa xuân năm nay").await.code(), "invalid_credentials");
    assert_eq!(change(PASSWORD, "12345678").await.code(), "rule_not_met");
    change(PASSWORD, "mùa xuân năm nay").await.expect(204);
    get(app, &phone, "/v1/me").await.expect(200);
    get(app, &tablet, "/v1/me").await.expect(401);
    sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(401);
    sign_in(app, &person.citizen_id, "mùa xuân năm nay", None).await.expect(201);
    assert_eq!(audited(app, "password.changed").await, 1);
    assert!(told(app, &phone).await.contains(&"password_changed".to_owned()));
    for _ in 0..10 {
        change("sai", "mùa hạ năm kia").await.expect(401);
    }
    change("mùa xuân năm nay", "mùa hạ năm kia").await.expect(429);
}

#[actix_web::test]
async fn notifications_are_told_in_the_language_asked_for_and_read_by_their_owner() {
    let world = World::new().await;
    let (app, person, other) = (&world.app, active(&world).await, world.member().await);
    let tokens = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    assert_eq!(told(app, &tokens).await, ["new_device"]);
    let list = app.request("GET", "/v1/me/notifications").token(&text(&tokens, "access_token"));
    let list = list.header("Accept-Language", "en").send().await.expect(200);
    let item = &list.body["items"][0];
    assert_eq!(item["title"], "Your account was signed in on a new device");
    assert_eq!(item["device_name"], "Máy thử");
    let path = format!("/v1/me/notifications/{}/read", text(item, "id"));
    other.post(&path, &json!({})).await.expect(404);
    let unread = get(app, &tokens, "/v1/me").await.expect(200);
    assert_eq!(unread.body["unread_notifications"], 1);
    let read = app.request("POST", &path).token(&text(&tokens, "access_token"));
    read.json(&json!({})).send().await.expect(200);
    let unread = get(app, &tokens, "/v1/me").await.expect(200);
    assert_eq!(unread.body["unread_notifications"], 0);
}

#[actix_web::test]
async fn a_member_sees_who_touched_their_record() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let path = format!("/v1/members/{}/activation-slips", member.id);
    secretary.post(&path, &json!({})).await.expect(201);
    let log = member.get("/v1/me/access-log").await.expect(200);
    let item = &log.body["items"][0];
    assert_eq!((&item["action"], &item["by_myself"]), (&json!("slip.issued"), &json!(false)));
    assert_eq!(item["actor_roles"], json!([{"role": "cell_secretary", "unit_name": "Chi bộ Tổ dân phố số 5"}]));
    let other = world.outsider().await.get("/v1/me/access-log").await.expect(200);
    assert_eq!(other.body["items"], json!([]));
}

#[actix_web::test]
async fn inspectors_read_the_audit_log_of_their_units() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let slip = format!("/v1/members/{}/activation-slips", member.id);
    secretary.post(&slip, &json!({})).await.expect(201);
    let inspector = world.inspector().await;
    let path = format!("/v1/audit-events?action=slip.issued&unit_id={}", world.ward);
    let found = inspector.get(&path).await.expect(200);
    assert_eq!(found.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(found.body["items"][0]["actor_id"], secretary.id.to_string());
    assert_eq!(audited(&world.app, "audit.read").await, 1);
    inspector.get("/v1/audit-events").await.expect(403);
    secretary.get(&path).await.expect(403);
    let elsewhere = format!("/v1/audit-events?unit_id={}", world.other_ward);
    inspector.get(&elsewhere).await.expect(403);
    secretary.get(&elsewhere).await.expect(404);
    let everything = world.administrator().await.get("/v1/audit-events?action=slip.issued").await.expect(200);
    assert_eq!(everything.body["items"].as_array().unwrap().len(), 1);
}
