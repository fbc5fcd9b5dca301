//! Exemptions and closed months: nobody's backdated word changes who counted when the month was signed.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{IN_TIME, close, closings, rows};
use crate::support::{Actor, World};

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
    let path = exemptions(member.id);
    world.app.set_time(IN_TIME);
    // November is over and open.
    let excused = exemption("excused", "2026-11-10", "2026-11-25");
    secretary.post(&exemptions(away.id), &excused).await.expect(201);
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
    secretary.post(&path, &exemption("exempt", "2026-10-01", "2026-11-01")).await.expect(201);
    secretary.post(&path, &exemption("exempt", "2026-12-01", "")).await.expect(201);
    assert_eq!(november(&world, &secretary).await, before);
    let reopening = format!("{}/2026-11/reopening", closings(world.cell));
    officer.post(&reopening, &json!({"reason": "Thiếu danh sách miễn"})).await.expect(201);
    secretary.post(&path, &exemption("exempt", "2026-11-01", "2026-12-01")).await.expect(201);
    assert_eq!(november(&world, &secretary).await["counted"], 1);
}

#[actix_web::test]
async fn an_exemption_does_not_end_within_a_closed_month() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    let made = secretary.post(&exemptions(member.id), &exemption("exempt", "2026-11-01", "")).await.expect(201).id();
    let end = format!("/v1/exemptions/{made}/end");
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
        secretary.post(&end, &json!({"valid_to": "2026-12-01"})).await.expect(200);
    }
    assert_eq!(november(&world, &secretary).await, before);
}

#[actix_web::test]
async fn an_exemption_that_races_the_closing_is_in_it_or_refused() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let mut members = Vec::new();
    for _ in 0..10 {
        members.push(world.member().await.id);
    }
    world.app.set_time(IN_TIME);
    let body = exemption("exempt", "2026-11-01", "");
    let paths: Vec<String> = members.iter().map(|member| exemptions(*member)).collect();
    let posts = join_all(paths.iter().map(|path| secretary.post(path, &body)));
    let (replies, closing) = join(posts, close(&secretary, world.cell)).await;
    closing.expect(200);
    let rows = rows(&secretary, world.cell).await;
    assert_eq!(rows.len(), 11);
    for (member, reply) in members.iter().zip(&replies) {
        let row = rows.iter().find(|row| row["member"]["id"] == json!(member)).unwrap();
        let expected = match reply.status {
            201 => "exempt",
            409 => "below",
            other => panic!("{other}"),
        };
        assert_eq!(row["status"], expected, "answered {}", reply.status);
    }
}
