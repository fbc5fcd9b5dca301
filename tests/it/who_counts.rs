//! Who counts in a month: an excuse when it covers enough of it, everywhere the same.

use chrono::{Days, NaiveDate};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use sotay::jobs;
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::closings::{IN_TIME, close, rows};
use crate::support::{Actor, Reply, World, confirmed};

/// Excuses a member as if two officers had decided so long ago.
async fn excuse(world: &World, member: Uuid, from: &str, days: u64) {
    let from: NaiveDate = from.parse().unwrap();
    let statement = format!(
        "INSERT INTO exemptions (id, member_id, kind, valid_from, valid_to, reason, created_at)
         VALUES (gen_random_uuid(), '{member}', 'excused', '{from}', '{}', 'Ốm', '2026-01-01')",
        from + Days::new(days)
    );
    let mut conn = world.app.state.db.conn().await.unwrap();
    diesel::sql_query(statement).execute(&mut *conn).await.unwrap();
}

async fn project(world: &World) {
    while jobs::project(&world.app.state).await.unwrap() {}
}

/// How many members of the cell count in November: on the board, in its summary, in roll-ups and on the leaderboard.
async fn counted(world: &World, officer: &Actor, member: &Actor) -> i64 {
    project(world).await;
    let path = format!("/v1/units/{}/points?period=2026-11&limit=200", world.cell);
    let board = officer.get(&path).await.expect(200).body;
    let away = board["items"].as_array().unwrap().iter().filter(|row| row["status"] == "excused").count();
    let members = board["summary"]["members"].as_i64().unwrap();
    let counted = board["summary"]["counted"].as_i64().unwrap();
    assert_eq!(counted, members - i64::try_from(away).unwrap(), "{board}");
    let trend = officer.get(&format!("/v1/units/{}/points/trend?year=2026", world.cell)).await.expect(200).body;
    assert_eq!(trend["items"][10]["counted"], counted, "the roll-up says otherwise");
    let ranked = member.get("/v1/leaderboards/members?period=2026-11").await.expect(200).body;
    assert_eq!(ranked["counted"].as_i64().unwrap_or(counted), counted, "{ranked}");
    assert_eq!(crate::verify::ledger_differs(world).await, Vec::<String>::new());
    counted
}

async fn status(member: &Actor) -> Value {
    member.get("/v1/me/points?period=2026-11").await.expect(200).body["status"].clone()
}

#[actix_web::test]
async fn an_excuse_counts_when_it_covers_ten_days_of_the_month() {
    let world = World::new().await;
    let (officer, peer) = (world.committee_officer().await, world.member().await);
    let secretary = world.secretary().await;
    // From when, for how many days, and whether it counts for November.
    let excuses = [
        ("2026-11-01", 1, false),
        ("2026-11-01", 9, false),
        ("2026-11-01", 10, true),
        ("2026-11-21", 10, true),
        ("2026-11-22", 60, false),
        ("2026-10-20", 21, false),
        ("2026-10-20", 22, true),
        ("2026-10-01", 365, true),
    ];
    let mut members = Vec::new();
    for (from, days, counts) in excuses {
        let member = world.member().await;
        excuse(&world, member.id, from, days).await;
        members.push((member, counts, from, days));
    }
    assert_eq!(counted(&world, &officer, &peer).await, 10 - 4);
    for (member, excused, from, days) in &members {
        assert_eq!(status(member).await == "excused", *excused, "{days} days from {from}");
        let visit = member.post("/v1/me/visits", &json!({})).await.expect(200).body;
        assert_eq!(visit["month"]["status"] == "excused", *excused, "{days} days from {from}");
    }
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let closed = rows(&secretary, world.cell).await;
    for (member, excused, from, days) in &members {
        let row = closed.iter().find(|row| row["member"]["id"] == json!(member.id)).unwrap();
        assert_eq!(row["status"], if *excused { "excused" } else { "below" }, "{days} days from {from}");
    }
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
}

