//! The connection pools, the time that requests and jobs have in the database, transactions that repeat, and migrations.

pub mod advisory;
mod connect;
pub mod lease;
pub mod private_postgres;
pub mod schema;
pub mod statement;
pub mod sweep;
pub mod violations;
mod wire;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::{
    AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::AbortHandle;

use super::http::problem::{Code, Problem};

pub use connect::bare;
use connect::{PoolPurpose, establish, open};
use wire::Wire;

/// A connection to PostgreSQL. Stores take this, never the pool.
pub type Conn = AsyncPgConnection;

/// All migrations, in order, each with its reverse.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// How often a transaction is repeated after a deadlock or a serialisation failure.
const ATTEMPTS: usize = 4;

/// How long a batch or an authorisation waits for the database. A server that is gone says so at once; one that hangs, or a
/// network that swallows everything, says nothing.
pub const DB_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may hold a connection; a single statement ends earlier by `statement_timeout`.
const MAX_LEASE_TIME: Duration = Duration::from_secs(12);
/// The same for a request that reads or writes much: an export, an import, a reorganisation.
const LONG_TIMEOUT: Duration = Duration::from_secs(300);

/// A pool of connections of the application role.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Conn>,
    /// How long each connection is lent; none where the work bounds itself.
    lent_for: Option<Duration>,
}

impl Db {
    /// Makes the pool of requests; connects only when a connection is first needed.
    ///
    /// # Errors
    /// When the pool's settings do not fit together.
    pub fn new(url: &SecretString, connections: usize) -> Result<Self, Problem> {
        Self::with(url, connections, PoolPurpose::Requests)
    }

    /// The same for batches of requests, whose statements repeat with arrays of varying length.
    ///
    /// # Errors
    /// When the pool's settings do not fit together.
    pub fn with_generic_plans(url: &SecretString, connections: usize) -> Result<Self, Problem> {
        Self::with(url, connections, PoolPurpose::Batches)
    }

    /// The same for jobs and commands, which may take long and must not take connections from requests.
    ///
    /// # Errors
    /// When the pool's settings do not fit together.
    pub fn for_work(url: &SecretString, connections: usize) -> Result<Self, Problem> {
        Self::with(url, connections, PoolPurpose::Work)
    }

    fn with(url: &SecretString, connections: usize, purpose: PoolPurpose) -> Result<Self, Problem> {
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(move |url| establish(url, purpose));
        config.recycling_method = RecyclingMethod::Fast;
        let manager = AsyncDieselConnectionManager::new_with_config(url.expose_secret(), config);
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(5)))
            .create_timeout(Some(Duration::from_secs(5)))
            .build()
            .map_err(Problem::internal)?;
        Ok(Self { pool, lent_for: (purpose == PoolPurpose::Requests).then_some(MAX_LEASE_TIME) })
    }

    /// A connection, or 503 when there is none within five seconds.
    pub async fn conn(&self) -> Result<PooledConn, Problem> {
        loop {
            let mut object = self.pool.get().await.map_err(Problem::unavailable)?;
            let wire = Wire::of(&mut object);
            // One that ended unused, since the server went away, is made anew.
            if wire.as_ref().is_some_and(Wire::is_unusable) {
                drop(Object::take(object));
                continue;
            }
            return Ok(PooledConn::new(object, wire, self.lent_for));
        }
    }

    /// Runs `work` in a transaction of its own. See [`transaction`].
    pub async fn transaction<T>(&self, work: impl AsyncFn(&mut Conn) -> Result<T, Problem>) -> Result<T, Problem> {
        transaction(&mut *self.conn().await?, work).await
    }

    /// Runs `work` on a connection. One that has not answered within [`DB_TIMEOUT`] is not reused.
    ///
    /// # Errors
    /// 503 when the database cannot be reached or does not answer; otherwise what the work says.
    pub async fn with_timeout<T>(&self, work: impl AsyncFnOnce(&mut Conn) -> Result<T, Problem>) -> Result<T, Problem> {
        let mut conn = self.conn().await?;
        let done = within(DB_TIMEOUT, work(&mut conn)).await;
        if matches!(&done, Err(problem) if problem.code == Code::Unavailable) {
            conn.discard();
        }
        done
    }
}

/// A pooled connection; the pool gets it back in the end. It is cut when it is lent for too long, and when it is dropped in
/// the middle of a statement or a transaction.
pub struct PooledConn {
    object: Option<Object<Conn>>,
    wire: Option<Wire>,
    /// How long it is lent for, and what cuts it then.
    limit: Option<(Duration, AbortHandle)>,
}

