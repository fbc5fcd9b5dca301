//! Adjustments and reversals: proposed, approved, refused, withdrawn, and shown to the member.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;

use super::{Office, approval};

fn three() -> Value {
    json!({"period": "2026-11", "points": 3})
}

#[actix_web::test]
async fn a_proposal_changes_nothing_until_a_second_officer_approves_it() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    office.visit(member).await;
    let id = office.propose(secretary, member, three()).await;
    let pending = office.above.get(&format!("/v1/point-adjustments/{id}")).await.expect(200);
    assert_eq!(pending.body["state"], "proposed");
    assert_eq!(secretary.post(&approval(&id), &json!({})).await.expect(403).code(), "second_officer_required");
    member.post(&approval(&id), &json!({})).await.expect(403);
    assert_eq!(office.points(member).await, 1);
    let counters = "SELECT counters FROM member_months";
    let before = office.rows(counters).await;

    let done = deputy.post(&approval(&id), &json!({})).await.expect(200);
    assert_eq!((&done.body["state"], &done.body["decided_by"]), (&json!("approved"), &json!(deputy.id)));
    assert_eq!(office.points(member).await, 4);
    assert_eq!(member.get("/v1/me/points").await.expect(200).body["corrections"], 3);
    assert_eq!(office.rows(counters).await, before, "an adjustment enters no counter");
    let entries = member.get("/v1/me/points/entries").await.expect(200).body;
    let entry = entries["items"].as_array().unwrap().iter().find(|e| e["kind"] == "adjustment").unwrap().clone();
    assert_eq!(entry["id"], done.body["entry_id"]);
    assert_eq!((&entry["rule"], &entry["points"]), (&json!("manual_adjustment"), &json!(3)));
    assert_eq!((&entry["late"], &entry["reason"]), (&json!(false), &json!("Bỏ sót trong danh sách")));
    assert_eq!(entry["object"], json!({"kind": "adjustment", "id": id}));
    assert_eq!((&entry["decision_id"], &entry["attested_by"]), (&json!(id), &json!(deputy.id)));
    assert_eq!((&entry["unit_id"], &entry["day"]), (&json!(office.world.cell), &json!("2026-11-20")));
    let visit = entries["items"].as_array().unwrap().iter().find(|e| e["kind"] == "award").unwrap();
    assert_eq!((&visit["unit_id"], &visit["day"]), (&json!(office.world.cell), &json!("2026-11-20")));
    assert!(visit["decision_id"].is_null() && visit["attested_by"].is_null());
    let marks =
        office.rows("SELECT decision_id, attested_by, unit_id, day FROM point_entries WHERE kind <> 'award'").await;
    let expected =
        json!({"decision_id": id, "attested_by": deputy.id, "unit_id": office.world.cell, "day": "2026-11-20"});
    assert_eq!(marks, json!([expected]));
    assert_eq!(office.told(member, "points_adjusted").await, [json!("Bỏ sót trong danh sách")]);
    deputy.post(&approval(&id), &json!({})).await.expect(409);
    assert_eq!(office.points(member).await, 4);
    let list = office.above.get(&format!("/v1/point-adjustments?unit_id={}&state=approved", office.world.ward)).await;
    assert_eq!(list.expect(200).body["items"][0]["id"], json!(id));
}

#[actix_web::test]
async fn nobody_proposes_or_decides_for_themselves() {
    let office = Office::new().await;
    let (secretary, deputy) = (&office.secretary, &office.deputy);
    office.world.grant(secretary.id, Role::CommitteeOfficer, Some(office.world.ward)).await;
    let own = json!({"period": "2026-11", "points": 30, "reason": "a", "evidence": "b"});
    let refused = secretary.post(&format!("/v1/members/{}/point-adjustments", secretary.id), &own).await.expect(403);
    assert_eq!(refused.code(), "own_interest");
    let id = office.propose(deputy, secretary, three()).await;
    assert_eq!(secretary.post(&approval(&id), &json!({})).await.expect(403).code(), "own_interest");
    let refusal = format!("/v1/point-adjustments/{id}/refusal");
    secretary.post(&refusal, &json!({"reason": "Không"})).await.expect(403);
    assert_eq!(deputy.post(&refusal, &json!({"reason": "Không"})).await.expect(403).code(), "second_officer_required");
    assert_eq!(office.points(secretary).await, 0);
    office.above.post(&approval(&id), &json!({})).await.expect(200);
    assert_eq!(office.points(secretary).await, 3);
}

