//! `sotay verify`: recomputes what is derived, names every difference, and rebuilds it when asked to.

use std::io::{IsTerminal, Write};

use clap::Args;

use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::kernel::db::Conn;
use crate::kernel::lease;
use crate::kernel::problem::Problem;
use crate::kernel::state::State;
use crate::points::projection;
use crate::{app, jobs, leaderboards, points};

use super::runtime;

/// How often the projector is waited for, a second each, before the roll-ups are looked at.
const PATIENCE: usize = 30;

/// Options of `verify`.
#[derive(Args)]
pub struct Verify {
    /// Rebuild totals, counters, roll-ups and boards that differ. Never changes the ledger.
    #[arg(long)]
    repair: bool,
}

/// Runs all checks against the configured database, or the private one, also while a server runs on it.
///
/// # Errors
/// When the database cannot be reached, or something differs and was not repaired.
pub async fn run(mut config: Config, arguments: Verify) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let state = app::state(config, Clock::System, String::new())?;
    let found = whole(&state, arguments.repair).await.map_err(|e| e.to_string());
    drop(state);
    database.close().await;
    match found? {
        0 => Ok(()),
        n => Err(format!("{n} difference(s) found")),
    }
}

async fn whole(state: &State, repair: bool) -> Result<usize, Problem> {
    settle(state).await?;
    let found = check(state).await?;
    if !repair || found == 0 {
        return Ok(found);
    }
    let mut conn = state.db.conn().await?;
    let repaired = points::repair(&mut conn, progress).await?;
    println!("repaired: totals and counters of {} month(s) of members", repaired.months);
    println!("repaired: {} closed month(s) of members, marked as closed", repaired.closed);
    println!("repaired: roll-ups of {} month(s), taken anew throughout", repaired.roll_ups.len());
    drop(conn);
    if let Some(means) = means(state).await? {
        leaderboards::give_up(&means).await?;
        println!("repaired: leaderboards, made anew");
    }
    settle(state).await?;
    println!("once more:");
    check(state).await
}

async fn check(state: &State) -> Result<usize, Problem> {
    let mut conn = state.db.conn().await?;
    let found = points::verify_with(&mut conn, progress, report).await?;
    Ok(found + check_boards(state, &mut conn).await?)
}

async fn check_boards(state: &State, conn: &mut Conn) -> Result<usize, Problem> {
    let Some(means) = means(state).await? else { return Ok(0) };
    let boards = leaderboards::all_boards(conn, state.clock.now()).await?;
    let wrong = leaderboards::differences(&means, &boards).await?;
    let lines: Vec<String> = wrong.into_iter().map(|(_, line)| line).collect();
    report("each leaderboard in Redis ranks its members by their points", &lines);
    Ok(lines.len())
}

fn report(proves: &str, differences: &[String]) {
    println!("{} {proves}", if differences.is_empty() { "ok  " } else { "FAIL" });
    for line in differences {
        println!("     {line}");
    }
}

fn progress(members: usize) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _ = write!(out, "\r{members} members");
        let _ = out.flush();
    } else {
        let _ = writeln!(out, "{members} members");
    }
}

/// What the boards are compared with and made from; none without Redis. Looking needs no lease.
async fn means(state: &State) -> Result<Option<leaderboards::Means<'_>>, Problem> {
    let Some(redis) = &state.redis else { return Ok(None) };
    let lease = lease::Lease { name: projection::LEASE, holder: state.instance, fence: 0 };
    Ok(Some(leaderboards::Means { db: &state.db, redis, clock: &state.clock, lease }))
}

/// Lets the projector take in what has changed: a running server's, or this one when there is none.
async fn settle(state: &State) -> Result<(), Problem> {
    for _ in 0..PATIENCE {
        while jobs::project(state).await? {}
        if projection::waiting(&mut *state.db.conn().await?).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    eprintln!("changes are still waiting for the projector: roll-ups are not compared");
    Ok(())
}
