//! Two programs, 64 clients, 20 contended members: each deed is counted once and ranked right.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use sotay::kernel::db::schema::{member_months, point_entries};
use sotay::kernel::security::access::Role;

use super::{Site, awarded, ranks};
use crate::support::{Actor, Reply, sum_of_entries};

const CLIENTS: usize = 64;
const MEMBERS: usize = 20;
const DOCUMENTS: usize = 5;
/// Each deed comes so often, each of its keys twice: once at each program.
const REPEATED: usize = 12;
/// Members who are fought over at the same time.
const AT_ONCE: usize = 4;

/// What a member does, of which only so much counts.
struct Plan {
    visits: bool,
    confirms: usize,
    reads: bool,
}

impl Plan {
    /// No two neighbours do the same, so that ranks have something to say.
    fn of(number: usize) -> Self {
        Self { visits: number.is_multiple_of(2), confirms: number % (DOCUMENTS + 1), reads: !number.is_multiple_of(3) }
    }

    /// The points by rule; those of opinions come from officers.
    fn counted(&self) -> BTreeMap<&'static str, i64> {
        let confirmed = i64::try_from(self.confirms.min(3)).unwrap();
        let all = [
            ("daily_visit", i64::from(self.visits)),
            ("document_acknowledged", confirmed),
            ("document_read", 3 * i64::from(self.reads)),
            ("opinion_contributed", 4),
        ];
        all.into_iter().filter(|(_, points)| *points > 0).collect()
    }
}

/// One request of the storm.
struct Knock {
    member: usize,
    path: String,
    key: String,
    turn: usize,
}

/// The requests of all members, several members' mixed with one another.
fn storm(documents: &[String], sessions: &HashMap<usize, String>) -> Vec<Knock> {
    let mut knocks = Vec::new();
    for member in 0..MEMBERS {
        let plan = Plan::of(member);
        let mut paths: Vec<String> =
            documents[..plan.confirms].iter().map(|id| format!("/v1/documents/{id}/acknowledgement")).collect();
        paths.extend(plan.visits.then(|| "/v1/me/visits".to_owned()));
        paths.extend(sessions.get(&member).map(|id| format!("/v1/reading-sessions/{id}/complete")));
        for path in paths {
            for turn in 0..REPEATED {
                knocks.push(Knock { member, path: path.clone(), key: format!("key-{}", turn / 2), turn });
            }
        }
    }
    // The two that share a key stay close, everything else of the same few members comes in no order.
    let scrambled = |n: usize| (n / 2 * 7_919) % 1_009;
    let mut order: Vec<usize> = (0..knocks.len()).collect();
    order.sort_by_key(|n| (knocks[*n].member / AT_ONCE, scrambled(*n), *n));
    let mut knocks: Vec<Option<Knock>> = knocks.into_iter().map(Some).collect();
    order.into_iter().map(|n| knocks[n].take().unwrap()).collect()
}

