//! The embedded default: a private PostgreSQL cluster, used when `DATABASE_URL` is not set.
//!
//! Its folder holds `cluster/` (PostgreSQL's data), `server.log` and `lock`. The process that
//! holds the lock owns the cluster: it starts the cluster, or adopts it when the last owner was
//! killed, and stops it. Other processes may attach to it.

mod binaries;
mod place;
mod postmaster;
mod roles;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use thiserror::Error;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use binaries::Binaries;
use place::{Account, ClusterDir};
use postmaster::Postmaster;

/// The database that migrations create their tables in.
const DATABASE: &str = "sotay";

/// How long a start, a stop or a start by another process may take. Recovery after a crash needs more than the usual
/// 0.1 s.
const DB_TIMEOUT: Duration = Duration::from_secs(120);

/// Why there is no private cluster.
#[derive(Debug, Error)]
pub enum Error {
    #[error(
        "PostgreSQL is not installed, and DATABASE_URL is not set. Install PostgreSQL with `{command}`, or set DATABASE_URL."
    )]
    NoBinaries { command: String },
    #[error(
        "the cluster in {} was made by PostgreSQL {needed}, which is not installed any more (found: {found}). Install it with `{command}`.",
        cluster.display()
    )]
    OtherVersion { cluster: PathBuf, needed: String, found: String, command: String },
    #[error("another process of this program already runs the cluster in {}", .0.display())]
    InUse(PathBuf),
    #[error("{} holds files of something else; choose an empty folder for the private cluster", .0.display())]
    ForeignFolder(PathBuf),
    #[error("PostgreSQL does not run as root, and /etc/passwd has neither `postgres` nor `nobody` to run it as")]
    NoAccount,
    #[error("{what} in {} took longer than {} s; see server.log there", folder.display(), DB_TIMEOUT.as_secs())]
    TooSlow { what: &'static str, folder: PathBuf },
    #[error("`{program}` failed in {}: {output}", folder.display())]
    Program { program: &'static str, folder: PathBuf, output: String },
    #[error("cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot prepare roles and database of the private cluster: {}", with_cause(.0))]
    Database(#[from] tokio_postgres::Error),
}

impl Error {
    /// Names the path, which the operating system's own message leaves out.
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    }
}

/// The client's own message is only "db error"; what the server said is its cause.
fn with_cause(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// As whom to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterRole {
    /// May do everything; to the maintenance database, for creating and dropping databases.
    Superuser,
    /// Owns the tables: migrations only.
    Owner,
    /// What the program runs as.
    Application,
}

impl ClusterRole {
    /// The role's name in PostgreSQL.
    pub fn name(self) -> &'static str {
        match self {
            ClusterRole::Superuser => "postgres",
            ClusterRole::Owner => "sotay_owner",
            ClusterRole::Application => "sotay_app",
        }
    }
}

/// A running private cluster.
#[derive(Debug)]
pub struct PrivatePostgres {
    place: ClusterDir,
    binaries: Binaries,
    /// The folder of its Unix socket.
    socket: PathBuf,
    /// Held by the owner; `None` for a process that only attached. The system releases it when the process dies.
    lock: Option<File>,
}

impl PrivatePostgres {
    /// Starts the cluster in `data_dir`, creates it first where there is none, and adopts it where it still runs
    /// because its last owner was killed.
    ///
    /// Dropped without [`stop`](Self::stop), the cluster keeps running until the next start adopts it.
    pub async fn start(data_dir: &Path) -> Result<Self, Error> {
        let place = ClusterDir::prepare(data_dir)?;
        match take_lock(&place)? {
            Some(lock) => Self::own(place, lock).await,
            None => Err(Error::InUse(place.folder)),
        }
    }

    /// Joins the cluster in `data_dir` that another process started; where none does, the same as [`start`](Self::start).
    pub async fn attach(data_dir: &Path) -> Result<Self, Error> {
        let place = ClusterDir::prepare(data_dir)?;
        let deadline = Instant::now() + DB_TIMEOUT;
        loop {
            // Checked in each iteration: the owner may be on its way out, and then this process becomes the owner.
            if let Some(lock) = take_lock(&place)? {
                return Self::own(place, lock).await;
            }
            if let Some(socket) = joinable(&place).await {
                let binaries = Binaries::find(&place.cluster()).await?;
                return Ok(Self { place, binaries, socket, lock: None });
            }
            wait_a_little(deadline, "waiting for the process that starts the cluster", &place).await?;
        }
    }

    /// The address for `diesel-async`, `tokio-postgres` and `psql`.
    pub fn url(&self, role: ClusterRole) -> String {
        address(&self.socket, role)
    }

    /// The actual folder of the cluster: not the requested one when root requested a folder that only root can reach.
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// Stops the cluster, if this process is its owner: open transactions are rolled back, clients disconnected.
    pub async fn stop(self) -> Result<(), Error> {
        if self.lock.is_none() {
            return Ok(());
        }
        let patience = DB_TIMEOUT.as_secs().to_string();
        run(&self.place, &self.binaries, "pg_ctl", ["stop", "--mode=fast", "--silent", "--timeout", &patience]).await?;
        place::remove_socket_folder(&self.socket);
        Ok(())
    }

