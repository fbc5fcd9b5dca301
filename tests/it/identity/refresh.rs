//! Refreshing: one successor, a grace for lost answers, the end for thieves; keys that rotate.

use futures_util::future::join_all;

use super::support::*;
use crate::support::{TestApp, World};

#[actix_web::test]
async fn a_refresh_buys_new_tokens_once() {
    let world = World::new().await;
    let person = active(&world).await;
    let app = &world.app;
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    assert_eq!(first.header("cache-control"), "no-store");
    let next = refresh(app, &text(&first.body, "refresh_token")).await.expect(200);
    assert_eq!(next.header("cache-control"), "no-store");
    assert_ne!(next.body["refresh_token"], first.body["refresh_token"]);
    assert_eq!(next.body["device_token"], first.body["device_token"]);
    assert_eq!(next.body["session_id"], first.body["session_id"]);
    get(app, &next.body, "/v1/me").await.expect(200);
    assert_eq!(refresh(app, "AAAA").await.code(), "refresh_token_invalid");
}

#[actix_web::test]
async fn twenty_refreshes_at_once_give_one_successor() {
    let world = World::new().await;
    let person = active(&world).await;
    let first = sign_in(&world.app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let token = text(&first.body, "refresh_token");
    let replies = join_all((0..20).map(|_| refresh(&world.app, &token))).await;
    let mut next: Vec<String> =
        replies.into_iter().map(|reply| text(&reply.expect(200).body, "refresh_token")).collect();
    next.dedup();
    assert_eq!(next.len(), 1);
    refresh(&world.app, &next[0]).await.expect(200);
}

#[actix_web::test]
async fn a_stolen_refresh_token_ends_the_session() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let stolen = text(&first.body, "refresh_token");
    let next = refresh(app, &stolen).await.expect(200);
    app.advance(30);
    let again = refresh(app, &stolen).await.expect(200);
    assert_eq!(again.body["refresh_token"], next.body["refresh_token"]);
    app.advance(1);
    let refused = refresh(app, &stolen).await.expect(401);
    assert_eq!(refused.code(), "refresh_token_invalid");
    let successor = text(&next.body, "refresh_token");
    refresh(app, &successor).await.expect(401);
    get(app, &next.body, "/v1/me").await.expect(401);
    assert_eq!(endings(app, person.id).await, [Some("reuse".to_owned())]);
    assert_eq!(audited(app, "session.reuse_detected").await, 1);
    let back = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    assert!(told(app, &back.body).await.contains(&"sessions_revoked".to_owned()));
}

#[actix_web::test]
async fn a_token_two_generations_old_ends_the_session_at_once() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let oldest = text(&first.body, "refresh_token");
    let second = refresh(app, &oldest).await.expect(200);
    refresh(app, &text(&second.body, "refresh_token")).await.expect(200);
    refresh(app, &oldest).await.expect(401);
    assert_eq!(endings(app, person.id).await, [Some("reuse".to_owned())]);
}

#[actix_web::test]
async fn a_thief_who_repeats_every_rotation_is_noticed_at_the_second() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let oldest = text(&first.body, "refresh_token");
    let second = text(&refresh(app, &oldest).await.expect(200).body, "refresh_token");
    // As often as one likes within the grace: the answer may get lost again.
    for _ in 0..3 {
        assert_eq!(text(&refresh(app, &oldest).await.expect(200).body, "refresh_token"), second);
    }
    app.advance(900);
    let third = text(&refresh(app, &second).await.expect(200).body, "refresh_token");
    app.advance(5);
    refresh(app, &second).await.expect(401);
    refresh(app, &third).await.expect(401);
    assert_eq!(endings(app, person.id).await, [Some("reuse".to_owned())]);
}

#[actix_web::test]
async fn an_answer_that_got_lost_now_and_then_ends_nothing() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let mut token = text(&first.body, "refresh_token");
    for generation in 0..6 {
        let next = refresh(app, &token).await.expect(200);
        if generation % 2 == 0 {
            refresh(app, &token).await.expect(200);
        }
        token = text(&next.body, "refresh_token");
        app.advance(900);
    }
}

#[actix_web::test]
async fn a_rotation_in_the_future_forgives_nothing() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    app.advance(86_400);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let oldest = text(&first.body, "refresh_token");
    refresh(app, &oldest).await.expect(200);
    app.advance(-86_400);
    refresh(app, &oldest).await.expect(401);
}

#[actix_web::test]
async fn use_is_told_to_the_hour() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    app.advance(2 * 3600 + 1234);
    let next = refresh(app, &text(&first.body, "refresh_token")).await.expect(200);
    let list = get(app, &next.body, "/v1/me/sessions").await.expect(200);
    assert_eq!(list.body["items"][0]["last_used_at"], "2026-11-20T05:00:00Z");
}

#[actix_web::test]
async fn a_session_ends_when_it_is_not_used() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    let first = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    app.advance(59 * 86_400);
    let next = refresh(app, &text(&first.body, "refresh_token")).await.expect(200);
    app.advance(59 * 86_400);
    let next = refresh(app, &text(&next.body, "refresh_token")).await.expect(200);
    app.advance(60 * 86_400);
    refresh(app, &text(&next.body, "refresh_token")).await.expect(401);
}

fn kid(token: &str) -> String {
    use base64::Engine;
    let head = token.split('.').next().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).unwrap();
    text(&serde_json::from_slice(&bytes).unwrap(), "kid")
}

#[actix_web::test]
async fn keys_rotate_without_an_outage() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    app.advance(30 * 86_400 - 3600);
    sotay::identity::refresh_keys(&app.state).await.unwrap();
    app.advance(86_400 - 60);
    sotay::identity::refresh_keys(&app.state).await.unwrap();
    let old = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    let other = TestApp::beside(app).await;
    get(&other, &old.body, "/v1/me").await.expect(200);
    let published = app.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(published.body["keys"].as_array().unwrap().len(), 2);
    app.advance(3600);
    sotay::identity::refresh_keys(&app.state).await.unwrap();
    let new = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    assert_ne!(kid(&text(&old.body, "access_token")), kid(&text(&new.body, "access_token")));
    // The other instance has not looked for keys since, and knows the new one already.
    get(&other, &new.body, "/v1/me").await.expect(200);
}

#[actix_web::test]
async fn a_token_of_the_old_key_still_opens_after_the_new_one_signs() {
    let world = World::new().await;
    let (app, person) = (&world.app, active(&world).await);
    app.advance(29 * 86_400);
    sotay::identity::refresh_keys(&app.state).await.unwrap();
    app.advance(86_400 - 60);
    sotay::identity::refresh_keys(&app.state).await.unwrap();
    let old = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    app.advance(120);
    sotay::identity::refresh_keys(&app.state).await.unwrap();
    let new = sign_in(app, &person.citizen_id, PASSWORD, None).await.expect(201);
    assert_ne!(kid(&text(&old.body, "access_token")), kid(&text(&new.body, "access_token")));
    get(app, &old.body, "/v1/me").await.expect(200);
}
