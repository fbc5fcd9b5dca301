//! Roll-ups follow the ledger in any order of commits; one instance keeps them, no stale one.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::jobs;
use sotay::kernel::db::lease;
use sotay::kernel::db::schema::{exemptions, memberships, point_changes, unit_months};
use sotay::kernel::db::transaction;
use sotay::kernel::duty_cycle::DutyCycle;
use sotay::kernel::security::access::Role;
use sotay::points::projection::{LEASE, step};
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, TestApp, World};
use crate::verify::ledger_differs;

fn meeting() -> Deed {
    let object_id = Uuid::now_v7().to_string();
    Deed { event: "meeting.attended", object_kind: "meeting", object_id, ..Deed::default() }
}

async fn earn(world: &World, member: Uuid, meetings: usize) {
    let now = world.app.state.clock.now();
    for _ in 0..meetings {
        let deed = meeting();
        world.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }
}

/// Projects until nothing is left to do.
async fn project(app: &TestApp) {
    while jobs::project(&app.state).await.unwrap() {}
}

async fn roll_up(officer: &Actor, unit: Uuid) -> Value {
    officer.get(&format!("/v1/units/{unit}/points/summary")).await.expect(200).body
}

fn counts(summary: &Value) -> [i64; 5] {
    ["members", "counted", "exempt", "excused", "met"].map(|name| summary[name].as_i64().unwrap())
}

#[actix_web::test]
async fn a_province_is_rolled_up_from_its_cells() {
    let world = World::new().await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let (met, short, exempt) = (world.member().await, world.outsider().await, world.member().await);
    world.exempt(exempt.id).await;
    earn(&world, met.id, 4).await;
    earn(&world, short.id, 3).await;
    project(&world.app).await;
    let province = roll_up(&officer, world.province).await;
    assert_eq!(counts(&province["summary"]), [4, 3, 1, 0, 1]);
    assert_eq!(province["as_of"], json!("2026-11-20T03:00:00Z"));
    let items = province["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    for item in items {
        let unit: Uuid = item["unit_id"].as_str().unwrap().parse().unwrap();
        assert_eq!(roll_up(&officer, unit).await["summary"], item["summary"], "as counted from the members themselves");
    }
    let mut conn = world.app.state.db.conn().await.unwrap();
    let tally: (Vec<i32>, Vec<i32>) = unit_months::table
        .filter(unit_months::unit_id.eq(world.province))
        .select((unit_months::scores, unit_months::holders))
        .first(&mut *conn)
        .await
        .unwrap();
    assert_eq!(tally, (vec![32, 24, 0], vec![1, 1, 1]));
}

#[actix_web::test]
async fn what_commits_late_is_not_missed() {
    let world = World::new().await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let (early, late) = (world.member().await, world.outsider().await);
    project(&world.app).await;
    earn(&world, late.id, 3).await;
    let (state, now) = (&world.app.state, world.app.state.clock.now());
    let (deed, mut conn) = (meeting(), state.db.conn().await.unwrap());
    transaction(&mut conn, async |conn| {
        award(conn, late.id, &deed, now).await?;
        earn(&world, early.id, 4).await;
        project(&world.app).await;
        assert_eq!(counts(&roll_up(&officer, world.province).await["summary"])[4], 1);
        Ok(())
    })
    .await
    .unwrap();
    project(&world.app).await;
    assert_eq!(counts(&roll_up(&officer, world.province).await["summary"])[4], 2);
    let waiting: i64 = point_changes::table.count().get_result(&mut *conn).await.unwrap();
    assert_eq!(waiting, 0);
}

