//! `sotay verify`: recomputes derived data, names every difference, and repairs it on request.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::kernel::db::Conn;
use crate::kernel::db::lease;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;
use crate::points::{Verified, projection};
use crate::{app, documents, jobs, leaderboards, points, quizzes};

use super::runtime;

/// Seconds to wait for the projector first: longer than one that was killed keeps its lease.
const DB_TIMEOUT: usize = 30;
/// Within so many seconds a running projector has taken a step: it rests ten at most.
const STEP: usize = 15;
/// Further comparisons of boards that differ.
const LOOKS: usize = 2;
/// Exit code when nothing differs, but something could not be compared.
const NOT_COMPARED: u8 = 3;

/// Options of `verify`.
#[derive(Args)]
pub struct Verify {
    /// Rebuild totals, counters, roll-ups and boards that differ. Never changes the ledger.
    #[arg(long)]
    repair: bool,
}

/// Runs all checks against the configured database, or the private one, also while a server runs on it. Returns the
/// exit code.
///
/// # Errors
/// When the database cannot be reached, or something differs and was not repaired.
pub async fn run(mut config: Config, arguments: Verify) -> Result<ExitCode, String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let state = app::state(config, Clock::System, String::new())?;
    let found = whole(&state, arguments.repair).await.map_err(|e| e.to_string());
    drop(state);
    database.close().await;
    match found? {
        Verified { differences: 0, in_doubt: 0 } => Ok(ExitCode::SUCCESS),
        Verified { differences: 0, in_doubt } => {
            eprintln!("sotay: no differences found, but {in_doubt} roll-up(s) not compared: try again later");
            Ok(ExitCode::from(NOT_COMPARED))
        }
        Verified { differences, .. } => Err(format!("{differences} difference(s) found")),
    }
}

async fn whole(state: &State, repair: bool) -> Result<Verified, Problem> {
    settle(state).await?;
    let found = check(state).await?;
    if !repair || found.differences == 0 {
        return Ok(found);
    }
    let mut conn = state.work.conn().await?;
    let repaired = points::repair(&mut conn, progress).await?;
    println!("repaired: totals and counters of {} month(s) of members", repaired.months);
    println!("repaired: {} closed month(s) of members, marked as closed", repaired.closed);
    println!("repaired: roll-ups of {} month(s), recomputed in full", repaired.roll_ups.len());
    quizzes::repair(&mut conn).await?;
    println!("repaired: standings of contests, computed anew");
    drop(conn);
    if let Some(means) = means(state).await? {
        leaderboards::give_up(&means).await?;
        println!("repaired: leaderboards, rebuilt");
    }
    settle(state).await?;
    println!("second run:");
    check(state).await
}

async fn check(state: &State) -> Result<Verified, Problem> {
    let mut conn = state.work.conn().await?;
    let again = async |looked: usize| give_time(state, looked < STEP, 1).await;
    let mut found = points::verify_with(&mut conn, progress, again, report).await?;
    found.differences += check_boards(state, &mut conn).await?;
    let attempts = quizzes::verify(&mut conn).await?;
    println!("quizzes: {attempts} attempt(s) or standing(s) that differ from the ledger or the attempts");
    found.differences += usize::try_from(attempts).unwrap_or(usize::MAX);
    for (proves, lines) in documents::verify(&mut conn, state.files.as_ref()).await? {
        report(proves, &lines, 0);
        found.differences += lines.len();
    }
    Ok(found)
}

async fn check_boards(state: &State, conn: &mut Conn) -> Result<usize, Problem> {
    let Some(means) = means(state).await? else { return Ok(0) };
    let boards = leaderboards::all_boards(conn, state.clock.now()).await?;
    let again = async |looked: usize| give_time(state, looked < LOOKS, STEP).await;
    let wrong = leaderboards::differences(&means, &boards, again).await?;
    let lines: Vec<String> = wrong.into_iter().map(|(_, line)| line).collect();
    report("each leaderboard in Redis ranks its members by their points", &lines, 0);
    Ok(lines.len())
}

fn report(proves: &str, differences: &[String], in_doubt: usize) {
    if !differences.is_empty() {
        println!("FAIL {proves}");
    }
    for line in differences {
        println!("     {line}");
    }
    if in_doubt > 0 {
        println!("???? {proves}: {in_doubt} not compared, changes are waiting");
    } else if differences.is_empty() {
        println!("ok   {proves}");
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

/// Context for comparing and rebuilding boards; none without Redis. Comparing needs no lease.
async fn means(state: &State) -> Result<Option<leaderboards::RebuildContext<'_>>, Problem> {
    let Some(redis) = &state.redis else { return Ok(None) };
    let lease = lease::Lease { name: projection::LEASE, holder: state.instance, fence: 0 };
    Ok(Some(leaderboards::RebuildContext { db: &state.work, redis, clock: &state.clock, lease }))
}

/// Lets the projector process all changes up to now: a running server's, or this one when there is none. A working
/// server adds more changes; what is in doubt for that reason is compared again.
async fn settle(state: &State) -> Result<(), Problem> {
    let begun = state.clock.now();
    for _ in 0..DB_TIMEOUT {
        take_in(state).await?;
        let mut conn = state.work.conn().await?;
        if projection::waiting(&mut conn).await? == 0 || projection::as_of(&mut conn).await? >= Some(begun) {
            return Ok(());
        }
        drop(conn);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    eprintln!("changes are still waiting for the projector");
    Ok(())
}

/// Gives the projector so many seconds before another comparison, if there is to be one, and says whether there is.
async fn give_time(state: &State, another: bool, seconds: usize) -> Result<bool, Problem> {
    if !another {
        return Ok(false);
    }
    for _ in 0..seconds {
        take_in(state).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(true)
}

async fn take_in(state: &State) -> Result<(), Problem> {
    while jobs::project(state).await? {}
    Ok(())
}
