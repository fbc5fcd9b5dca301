//! The servers that are measured: the product and the yardstick.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::cluster::{free_port, signal};

/// How long a server may take to answer, or to end.
const DB_TIMEOUT: Duration = Duration::from_secs(60);

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From its start until it was ready.
    pub started_in: Duration,
}

/// Settings of the product.
pub struct Settings<'a> {
    pub database_url: String,
    pub redis_port: Option<u16>,
    pub master_key: &'a str,
    pub folder: &'a Path,
    /// More settings, by the names of their variables.
    pub more: &'a [(&'a str, &'a str)],
}

impl Server {
    /// `sotay serve` as in production, with its log in a file.
    pub async fn product(programs: &Path, settings: &Settings<'_>) -> Result<Self, String> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let log = settings.folder.join("sotay.log");
        let to = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let mut command = product_command(programs, settings);
        command.arg("serve").env("SOTAY_LISTEN", address.to_string());
        command.env("SOTAY_MODE", "production").env("SOTAY_PUBLIC_URL", format!("http://{address}"));
        command.stdout(Stdio::null()).stderr(to);
        Self::start(command, address, "/readyz").await.map_err(|e| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("{e}\n{}", log.lines().rev().take(5).collect::<Vec<_>>().join("\n"))
        })
    }

    pub async fn yardstick(programs: &Path) -> Result<Self, String> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut command = Command::new(programs.join("yardstick"));
        command.args([address.to_string(), "0".to_owned()]).stdout(Stdio::null());
        Self::start(command, address, "/").await
    }

    async fn start(mut command: Command, address: SocketAddr, path: &str) -> Result<Self, String> {
        command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        let begun = Instant::now();
        let mut child = command.spawn().map_err(|e| format!("a server cannot be started: {e}"))?;
        while begun.elapsed() < DB_TIMEOUT {
            if ready(address, path).await {
                return Ok(Self { child, address, started_in: begun.elapsed() });
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("a server ended with {status}"));
            }
            sleep(Duration::from_millis(2)).await;
        }
        Err("a server did not become ready".to_owned())
    }

    /// Resident memory, bytes.
    pub fn resident(&self) -> u64 {
        self.child.id().map_or(0, |id| memory_of(id, "VmRSS:"))
    }

    /// Stops it as its operator would.
    pub async fn stop(mut self) -> Result<(), String> {
        signal(&self.child, Signal::TERM);
        timeout(DB_TIMEOUT, self.child.wait())
            .await
            .map_err(|_| "a server did not stop")?
            .map(drop)
            .map_err(|e| e.to_string())
    }
}

/// The product with its settings, and none of the caller's environment.
pub fn product_command(programs: &Path, settings: &Settings<'_>) -> Command {
    let mut command = Command::new(programs.join("sotay"));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("SOTAY_") || name.ends_with("_URL")) {
            command.env_remove(name);
        }
    }
    command.env("DATABASE_URL", &settings.database_url).env("SOTAY_MASTER_KEY", settings.master_key);
    command.env("SOTAY_DATA_DIR", settings.folder.join("sotay")).envs(settings.more.iter().copied());
    if let Some(port) = settings.redis_port {
        command.env("REDIS_URL", format!("redis://127.0.0.1:{port}"));
    }
    command.kill_on_drop(true);
    command
}

/// A figure of a process as Linux reports it, bytes.
pub fn memory_of(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

async fn ready(address: SocketAddr, path: &str) -> bool {
    get(address, path, None).await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// A request on a connection of its own: head and body as they come.
pub async fn get(address: SocketAddr, path: &str, token: Option<&str>) -> std::io::Result<String> {
    send(address, &format!("GET {path}"), token, ("text/plain", "")).await
}

/// The same with a method and a body of some media type.
pub async fn send(
    address: SocketAddr,
    line: &str,
    token: Option<&str>,
    (media_type, body): (&str, &str),
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let authorization = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let content = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {media_type}\r\nContent-Length: {}\r\n", body.len())
    };
    let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{authorization}{content}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
