//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app;

#[derive(Parser)]
#[command(
    name = "sotay",
    version,
    about = "Backend of the electronic Party-member handbook"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the OpenAPI document.
    Openapi,
}

/// Runs the command given on the command line.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Openapi => {
            println!(
                "{}",
                serde_json::to_string_pretty(&app::document()).unwrap_or_default()
            );
            ExitCode::SUCCESS
        }
    }
}
