//! A secretary closes a month: who may, when, what is written, races.

use futures_util::future::join_all;
use serde_json::json;
use sotay::kernel::security::access::Role;
use sotay::points::{Deed, award};
use uuid::Uuid;

use super::{IN_TIME, TOO_LATE, close, closings, rows};
use crate::support::{TestApp, World, database_url_as, sum_of_entries};

#[actix_web::test]
async fn a_secretary_closes_the_month_and_sees_what_was_closed() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let exempt = world.member_of(world.cell, "Đỗ Thị Ánh").await;
    world.exempt(exempt.id).await;
    let newcomer = world.member_since(world.cell, "Phạm Văn Dũng", "2026-11-16".parse().unwrap()).await;
    for _ in 0..4 {
        world.credit(member.id).await;
    }
    for _ in 0..2 {
        world.credit(newcomer.id).await;
    }
    world.app.set_time(IN_TIME);
    let closing = close(&secretary, world.cell).await.expect(200).body;
    assert_eq!((&closing["generation"], &closing["state"]), (&json!(1), &json!("closed")));
    assert_eq!(closing["closed_by"], json!(secretary.id));
    let summary = json!({"members": 4, "counted": 3, "exempt": 1, "excused": 0, "met": 2, "rate": 2.0 / 3.0});
    assert_eq!(closing["summary"], summary);
    let rows = rows(&secretary, world.cell).await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["member"]["full_name"].as_str().unwrap(),
                row["points"].as_i64().unwrap(),
                row["status"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("Nguyễn Văn An", 32, "met"),
        ("Đỗ Thị Ánh", 0, "exempt"),
        ("Lê Thị Cúc", 0, "below"),
        ("Phạm Văn Dũng", 16, "met"),
    ];
    assert_eq!(seen, expected);
    assert_eq!((&rows[3]["threshold"], &rows[3]["prorated"]), (&json!(15), &json!(true)));
    assert_eq!(rows[0]["by_rule"], json!([{"rule": "meeting_attended", "points": 32}]));
    let detail = secretary.get(&format!("{}/2026-11", closings(world.cell))).await.expect(200).body;
    assert_eq!(detail["manifest"]["row_hashes"][3], rows[3]["hash"]);
    assert_eq!((&detail["corrected"], &detail["manifest"]["members"]), (&json!(0), &json!(4)));
    let list = secretary.get(&closings(world.cell)).await.expect(200).body;
    assert_eq!(list["items"][0]["id"], closing["id"]);
    assert_eq!(world.audit_count("month.closed").await, 1);
    sum_of_entries(&world.app, member.id).await;
}

#[actix_web::test]
async fn only_the_secretary_closes_and_only_in_the_first_five_days() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    close(&secretary, world.cell).await.expect(422);
    world.app.set_time(IN_TIME);
    for (actor, status) in [
        (&member, 403),
        (&world.committee_officer().await, 403),
        (&world.inspector().await, 403),
        (&world.outsider().await, 404),
        (&world.officer(world.sibling, Role::CellSecretary, world.sibling).await, 404),
        (&world.administrator().await, 403),
    ] {
        close(actor, world.cell).await.expect(status);
    }
    for period in ["2026-10", "2026-12", "2027-01"] {
        secretary.post(&closings(world.cell), &json!({"period": period})).await.expect(422);
    }
    secretary.post(&closings(world.cell), &json!({"period": "2026-13"})).await.expect(400);
    secretary.post(&closings(world.cell), &json!({"period": "2026-11", "points": 30})).await.expect(400);
    world.app.set_time(TOO_LATE);
    close(&secretary, world.cell).await.expect(422);
    world.app.set_time("2026-12-05T23:59:59+07:00");
    close(&secretary, world.cell).await.expect(200);
    world.app.set_time(TOO_LATE);
    // What is closed is answered as it is.
    close(&secretary, world.cell).await.expect(200);
    assert_eq!(world.audit_count("month.closed").await, 1);
}

#[actix_web::test]
async fn only_a_cell_with_members_has_a_month() {
    let world = World::new().await;
    let on_ward = world.officer(world.cell, Role::CellSecretary, world.ward).await;
    world.app.set_time(IN_TIME);
    close(&on_ward, world.ward).await.expect(422);
    close(&on_ward, world.sibling).await.expect(422);
    let list = on_ward.get(&closings(world.sibling)).await.expect(200).body;
    assert_eq!(list["items"], json!([]));
}

#[actix_web::test]
async fn the_month_counts_whole_in_the_cell_of_its_last_day() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let other = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    world.credit(member.id).await;
    let officer = world.organisation_officer().await;
    let body = json!({"to_unit_id": world.sibling, "reason": "chuyển nơi ở"});
    let transfer = secretary.post(&format!("/v1/members/{}/transfers", member.id), &body).await.expect(201).id();
    officer.post(&format!("/v1/transfers/{transfer}/accept"), &json!({"effective_on": "2026-11-30"})).await.expect(200);
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    close(&other, world.sibling).await.expect(200);
    assert_eq!(rows(&secretary, world.cell).await.len(), 1);
    let moved = rows(&other, world.sibling).await;
    let row = moved.iter().find(|row| row["member"]["id"] == json!(member.id)).unwrap();
    assert_eq!(row["points"], 8);
}

