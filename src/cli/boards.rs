//! `sotay rebuild-boards`: rebuilds all leaderboards in Redis from the monthly totals.

use std::time::Instant;

use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::kernel::db::lease;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;
use crate::points::projection;
use crate::{app, leaderboards};

use super::runtime;

/// Rebuilds the boards of the present month, quarter and year of all large units, with progress on standard error.
/// Takes the projection over from a running server meanwhile; the server goes on when the lease is released.
///
/// # Errors
/// When the database or Redis cannot be reached.
pub async fn run(mut config: Config) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let state = app::state(config, Clock::System, String::new())?;
    let done = rebuild(&state).await.map_err(|e| e.to_string());
    drop(state);
    database.close().await;
    done
}

async fn rebuild(state: &State) -> Result<(), Problem> {
    let redis = state.redis.as_ref().ok_or_else(|| Problem::unavailable("no Redis is configured"))?;
    let mut conn = state.work.conn().await?;
    let boards = leaderboards::all_boards(&mut conn, state.clock.now()).await?;
    let lease = lease::seize(&mut conn, projection::LEASE, state.instance, state.clock.now()).await?;
    let means = leaderboards::RebuildContext { db: &state.work, redis, clock: &state.clock, lease };
    leaderboards::give_up(&means).await?;
    let begun = Instant::now();
    let told = |span, members| eprintln!("{span}: {members} members, {:.1} s", begun.elapsed().as_secs_f32());
    let scores = leaderboards::rebuild(&means, &boards, told).await?;
    lease.release(&mut conn, state.clock.now()).await?;
    println!("{} boards, {scores} scores, {:.1} s", boards.len(), begun.elapsed().as_secs_f32());
    Ok(())
}
