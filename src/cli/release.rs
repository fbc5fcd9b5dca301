//! `sotay release`: the operator of the server as second officer, for the top of the system.

use clap::Args;
use uuid::Uuid;

use crate::app::{self, DECISION_KINDS};
use crate::identity;
use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::state::State;
use crate::organisation::decisions::{self, Act, Decider, DecisionKind, confirm};

use super::runtime;

/// Decisions listed at most.
const LISTED: i64 = 200;

#[derive(Args)]
pub struct Release {
    /// The decision to confirm; without one, what waits is listed.
    decision: Option<Uuid>,
}

/// Lists what waits, or confirms one decision; of a slip it prints the code once.
///
/// # Errors
/// When the database cannot be reached, or the decision cannot be confirmed.
pub async fn run(mut config: Config, arguments: Release) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let state = app::state(config, Clock::System, String::new())?;
    let done = match arguments.decision {
        Some(id) => release(&state, id).await,
        None => list(&state).await,
    };
    database.close().await;
    let lines = done.map_err(|problem| problem.detail.unwrap_or(problem.code.title()).en.into_owned())?;
    println!("{lines}");
    Ok(())
}

async fn list(state: &State) -> Result<String, Problem> {
    let kinds: Vec<&str> = DECISION_KINDS.all().filter(|kind| kind.on_command_line()).map(DecisionKind::code).collect();
    let mut conn = state.work.conn().await?;
    let rows = decisions::waiting(&mut conn, &kinds, LISTED, state.clock.now()).await?;
    let lines = rows.iter().map(|row| {
        let whom = row.subject_name.as_deref().unwrap_or_default();
        format!("{}  {}  {}  {whom}  {}  {}", row.id, row.kind, row.unit_name, row.payload, row.proposed_by_name)
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Confirms a decision. Returns what is to be printed.
///
/// # Errors
/// When it is not one that the command line confirms, was decided, or has expired.
pub async fn release(state: &State, id: Uuid) -> Result<String, Problem> {
    let now = state.clock.now();
    let act = Act { kinds: DECISION_KINDS, decider: Decider::CommandLine, request_id: None, now };
    let confirmed = async |conn: &mut Conn| {
        let decision = confirm(conn, id, &act).await?;
        if decision.kind != identity::ROLE_HOLDER_SLIP.code() {
            return Ok("confirmed".to_owned());
        }
        let days = (state.config.slip_days, None);
        let slip = identity::read_slip_code(conn, &state.crypto, decision.object_id, None, days, now).await?;
        Ok(format!("code: {}\nuntil: {}", slip.code, slip.expires_at))
    };
    state.work.transaction(confirmed).await
}
