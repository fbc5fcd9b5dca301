//! The services of a run: a PostgreSQL set up as in production, and a Redis.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::data::output;
use crate::place::{Account, Place};

/// As PostgreSQL is set up where it matters: everything durable, room for what a province touches in a month in memory,
/// checkpoints far apart and their page images compressed. The same for the product and for its yardsticks.
const SETTINGS: [&str; 16] = [
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "wal_compression=lz4",
    "shared_buffers=4GB",
    "effective_cache_size=12GB",
    "max_wal_size=8GB",
    "checkpoint_timeout=15min",
    "random_page_cost=1.1",
    "work_mem=16MB",
    "max_connections=200",
    "jit=off",
    // So that `statement` can read the log.
    "log_line_prefix=",
    "log_checkpoints=off",
    "log_autovacuum_min_duration=-1",
];

/// A running PostgreSQL.
pub struct Postgres {
    child: Child,
    bin: PathBuf,
    socket: PathBuf,
    pub log: PathBuf,
}

impl Postgres {
    /// Starts the cluster in `data`.
    pub async fn start(place: &Place, bin: &Path, data: &Path) -> Result<Self, String> {
        let socket = place.folder("socket")?;
        let log = place.path.join("postgres.log");
        let to = File::options().create(true).append(true).open(&log).map_err(|e| e.to_string())?;
        let mut command = Command::new(bin.join("postgres"));
        command.arg("-D").arg(data).arg("-k").arg(&socket).current_dir(&socket);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(to).process_group(0);
        if let Some(Account { uid, gid }) = place.account {
            command.uid(uid).gid(gid);
        }
        let child = command.spawn().map_err(|e| format!("PostgreSQL cannot be started: {e}"))?;
        let postgres = Self { child, bin: bin.to_owned(), socket, log };
        for _ in 0..300 {
            if postgres.sql("postgres", "SELECT 1").await.is_ok() {
                return Ok(postgres);
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(format!("PostgreSQL did not become ready: {}", fs::read_to_string(&postgres.log).unwrap_or_default()))
    }

    /// The address of a database for a role.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={role}", self.socket.display())
    }

    /// One of PostgreSQL's programs, set to this cluster as its superuser.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.env("PGHOST", &self.socket).env("PGUSER", "postgres").stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a statement as the superuser. Columns are separated by tabs, rows by line ends.
    pub async fn sql(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut command = self.program("psql");
        command.args(["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]);
        let done = command.output().await.map_err(|e| format!("psql: {e}"))?;
        if !done.status.success() {
            return Err(format!("{statement}: {}", String::from_utf8_lossy(&done.stderr).trim()));
        }
        Ok(String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
    }

    /// The one number that a statement yields.
    pub async fn number(&self, database: &str, statement: &str) -> Result<u64, String> {
        let text = self.sql(database, statement).await?;
        text.parse().map_err(|_| format!("{statement}: {text:?} is not a number"))
    }

    /// Makes a database that is the same as another, in place of an earlier one of that name.
    pub async fn copy(&self, from: &str, to: &str) -> Result<(), String> {
        self.sql("postgres", &format!("DROP DATABASE IF EXISTS {to} WITH (FORCE)")).await?;
        self.sql("postgres", &format!("CREATE DATABASE {to} OWNER sotay_owner TEMPLATE {from} STRATEGY FILE_COPY"))
            .await?;
        self.sql("postgres", &format!("GRANT CONNECT ON DATABASE {to} TO sotay_app")).await?;
        self.sql("postgres", "CHECKPOINT").await.map(drop)
    }

    /// Stops it so that its data may be copied.
    pub async fn stop(mut self) -> Result<(), String> {
        signal(&self.child, Signal::INT);
        self.child.wait().await.map(drop).map_err(|e| e.to_string())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT: nothing in it is worth a checkpoint.
        signal(&self.child, Signal::QUIT);
        for _ in 0..50 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A running Redis.
pub struct Redis {
    _child: Child,
    pub port: u16,
}

impl Redis {
    pub async fn start(place: &Place) -> Result<Self, String> {
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"]);
        command.arg(&place.path).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).kill_on_drop(true);
        let child = command.spawn().map_err(|e| format!("Redis cannot be started: {e}"))?;
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(Self { _child: child, port });
            }
            sleep(Duration::from_millis(50)).await;
        }
        Err("Redis did not become ready".to_owned())
    }

    /// One of Redis's programs, set to this server.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command
    }

    async fn ask(&self, command: &[&str]) -> Result<String, String> {
        output(self.program("redis-cli").args(command)).await
    }

    /// The one number that a command yields.
    pub async fn number(&self, command: &[&str]) -> Result<u64, String> {
        let text = self.ask(command).await?;
        text.parse().map_err(|_| format!("{}: {text:?} is not a number", command.join(" ")))
    }

    /// Forgets everything: copies of the data have the same units, and so the same boards.
    pub async fn flush(&self) -> Result<(), String> {
        let answer = self.ask(&["FLUSHALL"]).await?;
        if answer == "OK" { Ok(()) } else { Err(format!("Redis could not be emptied: {answer}")) }
    }

    /// The memory that its data take, bytes.
    pub async fn used_memory(&self) -> Result<u64, String> {
        let told = self.ask(&["INFO", "memory"]).await?;
        let used = told.lines().find_map(|line| line.strip_prefix("used_memory:"));
        used.and_then(|used| used.trim().parse().ok()).ok_or_else(|| format!("Redis tells no memory: {told}"))
    }
}

/// Sends a signal to a child that has not been waited for.
pub fn signal(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = kill_process(pid, signal);
    }
}

/// A port that is free at the moment.
pub fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|e| e.to_string())
}
