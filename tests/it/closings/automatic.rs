//! Months that close by themselves from the sixth day on, across instances.

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::join_all;
use serde_json::json;
use sotay::kernel::db::Conn;
use sotay::kernel::security::access::Role;

use super::{TOO_LATE, close, closings};
use crate::support::{TestApp, World, database_url_as, sum_of_entries};

#[actix_web::test]
async fn from_the_sixth_on_a_month_closes_by_itself() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    world.outsider().await;
    world.credit(member.id).await;
    world.app.set_time("2026-12-05T23:59:59+07:00");
    // Months before, back to the time when the cells had no members or a year at most: here and in the sibling cell.
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

/// The owner of the database makes the closing of one cell's months fail, as a fault in its data would.
async fn spoil(world: &World, cell: uuid::Uuid) -> Conn {
    let mut owner = Conn::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    let trigger = format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'spoilt'; END $$;
         CREATE TRIGGER fail BEFORE INSERT ON closings FOR EACH ROW WHEN (NEW.unit_id = '{cell}') EXECUTE FUNCTION fail()"
    );
    owner.batch_execute(&trigger).await.unwrap();
    owner
}

#[actix_web::test]
async fn a_cell_that_fails_holds_up_no_other() {
    let world = World::new().await;
    world.member().await;
    world.outsider().await;
    world.app.set_time(TOO_LATE);
    let mut owner = spoil(&world, world.cell).await;
    assert_eq!(world.close_due().await, 12, "the months of the sibling");
    assert_eq!(world.close_due().await, 0, "what failed is left out today");
    owner.batch_execute("DROP TRIGGER fail ON closings").await.unwrap();
    world.app.advance(86_400);
    assert_eq!(world.close_due().await, 12);
}

#[actix_web::test]
async fn a_reopened_month_that_fails_holds_up_no_other() {
    let world = World::new().await;
    world.member().await;
    world.outsider().await;
    let superior = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    world.app.set_time(TOO_LATE);
    world.close_due().await;
    for cell in [world.cell, world.sibling] {
        let body = json!({"reason": "Ghi sót buổi sinh hoạt"});
        superior.post(&format!("{}/2026-11/reopening", closings(cell)), &body).await.expect(201);
    }
    world.app.advance(8 * 86_400);
    let mut owner = spoil(&world, world.cell).await;
    assert_eq!(world.close_due().await, 1, "the sibling's");
    owner.batch_execute("DROP TRIGGER fail ON closings").await.unwrap();
    world.app.advance(86_400);
    assert_eq!(world.close_due().await, 1);
}