    async fn own(place: ClusterDir, lock: File) -> Result<Self, Error> {
        let binaries = Binaries::find(&place.cluster()).await?;
        let socket = match running(&place).await? {
            Some(socket) => {
                tracing::info!(folder = %place.folder.display(), "adopted the private PostgreSQL that was still running");
                socket
            }
            None => launch(&place, &binaries).await?,
        };
        roles::prepare(&socket).await?;
        Ok(Self { place, binaries, socket, lock: Some(lock) })
    }
}

fn address(socket: &Path, role: ClusterRole) -> String {
    let database = if role == ClusterRole::Superuser { "postgres" } else { DATABASE };
    // Needs no escaping: `place::new_socket_folder` uses plain characters only.
    format!("postgres:///{database}?host={}&user={}", socket.display(), role.name())
}

/// `None` when another process holds it.
fn take_lock(place: &ClusterDir) -> Result<Option<File>, Error> {
    let path = place.folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(Error::io(&path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(Error::Io { path, source: error.into() }),
    }
}

/// The socket folder of a cluster that another process owns, once its database can be used.
async fn joinable(place: &ClusterDir) -> Option<PathBuf> {
    let Postmaster::Ready { socket } = Postmaster::of(&place.cluster()) else {
        return None;
    };
    roles::answers(&socket, ClusterRole::Owner).await.then_some(socket)
}

/// The socket folder of a cluster that is running without an owner.
async fn running(place: &ClusterDir) -> Result<Option<PathBuf>, Error> {
    let deadline = Instant::now() + DB_TIMEOUT;
    loop {
        match Postmaster::of(&place.cluster()) {
            Postmaster::Ready { socket } if roles::answers(&socket, ClusterRole::Superuser).await => {
                return Ok(Some(socket));
            }
            Postmaster::Absent { leftover } => {
                if let Some(socket) = leftover {
                    place::remove_socket_folder(&socket);
                    postmaster::forget(&place.cluster());
                }
                return Ok(None);
            }
            // Starting, stopping, or crashed and on its way back.
            Postmaster::Ready { .. } | Postmaster::Busy => {
                wait_a_little(deadline, "waiting for the running cluster", place).await?;
            }
        }
    }
}

async fn wait_a_little(deadline: Instant, what: &'static str, place: &ClusterDir) -> Result<(), Error> {
    if Instant::now() > deadline {
        return Err(Error::TooSlow { what, folder: place.folder.clone() });
    }
    sleep(Duration::from_millis(50)).await;
    Ok(())
}

/// Starts the postmaster and waits until it accepts connections.
async fn launch(place: &ClusterDir, binaries: &Binaries) -> Result<PathBuf, Error> {
    if !place.cluster().join("PG_VERSION").exists() {
        create_cluster(place, binaries).await?;
    }
    let socket = place::new_socket_folder(place.account.as_ref())?;
    let options = format!("-k {} -c listen_addresses= -c port=5432", socket.display());
    let patience = DB_TIMEOUT.as_secs().to_string();
    // pg_ctl gives the postmaster a session of its own, so Ctrl-C at the terminal does not reach it.
    let started = run(
        place,
        binaries,
        "pg_ctl",
        ["start", "--wait", "--silent", "--timeout", &patience, "--log=server.log", "--options", &options],
    )
    .await;
    if let Err(error) = started {
        place::remove_socket_folder(&socket);
        return Err(error);
    }
    tracing::info!(folder = %place.folder.display(), socket = %socket.display(), "started the private PostgreSQL");
    Ok(socket)
}

/// Made beside its final name and then renamed: what an interrupted `initdb` leaves is never mistaken for a cluster.
async fn create_cluster(place: &ClusterDir, binaries: &Binaries) -> Result<(), Error> {
    let unfinished = place.folder.join("cluster.unfinished");
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io(&unfinished)(error));
        }
        _ => {}
    }
    // Without these two options, an unset LANG makes a cluster of SQL_ASCII. Any account that can enter the folders may
    // connect: both the data and the socket are open to their owner alone.
    run(
        place,
        binaries,
        "initdb",
        ["--pgdata=cluster.unfinished", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--username=postgres"],
    )
    .await?;
    fs::rename(&unfinished, place.cluster()).map_err(Error::io(&unfinished))
}

/// Runs one of PostgreSQL's programs as the account that the cluster belongs to, and waits for its end.
async fn run<'a>(
    place: &ClusterDir,
    binaries: &Binaries,
    program: &'static str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<(), Error> {
    let mut command = Command::new(binaries.folder.join(program));
    // The folders go through the environment and the working directory, as pg_ctl hands its arguments to a shell.
    command.args(arguments).current_dir(&place.folder).stdin(std::process::Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
    command.env("PGDATA", place.cluster()).env("LC_ALL", "C");
    if let Some(Account { uid, gid, .. }) = place.account {
        command.uid(uid).gid(gid);
    }
    let output = command.output().await.map_err(Error::io(&binaries.folder.join(program)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let output = String::from_utf8_lossy(&said).trim().to_owned();
    Err(Error::Program { program, folder: place.folder.clone(), output: with_log(place, output) })
}

/// pg_ctl only says "examine the log output", so its last lines are shown at once.
fn with_log(place: &ClusterDir, output: String) -> String {
    let log = fs::read(place.folder.join("server.log")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    let last = &lines[lines.len().saturating_sub(5)..];
    if last.is_empty() { output } else { format!("{output}\n{}", last.join("\n")) }
}