/// Sends it, and again while the other one with its key is being worked on, as the document tells clients to.
async fn knock(site: &Site, knock: &Knock, in_flight: &Cell<usize>) -> Reply {
    let member = site.member(knock.member, knock.turn);
    loop {
        let request = member.request("POST", &knock.path).header("Idempotency-Key", &knock.key);
        let reply = request.json(&json!({})).send().await;
        if reply.code() != "idempotency_in_flight" {
            return reply.expect(200);
        }
        in_flight.set(in_flight.get() + 1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Opens the sessions that will be completed.
async fn open_sessions(site: &Site, document: &str) -> HashMap<usize, String> {
    let mut sessions = HashMap::new();
    for number in (0..MEMBERS).filter(|number| Plan::of(*number).reads) {
        let path = format!("/v1/documents/{document}/reading-sessions");
        sessions.insert(number, site.member(number, number).post(&path, &json!({})).await.expect(201).id());
    }
    sessions
}

/// Three lists of opinions in each cell, recorded by its secretary; they lock many months at once. Returns where to confirm.
async fn record_opinions(site: &Site) -> Vec<String> {
    let today = sotay::kernel::clock::day_of(site.world.app.state.clock.now());
    let mut paths = Vec::new();
    for (place, cell) in [site.world.cell, site.world.sibling, site.world.other_cell].into_iter().enumerate() {
        let recorder = site.world.officer(site.world.other_cell, Role::CellSecretary, cell).await.at(site.url(place));
        let listed: Vec<_> = site.members.iter().skip(place).step_by(3).map(|member| member.id).collect();
        for subject in ["Về kế hoạch", "Về tài chính", "Về công tác đảng"] {
            let list = json!({"unit_id": cell, "kind": "opinion_contributed", "day": today, "subject": subject,
                "member_ids": listed});
            let id = recorder.post("/v1/attestations", &list).await.expect(201).id();
            paths.push(format!("/v1/attestations/{id}/confirmation"));
        }
    }
    paths
}

/// Each list confirmed at both programs at once: one of them gets the answer that it was decided.
async fn confirm(site: &Site, officer: &Actor, path: &str) {
    let body = json!({});
    let at = [officer.at(site.url(0)), officer.at(site.url(1))];
    let replies = join_all(at.iter().map(|officer| officer.post(path, &body))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{:?}", replies.iter().map(|reply| &reply.body).collect::<Vec<_>>());
}

/// A repeated key gets the first answer, and no deed is acknowledged twice.
fn acknowledged_once(answers: &[(&Knock, Reply)]) {
    let mut by_key: HashMap<(usize, &str, &str), &Value> = HashMap::new();
    for (knock, reply) in answers {
        let first = by_key.entry((knock.member, &knock.path, &knock.key)).or_insert(&reply.body);
        assert_eq!(**first, reply.body, "{} {}", knock.path, knock.key);
    }
    let mut given: HashMap<(usize, &str), Vec<i64>> = HashMap::new();
    for (knock, reply) in answers {
        given.entry((knock.member, &knock.path)).or_default().push(awarded(reply));
    }
    for ((member, path), points) in given {
        let fresh = points.iter().filter(|points| **points > 0).count();
        // A completed session answers with its receipt for ever; all other deeds earn once, for the two that share a
        // key.
        let expected: &[usize] = if path.ends_with("/complete") { &[REPEATED] } else { &[0, 2] };
        assert!(expected.contains(&fresh), "member {member}, {path}: {points:?}");
    }
}

/// The ledger and the cap counters of each member hold what was planned, and nothing else.
async fn counted_once(site: &Site) {
    for (number, member) in site.members.iter().enumerate() {
        let expected = Plan::of(number).counted();
        let sum: i64 = expected.values().sum();
        assert_eq!(sum_of_entries(&site.world.app, member.id).await, sum, "member {number}");
        let mut conn = site.world.app.state.db.conn().await.unwrap();
        let entries: Vec<(String, i32)> = point_entries::table
            .filter(point_entries::member_id.eq(member.id))
            .select((point_entries::rule_code, point_entries::points))
            .load(&mut *conn)
            .await
            .unwrap();
        let mut by_rule: BTreeMap<&str, i64> = BTreeMap::new();
        for (rule, points) in &entries {
            *by_rule.entry(rule).or_default() += i64::from(*points);
        }
        assert_eq!(by_rule, expected, "the ledger of member {number}");
        let counters: Value = member_months::table
            .filter(member_months::member_id.eq(member.id))
            .select(member_months::counters)
            .first(&mut *conn)
            .await
            .unwrap();
        assert_eq!(counters["rules"], json!(expected), "the counters of member {number}");
    }
}

/// Every board on which a member stands gives the ranks that PostgreSQL computes from the ledger.
async fn ranked_right(site: &Site) {
    site.until_ranked_right("board").await;
    let (world, cells) = (&site.world, [site.world.cell, site.world.sibling, site.world.other_cell]);
    for number in 0..MEMBERS {
        let member = site.member(number, number / 3);
        let ward = if number % 3 == 2 { world.other_ward } else { world.ward };
        for (unit, source) in [(cells[number % 3], "ledger"), (ward, "ledger"), (world.province, "board")] {
            let standings = site.standings(unit).await;
            let here = standings.iter().find(|standing| standing.member_id == member.id).unwrap();
            let (board, own) = site.places(&member, unit).await;
            assert_eq!((&own["source"], &board["source"]), (&json!(source), &json!(source)));
            assert_eq!((&own["rank"], &own["points"]), (&json!(here.rank), &json!(here.points)), "member {number}");
            // Peers see those who reached the threshold, and themselves.
            let seen = standings.iter().filter(|s| s.points >= 30 || s.member_id == member.id);
            assert_eq!(ranks(&board), seen.map(|s| (s.rank, s.points)).collect::<Vec<_>>());
        }
    }
}

#[actix_web::test]
async fn what_two_programs_are_asked_by_64_clients_counts_once_and_ranks_right() {
    let site = Site::with_members(MEMBERS).await;
    let documents = site.documents(DOCUMENTS).await;
    let sessions = open_sessions(&site, &documents[0]).await;
    let (decider, lists) = (site.officer(Role::CommitteeOfficer).await, record_opinions(&site).await);

    let (knocks, in_flight) = (storm(&documents, &sessions), Cell::new(0));
    let answers = stream::iter(&knocks)
        .map(async |one| (one, knock(&site, one, &in_flight).await))
        .buffer_unordered(CLIENTS)
        .collect::<Vec<_>>();
    let confirmed = async {
        for path in &lists {
            confirm(&site, &decider, path).await;
        }
    };
    let (answers, ()) = tokio::join!(answers, confirmed);
    println!("{} answers; {} times a key was being worked on already", answers.len(), in_flight.get());
    // None of them reached a client: all answers were 200.
    println!("deadlocks resolved by trying again: {:?}", site.postgres.deadlocks());
    acknowledged_once(&answers);
    counted_once(&site).await;
    ranked_right(&site).await;
    site.verify().await;
}
