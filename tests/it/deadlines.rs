//! Every request has a deadline that reaches its statement, and a dropped one leaves nothing running.

use std::cell::Cell;
use std::time::{Duration, Instant};

use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::json;
use sotay::kernel::db::{Conn, Db, transaction};
use sotay::kernel::http::problem::{Code, Problem};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Actor, TestApp, World, database_url_as};

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The owner of the database, who is not bound by the application's limits.
async fn owner(world: &World) -> Conn {
    Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap()
}

/// Holds a table, so that whatever needs it waits.
async fn hold(world: &World, table: &str) -> Conn {
    let mut holder = owner(world).await;
    holder.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await.unwrap();
    holder
}

/// Statements of the application that run or wait in this database.
async fn running(conn: &mut Conn) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'sotay_app' AND state = 'active' AND wait_event_type = 'Lock'";
    sql_query(query).get_result::<Count>(conn).await.unwrap().count
}

/// Another instance, whose statements may take a quarter of a second.
async fn impatient(world: &World) -> TestApp {
    let name = database_url_as(&world.app, "sotay_app");
    let name = name.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
    let mut admin = Conn::establish(&database_url_as(&world.app, "postgres")).await.unwrap();
    let limit = format!("ALTER ROLE sotay_app IN DATABASE {name} SET statement_timeout = '250ms'");
    admin.batch_execute(&limit).await.unwrap();
    TestApp::beside(&world.app).await
}

#[actix_web::test]
async fn a_statement_out_of_time_is_refused_for_the_moment() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let app = impatient(&world).await;
    let mut holder = hold(&world, "members, accounts").await;
    let begun = Instant::now();
    let secretary = secretary.at(&app.base_url);
    let list = secretary.get(&format!("/v1/units/{}/members", world.cell)).await;
    let body = json!({"login": "quantri", "password": "mật khẩu nào đó", "device_name": "Máy thử"});
    let sign_in = app.request("POST", "/v1/auth/sessions").json(&body).send().await;
    for reply in [list, sign_in] {
        assert_eq!((reply.status, reply.code()), (503, "unavailable"), "{}", reply.body);
        assert!(!reply.header("retry-after").is_empty());
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    holder.batch_execute("ROLLBACK").await.unwrap();
    secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(200);
}

#[actix_web::test]
async fn the_application_has_a_limit_whatever_its_role_says() {
    let world = World::new().await;
    let limit = async |db: &Db| {
        #[derive(diesel::QueryableByName)]
        struct Shown {
            #[diesel(sql_type = diesel::sql_types::Text)]
            statement_timeout: String,
        }
        let mut conn = db.conn().await.unwrap();
        sql_query("SHOW statement_timeout").get_result::<Shown>(&mut *conn).await.unwrap().statement_timeout
    };
    // The owner's role has none.
    let url = database_url_as(&world.app, "sotay_owner").into();
    assert_eq!(limit(&Db::new(&url, 1).unwrap()).await, "10s");
    assert_eq!(limit(&world.app.state.db).await, "10s");
    assert_eq!(limit(&world.app.state.work).await, "30min");
}

async fn send(actor: &Actor, base_url: &str, path: &str) -> TcpStream {
    let address = base_url.trim_start_matches("http://");
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n", actor.token);
    client.write_all(request.as_bytes()).await.unwrap();
    client
}

#[actix_web::test]
async fn the_statement_of_a_dropped_request_ends_with_it() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let path = format!("/v1/units/{}/members", world.cell);
    let mut holder = hold(&world, "members").await;
    // Others do not see what a role does.
    let mut admin = Conn::establish(&database_url_as(&world.app, "postgres")).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(send(&secretary, &world.app.base_url, &path).await);
    }
    let begun = Instant::now();
    while running(&mut admin).await < 4 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the requests never began");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for client in clients {
        client.set_zero_linger().unwrap();
    }
    let begun = Instant::now();
    while running(&mut admin).await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(3), "statements go on for clients that are gone");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    secretary.get(&path).await.expect(200);
}

#[actix_web::test]
async fn a_connection_dropped_in_mid_statement_is_not_lent_again() {
    let world = World::new().await;
    let url = database_url_as(&world.app, "sotay_app").into();
    let db = Db::new(&url, 1).unwrap();
    let mut conn = db.conn().await.unwrap();
    let sleeping = sql_query("SELECT pg_sleep(8)").execute(&mut *conn);
    assert!(tokio::time::timeout(Duration::from_millis(100), sleeping).await.is_err());
    drop(conn);
    let begun = Instant::now();
    sql_query("SELECT 1").execute(&mut *db.conn().await.unwrap()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[actix_web::test]
async fn a_transaction_that_loses_at_its_commit_runs_again() {
    let world = World::new().await;
    let db = &world.app.state.db;
    let mut other = db.conn().await.unwrap();
    let rows = "INSERT INTO sign_in_failures VALUES ('a', now(), 1), ('b', now(), 1)";
    sql_query(rows).execute(&mut *other).await.unwrap();
    let attempts = Cell::new(0);
    let read = "SELECT sum(failures) FROM sign_in_failures WHERE bucket IN ('a', 'b')";
    let mut mine = db.conn().await.unwrap();
    let done = transaction(&mut mine, async |conn| {
        attempts.set(attempts.get() + 1);
        conn.batch_execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await?;
        conn.batch_execute(read).await?;
        if attempts.get() > 1 {
            return Ok(());
        }
        // Each of two reads what the other writes; the other commits first.
        let first = async || {
            let mut other = db.conn().await?;
            other.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE").await?;
            other.batch_execute(read).await?;
            Ok::<_, Problem>(other)
        };
        let mut other = first().await?;
        conn.batch_execute("UPDATE sign_in_failures SET failures = 2 WHERE bucket = 'a'").await?;
        other.batch_execute("UPDATE sign_in_failures SET failures = 2 WHERE bucket = 'b'; COMMIT").await?;
        Ok(())
    });
    done.await.unwrap();
    assert_eq!(attempts.get(), 2);
}

#[actix_web::test]
async fn what_the_database_keeps_unique_is_told_in_words() {
    let world = World::new().await;
    let member = world.member().await;
    let mut conn = world.app.state.db.conn().await.unwrap();
    let violate = async |conn: &mut Conn, statement: String| -> Problem {
        sql_query(statement).execute(conn).await.map(drop).unwrap_err().into()
    };
    let membership = format!(
        "INSERT INTO memberships (id, member_id, unit_id, origin, valid_from)
         VALUES (gen_random_uuid(), '{}', '{}', 'admitted', '2026-01-01')",
        member.id, world.sibling
    );
    let second = violate(&mut conn, membership).await;
    assert_eq!(second.code, Code::Conflict);
    assert!(second.detail.unwrap().vi.contains("sinh hoạt ở một chi bộ"));
    let grant = format!(
        "INSERT INTO grants (id, account_id, role, unit_id, valid_from, created_at)
         SELECT gen_random_uuid(), '{}', 'cell_secretary', '{}', '2026-01-01', now() FROM generate_series(1, 2)",
        member.id, world.cell
    );
    assert_eq!(violate(&mut conn, grant).await.code, Code::Conflict);
    let rule = format!("INSERT INTO point_adjustments (id, member_id, period, points, reason, evidence, state, proposed_by, proposed_at)
        VALUES (gen_random_uuid(), '{0}', '2026-11-01', 1, '', '', 'proposed', '{0}', now())", member.id);
    assert_eq!(violate(&mut conn, rule).await.code, Code::RuleNotMet);
}
