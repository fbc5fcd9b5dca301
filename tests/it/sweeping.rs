//! What is kept no longer goes, in bounded slices; what is still needed stays.

use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::json;
use sotay::kernel::db::Conn;
use sotay::kernel::ids::new_id;

use crate::support::{World, database_url_as};

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn count(conn: &mut Conn, of: &str) -> i64 {
    sql_query(format!("SELECT count(*) FROM {of}")).get_result::<Count>(conn).await.unwrap().count
}

/// Ids as they were given out so many days ago.
fn ids(world: &World, days: i64, most: usize) -> String {
    let then = world.app.state.clock.now() - chrono::Duration::days(days);
    let ids: Vec<String> = (0..most).map(|_| format!("('{}'::uuid)", new_id(then))).collect();
    format!("(VALUES {}) AS v (id)", ids.join(", "))
}

#[actix_web::test]
async fn old_rows_go_and_others_stay() {
    let world = World::new().await;
    let member = world.member().await;
    member.get("/v1/me").await.expect(200);
    let mut owner = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    let (old, young) = (ids(&world, 400, 3), ids(&world, 100, 2));
    for of in [&old, &young] {
        let member = member.id;
        let rows = format!(
            "INSERT INTO notifications (id, account_id, kind, details, created_at)
                 SELECT id, '{member}', 'new_device', '{{}}', now() FROM {of};
             INSERT INTO audit_events (id, at, action, object_kind, object_id, details)
                 SELECT id, now() - interval '400 days', 'a.b', 'c', 'd', '{{}}' FROM {of};
             INSERT INTO activation_slips (id, account_id, code_digest, issued_by, issued_at, expires_at)
                 SELECT id, '{member}', decode(md5(id::text), 'hex'), '{member}', now(), now() - interval '400 days' FROM {of};
             INSERT INTO sessions (id, account_id, device_name, created_at, last_used_at, expires_at, generation, rotated_at)
                 SELECT id, '{member}', '', now(), now(), now() - interval '90 days', 0, now() FROM {of}"
        );
        owner.batch_execute(&rows).await.unwrap();
    }
    owner
        .batch_execute(
            "INSERT INTO outbox (topic, payload, created_at, available_at, done_at)
            SELECT 'a', '{}', now(), now(), now() - interval '30 days' FROM generate_series(1, 2500)",
        )
        .await
        .unwrap();
    sotay::jobs::sweep(&world.app.state).await;
    assert_eq!(count(&mut owner, "notifications").await, 2);
    // Ids are looked at as well as times: nothing that may be younger goes.
    assert_eq!(count(&mut owner, "audit_events WHERE action = 'a.b'").await, 2);
    assert_eq!(count(&mut owner, "activation_slips").await, 2);
    assert_eq!(count(&mut owner, "outbox WHERE topic = 'a'").await, 0, "slice by slice, all of them");
    assert_eq!(count(&mut owner, &format!("sessions WHERE account_id = '{}'", member.id)).await, 1, "the one in use");
    member.get("/v1/me").await.expect(200);
}

#[actix_web::test]
async fn what_tells_something_of_now_is_never_swept() {
    let world = World::new().await;
    let member = world.member().await;
    let mut owner = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    let (member, old) = (member.id, ids(&world, 500, 1));
    // The only slip by which an account was activated, and the only session of an account, ended long ago.
    let rows = format!(
        "INSERT INTO accounts (id, kind, display_name, created_at)
             VALUES ('00000000-0000-7000-8000-00000000000a', 'administrator', 'A', now());
         INSERT INTO activation_slips (id, account_id, code_digest, issued_by, issued_at, expires_at, redeemed_at)
             SELECT id, '{member}', '\\x00', '{member}', now(), now() - interval '500 days', now() FROM {old};
         INSERT INTO sessions (id, account_id, device_id, device_name, created_at, last_used_at, expires_at, generation, rotated_at)
             SELECT id, '00000000-0000-7000-8000-00000000000a', id, '', now(), now(), now() - interval '90 days', 0, now() FROM {old}"
    );
    owner.batch_execute(&rows).await.unwrap();
    sotay::jobs::sweep(&world.app.state).await;
    assert_eq!(count(&mut owner, "activation_slips").await, 1);
    let kept = "sessions WHERE account_id = '00000000-0000-7000-8000-00000000000a' AND device_id IS NULL";
    assert_eq!(count(&mut owner, kept).await, 1, "that there was a session, not on which device");
}

#[actix_web::test]
async fn audit_events_of_a_year_cannot_be_deleted_by_anybody() {
    let world = World::new().await;
    let mut owner = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    let event = "INSERT INTO audit_events (id, at, action, object_kind, object_id, details)
        VALUES (gen_random_uuid(), now() - interval '300 days', 'a.b', 'c', 'd', '{}')";
    owner.batch_execute(event).await.unwrap();
    assert!(owner.batch_execute("DELETE FROM audit_events").await.is_err());
    let mut application = world.app.state.db.conn().await.unwrap();
    let all = "SELECT sweep_audit_events('ffffffff-ffff-ffff-ffff-ffffffffffff', 1000)";
    application.batch_execute(all).await.unwrap();
    assert_eq!(count(&mut owner, "audit_events WHERE action = 'a.b'").await, 1);
    assert!(application.batch_execute("DELETE FROM audit_events").await.is_err());
}

#[actix_web::test]
async fn an_offer_ends_after_a_year() {
    let world = World::new().await;
    let member = world.member().await;
    let now = world.app.state.clock.now();
    let offer = sotay::points::Offer {
        rules: &["document_read"],
        object_kind: "document",
        object_id: "d".to_owned(),
        unit_ids: &[world.ward, world.cell],
        title: "Tài liệu".to_owned(),
    };
    let write = async |conn: &mut Conn| sotay::points::offer(conn, &offer, now).await;
    world.app.state.db.transaction(write).await.unwrap();
    let offered = async || {
        // Tokens live as long as their sessions, and no longer than a year.
        let month = world.sign_in(member.id).await.get("/v1/me/points").await.expect(200).body;
        month["suggestions"].as_array().unwrap().iter().any(|one| one["object"]["id"] == json!("d"))
    };
    assert!(offered().await);
    world.app.advance(364 * 86_400);
    assert!(offered().await);
    world.app.advance(2 * 86_400);
    assert!(!offered().await);
}
