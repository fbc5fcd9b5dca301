//! P8: the boards of all large units rebuilt from monthly totals: time of the month's, and memory.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::sleep;

use crate::cases::Bench;
use crate::data;
use crate::report::Figure;
use crate::server::product_command;

const DATABASE: &str = "rebuilds";
/// The country, or the province where there is nothing above it: all ranked members are on its board.
const TOP: &str = "SELECT id FROM units WHERE kind IN ('central', 'province') ORDER BY kind, id LIMIT 1";
const MONTH: &str = "SELECT to_char(now() AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM')";

/// How long the server may take to catch up with its ledger, seconds: on a new day it looks through all members once.
const DB_TIMEOUT: usize = 900;

/// The board of the largest unit for the present month, by its keys in Redis.
pub struct Board {
    pub unit: String,
    pub scores: String,
    pub about: String,
}

impl Board {
    pub async fn of_the_top(bench: &Bench<'_>, database: &str) -> Result<Self, String> {
        let unit = bench.postgres.sql(database, TOP).await?;
        let month = bench.postgres.sql(database, MONTH).await?;
        let key = |part: &str| format!("{{board:{unit}:{month}}}:{part}");
        Ok(Self { scores: key("scores"), about: key("about"), unit })
    }

    /// Waits until the server keeps the board and has nothing more to process: it rebuilds the boards when it starts
    /// over another database, and that is not what is measured.
    pub async fn settled(&self, bench: &Bench<'_>, database: &str) -> Result<(), String> {
        let as_of = ["HGET", &self.about, "as_of"];
        // There may be no board yet.
        let before = bench.redis.number(&as_of).await.unwrap_or(0);
        for _ in 0..DB_TIMEOUT {
            // It says this after it has processed everything, or has rebuilt the board in between.
            let kept = bench.redis.number(&as_of).await.is_ok_and(|now| now > before);
            if kept && bench.postgres.number(database, "SELECT count(*) FROM point_changes").await? == 0 {
                return Ok(());
            }
            sleep(Duration::from_secs(1)).await;
        }
        Err("the server does not catch up with its ledger".to_owned())
    }

    /// How many members are on it.
    pub async fn size(&self, bench: &Bench<'_>) -> Result<u64, String> {
        bench.redis.number(&["ZCARD", &self.scores]).await
    }
}

/// What a rebuild did.
pub struct Rebuilt {
    month_seconds: f64,
    /// Members on the month's boards, each counted once.
    members: u64,
    /// Over all boards of all spans.
    scores: u64,
}

pub async fn of_all_boards(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    if bench.scale != "country" {
        eprintln!(
            "  the targets are for the country and the data those of a {}: what follows is as measured, not scaled up",
            bench.scale
        );
    }
    bench.fresh(DATABASE).await?;
    bench.redis.flush().await?;
    let before = bench.redis.used_memory().await?;
    let rebuilt = rebuild(bench, DATABASE).await?;
    let grown = bench.redis.used_memory().await?.saturating_sub(before);
    let size = Board::of_the_top(bench, DATABASE).await?.size(bench).await?;
    bench.redis.flush().await?;
    if size == 0 || size != rebuilt.members {
        return Err(format!(
            "{} members were read for the month, yet {size} are on the largest board",
            rebuilt.members
        ));
    }
    Ok(vec![Figure::plain("P8 time", rebuilt.month_seconds), Figure::plain("P8 memory", each(grown, rebuilt.scores))])
}

#[expect(clippy::cast_precision_loss, reason = "bytes and scores are far below 2^52")]
fn each(bytes: u64, scores: u64) -> f64 {
    bytes as f64 / scores as f64
}

