//! A PostgreSQL and a Redis of a test's own, to be stopped, killed and restarted.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use rustix::process::Signal;
use secrecy::SecretString;
use tempfile::TempDir;

use super::database;
use super::process::Process;

/// How long a server may take to come or to go; after a crash it first repairs its data.
const DB_TIMEOUT: Duration = Duration::from_secs(30);

/// How PostgreSQL is asked to stop.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// Open transactions are rolled back, clients disconnected, everything is written.
    Fast,
    /// As a crash: the next start repairs what was not written.
    Immediate,
}

/// A PostgreSQL that keeps what it has confirmed, unlike the one that all other tests share.
pub struct Postgres {
    server: RefCell<Option<Process>>,
    binaries: PathBuf,
    account: Option<(u32, u32)>,
    /// Of its own, each as `name=value`.
    settings: &'static [&'static str],
    /// Of the data, the socket and the log; removed last.
    folder: TempDir,
}

impl Postgres {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With settings of the test's own, each as `name=value`.
    pub async fn start_with(settings: &'static [&'static str]) -> Self {
        let (folder, account) = (short_folder("sotay-pg-"), account());
        if let Some((uid, gid)) = account {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let postgres = Self { server: RefCell::new(None), binaries: binaries().await, account, settings, folder };
        let made = postgres
            .program("initdb", "initdb.log")
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--username=postgres", "--no-sync"])
            .status();
        assert!(made.unwrap().success(), "{}", postgres.log("initdb.log"));
        postgres.resume().await;
        let mut conn = postgres.connect().await.unwrap();
        for statement in [
            "CREATE ROLE sotay_owner LOGIN",
            "CREATE ROLE sotay_app LOGIN",
            "CREATE DATABASE sotay OWNER sotay_owner ENCODING 'UTF8' TEMPLATE template0",
        ] {
            conn.batch_execute(statement).await.unwrap();
        }
        sotay::kernel::db::migrate(&SecretString::from(postgres.url("sotay_owner"))).await.unwrap();
        postgres
    }

    /// The address of the database for a role, the same after each start.
    pub fn url(&self, role: &str) -> String {
        self.address(role, "sotay")
    }

    fn address(&self, role: &str, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={role}", self.folder.path().display())
    }

    async fn connect(&self) -> diesel::ConnectionResult<AsyncPgConnection> {
        AsyncPgConnection::establish(&self.address("postgres", "postgres")).await
    }

    /// Stops it, and comes back when it has ended.
    pub async fn stop(&self, how: Stop) {
        let signal = match how {
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        };
        let server = self.server.take().unwrap();
        server.end(signal).await;
    }

    /// Lets it hang, as a machine without memory does, or go on.
    pub fn freeze(&self, frozen: bool) {
        self.server.borrow_mut().as_mut().unwrap().freeze(frozen);
    }

    /// Starts it again, and comes back when it lets clients in.
    pub async fn resume(&self) {
        let mut postgres = self.program("postgres", "server.log");
        postgres.arg("-k").arg(self.folder.path()).args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        // Confirmed is written: without it these tests prove nothing, so no version's defaults are relied on.
        postgres.args(["-c", "fsync=on", "-c", "synchronous_commit=on"]);
        for setting in self.settings {
            postgres.args(["-c", setting]);
        }
        let mut server = Process::start(&mut postgres, Signal::QUIT);
        let begun = Instant::now();
        while self.connect().await.is_err() {
            assert!(server.runs() && begun.elapsed() < DB_TIMEOUT, "{}", self.log("server.log"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.server.replace(Some(server));
    }

    /// What it has written to its log so far.
    pub fn server_log(&self) -> String {
        self.log("server.log")
    }

    /// The deadlocks that it had to resolve: who waited for whom, with which statements.
    pub fn deadlocks(&self) -> Vec<String> {
        let log = self.log("server.log");
        log.split("deadlock detected").skip(1).map(|rest| rest.split("HINT:").next().unwrap().to_owned()).collect()
    }

    /// One of its programs over its data, as the account that may run it.
    fn program(&self, name: &str, log: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PG")) {
                command.env_remove(name);
            }
        }
        let log = File::options().create(true).append(true).open(self.folder.path().join(log)).unwrap();
        command.current_dir(self.folder.path()).env("PGDATA", self.folder.path().join("data")).env("LC_ALL", "C");
        command.stdout(log.try_clone().unwrap()).stderr(log);
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn log(&self, name: &str) -> String {
        read_log(&self.folder.path().join(name))
    }
}

/// A Redis that keeps nothing: started again, it is empty.
pub struct Redis {
    server: RefCell<Option<Process>>,
    /// Of the socket and the log; removed last.
    folder: TempDir,
}

impl Redis {
    pub async fn start() -> Self {
        let redis = Self { server: RefCell::new(None), folder: short_folder("sotay-redis-") };
        redis.resume().await;
        redis
    }

    /// Its address, the same after each start.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    async fn connect(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        redis::Client::open(self.url())?.get_multiplexed_async_connection().await
    }

    /// Ends it: by `TERM` in order, by `KILL` without warning.
    pub async fn stop(&self, signal: Signal) {
        let server = self.server.take().unwrap();
        server.end(signal).await;
    }

    /// Starts it again, and comes back when it answers.
    pub async fn resume(&self) {
        let log = File::options().create(true).append(true).open(self.folder.path().join("server.log")).unwrap();
        let mut redis = Command::new("redis-server");
        redis.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocketperm", "700"]);
        redis.arg("--unixsocket").arg(self.socket()).arg("--dir").arg(self.folder.path());
        redis.stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Process::start(&mut redis, Signal::TERM);
        let begun = Instant::now();
        while self.connect().await.is_err() {
            let log = || read_log(&self.folder.path().join("server.log"));
            assert!(server.runs() && begun.elapsed() < DB_TIMEOUT, "{}", log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.server.replace(Some(server));
    }

    /// Takes everything out of it.
    pub async fn flush(&self) {
        redis::cmd("FLUSHALL").exec_async(&mut self.connect().await.unwrap()).await.unwrap();
    }
}

/// Not under `$TMPDIR`: the path of a socket must stay under 108 bytes.
fn short_folder(prefix: &str) -> TempDir {
    tempfile::Builder::new().prefix(prefix).tempdir_in("/tmp").unwrap()
}

fn read_log(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// PostgreSQL refuses to run as root, so root lends it another user, as `scripts/with-services` does.
fn account() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let numbers = |name: &str| {
        let fields: Vec<&str> = passwd.lines().map(|line| line.split(':').collect()).find(|f: &Vec<_>| f[0] == name)?;
        Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
    };
    Some(numbers("postgres").or_else(|| numbers("nobody")).unwrap())
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    setting: String,
}

/// Where the programs of the PostgreSQL are that all tests share: those of the version that was chosen for them.
async fn binaries() -> PathBuf {
    let query = diesel::sql_query("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
    let found: Setting = query.get_result(&mut database::admin().await).await.unwrap();
    found.setting.into()
}