async fn set(officer: &Actor, unit: Uuid, name: &str, value: i32, from: &str) -> Reply {
    let body = json!({"name": name, "value": value, "from": from});
    officer.post(&format!("/v1/units/{unit}/point-parameters"), &body).await
}

#[actix_web::test]
async fn what_asks_less_of_members_begins_next_month() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    for (name, less) in [("threshold", 0), ("threshold", 29), ("excuse_days", 9)] {
        let refused = set(&officer, world.cell, name, less, "2026-11").await.expect(422);
        let fault = &refused.body["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/from"), &json!("too_early")), "{name}");
    }
    for (value, status) in [(0, 422), (32, 422), (-1, 400)] {
        set(&officer, world.cell, "excuse_days", value, "2026-12").await.expect(status);
    }
}

#[actix_web::test]
async fn a_parameter_that_moves_figures_takes_two_officers() {
    let world = World::new().await;
    let (officer, second, member) =
        (world.committee_officer().await, world.committee_officer().await, world.member().await);
    for (name, value) in [("threshold", 35), ("threshold_floor", 31), ("prorated", 0), ("excuse_days", 15)] {
        let waits = set(&officer, world.ward, name, value, "2026-11").await;
        let decision = waits.expect(202);
        assert_eq!(decision.body["details"], json!({"name": name, "value": value, "from": "2026-11"}));
        assert_eq!(
            member.get("/v1/me/points").await.expect(200).body["threshold"],
            if name == "threshold" { 30 } else { 35 }
        );
        let path = format!("/v1/decisions/{}/confirmation", decision.id());
        assert_eq!(officer.post(&path, &json!({})).await.expect(403).code(), "second_officer_required");
        world.secretary().await.post(&path, &json!({})).await.expect(403);
        second.post(&path, &json!({})).await.expect(200);
    }
    assert_eq!(member.get("/v1/me/points").await.expect(200).body["threshold"], 35);
    // Proposed in time, and confirmed when the bar is being jumped already.
    let late = set(&officer, world.ward, "threshold", 32, "2026-12").await.expect(202).id();
    world.app.set_time("2026-12-01T00:00:01+07:00");
    let refused = second.post(&format!("/v1/decisions/{late}/confirmation"), &json!({})).await.expect(422);
    assert_eq!(refused.body["errors"][0]["code"], "too_early");
    assert_eq!(member.get("/v1/me/points").await.expect(200).body["threshold"], 35);
    project(&world).await;
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
}

#[actix_web::test]
async fn no_threshold_is_below_the_floor_of_a_superior() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let superior = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    let second = world.officer(world.other_cell, Role::CommitteeOfficer, world.province).await;
    confirmed(&second, set(&superior, world.province, "threshold_floor", 25, "2026-11").await).await;
    for name in ["threshold", "threshold_floor"] {
        let refused = set(&officer, world.cell, name, 24, "2026-12").await.expect(422);
        assert_eq!((refused.code(), &refused.body["errors"][0]["code"]), ("rule_widened", &json!("below_floor")));
    }
    confirmed(&second, set(&officer, world.cell, "threshold", 25, "2026-12").await).await;
    // A floor that comes later binds those who had less.
    world.app.set_time("2026-12-01T08:00:00+07:00");
    confirmed(&second, set(&superior, world.ward, "threshold_floor", 28, "2026-12").await).await;
    let member = world.member().await;
    assert_eq!(member.get("/v1/me/points").await.expect(200).body["threshold"], 28);
    let board = officer.get(&format!("/v1/units/{}/points", world.cell)).await.expect(200).body;
    assert_eq!(board["items"][0]["threshold"], 28);
    let shown = member.get(&format!("/v1/units/{}/point-parameters", world.cell)).await.expect(200).body;
    let threshold = shown["items"].as_array().unwrap().iter().find(|item| item["name"] == "threshold").unwrap();
    assert_eq!((&threshold["value"], &threshold["unit_id"]), (&json!(28), &json!(world.ward)));
    project(&world).await;
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
}
