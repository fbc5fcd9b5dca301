//! Runs the benches: services over generated data, measured against yardsticks.
//! Prints a table or JSON lines.
//!
//! `scripts/bench` builds what is needed and starts this.

mod cases;
mod cluster;
mod data;
mod load;
mod measure;
mod place;
mod report;
mod server;
mod statement;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use place::Place;
use report::Report;

#[derive(Parser)]
#[command(name = "scripts/bench", about = "Measures P1 to P13 against their targets")]
struct Arguments {
    /// Which ones, such as `P1 P3`; all that fit the scale when none is named.
    names: Vec<String>,
    /// One JSON object a line on standard output instead of a table.
    #[arg(long)]
    json: bool,
    /// How much data: `province` (108,600 members), `country` (5.6 million), or `ward` (229), which only shows that all works.
    #[arg(long, default_value = "province")]
    scale: String,
    /// Pairs of measurements, yardstick and product by turns; the median counts.
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Where the programs are.
    #[arg(long)]
    programs: PathBuf,
    /// Where PostgreSQL's programs are.
    #[arg(long)]
    postgres: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // However this ends, the futures are dropped, and with them go processes, databases and files.
    tokio::select! {
        done = run(arguments) => match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("bench: {error}");
                ExitCode::from(2)
            }
        },
        code = interrupted() => code,
    }
}

/// Waits for a signal that asks to end.
async fn interrupted() -> ExitCode {
    let listen = |kind| signal(kind).unwrap_or_else(|e| panic!("signals cannot be listened for: {e}"));
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(listen);
    let [int, term, hup] = &mut signals;
    tokio::select! {
        _ = int.recv() => ExitCode::from(130),
        _ = term.recv() => ExitCode::from(143),
        _ = hup.recv() => ExitCode::from(129),
    }
}

/// Runs the requested cases. Returns whether every target was reached.
async fn run(arguments: Arguments) -> Result<bool, String> {
    let chosen = cases::choose(&arguments.names, &arguments.scale)?;
    let place = Place::new()?;
    let mut report = Report::new(arguments.json);
    let bench = cases::Bench::open(&place, &arguments).await?;
    for case in chosen {
        eprintln!("{case} …");
        match cases::run(case, &bench).await {
            Ok(figures) => figures.into_iter().for_each(|figure| report.add(figure)),
            Err(error) => report.failed(case, &error),
        }
    }
    Ok(report.finish())
}
