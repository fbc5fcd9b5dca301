//! One's own devices, signing out, and invalid inputs.

use serde_json::json;

use super::support::*;
use crate::support::World;

#[actix_web::test]
async fn the_eleventh_sign_in_ends_the_oldest() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let mut last = first.body.clone();
    for _ in 0..10 {
        get(app, &first.body, "/v1/me").await.expect(200);
        app.advance(1);
        last = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    }
    get(app, &first.body, "/v1/me").await.expect(401);
    let list = get(app, &last, "/v1/me/sessions?limit=6").await.expect(200);
    let rest = get(app, &last, &format!("/v1/me/sessions?limit=6&cursor={}", text(&list.body, "next_cursor")))
        .await
        .expect(200);
    assert_eq!(list.body["items"][0]["current"], true);
    assert_eq!(list.body["items"].as_array().unwrap().len() + rest.body["items"].as_array().unwrap().len(), 10);
    assert_eq!(endings(app, person.id).await[0].as_deref(), Some("too_many"));
}

#[actix_web::test]
async fn a_device_is_signed_out_by_its_owner_only() {
    let world = World::new().await;
    let (app, person, other) = (&world.app, active(&world).await, world.member().await);
    let phone = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    let tablet = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    let path = format!("/v1/me/sessions/{}", text(&phone, "session_id"));
    other.delete(&path).await.expect(404);
    get(app, &phone, "/v1/me").await.expect(200);
    let delete = |path: &str| app.request("DELETE", path).token(&text(&tablet, "access_token"));
    delete(&path).send().await.expect(204);
    get(app, &phone, "/v1/me").await.expect(401);
    delete(&path).send().await.expect(404);
    let laptop = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201).body;
    delete("/v1/me/sessions").send().await.expect(204);
    get(app, &laptop, "/v1/me").await.expect(401);
    get(app, &tablet, "/v1/me").await.expect(200);
    delete("/v1/auth/sessions/current").send().await.expect(204);
    get(app, &tablet, "/v1/me").await.expect(401);
    refresh(app, &text(&tablet, "refresh_token")).await.expect(401);
}

#[actix_web::test]
async fn what_does_not_fit_the_document_is_refused() {
    let world = World::new().await;
    let app = &world.app;
    let long = "x".repeat(201);
    let cases = [
        json!({"login": "a\u{0}b", "password": "p", "device_name": "d"}),
        json!({"login": "a", "password": long, "device_name": "d"}),
        json!({"login": "a", "password": "p", "device_name": " "}),
        json!({"login": "a", "password": "p", "device_name": long}),
        json!({"login": "a", "password": "p", "device_name": "d", "device_token": "not a token"}),
        json!({"login": "a", "password": "p"}),
    ];
    for case in cases {
        let reply = app.request("POST", "/v1/auth/sessions").json(&case).send().await.expect(400);
        assert_eq!(reply.code(), "invalid_request", "{case}");
    }
}

#[actix_web::test]
async fn an_administrator_signs_in_by_user_name() {
    let world = World::new().await;
    sotay::identity::create_administrator(&world.app.state, "Quantri", "Quản trị", Some(PASSWORD)).await.unwrap();
    let entered = sign_in(&world.app, "quantri", PASSWORD, None).await.expect(201);
    let me = get(&world.app, &entered.body, "/v1/me").await.expect(200);
    assert_eq!((&me.body["kind"], &me.body["cell"]), (&json!("administrator"), &json!(null)));
}
