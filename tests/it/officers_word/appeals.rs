//! Appeals: filing, listing, answering, and who must not answer.

use serde_json::json;

use super::{Office, confirmation};
use crate::support::Actor;

impl Office {
    pub async fn appeal(&self, member: &Actor) -> String {
        let body =
            json!({"kind": "missing", "period": "2026-11", "object": "Sinh hoạt ngày 05/11", "text": "Tôi có dự họp."});
        member.post("/v1/me/appeals", &body).await.expect(201).id()
    }
}

fn answer(id: &str) -> String {
    format!("/v1/appeals/{id}/answer")
}

#[actix_web::test]
async fn an_appeal_is_answered_with_a_reason_that_the_member_sees() {
    let office = Office::new().await;
    let (secretary, member) = (&office.secretary, &office.member);
    let id = office.appeal(member).await;
    let list = secretary.get(&format!("/v1/appeals?unit_id={}&state=open", office.world.cell)).await.expect(200);
    let open = &list.body["items"][0];
    assert_eq!((&open["id"], &open["text"]), (&json!(id), &json!("Tôi có dự họp.")));
    member.get(&format!("/v1/appeals?unit_id={}", office.world.cell)).await.expect(403);
    office.world.outsider().await.get(&format!("/v1/appeals?unit_id={}", office.world.cell)).await.expect(404);
    let dismissed = json!({"outcome": "dismissed", "reason": "Biên bản không có tên đồng chí."});
    member.post(&answer(&id), &dismissed).await.expect(403);
    let done = secretary.post(&answer(&id), &dismissed).await.expect(200);
    assert_eq!((&done.body["state"], &done.body["kind"]), (&json!("dismissed"), &json!("missing")));
    assert_eq!(office.told(member, "appeal_dismissed").await, [json!("Biên bản không có tên đồng chí.")]);
    let mine = member.get("/v1/me/appeals").await.expect(200);
    assert_eq!(mine.body["items"][0]["reason"], "Biên bản không có tên đồng chí.");
    office.deputy.post(&answer(&id), &dismissed).await.expect(409);
    assert_eq!(office.points(member).await, 0);
    for action in ["appeal.filed", "appeal.answered"] {
        assert_eq!(office.world.audit_count(action).await, 1, "{action}");
    }
}

#[actix_web::test]
async fn an_upheld_appeal_names_an_adjustment_that_two_officers_decide() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let id = office.appeal(member).await;
    let eight = json!({"period": "2026-11", "points": 8});
    let adjustment = office.propose(secretary, member, eight.clone()).await;
    let others = office.propose(deputy, secretary, eight).await;
    let with =
        |outcome: &str, adjustment: &str| json!({"outcome": outcome, "reason": "Đúng", "adjustment_id": adjustment});
    secretary.post(&answer(&id), &with("dismissed", &adjustment)).await.expect(422);
    let refused = secretary.post(&answer(&id), &with("upheld", &others)).await.expect(422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/adjustment_id");
    let done = secretary.post(&answer(&id), &with("upheld", &adjustment)).await.expect(200);
    assert_eq!((&done.body["state"], &done.body["adjustment_id"]), (&json!("upheld"), &json!(adjustment)));
    assert_eq!(office.points(member).await, 0, "an answer changes no points");
    deputy.post(&super::approval(&adjustment), &json!({})).await.expect(200);
    assert_eq!(office.points(member).await, 8);
    assert_eq!(office.told(member, "appeal_upheld").await, [json!("Đúng")]);
}