#[actix_web::test]
async fn of_many_who_close_at_once_all_get_the_same_closing() {
    let world = World::new().await;
    let (secretary, deputy) =
        (world.secretary().await, world.officer(world.cell, Role::DeputySecretary, world.cell).await);
    let second = TestApp::beside(&world.app).await;
    world.app.set_time(IN_TIME);
    let body = json!({"period": "2026-11"});
    let path = closings(world.cell);
    let posts = (0..20).map(|n| {
        let (actor, app) = if n % 2 == 0 { (&secretary, &world.app) } else { (&deputy, &second) };
        app.request("POST", &path).token(&actor.token).json(&body).send()
    });
    let replies = join_all(posts).await;
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.body["id"] == replies[0].body["id"]));
    assert_eq!(world.audit_count("month.closed").await, 1);
    assert_eq!(rows(&secretary, world.cell).await.len(), 2);
}

/// Corrections that come while the month is being closed are either in the snapshot, or late: never lost, never both.
#[actix_web::test]
async fn an_award_that_races_the_closing_counts_once() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let mut members = Vec::new();
    for _ in 0..10 {
        members.push(world.member().await.id);
    }
    world.app.set_time("2026-11-30T23:59:59+07:00");
    let before = world.app.state.clock.now();
    world.app.set_time(IN_TIME);
    // Accepted in the last second of the month, delivered only now.
    let awards = join_all(members.iter().map(|member| award_at(&world, *member, before)));
    let ((), closing) = futures_util::future::join(async { drop(awards.await) }, close(&secretary, world.cell)).await;
    closing.expect(200);
    for row in rows(&secretary, world.cell).await {
        let id: Uuid = row["member"]["id"].as_str().unwrap().parse().unwrap();
        let ledger = sum_of_entries(&world.app, id).await;
        assert_eq!(row["corrected_points"], ledger, "the ledger is what is shown as corrected");
        assert!(row["points"] == ledger || row["points"] == 0);
    }
}

async fn award_at(world: &World, member: Uuid, at: chrono::DateTime<chrono::Utc>) {
    let deed = Deed {
        event: "meeting.attended",
        object_kind: "meeting",
        object_id: Uuid::now_v7().to_string(),
        ..Deed::default()
    };
    let done = world.app.state.db.transaction(async |conn| award(conn, member, &deed, at).await).await;
    assert_eq!(done.unwrap().points_awarded, 8);
}

#[actix_web::test]
async fn a_late_correction_leaves_the_snapshot_alone() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    for _ in 0..3 {
        world.credit(member.id).await;
    }
    world.app.set_time(IN_TIME);
    let closing = close(&secretary, world.cell).await.expect(200).body;
    world.late_award(member.id, &["meeting.thematic_attended", "opinion.accepted"]).await;
    let row = rows(&secretary, world.cell).await.remove(0);
    assert_eq!((&row["points"], &row["corrected_points"], &row["status"]), (&json!(24), &json!(31), &json!("below")));
    let detail = secretary.get(&format!("{}/2026-11", closings(world.cell))).await.expect(200).body;
    assert_eq!((&detail["corrected"], &detail["closing"]), (&json!(1), &closing));
    let mine = member.get("/v1/me/points?period=2026-11").await.expect(200).body;
    assert_eq!((&mine["closed"]["points"], &mine["closed"]["corrected_points"]), (&json!(24), &json!(31)));
    assert_eq!(mine["closed"]["status"], "below");
    assert!(member.get("/v1/me/points").await.expect(200).body["closed"].is_null());
    let board = format!("/v1/units/{}/points", world.cell);
    let seen = secretary.get(&format!("{board}?period=2026-11")).await.expect(200).body["items"][0].clone();
    assert_eq!((&seen["points"], &seen["status"], &seen["closed"]), (&json!(31), &json!("met"), &mine["closed"]));
    assert!(secretary.get(&board).await.expect(200).body["items"][0]["closed"].is_null());
    let csv = async |query: &str| {
        String::from_utf8(secretary.get(&format!("{board}.csv{query}")).await.expect(200).bytes).unwrap()
    };
    let of_november = csv("?period=2026-11").await;
    assert!(of_november.contains("Kết quả,Đã chốt") && of_november.contains("An,31,30,Đạt,24"), "{of_november}");
    assert!(!csv("").await.contains("Đã chốt"), "December still runs");
    assert_eq!(member.get("/v1/me/points").await.body["points"], 0, "December has nothing of it");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 31);
}

#[actix_web::test]
async fn snapshots_are_append_only() {
    use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
    let world = World::new().await;
    let secretary = world.secretary().await;
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let mut conn = world.app.state.db.conn().await.unwrap();
    let mut owner = AsyncPgConnection::establish(&database_url_as(&world.app, "sotay_owner")).await.unwrap();
    for (table, column) in [("closings", "met"), ("closing_rows", "points"), ("report_keys", "kid")] {
        for statement in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            assert!(conn.batch_execute(&statement).await.is_err(), "{statement}");
            let error = owner.batch_execute(&statement).await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{statement}: {error}");
        }
    }
}
