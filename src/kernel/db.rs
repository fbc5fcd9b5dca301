//! The connection pool, transactions that repeat after a conflict, and migrations.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod, SetupCallback,
};
use diesel_async::{
    AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::Host;

use super::problem::{Code, Problem};

/// A connection to PostgreSQL. Stores take this, never the pool.
pub type Conn = AsyncPgConnection;

/// Every change of the schema, in order, each with its way back.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// How often a transaction is repeated after a deadlock or a serialisation failure.
const ATTEMPTS: usize = 4;

/// The pool of connections of the application role.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Conn>,
}

impl Db {
    /// Makes the pool; connects only when a connection is first needed.
    ///
    /// # Errors
    /// When the pool's settings do not fit together.
    pub fn new(url: &SecretString, connections: usize) -> Result<Self, Problem> {
        Self::with(url, connections, Box::new(establish))
    }

    /// The same for work that says few things again and again, about more or fewer rows: each is planned once, and not for the
    /// number of rows it happens to come with. PostgreSQL would plan it anew whenever there are fewer than it expects, which
    /// takes longer than the work.
    ///
    /// # Errors
    /// When the pool's settings do not fit together.
    pub fn of_few_words(url: &SecretString, connections: usize) -> Result<Self, Problem> {
        Self::with(url, connections, Box::new(establish_to_plan_once))
    }

    fn with(url: &SecretString, connections: usize, setup: SetupCallback<Conn>) -> Result<Self, Problem> {
        let mut config = ManagerConfig::default();
        config.custom_setup = setup;
        config.recycling_method = RecyclingMethod::Fast;
        let manager = AsyncDieselConnectionManager::new_with_config(url.expose_secret(), config);
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(5)))
            .create_timeout(Some(Duration::from_secs(5)))
            .build()
            .map_err(Problem::internal)?;
        Ok(Self { pool })
    }

    /// A connection, or 503 when there is none within five seconds.
    pub async fn conn(&self) -> Result<Lent, Problem> {
        self.pool.get().await.map(|object| Lent(Some(object))).map_err(Problem::unavailable)
    }

    /// Runs `work` in a transaction of its own. See [`transaction`].
    pub async fn transaction<T>(&self, work: impl AsyncFn(&mut Conn) -> Result<T, Problem>) -> Result<T, Problem> {
        transaction(&mut *self.conn().await?, work).await
    }

    /// Does `work` on a connection. Nobody else is given one that has not answered within [`PATIENCE`].
    ///
    /// # Errors
    /// 503 when the database cannot be reached or does not answer; otherwise what the work says.
    pub async fn patiently<T>(&self, work: impl AsyncFnOnce(&mut Conn) -> Result<T, Problem>) -> Result<T, Problem> {
        let mut conn = self.conn().await?;
        let done = within(PATIENCE, work(&mut conn)).await;
        if matches!(&done, Err(problem) if problem.code == Code::Unavailable) {
            conn.discard();
        }
        done
    }
}

/// A connection of the pool, which gets it back in the end.
pub struct Lent(Option<Object<Conn>>);

impl Lent {
    /// Ends the connection instead of giving it back.
    pub fn discard(mut self) {
        self.0.take().map(Object::take);
    }
}

/// Nobody can have it any more once it is dropped.
const TAKEN: &str = "a connection is there until it is dropped";

impl Deref for Lent {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.0.as_ref().expect(TAKEN)
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Conn {
        self.0.as_mut().expect(TAKEN)
    }
}

impl Drop for Lent {
    /// A request whose client is gone stops wherever it is. In the middle of a transaction it would keep its locks until the
    /// pool lends the connection again.
    fn drop(&mut self) {
        if let Some(mut object) = self.0.take()
            && object.is_broken()
        {
            drop(Object::take(object));
        }
    }
}

/// How long the database may leave a request without an answer. A server that is gone says so at once; one that hangs, or a
/// network that swallows everything, says nothing.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for the database so long and no longer.
///
/// # Errors
/// 503 when it has not answered by then; otherwise what the work answers.
pub async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let answer = tokio::time::timeout(patience, work).await;
    answer.unwrap_or_else(|_| Err(Problem::unavailable("the database does not answer")))
}

