//! Connecting to PostgreSQL: TLS off this host, time limits on statements, and a handle that can cut the connection.

use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::Host;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Conn;
use super::wire::Wire;
use crate::kernel::security::tls;

/// What a pool's connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolPurpose {
    /// Requests, each for itself.
    Requests,
    /// Few statements that repeat with arrays of varying length: each is planned once. PostgreSQL would plan it anew whenever
    /// there are fewer rows than it expects, which takes longer than the statement.
    Batches,
    /// Jobs and commands, whose statements may take long.
    Work,
}

/// The limits of a connection whose role has none of its own: a role that an older version or an operator made.
const LIMITS: &str = "SELECT set_config(name, value, false)
    FROM (VALUES ('statement_timeout', '10s'), ('idle_in_transaction_session_timeout', '60s')) AS l (name, value)
    WHERE current_setting(name) IN ('0', '')";
/// What takes longer than this does not end by itself. A transaction of a job may wait for Redis.
const LIMITS_OF_WORK: &str = "SET statement_timeout = '30min'; SET idle_in_transaction_session_timeout = '10min'";
const PLAN_ONCE: &str = "SET plan_cache_mode = force_generic_plan";

/// Connects for a pool.
pub(super) fn establish(url: &str, purpose: PoolPurpose) -> BoxFuture<'_, ConnectionResult<Conn>> {
    async move {
        let mut conn = open(url).await?;
        // By its name an administrator tells what a session is for.
        let statements: &[&str] = match purpose {
            PoolPurpose::Requests => &["SET application_name = 'sotay requests'", LIMITS],
            PoolPurpose::Batches => &["SET application_name = 'sotay batches'", LIMITS, PLAN_ONCE],
            PoolPurpose::Work => &["SET application_name = 'sotay work'", LIMITS_OF_WORK],
        };
        let set = conn.batch_execute(&statements.join("; ")).await;
        set.map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
    .boxed()
}

/// Connects for diesel, without limits of the program's own.
pub(super) async fn open(url: &str) -> ConnectionResult<Conn> {
    let (client, driver, tls) = dial(url).await?;
    let wire = Wire::new(driver, client.cancel_token(), tls);
    let mut conn = Conn::try_from(client).await?;
    conn.set_instrumentation(wire);
    Ok(conn)
}

/// A bare connection outside the pool, for `COPY`, which diesel does not speak. It ends when the client is dropped.
///
/// # Errors
/// When the database cannot be reached.
pub async fn bare(url: &SecretString) -> ConnectionResult<tokio_postgres::Client> {
    Ok(dial(url.expose_secret()).await?.0)
}

type Dialled = (tokio_postgres::Client, tokio::task::AbortHandle, Option<MakeRustlsConnect>);

async fn dial(url: &str) -> ConnectionResult<Dialled> {
    let config = parse(url)?;
    if config.get_hosts().iter().all(is_local) {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(|e| bad(&e))?;
        return Ok((client, drive(connection), None));
    }
    let (tls, config) = secured(config)?;
    let (client, connection) = config.connect(tls.clone()).await.map_err(|e| bad(&e))?;
    Ok((client, drive(connection), Some(tls)))
}

/// Ends by itself when the client is dropped; what goes wrong reaches the client's calls.
fn drive<F>(connection: F) -> tokio::task::AbortHandle
where
    F: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    let driven = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::info!(%error, "a connection to PostgreSQL ended");
        }
    });
    driven.abort_handle()
}

fn bad(error: &dyn std::fmt::Display) -> ConnectionError {
    ConnectionError::BadConnection(error.to_string())
}

/// A network that swallows everything is noticed after so long.
const NETWORK_PATIENCE: Duration = Duration::from_secs(30);

fn parse(url: &str) -> ConnectionResult<tokio_postgres::Config> {
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|_| bad(&"the address of PostgreSQL cannot be read"))?;
    config.keepalives_idle(NETWORK_PATIENCE);
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(NETWORK_PATIENCE);
    }
    Ok(config)
}

/// Off this host the connection is TLS; over a socket or loopback it need not be.
fn secured(mut config: tokio_postgres::Config) -> ConnectionResult<(MakeRustlsConnect, tokio_postgres::Config)> {
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    Ok((MakeRustlsConnect::new(tls::client_config().map_err(|e| bad(&e))?), config))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    }
}
