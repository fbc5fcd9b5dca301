//! Foreign files are parsed in a child process: what they do to a parser never reaches the server.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::config::Config;
use super::http::problem::{Code, Problem};

/// Files parsed at the same time: each may take a core and its bound of memory.
static PLACES: Semaphore = Semaphore::const_new(2);
/// How long one waits for a place.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Address space that an allocator reserves without using it.
const RESERVED: u64 = 4 << 30;
/// Open files of a child: its pipes, and what a start needs.
const FILES: u64 = 16;

/// How much parsing one file may cost.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Memory, bytes.
    pub memory: u64,
    /// Time of a core, seconds.
    pub cpu_seconds: u64,
    /// Time from start to end.
    pub wall: Duration,
    /// What comes out of it, bytes.
    pub output: usize,
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The parser, as `sotay parse` knows it.
    pub kind: &'a str,
    /// What the parser must know besides the file, as JSON.
    pub settings: &'a str,
    pub bounds: Bounds,
}

/// This very program, even if its file was replaced meanwhile.
fn running() -> std::io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
}

/// The program that parses: the one of the settings, else this one.
fn program(config: &Config) -> Result<PathBuf, Problem> {
    match &config.parser {
        Some(program) => Ok(program.clone()),
        None => running().map_err(Problem::internal),
    }
}

/// Parses a file in a child process and returns what the parser says.
///
/// # Errors
/// 422 when the child ends in any other way than with an answer, 503 when too many files wait.
pub async fn parse<T: DeserializeOwned + Send + 'static>(
    config: &Config,
    task: Task<'_>,
    file: &[u8],
) -> Result<T, Problem> {
    let place = tokio::time::timeout(LONGEST_WAIT, PLACES.acquire()).await;
    let _place =
        place.map_err(|_| Problem::unavailable("too many files wait to be parsed"))?.map_err(Problem::internal)?;
    let answer = tokio::time::timeout(task.bounds.wall, run(&program(config)?, task, file)).await;
    let answer = answer.unwrap_or(Ok(None))?.ok_or_else(unreadable)?;
    // The answer about a whole province is long.
    let read = tokio::task::spawn_blocking(move || serde_json::from_slice(&answer)).await;
    read.map_err(Problem::internal)?.map_err(Problem::internal)
}

/// Runs the child; none when it did not end well. It ends with this future, whatever it is doing.
async fn run(program: &Path, task: Task<'_>, file: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
    let Bounds { memory, cpu_seconds, output, .. } = task.bounds;
    let mut child = Command::new(program)
        .args(["parse", task.kind, "--settings", task.settings])
        .args(["--memory", &memory.to_string(), "--cpu-seconds", &cpu_seconds.to_string()])
        // Neither the address of the database nor a key is any business of a parser.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(Problem::internal)?;
    let (Some(mut input), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Problem::internal("a child without pipes"));
    };
    let write = async move {
        // A child that ended early reads no more; how it ended tells why.
        let _ = input.write_all(file).await;
    };
    let read = async {
        let mut answer = Vec::new();
        let most = u64::try_from(output).unwrap_or(u64::MAX).saturating_add(1);
        let whole = answers.take(most).read_to_end(&mut answer).await.is_ok() && answer.len() <= output;
        whole.then_some(answer)
    };
    let ((), answer) = tokio::join!(write, read);
    let Some(answer) = answer else {
        return Ok(None);
    };
    let status = child.wait().await.map_err(Problem::internal)?;
    if !status.success() {
        tracing::warn!(kind = task.kind, %status, "a foreign file ended its parser");
    }
    Ok(status.success().then_some(answer))
}

fn unreadable() -> Problem {
    Problem::with(
        Code::FileUnreadable,
        "Không đọc được tệp: tệp bị hỏng, hoặc đọc nó tốn quá nhiều bộ nhớ hay thời gian. Hãy mở bằng Excel, lưu thành tệp mới rồi gửi lại.",
        "The file cannot be read: it is damaged, or reading it takes too much memory or time. Open it in Excel, save it as a new file and send that.",
    )
}

/// Bounds this process, memory, time, no files, no core dump, and begins anew within the bounds: what an allocator took
/// before would not count. Returns only when that fails.
pub fn begin_confined(memory: u64, cpu_seconds: u64) -> std::io::Error {
    let restarted = confine(memory, cpu_seconds).and_then(|()| running());
    match restarted {
        Ok(program) => std::process::Command::new(program).args(std::env::args_os().skip(1)).arg("--confined").exec(),
        Err(error) => error,
    }
}

fn confine(memory: u64, cpu_seconds: u64) -> std::io::Result<()> {
    let bound = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    bound(Resource::Core, 0)?;
    bound(Resource::Fsize, 0)?;
    bound(Resource::Nofile, FILES)?;
    bound(Resource::Cpu, cpu_seconds)?;
    // What is used is bounded as data; the address space also holds what an allocator only reserves.
    bound(Resource::Data, memory)?;
    bound(Resource::As, memory.saturating_add(RESERVED))?;
    Ok(())
}
