//! What came of a run: counts, and latencies in microseconds.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency that is distinguished, microseconds.
const LONGEST: u64 = 60_000_000;

/// One kind of request, or all of them.
pub struct Tally {
    latencies: Histogram<u64>,
    statuses: BTreeMap<u16, u64>,
    expected: u64,
    /// The first answer that was not good.
    bad: Option<String>,
}

impl Tally {
    pub fn new() -> Result<Self, String> {
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3).map_err(|e| e.to_string())?;
        Ok(Self { latencies, statuses: BTreeMap::new(), expected: 0, bad: None })
    }

    pub fn add(&mut self, took: Duration, status: u16, expected: bool) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST);
        self.latencies.saturating_record(micros.max(1));
        *self.statuses.entry(status).or_default() += 1;
        self.expected += u64::from(expected);
    }

    pub fn remember_bad(&mut self, status: u16, body: &[u8]) {
        self.bad.get_or_insert_with(|| format!("{status} {}", String::from_utf8_lossy(&body[..body.len().min(600)])));
    }

    fn summary(&self, seconds: f64) -> Summary {
        let at = |percentile: f64| self.latencies.value_at_percentile(percentile);
        let completed = self.latencies.len();
        Summary {
            completed,
            #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
            per_second: completed as f64 / seconds,
            statuses: self.statuses.clone(),
            expected: self.expected,
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p999: at(99.9),
            max: self.latencies.max(),
            bad: self.bad.clone(),
        }
    }
}

#[derive(Serialize)]
struct Summary {
    completed: u64,
    per_second: f64,
    statuses: BTreeMap<u16, u64>,
    expected: u64,
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
    bad: Option<String>,
}

/// The whole run.
#[derive(Serialize)]
pub struct Outcome {
    seconds: f64,
    /// Good answers of the warm-up, and those of them that contained what was expected.
    warm: u64,
    warm_expected: u64,
    /// Answers with another status than the one planned, or none at all.
    errors: u64,
    all: Summary,
    kinds: BTreeMap<String, Summary>,
}

/// Counts while a run goes on.
pub struct Tallies {
    all: Tally,
    kinds: Vec<(String, Tally)>,
    warm: u64,
    warm_expected: u64,
    errors: u64,
}

impl Tallies {
    pub fn new<'a>(names: impl Iterator<Item = &'a String>) -> Result<Self, String> {
        let kinds = names.map(|name| Ok((name.clone(), Tally::new()?))).collect::<Result<_, String>>()?;
        Ok(Self { all: Tally::new()?, kinds, warm: 0, warm_expected: 0, errors: 0 })
    }

    pub fn add(&mut self, kind: usize, took: Duration, status: u16, expected: bool) {
        self.all.add(took, status, expected);
        self.kinds[kind].1.add(took, status, expected);
    }

    pub fn add_warm(&mut self, expected: bool) {
        self.warm += 1;
        self.warm_expected += u64::from(expected);
    }

    pub fn add_error(&mut self, kind: usize, status: u16, body: &[u8]) {
        self.errors += 1;
        self.kinds[kind].1.remember_bad(status, body);
    }

    pub fn finish(self, measured: Duration) -> Outcome {
        let seconds = measured.as_secs_f64();
        Outcome {
            seconds,
            warm: self.warm,
            warm_expected: self.warm_expected,
            errors: self.errors,
            all: self.all.summary(seconds),
            kinds: self.kinds.iter().map(|(name, tally)| (name.clone(), tally.summary(seconds))).collect(),
        }
    }
}
