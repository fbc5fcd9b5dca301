//! Redis flushed, stopped, killed and restarted under load: no request fails, boards come back.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;

use super::{SOON, Site, awarded};
use crate::support::Redis;

const MEMBERS: usize = 60;
const DOCUMENTS: usize = 3;
const READERS: usize = 4;
const WRITERS: usize = 4;
/// Between two deeds of a writer, so that some are left for each stage of the outage.
const PAUSE: Duration = Duration::from_millis(250);

/// What goes on while Redis comes and goes, and the answers.
#[derive(Default)]
struct Load {
    over: Cell<bool>,
    awards: Cell<usize>,
    points: Cell<i64>,
    /// When each board was read, and out of which source.
    sources: RefCell<Vec<(Instant, String)>>,
}

impl Load {
    /// Visits and confirms as one of several writers; when everything has counted, it is refused with 200 and goes on.
    async fn write(&self, site: &Site, documents: &[String], writer: usize) {
        let mut paths = vec!["/v1/me/visits".to_owned()];
        paths.extend(documents.iter().map(|id| format!("/v1/documents/{id}/acknowledgement")));
        for turn in 0.. {
            for number in (writer..MEMBERS).step_by(WRITERS) {
                if self.over.get() {
                    return;
                }
                let member = site.member(number, turn + number);
                let reply = member.post(&paths[turn % paths.len()], &json!({})).await.expect(200);
                self.awards.set(self.awards.get() + 1);
                self.points.set(self.points.get() + awarded(&reply));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Reads all that Redis may answer, again and again.
    async fn read(&self, site: &Site, reader: usize) {
        for turn in 0.. {
            if self.over.get() {
                return;
            }
            let member = site.member((reader * 7 + turn) % MEMBERS, turn);
            let unit = site.world.province;
            for path in [
                format!("/v1/leaderboards/members?unit_id={unit}&limit=20"),
                format!("/v1/leaderboards/members/neighbourhood?unit_id={unit}"),
                format!("/v1/me/rank?unit_id={unit}"),
            ] {
                let asked = Instant::now();
                let source = member.get(&path).await.expect(200).body["source"].as_str().unwrap().to_owned();
                self.sources.borrow_mut().push((asked, source));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many of the answers to what was asked since then came out of each source.
    fn sources_since(&self, then: Instant) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, source) in self.sources.borrow().iter().filter(|(asked, _)| *asked > then) {
            *counts.entry(source.clone()).or_default() += 1;
        }
        counts
    }

    /// Waits until every board at both programs comes from Redis again. Returns how long it took.
    async fn until_back(&self) -> Duration {
        let begun = Instant::now();
        loop {
            let then = Instant::now();
            tokio::time::sleep(Duration::from_millis(500)).await;
            let found = self.sources_since(then);
            if only(&found, "board") {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < SOON, "after {SOON:?} still {found:?}");
        }
    }
}

/// Whether every answer came out of this source; there must have been some.
fn only(found: &BTreeMap<String, usize>, source: &str) -> bool {
    found.len() == 1 && found.get(source).is_some_and(|count| *count > READERS)
}

/// Flushes, stops and kills Redis, and has it come back. Returns how long the boards took each time.
async fn torment(redis: &Redis, load: &Load) -> [Duration; 3] {
    redis.flush().await;
    let flushed = load.until_back().await;

    redis.stop(Signal::TERM).await;
    let stopped = Instant::now();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let meanwhile = load.sources_since(stopped);
    assert!(only(&meanwhile, "roll_up"), "{meanwhile:?}");
    redis.resume().await;
    let restarted = load.until_back().await;

    redis.stop(Signal::KILL).await;
    redis.resume().await;
    [flushed, restarted, load.until_back().await]
}

#[actix_web::test]
async fn redis_may_go_and_come_and_nobody_is_refused_anything() {
    let site = Site::with_members(MEMBERS).await;
    let documents = site.documents(DOCUMENTS).await;
    site.until_ranked_right("board").await;

    let load = Load::default();
    let writers = join_all((0..WRITERS).map(|writer| load.write(&site, &documents, writer)));
    let readers = join_all((0..READERS).map(|reader| load.read(&site, reader)));
    let script = async {
        let took = torment(&site.redis, &load).await;
        load.over.set(true);
        took
    };
    let (_, _, took) = tokio::join!(writers, readers, script);
    let (awards, points) = (load.awards.get(), load.points.get());
    assert!(points > 60, "{awards} awards of {points} points are too few to prove anything");
    let right = site.until_ranked_right("board").await;
    println!("{awards} awards, {points} points; boards back after {took:?}, right after {right:?}");

    site.redis.stop(Signal::TERM).await;
    site.until_ranked_right("roll_up").await;
    site.redis.resume().await;
    site.until_ranked_right("board").await;
    site.verify().await;
}
