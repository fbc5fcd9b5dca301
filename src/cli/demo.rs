//! `sotay demo`: the program with demo data over a private database, on this machine only.

use std::net::SocketAddr;

use clap::Args;
use serde_json::json;

use crate::kernel::config::{Config, Mode};
use crate::{app, demo};

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
}

/// Serves the demo until SIGINT or SIGTERM.
///
/// # Errors
/// When PostgreSQL is not installed, or the port is taken.
pub async fn run(mut config: Config, arguments: Demo) -> Result<(), String> {
    config.mode = Mode::Development;
    config.listen = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    config.public_url = None;
    config.data_dir = config.data_dir.join("demo");
    // The demo never touches a database that is somebody's.
    config.database_url = None;
    config.database_owner_url = None;
    config.reading_floor_seconds = config.reading_floor_seconds.min(5);
    let how = if arguments.keep { runtime::Private::Own } else { runtime::Private::OwnEmptied };
    let database = runtime::open(&mut config, how).await?;
    let served = serve_demo(config, arguments.json).await;
    database.close().await;
    served
}

async fn serve_demo(config: Config, as_json: bool) -> Result<(), String> {
    let (state, listener) = serve::prepare(config).await?;
    demo::fill(&state).await.map_err(|e| format!("the demo data cannot be made: {e}"))?;
    let base_url = state.public_url.clone();
    let server = app::serve(state, listener).map_err(|e| e.to_string())?;
    announce(&base_url, as_json);
    server.await.map_err(|e| e.to_string())
}

fn announce(base_url: &str, as_json: bool) {
    let docs_url = format!("{base_url}/docs/");
    let sign_ins = demo::sign_ins();
    if as_json {
        let users: Vec<_> = sign_ins
            .iter()
            .map(|user| json!({"role": user.role, "login": user.login, "password": demo::PASSWORD}))
            .collect();
        println!("{}", json!({"base_url": base_url, "docs_url": docs_url, "users": users}));
        return;
    }
    println!("\nsotay is ready.\n\n  API             {base_url}/v1\n  Documentation   {docs_url}\n");
    println!("  Sign-ins (password of all: {}):", demo::PASSWORD);
    for user in &sign_ins {
        println!("    {:<22} {}", user.role, user.login);
    }
    println!("\nPress Ctrl-C to stop.");
}
