//! Roll-ups while changes are pending: those concerned are compared again, or are in doubt.

use std::cell::Cell;

use chrono::NaiveDate;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use serde_json::json;
use sotay::kernel::db::lease;
use sotay::points::projection::LEASE;
use sotay::points::{self, Verified};
use uuid::Uuid;

use super::{hold_as, lines, project};
use crate::support::{Actor, TestApp, World, database_url_as, run, run_to};

const CHECK: &str = "each unit's figures";

/// A cell whose figures are right, and the member of its sibling cell whose first visit waits, as no projector runs.
async fn waiting(world: &World) -> Actor {
    let (member, outsider) = (world.member().await, world.outsider().await);
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    project(world).await;
    assert_eq!(lines(world).await, Vec::<String>::new());
    let far = world.app.state.clock.now() + chrono::Duration::days(1);
    lease::seize(&mut world.app.state.db.conn().await.unwrap(), LEASE, Uuid::nil(), far).await.unwrap();
    outsider.post("/v1/me/visits", &json!({})).await.expect(200);
    outsider
}

async fn damage(world: &World, cell: Uuid) {
    let mut owner = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    owner.batch_execute(&format!("UPDATE unit_months SET met = met + 1 WHERE unit_id = '{cell}'")).await.unwrap();
}

/// The result of a verification without another comparison, and what it says.
async fn verified(world: &World) -> (Verified, Vec<String>) {
    let mut found = Vec::new();
    let mut conn = world.app.state.db.conn().await.unwrap();
    let report = |_: &str, lines: &[String], _: usize| found.extend_from_slice(lines);
    let verified = points::verify_with(&mut conn, |_| {}, async |_| Ok(false), report).await.unwrap();
    (verified, found)
}

fn names(found: &[String], unit: Uuid) -> bool {
    found.iter().any(|line| line.contains(&format!("unit {unit}, month 2026-11")))
}

#[actix_web::test]
async fn a_damage_is_named_while_changes_of_others_wait() {
    let world = World::new().await;
    waiting(&world).await;
    damage(&world, world.cell).await;
    let (verified, found) = verified(&world).await;
    assert!(names(&found, world.cell) && names(&found, world.ward), "{found:?}");
    assert!(!names(&found, world.sibling), "in doubt: {found:?}");
    assert_eq!(verified, Verified { differences: 2, in_doubt: 1 });
}

#[actix_web::test]
async fn what_a_change_waits_for_is_in_doubt_until_it_is_taken_in() {
    let world = World::new().await;
    waiting(&world).await;
    assert_eq!(verified(&world).await, (Verified { differences: 0, in_doubt: 1 }, Vec::new()));
    damage(&world, world.sibling).await;
    let (in_doubt, found) = verified(&world).await;
    assert!(!names(&found, world.sibling) && names(&found, world.ward), "the ward is made of figures only: {found:?}");
    assert_eq!(in_doubt, Verified { differences: 1, in_doubt: 1 });

    let looks = Cell::new(0);
    let again = async |looked: usize| {
        looks.set(looked + 1);
        hold_as(&world, world.app.state.instance).await;
        project(&world).await;
        Ok(looked < 2)
    };
    let mut conn = world.app.state.db.conn().await.unwrap();
    let looked_again = points::verify_with(&mut conn, |_| {}, again, |_, _, _| {}).await.unwrap();
    assert_eq!((looked_again.in_doubt, looks.get()), (0, 1));
    assert_eq!(verified(&world).await, (Verified { differences: 0, in_doubt: 0 }, Vec::new()));
}

#[actix_web::test]
async fn a_damage_is_repaired_while_changes_of_others_wait() {
    let world = World::new().await;
    let outsider = waiting(&world).await;
    damage(&world, world.cell).await;
    let repaired = points::repair(&mut world.app.state.db.conn().await.unwrap(), |_| {}).await.unwrap();
    assert_eq!(repaired.roll_ups, ["2026-11-01".parse::<NaiveDate>().unwrap()]);
    hold_as(&world, world.app.state.instance).await;
    project(&world).await;
    assert_eq!(verified(&world).await, (Verified { differences: 0, in_doubt: 0 }, Vec::new()));
    assert_eq!(outsider.get("/v1/me/points").await.expect(200).body["points"], 1);
}

/// It has patience for most of a minute first.
#[actix_web::test]
async fn the_command_never_calls_right_what_it_did_not_compare() {
    let world = World::in_app(TestApp::on_system_clock().await).await;
    waiting(&world).await;
    let printed = run_to(&world.app, &["verify"], 3).await;
    assert!(printed.contains(&format!("???? {CHECK}")) && printed.contains("1 not compared"), "{printed}");
    assert!(!printed.contains(&format!("ok   {CHECK}")) && !printed.contains("FAIL"), "{printed}");
    hold_as(&world, world.app.state.instance).await;
    project(&world).await;
    assert!(run(&world.app, &["verify"]).await.contains(&format!("ok   {CHECK}")));
}
