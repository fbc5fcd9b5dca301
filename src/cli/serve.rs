//! `sotay serve`: answers requests until it is asked to stop, then finishes what it has begun.

use std::net::TcpListener;

use actix_web::web::Data;

use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::{app, identity};

use super::runtime;

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When the database or the address cannot be used.
pub async fn run(mut config: Config) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Own).await?;
    let (state, listener) = prepare(config).await?;
    tracing::info!(address = %state.public_url, docs = %format!("{}/docs/", state.public_url), "ready");
    let (_, ended) = app::serve(state, listener).map_err(|e| e.to_string())?;
    let served = ended.await;
    database.close().await;
    served.map_err(|e| e.to_string())
}

/// Binds the address and makes the state, with signing keys in force.
///
/// # Errors
/// When the address is taken, or the database cannot be reached.
pub async fn prepare(config: Config) -> Result<(Data<crate::kernel::state::State>, TcpListener), String> {
    let listener =
        TcpListener::bind(config.listen).map_err(|e| format!("{} cannot be listened on: {e}", config.listen))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let state = Data::new(app::state(config, Clock::System, public_url)?);
    identity::refresh_keys(&state).await.map_err(|e| format!("signing keys cannot be read: {e}"))?;
    Ok((state, listener))
}
