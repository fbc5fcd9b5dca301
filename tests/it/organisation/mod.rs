//! Members, exemptions, roles, transfers and imports: by operation, then by who asks.

mod admission;
mod beginnings;
mod departures;
mod exemptions;
mod figures;
mod grants;
pub mod imports;
mod left_behind;
mod members;
mod planned_orders;
mod reorganisations;
mod transfers;

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::support::TestApp;

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Text)]
    content: String,
}

/// Tables that operations of this feature may write.
const TABLES: [&str; 10] = [
    "accounts",
    "members",
    "memberships",
    "sign_in_handles",
    "exemptions",
    "grants",
    "transfers",
    "decisions",
    "outbox",
    "audit_events",
];

/// What a query finds, as text.
pub async fn rows(app: &TestApp, query: &str) -> String {
    let mut conn = app.state.db.conn().await.unwrap();
    let text = format!("SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]')::text AS content FROM ({query}) x");
    sql_query(text).get_result::<Content>(&mut *conn).await.unwrap().content
}

/// How many rows a condition finds.
async fn count(app: &TestApp, from: &str) -> i64 {
    let found = rows(app, &format!("SELECT count(*) AS n FROM {from}")).await;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    found[0]["n"].as_i64().unwrap()
}

/// Everything in the tables, to be compared with what is there later.
async fn contents(app: &TestApp) -> Vec<String> {
    let mut all = Vec::new();
    for table in TABLES {
        all.push(rows(app, &format!("SELECT * FROM {table} ORDER BY 1, 2")).await);
    }
    all
}
