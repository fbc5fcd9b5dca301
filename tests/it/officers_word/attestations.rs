//! Attestations: recording, confirming, declining, withdrawing.

use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use super::{Office, confirmation};

const MEETING: &str = "meeting_attended";

#[actix_web::test]
async fn a_list_earns_nothing_until_a_second_officer_confirms_it() {
    let office = Office::new().await;
    let (secretary, member) = (&office.secretary, &office.member);
    let other = office.world.member().await;
    let ids = [member.id, other.id, secretary.id];
    let made = secretary.post("/v1/attestations", &office.list(MEETING, "2026-11-05", &ids)).await.expect(201);
    assert_eq!((&made.body["state"], &made.body["member_count"]), (&json!("recorded"), &json!(3)));
    assert_eq!(made.body["members"][0]["points_awarded"], Value::Null);
    assert_eq!(office.points(member).await, 0);
    let path = confirmation(&made.id());
    assert_eq!(secretary.post(&path, &json!({})).await.expect(403).code(), "second_officer_required");
    member.post(&path, &json!({})).await.expect(403);
    assert_eq!(office.points(member).await, 0);

    let done = office.deputy.post(&path, &json!({})).await.expect(200);
    assert_eq!((&done.body["state"], &done.body["decided_by"]), (&json!("confirmed"), &json!(office.deputy.id)));
    for listed in done.body["members"].as_array().unwrap() {
        assert_eq!((&listed["points_awarded"], &listed["refusals"]), (&json!(8), &json!([])));
    }
    for actor in [member, &other, secretary] {
        assert_eq!(office.points(actor).await, 8);
    }
    let entries =
        office.rows("SELECT DISTINCT rule_code, object_kind, object_id, attested_by FROM point_entries").await;
    let entry =
        json!({"rule_code": MEETING, "object_kind": "meeting", "object_id": "2026-11", "attested_by": secretary.id});
    assert_eq!(entries, json!([entry]));
    assert_eq!(office.deputy.post(&path, &json!({})).await.expect(409).code(), "conflict");
    let seen = office.above.get(&format!("/v1/attestations?unit_id={}&state=confirmed", office.world.ward)).await;
    assert_eq!(seen.expect(200).body["items"][0]["id"], made.body["id"]);
    for action in ["attestation.recorded", "attestation.confirmed"] {
        assert_eq!(office.world.audit_count(action).await, 1, "{action}");
    }
}

#[actix_web::test]
async fn nobody_confirms_a_list_they_are_on_whatever_roles_they_hold() {
    let office = Office::new().await;
    let (secretary, deputy) = (&office.secretary, &office.deputy);
    office.world.grant(deputy.id, Role::CommitteeOfficer, Some(office.world.ward)).await;
    office.world.grant(secretary.id, Role::CommitteeOfficer, Some(office.world.ward)).await;
    let id = office.record(secretary, MEETING, "2026-11-05", &[office.member.id, deputy.id]).await;
    assert_eq!(deputy.post(&confirmation(&id), &json!({})).await.expect(403).code(), "own_interest");
    assert_eq!(secretary.post(&confirmation(&id), &json!({})).await.expect(403).code(), "second_officer_required");
    assert_eq!(office.points(deputy).await + office.points(&office.member).await, 0);
    // Split in two lists of the same meeting, each confirmed by an officer who is not on it, all members are included.
    let theirs = office.record(deputy, MEETING, "2026-11-05", &[office.member.id]).await;
    secretary.post(&confirmation(&theirs), &json!({})).await.expect(200);
    let done = office.above.post(&confirmation(&id), &json!({})).await.expect(200);
    let members = done.body["members"].as_array().unwrap();
    let of = |id: Uuid| members.iter().find(|listed| listed["member_id"] == json!(id)).unwrap();
    assert_eq!(of(deputy.id)["points_awarded"], 8);
    assert_eq!(of(office.member.id)["points_awarded"], 0);
    assert_eq!(of(office.member.id)["refusals"][0]["reason"], "already_credited");
    assert_eq!((office.points(deputy).await, office.points(&office.member).await), (8, 8));
}

