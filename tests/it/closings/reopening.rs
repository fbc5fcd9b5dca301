//! A superior committee reopens a month; the old snapshot stays and the new one names it.

use serde_json::json;
use sotay::kernel::security::access::Role;

use super::{IN_TIME, close, closings, rows};
use crate::support::{World, sum_of_entries};

#[actix_web::test]
async fn a_superior_reopens_and_the_secretary_closes_again() {
    let world = World::new().await;
    let (secretary, officer, member) = (world.secretary().await, world.committee_officer().await, world.member().await);
    world.credit(member.id).await;
    world.app.set_time(IN_TIME);
    let first = close(&secretary, world.cell).await.expect(200).body;
    world.app.set_time("2026-12-20T09:00:00+07:00");
    world.close_due().await;
    world.late_award(member.id, &["meeting.thematic_attended"]).await;
    let month = format!("{}/2026-11", closings(world.cell));
    let reopened =
        officer.post(&format!("{month}/reopening"), &json!({"reason": "Thiếu danh sách"})).await.expect(201).body;
    assert_eq!((&reopened["state"], &reopened["id"]), (&json!("reopened"), &first["id"]));
    assert_eq!(reopened["reopening"]["open_until"], "2026-12-25");
    assert!(member.get("/v1/me/points?period=2026-11").await.expect(200).body["closed"].is_null());
    let board = format!("/v1/units/{}/points?period=2026-11", world.cell);
    let closed = async || secretary.get(&board).await.expect(200).body["items"][0]["closed"].clone();
    assert!(closed().await.is_null());
    officer.post(&format!("{month}/reopening"), &json!({"reason": "lần nữa"})).await.expect(409);
    world.app.advance(86_400);
    assert_eq!(world.close_due().await, 0, "the secretary has five days");

    let second = close(&secretary, world.cell).await.expect(200).body;
    assert_eq!((&second["generation"], &second["state"]), (&json!(2), &json!("closed")));
    assert_eq!(closed().await["points"], 13);
    let detail = secretary.get(&month).await.expect(200).body;
    assert_eq!(detail["manifest"]["former"]["closing_id"], first["id"]);
    assert_eq!(detail["manifest"]["former"]["manifest_hash"], first["manifest_hash"]);
    let old = secretary.get(&format!("{month}?generation=1")).await.expect(200).body;
    assert_eq!((&old["closing"]["state"], &old["closing"]["signature"]), (&json!("superseded"), &first["signature"]));
    assert_eq!(rows(&secretary, world.cell).await[0]["points"], 13);
    let before = secretary.get(&format!("{month}/rows?generation=1")).await.expect(200).body;
    assert_eq!((&before["items"][0]["points"], &before["items"][0]["corrected_points"]), (&json!(8), &json!(13)));
    secretary.get(&format!("{month}?generation=3")).await.expect(404);
    let list = secretary.get(&format!("{}?limit=1", closings(world.cell))).await.expect(200).body;
    assert_eq!(list["items"][0]["generation"], 2);
    let next = format!("{}?limit=1&cursor={}", closings(world.cell), list["next_cursor"].as_str().unwrap());
    assert_eq!(secretary.get(&next).await.expect(200).body["items"][0]["generation"], 1);
    assert_eq!(world.audit_count("month.reopened").await, 1);
    sum_of_entries(&world.app, member.id).await;
}

#[actix_web::test]
async fn a_reopened_month_closes_by_itself_after_five_days() {
    let world = World::new().await;
    let (secretary, officer) = (world.secretary().await, world.committee_officer().await);
    world.app.set_time("2026-12-06T00:10:00+07:00");
    assert!(world.close_due().await > 0);
    let month = format!("{}/2026-11", closings(world.cell));
    officer.post(&format!("{month}/reopening"), &json!({"reason": "Thiếu danh sách"})).await.expect(201);
    world.app.set_time("2026-12-11T23:00:00+07:00");
    assert_eq!(world.close_due().await, 0);
    world.app.set_time("2026-12-12T00:01:00+07:00");
    close(&secretary, world.cell).await.expect(422);
    assert_eq!(world.close_due().await, 1);
    let closing = close(&secretary, world.cell).await.expect(200).body;
    assert_eq!((&closing["generation"], &closing["closed_by"]), (&json!(2), &json!(null)));
}

#[actix_web::test]
async fn a_reopened_month_closes_by_itself_however_old_it_is() {
    let world = World::new().await;
    let (secretary, officer) = (world.secretary().await, world.committee_officer().await);
    assert!(world.close_due().await > 0);
    // A month and a year later: the passes through the last twelve months do not come to it any more.
    world.app.set_time("2026-12-06T00:10:00+07:00");
    assert_eq!(world.close_due().await, 2);
    let month = format!("{}/2025-11", closings(world.cell));
    let reason = json!({"reason": "Thiếu danh sách"});
    officer.post(&format!("{month}/reopening"), &reason).await.expect(201);
    world.app.set_time("2026-12-11T23:00:00+07:00");
    assert_eq!(world.close_due().await, 0);
    world.app.set_time("2026-12-12T00:01:00+07:00");
    secretary.post(&closings(world.cell), &json!({"period": "2025-11"})).await.expect(422);
    officer.post(&format!("{month}/reopening"), &reason).await.expect(409);
    assert_eq!(world.close_due().await, 1);
    let closing = secretary.get(&month).await.expect(200).body["closing"].clone();
    assert_eq!((&closing["state"], &closing["generation"]), (&json!("closed"), &json!(2)));
    assert_eq!((&closing["closed_by"], &closing["reopening"]), (&json!(null), &json!(null)));
    assert_eq!(world.close_due().await, 0);
}

#[actix_web::test]
async fn nobody_below_or_aside_reopens() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let path = format!("{}/2026-11/reopening", closings(world.cell));
    let body = json!({"reason": "Thiếu danh sách"});
    // A committee officer's role given on the cell itself does not come from above.
    let on_cell = world.officer(world.cell, Role::CommitteeOfficer, world.cell).await;
    for (actor, status) in [
        (&secretary, 403),
        (&world.member().await, 403),
        (&on_cell, 403),
        (&world.inspector().await, 403),
        (&world.outsider().await, 404),
        (&world.officer(world.other_cell, Role::CommitteeOfficer, world.other_ward).await, 404),
    ] {
        actor.post(&path, &body).await.expect(status);
    }
    let officer = world.committee_officer().await;
    officer.post(&path, &json!({})).await.expect(400);
    officer.post(&path, &json!({"reason": "  "})).await.expect(400);
    officer.post(&format!("{}/2026-10/reopening", closings(world.cell)), &body).await.expect(409);
    assert_eq!(world.audit_count("month.reopened").await, 0);
    officer.post(&path, &body).await.expect(201);
    for _ in 0..100 {
        sotay::jobs::deliver(&world.app.state).await.unwrap();
        if secretary.get("/v1/me/notifications").await.expect(200).body["items"][0]["kind"] == "month_reopened" {
            return;
        }
        // The server's own loop may have claimed the event first.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the secretary was not told");
}
