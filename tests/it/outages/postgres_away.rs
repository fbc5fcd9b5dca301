//! PostgreSQL stopped and crashed under load: refused for a while, nothing lost or counted twice.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::{Site, awarded, operations};
use crate::support::{Actor, Reply, Stop};

const MEMBERS: usize = 120;
const DOCUMENTS: usize = 3;
/// What each member earns: a visit, and a point for each document.
const EARNED: usize = 1 + DOCUMENTS;
const CLIENTS: usize = 24;
const READERS: usize = 4;
/// The longest time to any answer.
const LONGEST: Duration = Duration::from_secs(10);
/// Service goes on so soon after PostgreSQL lets clients in.
const RESUMED: Duration = Duration::from_secs(5);
/// A client's patience between two tries; the answers ask for more, but pressure is the point.
const PAUSE: Duration = Duration::from_millis(100);

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    acknowledged: Cell<usize>,
    refused: Cell<usize>,
    slowest: Cell<Duration>,
    over: Cell<bool>,
    /// Other statuses than those that are right, with what was asked.
    wrong: RefCell<Vec<String>>,
}

fn one_more(count: &Cell<usize>) {
    count.set(count.get() + 1);
}

impl Seen {
    /// Sends a request once. None when it was refused for the moment, as it should be: with the time to wait.
    async fn ask(&self, member: &Actor, method: &str, path: &str, key: Option<&str>) -> Option<Reply> {
        let mut request = member.request(method, path);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key).json(&json!({}));
        }
        let begun = Instant::now();
        let reply = tokio::time::timeout(LONGEST, request.try_send()).await;
        self.slowest.set(self.slowest.get().max(begun.elapsed()));
        let reply = reply.unwrap_or_else(|_| panic!("{method} {path} hangs")).expect("the program itself stays");
        match reply.status {
            200 => return Some(reply),
            503 => {
                let wait: u64 = reply.header("retry-after").parse().expect("a 503 says when to come again");
                assert!((1..=10).contains(&wait) && reply.code() == "unavailable", "{}", reply.body);
                one_more(&self.refused);
            }
            // The earlier try is still being worked on, or has just been given up.
            409 if reply.code() == "idempotency_in_flight" => {}
            _ => {
                let mut wrong = self.wrong.borrow_mut();
                wrong.push(format!("{method} {path}: {} {}", reply.status, reply.body));
                assert!(wrong.len() < 50, "{wrong:?}");
            }
        }
        None
    }

    /// Repeats with the same key until it is answered, by turns at each program. Each deed is new, so it must earn its point,
    /// whichever of the tries has counted.
    async fn insist(&self, site: &Site, member: usize, path: &str, turn: usize) -> Reply {
        for attempt in turn.. {
            if let Some(reply) = self.ask(&site.member(member, attempt), "POST", path, Some("the-same")).await {
                assert_eq!(awarded(&reply), 1, "{path}: {}", reply.body);
                one_more(&self.acknowledged);
                return reply;
            }
            tokio::time::sleep(PAUSE).await;
        }
        unreachable!("a client never gives up")
    }

    /// All deeds of every so many members.
    async fn earn(&self, site: &Site, paths: &[String], client: usize) {
        for member in (client..MEMBERS).step_by(CLIENTS) {
            for path in paths {
                self.insist(site, member, path, client + member).await;
            }
        }
    }

    /// The same once more, by a client that never got the answers: each is the first one's.
    async fn repeat(&self, site: &Site, paths: &[String], client: usize) {
        for member in (client..MEMBERS).step_by(CLIENTS) {
            for path in paths {
                let again = self.insist(site, member, path, client).await;
                assert_eq!(again.header("idempotency-replayed"), "true", "{path}: {}", again.body);
            }
        }
    }

    async fn read(&self, site: &Site, reader: usize) {
        let paths = reads(site);
        for turn in 0.. {
            if self.over.get() {
                return;
            }
            let member = site.member((reader * 11 + turn) % MEMBERS, turn);
            self.ask(&member, "GET", &paths[turn % paths.len()], None).await;
            tokio::time::sleep(PAUSE / 4).await;
        }
    }

    /// Waits until so many deeds are acknowledged.
    async fn until_acknowledged(&self, count: usize) {
        while self.acknowledged.get() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn reads(site: &Site) -> Vec<String> {
    let unit = site.world.province;
    vec![
        "/v1/me/points".to_owned(),
        "/v1/me".to_owned(),
        format!("/v1/leaderboards/members?unit_id={unit}"),
        format!("/v1/me/rank?unit_id={unit}"),
        "/v1/documents".to_owned(),
        "/readyz".to_owned(),
    ]
}

/// While PostgreSQL is away each program refuses all requests for the moment, and answers that it is alive itself.
async fn all_refused(site: &Site, seen: &Seen, deeds: &[String]) {
    for turn in 0..2 {
        let member = site.member(0, turn);
        for path in reads(site) {
            assert!(seen.ask(&member, "GET", &path, None).await.is_none(), "{path}");
        }
        for path in deeds {
            assert!(seen.ask(&member, "POST", path, Some("meanwhile")).await.is_none(), "{path}");
        }
        assert_eq!(member.get("/healthz").await.status, 200);
    }
}

/// Waits until each program answers everything again.
async fn until_resumed(site: &Site, seen: &Seen) -> Duration {
    let begun = Instant::now();
    for turn in 0..2 {
        let member = site.member(0, turn);
        for path in reads(site) {
            while seen.ask(&member, "GET", &path, None).await.is_none() {
                assert!(begun.elapsed() < RESUMED, "{path} is still refused");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    begun.elapsed()
}

/// PostgreSQL goes when so many deeds are acknowledged, and comes back a second later or more. Returns how long service took then.
async fn outage(site: &Site, seen: &Seen, deeds: &[String], at: usize, how: Stop) -> Duration {
    seen.until_acknowledged(at).await;
    site.postgres.stop(how).await;
    let stopped = Instant::now();
    all_refused(site, seen, deeds).await;
    // What was answered before the end has arrived by now.
    let acknowledged = seen.acknowledged.get();
    tokio::time::sleep_until((stopped + Duration::from_secs(1)).into()).await;
    assert_eq!(seen.acknowledged.get(), acknowledged, "nothing is acknowledged without a database");
    assert!(acknowledged < MEMBERS * EARNED, "the load was over before PostgreSQL went");
    if matches!(how, Stop::Fast) {
        operations::each_is_refused_for_the_moment(site).await;
    }
    site.postgres.resume().await;
    until_resumed(site, seen).await
}

#[actix_web::test]
async fn postgresql_may_go_and_come_and_nothing_acknowledged_is_lost_or_counted_twice() {
    let site = Site::with_members(MEMBERS).await;
    let mut deeds = vec!["/v1/me/visits".to_owned()];
    let documents = site.documents(DOCUMENTS).await;
    deeds.extend(documents.iter().map(|id| format!("/v1/documents/{id}/acknowledgement")));
    let (seen, all) = (Seen::default(), MEMBERS * EARNED);
    let clients = join_all((0..CLIENTS).map(|client| seen.earn(&site, &deeds, client)));
    let readers = join_all((0..READERS).map(|reader| seen.read(&site, reader)));
    let script = async {
        let mut took = Vec::new();
        for (quarter, how) in [(1, Stop::Immediate), (2, Stop::Fast), (3, Stop::Immediate)] {
            took.push(outage(&site, &seen, &deeds, quarter * all / 4, how).await);
        }
        seen.until_acknowledged(all).await;
        seen.over.set(true);
        took
    };
    let (_, _, took) = tokio::join!(clients, readers, script);
    assert_eq!(*seen.wrong.borrow(), Vec::<String>::new());
    let (acknowledged, refused, slowest) = (seen.acknowledged.get(), seen.refused.get(), seen.slowest.get());
    println!("{acknowledged} acknowledged, {refused} refused; slowest answer {slowest:?}; resumed after {took:?}");
    join_all((0..CLIENTS).map(|client| seen.repeat(&site, &deeds, client))).await;
    let standings = site.standings(site.world.province).await;
    for member in &site.members {
        let standing = standings.iter().find(|standing| standing.member_id == member.id).unwrap();
        assert_eq!(standing.points, i64::try_from(EARNED).unwrap());
    }
    site.until_ranked_right("board").await;
    site.verify().await;
}