#[actix_web::test]
async fn whoever_has_a_part_in_it_does_not_answer() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let own = office.appeal(secretary).await;
    let upheld = json!({"outcome": "upheld", "reason": "Đúng"});
    assert_eq!(secretary.post(&answer(&own), &upheld).await.expect(403).code(), "own_interest");
    let list = office.record(secretary, "meeting_attended", "2026-11-05", &[member.id]).await;
    deputy.post(&confirmation(&list), &json!({})).await.expect(200);
    let entries = member.get("/v1/me/points/entries").await.expect(200);
    let wrong = json!({"kind": "wrong", "period": "2026-11", "entry_id": entries.body["items"][0]["id"], "text": "Tôi vắng mặt."});
    assert_eq!(office.called("appeal_waiting").await, [deputy.id]);
    office.world.app.advance(1);
    let about = member.post("/v1/me/appeals", &wrong).await.expect(201).id();
    // Officers who had a part in it are not asked to answer.
    assert_eq!(office.called("appeal_waiting").await, [deputy.id, office.above.id]);
    for officer in [secretary, deputy] {
        assert_eq!(officer.post(&answer(&about), &upheld).await.expect(403).code(), "own_interest");
    }
    office.above.post(&answer(&about), &upheld).await.expect(200);
    // The same of an adjustment: neither its proposer nor its approver.
    let id = office.propose(deputy, member, json!({"period": "2026-11", "points": 3})).await;
    let done = office.above.post(&super::approval(&id), &json!({})).await.expect(200);
    let wrong =
        json!({"kind": "wrong", "period": "2026-11", "entry_id": done.body["entry_id"], "text": "Tôi không đồng ý."});
    office.world.app.advance(1);
    let about = member.post("/v1/me/appeals", &wrong).await.expect(201).id();
    assert_eq!(office.called("appeal_waiting").await[2..], [secretary.id]);
    for officer in [deputy, &office.above] {
        assert_eq!(officer.post(&answer(&about), &upheld).await.expect(403).code(), "own_interest");
    }
    secretary.post(&answer(&about), &upheld).await.expect(200);
}

#[actix_web::test]
async fn five_appeals_of_a_member_wait_at_most() {
    let office = Office::new().await;
    let member = &office.member;
    let body = json!({"kind": "missing", "period": "2026-11", "text": "Thiếu điểm."});
    let all = (0..12).map(|_| member.post("/v1/me/appeals", &body));
    let replies = futures_util::future::join_all(all).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(201), count(409)), (5, 7));
    let first = member.get("/v1/me/appeals?limit=1").await.expect(200);
    let (id, cursor) = (first.body["items"][0]["id"].as_str().unwrap(), first.body["next_cursor"].as_str().unwrap());
    member.get(&format!("/v1/me/appeals?limit=1&cursor={cursor}")).await.expect(200);
    let dismissed = json!({"outcome": "dismissed", "reason": "Không"});
    office.secretary.post(&answer(id), &dismissed).await.expect(200);
    member.post("/v1/me/appeals", &body).await.expect(201);
}

#[actix_web::test]
async fn wrong_appeals_are_refused() {
    let office = Office::new().await;
    let member = &office.member;
    let (mine, others) = (office.visit(member).await, office.visit(&office.secretary).await);
    let wrong =
        |entry: &str, period: &str| json!({"kind": "wrong", "period": period, "entry_id": entry, "text": "Sai."});
    for (body, status) in [
        (json!({"kind": "wrong", "period": "2026-11", "text": "Sai."}), 422),
        (json!({"kind": "missing", "period": "2026-11", "entry_id": mine, "text": "Thiếu."}), 422),
        (json!({"kind": "missing", "period": "2026-12", "text": "Thiếu."}), 422),
        (json!({"kind": "missing", "period": "2026-11", "text": " "}), 400),
        (json!({"kind": "missing", "period": "2026-11", "text": "Thiếu.", "state": "upheld"}), 400),
        (wrong(&others, "2026-11"), 422),
        (wrong(&mine, "2026-10"), 422),
        (wrong(&mine, "2026-11"), 201),
        (wrong(&mine, "2026-11"), 409),
    ] {
        member.post("/v1/me/appeals", &body).await.expect(status);
    }
    office.world.administrator().await.post("/v1/me/appeals", &wrong(&mine, "2026-11")).await.expect(403);
    assert_eq!(office.rows("SELECT count(*) AS n FROM point_appeals").await, json!([{"n": 1}]));
}
