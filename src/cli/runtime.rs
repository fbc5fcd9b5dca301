//! The database a command works on: the one configured, or a private one.

use secrecy::SecretString;

use crate::kernel::config::{Config, Mode};
use crate::kernel::db;
use crate::kernel::db::private_postgres::{ClusterRole, PrivatePostgres};

/// An open database. A private one is stopped with [`Database::close`] by the command that started it.
pub struct Database {
    private: Option<PrivatePostgres>,
}

/// How a command takes the private database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Private {
    /// The command owns it for a while: it starts and stops it (`serve`).
    Own,
    /// The same, and everything in it is dropped first (`demo`).
    OwnEmptied,
    /// The command joins a running server's, or starts it for the moment (`import`, `verify`, `create-admin`).
    Join,
}

/// Opens the database: the one configured, or else the private one, whose schema is brought up to date. Fills in
/// `config.database_url`.
///
/// # Errors
/// When PostgreSQL cannot be started or reached, or a migration fails.
pub async fn open(config: &mut Config, how: Private) -> Result<Database, String> {
    if config.database_url.is_some() {
        if config.mode == Mode::Development && config.database_owner_url.is_some() {
            migrate(config).await?;
        }
        return Ok(Database { private: None });
    }
    std::fs::create_dir_all(&config.data_dir).map_err(|e| format!("the data directory cannot be made: {e}"))?;
    let folder = config.data_dir.join("postgres");
    let started = match how {
        Private::Join => PrivatePostgres::attach(&folder).await,
        Private::Own | Private::OwnEmptied => PrivatePostgres::start(&folder).await,
    };
    let private = started.map_err(|e| e.to_string())?;
    if how == Private::OwnEmptied {
        db::recreate(&private.url(ClusterRole::Superuser), "sotay", ClusterRole::Owner.name()).await?;
    }
    config.database_owner_url = Some(SecretString::from(private.url(ClusterRole::Owner)));
    config.database_url = Some(SecretString::from(private.url(ClusterRole::Application)));
    migrate(config).await?;
    Ok(Database { private: Some(private) })
}

impl Database {
    /// Stops the private database, if this command started it.
    pub async fn close(self) {
        if let Some(private) = self.private
            && let Err(error) = private.stop().await
        {
            tracing::warn!(%error, "the private database could not be stopped");
        }
    }
}

/// Runs pending migrations as the owner role.
///
/// # Errors
/// When no owner is configured, the database cannot be reached, or a migration fails.
pub async fn migrate(config: &Config) -> Result<(), String> {
    let url = config
        .database_owner_url
        .as_ref()
        .ok_or("SOTAY_DATABASE_OWNER_URL is needed: migrations run as the owner role, not as the application")?;
    for name in db::migrate(url).await? {
        tracing::info!(migration = %name, "schema changed");
    }
    Ok(())
}