#[actix_web::test]
async fn whoever_moves_or_is_excused_is_counted_where_they_are() {
    let world = World::new().await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let member = world.member().await;
    earn(&world, member.id, 4).await;
    project(&world.app).await;
    let (today, tomorrow): (NaiveDate, NaiveDate) = ("2026-11-20".parse().unwrap(), "2026-11-21".parse().unwrap());
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::update(memberships::table.filter(memberships::member_id.eq(member.id)))
        .set(memberships::valid_to.eq(today))
        .execute(&mut *conn)
        .await
        .unwrap();
    diesel::insert_into(memberships::table)
        .values((
            memberships::id.eq(Uuid::now_v7()),
            memberships::member_id.eq(member.id),
            memberships::unit_id.eq(world.other_cell),
            memberships::origin.eq("transferred"),
            memberships::valid_from.eq(today),
        ))
        .execute(&mut *conn)
        .await
        .unwrap();
    project(&world.app).await;
    let met = |body: &Value| {
        body["items"].as_array().unwrap().iter().map(|item| counts(&item["summary"])).collect::<Vec<_>>()
    };
    assert_eq!(met(&roll_up(&officer, world.province).await), [[0, 0, 0, 0, 0], [2, 2, 0, 0, 1]]);
    diesel::insert_into(exemptions::table)
        .values((
            exemptions::id.eq(Uuid::now_v7()),
            exemptions::member_id.eq(member.id),
            exemptions::kind.eq("exempt"),
            exemptions::valid_from.eq(tomorrow),
            exemptions::reason.eq("tuổi cao"),
            exemptions::created_at.eq(world.app.state.clock.now()),
        ))
        .execute(&mut *conn)
        .await
        .unwrap();
    project(&world.app).await;
    assert_eq!(met(&roll_up(&officer, world.province).await)[1], [2, 2, 0, 0, 1], "from tomorrow on only");
    world.app.advance(86_400);
    project(&world.app).await;
    assert_eq!(met(&roll_up(&officer, world.province).await)[1], [2, 1, 1, 0, 0]);
}

#[actix_web::test]
async fn a_threshold_reaches_the_figures_of_everything_below() {
    let world = World::new().await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let member = world.member().await;
    earn(&world, member.id, 3).await;
    project(&world.app).await;
    assert_eq!(counts(&roll_up(&officer, world.province).await["summary"])[4], 0);
    world.threshold(world.ward, 20, "2026-11-01").await;
    project(&world.app).await;
    assert_eq!(counts(&roll_up(&officer, world.province).await["summary"])[4], 1);
}

#[actix_web::test]
async fn a_stale_holder_writes_nothing() {
    let world = World::new().await;
    let (mut conn, start) = (world.app.state.db.conn().await.unwrap(), world.app.state.clock.now());
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let later = start + chrono::Duration::seconds(600);
    let stale = lease::seize(&mut conn, LEASE, first, start).await.unwrap();
    assert!(lease::take(&mut conn, LEASE, second, start).await.unwrap().is_none(), "it is the first one's");
    let taken = lease::take(&mut conn, LEASE, second, later).await.unwrap().expect("it has run out");
    assert!(taken.fence > stale.fence);
    let held = transaction(&mut conn, async |conn| {
        let held = stale.hold(conn).await?;
        if held {
            step(conn, &stale, start, &mut DutyCycle::default()).await?;
        }
        Ok(held)
    });
    assert!(!held.await.unwrap(), "the first one slept through the change of hands");
    assert!(lease::take(&mut conn, LEASE, first, start).await.unwrap().is_none());
}

#[actix_web::test]
async fn another_instance_takes_over() {
    let world = World::new().await;
    let officer = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let member = world.member().await;
    project(&world.app).await;
    let beside = TestApp::beside(&world.app).await;
    earn(&world, member.id, 4).await;
    jobs::project(&beside.state).await.unwrap();
    project(&world.app).await;
    assert_eq!(counts(&roll_up(&officer, world.province).await["summary"])[4], 1);
    let mut conn = world.app.state.db.conn().await.unwrap();
    lease::seize(&mut conn, LEASE, beside.state.instance, world.app.state.clock.now()).await.unwrap();
    earn(&world, officer.id, 4).await;
    assert!(!jobs::project(&world.app.state).await.unwrap(), "it is the other one's now");
    project(&beside).await;
    assert_eq!(counts(&roll_up(&officer, world.province).await["summary"])[4], 2);
}

/// What is claimed meanwhile concerns the months that are known already too.
#[actix_web::test]
async fn a_clock_that_was_set_back_loses_no_change() {
    let world = World::new().await;
    world.member().await;
    project(&world.app).await;
    world.app.set_time("2026-10-10T08:00:00+07:00");
    world.member().await;
    project(&world.app).await;
    world.app.set_time("2026-11-20T10:00:00+07:00");
    project(&world.app).await;
    assert_eq!(ledger_differs(&world).await, Vec::<String>::new());
}
