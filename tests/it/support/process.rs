//! Processes that a test starts, and that end with it, also when it fails.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret, SecretString};

use super::TestApp;

/// Attempts with another port: between choosing a free one and listening on it another process may take it.
const PORTS: usize = 5;

/// A running process. Dropped, it gets its last signal and is waited for.
pub struct Process {
    child: Child,
    last: Signal,
}

impl Process {
    /// Starts it, to be ended by the signal.
    pub fn start(command: &mut Command, last: Signal) -> Self {
        Self { child: command.stdin(Stdio::null()).spawn().unwrap(), last }
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn signal(&mut self, signal: Signal) {
        // Its process id may belong to another process once it has ended.
        if self.runs() {
            kill_process(Pid::from_child(&self.child), signal).unwrap();
        }
    }

    /// Stops it and those it has started in the middle of what they do, or lets them go on.
    pub fn freeze(&mut self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        for child in children(self.child.id()) {
            // Some end by themselves.
            let _ = kill_process(child, signal);
        }
        self.signal(signal);
    }

    /// Sends a signal and waits for the end, while everything else of the test goes on.
    pub async fn end(mut self, signal: Signal) {
        self.signal(signal);
        while self.runs() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The processes that another has started.
fn children(parent: u32) -> Vec<Pid> {
    let status = |id: i32| std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let is_child = |id: &i32| status(*id).lines().any(|line| *line == format!("PPid:\t{parent}"));
    let ids =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(is_child).filter_map(Pid::from_raw).collect()
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            eprintln!("process {} had ended by itself: {status}", self.child.id());
        }
        self.signal(self.last);
        self.child.wait().unwrap();
    }
}

/// The real program, serving over the database of a test.
pub struct Program {
    process: Process,
    pub base_url: String,
}

impl Program {
    pub async fn start(app: &TestApp) -> Self {
        Self::start_with(app, &[]).await
    }

    /// Starts it with what it logs at its usual level kept in a file.
    pub async fn start_logged(app: &TestApp, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        Self::start_to(app, &[("SOTAY_LOG", "info")], || log.try_clone().unwrap().into()).await
    }

    /// Starts it with more settings than those of the test's program.
    pub async fn start_with(app: &TestApp, settings: &[(&str, &str)]) -> Self {
        Self::start_to(app, settings, Stdio::inherit).await
    }

    async fn start_to(app: &TestApp, settings: &[(&str, &str)], log: impl Fn() -> Stdio) -> Self {
        for _ in 0..PORTS {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = command(app, &["serve"]);
            command.env("SOTAY_LISTEN", format!("127.0.0.1:{port}")).envs(settings.iter().copied());
            let process = Process::start(command.stdout(Stdio::null()).stderr(log()), Signal::KILL);
            let mut program = Self { process, base_url: format!("http://127.0.0.1:{port}") };
            if program.becomes_ready().await {
                return program;
            }
        }
        panic!("the program ended on each of {PORTS} ports");
    }

    /// False when it has ended: it says why on standard error.
    async fn becomes_ready(&mut self) -> bool {
        for _ in 0..400 {
            if !self.process.runs() {
                return false;
            }
            if reqwest::get(format!("{}/readyz", self.base_url)).await.is_ok_and(|r| r.status() == 200) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the program did not become ready");
    }

    pub fn kill(self) {
        drop(self);
    }
}

/// Runs a command of the program over the database of a test, insists that it succeeds and returns what it printed.
pub async fn run(app: &TestApp, arguments: &[&str]) -> String {
    run_to(app, arguments, 0).await
}

/// The same, insisting on what it ends with.
pub async fn run_to(app: &TestApp, arguments: &[&str], code: i32) -> String {
    let done = tokio::process::Command::from(command(app, arguments)).output().await.unwrap();
    let printed = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert_eq!(done.status.code(), Some(code), "sotay {}: {printed}", arguments.join(" "));
    printed
}

/// The program with the settings of a test's, which alone reach it.
fn command(app: &TestApp, arguments: &[&str]) -> Command {
    let config = &app.state.config;
    let mut command = Command::new(env!("CARGO_BIN_EXE_sotay"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("SOTAY_") || name.ends_with("_URL")) {
            command.env_remove(name);
        }
    }
    let secret = |setting: &Option<SecretString>| setting.as_ref().map(|secret| secret.expose_secret().to_owned());
    for (name, setting) in [
        ("DATABASE_URL", &config.database_url),
        ("SOTAY_DATABASE_OWNER_URL", &config.database_owner_url),
        ("REDIS_URL", &config.redis_url),
        ("SOTAY_MASTER_KEY", &config.master_key),
    ] {
        if let Some(value) = secret(setting) {
            command.env(name, value);
        }
    }
    command
        .env("SOTAY_DATA_DIR", app.folder())
        .env("SOTAY_AUTOMATIC_CLOSING", config.automatic_closing.to_string())
        .env("SOTAY_REQUESTS_PER_MINUTE", config.requests_per_minute.to_string())
        .env("SOTAY_ANONYMOUS_REQUESTS_PER_MINUTE", config.anonymous_requests_per_minute.to_string())
        .env("SOTAY_LOG", "error");
    command
}
