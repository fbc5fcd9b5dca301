//! Points through HTTP: visits, my month, the threshold board, exports, leaderboards.

use serde_json::json;
use sotay::kernel::security::access::Role;
use sotay::points::{Deed, award};
use uuid::Uuid;

use crate::support::{Actor, World, confirmed, points_everywhere, sum_of_entries};

impl World {
    /// Lets a member earn something that only officers attest, for setting the scene.
    async fn attend_meeting(&self, member: Uuid) {
        self.earn(member, "meeting.attended").await;
    }

    async fn earn(&self, member: Uuid, event: &'static str) {
        let now = self.app.state.clock.now();
        let deed = Deed {
            event,
            object_kind: "meeting",
            object_id: Uuid::now_v7().to_string(),
            percent: Some(100),
            ..Deed::default()
        };
        self.app.state.db.transaction(async |conn| award(conn, member, &deed, now).await).await.unwrap();
    }

    /// Enough for the threshold: four meetings of 8 points.
    async fn reach_threshold(&self, member: Uuid) {
        for _ in 0..4 {
            self.attend_meeting(member).await;
        }
    }
}

#[actix_web::test]
async fn the_first_visit_of_a_day_earns_a_point_and_the_second_says_why_not() {
    let world = World::new().await;
    let member = world.member().await;
    let first = member.post("/v1/me/visits", &json!({})).await.expect(200);
    assert_eq!(first.body["points_awarded"], 1);
    assert_eq!(first.body["entries"][0]["rule"], "daily_visit");
    assert_eq!(first.body["month"]["points"], 1);
    let second = member.request("POST", "/v1/me/visits").send().await.expect(200);
    assert_eq!(second.body["points_awarded"], 0);
    assert_eq!(second.body["refusals"][0]["reason"], "already_credited");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
}

#[actix_web::test]
async fn the_server_decides_what_day_it_is() {
    let world = World::new().await;
    let member = world.member().await;
    world.app.set_time("2026-11-30T23:59:59+07:00");
    member.post("/v1/me/visits", &json!({})).await.expect(200);
    let tomorrow = "Tue, 01 Dec 2026 12:00:00 GMT";
    let again =
        member.request("POST", "/v1/me/visits").header("Date", tomorrow).json(&json!({})).send().await.expect(200);
    assert_eq!(again.body["points_awarded"], 0);
    world.app.set_time("2026-12-01T00:00:00+07:00");
    let next = member.post("/v1/me/visits", &json!({})).await.expect(200);
    assert_eq!((&next.body["points_awarded"], &next.body["month"]["period"]), (&json!(1), &json!("2026-12")));
    assert_eq!(points_everywhere(&world, &member).await, 2, "one of each month");
}

#[actix_web::test]
async fn eight_visits_a_month_are_the_most() {
    let world = World::new().await;
    let member = world.member().await;
    world.app.set_time("2026-11-01T08:00:00+07:00");
    for _ in 0..12 {
        member.post("/v1/me/visits", &json!({})).await.expect(200);
        world.app.advance(86_400);
    }
    let refused = member.post("/v1/me/visits", &json!({})).await.expect(200);
    assert_eq!(refused.body["refusals"][0]["reason"], "month_cap");
    assert!(refused.body["refusals"][0]["detail"].as_str().unwrap().contains("8 điểm/tháng"));
    assert_eq!(sum_of_entries(&world.app, member.id).await, 8);
}

#[actix_web::test]
async fn fifty_visits_at_once_are_one() {
    let world = World::new().await;
    let member = world.member().await;
    let body = json!({});
    let all = (0..50).map(|_| member.post("/v1/me/visits", &body));
    let replies = futures_util::future::join_all(all).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let awarded: i64 = replies.iter().map(|reply| reply.body["points_awarded"].as_i64().unwrap()).sum();
    assert_eq!(awarded, 1);
    assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
}

#[actix_web::test]
async fn a_repeated_key_answers_the_same_and_awards_nothing() {
    let world = World::new().await;
    let member = world.member().await;
    let visit = || member.request("POST", "/v1/me/visits").header("Idempotency-Key", "mot").json(&json!({}));
    let first = visit().send().await.expect(200);
    world.app.advance(86_400 / 2);
    let second = visit().send().await.expect(200);
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(sum_of_entries(&world.app, member.id).await, 1);
}

