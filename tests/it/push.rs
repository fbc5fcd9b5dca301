//! Web Push against a push service that listens on this machine, read by another library than the one that wrote it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Timestamptz};
use diesel_async::RunQueryDsl;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use sotay::{jobs, notifications};
use uuid::Uuid;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::{Auth, decrypt};

use crate::support::{Actor, Answer, Received, Receiver, World};

/// A phone with its push service.
struct Phone {
    secret: SecretKey,
    auth: [u8; 16],
    service: Receiver,
}

impl Phone {
    async fn new() -> Self {
        Self { secret: SecretKey::from_slice(&[7; 32]).unwrap(), auth: [9; 16], service: Receiver::start().await }
    }

    fn subscription(&self) -> Value {
        let public = self.secret.public_key().to_encoded_point(false);
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"endpoint": self.service.url, "keys": {"p256dh": text(public.as_bytes()), "auth": text(&self.auth)}})
    }

    async fn subscribe(&self, actor: &Actor) -> String {
        actor.post("/v1/me/push-subscriptions", &self.subscription()).await.expect(201).id()
    }

    fn read(&self, received: &Received) -> Value {
        let plain = decrypt(received.body.clone(), &self.secret, Auth::from_slice(&self.auth)).unwrap();
        serde_json::from_slice(&plain).unwrap()
    }
}

async fn notify(world: &World, account: Uuid, kind: &str) {
    let state = &world.app.state;
    let mut conn = state.db.conn().await.unwrap();
    let details = json!({"unit_id": world.cell, "device_name": "Máy của An"});
    sotay::kernel::outbox::tell(&mut conn, kind, &[account], &details, state.clock.now()).await.unwrap();
    drop(conn);
    send(world).await;
}

#[derive(QueryableByName)]
struct Busy {
    #[diesel(sql_type = Bool)]
    busy: bool,
}

