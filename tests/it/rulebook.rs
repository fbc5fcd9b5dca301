//! Rules as data: drafting, publishing, narrowing, and what the ledger makes of it.

use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use sotay::points::{Award, Deed, award};
use uuid::Uuid;

use crate::support::{Actor, Reply, World, sum_of_entries};

async fn draft(actor: &Actor, unit: Uuid, body: &Value) -> Reply {
    actor.post(&format!("/v1/units/{unit}/point-rule-changes"), body).await
}

/// Drafts and publishes. Returns the change's id.
async fn publish(actor: &Actor, unit: Uuid, body: &Value) -> String {
    let id = draft(actor, unit, body).await.expect(201).id();
    let path = format!("/v1/point-rule-changes/{id}/publication");
    let done = actor.post(&path, &json!({})).await.expect(200);
    assert_eq!(done.body["state"], "published");
    id
}

async fn end(actor: &Actor, id: &str, on: &str) -> Reply {
    actor.post(&format!("/v1/point-rule-changes/{id}/end"), &json!({"valid_to": on})).await
}

impl World {
    /// The unit at the top of the system is the province.
    async fn top_officer(&self) -> Actor {
        self.officer(self.other_cell, Role::CommitteeOfficer, self.province).await
    }

    async fn do_deed(&self, member: Uuid, event: &'static str, percent: i32) -> Award {
        let now = self.app.state.clock.now();
        let deed = Deed {
            event,
            object_kind: "meeting",
            object_id: Uuid::now_v7().to_string(),
            percent: Some(percent),
            ..Deed::default()
        };
        self.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap()
    }
}

/// A rule as a caller sees it.
async fn rule(actor: &Actor, query: &str, code: &str) -> Value {
    let list = actor.get(&format!("/v1/point-rules{query}")).await.expect(200);
    let items = list.body["items"].as_array().unwrap();
    items.iter().find(|rule| rule["code"] == code).unwrap().clone()
}

#[actix_web::test]
async fn a_limit_holds_from_its_day_on_for_everybody_below() {
    let world = World::new().await;
    let (member, outsider, officer) = (world.member().await, world.outsider().await, world.committee_officer().await);
    let far = world.member_of(world.other_cell, "Đỗ Thị Em").await;
    publish(&officer, world.ward, &json!({"rule": "meeting_attended", "points": 5, "valid_from": "2026-11-21"})).await;
    assert_eq!(world.do_deed(member.id, "meeting.attended", 0).await.points_awarded, 8);
    assert_eq!(rule(&member, "", "meeting_attended").await["points"], 8);
    world.app.set_time("2026-11-21T00:00:00+07:00");
    assert_eq!(world.do_deed(member.id, "meeting.attended", 0).await.points_awarded, 5);
    assert_eq!(world.do_deed(outsider.id, "meeting.attended", 0).await.points_awarded, 5);
    assert_eq!(world.do_deed(far.id, "meeting.attended", 0).await.points_awarded, 8);
    assert_eq!(sum_of_entries(&world.app, member.id).await, 13);
    let seen = rule(&member, "", "meeting_attended").await;
    assert_eq!((&seen["points"], &seen["in_force"]), (&json!(5), &json!(true)));
    assert_eq!(seen["narrowed_by"][0]["unit_name"], "Đảng bộ phường Bình Minh");
    assert_eq!(rule(&far, "", "meeting_attended").await["narrowed_by"], json!([]));
    let ward = format!("?unit_id={}", world.ward);
    assert_eq!(rule(&member, &ward, "meeting_attended").await["points"], 5);
    assert_eq!(rule(&world.administrator().await, "", "meeting_attended").await["points"], 8);
    member.get(&format!("/v1/point-rules?unit_id={}", world.sibling)).await.expect(404);
}