impl PooledConn {
    fn new(object: Object<Conn>, wire: Option<Wire>, lent_for: Option<Duration>) -> Self {
        let mut lent = Self { object: Some(object), wire, limit: None };
        lent.limit_to(lent_for);
        lent
    }

    /// From now on.
    fn limit_to(&mut self, time: Option<Duration>) {
        if let Some((_, former)) = self.limit.take() {
            former.abort();
        }
        self.limit = time.zip(self.wire.clone()).map(|(time, wire)| {
            let cut = tokio::spawn(async move {
                tokio::time::sleep(time).await;
                tracing::warn!(seconds = time.as_secs(), "a connection was lent for too long");
                wire.cut();
            });
            (time, cut.abort_handle())
        });
    }

    /// Runs `work` in a transaction that reads or writes much. See [`transaction`].
    ///
    /// # Errors
    /// 503 when it takes longer than even such work may; what the work says.
    pub async fn long_transaction<T>(
        &mut self,
        work: impl AsyncFn(&mut Conn) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let usual = self.limit.as_ref().map(|(time, _)| *time);
        self.limit_to(usual.map(|_| LONG_TIMEOUT));
        let allow = format!("SET LOCAL statement_timeout = '{}s'", LONG_TIMEOUT.as_secs());
        let done = transaction(self, async |conn| {
            conn.batch_execute(&allow).await?;
            work(conn).await
        });
        let done = done.await;
        self.limit_to(usual);
        done
    }

    /// Ends the connection instead of giving it back.
    pub fn discard(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(wire) = &self.wire {
            wire.cut();
        }
        self.object.take().map(Object::take);
    }
}

/// The connection is missing only after the drop.
const TAKEN: &str = "a connection is there until it is dropped";

impl Deref for PooledConn {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.object.as_ref().expect(TAKEN)
    }
}

impl DerefMut for PooledConn {
    fn deref_mut(&mut self) -> &mut Conn {
        self.object.as_mut().expect(TAKEN)
    }
}

impl Drop for PooledConn {
    /// A request whose client is gone stops wherever it is: in the middle of a statement, which would go on, or of a transaction,
    /// which would keep its locks.
    fn drop(&mut self) {
        if let Some((_, cut)) = self.limit.take() {
            cut.abort();
        }
        let unfinished = self.wire.as_ref().is_some_and(Wire::is_unusable);
        if unfinished || self.object.as_mut().is_some_and(|object| object.is_broken()) {
            self.end();
        }
    }
}

/// Waits for the database, for this long at most.
///
/// # Errors
/// 503 when it has not answered by then; otherwise what the work answers.
pub async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let answer = tokio::time::timeout(patience, work).await;
    answer.unwrap_or_else(|_| Err(Problem::unavailable("the database does not answer")))
}

/// Why a transaction did not commit.
enum Failure {
    Conflict,
    Problem(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        if problem.conflict { Self::Conflict } else { Self::Problem(problem) }
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

/// Runs `work` inside the caller's transaction so that a problem undoes `work` alone. The outer result is a problem
/// only when the whole transaction has to end: after a conflict, which repeats it, or without a database.
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
        // A commit may fail as any statement does: constraints that wait for it, and serialisable reads.
        Ok(value) => match Manager::commit_transaction(conn).await {
            Ok(()) => Ok(value),
            Err(error) => Err(Problem::from(error).into()),
        },
        Err(problem) => {
            if let Err(error) = Manager::rollback_transaction(conn).await {
                tracing::warn!(%error, "rollback failed; the connection is dropped");
            }
            Err(problem.into())
        }
    }
}

/// Brings the schema up to date, as the owner role. Returns the names of the migrations that ran.
///
/// # Errors
/// When the database cannot be reached or a migration fails; that migration is undone.
pub async fn migrate(owner_url: &SecretString) -> Result<Vec<String>, String> {
    let conn = open(owner_url.expose_secret()).await.map_err(|e| e.to_string())?;
    // The harness blocks its thread while it drives the connection.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        let ran = harness.run_pending_migrations(MIGRATIONS).map_err(|e| e.to_string())?;
        Ok(ran.iter().map(ToString::to_string).collect())
    })
    .await
    .map_err(|e| e.to_string())?
}

/// Drops a database, if it exists, and creates it again for its owner. For the private cluster's superuser.
///
/// # Errors
/// When the cluster cannot be reached.
pub async fn recreate(superuser_url: &str, name: &str, owner: &str) -> Result<(), String> {
    let mut conn = open(superuser_url).await.map_err(|e| e.to_string())?;
    for statement in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0"),
    ] {
        conn.batch_execute(&statement).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}
