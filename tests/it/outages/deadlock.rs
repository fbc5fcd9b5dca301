//! Concurrent first visits of a month and a list of officers do not deadlock.

use diesel::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, RunQueryDsl};
use futures_util::future::join_all;
use serde_json::json;
use sotay::kernel::db::Conn;
use sotay::points::{AwardRequest, Deed, award_all};

use crate::support::{TestApp, World, database_url_as};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
}

async fn run(conn: &mut Conn, statement: &str) {
    sql_query(statement).execute(conn).await.unwrap();
}

#[actix_web::test]
async fn months_that_are_missing_are_made_before_others_are_held() {
    let world = World::in_app(TestApp::start_with(|config| config.award_lanes = 1).await).await;
    let body = json!({});
    let (first, mut three) =
        (world.member().await, vec![world.member().await, world.member().await, world.member().await]);
    three.sort_by_key(|member| member.id);
    let [a, c, d] = &three[..] else { unreachable!() };
    d.post("/v1/me/visits", &body).await.expect(200);
    let url = database_url_as(&world.app, "sotay_owner");
    // The worker waits with the first visit for the sessions, so that the next three are batched together.
    let mut gate = Conn::establish(&url).await.unwrap();
    run(&mut gate, "BEGIN").await;
    run(&mut gate, "LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await;
    // Another transaction is inserting the month of the first of the three.
    let mut maker = Conn::establish(&url).await.unwrap();
    run(&mut maker, "BEGIN").await;
    run(&mut maker, &format!("INSERT INTO member_months (member_id, period) VALUES ('{}', '2026-11-01')", a.id)).await;
    let script = async {
        pause().await;
        let three = join_all([a, c, d].map(|member| member.post("/v1/me/visits", &body)));
        let list = async {
            pause().await;
            run(&mut gate, "COMMIT").await;
            pause().await;
            // The visits hold the month of d and wait for that of a.
            let now = world.app.state.clock.now();
            let want = |member: &crate::support::Actor| {
                let deed = Deed {
                    event: "opinion.accepted",
                    object_kind: "opinion",
                    object_id: "x".into(),
                    ..Deed::default()
                };
                AwardRequest { member_id: member.id, deed, now }
            };
            let wants = [want(c), want(d)];
            let confirmed = world.app.state.db.transaction(async |conn| award_all(conn, &wants).await);
            let release = async {
                pause().await;
                run(&mut maker, "ROLLBACK").await;
            };
            tokio::join!(confirmed, release).0.unwrap();
        };
        tokio::join!(three, list).0
    };
    let (_, replies) = tokio::join!(first.post("/v1/me/visits", &body), script);
    assert!(replies.iter().all(|reply| reply.status == 200));
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let deadlocks: Count =
        sql_query("SELECT deadlocks AS count FROM pg_stat_database WHERE datname = current_database()")
            .get_result(&mut maker)
            .await
            .unwrap();
    assert_eq!(deadlocks.count, 0);
}

#[actix_web::test]
async fn a_month_that_somebody_else_is_making_keeps_nobody_else_waiting() {
    let world = World::in_app(TestApp::start_with(|config| config.award_lanes = 1).await).await;
    let body = json!({});
    let (a, b, c) = (world.member().await, world.member().await, world.member().await);
    b.post("/v1/me/visits", &body).await.expect(200);
    let mut maker = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    run(&mut maker, "BEGIN").await;
    run(&mut maker, &format!("INSERT INTO member_months (member_id, period) VALUES ('{}', '2026-11-01')", a.id)).await;
    let others = async {
        pause().await;
        let both = join_all([&b, &c].map(|member| member.post("/v1/me/visits", &body)));
        let answered = tokio::time::timeout(std::time::Duration::from_secs(3), both).await;
        run(&mut maker, "ROLLBACK").await;
        answered
    };
    let (own, others) = tokio::join!(a.post("/v1/me/visits", &body), others);
    assert!(others.expect("they waited for somebody else's month").iter().all(|reply| reply.status == 200));
    own.expect(200);
}
