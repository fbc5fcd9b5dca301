//! Months that close by themselves from the sixth day on, across instances.

use futures_util::future::join_all;
use serde_json::json;

use super::{TOO_LATE, close, closings};
use crate::support::{TestApp, World, sum_of_entries};

#[actix_web::test]
async fn from_the_sixth_on_a_month_closes_by_itself() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    world.outsider().await;
    world.credit(member.id).await;
    world.app.set_time("2026-12-05T23:59:59+07:00");
    // Months before, back to the time when nobody belonged to a cell or a year at most: here and in the sibling cell.
    let old = world.close_due().await;
    assert_eq!(old, 24);
    secretary.get(&format!("{}/2026-11", closings(world.cell))).await.expect(404);
    world.app.set_time(TOO_LATE);
    assert_eq!(world.close_due().await, 2);
    assert_eq!(world.close_due().await, 0);
    let closing = close(&secretary, world.cell).await.expect(200).body;
    assert_eq!((&closing["closed_by"], &closing["summary"]["members"]), (&json!(null), &json!(2)));
    assert_eq!(sum_of_entries(&world.app, member.id).await, 8);
}

#[actix_web::test]
async fn instances_share_the_work_and_close_each_month_once() {
    let world = World::new().await;
    world.member().await;
    world.outsider().await;
    let mut instances = vec![TestApp::beside(&world.app).await, TestApp::beside(&world.app).await];
    instances.push(TestApp::beside(&world.app).await);
    world.app.set_time(TOO_LATE);
    let now = world.app.state.clock.now();
    let runs = instances.iter().map(|app| sotay::points::close_due(&app.state.db, &app.state.crypto, now));
    let mut closed: usize = join_all(runs).await.into_iter().map(Result::unwrap).sum();
    closed += world.close_due().await;
    assert_eq!(closed, 24);
    assert_eq!(world.audit_count("month.closed").await, 24);
}

#[actix_web::test]
async fn a_slice_that_fails_is_tried_again_whole() {
    let world = World::new().await;
    world.member().await;
    world.app.set_time(TOO_LATE);
    let state = &world.app.state;
    let now = state.clock.now();
    let failed: Result<(), _> = state
        .db
        .transaction(async |conn| {
            assert_eq!(sotay::points::close_due_slice(conn, &state.crypto, now).await?.closed, 1);
            Err(sotay::kernel::problem::Problem::not_found())
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(world.audit_count("month.closed").await, 0);
    assert_eq!(world.close_due().await, 12);
}
