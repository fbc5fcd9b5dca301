//! What apps may do: the scopes of the document, enforced at one place for every operation.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::db::schema::{accounts, sessions};
use uuid::Uuid;

use super::support::{ALL, acting, app};
use crate::stage::{Operation, operations, path_of_nothing};
use crate::support::{Actor, TestApp, World};

/// Everything that an app can do; whatever is not here is for the handbook's own app. Nothing that earns, decides or signs in.
const SCOPED: &[(&str, &[&str])] = &[
    (
        "documents:read",
        &[
            "downloadDocumentFile",
            "getDocument",
            "getDocumentFileText",
            "getDocumentNote",
            "listDocumentKinds",
            "listDocumentVersions",
            "listDocuments",
            "listMyBookmarks",
        ],
    ),
    ("leaderboards:read", &["getCellLeaderboard", "getMemberLeaderboard", "getMyRank", "getNeighbourhood"]),
    ("points:read", &["getMyPoints", "getMyTrend", "listMyAttestations", "listMyEntries", "listRules"]),
    ("profile:read", &["getMe"]),
    ("quizzes:read", &["getQuiz", "listMyAttempts", "listQuizzes"]),
    ("units:read", &["getClosingSummary", "getRollUp", "getUnit", "getUnitTrend", "listUnits"]),
];

/// What of it an app can do without a person.
const ALONE: &[&str] = &["getCellLeaderboard", "getRollUp", "getUnit", "getUnitTrend", "listUnits"];

fn asked(operation: &Operation, scheme: &str) -> Vec<String> {
    let ways = operation.spec["security"].as_array().into_iter().flatten();
    let lists = ways.filter_map(|way| way[scheme].as_array()).flatten();
    lists.map(|scope| scope.as_str().unwrap().to_owned()).collect()
}

