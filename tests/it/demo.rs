//! The large demo, in small: bulk loading leaves the schema unchanged, the data obey the rules.

use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sotay::demo::{self, Shape};
use sotay::identity;
use sotay::kernel::config::Mode;
use sotay::kernel::db::schema::{member_months, members, memberships, point_entries};

use crate::support::TestApp;

fn small() -> Shape {
    Shape {
        central: true,
        provinces: 2,
        committees: 4,
        cells: 12,
        members: 400,
        months: 2,
        document_every: 5,
        visits: true,
    }
}

/// A program that knows the owner role, as the command does.
async fn filled() -> TestApp {
    let app = TestApp::start_with(|config| {
        let url = config.database_url.as_ref().unwrap().expose_secret().replace("sotay_app@", "sotay_owner@");
        config.database_owner_url = Some(SecretString::from(url));
    })
    .await;
    demo::fill_large(&app.state, small()).await.unwrap();
    app
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every constraint, index and trigger of the database.
async fn schema(app: &TestApp) -> Vec<Line> {
    diesel::sql_query(
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) AS line FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace AND convalidated
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
         UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'
         ORDER BY line",
    )
    .load(&mut *app.state.db.conn().await.unwrap())
    .await
    .unwrap()
}

#[actix_web::test]
async fn data_in_bulk_verify_and_the_schema_is_as_before() {
    let untouched = TestApp::start().await;
    let app = filled().await;
    assert_eq!(schema(&app).await, schema(&untouched).await);

    let mut conn = app.state.db.conn().await.unwrap();
    let mut differences = Vec::new();
    sotay::points::verify(&mut conn, |_, lines| differences.extend_from_slice(lines)).await.unwrap();
    assert_eq!(differences, Vec::<String>::new());
    assert_eq!(members::table.count().get_result::<i64>(&mut *conn).await.unwrap(), 400);
    let months: i64 = member_months::table.count().get_result(&mut *conn).await.unwrap();
    let entries: i64 = point_entries::table.count().get_result(&mut *conn).await.unwrap();
    assert!(months > 900 && entries > 9 * months, "{months} months, {entries} entries");
    let moved: i64 =
        memberships::table.filter(memberships::origin.eq("transferred")).count().get_result(&mut *conn).await.unwrap();
    assert!(moved > 0);
    // The sequence of numbers goes on behind what was copied in.
    let highest: Option<i64> = members::table.select(diesel::dsl::max(members::no)).first(&mut *conn).await.unwrap();
    assert_eq!(highest, Some(400));
    drop(conn);
    // What is there is left as it is.
    demo::fill_large(&app.state, small()).await.unwrap();
}

#[actix_web::test]
async fn people_of_the_large_demo_can_be_signed_in_as() {
    let app = filled().await;
    let user = json!({"login": "038000000001", "password": demo::PASSWORD, "device_name": "thử"});
    let reply = app.request("POST", "/v1/auth/sessions").json(&user).send().await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    let token = reply.body["access_token"].as_str().unwrap();
    let units = app.request("GET", "/v1/units").token(token).send().await;
    let cell =
        units.body["items"].as_array().unwrap().iter().find(|unit| unit["kind"] == "cell").unwrap()["id"].clone();
    let path = format!("/v1/units/{}/points?period=2026-10", cell.as_str().unwrap());
    let board = app.request("GET", &path).token(token).send().await;
    assert_eq!(board.status, 200, "{:?}", board.body);
    assert!(board.body["items"].as_array().unwrap().iter().any(|row| row["status"] == "met"), "{:?}", board.body);
}

#[actix_web::test]
async fn tokens_for_load_tests_are_for_demo_data_outside_production_only() {
    let app = filled().await;
    let some = demo::some_members(&app.state, 10, None).await.unwrap().unwrap();
    assert_eq!(some.len(), 10);
    let accounts: Vec<_> = some.iter().map(|(member, _)| *member).collect();
    let tokens = identity::open_demo_sessions(&app.state, &accounts, 2).await.unwrap();
    for token in &tokens {
        let reply = app.request("GET", "/v1/me/points").token(&token.access).send().await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
    }
    let refresh = json!({"refresh_token": tokens[0].refresh});
    assert_eq!(app.request("POST", "/v1/auth/sessions/refresh").json(&refresh).send().await.status, 200);
    app.advance(2 * 3600 + 1);
    assert_eq!(app.request("GET", "/v1/me/points").token(&tokens[0].access).send().await.status, 401);

    let secretaries = demo::some_members(&app.state, 100, Some("cell_secretary")).await.unwrap().unwrap();
    assert_eq!(secretaries.len(), 12);
    let other = TestApp::start().await;
    assert!(demo::some_members(&other.state, 1, None).await.unwrap().is_none());
    let production = TestApp::start_with(|config| config.mode = Mode::Production).await;
    assert!(identity::open_demo_sessions(&production.state, &accounts, 1).await.is_err());
}