/// Makes notifications of events, tells phones, and waits until what came of it is recorded: the program's own job tells, too.
async fn send(world: &World) {
    let state = &world.app.state;
    while jobs::deliver(state).await.unwrap() > 0 {}
    loop {
        notifications::send_pushes(state).await.unwrap();
        let query = "SELECT EXISTS (SELECT FROM push_subscriptions
            WHERE next_at <= $1 OR next_at = $1 + interval '60 seconds') AS busy";
        let query = diesel::sql_query(query).bind::<Timestamptz, _>(state.clock.now());
        let busy: Busy = query.get_result(&mut *state.db.conn().await.unwrap()).await.unwrap();
        if !busy.busy {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn subscriptions(actor: &Actor) -> usize {
    actor.get("/v1/me/push-subscriptions").await.expect(200).body["items"].as_array().unwrap().len()
}

#[actix_web::test]
async fn a_phone_is_told_that_there_is_something_and_no_more() {
    let world = World::new().await;
    let member = world.member().await;
    let phone = Phone::new().await;
    phone.subscribe(&member).await;
    notify(&world, member.id, "points_reminder").await;
    let received = phone.service.expect(1).await.remove(0);
    assert_eq!(phone.read(&received), json!({"title": "Bạn có thông báo mới"}));
    assert_eq!(received.header("content-encoding"), "aes128gcm");
    assert_eq!((received.header("topic"), received.header("urgency")), ("sotay", "normal"));
    assert_eq!(received.header("ttl"), "86400");
    let path = "/v1/me/push-subscriptions";
    let listed = member.get(path).await.expect(200).body["items"][0].clone();
    assert_eq!((&listed["current"], &listed["device_name"]), (&json!(true), &json!("thử nghiệm")));
}

#[actix_web::test]
async fn the_request_is_signed_with_the_published_key_for_this_push_service() {
    let world = World::new().await;
    let member = world.member().await;
    let phone = Phone::new().await;
    phone.subscribe(&member).await;
    notify(&world, member.id, "points_reminder").await;
    let received = phone.service.expect(1).await.remove(0);
    let shown = member.get("/v1/me/push-key").await.expect(200).body["public_key"].as_str().unwrap().to_owned();
    let (token, key) = received.header("authorization").strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(key, shown);
    let point = URL_SAFE_NO_PAD.decode(key).unwrap();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let origin = phone.service.url.trim_end_matches("/hooks").to_owned();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[&origin]);
    validation.validate_exp = false;
    let key = DecodingKey::from_ec_components(&x, &y).unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    let left = claims["exp"].as_i64().unwrap() - world.app.state.clock.now().timestamp();
    assert!((1..=86_400).contains(&left), "{left}");
}

#[actix_web::test]
async fn a_phone_that_the_service_knows_no_more_is_dropped() {
    let world = World::new().await;
    for status in [404, 410] {
        let member = world.member().await;
        let phone = Phone::new().await;
        phone.service.answer([Answer::Status(status)]);
        phone.subscribe(&member).await;
        notify(&world, member.id, "points_reminder").await;
        phone.service.expect(1).await;
        assert_eq!(subscriptions(&member).await, 0, "{status}");
    }
}

#[actix_web::test]
async fn what_does_not_get_through_is_tried_again_and_told_once() {
    let world = World::new().await;
    let member = world.member().await;
    let phone = Phone::new().await;
    phone.service.answer([Answer::Status(429), Answer::Hang, Answer::Status(500), Answer::Status(201)]);
    phone.subscribe(&member).await;
    notify(&world, member.id, "points_reminder").await;
    for (pause, count) in [(7, 2), (40, 3), (150, 4), (3_600, 4)] {
        world.app.advance(pause);
        send(&world).await;
        phone.service.expect(count).await;
    }
    assert_eq!(subscriptions(&member).await, 1);
}

#[actix_web::test]
async fn nights_are_quiet_unless_a_stranger_may_be_at_it() {
    let world = World::new().await;
    let member = world.member().await;
    let phone = Phone::new().await;
    phone.subscribe(&member).await;
    world.app.set_time("2026-11-20T21:30:00+07:00");
    notify(&world, member.id, "points_reminder").await;
    notify(&world, member.id, "document_reminder").await;
    phone.service.expect(0).await;
    world.app.set_time("2026-11-21T06:00:00+07:00");
    send(&world).await;
    phone.service.expect(1).await;

    world.app.set_time("2026-11-21T23:00:00+07:00");
    notify(&world, member.id, "new_device").await;
    let received = phone.service.expect(2).await;
    assert_eq!(received[1].header("urgency"), "high");
}

#[actix_web::test]
async fn what_was_read_during_the_night_is_not_told_in_the_morning() {
    let world = World::new().await;
    let member = world.member().await;
    let phone = Phone::new().await;
    phone.subscribe(&member).await;
    world.app.set_time("2026-11-20T21:30:00+07:00");
    notify(&world, member.id, "points_reminder").await;
    let id = member.get("/v1/me/notifications").await.expect(200).body["items"][0]["id"].as_str().unwrap().to_owned();
    member.post(&format!("/v1/me/notifications/{id}/read"), &json!({})).await.expect(200);
    world.app.set_time("2026-11-21T06:00:00+07:00");
    send(&world).await;
    phone.service.expect(0).await;
}

#[actix_web::test]
async fn muted_kinds_are_not_told_and_nights_may_be_loud() {
    let world = World::new().await;
    let member = world.member().await;
    let phone = Phone::new().await;
    phone.subscribe(&member).await;
    let at_first = member.get("/v1/me/notification-preferences").await.expect(200).body;
    assert_eq!(at_first, json!({"muted_kinds": [], "quiet_hours": true}));
    let wanted = json!({"muted_kinds": ["points_reminder", "new_device"], "quiet_hours": false});
    let set = member.request("PUT", "/v1/me/notification-preferences").json(&wanted).send().await.expect(200);
    assert_eq!(set.body, json!({"muted_kinds": ["new_device", "points_reminder"], "quiet_hours": false}));
    notify(&world, member.id, "points_reminder").await;
    phone.service.expect(0).await;
    let listed = member.get("/v1/me/notifications").await.expect(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 1, "the list has everything");
    world.app.set_time("2026-11-20T23:00:00+07:00");
    notify(&world, member.id, "document_reminder").await;
    phone.service.expect(1).await;
    notify(&world, member.id, "new_device").await;
    phone.service.expect(2).await;
}

#[actix_web::test]
async fn a_phone_whose_session_has_ended_is_told_nothing() {
    let world = World::new().await;
    let member = world.member().await;
    let phone = Phone::new().await;
    phone.subscribe(&member).await;
    execute(&world, &format!("UPDATE sessions SET revoked_at = created_at WHERE id = '{}'", member.session)).await;
    notify(&world, member.id, "points_reminder").await;
    phone.service.expect(0).await;
}

#[actix_web::test]
async fn phones_of_those_whom_a_publication_reaches_are_told() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let (member, outsider) = (world.member().await, world.outsider().await);
    let (near, far) = (Phone::new().await, Phone::new().await);
    near.subscribe(&member).await;
    far.subscribe(&outsider).await;
    crate::webhooks::publish(&world, &officer).await;
    send(&world).await;
    let received = near.service.expect(1).await.remove(0);
    assert_eq!(near.read(&received), json!({"title": "Bạn có thông báo mới"}));
    far.service.expect(0).await;
}

#[actix_web::test]
async fn an_address_belongs_to_who_named_it_last_and_is_judged() {
    let world = World::new().await;
    let (first, second) = (world.member().await, world.member().await);
    let phone = Phone::new().await;
    phone.subscribe(&first).await;
    let id = phone.subscribe(&second).await;
    assert_eq!((subscriptions(&first).await, subscriptions(&second).await), (0, 1));
    notify(&world, first.id, "points_reminder").await;
    phone.service.expect(0).await;
    first.delete(&format!("/v1/me/push-subscriptions/{id}")).await.expect(404);
    second.delete(&format!("/v1/me/push-subscriptions/{id}")).await.expect(204);

    let mut body = phone.subscription();
    body["endpoint"] = json!("https://10.0.0.1/push");
    first.post("/v1/me/push-subscriptions", &body).await.expect(422);
    let mut body = phone.subscription();
    body["keys"]["p256dh"] = json!(URL_SAFE_NO_PAD.encode([4_u8; 65]));
    let refused = first.post("/v1/me/push-subscriptions", &body).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/keys");
}

async fn execute(world: &World, statement: &str) {
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::sql_query(statement).execute(&mut *conn).await.unwrap();
}
