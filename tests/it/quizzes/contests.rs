//! Contests: rounds, boards within the privacy rules, results frozen and signed.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sotay::kernel::security::access::Role;
use sotay::quizzes::freeze_due;

use super::{bank, publish, quiz, take, write};
use crate::support::{Actor, World, points_everywhere};

pub struct Contest {
    pub id: String,
    /// The quizzes of its rounds.
    pub rounds: Vec<String>,
}

/// Windows of two rounds: the first one is running, the second one follows next day.
const WINDOWS: [(&str, &str); 2] =
    [("2026-11-20T02:00:00Z", "2026-11-21T05:00:00Z"), ("2026-11-21T06:00:00Z", "2026-11-22T05:00:00Z")];

/// The body of a contest of the ward over two drafts.
pub async fn drafts(world: &World, officer: &Actor) -> Value {
    let bank = bank(world, officer, 8).await;
    let mut rounds = Vec::new();
    for (opens_at, closes_at) in WINDOWS {
        let body = quiz(world, &bank, json!({"opens_at": opens_at, "closes_at": closes_at}));
        rounds.push(json!({"quiz_id": write(world, officer, &body).await.expect(201).id()}));
    }
    json!({"title": "Cuộc thi tìm hiểu Điều lệ Đảng", "rounds": rounds})
}

pub async fn contest(world: &World, officer: &Actor) -> Contest {
    let body = drafts(world, officer).await;
    let made = officer.post(&format!("/v1/units/{}/contests", world.ward), &body).await.expect(201);
    let rounds: Vec<String> =
        body["rounds"].as_array().unwrap().iter().map(|round| round["quiz_id"].as_str().unwrap().to_owned()).collect();
    for id in &rounds {
        publish(officer, id).await.expect(200);
    }
    Contest { id: made.id(), rounds }
}

/// Freezes results as the job does days later; the clock of the world stays.
pub async fn freeze(world: &World) {
    let state = &world.app.state;
    let later = state.clock.now() + TimeDelta::days(5);
    let mut frozen = 0;
    while freeze_due(&state.work, &state.crypto, later).await.unwrap() {
        frozen += 1;
    }
    assert!(frozen > 0);
}

async fn board(viewer: &Actor, contest: &Contest, query: &str) -> Value {
    viewer.get(&format!("/v1/contests/{}/leaderboard?{query}", contest.id)).await.expect(200).body
}

fn places(board: &Value) -> Vec<(i64, i64)> {
    let items = board["items"].as_array().unwrap().iter();
    items.map(|item| (item["rank"].as_i64().unwrap(), item["score"].as_i64().unwrap())).collect()
}

#[actix_web::test]
async fn a_round_pays_the_contest_and_no_quiz() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let contest = contest(&world, &officer).await;
    let (member, other) = (world.member().await, world.member().await);

    let passed = take(&member, &contest.rounds[0], 5).await;
    let failed = take(&other, &contest.rounds[0], 2).await;

    assert_eq!((&passed["points_awarded"], &passed["entries"][0]["rule"]), (&json!(5), &json!("contest_entered")));
    assert_eq!(failed["points_awarded"], 0);
    assert_eq!((points_everywhere(&world, &member).await, points_everywhere(&world, &other).await), (5, 0));
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
}

#[actix_web::test]
async fn score_decides_then_time_and_equals_share_a_rank() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let contest = contest(&world, &officer).await;
    let viewer = world.member().await;
    for right in [5, 4, 4, 3] {
        take(&world.member().await, &contest.rounds[0], right).await;
    }
    let slow = world.member().await;
    let attempt = super::start(&slow, &contest.rounds[0]).await.expect(201).body;
    let path = format!("/v1/attempts/{}/answers", attempt["id"].as_str().unwrap());
    super::put(&slow, &path, &super::answers(&attempt, 5)).await.expect(204);
    world.app.advance(60);
    super::submit(&slow, attempt["id"].as_str().unwrap()).await.expect(200);

    let (first, over_all) = (board(&viewer, &contest, "round=1").await, board(&slow, &contest, "").await);

    assert_eq!(places(&first), [(1, 5), (2, 5), (3, 4), (3, 4), (5, 3)]);
    assert!(first["items"][1]["seconds"].as_i64().unwrap() >= 60);
    assert_eq!((&first["me"], &over_all["me"]["rank"]), (&Value::Null, &json!(2)));
    assert_eq!(places(&over_all), places(&first));
    viewer.get(&format!("/v1/contests/{}/leaderboard?round=3", contest.id)).await.expect(404);
}

