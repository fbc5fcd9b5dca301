//! The load generator from this side: plans as JSON, outcomes back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Counts and latencies (microseconds) of one kind of request, or of all.
#[derive(Debug, Deserialize)]
pub struct Summary {
    pub completed: u64,
    pub per_second: f64,
    pub expected: u64,
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
    pub bad: Option<String>,
}

/// What came of a run.
#[derive(Debug, Deserialize)]
pub struct Outcome {
    /// Answers of the warm-up that contained what was expected.
    pub warm_expected: u64,
    pub errors: u64,
    pub all: Summary,
    pub kinds: BTreeMap<String, Summary>,
}

/// A plan that grows by its kinds of requests.
pub struct Plan(Value);

impl Plan {
    pub fn new(people: &Path, connections: usize, warm_seconds: f64, seconds: f64) -> Self {
        Self(json!({
            "connections": connections, "warm_seconds": warm_seconds, "seconds": seconds, "rate": null,
            "people": people, "kinds": [],
        }))
    }

    /// So many requests a second, regardless of the answers.
    pub fn paced(mut self, rate: f64) -> Self {
        self.0["rate"] = json!(rate);
        self
    }

    /// Adds a kind of request; the fields are those of the generator's `Kind`.
    pub fn kind(mut self, kind: Value) -> Self {
        if let Some(kinds) = self.0["kinds"].as_array_mut() {
            kinds.push(kind);
        }
        self
    }

    /// Runs it. An answer that is not as planned is an error.
    pub async fn run(&self, programs: &Path, address: SocketAddr) -> Result<Outcome, String> {
        let outcome = self.try_run(programs, address).await?;
        if outcome.errors > 0 {
            let bad = outcome.kinds.values().find_map(|kind| kind.bad.as_deref()).unwrap_or_default();
            return Err(format!("{} requests failed, such as: {bad}", outcome.errors));
        }
        if outcome.all.completed == 0 {
            return Err("nothing was answered while it was measured: too slow, or too few people".to_owned());
        }
        Ok(outcome)
    }

    /// Runs it and counts what was not as planned.
    pub async fn try_run(&self, programs: &Path, address: SocketAddr) -> Result<Outcome, String> {
        let mut plan = self.0.clone();
        plan["address"] = json!(address);
        let mut command = Command::new(programs.join("load"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|e| format!("load: {e}"))?;
        let mut to = child.stdin.take().ok_or("load: no input")?;
        to.write_all(plan.to_string().as_bytes()).await.map_err(|e| format!("load: {e}"))?;
        drop(to);
        let done = child.wait_with_output().await.map_err(|e| format!("load: {e}"))?;
        if !done.status.success() {
            return Err(format!("load ended with {}", done.status));
        }
        serde_json::from_slice(&done.stdout).map_err(|e| format!("load: {e}"))
    }

    /// The same requests for the yardstick: another path, and each person as often as needed.
    pub fn for_yardstick(&self) -> Self {
        let mut plan = self.0.clone();
        for kind in plan["kinds"].as_array_mut().into_iter().flatten() {
            kind["path"] = json!("/");
            kind["once"] = json!(false);
        }
        Self(plan)
    }
}