/// Runs `sotay rebuild-boards` to its end. It makes the year's and the quarter's boards too, one span after the other.
pub async fn rebuild(bench: &Bench<'_>, database: &str) -> Result<Rebuilt, String> {
    let mut settings = data::settings(&bench.postgres, bench.place, database, &[]);
    settings.redis_port = Some(bench.redis.port);
    let mut command = product_command(&bench.programs, &settings);
    command.arg("rebuild-boards").env("SOTAY_LOG", "warn").stdin(Stdio::null());
    let mut progress = Progress::begin();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("sotay rebuild-boards: {e}"))?;
    let told = child.stderr.take().ok_or("sotay rebuild-boards: no progress")?;
    let mut lines = BufReader::new(told).lines();
    while let Some(line) = lines.next_line().await.map_err(|e| e.to_string())? {
        progress.take_in(&line);
    }
    let done = child.wait_with_output().await.map_err(|e| format!("sotay rebuild-boards: {e}"))?;
    if !done.status.success() {
        return Err(format!("sotay rebuild-boards ended with {}", done.status));
    }
    let summary = String::from_utf8_lossy(&done.stdout);
    eprintln!("  {}", summary.trim());
    let scores = scores(&summary).ok_or_else(|| format!("sotay rebuild-boards tells no scores: {summary:?}"))?;
    let (month_seconds, members) = progress.month().ok_or("sotay rebuild-boards tells nothing of the month")?;
    Ok(Rebuilt { month_seconds, members, scores })
}

/// The number in `105 boards, 33600000 scores, 240.0 s`.
fn scores(summary: &str) -> Option<u64> {
    summary.split(", ").find_map(|part| part.strip_suffix(" scores"))?.parse().ok()
}

/// A span, as far as it was reported.
struct Part {
    span: String,
    members: u64,
    from: Instant,
    to: Instant,
}

/// The time of each span, from the last line about the one before it, or from the start of the command, to its own last.
struct Progress {
    begun: Instant,
    parts: Vec<Part>,
}

impl Progress {
    fn begin() -> Self {
        Self { begun: Instant::now(), parts: Vec::new() }
    }

    /// Takes in a line such as `2026-11: 40210 members, 3.2 s`. What is not of this form is meant for people.
    fn take_in(&mut self, line: &str) {
        let Some((span, members)) = parse(line) else {
            eprintln!("  {line}");
            return;
        };
        let now = Instant::now();
        match self.parts.last_mut() {
            Some(part) if part.span == span => (part.members, part.to) = (members, now),
            last => {
                let from = last.map_or(self.begun, |part| part.to);
                self.parts.push(Part { span: span.to_owned(), members, from, to: now });
            }
        }
    }

    /// Seconds and members of the month, once all is reported.
    fn month(&self) -> Option<(f64, u64)> {
        for part in &self.parts {
            eprintln!("  {}: {} members in {:.2} s", part.span, part.members, part.seconds());
        }
        self.parts.iter().find(|part| is_month(&part.span)).map(|part| (part.seconds(), part.members))
    }
}

impl Part {
    fn seconds(&self) -> f64 {
        self.to.duration_since(self.from).as_secs_f64()
    }
}

fn parse(line: &str) -> Option<(&str, u64)> {
    let (span, rest) = line.split_once(": ")?;
    let (members, _) = rest.split_once(" members, ")?;
    Some((span, members.parse().ok()?))
}

/// A year is written `2026`, a quarter `2026-Q4`, a month `2026-11`.
fn is_month(span: &str) -> bool {
    span.split_once('-').is_some_and(|(_, month)| month.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_is_found_among_the_spans() {
        let mut progress = Progress::begin();
        for line in ["2026: 5 members, 0.1 s", "2026-Q4: 5 members, 0.2 s", "2026-11: 2 members, 0.3 s"] {
            progress.take_in(line);
        }
        progress.take_in("2026-11: 4 members, 0.4 s");
        let (seconds, members) = progress.month().unwrap();
        assert_eq!(members, 4);
        assert!((seconds - (progress.parts[2].to - progress.parts[1].to).as_secs_f64()).abs() < f64::EPSILON);
        assert_eq!(progress.parts.len(), 3);
        assert_eq!(scores("105 boards, 33600000 scores, 240.0 s"), Some(33_600_000));
    }
}