#[actix_web::test]
async fn the_rule_of_an_entry_is_found_on_its_day_and_a_published_change_before_its_own() {
    let world = World::new().await;
    let (member, top) = (world.member().await, world.top_officer().await);
    let new = json!({"scope": "system", "rule": "meeting_attended", "points": 10, "valid_from": "2026-12-01"});
    publish(&top, world.province, &new).await;
    let limit = json!({"rule": "meeting_attended", "points": 5, "valid_from": "2026-11-25", "valid_to": "2026-12-02"});
    publish(&world.committee_officer().await, world.ward, &limit).await;
    let months = [
        ("2026-11-20", 1, 8, json!("2026-12-01")),
        ("2026-11-30", 1, 5, json!("2026-12-01")),
        ("2026-12-01", 2, 5, json!(null)),
        ("2026-12-02", 2, 10, json!(null)),
    ];
    for today in ["2026-11-20", "2026-12-05"] {
        world.app.set_time(&format!("{today}T08:00:00+07:00"));
        for (day, version, points, valid_to) in &months {
            let seen = rule(&member, &format!("?day={day}"), "meeting_attended").await;
            assert_eq!((&seen["version"], &seen["points"]), (&json!(version), &json!(points)), "{day} on {today}");
            assert_eq!((&seen["valid_to"], &seen["event"]), (valid_to, &json!("meeting.attended")), "{day} on {today}");
        }
    }
    assert_eq!(rule(&member, "", "meeting_attended").await["valid_from"], "2026-12-01");
    let ward = format!("?unit_id={}&day=2026-11-25", world.ward);
    assert_eq!(rule(&member, &ward, "meeting_attended").await["points"], 5);
    member.get(&format!("/v1/point-rules?unit_id={}&day=2026-11-25", world.sibling)).await.expect(404);
    member.get(&format!("/v1/point-rules?unit_id={}&day=1900-01-01", world.cell)).await.expect(404);
    member.get("/v1/point-rules?day=2026-11-31").await.expect(400);
}

#[actix_web::test]
async fn a_rule_switched_off_gives_nothing_and_says_so() {
    let world = World::new().await;
    let (member, officer) = (world.member().await, world.committee_officer().await);
    let off =
        json!({"rule": "daily_visit", "switched_off": true, "valid_from": "2026-11-21", "valid_to": "2026-11-23"});
    publish(&officer, world.cell, &off).await;
    for (day, points) in [("2026-11-20", 1), ("2026-11-21", 0), ("2026-11-22", 0), ("2026-11-23", 1)] {
        world.app.set_time(&format!("{day}T08:00:00+07:00"));
        let visit = member.post("/v1/me/visits", &json!({})).await.expect(200);
        assert_eq!(visit.body["points_awarded"], points, "{day}");
        if points == 0 {
            assert_eq!(visit.body["refusals"][0]["reason"], "switched_off");
            let seen = rule(&member, "", "daily_visit").await;
            assert_eq!((&seen["in_force"], &seen["audience"]), (&json!(false), &json!("nobody")));
        }
    }
    assert_eq!(rule(&member, "", "daily_visit").await["audience"], "with_device");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 2);
}