#[actix_web::test]
async fn nobody_sends_their_own_points() {
    let world = World::new().await;
    let member = world.member().await;
    let other = world.member().await;
    let body = json!({"points": 999, "member_id": other.id});
    let reply = member.post("/v1/me/visits", &body).await.expect(400);
    assert_eq!(reply.code(), "invalid_request");
    assert_eq!(reply.body["errors"].as_array().unwrap().len(), 2);
    for actor in [&member, &other] {
        assert_eq!(points_everywhere(&world, actor).await, 0);
    }
}

#[actix_web::test]
async fn my_month_says_what_is_missing_and_what_to_do() {
    let world = World::new().await;
    let member = world.member().await;
    // Visits, and the regular meeting that every cell holds.
    assert_eq!(member.get("/v1/me/points").await.expect(200).body["attainable"], 8 + 8);
    world.attend_meeting(member.id).await;
    let month = member.get("/v1/me/points?period=2026-11").await.expect(200).body;
    assert_eq!((&month["points"], &month["threshold"], &month["remaining"]), (&json!(8), &json!(30), &json!(22)));
    assert_eq!((&month["prorated"], &month["days_left"]), (&json!(false), &json!(11)));
    // Only visits are left: 8 points.
    assert_eq!((&month["attainable"], &month["status"]), (&json!(8), &json!("at_risk")));
    assert_eq!(month["suggestions"][0]["rule"], "daily_visit");
    let meeting = month["by_rule"].as_array().unwrap().iter().find(|r| r["rule"] == "meeting_attended").unwrap();
    assert_eq!(meeting["points"], 8);
    world.reach_threshold(member.id).await;
    assert_eq!(member.get("/v1/me/points").await.body["status"], "met");
    member.get("/v1/me/points?period=2026-12").await.expect(400);
    world.app.set_time("2026-12-02T08:00:00+07:00");
    let past = member.get("/v1/me/points?period=2026-10").await.expect(200).body;
    assert_eq!((&past["status"], &past["days_left"]), (&json!("below"), &json!(0)));
}

#[actix_web::test]
async fn whoever_entered_during_the_month_has_a_threshold_by_days() {
    let world = World::new().await;
    let member = world.member_since(world.cell, "Phạm Văn Dũng", "2026-11-16".parse().unwrap()).await;
    let month = member.get("/v1/me/points").await.expect(200).body;
    assert_eq!((&month["threshold"], &month["prorated"]), (&json!(15), &json!(true)));
    let board = world.secretary().await.get(&format!("/v1/units/{}/points", world.cell)).await.expect(200).body;
    let row = board["items"].as_array().unwrap().iter().find(|row| row["member"]["id"] == json!(member.id)).unwrap();
    assert_eq!((&row["threshold"], &row["prorated"]), (&json!(15), &json!(true)));
    let others = board["items"].as_array().unwrap().iter().filter(|row| row["member"]["id"] != json!(member.id));
    assert!(others.map(|row| &row["prorated"]).all(|prorated| *prorated == json!(false)));
}

