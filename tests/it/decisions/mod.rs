//! One decision by two officers: the inbox, who may decide, races, expiry, slips and roles.

mod inbox;
mod onboarding;
mod races;
mod rest;
mod search;
mod slips;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Actor, Reply, World};

/// Confirms what a 202 answered.
pub async fn confirm(actor: &Actor, decision: &Value) -> Reply {
    act(actor, decision, "confirmation", &json!({})).await
}

pub async fn refuse(actor: &Actor, decision: &Value) -> Reply {
    act(actor, decision, "refusal", &json!({"reason": "chưa có nghị quyết"})).await
}

pub async fn withdraw(actor: &Actor, decision: &Value) -> Reply {
    act(actor, decision, "withdrawal", &json!({})).await
}

async fn act(actor: &Actor, decision: &Value, what: &str, body: &Value) -> Reply {
    let id = decision["id"].as_str().unwrap_or_else(|| panic!("no decision: {decision}"));
    actor.post(&format!("/v1/decisions/{id}/{what}"), body).await
}

/// Reads the code of a slip that the actor released.
pub async fn read_code(actor: &Actor, decision: &Value) -> Reply {
    let slip = decision["object_id"].as_str().unwrap();
    actor.post(&format!("/v1/activation-slips/{slip}/code"), &json!({})).await
}

/// Asks for a role; the answer is the decision that waits.
pub async fn ask_role(actor: &Actor, member: Uuid, role: &str, unit: Uuid) -> Value {
    let body = json!({"member_id": member, "role": role, "unit_id": unit});
    actor.post("/v1/grants", &body).await.expect(202).body
}

/// The ids in a unit's inbox.
pub async fn inbox(actor: &Actor, unit: Uuid, query: &str) -> Vec<Value> {
    let list = actor.get(&format!("/v1/units/{unit}/decisions{query}")).await.expect(200).body;
    list["items"].as_array().unwrap().iter().map(|decision| decision["id"].clone()).collect()
}

/// How many grants a member holds.
pub async fn roles_of(world: &World, member: Uuid) -> i64 {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;
    use sotay::kernel::db::schema::grants;
    let mut conn = world.app.state.db.conn().await.unwrap();
    let held = grants::table.filter(grants::account_id.eq(member)).filter(grants::revoked_at.is_null());
    held.count().get_result(&mut *conn).await.unwrap()
}
