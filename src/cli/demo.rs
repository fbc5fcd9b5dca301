//! `sotay demo`: the program with demo data, on this machine only.
//! `sotay demo-tokens`: tokens of its members for load tests.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::apps::DemoClient;
use crate::demo::Scale;
use crate::kernel::clock::Clock;
use crate::kernel::config::{Config, Mode};
use crate::kernel::state::{DemoLogin, State};
use crate::{app, demo, identity};

use super::{runtime, serve};

#[derive(Args)]
pub struct Demo {
    /// Go on with the data of the last demo instead of starting afresh.
    #[arg(long)]
    keep: bool,
    /// Print one line of JSON on standard output when ready, and nothing else.
    #[arg(long)]
    json: bool,
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// How much data: `province` takes a few minutes, `country` half an hour and 40 GB.
    #[arg(long, value_enum, default_value_t = Scale::Ward)]
    scale: Scale,
    /// Make the data and stop.
    #[arg(long)]
    fill_only: bool,
    /// Fill the database that DATABASE_URL and SOTAY_DATABASE_OWNER_URL name instead of a private one. It must be empty,
    /// or hold the demo already. Never in production mode.
    #[arg(long)]
    configured_database: bool,
}

#[derive(Args)]
pub struct DemoTokensArgs {
    /// How many members, spread over all cells.
    #[arg(long, default_value_t = 1000)]
    count: u32,
    /// Where the tokens go, one line each: access token, member, cell, refresh token, separated by tabs. Readable by you only.
    #[arg(long)]
    out: PathBuf,
    /// How long the tokens live, hours.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=72))]
    hours: u32,
    /// Only those who hold this role, for example `cell_secretary`.
    #[arg(long)]
    role: Option<String>,
}

/// Serves the demo until SIGINT or SIGTERM.
///
/// # Errors
/// When PostgreSQL is not installed, or the port is taken.
pub async fn run(mut config: Config, arguments: Demo) -> Result<(), String> {
    choose(&mut config, arguments.configured_database)?;
    config.listen = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    config.public_url = None;
    config.webhook_allow_loopback = true;
    config.reading_floor_seconds = config.reading_floor_seconds.min(5);
    let how = if arguments.keep { runtime::Private::Own } else { runtime::Private::OwnEmptied };
    let database = runtime::open(&mut config, how).await?;
    let served = serve_demo(config, &arguments).await;
    database.close().await;
    served
}

/// Selects the private database of demos, unless the configured one is requested: by default the demo touches no
/// database in use.
fn choose(config: &mut Config, configured: bool) -> Result<(), String> {
    if !configured {
        config.mode = Mode::Development;
        config.data_dir = config.data_dir.join("demo");
        config.database_url = None;
        config.database_owner_url = None;
        return Ok(());
    }
    if config.mode == Mode::Production {
        return Err("demo data never go into a production database".to_owned());
    }
    config.database_url.as_ref().map(|_| ()).ok_or_else(|| "DATABASE_URL is not set".to_owned())
}

async fn serve_demo(config: Config, arguments: &Demo) -> Result<(), String> {
    let (state, listener) = serve::prepare(config).await?;
    demo::fill(&state, arguments.scale).await.map_err(|e| format!("the demo data cannot be made: {e}"))?;
    if arguments.fill_only {
        return Ok(());
    }
    let base_url = state.public_url.clone();
    let sign_ins = demo::sign_ins(&state, arguments.scale);
    let logins = sign_ins.iter();
    let logins = logins.map(|user| DemoLogin { role: user.role, login: user.login.clone(), password: demo::PASSWORD });
    // Set here alone, once.
    let _ = state.demo_logins.set(logins.collect());
    let client = demo::client(&state).await.map_err(|e| format!("the demo's app cannot be made: {e}"))?;
    let (_, server) = app::serve(state, listener).map_err(|e| e.to_string())?;
    announce(&base_url, &sign_ins, client.as_ref(), arguments.json);
    server.await.map_err(|e| e.to_string())
}

fn announce(base_url: &str, sign_ins: &[demo::SignIn], client: Option<&DemoClient>, as_json: bool) {
    let docs_url = format!("{base_url}/docs/");
    if as_json {
        let users: Vec<_> = sign_ins
            .iter()
            .map(|user| json!({"role": user.role, "login": user.login, "password": demo::PASSWORD}))
            .collect();
        let client = client.map(|client| {
            json!({"client_id": client.client_id, "client_secret": client.client_secret, "redirect_uri": client.redirect_uri})
        });
        println!("{}", json!({"base_url": base_url, "docs_url": docs_url, "users": users, "client": client}));
        return;
    }
    println!("\nsotay is ready.\n\n  API             {base_url}/v1\n  Documentation   {docs_url}\n");
    println!("  Sign-ins (password of all: {}):", demo::PASSWORD);
    for user in sign_ins {
        println!("    {:<26} {}", user.role, user.login);
    }
    if let Some(client) = client {
        println!("\n  App of a third party (OAuth 2.1, returns to {}):", client.redirect_uri);
        println!(
            "    client_id                  {}\n    client_secret              {}",
            client.client_id, client.client_secret
        );
    }
    println!("\nPress Ctrl-C to stop.");
}

/// Signs demo members in and writes their tokens: over the configured database if there is one, else the demo's own.
///
/// # Errors
/// In production mode, and when the database holds no demo data.
pub async fn tokens(mut config: Config, arguments: DemoTokensArgs) -> Result<(), String> {
    if config.mode == Mode::Production {
        return Err("tokens without a password are for demo data only, never in production mode".to_owned());
    }
    let configured = config.database_url.is_some();
    choose(&mut config, configured)?;
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let written = match app::state(config, Clock::System, String::new()) {
        Ok(state) => write_tokens(&state, &arguments).await,
        Err(error) => Err(error),
    };
    database.close().await;
    eprintln!("{} tokens in {}", written?, arguments.out.display());
    Ok(())
}

async fn write_tokens(state: &State, arguments: &DemoTokensArgs) -> Result<usize, String> {
    identity::refresh_keys(state).await.map_err(|e| e.to_string())?;
    let members = demo::some_members(state, i64::from(arguments.count), arguments.role.as_deref())
        .await
        .map_err(|e| e.to_string())?
        .ok_or("the database holds no demo data")?;
    let accounts: Vec<_> = members.iter().map(|(member, _)| *member).collect();
    let tokens = identity::open_demo_sessions(state, &accounts, arguments.hours).await.map_err(|e| e.to_string())?;
    let mut text = String::new();
    for (token, (member, cell)) in tokens.iter().zip(&members) {
        text.push_str(&format!("{}\t{member}\t{cell}\t{}\n", token.access, token.refresh));
    }
    // A file that is there may be readable by others; it is replaced, not written to.
    let _ = std::fs::remove_file(&arguments.out);
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&arguments.out);
    let told = |e: std::io::Error| format!("{}: {e}", arguments.out.display());
    opened.map_err(told)?.write_all(text.as_bytes()).map_err(told)?;
    Ok(tokens.len())
}