#[actix_web::test]
async fn entries_come_newest_first_in_pages() {
    let world = World::new().await;
    let member = world.member().await;
    for _ in 0..3 {
        world.app.advance(60);
        world.attend_meeting(member.id).await;
    }
    let first = member.get("/v1/me/points/entries?limit=2").await.expect(200).body;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let path = format!("/v1/me/points/entries?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = member.get(&path).await.expect(200).body;
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert!(second["next_cursor"].is_null());
    assert!(first["items"][0]["occurred_at"].as_str() > second["items"][0]["occurred_at"].as_str());
}

async fn board_of(world: &World, actor: &Actor, unit: Uuid) -> crate::support::Reply {
    let _ = world;
    actor.get(&format!("/v1/units/{unit}/points?period=2026-11")).await
}

#[actix_web::test]
async fn the_board_counts_whom_it_should() {
    let world = World::new().await;
    let secretary = world.secretary().await;
    let (exempt, short) =
        (world.member_of(world.cell, "Đỗ Thị Ánh").await, world.member_of(world.cell, "Vũ Văn Bảo").await);
    world.exempt(exempt.id).await;
    let away = world.member_of(world.cell, "Phan Văn Xuân").await;
    world.excuse(away.id, "2026-11-01", "2026-12-01").await;
    world.reach_threshold(secretary.id).await;
    let board = board_of(&world, &secretary, world.cell).await.expect(200).body;
    let expected = json!({"members": 4, "counted": 2, "exempt": 1, "excused": 1, "met": 1, "rate": 0.5});
    assert_eq!(board["summary"], expected);
    let names: Vec<&str> =
        board["items"].as_array().unwrap().iter().map(|row| row["member"]["full_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Đỗ Thị Ánh", "Vũ Văn Bảo", "Lê Thị Cúc", "Phan Văn Xuân"]);
    let statuses: Vec<&str> =
        board["items"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["exempt", "at_risk", "met", "excused"]);
    // The summary does not depend on the page.
    let page = secretary.get(&format!("/v1/units/{}/points?limit=1", world.cell)).await.expect(200).body;
    assert_eq!(page["summary"], expected);
    let next = format!("/v1/units/{}/points?limit=1&cursor={}", world.cell, page["next_cursor"].as_str().unwrap());
    let page = secretary.get(&next).await.expect(200).body;
    assert_eq!((&page["items"][0]["member"]["id"], &page["summary"]), (&json!(short.id), &expected));
}

#[actix_web::test]
async fn a_board_is_read_by_those_whose_grant_reaches_it() {
    let world = World::new().await;
    let (member, outsider, secretary) = (world.member().await, world.outsider().await, world.secretary().await);
    let officer = world.committee_officer().await;
    assert_eq!(board_of(&world, &member, world.cell).await.status, 403);
    assert_eq!(board_of(&world, &outsider, world.cell).await.status, 404);
    assert_eq!(board_of(&world, &secretary, world.sibling).await.status, 404);
    assert_eq!(board_of(&world, &secretary, world.ward).await.status, 403);
    assert_eq!(board_of(&world, &officer, world.ward).await.status, 200);
    assert_eq!(board_of(&world, &officer, world.other_ward).await.status, 403);
    assert_eq!(board_of(&world, &world.administrator().await, world.cell).await.status, 403);
}

#[actix_web::test]
async fn a_committee_sees_each_of_its_cells() {
    let world = World::new().await;
    let (officer, member) = (world.committee_officer().await, world.member().await);
    world.outsider().await;
    world.reach_threshold(member.id).await;
    let roll_up = officer.get(&format!("/v1/units/{}/points/summary", world.ward)).await.expect(200).body;
    assert_eq!(roll_up["summary"]["members"], 2);
    assert_eq!(roll_up["items"][0]["summary"]["rate"], json!(1.0));
    assert_eq!(roll_up["items"][1]["summary"]["rate"], json!(0.0));
    let empty = roll_up["items"].as_array().unwrap().len();
    assert_eq!(empty, 2);
}

#[actix_web::test]
async fn an_export_opens_and_leaves_a_trace() {
    let world = World::new().await;
    let (secretary, listed) = (world.secretary().await, world.member_of(world.cell, "=HYPERLINK(1)").await);
    listed.post("/v1/me/visits", &json!({})).await.expect(200);
    let path = format!("/v1/units/{}/points", world.cell);
    let csv = secretary.get(&format!("{path}.csv")).await.expect(200);
    let text = String::from_utf8(csv.bytes).unwrap();
    assert!(text.starts_with("\u{feff}STT,Họ và tên"), "{text}");
    assert!(text.contains("'=HYPERLINK(1)") && !text.contains(",=HYPERLINK"), "{text}");
    let xlsx = secretary.get(&format!("{path}.xlsx?period=2026-11")).await.expect(200);
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(xlsx.bytes)).unwrap();
    let range = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
    assert_eq!(range.get((0, 0)).unwrap().to_string(), "CHI BỘ TỔ DÂN PHỐ SỐ 5");
    assert_eq!(world.audit_count("points.exported").await, 2);
    assert_eq!(world.member().await.get(&format!("{path}.csv")).await.status, 403);
    assert_eq!(world.outsider().await.get(&format!("{path}.xlsx")).await.status, 404);
    assert_eq!(world.audit_count("points.exported").await, 2);
    assert_eq!(points_everywhere(&world, &listed).await, 1);
}