#[actix_web::test]
async fn the_recorder_is_on_no_list_of_opinions_or_of_assisted_study() {
    let office = Office::new().await;
    for kind in ["opinion_contributed", "assisted_session"] {
        let list = office.list(kind, "2026-11-05", &[office.member.id, office.secretary.id]);
        let refused = office.secretary.post("/v1/attestations", &list).await.expect(403);
        assert_eq!(refused.code(), "own_interest", "{kind}");
    }
    assert_eq!(office.rows("SELECT id FROM attestations").await, json!([]));
}

#[actix_web::test]
async fn a_cell_has_one_regular_meeting_a_month() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let first = office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    let another_day = office.list(MEETING, "2026-11-06", &[member.id]);
    assert_eq!(secretary.post("/v1/attestations", &another_day).await.expect(409).code(), "conflict");
    deputy.post(&format!("/v1/attestations/{first}/decline"), &json!({"reason": "Sai ngày"})).await.expect(200);
    let right = secretary.post("/v1/attestations", &another_day).await.expect(201).id();
    deputy.post(&confirmation(&right), &json!({})).await.expect(200);
    secretary.post("/v1/attestations", &office.list(MEETING, "2026-11-05", &[member.id])).await.expect(409);
    // The same meeting again earns nothing, neither here nor under the name of another cell.
    let again = office.record(secretary, MEETING, "2026-11-06", &[member.id]).await;
    let done = deputy.post(&confirmation(&again), &json!({})).await.expect(200);
    assert_eq!(done.body["members"][0]["refusals"][0]["reason"], "already_credited");
    // Thematic meetings are other meetings; two lists of one are one.
    for _ in 0..2 {
        let id = office.record(secretary, "thematic_meeting_attended", "2026-11-06", &[member.id]).await;
        deputy.post(&confirmation(&id), &json!({})).await.expect(200);
    }
    assert_eq!(office.points(member).await, 8 + 5);
}

#[actix_web::test]
async fn opinions_and_assisted_study_stop_at_their_caps() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    // The same opinion written down twice is one.
    for (subject, points) in [("Góp ý dự thảo", 2), ("góp ý  DỰ THẢO", 2), ("Góp ý nghị quyết", 4), ("Góp ý khác", 4)]
    {
        let mut list = office.list("opinion_contributed", "2026-11-05", &[member.id]);
        list["subject"] = json!(subject);
        let id = secretary.post("/v1/attestations", &list).await.expect(201).id();
        deputy.post(&confirmation(&id), &json!({})).await.expect(200);
        assert_eq!(office.points(member).await, points, "{subject}");
    }
    let helped = office.record(secretary, "assisted_session", "2026-11-05", &[member.id]).await;
    let done = deputy.post(&confirmation(&helped), &json!({})).await.expect(200);
    assert_eq!(done.body["members"][0]["refusals"][0]["reason"], "not_for_this_member");
    office.execute(&format!("UPDATE members SET without_device = true WHERE id = '{}'", member.id)).await;
    for _ in 0..2 {
        let id = office.record(secretary, "assisted_session", "2026-11-05", &[member.id]).await;
        deputy.post(&confirmation(&id), &json!({})).await.expect(200);
    }
    assert_eq!(office.points(member).await, 4 + 2);
}

#[actix_web::test]
async fn a_cap_of_a_day_holds_for_days_long_past() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let limit = json!({"rule": "opinion_contributed", "cap_day": 2, "valid_from": "2026-11-21"});
    let path = format!("/v1/units/{}/point-rule-changes", office.world.ward);
    let change = office.above.post(&path, &limit).await.expect(201).id();
    office.above.post(&format!("/v1/point-rule-changes/{change}/publication"), &json!({})).await.expect(200);
    office.world.app.set_time("2026-11-30T08:00:00+07:00");
    let attest = async |kind: &str, day: &str, subject: &str| {
        let mut list = office.list(kind, day, &[member.id]);
        list["subject"] = json!(subject);
        let id = secretary.post("/v1/attestations", &list).await.expect(201).id();
        let done = deputy.post(&confirmation(&id), &json!({})).await.expect(200);
        done.body["members"][0]["refusals"][0]["reason"].clone()
    };
    assert_eq!(attest("opinion_contributed", "2026-11-21", "một").await, Value::Null);
    for day in ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"] {
        assert_eq!(attest("thematic_meeting_attended", day, "Chuyên đề").await, Value::Null);
    }
    assert_eq!(attest("opinion_contributed", "2026-11-21", "hai").await, "day_cap");
    assert_eq!(office.points(member).await, 2 + 4 * 5);
}