/// What a transaction came to, when it did not commit.
enum Failure {
    Conflict,
    Problem(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Runs `work` in a transaction: commits what it did, or undoes all of it. After a deadlock or a
/// serialisation failure it runs again, so `work` must do nothing outside the database.
pub async fn transaction<T>(
    conn: &mut Conn,
    work: impl AsyncFn(&mut Conn) -> Result<T, Problem>,
) -> Result<T, Problem> {
    for _ in 1..ATTEMPTS {
        match attempt(conn, &work).await {
            Ok(value) => return Ok(value),
            Err(Failure::Problem(problem)) => return Err(problem),
            Err(Failure::Conflict) => tracing::info!("transaction repeated after a conflict"),
        }
    }
    attempt(conn, &work).await.map_err(|failure| match failure {
        Failure::Problem(problem) => problem,
        Failure::Conflict => Problem::unavailable("conflicts did not end"),
    })
}

/// Runs `work` inside the caller's transaction so that a problem undoes `work` alone; the outer answer is a problem only when the
/// whole transaction has to end: after a conflict, which repeats it, or without a database.
///
/// # Errors
/// As above.
pub async fn savepoint<T>(
    conn: &mut Conn,
    work: impl AsyncFn(&mut Conn) -> Result<T, Problem>,
) -> Result<Result<T, Problem>, Problem> {
    match attempt(conn, &work).await {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Conflict) => Err(Problem::repeatable("conflict within a savepoint")),
        Err(Failure::Problem(problem)) if matches!(problem.code, Code::Internal | Code::Unavailable) => Err(problem),
        Err(Failure::Problem(problem)) => Ok(Err(problem)),
    }
}

async fn attempt<T>(conn: &mut Conn, work: &impl AsyncFn(&mut Conn) -> Result<T, Problem>) -> Result<T, Failure> {
    type Manager = <Conn as AsyncConnection>::TransactionManager;
    Manager::begin_transaction(conn).await.map_err(Problem::from)?;
    match work(conn).await {
        Ok(value) => {
            Manager::commit_transaction(conn).await.map_err(Problem::from)?;
            Ok(value)
        }
        Err(problem) => {
            let undone = Manager::rollback_transaction(conn).await;
            if problem.conflict {
                return Err(Failure::Conflict);
            }
            if let Err(error) = undone {
                tracing::warn!(%error, "rollback failed; the connection is dropped");
            }
            Err(problem.into())
        }
    }
}

/// Connects for diesel.
fn establish(url: &str) -> BoxFuture<'_, ConnectionResult<Conn>> {
    async move {
        let config = parse(url)?;
        if config.get_hosts().iter().all(is_local) {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(|e| bad(&e))?;
            return Conn::try_from_client_and_connection(client, connection).await;
        }
        let (tls, config) = secured(config)?;
        let (client, connection) = config.connect(tls).await.map_err(|e| bad(&e))?;
        Conn::try_from_client_and_connection(client, connection).await
    }
    .boxed()
}

/// Connects for [`Db::of_few_words`].
fn establish_to_plan_once(url: &str) -> BoxFuture<'_, ConnectionResult<Conn>> {
    async move {
        let mut conn = establish(url).await?;
        let set = conn.batch_execute("SET plan_cache_mode = force_generic_plan").await;
        set.map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
    .boxed()
}

/// A bare connection outside the pool, for `COPY`, which diesel does not speak. It ends when the client is dropped.
///
/// # Errors
/// When the database cannot be reached.
pub async fn bare(url: &SecretString) -> ConnectionResult<tokio_postgres::Client> {
    let config = parse(url.expose_secret())?;
    if config.get_hosts().iter().all(is_local) {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(|e| bad(&e))?;
        tokio::spawn(connection);
        return Ok(client);
    }
    let (tls, config) = secured(config)?;
    let (client, connection) = config.connect(tls).await.map_err(|e| bad(&e))?;
    tokio::spawn(connection);
    Ok(client)
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
fn secured(
    mut config: tokio_postgres::Config,
) -> ConnectionResult<(tokio_postgres_rustls::MakeRustlsConnect, tokio_postgres::Config)> {
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    Ok((tokio_postgres_rustls::MakeRustlsConnect::new(tls_config().map_err(|e| bad(&e))?), config))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    }
}

fn tls_config() -> Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        roots.add(certificate)?;
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Brings the schema up to date, as the owner role. Returns the names of the migrations that ran.
///
/// # Errors
/// When the database cannot be reached or a migration fails; that migration is undone.
pub async fn migrate(owner_url: &SecretString) -> Result<Vec<String>, String> {
    let conn = establish(owner_url.expose_secret()).await.map_err(|e| e.to_string())?;
    // The harness blocks its thread while it drives the connection.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        let ran = harness.run_pending_migrations(MIGRATIONS).map_err(|e| e.to_string())?;
        Ok(ran.iter().map(ToString::to_string).collect())
    })
    .await
    .map_err(|e| e.to_string())?
}

/// Drops a database, if it is there, and makes it anew for its owner. For the private cluster's superuser.
///
/// # Errors
/// When the cluster cannot be reached.
pub async fn recreate(superuser_url: &str, name: &str, owner: &str) -> Result<(), String> {
    let mut conn = establish(superuser_url).await.map_err(|e| e.to_string())?;
    for statement in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0"),
    ] {
        conn.batch_execute(&statement).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}
