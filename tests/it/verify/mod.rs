//! `verify`: each projection damaged, the damage named and repaired, the ledger left as it was.

mod boards;
mod caps;
mod decisions;
mod roll_ups;
mod snapshots;

pub use self::lines as ledger_differs;
pub use boards::on_boards as boards_differ;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use serde_json::json;
use sotay::jobs;
use sotay::kernel::db::lease::{self, Lease};
use sotay::points;
use sotay::points::projection::LEASE;
use uuid::Uuid;

use crate::support::{World, database_url_as};

pub async fn lines(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut conn = world.app.state.db.conn().await.unwrap();
    points::verify(&mut conn, |_, lines| found.extend_from_slice(lines)).await.unwrap();
    found
}

/// What verification finds after a damage to a table, which is then undone.
async fn after(world: &World, table: &str, damage: &str) -> Vec<String> {
    let mut owner = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    let damage = format!("BEGIN; ALTER TABLE {table} DISABLE TRIGGER USER; {damage}");
    owner.batch_execute(&damage).await.unwrap();
    let mut found = Vec::new();
    points::verify(&mut owner, |_, lines| found.extend_from_slice(lines)).await.unwrap();
    owner.batch_execute("ROLLBACK").await.unwrap();
    found
}

async fn project(world: &World) {
    while jobs::project(&world.app.state).await.unwrap() {}
}

/// Gives the projections to a holder; no other instance works on them from now on.
pub async fn hold_as(world: &World, holder: Uuid) -> Lease {
    let state = &world.app.state;
    lease::seize(&mut state.db.conn().await.unwrap(), LEASE, holder, state.clock.now()).await.unwrap()
}

/// Damages something behind the program's back, sees it named, and has it repaired.
async fn damaged_and_repaired(damage: &str, named: &str) {
    let world = World::new().await;
    let member = world.member().await;
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    project(&world).await;
    assert_eq!(lines(&world).await, Vec::<String>::new());
    let mut owner = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    owner.batch_execute(damage).await.unwrap();
    project(&world).await;
    let found = lines(&world).await;
    assert!(found.iter().any(|line| line.contains(named)), "{found:?}");
    let mut conn = world.app.state.db.conn().await.unwrap();
    points::repair(&mut conn, |_| {}).await.unwrap();
    project(&world).await;
    assert_eq!(lines(&world).await, Vec::<String>::new());
    let month = member.get("/v1/me/points").await.expect(200).body;
    assert_eq!(month["points"], 1);
    let again = member.post("/v1/me/visits", &json!({})).await.expect(200);
    assert_eq!(again.body["points_awarded"], 0, "the counters bind as before");
}

#[actix_web::test]
async fn a_total_is_named_and_repaired() {
    damaged_and_repaired("UPDATE member_months SET points = 29", "the ledger says 1, the total 29").await;
}

#[actix_web::test]
async fn a_missing_month_is_named_and_repaired() {
    damaged_and_repaired("DELETE FROM member_months", "the ledger says 1, the total 0").await;
}

#[actix_web::test]
async fn counters_are_named_and_repaired() {
    let forgotten = "UPDATE member_months SET counters = jsonb_set(counters::jsonb, '{rules}', '{}')";
    damaged_and_repaired(forgotten, "the counters {}").await;
}

#[actix_web::test]
async fn counters_of_a_day_are_named_and_repaired() {
    let freed = "UPDATE member_months SET counters = jsonb_set(counters::jsonb, '{days,2026-11-20,self_service}', '0')";
    damaged_and_repaired(freed, "the counters of days").await;
    damaged_and_repaired("UPDATE member_months SET counters = counters::jsonb - 'days'", "the counters of days {}")
        .await;
}

#[actix_web::test]
async fn roll_ups_are_named_and_repaired() {
    damaged_and_repaired("UPDATE unit_months SET met = met + 1", "the roll-up says 1 of").await;
    damaged_and_repaired("UPDATE unit_months SET holders = array_append(holders, 1)", "reached the threshold").await;
    damaged_and_repaired("DELETE FROM unit_months", "reached the threshold").await;
}