#[actix_web::test]
async fn of_fifty_confirmations_by_two_officers_one_counts() {
    let office = Office::new().await;
    let members: Vec<Uuid> = {
        let mut ids = vec![office.member.id];
        for _ in 0..5 {
            ids.push(office.world.member().await.id);
        }
        ids
    };
    let id = office.record(&office.secretary, MEETING, "2026-11-05", &members).await;
    let (path, body) = (confirmation(&id), json!({}));
    let all = (0..50).map(|n| if n % 2 == 0 { &office.deputy } else { &office.above }.post(&path, &body));
    let replies = futures_util::future::join_all(all).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(409)), (1, 49));
    assert_eq!(office.points(&office.member).await, 8);
    assert_eq!(office.rows("SELECT sum(points) AS points FROM point_entries").await, json!([{"points": 48}]));
    assert_eq!(office.world.audit_count("attestation.confirmed").await, 1);
}

#[actix_web::test]
async fn two_lists_of_the_same_members_confirmed_at_once_credit_once() {
    let office = Office::new().await;
    let other = office.world.member().await;
    let first = office.record(&office.secretary, MEETING, "2026-11-05", &[office.member.id, other.id]).await;
    let second = office.record(&office.secretary, MEETING, "2026-11-05", &[other.id, office.member.id]).await;
    let (one, two, body) = (confirmation(&first), confirmation(&second), json!({}));
    let (a, b) = futures_util::future::join(office.deputy.post(&one, &body), office.above.post(&two, &body)).await;
    assert_eq!((a.status, b.status), (200, 200));
    assert_eq!((office.points(&office.member).await, office.points(&other).await), (8, 8));
}

#[actix_web::test]
async fn a_repeated_key_answers_the_same_and_awards_nothing() {
    let office = Office::new().await;
    let id = office.record(&office.secretary, MEETING, "2026-11-05", &[office.member.id]).await;
    let confirm =
        || office.deputy.request("POST", &confirmation(&id)).header("Idempotency-Key", "mot").json(&json!({}));
    let first = confirm().send().await.expect(200);
    let second = confirm().send().await.expect(200);
    assert_eq!(first.body, second.body);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(office.points(&office.member).await, 8);
}

#[actix_web::test]
async fn what_was_withdrawn_or_declined_is_not_confirmed() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let id = office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    let (withdrawal, decline) = (format!("/v1/attestations/{id}/withdrawal"), format!("/v1/attestations/{id}/decline"));
    deputy.post(&withdrawal, &json!({})).await.expect(403);
    let refused = secretary.post(&decline, &json!({"reason": "Nhầm"})).await.expect(403);
    assert_eq!(refused.code(), "second_officer_required");
    let gone = secretary.post(&withdrawal, &json!({})).await.expect(200);
    assert_eq!(gone.body["state"], "withdrawn");
    deputy.post(&confirmation(&id), &json!({})).await.expect(409);
    deputy.post(&decline, &json!({"reason": "Nhầm"})).await.expect(409);
    secretary.post(&withdrawal, &json!({})).await.expect(409);
    let id = office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    let declined =
        deputy.post(&format!("/v1/attestations/{id}/decline"), &json!({"reason": "Thiếu chữ ký"})).await.expect(200);
    assert_eq!(declined.body["decision_reason"], "Thiếu chữ ký");
    office.above.post(&confirmation(&id), &json!({})).await.expect(409);
    assert_eq!(office.points(member).await, 0);
}

