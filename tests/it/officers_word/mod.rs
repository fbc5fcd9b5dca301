//! Attestations, corrections and appeals: never alone, never for oneself; in ledger and boards.

mod adjustments;
mod appeals;
mod attestations;
mod waiting;

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::support::{Actor, World, points_everywhere};

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Text)]
    content: String,
}

/// A cell with a secretary and a deputy, who are members of it, and an officer above it.
struct Office {
    world: World,
    secretary: Actor,
    deputy: Actor,
    above: Actor,
    member: Actor,
}

impl Office {
    async fn new() -> Self {
        let world = World::new().await;
        let secretary = world.secretary().await;
        let deputy = world.officer(world.cell, Role::DeputySecretary, world.cell).await;
        let above = world.committee_officer().await;
        let member = world.member().await;
        Self { world, secretary, deputy, above, member }
    }

    /// What a query finds.
    async fn rows(&self, query: &str) -> Value {
        let mut conn = self.world.app.state.db.conn().await.unwrap();
        let text = format!("SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]')::text AS content FROM ({query}) x");
        let found: Content = sql_query(text).get_result(&mut *conn).await.unwrap();
        serde_json::from_str(&found.content).unwrap()
    }

    /// Does what has no route yet.
    async fn execute(&self, statement: &str) {
        let mut conn = self.world.app.state.db.conn().await.unwrap();
        sql_query(statement).execute(&mut *conn).await.unwrap();
    }

    /// The points of a member: the ledger, which must agree with totals, counters, the leaderboard and the board of the cell.
    async fn points(&self, member: &Actor) -> i64 {
        let sum = points_everywhere(&self.world, member).await;
        let board = self.above.get(&format!("/v1/units/{}/points?limit=200", self.world.cell)).await.expect(200);
        let rows = board.body["items"].as_array().unwrap();
        let row = rows.iter().find(|row| row["member"]["id"] == json!(member.id)).unwrap();
        assert_eq!(row["points"], json!(sum), "the board differs from the ledger");
        let month = member.get("/v1/me/points").await.expect(200).body;
        let of_rules = month["by_rule"].as_array().unwrap().iter().map(|rule| rule["points"].as_i64().unwrap());
        let corrections = month["corrections"].as_i64().unwrap();
        assert_eq!(of_rules.sum::<i64>() + corrections, sum, "rules and corrections do not add up to the month");
        sum
    }

    /// Notifications of a kind, once they have arrived: `[title, reason]` of each.
    async fn told(&self, actor: &Actor, kind: &str) -> Vec<Value> {
        for _ in 0..100 {
            sotay::jobs::deliver(&self.world.app.state).await.unwrap();
            let list = actor.get("/v1/me/notifications").await.expect(200);
            let items = list.body["items"].as_array().unwrap();
            let found: Vec<Value> =
                items.iter().filter(|item| item["kind"] == kind).map(|item| item["reason"].clone()).collect();
            if !found.is_empty() {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Vec::new()
    }

    /// A first visit of the day: an entry of one point. Returns its id.
    async fn visit(&self, member: &Actor) -> String {
        let visit = member.post("/v1/me/visits", &json!({})).await.expect(200);
        visit.body["entries"][0]["id"].as_str().unwrap().to_owned()
    }

    fn list(&self, kind: &str, day: &str, members: &[Uuid]) -> Value {
        json!({"unit_id": self.world.cell, "kind": kind, "day": day, "subject": "Sinh hoạt", "member_ids": members})
    }

    async fn record(&self, by: &Actor, kind: &str, day: &str, members: &[Uuid]) -> String {
        by.post("/v1/attestations", &self.list(kind, day, members)).await.expect(201).id()
    }

    async fn propose(&self, by: &Actor, member: &Actor, change: Value) -> String {
        let mut body = json!({"reason": "Bỏ sót trong danh sách", "evidence": "Biên bản số 11-BB/CB"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        by.post(&format!("/v1/members/{}/point-adjustments", member.id), &body).await.expect(201).id()
    }
}

fn confirmation(id: &str) -> String {
    format!("/v1/attestations/{id}/confirmation")
}

fn approval(id: &str) -> String {
    format!("/v1/point-adjustments/{id}/approval")
}
