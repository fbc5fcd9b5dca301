//! Nothing about a member begins before there was a unit for it.

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use serde_json::json;

use super::{contents, count};
use crate::support::{World, database_url_as};

#[actix_web::test]
async fn an_exemption_before_the_cell_is_refused() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let path = format!("/v1/members/{}/exemptions", member.id);
    let before = contents(&world.app).await;
    // The cells of this world exist since 2020.
    for day in ["2019-12-31", "0001-01-01"] {
        let body = json!({"kind": "exempt", "valid_from": day, "reason": "Tuổi cao"});
        let refused = secretary.post(&path, &body).await.expect(422);
        let fault = &refused.body["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/valid_from"), &json!("before_unit")));
    }
    assert_eq!(contents(&world.app).await, before);
    let body = json!({"kind": "exempt", "valid_from": "2020-01-01", "reason": "Tuổi cao"});
    secretary.post(&path, &body).await.expect(202);
}

#[actix_web::test]
async fn the_database_refuses_what_begins_before_its_unit() {
    let world = World::new().await;
    let member = world.member().await;
    let mut owner = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    let exemption = format!(
        "INSERT INTO exemptions (id, member_id, kind, valid_from, reason, created_at)
         VALUES (gen_random_uuid(), '{}', 'exempt', '2019-12-31', 'a', now())",
        member.id
    );
    for statement in ["UPDATE memberships SET valid_from = '2019-12-31'", exemption.as_str()] {
        let refused = owner.batch_execute(statement).await.unwrap_err().to_string();
        assert!(refused.contains("begins before"), "{refused}");
    }
    assert_eq!(count(&world.app, "memberships WHERE valid_from < '2020-01-01'").await, 0);
}
