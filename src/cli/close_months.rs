//! `sotay close-months`: closes what is due at once, instead of waiting for a server to do it.

use crate::app;
use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::points;

use super::runtime;

/// Closes every month whose days for the secretary are over, also while servers run.
///
/// # Errors
/// When the database cannot be reached.
pub async fn run(mut config: Config) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let closed = match app::state(config, Clock::System, String::new()) {
        Ok(state) => points::close_due(&state.work, &state.crypto, state.clock.now())
            .await
            .map_err(|problem| problem.to_string()),
        Err(error) => Err(error),
    };
    database.close().await;
    println!("closed: {}", closed?);
    Ok(())
}
