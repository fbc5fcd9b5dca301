//! A client that goes away while its transaction waits leaves nothing locked behind.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, RunQueryDsl};
use serde_json::json;
use sotay::kernel::db::Conn;
use sotay::kernel::security::access::Role;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{World, database_url_as};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Locks on members' months that are waited for, or held by the transaction that writes them.
async fn locks(conn: &mut Conn, granted: bool) -> i64 {
    let query = format!(
        "SELECT count(*) FROM pg_locks WHERE relation = 'member_months'::regclass AND mode = 'RowExclusiveLock'
         AND pid <> pg_backend_pid() AND granted = {granted}"
    );
    sql_query(query).get_result::<Count>(conn).await.unwrap().count
}

#[actix_web::test]
async fn a_transaction_ends_with_its_client() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
    let proposal = json!({"period": "2026-11", "points": 3, "reason": "a", "evidence": "b"});
    let made = secretary.post(&format!("/v1/members/{}/point-adjustments", member.id), &proposal).await.expect(201);
    let mut holder = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    for statement in ["BEGIN", "LOCK TABLE member_months IN ACCESS EXCLUSIVE MODE"] {
        sql_query(statement).execute(&mut holder).await.unwrap();
    }
    let address = world.app.base_url.trim_start_matches("http://").to_owned();
    let mut client = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "POST /v1/point-adjustments/{}/approval HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}",
        made.id(),
        deputy.token
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut tries = 0;
    while locks(&mut holder, false).await == 0 {
        tries += 1;
        assert!(tries < 100, "the approval never began");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // It goes away without a word, as a phone in a lift does.
    client.set_zero_linger().unwrap();
    drop(client);
    tokio::time::sleep(Duration::from_millis(300)).await;
    sql_query("COMMIT").execute(&mut holder).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(locks(&mut holder, true).await, 0, "its transaction is still open");
    deputy.post(&format!("/v1/point-adjustments/{}/approval", made.id()), &json!({})).await.expect(200);
}