#[actix_web::test]
async fn peers_see_names_of_those_who_reached_the_threshold_only() {
    let world = World::new().await;
    let (top, viewer, outsider) =
        (world.member().await, world.member_of(world.cell, "Bùi Thị Em").await, world.outsider().await);
    let exempt = world.member_of(world.cell, "Cao Thị Giang").await;
    world.exempt(exempt.id).await;
    world.reach_threshold(top.id).await;
    let third = world.member_of(world.cell, "Đinh Văn Hà").await;
    let board = viewer.get("/v1/leaderboards/members").await.expect(200).body;
    let ranks: Vec<i64> = board["items"].as_array().unwrap().iter().map(|p| p["rank"].as_i64().unwrap()).collect();
    assert_eq!((ranks, &board["others"]), (vec![1, 2], &json!(2)), "neither the exempt one nor the other one below");
    assert_eq!(board["items"][0]["member"]["full_name"], "Nguyễn Văn An");
    assert_eq!(board["items"][1]["member"]["id"], json!(viewer.id));
    let own = third.get("/v1/leaderboards/members").await.expect(200).body;
    assert_eq!(own["me"], json!({"rank": 2, "points": 0}), "equal points share a rank");
    assert_eq!(board["me"], json!({"rank": 2, "points": 0}));
    // From another cell of the same ward the row shows only with the member's consent.
    let ward = format!("/v1/leaderboards/members?unit_id={}", world.ward);
    assert_eq!(outsider.get(&ward).await.expect(200).body["items"][0]["member"]["id"], json!(outsider.id));
    world.opt_in(top.id).await;
    assert_eq!(outsider.get(&ward).await.body["items"][0]["member"]["id"], json!(top.id));
    assert_eq!(outsider.get(&format!("/v1/leaderboards/members?unit_id={}", world.cell)).await.status, 404);

    let inspector = world.officer(world.other_cell, Role::Inspector, world.ward).await;
    let seen = inspector.get(&format!("/v1/leaderboards/members?unit_id={}", world.cell)).await.expect(200).body;
    assert_eq!(seen["items"].as_array().unwrap().len(), 3, "officers see everybody who is ranked");
}

#[actix_web::test]
async fn a_committee_sets_a_threshold_for_everything_below_from_a_month_on() {
    let world = World::new().await;
    let (officer, member) = (world.committee_officer().await, world.member().await);
    let second = world.committee_officer().await;
    let path = format!("/v1/units/{}/point-parameters", world.ward);
    let december = json!({"name": "threshold", "value": 40, "from": "2026-12"});
    confirmed(&second, officer.post(&path, &december).await).await;
    assert_eq!(member.get("/v1/me/points").await.body["threshold"], 30, "not yet");
    world.app.set_time("2026-12-10T08:00:00+07:00");
    assert_eq!(member.get("/v1/me/points").await.body["threshold"], 40);
    assert_eq!(member.get("/v1/me/points?period=2026-11").await.body["threshold"], 30, "months before keep theirs");
    // A cell's own value wins over the committee's; the board shows each member's.
    let of_cell = format!("/v1/units/{}/point-parameters", world.cell);
    let lower = json!({"name": "threshold", "value": 20, "from": "2027-01"});
    confirmed(&second, officer.post(&of_cell, &lower).await).await;
    world.app.set_time("2027-01-10T08:00:00+07:00");
    let board = officer.get(&format!("/v1/units/{}/points", world.ward)).await.expect(200).body;
    assert_eq!((&board["threshold"], &board["items"][0]["threshold"]), (&json!(40), &json!(20)));
    let known = member.get(&of_cell).await.expect(200).body;
    let threshold = known["items"].as_array().unwrap().iter().find(|item| item["name"] == "threshold").unwrap();
    assert_eq!((&threshold["value"], &threshold["unit_id"]), (&json!(20), &json!(world.cell)));
    assert_eq!(world.audit_count("points.parameter_set").await, 2);
    officer.post(&path, &json!({"name": "threshold", "value": 1, "from": "2026-11"})).await.expect(422);
    officer.post(&path, &json!({"name": "prorated", "value": 2, "from": "2027-02"})).await.expect(422);
    assert_eq!(world.secretary().await.post(&of_cell, &december).await.status, 403);
    assert_eq!(world.outsider().await.post(&of_cell, &december).await.status, 404);
}

