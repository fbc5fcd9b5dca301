//! Review by a second officer, and planned publication.

use chrono::TimeDelta;
use diesel_async::RunQueryDsl;
use serde_json::json;
use sotay::kernel::security::access::Role;

use super::{change, draft, publish, recall, write};
use crate::support::{Actor, Reply, World};

/// Lets documents of the ward be reviewed.
async fn reviewed(world: &World) {
    let officer = world.committee_officer().await;
    let body = json!({"name": "document_review", "value": 1, "from": "2026-11"});
    officer.post(&format!("/v1/units/{}/point-parameters", world.ward), &body).await.expect(200);
}

async fn state(officer: &Actor, id: &str) -> String {
    let seen = officer.get(&format!("/v1/documents/{id}")).await.expect(200);
    seen.body["state"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_second_officer_publishes_what_the_first_one_proposed() {
    let world = World::new().await;
    reviewed(&world).await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let second = world.officer(world.sibling, Role::PropagandaOfficer, world.ward).await;
    let id = write(&world, &officer, &draft()).await;
    let decision = publish(&officer, &id, &[world.cell]).await.expect(202);
    assert_eq!(
        (decision.body["kind"].as_str(), state(&officer, &id).await.as_str()),
        (Some("document_publication"), "in_review")
    );
    member.get(&format!("/v1/documents/{id}")).await.expect(404);
    assert_eq!(change(&officer, &id, &json!({"title": "Khác"})).await.status, 409);
    assert_eq!(publish(&officer, &id, &[world.cell]).await.status, 409);
    let confirm = format!("/v1/decisions/{}/confirmation", decision.id());
    assert_eq!(officer.post(&confirm, &json!({})).await.status, 403, "not the same officer");
    second.post(&confirm, &json!({})).await.expect(200);
    assert_eq!(state(&officer, &id).await, "published");
    member.get(&format!("/v1/documents/{id}")).await.expect(200);
    // Its text changes by a new version, which is reviewed too.
    assert_eq!(change(&officer, &id, &json!({"text": "Khác"})).await.status, 409);
    change(&officer, &id, &json!({"must_read_by": "2026-11-30"})).await.expect(200);
    officer.post(&format!("/v1/documents/{id}/versions"), &json!({"note": "Sửa", "text": "Mới"})).await.expect(201);
    publish(&officer, &id, &[]).await.expect(202);
}

#[actix_web::test]
async fn what_is_declined_or_withdrawn_is_a_draft_again() {
    let world = World::new().await;
    reviewed(&world).await;
    let officer = world.propaganda_officer().await;
    let second = world.officer(world.sibling, Role::PropagandaOfficer, world.ward).await;
    let id = write(&world, &officer, &draft()).await;
    let decision = publish(&officer, &id, &[world.cell]).await.expect(202).id();
    second.post(&format!("/v1/decisions/{decision}/refusal"), &json!({"reason": "Sai ký hiệu"})).await.expect(200);
    assert_eq!(state(&officer, &id).await, "draft");
    change(&officer, &id, &json!({"symbol": "99-KH/ĐU"})).await.expect(200);
    let decision = publish(&officer, &id, &[world.cell]).await.expect(202).id();
    officer.post(&format!("/v1/decisions/{decision}/withdrawal"), &json!({})).await.expect(200);
    assert_eq!(state(&officer, &id).await, "draft");
}

async fn plan(officer: &Actor, id: &str, world: &World, after: TimeDelta) -> Reply {
    let at = world.app.state.clock.now() + after;
    let body = json!({"unit_ids": [world.cell], "attests_no_state_secrets": true, "publish_at": at});
    officer.post(&format!("/v1/documents/{id}/publish"), &body).await
}

#[actix_web::test]
async fn a_planned_document_is_published_at_its_time() {
    let world = World::new().await;
    let (officer, member) = (world.propaganda_officer().await, world.member().await);
    let id = write(&world, &officer, &draft()).await;
    assert_eq!(plan(&officer, &id, &world, TimeDelta::hours(-1)).await.status, 422);
    let planned = plan(&officer, &id, &world, TimeDelta::hours(2)).await.expect(200);
    assert_eq!(planned.body["state"], "scheduled");
    sotay::documents::publish_due(&world.app.state).await.unwrap();
    member.get(&format!("/v1/documents/{id}")).await.expect(404);
    world.app.advance(7_201);
    sotay::documents::publish_due(&world.app.state).await.unwrap();
    assert_eq!(member.get(&format!("/v1/documents/{id}")).await.expect(200).body["state"], "published");
    assert_eq!(world.audit_count("document.published").await, 2);
}

#[actix_web::test]
async fn a_planned_document_can_be_taken_back() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    plan(&officer, &id, &world, TimeDelta::hours(2)).await.expect(200);
    assert_eq!(change(&officer, &id, &json!({"title": "Khác"})).await.status, 409);
    recall(&officer, &id).await.expect(200);
    assert_eq!(state(&officer, &id).await, "draft");
    world.app.advance(7_201);
    sotay::documents::publish_due(&world.app.state).await.unwrap();
    assert_eq!(state(&officer, &id).await, "draft");
}

#[actix_web::test]
async fn an_officer_who_lost_the_role_publishes_nothing_later() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let id = write(&world, &officer, &draft()).await;
    plan(&officer, &id, &world, TimeDelta::hours(2)).await.expect(200);
    let mut conn = world.app.state.db.conn().await.unwrap();
    let lost = format!("UPDATE grants SET revoked_at = created_at WHERE account_id = '{}'", officer.id);
    diesel::sql_query(lost).execute(&mut *conn).await.unwrap();
    drop(conn);
    world.app.advance(7_201);
    sotay::documents::publish_due(&world.app.state).await.unwrap();
    let successor = world.propaganda_officer().await;
    assert_eq!(state(&successor, &id).await, "draft");
}