#[actix_web::test]
async fn no_unit_widens_and_the_least_value_wins_later_too() {
    let world = World::new().await;
    let (member, officer, top) = (world.member().await, world.committee_officer().await, world.top_officer().await);
    let quiz = |points| json!({"rule": "quiz_passed", "points": points, "valid_from": "2026-11-21"});
    publish(&officer, world.ward, &quiz(5)).await;
    let wider = json!({"rule": "quiz_passed", "points": 6, "valid_from": "2026-11-22"});
    let wider = draft(&officer, world.cell, &wider).await.expect(422);
    assert_eq!((wider.code(), &wider.body["errors"][0]["pointer"]), ("rule_widened", &json!("/points")));
    let caps = json!({"rule": "document_read", "cap_day": 7, "cap_month": 50, "valid_from": "2026-11-22"});
    let wider = draft(&officer, world.cell, &caps).await.expect(422);
    assert_eq!(wider.body["errors"].as_array().unwrap().len(), 1);
    publish(&officer, world.cell, &json!({"rule": "quiz_passed", "points": 5, "valid_from": "2026-11-22"})).await;
    // The superior narrows afterwards, below what those below had left.
    publish(&top, world.province, &json!({"rule": "quiz_passed", "points": 4, "valid_from": "2026-11-23"})).await;
    for (day, points) in [("2026-11-20", 6), ("2026-11-22", 5), ("2026-11-23", 4)] {
        world.app.set_time(&format!("{day}T08:00:00+07:00"));
        assert_eq!(world.do_deed(member.id, "quiz.passed", 100).await.points_awarded, points, "{day}");
    }
    assert_eq!(world.do_deed(member.id, "quiz.passed", 50).await.points_awarded, 4);
    assert_eq!(rule(&member, "", "quiz_passed").await["narrowed_by"].as_array().unwrap().len(), 3);
    assert_eq!(sum_of_entries(&world.app, member.id).await, 19);
}

#[actix_web::test]
async fn what_is_published_stays() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let body = json!({"rule": "quiz_passed", "points": 5, "valid_from": "2026-11-21"});
    let id = publish(&officer, world.ward, &body).await;
    let path = format!("/v1/point-rule-changes/{id}");
    let tag = officer.get(&path).await.expect(200).header("etag").to_owned();
    officer.request("PUT", &path).header("If-Match", &tag).json(&body).send().await.expect(409);
    officer.delete(&path).await.expect(409);
    officer.post(&format!("{path}/publication"), &json!({})).await.expect(409);
    let mut conn = world.app.state.db.conn().await.unwrap();
    for statement in [
        "UPDATE point_rule_changes SET points = 9",
        "UPDATE point_rule_changes SET valid_to = NULL, state = 'draft'",
        "DELETE FROM point_rule_changes",
        "UPDATE point_rules SET points = 100",
        "UPDATE point_rules SET valid_from = '2019-01-01'",
        "DELETE FROM point_rules",
    ] {
        let error = diesel::sql_query(statement).execute(&mut *conn).await.unwrap_err().to_string();
        assert!(error.contains("never changed"), "{statement}: {error}");
    }
    drop(conn);
    // It can be given an earlier end, on a day to come.
    end(&officer, &id, "2026-11-20").await.expect(422);
    let ended = end(&officer, &id, "2026-11-25").await.expect(200);
    assert_eq!(ended.body["valid_to"], "2026-11-25");
    end(&officer, &id, "2026-11-26").await.expect(422);
    // Before it begins it can be ended altogether.
    end(&officer, &id, "2026-11-21").await.expect(200);
    world.app.set_time("2026-11-21T08:00:00+07:00");
    let member = world.member().await;
    assert_eq!(rule(&member, "", "quiz_passed").await["points"], 6);
    assert_eq!(world.audit_count("rule_change.ended").await, 2);
}

