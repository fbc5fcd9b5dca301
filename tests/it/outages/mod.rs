//! Several programs over servers of their own that stop, crash and come back under load.
//! Real processes, no clock to move.

mod deadlock;
mod gone_client;
mod operations;
mod postgres_away;
mod postgres_hangs;
mod redis_away;
mod two_programs;

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::{Value, json};
use sotay::kernel::clock::{Period, day_of};
use sotay::kernel::security::access::Role;
use uuid::Uuid;

use crate::documents::draft_with;
use crate::support::{Actor, Postgres, Program, Redis, Reply, Standing, TestApp, World, run, standings};

/// Boards follow within so much, also after an outage.
const SOON: Duration = Duration::from_secs(30);

/// Two programs over one PostgreSQL and one Redis, and people in the three cells of a province. What ends first stands first.
struct Site {
    programs: [Program; 2],
    world: World,
    members: Vec<Actor>,
    redis: Redis,
    postgres: Postgres,
}

impl Site {
    async fn with_members(count: usize) -> Self {
        let (postgres, redis) = tokio::join!(Postgres::start(), Redis::start());
        let boards = Some(SecretString::from(redis.url()));
        let app = TestApp::silent(&postgres.url("sotay_app"), |config| config.redis_url = boards).await;
        let world = World::in_app(app).await;
        let mut members = Vec::new();
        for number in 0..count {
            let cell = [world.cell, world.sibling, world.other_cell][number % 3];
            members.push(world.member_of(cell, &format!("Hoàng Văn {number}")).await);
        }
        // Reading takes no time here: what is tried is who is credited, not how long they read.
        let settings = [("SOTAY_READING_FLOOR_SECONDS", "0"), ("SOTAY_READING_CEILING_SECONDS", "0")];
        let start = || Program::start_with(&world.app, &settings);
        let (first, second) = tokio::join!(start(), start());
        Self { programs: [first, second], world, members, redis, postgres }
    }

    /// The address of one of the programs, in turn.
    fn url(&self, turn: usize) -> &str {
        &self.programs[turn % 2].base_url
    }

    /// A member at one of the programs.
    fn member(&self, number: usize, turn: usize) -> Actor {
        self.members[number].at(self.url(turn))
    }

    async fn officer(&self, role: Role) -> Actor {
        self.world.officer(self.world.other_cell, role, self.world.province).await.at(self.url(0))
    }

    /// Documents that all members of the province must read.
    async fn documents(&self, count: usize) -> Vec<String> {
        let officer = self.officer(Role::PropagandaOfficer).await;
        let by = day_of(self.world.app.state.clock.now()) + chrono::Duration::days(10);
        let mut ids = Vec::new();
        for number in 0..count {
            let draft = draft_with(json!({"symbol": format!("{}-KH/TU", number + 1), "must_read_by": by}));
            let path = format!("/v1/units/{}/documents", self.world.province);
            let id = officer.post(&path, &draft).await.expect(201).id();
            let body = json!({"unit_ids": [self.world.province], "attests_no_state_secrets": true});
            officer.post(&format!("/v1/documents/{id}/publish"), &body).await.expect(200);
            ids.push(id);
        }
        ids
    }

    /// The standing of all members below a unit this month, from the ledger alone.
    async fn standings(&self, unit: Uuid) -> Vec<Standing> {
        let period = Period::containing(day_of(self.world.app.state.clock.now())).first_day();
        standings(&self.world.app, unit, period).await
    }

    /// What a program answers where a member is to be found: the board of a unit, and the member's own rank.
    async fn places(&self, member: &Actor, unit: Uuid) -> (Value, Value) {
        let board = member.get(&format!("/v1/leaderboards/members?unit_id={unit}&limit=200")).await.expect(200);
        let own = member.get(&format!("/v1/me/rank?unit_id={unit}")).await.expect(200);
        (board.body, own.body)
    }

    /// Whether both programs rank the province as the ledger does, out of this source.
    async fn ranks_right(&self, source: &str) -> bool {
        let expected = self.standings(self.world.province).await;
        for turn in 0..2 {
            for number in [turn, self.members.len() - 1] {
                let member = self.member(number, turn);
                let (board, own) = self.places(&member, self.world.province).await;
                let here = expected.iter().find(|standing| standing.member_id == member.id).unwrap();
                let right = board["source"] == source
                    && own["source"] == source
                    && own["of"] == json!(expected.len())
                    && (own["rank"].as_i64(), own["points"].as_i64()) == (Some(here.rank), Some(here.points))
                    // Nobody has reached the threshold, so that each sees no row but their own.
                    && ranks(&board) == [(here.rank, here.points)];
                if !right {
                    return false;
                }
            }
        }
        true
    }

    /// Waits until that is so. Returns how long it took.
    async fn until_ranked_right(&self, source: &str) -> Duration {
        let begun = Instant::now();
        while !self.ranks_right(source).await {
            if begun.elapsed() > SOON {
                let seen = self.places(&self.member(0, 0), self.world.province).await;
                panic!(
                    "not right from {source} after {SOON:?}: {seen:?}, {:?}",
                    self.standings(self.world.province).await
                );
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        begun.elapsed()
    }

    /// Has the real command look for differences; boards in Redis are among what it compares.
    async fn verify(&self) {
        let printed = run(&self.world.app, &["verify"]).await;
        assert!(printed.contains("ok   each leaderboard in Redis") && !printed.contains("not compared"), "{printed}");
    }
}

/// Rank and points of each place of a board.
fn ranks(board: &Value) -> Vec<(i64, i64)> {
    let place = |place: &Value| (place["rank"].as_i64().unwrap(), place["points"].as_i64().unwrap());
    board["items"].as_array().unwrap().iter().map(place).collect()
}

/// What a deed earned.
fn awarded(reply: &Reply) -> i64 {
    reply.body["points_awarded"].as_i64().unwrap_or_else(|| panic!("no award: {}", reply.body))
}
