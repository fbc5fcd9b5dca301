//! Accounts that are suspended, and reinstated.

use serde_json::json;
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::support::World;

fn path(account: Uuid, act: &str) -> String {
    format!("/v1/accounts/{account}/{act}")
}

#[actix_web::test]
async fn nobody_signs_in_with_a_suspended_account_until_it_is_reinstated() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let reason = json!({"reason": "Mất điện thoại"});
    member.get("/v1/me").await.expect(200);
    let state = secretary.post(&path(member.id, "suspension"), &reason).await.expect(200).body;
    assert!(state["suspended_at"].is_string(), "{state}");
    let again = secretary.post(&path(member.id, "suspension"), &reason).await.expect(200).body;
    assert_eq!(again, state);
    member.get("/v1/me").await.expect(401);
    let state = secretary.post(&path(member.id, "reinstatement"), &reason).await.expect(200).body;
    assert_eq!(state["suspended_at"], json!(null));
    member.get("/v1/me").await.expect(401);
    world.sign_in(member.id).await.get("/v1/me").await.expect(200);
    for action in ["account.suspended", "account.reinstated"] {
        assert_eq!(world.audit_count(action).await, 1, "{action}");
    }
}

#[actix_web::test]
async fn who_may_suspend_whom() {
    let world = World::new().await;
    let reason = json!({"reason": "Nghi bị lộ mật khẩu"});
    let (secretary, member) = (world.secretary().await, world.member().await);
    let superior = world.officer(world.cell, Role::CommitteeOfficer, world.ward).await;
    let (officer, administrator) = (world.organisation_officer().await, world.administrator().await);
    assert_eq!(secretary.post(&path(secretary.id, "suspension"), &reason).await.expect(403).code(), "own_interest");
    secretary.post(&path(superior.id, "suspension"), &reason).await.expect(403);
    member.post(&path(secretary.id, "suspension"), &reason).await.expect(403);
    world.outsider().await.post(&path(member.id, "suspension"), &reason).await.expect(404);
    officer.post(&path(administrator.id, "suspension"), &reason).await.expect(404);
    officer.post(&path(Uuid::now_v7(), "suspension"), &reason).await.expect(404);
    superior.get("/v1/me").await.expect(200);
    officer.post(&path(secretary.id, "suspension"), &reason).await.expect(200);
    secretary.get("/v1/me").await.expect(401);
    let second = world.administrator().await;
    second.post(&path(administrator.id, "suspension"), &reason).await.expect(200);
    administrator.get("/v1/me").await.expect(401);
}

#[actix_web::test]
async fn whoever_is_no_member_any_more_is_not_reinstated() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let left = json!({"reason": "left", "last_day": "2026-11-19"});
    secretary.post(&format!("/v1/members/{}/departure", member.id), &left).await.expect(201);
    let refused = secretary.post(&path(member.id, "reinstatement"), &json!({"reason": "Nhầm"})).await.expect(422);
    assert_eq!(refused.code(), "rule_not_met");
}