#[actix_web::test]
async fn a_later_change_follows_the_earlier_one() {
    let world = World::new().await;
    let (officer, member) = (world.committee_officer().await, world.member().await);
    let read = |points, from: &str| json!({"rule": "document_read", "points": points, "valid_from": from});
    let first = publish(&officer, world.ward, &read(2, "2026-11-21")).await;
    publish(&officer, world.ward, &read(1, "2026-11-24")).await;
    let ended = officer.get(&format!("/v1/point-rule-changes/{first}")).await.expect(200);
    assert_eq!(ended.body["valid_to"], "2026-11-24");
    let between = draft(&officer, world.ward, &read(2, "2026-11-22")).await.expect(201).id();
    officer.post(&format!("/v1/point-rule-changes/{between}/publication"), &json!({})).await.expect(409);
    for (day, points) in [("2026-11-23", 2), ("2026-11-24", 1)] {
        world.app.set_time(&format!("{day}T08:00:00+07:00"));
        assert_eq!(rule(&member, "", "document_read").await["points"], points);
    }
    // The draft's first day has come meanwhile.
    officer.post(&format!("/v1/point-rule-changes/{between}/publication"), &json!({})).await.expect(422);
    let drafts = officer.get(&format!("/v1/units/{}/point-rule-changes?state=draft", world.ward)).await.expect(200);
    assert_eq!(drafts.body["items"].as_array().unwrap().len(), 1);
    officer.delete(&format!("/v1/point-rule-changes/{between}")).await.expect(204);
    let all = officer.get(&format!("/v1/units/{}/point-rule-changes", world.ward)).await.expect(200);
    assert_eq!(all.body["items"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn of_ten_publications_for_one_day_one_counts() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let mut paths = Vec::new();
    for points in 1..=5 {
        let body = json!({"rule": "quiz_passed", "points": points, "valid_from": "2026-11-21"});
        let id = draft(&officer, world.ward, &body).await.expect(201).id();
        paths.push(format!("/v1/point-rule-changes/{id}/publication"));
    }
    let body = json!({});
    let replies = join_all(paths.iter().chain(&paths).map(|path| officer.post(path, &body))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
}

#[actix_web::test]
async fn only_the_top_of_the_system_makes_versions_of_its_rules() {
    let world = World::new().await;
    let (member, officer, top) = (world.member().await, world.committee_officer().await, world.top_officer().await);
    let new = json!({"scope": "system", "rule": "meeting_attended", "points": 10, "title_vi": "Dự họp chi bộ", "valid_from": "2026-12-01"});
    assert_eq!(draft(&officer, world.ward, &new).await.expect(403).code(), "forbidden");
    draft(&top, world.ward, &new).await.expect(403);
    let id = publish(&top, world.province, &new).await;
    let shown = top.get(&format!("/v1/point-rule-changes/{id}")).await.expect(200);
    assert_eq!(shown.body["rule_version"], 2);
    assert_eq!(world.do_deed(member.id, "meeting.attended", 0).await.points_awarded, 8);
    world.app.set_time("2026-12-01T08:00:00+07:00");
    let award = world.do_deed(member.id, "meeting.attended", 0).await;
    assert_eq!((award.points_awarded, award.entries[0].rule_version), (10, 2));
    let seen = rule(&member, "", "meeting_attended").await;
    assert_eq!((&seen["version"], &seen["title"]), (&json!(2), &json!("Dự họp chi bộ")));
    let tiers = json!([{"min_percent": 60, "points": 7}]);
    let quiz = json!({"scope": "system", "rule": "quiz_passed", "points": 7, "tiers": tiers, "cap_month": 21, "valid_from": "2026-12-02"});
    let id = publish(&top, world.province, &quiz).await;
    end(&top, &id, "2026-12-02").await.expect(422);
    end(&top, &id, "2026-12-05").await.expect(200);
    world.app.set_time("2026-12-04T08:00:00+07:00");
    assert_eq!(world.do_deed(member.id, "quiz.passed", 50).await.points_awarded, 0);
    assert_eq!(world.do_deed(member.id, "quiz.passed", 60).await.points_awarded, 7);
    world.app.set_time("2026-12-05T08:00:00+07:00");
    assert_eq!(world.do_deed(member.id, "quiz.passed", 60).await.points_awarded, 0);
    // An ended rule may begin again.
    let again = json!({"scope": "system", "rule": "quiz_passed", "valid_from": "2026-12-06"});
    publish(&top, world.province, &again).await;
    world.app.set_time("2026-12-06T08:00:00+07:00");
    assert_eq!(world.do_deed(member.id, "quiz.passed", 60).await.points_awarded, 7);
    sum_of_entries(&world.app, member.id).await;
}

#[actix_web::test]
async fn after_a_transfer_the_caps_of_the_new_cell_hold_over_the_whole_month() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let body = json!({"rule": "opinion_contributed", "cap_month": 2, "valid_from": "2026-11-21"});
    publish(&officer, world.cell, &body).await;
    world.app.set_time("2026-11-22T08:00:00+07:00");
    let (out, into) = (world.member().await, world.outsider().await);
    for (member, from, to, before, after) in
        [(&out, world.cell, world.sibling, 2, 4), (&into, world.sibling, world.cell, 4, 4)]
    {
        for _ in 0..3 {
            world.do_deed(member.id, "opinion.accepted", 0).await;
        }
        assert_eq!(sum_of_entries(&world.app, member.id).await, before);
        let giver = world.officer(from, Role::CellSecretary, from).await;
        let taker = world.officer(to, Role::CellSecretary, to).await;
        let wish = json!({"to_unit_id": to, "reason": "Chuyển nơi cư trú"});
        let id = giver.post(&format!("/v1/members/{}/transfers", member.id), &wish).await.expect(201).id();
        taker.post(&format!("/v1/transfers/{id}/accept"), &json!({})).await.expect(200);
        // Verification tells by the time which award was the last.
        world.app.advance(1);
        for _ in 0..3 {
            world.do_deed(member.id, "opinion.accepted", 0).await;
        }
        assert_eq!(sum_of_entries(&world.app, member.id).await, after);
    }
    // Of a day before, the rules of the cell of that day.
    for (member, then, now) in [(&out, 2, 4), (&into, 4, 2)] {
        assert_eq!(rule(member, "?day=2026-11-21", "opinion_contributed").await["cap_month"], then);
        assert_eq!(rule(member, "", "opinion_contributed").await["cap_month"], now);
    }
}

#[actix_web::test]
async fn drafts_are_for_the_officers_of_the_unit() {
    let world = World::new().await;
    let officer = world.committee_officer().await;
    let body = json!({"rule": "quiz_passed", "points": 5, "valid_from": "2026-11-21"});
    let id = draft(&officer, world.ward, &body).await.expect(201).id();
    let (list, one) = (format!("/v1/units/{}/point-rule-changes", world.ward), format!("/v1/point-rule-changes/{id}"));
    let far = world.officer(world.other_cell, Role::CommitteeOfficer, world.other_ward).await;
    for (actor, status) in [
        (&world.member().await, 403),
        (&world.secretary().await, 403),
        (&world.inspector().await, 403),
        (&world.propaganda_officer().await, 403),
        (&world.administrator().await, 403),
        (&far, 404),
    ] {
        actor.post(&list, &body).await.expect(status);
        actor.get(&list).await.expect(status);
        actor.get(&one).await.expect(status);
        actor.post(&format!("{one}/publication"), &json!({})).await.expect(status);
        actor.delete(&one).await.expect(status);
    }
    let other = json!({"rule": "quiz_passed", "points": 4, "valid_from": "2026-11-21"});
    officer.request("PUT", &one).json(&other).send().await.expect(400);
    let tag = officer.get(&one).await.expect(200).header("etag").to_owned();
    let put = |body: Value| officer.request("PUT", &one).header("If-Match", &tag).json(&body).send();
    let written = put(other.clone()).await.expect(200);
    assert_eq!((&written.body["points"], &written.body["version"]), (&json!(4), &json!(2)));
    assert_eq!(put(other).await.expect(412).code(), "precondition_failed");
    for (body, status) in [
        (json!({"rule": "no_such_rule", "points": 1, "valid_from": "2026-11-21"}), 422),
        (json!({"rule": "quiz_passed", "points": 1, "valid_from": "2026-11-20"}), 422),
        (json!({"rule": "quiz_passed", "points": 0, "valid_from": "2026-11-21"}), 400),
        (json!({"rule": "quiz_passed", "valid_from": "2026-11-21"}), 422),
        (json!({"rule": "quiz_passed", "points": 1, "valid_from": "2026-11-21", "state": "published"}), 400),
    ] {
        draft(&officer, world.ward, &body).await.expect(status);
    }
}