#[test]
fn scopes_are_for_these_reads_and_nothing_else() {
    let (mut found, mut alone) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for operation in operations() {
        let scopes = asked(&operation, "oauth2");
        assert!(scopes.is_empty() || operation.reads() || scopes == ["webhooks:manage"], "{} earns?", operation.id);
        let without = asked(&operation, "oauth2_client");
        if scopes == ["webhooks:manage"] {
            continue;
        }
        if !without.is_empty() {
            assert_eq!(without, scopes, "{}", operation.id);
            alone.push(operation.id.clone());
        }
        scopes.into_iter().for_each(|scope| found.entry(scope).or_default().push(operation.id.clone()));
    }
    let expected: BTreeMap<String, Vec<String>> = SCOPED
        .iter()
        .map(|(scope, ids)| ((*scope).to_owned(), ids.iter().map(|id| (*id).to_owned()).collect()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(alone, ALONE);
}

/// What every operation answers an app with every scope: let past the door by its scopes, or refused there.
async fn walk(world: &World, caller: &Actor, scheme: &str) {
    let mut wrong = Vec::new();
    for operation in operations() {
        let reply = caller.request(&operation.method, &path_of_nothing(&operation, world)).send().await;
        let challenge = reply.header("www-authenticate");
        let refused = reply.status == 403 && challenge.starts_with("Bearer error=\"insufficient_scope\"");
        if refused != asked(&operation, scheme).is_empty() {
            wrong.push(format!("{}: {} {}", operation.id, reply.status, reply.code()));
        }
    }
    assert!(wrong.is_empty(), "{scheme}:\n{}", wrong.join("\n"));
}

#[actix_web::test]
async fn an_app_for_a_person_gets_in_where_the_document_names_a_scope() {
    let world = World::new().await;
    let member = world.member().await;
    let app = app(&world).await;
    walk(&world, &acting(&world, app, member.id, ALL).await, "oauth2").await;
}

#[actix_web::test]
async fn an_app_alone_gets_in_where_the_document_names_a_scope() {
    let world = World::new().await;
    let app = app(&world).await;
    walk(&world, &acting(&world, app, app, ALL).await, "oauth2_client").await;
}

#[actix_web::test]
async fn each_scope_opens_its_own_operations_also_batched_ones() {
    let world = World::new().await;
    let member = world.member().await;
    let app = app(&world).await;
    let points = acting(&world, app, member.id, "points:read").await;
    points.get("/v1/me/points").await.expect(200);
    points.get("/v1/me/points/entries").await.expect(200);
    for closed in ["/v1/me", "/v1/documents", "/v1/me/rank", "/v1/units", "/v1/me/notifications", "/v1/sync"] {
        assert_eq!(points.get(closed).await.expect(403).code(), "insufficient_scope", "{closed}");
    }
    let refused = points.post("/v1/me/visits", &json!({})).await.expect(403);
    assert_eq!(refused.code(), "insufficient_scope");
    let entries = member.get("/v1/me/points/entries").await.expect(200).body;
    assert_eq!(entries["items"], json!([]), "an app has earned");
}

#[actix_web::test]
async fn an_app_alone_reads_its_unit_and_below_and_no_person() {
    let world = World::new().await;
    let app = app(&world).await;
    let alone = acting(&world, app, app, ALL).await;
    let units = alone.get("/v1/units").await.expect(200).body;
    assert_eq!(units["items"][0]["id"], json!(world.ward));
    for known in [world.ward, world.cell, world.sibling] {
        alone.get(&format!("/v1/units/{known}")).await.expect(200);
    }
    for hidden in [world.province, world.other_ward, world.other_cell] {
        alone.get(&format!("/v1/units/{hidden}")).await.expect(404);
    }
    for closed in ["/v1/me", "/v1/documents", "/v1/quizzes", "/v1/me/points", "/v1/leaderboards/members"] {
        assert_eq!(alone.get(closed).await.expect(403).code(), "insufficient_scope", "{closed}");
    }
    for rows in ["members", "points", "decisions"] {
        alone.get(&format!("/v1/units/{}/{rows}", world.cell)).await.expect(403);
    }
}

async fn end(world: &World, session: Uuid) {
    let mut conn = world.app.state.db.conn().await.unwrap();
    let now = world.app.state.clock.now();
    let row = diesel::update(sessions::table.find(session)).set(sessions::revoked_at.eq(now));
    row.execute(&mut *conn).await.unwrap();
}

#[actix_web::test]
async fn what_is_taken_back_is_dead_at_once() {
    let world = World::new().await;
    let member = world.member().await;
    let app = app(&world).await;
    let (one, other) =
        (acting(&world, app, member.id, ALL).await, acting(&world, app, world.member().await.id, ALL).await);
    let alone = acting(&world, app, app, ALL).await;
    for path in ["/v1/me", "/v1/me/points", "/v1/units"] {
        one.get(path).await.expect(200);
        other.get(path).await.expect(200);
    }
    alone.get("/v1/units").await.expect(200);
    end(&world, one.session).await;
    for path in ["/v1/me", "/v1/me/points", "/v1/units"] {
        one.get(path).await.expect(401);
        other.get(path).await.expect(200);
    }
    let mut conn = world.app.state.db.conn().await.unwrap();
    let now = world.app.state.clock.now();
    let suspended = diesel::update(accounts::table.find(app)).set(accounts::disabled_at.eq(now));
    suspended.execute(&mut *conn).await.unwrap();
    for path in ["/v1/me", "/v1/me/points", "/v1/units"] {
        other.get(path).await.expect(401);
    }
    alone.get("/v1/units").await.expect(401);
    member.get("/v1/me").await.expect(200);
}

async fn app_events(member: &Actor) -> Vec<Value> {
    let log = member.get("/v1/me/access-log?limit=200").await.expect(200).body;
    let items = log["items"].as_array().unwrap().iter();
    items.filter(|event| event["action"].as_str().unwrap().starts_with("app.")).cloned().collect()
}

#[actix_web::test]
async fn a_member_sees_once_a_day_which_app_read_what() {
    let world = World::new().await;
    let member = world.member().await;
    let app = app(&world).await;
    let (one, again) = (acting(&world, app, member.id, ALL).await, acting(&world, app, member.id, ALL).await);
    for caller in [&one, &again, &one] {
        caller.get("/v1/me/points").await.expect(200);
        caller.get("/v1/me").await.expect(200);
        caller.get(&format!("/v1/documents/{}", Uuid::nil())).await.expect(404);
    }
    let seen = app_events(&member).await;
    let mut actions: Vec<&str> = seen.iter().map(|event| event["action"].as_str().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["app.points_read", "app.profile_read"]);
    assert_eq!(seen[0]["actor_name"], "Ứng dụng thử");
    assert_eq!(seen[0]["by_myself"], false);
    world.app.advance(24 * 3600);
    one.get("/v1/me/points").await.expect(200);
    assert_eq!(app_events(&member).await.len(), 3);
    acting(&world, app, app, ALL).await.get("/v1/units").await.expect(200);
    assert_eq!(app_events(&world.sign_in(app).await).await, [] as [Value; 0]);
}

#[actix_web::test]
async fn an_app_uses_up_nothing_of_the_persons_own_budget() {
    let world = World::in_app(TestApp::start_with(|config| config.requests_per_minute = 5).await).await;
    let member = world.member().await;
    let app = app(&world).await;
    let caller = acting(&world, app, member.id, ALL).await;
    for _ in 0..5 {
        caller.get("/v1/me").await.expect(200);
    }
    caller.get("/v1/me").await.expect(429);
    let own = member.get("/v1/me").await.expect(200);
    assert!(own.header("ratelimit").contains("r=4"), "{}", own.header("ratelimit"));
}