#[actix_web::test]
async fn the_board_of_a_sibling_does_not_exist_for_a_secretary() {
    let world = World::new().await;
    let secretary = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    for file in ["points", "points/summary", "points.csv", "points.xlsx"] {
        assert_eq!(secretary.get(&format!("/v1/units/{}/{file}", world.cell)).await.status, 404, "{file}");
    }
    assert_eq!(world.audit_count("points.exported").await, 0);
    secretary.get(&format!("/v1/units/{}/points.csv", world.sibling)).await.expect(200);
    let trail = format!("/v1/audit-events?unit_id={}&action=points.exported", world.sibling);
    let events = world.inspector().await.get(&trail).await.expect(200).body;
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    assert_eq!(events["items"][0]["actor_id"], json!(secretary.id));
}

#[actix_web::test]
async fn whoever_is_exempt_and_excused_is_shown_as_exempt_everywhere() {
    let world = World::new().await;
    let (secretary, member) = (world.secretary().await, world.member().await);
    world.exempt(member.id).await;
    world.excuse(member.id, "2026-11-10", "2026-11-25").await;
    let board = board_of(&world, &secretary, world.cell).await.expect(200).body;
    let counts = &board["summary"];
    assert_eq!((&counts["exempt"], &counts["excused"], &counts["counted"]), (&json!(1), &json!(0), &json!(1)));
    assert_eq!(member.get("/v1/me/points").await.expect(200).body["status"], "exempt");
    let list = secretary.get(&format!("/v1/units/{}/members", world.cell)).await.expect(200).body;
    let listed = list["items"].as_array().unwrap().iter().find(|row| row["id"] == json!(member.id)).unwrap();
    assert_eq!(listed["status"], "exempt");
}

#[actix_web::test]
async fn what_is_credited_in_the_first_award_of_a_month_is_no_longer_suggested() {
    let world = World::new().await;
    let member = world.member().await;
    let now = world.app.state.clock.now();
    let object = |number: usize| format!("document {number:02}");
    let write = async |conn: &mut sotay::kernel::db::Conn| {
        for number in 0..30 {
            let offer = sotay::points::Offer {
                rules: &["document_read"],
                object_kind: "document",
                object_id: object(number),
                unit_ids: &[world.cell],
                title: "Tài liệu".to_owned(),
            };
            sotay::points::offer(conn, &offer, now).await?;
        }
        Ok(())
    };
    world.app.state.db.transaction(write).await.unwrap();
    // The month's row is made, read and written by one transaction.
    let deed = Deed { event: "document.read", object_kind: "document", object_id: object(0), ..Deed::default() };
    world.app.state.db.transaction(async |conn| award(conn, member.id, &deed, now).await).await.unwrap();
    let month = member.get("/v1/me/points").await.expect(200).body;
    let suggested: Vec<&str> =
        month["suggestions"].as_array().unwrap().iter().filter_map(|s| s["object"]["id"].as_str()).collect();
    assert!(suggested.contains(&"document 01") && !suggested.contains(&"document 00"), "{suggested:?}");
}

#[actix_web::test]
async fn the_cap_of_a_day_holds_for_awards_dated_long_after_it() {
    let world = World::new().await;
    world.rule_of_self_study().await;
    let (member, now) = (world.member().await, world.app.state.clock.now());
    let pass = async |day: u32| {
        let deed = Deed {
            event: "study.alone",
            object_kind: "study",
            object_id: Uuid::now_v7().to_string(),
            on: chrono::NaiveDate::from_ymd_opt(2026, 11, day),
            ..Deed::default()
        };
        let given = world.app.state.db.transaction(async |conn| award(conn, member.id, &deed, now).await).await;
        given.unwrap().points_awarded
    };
    assert_eq!((pass(2).await, pass(2).await, pass(2).await), (6, 6, 0));
    for day in [5, 6, 7, 8] {
        assert_eq!(pass(day).await, 6);
    }
    assert_eq!(pass(2).await, 0, "twelve a day were earned alone");
    assert_eq!((pass(3).await, pass(3).await, pass(3).await), (6, 6, 0), "a day before those that are kept");
    assert_eq!((pass(5).await, pass(5).await), (6, 0));
    assert_eq!(points_everywhere(&world, &member).await, 12 + 12 + 12 + 18);
}
