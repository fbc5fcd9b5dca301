//! The command line: one variant a command, the work in `cli/`.

mod admin;
mod boards;
mod close_months;
mod demo;
pub mod import;
mod parse;
pub mod release;
mod runtime;
mod serve;
mod verify;
mod verify_report;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::app;
use crate::kernel::config::Config;

#[derive(Parser)]
#[command(name = "sotay", version, about = "Backend of the electronic Party-member handbook")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests; without DATABASE_URL over a private PostgreSQL of its own.
    Serve,
    /// Serve demo data over a private database, on this machine only.
    Demo(demo::Demo),
    /// Write access tokens of demo members to a file, for load tests; refused in production mode.
    DemoTokens(demo::DemoTokensArgs),
    /// Bring the database schema up to date, as the owner role.
    Migrate,
    /// Recompute totals, counters, caps, roll-ups and boards from the ledger and name every difference.
    ///
    /// Exits with 0 when all is right, with 1 when something differs or cannot be reached, and with 3 when nothing
    /// differs but roll-ups could not be compared because changes were waiting to be applied: try again later.
    Verify(verify::Verify),
    /// Rebuild all leaderboards in Redis from the monthly totals.
    RebuildBoards,
    /// Close the months of cells whose secretaries' days are over.
    CloseMonths,
    /// Verify an exported report offline and name every row that was changed.
    VerifyReport(verify_report::VerifyReport),
    /// Print the OpenAPI document.
    Openapi,
    /// Create the account of a system administrator and print its password once.
    CreateAdmin(admin::CreateAdmin),
    /// List roles and activation slips that wait for a second officer, or confirm one as the operator of the server.
    ///
    /// For the top of the system, where there is no second administrator. For a slip, prints its code once.
    #[command(visible_alias = "release-slip")]
    Release(release::Release),
    /// Parse one foreign file within bounds; started by the server for each file it is sent.
    #[command(hide = true)]
    Parse(parse::Parse),
    /// Import the roster of a cell from an Excel file; a dry run unless --commit is given.
    Import(import::Import),
}

/// Runs the command given on the command line.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Command::Openapi = arguments.command {
        println!("{}", serde_json::to_string_pretty(&app::document()).unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    if let Command::VerifyReport(arguments) = &arguments.command {
        // Needs neither settings nor a database: a verifier has only the file and the key.
        return ended(verify_report::run(arguments).map(|()| ExitCode::SUCCESS));
    }
    if let Command::Parse(arguments) = &arguments.command {
        // Knows nothing of the server that started it.
        return ended(parse::run(arguments).map(|()| ExitCode::SUCCESS));
    }
    let config = match Config::load() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("sotay: {error}");
            return ExitCode::from(2);
        }
    };
    start_logging(&config);
    ended(actix_web::rt::System::new().block_on(run(arguments.command, config)))
}

fn ended(done: Result<ExitCode, String>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sotay: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, config: Config) -> Result<ExitCode, String> {
    let done = match command {
        Command::Verify(arguments) => return verify::run(config, arguments).await,
        Command::Serve => serve::run(config).await,
        Command::RebuildBoards => boards::run(config).await,
        Command::Demo(arguments) => demo::run(config, arguments).await,
        Command::DemoTokens(arguments) => demo::tokens(config, arguments).await,
        Command::Migrate => runtime::migrate(&config).await,
        Command::CreateAdmin(arguments) => admin::create(config, arguments).await,
        Command::Import(arguments) => import::run(config, arguments).await,
        Command::Release(arguments) => release::run(config, arguments).await,
        Command::CloseMonths => close_months::run(config).await,
        // Handled before the configuration was loaded.
        Command::Openapi | Command::Parse(_) | Command::VerifyReport(_) => Ok(()),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Log lines go to standard error; standard output is for the output of commands.
fn start_logging(config: &Config) {
    let mut filter = EnvFilter::try_from_env("SOTAY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // It tells of every client that breaks the protocol as an error, which is none of this program.
    if let Ok(quiet) = "actix_http::h1=off".parse() {
        filter = filter.add_directive(quiet);
    }
    // Colours are for a terminal only: a log kept in a file is searched.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if config.log_format == "json" {
        builder.json().init();
    } else {
        builder.init();
    }
}
