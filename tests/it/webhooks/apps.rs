//! Endpoints of apps: their own, and what members allowed them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Hook, publish, send};
use crate::apps::support::{acting, app};
use crate::support::{Actor, Receiver, World};

async fn hook_of(actor: &Actor) -> Hook {
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "events": ["document.published", "points.awarded", "points.reversed"]});
    let made = actor.post("/v1/webhook-endpoints", &body).await.expect(201);
    Hook { id: made.id(), secret: made.body["secret"].as_str().unwrap().to_owned(), receiver }
}

/// An app of the ward as it calls for itself.
async fn alone(world: &World) -> (Uuid, Actor) {
    let id = app(world).await;
    (id, acting(world, id, id, "webhooks:manage units:read").await)
}

async fn events(app: &Actor) -> Vec<Value> {
    app.get("/v1/events").await.expect(200).body["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn an_app_knows_its_own_endpoints_only() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let ((_, first), (_, second)) = (alone(&world).await, alone(&world).await);
    let (own, theirs, officers) = (hook_of(&first).await, hook_of(&second).await, super::hook(&officer).await);
    first.get(&own.path("")).await.expect(200);
    for other in [&theirs, &officers] {
        first.get(&other.path("")).await.expect(404);
        first.post(&other.path("/secret-rotation"), &json!({})).await.expect(404);
        first.delete(&other.path("")).await.expect(404);
    }
    let listed = first.get("/v1/webhook-endpoints").await.expect(200).body;
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][0]["id"]), (1, &json!(own.id)));
    let all = officer.get("/v1/webhook-endpoints").await.expect(200).body;
    assert_eq!(all["items"].as_array().unwrap().len(), 3, "officers see all of their unit");
    publish(&world, &officer).await;
    send(&world).await;
    own.receiver.expect(1).await;
}

#[actix_web::test]
async fn an_award_goes_to_the_apps_that_the_member_allowed_and_to_no_other() {
    let world = World::new().await;
    let (member, other) = (world.member().await, world.member().await);
    let officer = world.propaganda_officer().await;
    let ((id, allowed), (_, stranger)) = (alone(&world).await, alone(&world).await);
    let (own, strange) = (hook_of(&allowed).await, hook_of(&stranger).await);
    let body = json!({"url": Receiver::start().await.url, "events": ["points.awarded"]});
    officer.post("/v1/webhook-endpoints", &body).await.expect(201);
    let through = acting(&world, id, member.id, "points:read").await;
    acting(&world, id, other.id, "profile:read").await;

    let earned = member.post("/v1/me/visits", &json!({})).await.expect(200).body;
    assert_eq!(earned["points_awarded"], 1, "{earned}");
    other.post("/v1/me/visits", &json!({})).await.expect(200);
    send(&world).await;
    let received = own.receiver.expect(1).await.remove(0).json();
    assert_eq!((&received["type"], &received["data"]["member_id"]), (&json!("points.awarded"), &json!(member.id)));
    assert_eq!((&received["data"]["points"], &received["data"]["rule"]), (&json!(1), &json!("daily_visit")));
    assert_eq!((&received["data"]["period"], &received["data"]["unit_id"]), (&json!("2026-11"), &json!(world.cell)));
    strange.receiver.expect(0).await;
    assert_eq!(events(&allowed).await.len(), 1);
    assert_eq!((events(&stranger).await.len(), events(&officer).await.len()), (0, 0));

    // What was taken back is neither sent again nor listed.
    execute(&world, &format!("UPDATE sessions SET revoked_at = created_at WHERE id = '{}'", through.session)).await;
    let span = json!({"from": "2026-11-20T00:00:00+07:00", "to": "2026-11-21T00:00:00+07:00"});
    allowed.post(&own.path("/replays"), &span).await.expect(200);
    send(&world).await;
    own.receiver.expect(1).await;
    assert_eq!(own.last(&allowed).await["last_error"], "not_allowed");
    assert_eq!(events(&allowed).await.len(), 0);
}

#[actix_web::test]
async fn awards_of_members_who_allowed_nothing_leave_no_event() {
    let world = World::new().await;
    let member = world.member().await;
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    let mut conn = world.app.state.db.conn().await.unwrap();
    let waiting = sotay::kernel::outbox::claim(&mut conn, 50, world.app.state.clock.now()).await.unwrap();
    assert!(waiting.iter().all(|event| event.topic != "points.awarded"), "{waiting:?}");
}

async fn execute(world: &World, statement: &str) {
    use diesel_async::RunQueryDsl;
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::sql_query(statement).execute(&mut *conn).await.unwrap();
}