#[actix_web::test]
async fn a_stranger_on_the_list_is_pointed_at() {
    let office = Office::new().await;
    let (secretary, member) = (&office.secretary, office.member.id);
    let outsider = office.world.outsider().await.id;
    let list = office.list(MEETING, "2026-11-05", &[member, outsider, Uuid::from_u128(7)]);
    let refused = secretary.post("/v1/attestations", &list).await.expect(422);
    let pointers: Vec<&Value> = refused.body["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!((refused.code(), pointers), ("rule_not_met", vec![&json!("/member_ids/1"), &json!("/member_ids/2")]));
    let twice = secretary.post("/v1/attestations", &office.list(MEETING, "2026-11-05", &[member, member])).await;
    assert_eq!(twice.expect(422).body["errors"][0]["pointer"], "/member_ids/1");
    for day in ["2026-11-21", "2026-09-30", "2025-11-05"] {
        let refused = secretary.post("/v1/attestations", &office.list(MEETING, day, &[member])).await.expect(422);
        assert_eq!(refused.body["errors"][0]["pointer"], "/day", "{day}");
    }
    secretary.post("/v1/attestations", &office.list(MEETING, "2026-11-05", &[])).await.expect(400);
    let mut points = office.list(MEETING, "2026-11-05", &[member]);
    points["points"] = json!(99);
    secretary.post("/v1/attestations", &points).await.expect(400);
    let mut above = office.list(MEETING, "2026-11-05", &[member]);
    above["unit_id"] = json!(office.world.sibling);
    secretary.post("/v1/attestations", &above).await.expect(404);
    assert_eq!(office.rows("SELECT id FROM attestations").await, json!([]));
}

#[actix_web::test]
async fn whoever_moved_before_the_confirmation_gets_nothing_there() {
    let office = Office::new().await;
    let world = &office.world;
    let new = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let stays = world.member().await;
    let list = [office.member.id, stays.id];
    let id = office.record(&office.secretary, "thematic_meeting_attended", "2026-11-20", &list).await;
    let body = json!({"to_unit_id": world.sibling, "reason": "Chuyển nơi cư trú"});
    let transfer = office.secretary.post(&format!("/v1/members/{}/transfers", office.member.id), &body).await;
    let accept = format!("/v1/transfers/{}/accept", transfer.expect(201).id());
    new.post(&accept, &json!({})).await.expect(200);
    let done = office.deputy.post(&confirmation(&id), &json!({})).await.expect(200);
    let members = done.body["members"].as_array().unwrap();
    let gone = members.iter().find(|listed| listed["member_id"] == json!(office.member.id)).unwrap();
    assert_eq!((&gone["points_awarded"], &gone["refusals"][0]["reason"]), (&json!(0), &json!("not_in_cell")));
    assert_eq!(office.points(&stays).await, 5);
    let moved = crate::support::sum_of_entries(&world.app, office.member.id).await;
    assert_eq!(moved, 0);
}

#[actix_web::test]
async fn a_list_does_not_wait_for_ever() {
    let office = Office::new().await;
    let id = office.record(&office.secretary, MEETING, "2026-11-05", &[office.member.id]).await;
    office.world.app.set_time("2027-01-01T00:00:00+07:00");
    assert_eq!(office.deputy.post(&confirmation(&id), &json!({})).await.expect(422).code(), "rule_not_met");
    assert_eq!(office.points(&office.member).await, 0);
}

#[actix_web::test]
async fn a_meeting_counts_for_its_own_month_and_late_once_that_is_closed() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    office.world.app.set_time("2026-11-02T08:00:00+07:00");
    let in_time = office.record(secretary, MEETING, "2026-10-08", &[member.id]).await;
    let done = deputy.post(&confirmation(&in_time), &json!({})).await.expect(200);
    assert_eq!(done.body["members"][0]["points_awarded"], 8);
    office.world.app.set_time("2026-11-20T10:00:00+07:00");
    office.world.close_due().await;
    let late = office.record(secretary, "thematic_meeting_attended", "2026-10-20", &[member.id]).await;
    deputy.post(&confirmation(&late), &json!({})).await.expect(200);
    let entries = office.rows("SELECT points, period, day, late FROM point_entries ORDER BY id").await;
    let entry = |points: i32, day: &str, late: bool| json!({"points": points, "period": "2026-10-01", "day": day, "late": late});
    assert_eq!(entries, json!([entry(8, "2026-10-08", false), entry(5, "2026-10-20", true)]));
    // Neither the threshold nor the board of the present month knows of it.
    assert_eq!(member.get("/v1/me/points?period=2026-11").await.expect(200).body["points"], 0);
    assert_eq!(member.get("/v1/me/points?period=2026-10").await.expect(200).body["points"], 13);
    assert_eq!(crate::support::sum_of_entries(&office.world.app, member.id).await, 13);
    let seen = member.get("/v1/me/points/entries?period=2026-10").await.expect(200);
    let seen = &seen.body["items"][0];
    assert_eq!((&seen["late"], &seen["day"]), (&json!(true), &json!("2026-10-20")));
    assert_eq!((&seen["attested_by"], &seen["unit_id"]), (&json!(secretary.id), &json!(office.world.cell)));
    assert_eq!(seen["object"]["id"], "2026-10-20");
}

