//! Load generator: runs a JSON plan from standard input over loopback, prints the outcome as JSON.
//!
//! One thread and one `epoll`, so that it takes as little as possible of the machine it shares with the server. The same
//! generator with the same requests drives the yardstick, so what it costs is on both sides of every ratio.

mod connection;
mod engine;
mod outcome;
mod plan;
mod request;

use std::io::{self, Read};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|e| format!("the plan cannot be read: {e}"))?;
    let plan: plan::Plan = serde_json::from_str(&text).map_err(|e| format!("the plan is wrong: {e}"))?;
    let people = request::People::read(&plan.people)?;
    let outcome = engine::run(&plan, &people)?;
    println!("{}", serde_json::to_string(&outcome).map_err(|e| e.to_string())?);
    Ok(())
}
