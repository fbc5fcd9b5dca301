//! `sotay create-admin`: the first account of a new system.

use clap::Args;

use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::{app, identity};

use super::runtime;

#[derive(Args)]
pub struct CreateAdmin {
    /// The name to sign in with.
    #[arg(long, default_value = "admin")]
    login: String,
    /// The name shown to others.
    #[arg(long, default_value = "Quản trị hệ thống")]
    name: String,
}

/// Makes the account and prints its generated password on standard output.
///
/// # Errors
/// When the database cannot be reached or the login is taken.
pub async fn create(mut config: Config, arguments: CreateAdmin) -> Result<(), String> {
    let database = runtime::open(&mut config, runtime::Private::Join).await?;
    let state = app::state(config, Clock::System, String::new())?;
    let made = identity::create_administrator(&state, &arguments.login, &arguments.name, None).await;
    database.close().await;
    let password =
        made.map_err(|problem| problem.detail.map_or(problem.code.as_str().to_owned(), |text| text.en.into_owned()))?;
    println!("login: {}\npassword: {password}", arguments.login);
    Ok(())
}