#[actix_web::test]
async fn members_see_what_came_of_the_lists_that_name_them_and_nothing_else() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    let other = office.world.member().await;
    let both = [member.id, other.id];
    let first = office.record(secretary, MEETING, "2026-11-05", &both).await;
    deputy.post(&confirmation(&first), &json!({})).await.expect(200);
    office.world.app.advance(60);
    let again = office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    deputy.post(&confirmation(&again), &json!({})).await.expect(200);
    office.world.app.advance(60);
    let declined = office.record(secretary, "opinion_contributed", "2026-11-06", &[member.id]).await;
    let decline = format!("/v1/attestations/{declined}/decline");
    deputy.post(&decline, &json!({"reason": "Thiếu chữ ký"})).await.expect(200);
    office.world.app.advance(60);
    let waiting = office.record(secretary, "thematic_meeting_attended", "2026-11-07", &both).await;

    let mine = member.get("/v1/me/attestations").await.expect(200).body;
    let ids: Vec<&Value> = mine["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [&json!(waiting), &json!(declined), &json!(again), &json!(first)]);
    let entry = member.get("/v1/me/points/entries").await.expect(200).body["items"][0]["id"].clone();
    let now = mine["items"][3]["decided_at"].clone();
    assert!(now.is_string());
    let expected = json!({"id": first, "kind": MEETING, "day": "2026-11-05", "state": "confirmed", "decided_at": now,
        "decision_reason": null, "points_awarded": 8, "entry_ids": [entry], "refusals": []});
    assert_eq!(mine["items"][3], expected);
    let expected = json!({"id": waiting, "kind": "thematic_meeting_attended", "day": "2026-11-07", "state": "recorded",
        "decided_at": null, "decision_reason": null, "points_awarded": null, "entry_ids": [], "refusals": []});
    assert_eq!(mine["items"][0], expected);
    assert_eq!(
        (&mine["items"][1]["state"], &mine["items"][1]["decision_reason"]),
        (&json!("declined"), &json!("Thiếu chữ ký"))
    );
    let refused = &mine["items"][2];
    assert_eq!((&refused["points_awarded"], &refused["entry_ids"]), (&json!(0), &json!([])));
    let told = &refused["refusals"][0];
    assert_eq!((&told["rule"], &told["reason"]), (&json!(MEETING), &json!("already_credited")));
    assert!(told["detail"].is_string() && told["detail_en"].is_string() && told["detail"] != told["detail_en"]);
    for somebody_else in [&other, secretary, deputy] {
        assert!(!mine.to_string().contains(&somebody_else.id.to_string()), "{mine}");
    }

    let theirs = other.get("/v1/me/attestations").await.expect(200).body;
    let ids: Vec<&Value> = theirs["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [&json!(waiting), &json!(first)]);
    assert_ne!(theirs["items"][1]["entry_ids"], json!([entry]));
    assert_eq!(secretary.get("/v1/me/attestations").await.expect(200).body["items"], json!([]));
    office.world.administrator().await.get("/v1/me/attestations").await.expect(403);
    let page = member.get("/v1/me/attestations?limit=3").await.expect(200).body;
    let rest = format!("/v1/me/attestations?limit=3&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(member.get(&rest).await.expect(200).body["items"], json!([mine["items"][3]]));
}

#[actix_web::test]
async fn a_thematic_meeting_counts_once_a_member_and_day_wherever_it_was() {
    let office = Office::new().await;
    let (world, secretary) = (&office.world, &office.secretary);
    let new = world.officer(world.sibling, Role::CellSecretary, world.sibling).await;
    let thematic = "thematic_meeting_attended";
    let here = office.record(secretary, thematic, "2026-11-20", &[office.member.id]).await;
    office.deputy.post(&confirmation(&here), &json!({})).await.expect(200);
    let body = json!({"to_unit_id": world.sibling, "reason": "Chuyển nơi cư trú"});
    let transfer = secretary.post(&format!("/v1/members/{}/transfers", office.member.id), &body).await.expect(201);
    new.post(&format!("/v1/transfers/{}/accept", transfer.id()), &json!({})).await.expect(200);
    let mut there = office.list(thematic, "2026-11-20", &[office.member.id]);
    there["unit_id"] = json!(world.sibling);
    let there = new.post("/v1/attestations", &there).await.expect(201).id();
    let done = office.above.post(&confirmation(&there), &json!({})).await.expect(200);
    assert_eq!(done.body["members"][0]["refusals"][0]["reason"], "already_credited");
    assert_eq!(crate::support::points_everywhere(world, &office.member).await, 5);
}

#[actix_web::test]
async fn a_thematic_meeting_that_was_credited_as_that_of_a_cell_is_the_same_one() {
    let office = Office::new().await;
    let (world, now) = (&office.world, office.world.app.state.clock.now());
    let deed = sotay::points::Deed {
        event: "meeting.thematic_attended",
        object_kind: "meeting",
        object_id: format!("{}:2026-11-20", world.cell),
        ..sotay::points::Deed::default()
    };
    let award = async |conn: &mut _| sotay::points::award(conn, office.member.id, &deed, now).await;
    world.app.state.db.transaction(award).await.unwrap();
    let again = office.record(&office.secretary, "thematic_meeting_attended", "2026-11-20", &[office.member.id]).await;
    let done = office.deputy.post(&confirmation(&again), &json!({})).await.expect(200);
    assert_eq!(done.body["members"][0]["refusals"][0]["reason"], "already_credited");
    assert_eq!(office.points(&office.member).await, 5);
}

#[actix_web::test]
async fn a_list_recorded_before_its_month_was_closed_counts_late_within_thirty_days() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    office.world.app.set_time("2026-11-28T08:00:00+07:00");
    let october = office.record(secretary, MEETING, "2026-10-08", &[member.id]).await;
    let november = office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    office.world.app.set_time("2026-12-20T08:00:00+07:00");
    office.world.close_due().await;
    for list in [&october, &november] {
        let done = deputy.post(&confirmation(list), &json!({})).await.expect(200);
        assert_eq!(done.body["members"][0]["points_awarded"], 8);
    }
    for period in ["2026-10", "2026-11"] {
        let month = member.get(&format!("/v1/me/points?period={period}")).await.expect(200).body;
        assert_eq!((&month["points"], &month["closed"]["points"]), (&json!(8), &json!(0)), "{period}");
    }
    assert_eq!(crate::support::sum_of_entries(&office.world.app, member.id).await, 16);
}

#[actix_web::test]
async fn lists_are_confirmed_together_in_the_inbox_of_the_unit() {
    let office = Office::new().await;
    let (secretary, deputy, member) = (&office.secretary, &office.deputy, &office.member);
    office.record(secretary, MEETING, "2026-11-05", &[member.id]).await;
    office.record(secretary, "thematic_meeting_attended", "2026-11-06", &[member.id]).await;
    office.propose(secretary, member, json!({"period": "2026-11", "points": 3})).await;
    assert_eq!(office.points(member).await, 0);
    let cell = office.world.cell;
    assert_eq!(crate::support::confirm_waiting(deputy, cell, "attestation").await, 2);
    assert_eq!(crate::support::confirm_waiting(deputy, cell, "point_adjustment").await, 1);
    assert_eq!(office.points(member).await, 8 + 5 + 3);
    let states = office.rows("SELECT DISTINCT state FROM attestations").await;
    assert_eq!(states, json!([{"state": "confirmed"}]));
    assert_eq!(office.world.audit_count("attestation.confirmed").await, 2);
    assert_eq!(office.world.audit_count("adjustment.approved").await, 1);
}