#[actix_web::test]
async fn a_reversal_takes_an_entry_back_once_and_frees_neither_cap_nor_object() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let entry = office.visit(member).await;
    let id = office.propose(secretary, member, json!({"reverses": entry})).await;
    let path = format!("/v1/members/{}/point-adjustments", member.id);
    let again = json!({"reverses": entry, "reason": "a", "evidence": "b"});
    assert_eq!(office.above.post(&path, &again).await.expect(409).code(), "conflict");
    let done = deputy.post(&approval(&id), &json!({})).await.expect(200);
    assert_eq!((&done.body["points"], &done.body["period"]), (&json!(-1), &json!("2026-11")));
    assert_eq!(office.points(member).await, 0);
    // The day stays used up.
    let visit = member.post("/v1/me/visits", &json!({})).await.expect(200);
    assert_eq!(visit.body["refusals"][0]["reason"], "already_credited");
    assert_eq!(office.points(member).await, 0);
    let entries = member.get("/v1/me/points/entries").await.expect(200).body["items"].clone();
    let of = |kind: &str| entries.as_array().unwrap().iter().find(|e| e["kind"] == kind).unwrap().clone();
    let (award, reversal) = (of("award"), of("reversal"));
    assert_eq!((&award["id"], &award["reversed_by"]), (&json!(entry), &reversal["id"]));
    assert_eq!((&reversal["reverses"], &reversal["rule"]), (&json!(entry), &json!("reversal")));
    assert_eq!(office.told(member, "points_reversed").await.len(), 1);
    secretary.post(&path, &again).await.expect(409);
    let back = json!({"reverses": reversal["id"], "reason": "a", "evidence": "b"});
    let refused = secretary.post(&path, &back).await.expect(422);
    assert_eq!(refused.body["errors"][0]["code"], "is_a_reversal");
    // Officers who correct find the entries; the member can see that they looked.
    let listed = secretary.get(&format!("/v1/members/{}/point-entries", member.id)).await.expect(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed.body["items"], entries);
    assert_eq!(reversal["decision_id"], json!(id));
    assert_eq!(office.world.audit_count("points.entries_listed").await, 1);
}

#[actix_web::test]
async fn of_fifty_approvals_by_two_officers_one_counts() {
    let office = Office::new().await;
    let id = office.propose(&office.secretary, &office.member, three()).await;
    let (path, body) = (approval(&id), json!({}));
    let all = (0..50).map(|n| if n % 2 == 0 { &office.deputy } else { &office.above }.post(&path, &body));
    let replies = futures_util::future::join_all(all).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(409)), (1, 49));
    assert_eq!(office.points(&office.member).await, 3);
    assert_eq!(office.world.audit_count("adjustment.approved").await, 1);
}

#[actix_web::test]
async fn approvals_and_awards_at_once_lose_nothing() {
    let office = Office::new().await;
    let member = &office.member;
    let mut paths = Vec::new();
    for _ in 0..10 {
        paths.push(approval(&office.propose(&office.secretary, member, three()).await));
    }
    let body = json!({});
    let approve = paths.iter().map(|path| office.deputy.post(path, &body));
    let visit = (0..10).map(|_| member.post("/v1/me/visits", &body));
    let (approved, visited) =
        futures_util::future::join(futures_util::future::join_all(approve), futures_util::future::join_all(visit))
            .await;
    assert!(approved.iter().chain(&visited).all(|reply| reply.status == 200));
    assert_eq!(office.points(member).await, 31);
}

#[actix_web::test]
async fn a_closed_month_gets_a_late_correction() {
    let office = Office::new().await;
    let member = &office.member;
    office.world.app.set_time("2026-10-10T08:00:00+07:00");
    office.visit(member).await;
    office.world.app.set_time("2026-11-20T10:00:00+07:00");
    office.world.close_due().await;
    let october = json!({"period": "2026-10", "points": 8});
    let id = office.propose(&office.secretary, member, october).await;
    office.deputy.post(&approval(&id), &json!({})).await.expect(200);
    let entries = member.get("/v1/me/points/entries?period=2026-10").await.expect(200).body["items"].clone();
    let late = entries.as_array().unwrap().iter().find(|e| e["kind"] == "adjustment").unwrap();
    assert_eq!((&late["late"], &late["period"]), (&json!(true), &json!("2026-10")));
    let day = office.rows("SELECT day FROM point_entries WHERE late").await;
    assert_eq!(day, json!([{"day": "2026-10-31"}]));
    let points = async |period: &str| {
        let month = member.get(&format!("/v1/me/points?period={period}")).await.expect(200);
        month.body["points"].clone()
    };
    assert_eq!((points("2026-10").await, points("2026-11").await), (json!(9), json!(0)));
    assert_eq!(crate::support::sum_of_entries(&office.world.app, member.id).await, 9);
}