#[actix_web::test]
async fn rounds_are_summed_and_the_better_attempt_counts() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let contest = contest(&world, &officer).await;
    let member = world.member().await;
    take(&member, &contest.rounds[0], 2).await;
    take(&member, &contest.rounds[0], 4).await;
    world.app.set_time("2026-11-21T07:00:00Z");
    take(&member, &contest.rounds[1], 3).await;

    let of = async |query: &str| board(&member, &contest, query).await["me"]["score"].clone();

    assert_eq!((of("round=1").await, of("round=2").await, of("").await), (json!(4), json!(3), json!(7)));
    assert_eq!(points_everywhere(&world, &member).await, 10);
}

#[actix_web::test]
async fn peers_see_names_of_their_cell_and_of_those_who_agreed_and_no_row_below_the_mark() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let contest = contest(&world, &officer).await;
    let (viewer, peer, hidden, below) =
        (world.member().await, world.member().await, world.member().await, world.member().await);
    let outsider = world.outsider().await;
    hidden.patch("/v1/me", &json!({"named_on_leaderboards": false, "hidden_on_leaderboards": true})).await.expect(200);
    for (member, right) in [(&peer, 5), (&outsider, 5), (&hidden, 4), (&below, 1)] {
        take(member, &contest.rounds[0], right).await;
    }

    let seen = board(&viewer, &contest, "round=1").await;
    let theirs = board(&below, &contest, "round=1").await;
    let all = board(&world.inspector().await, &contest, "round=1").await;
    let figures = board(&officer, &contest, "round=1").await;

    let names = |board: &Value| {
        let items = board["items"].as_array().unwrap().iter();
        items.map(|item| item["member"]["id"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut of_peers = names(&seen);
    of_peers.sort();
    assert_eq!((of_peers, &seen["others"]), (vec![None, Some(peer.id.to_string())], &json!(2)));
    assert!(names(&theirs).contains(&Some(below.id.to_string())), "one's own row");
    assert_eq!(names(&all).iter().flatten().count(), 4);
    assert_eq!((names(&figures), &figures["others"]), (vec![None, None], &json!(2)));
}

#[actix_web::test]
async fn who_belonged_where_at_submission_decides() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let contest = contest(&world, &officer).await;
    let (member, early) = (world.member().await, world.member().await);
    take(&member, &contest.rounds[0], 4).await;
    let of = |unit: &str, round: u8| format!("unit_id={unit}&round={round}");
    let (old, ward) = (world.cell.to_string(), world.ward.to_string());
    let before = board(&member, &contest, &of(&old, 1)).await;
    world.app.set_time("2026-11-21T06:30:00Z");
    take(&early, &contest.rounds[1], 3).await;
    let order = json!({"kind": "merge", "unit_ids": [world.cell, world.sibling], "reason": "Quyết định số 12-QĐ/ĐU",
        "new_unit": {"name": "Chi bộ Tổ dân phố số 5 và 6"}});
    let reorganiser = world.committee_officer().await;
    let merged = reorganiser.post("/v1/reorganisations", &order).await.expect(201).body;
    let new = merged["new_unit_id"].as_str().unwrap();
    world.app.set_time("2026-11-21T07:00:00Z");
    take(&member, &contest.rounds[1], 5).await;

    let inspector = world.inspector().await;
    let seen = async |unit: &str, round| places(&board(&inspector, &contest, &of(unit, round)).await);

    assert_eq!((places(&before), seen(&old, 1).await), (vec![(1, 4)], vec![(1, 4)]));
    assert_eq!((seen(&old, 2).await, seen(new, 2).await), (vec![(1, 3)], vec![(1, 5)]));
    assert_eq!((seen(new, 1).await, seen(&ward, 2).await), (vec![], vec![(1, 5), (2, 3)]));
    assert_eq!(board(&member, &contest, "").await["me"]["score"], 9);
    let mut conn = world.app.state.db.conn().await.unwrap();
    assert_eq!(sotay::quizzes::verify(&mut conn).await.unwrap(), 0);
}

#[actix_web::test]
async fn drafts_that_cannot_be_rounds_are_named() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let body = drafts(&world, &officer).await;
    let path = format!("/v1/units/{}/contests", world.ward);
    let swapped = json!({"title": "Ngược", "rounds": [body["rounds"][1], body["rounds"][0]]});
    let (member, far) =
        (world.member().await, world.officer(world.other_cell, Role::PropagandaOfficer, world.other_ward).await);

    let overlap = officer.post(&path, &swapped).await;
    let nothing = json!({"title": "Không có", "rounds": [{"quiz_id": world.ward}]});
    let unknown = officer.post(&path, &nothing).await;
    member.post(&path, &body).await.expect(403);
    far.post(&path, &body).await.expect(404);
    let id = officer.post(&path, &body).await.expect(201).id();
    let again = officer.post(&path, &body).await;

    let fault = |reply: &crate::support::Reply| {
        let error = &reply.body["errors"][0];
        (reply.status, error["pointer"].as_str().unwrap().to_owned(), error["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(fault(&overlap), (422, "/rounds/1/quiz_id".to_owned(), "rounds_overlap".to_owned()));
    assert_eq!(fault(&unknown), (422, "/rounds/0/quiz_id".to_owned(), "unknown_quiz".to_owned()));
    assert_eq!(fault(&again), (422, "/rounds/0/quiz_id".to_owned(), "not_a_draft".to_owned()));
    member.get(&format!("/v1/contests/{id}")).await.expect(404);
    let seen = officer.get(&format!("/v1/contests/{id}")).await.expect(200).body;
    assert_eq!((&seen["state"], seen["rounds"].as_array().unwrap().len()), (&json!("draft"), 2));
}

#[actix_web::test]
async fn final_results_are_frozen_and_each_changed_row_is_named_offline() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let contest = contest(&world, &officer).await;
    let (member, other) = (world.member().await, world.member().await);
    take(&member, &contest.rounds[0], 5).await;
    take(&other, &contest.rounds[0], 3).await;
    let inspector = world.inspector().await;
    let path = format!("/v1/contests/{}/results.json", contest.id);
    let early = inspector.get(&path).await;

    freeze(&world).await;

    let report = inspector.get(&path).await.expect(200).body;
    assert_eq!((early.status, early.code()), (409, "conflict"));
    officer.get(&path).await.expect(403);
    assert_eq!(report["rows"][0]["rounds"][0]["rank"], 1);
    assert_eq!(world.audit_count("contest.results_exported").await, 1);
    let keys = world.app.get("/.well-known/report-keys.json").await.expect(200);
    std::fs::write(world.app.folder().join("keys.json"), keys.bytes).unwrap();
    let verify = |report: &Value| {
        let file = world.app.folder().join("contest.json");
        std::fs::write(&file, report.to_string()).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sotay"));
        let command = command.arg("verify-report").arg(&file).arg("--key").arg(world.app.folder().join("keys.json"));
        let output = command.env_clear().output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(verify(&report).0);
    let mut forged = report.clone();
    forged["rows"][1]["score"] = json!(5);
    let (sound, words) = verify(&forged);
    assert!(!sound && words.contains("dòng 2") && words.contains("đã bị sửa"), "{words}");
    let mut cut = report.clone();
    cut["rows"].as_array_mut().unwrap().pop();
    assert!(verify(&cut).1.contains("thiếu dòng 2"));
    cut["manifest"]["row_hashes"].as_array_mut().unwrap().pop();
    assert!(verify(&cut).1.contains("manifest"));
}

#[actix_web::test]
async fn verification_finds_a_wrong_standing_and_repair_mends_it() {
    let world = World::new().await;
    let officer = world.propaganda_officer().await;
    let contest = contest(&world, &officer).await;
    take(&world.member().await, &contest.rounds[0], 4).await;
    let mut conn = world.app.state.db.conn().await.unwrap();
    let wrong = "UPDATE contest_scores SET score = 5 WHERE round = 0";
    diesel_async::RunQueryDsl::execute(diesel::sql_query(wrong), &mut *conn).await.unwrap();

    let found = sotay::quizzes::verify(&mut conn).await.unwrap();
    sotay::quizzes::repair(&mut conn).await.unwrap();

    assert_eq!((found, sotay::quizzes::verify(&mut conn).await.unwrap()), (1, 0));
}
