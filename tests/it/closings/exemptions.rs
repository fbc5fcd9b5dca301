//! Exemptions and closed months: a backdated one does not change who counted at the signing.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{IN_TIME, close, closings, rows};
use crate::support::{Actor, World, confirmed};

fn exemptions(member: Uuid) -> String {
    format!("/v1/members/{member}/exemptions")
}

/// An exemption from a day on; without an end when that is empty.
fn exemption(kind: &str, from: &str, to: &str) -> Value {
    let mut body = json!({"kind": kind, "valid_from": from, "reason": "Tuổi cao"});
    if !to.is_empty() {
        body["valid_to"] = json!(to);
    }
    body
}

/// How November counts today.
async fn november(world: &World, actor: &Actor) -> Value {
    let board = actor.get(&format!("/v1/units/{}/points?period=2026-11", world.cell)).await.expect(200);
    board.body["summary"].clone()
}

#[actix_web::test]
async fn a_closed_month_is_exempted_from_only_once_it_is_reopened() {
    let world = World::new().await;
    let (secretary, member, away) = (world.secretary().await, world.member().await, world.member().await);
    let officer = world.committee_officer().await;
    let second = world.organisation_officer().await;
    let path = exemptions(member.id);
    world.app.set_time(IN_TIME);
    // November is over and open.
    let excused = exemption("excused", "2026-11-10", "2026-11-25");
    confirmed(&second, secretary.post(&exemptions(away.id), &excused).await).await;
    close(&secretary, world.cell).await.expect(200);
    let before = november(&world, &secretary).await;
    assert_eq!((&before["members"], &before["counted"]), (&json!(3), &json!(2)));
    for kind in ["exempt", "excused"] {
        for (from, to) in
            [("2026-07-01", ""), ("2026-11-30", ""), ("2026-11-05", "2026-11-06"), ("2026-10-31", "2026-12-15")]
        {
            let refused = secretary.post(&path, &exemption(kind, from, to)).await.expect(409);
            assert_eq!(refused.code(), "conflict");
            assert!(refused.body["detail"].as_str().unwrap().contains("2026-11"), "{}", refused.body);
        }
    }
    assert_eq!(november(&world, &secretary).await, before);

    // Months before the first closing, and the one that runs.
    confirmed(&second, secretary.post(&path, &exemption("exempt", "2026-10-01", "2026-11-01")).await).await;
    confirmed(&second, secretary.post(&path, &exemption("exempt", "2026-12-01", "")).await).await;
    assert_eq!(november(&world, &secretary).await, before);
    let reopening = format!("{}/2026-11/reopening", closings(world.cell));
    officer.post(&reopening, &json!({"reason": "Thiếu danh sách miễn"})).await.expect(201);
    confirmed(&second, secretary.post(&path, &exemption("exempt", "2026-11-01", "2026-12-01")).await).await;
    assert_eq!(november(&world, &secretary).await["counted"], 1);
}

#[actix_web::test]
async fn an_exemption_does_not_end_within_a_closed_month() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let second = world.organisation_officer().await;
    let made = secretary.post(&exemptions(member.id), &exemption("exempt", "2026-11-01", "")).await;
    let made = confirmed(&second, made).await.body["object_id"].clone();
    let end = format!("/v1/exemptions/{}/end", made.as_str().unwrap());
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let before = november(&world, &secretary).await;
    assert_eq!(before["exempt"], 1);
    for day in ["2026-11-15", "2026-11-30"] {
        assert_eq!(secretary.post(&end, &json!({"valid_to": day})).await.expect(409).code(), "conflict");
    }
    assert_eq!(november(&world, &secretary).await, before);
    // From the month that runs on the member may count again; what ends on that day already ends there.
    for _ in 0..2 {
        confirmed(&second, secretary.post(&end, &json!({"valid_to": "2026-12-01"})).await).await;
    }
    assert_eq!(november(&world, &secretary).await, before);
}

#[actix_web::test]
async fn an_exemption_whose_confirmation_races_the_closing_is_in_it_or_in_the_corrected_figures() {
    let world = World::new().await;
    let (secretary, second) = (world.secretary().await, world.organisation_officer().await);
    let mut members = Vec::new();
    for _ in 0..10 {
        members.push(world.member().await.id);
    }
    world.app.set_time(IN_TIME);
    let body = exemption("exempt", "2026-11-01", "");
    let mut confirmations = Vec::new();
    for member in &members {
        let waits = secretary.post(&exemptions(*member), &body).await.expect(202).id();
        confirmations.push(format!("/v1/decisions/{waits}/confirmation"));
    }
    let nothing = json!({});
    let posts = join_all(confirmations.iter().map(|path| second.post(path, &nothing)));
    let (replies, closing) = join(posts, close(&secretary, world.cell)).await;
    closing.expect(200);
    for reply in replies {
        reply.expect(200);
    }
    assert_eq!(november(&world, &secretary).await["exempt"], 10);
    let rows = rows(&secretary, world.cell).await;
    assert_eq!(rows.len(), 11);
    for member in &members {
        let row = rows.iter().find(|row| row["member"]["id"] == json!(member)).unwrap();
        assert!(row["status"] == "exempt" || row["status"] == "below", "{row}");
    }
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
}

#[actix_web::test]
async fn what_was_proposed_before_the_close_changes_the_corrected_figures_only() {
    let world = World::new().await;
    let (secretary, second, member) =
        (world.secretary().await, world.organisation_officer().await, world.member().await);
    let excuse = exemption("excused", "2026-11-05", "2026-12-01");
    let waits = secretary.post(&exemptions(member.id), &excuse).await;
    world.app.set_time(IN_TIME);
    close(&secretary, world.cell).await.expect(200);
    let late = exemption("excused", "2026-10-25", "2026-11-05");
    secretary.post(&exemptions(member.id), &late).await.expect(409);
    let signed = rows(&secretary, world.cell).await;
    let closing = secretary.get(&format!("{}/2026-11", closings(world.cell))).await.expect(200).body;
    assert_eq!(november(&world, &secretary).await["counted"], 2);

    world.app.set_time("2026-12-19T08:00:00+07:00");
    confirmed(&second, waits).await;
    while sotay::jobs::project(&world.app.state).await.unwrap() {}
    assert_eq!(november(&world, &secretary).await["counted"], 1);
    let month = member.get("/v1/me/points?period=2026-11").await.expect(200).body;
    assert_eq!((&month["status"], &month["closed"]["status"]), (&json!("excused"), &json!("below")));
    assert_eq!(rows(&secretary, world.cell).await, signed, "what was signed stays");
    let still = secretary.get(&format!("{}/2026-11", closings(world.cell))).await.expect(200).body;
    assert_eq!(still["manifest"], closing["manifest"]);
    let trend = secretary.get(&format!("/v1/units/{}/points/trend?year=2026", world.cell)).await.expect(200).body;
    assert_eq!(trend["items"][10]["counted"], 1);
    assert_eq!(crate::verify::ledger_differs(&world).await, Vec::<String>::new());
}

#[actix_web::test]
async fn after_thirty_days_it_is_too_late_to_confirm() {
    let world = World::new().await;
    let (secretary, second, member) =
        (world.secretary().await, world.organisation_officer().await, world.member().await);
    let waits = secretary.post(&exemptions(member.id), &exemption("excused", "2026-11-05", "2026-12-01")).await;
    let confirmation = format!("/v1/decisions/{}/confirmation", waits.expect(202).id());
    world.app.set_time("2026-12-21T10:00:01+07:00");
    second.post(&confirmation, &json!({})).await.expect(410);
    assert_eq!(november(&world, &secretary).await["excused"], 0);
}