#[actix_web::test]
async fn no_month_falls_below_zero() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let entry = office.visit(member).await;
    let taken = office.propose(secretary, member, json!({"period": "2026-11", "points": -1})).await;
    let reversed = office.propose(secretary, member, json!({"reverses": entry})).await;
    deputy.post(&approval(&taken), &json!({})).await.expect(200);
    assert_eq!(deputy.post(&approval(&reversed), &json!({})).await.expect(422).code(), "rule_not_met");
    assert_eq!(office.points(member).await, 0);
    let state = office.above.get(&format!("/v1/point-adjustments/{reversed}")).await.expect(200).body["state"].clone();
    assert_eq!(state, "proposed", "it can still be refused");
}

#[actix_web::test]
async fn a_whole_number_may_be_written_with_a_point() {
    let office = Office::new().await;
    let (secretary, member) = (&office.secretary, &office.member);
    let id = office.propose(secretary, member, json!({"period": "2026-11", "points": 3.0})).await;
    assert_eq!(secretary.get(&format!("/v1/point-adjustments/{id}")).await.expect(200).body["points"], 3);
    let half = json!({"period": "2026-11", "points": 3.5, "reason": "Bỏ sót", "evidence": "Biên bản"});
    let refused = secretary.post(&format!("/v1/members/{}/point-adjustments", member.id), &half).await.expect(400);
    assert_eq!(refused.body["errors"][0]["pointer"], "/points");
}

#[actix_web::test]
async fn wrong_proposals_are_refused() {
    let office = Office::new().await;
    let (secretary, member) = (&office.secretary, &office.member);
    let others = office.visit(secretary).await;
    let path = format!("/v1/members/{}/point-adjustments", member.id);
    for (change, status) in [
        (json!({"period": "2026-11", "points": 0}), 422),
        (json!({"period": "2026-11", "points": 101}), 400),
        (json!({"period": "2026-11", "points": -101}), 400),
        (json!({"period": "2026-12", "points": 1}), 422),
        (json!({"period": "2026-11"}), 422),
        (json!({}), 422),
        (json!({"period": "2026-11", "points": 1, "reverses": others}), 422),
        (json!({"period": "2026-11", "points": 1, "member_id": secretary.id}), 400),
        (json!({"period": "2024-12", "points": 1}), 422),
        (json!({"reverses": others}), 422),
        (json!({"reverses": "0192f0c1-0000-7000-8000-000000000009"}), 422),
    ] {
        let mut body = json!({"reason": "a", "evidence": "b"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        secretary.post(&path, &body).await.expect(status);
    }
    assert_eq!(office.rows("SELECT id FROM point_adjustments").await, json!([]));
    let outsider = office.world.outsider().await;
    let body = json!({"period": "2026-11", "points": 1, "reason": "a", "evidence": "b"});
    secretary.post(&format!("/v1/members/{}/point-adjustments", outsider.id), &body).await.expect(404);
}

#[actix_web::test]
async fn what_was_refused_or_withdrawn_stays_so() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let entry = office.visit(member).await;
    let id = office.propose(secretary, member, json!({"reverses": entry})).await;
    let withdrawal = format!("/v1/point-adjustments/{id}/withdrawal");
    deputy.post(&withdrawal, &json!({})).await.expect(403);
    secretary.post(&withdrawal, &json!({})).await.expect(200);
    deputy.post(&approval(&id), &json!({})).await.expect(409);
    // Proposed again, then refused with a reason.
    let id = office.propose(secretary, member, json!({"reverses": entry})).await;
    let refusal = format!("/v1/point-adjustments/{id}/refusal");
    let refused = deputy.post(&refusal, &json!({"reason": "Không có căn cứ"})).await.expect(200);
    let (state, reason) = (&refused.body["state"], &refused.body["decision_reason"]);
    assert_eq!((state, reason), (&json!("refused"), &json!("Không có căn cứ")));
    office.above.post(&approval(&id), &json!({})).await.expect(409);
    assert_eq!(office.points(member).await, 1);
}
