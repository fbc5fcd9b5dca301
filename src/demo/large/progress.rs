//! Progress of a long task, on standard error.

use std::time::Instant;

/// Counts towards a total and says so at every tenth of it.
pub struct Progress {
    what: &'static str,
    total: u64,
    count: u64,
    told: u64,
    since: Instant,
}

impl Progress {
    pub fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, count: 0, told: 0, since: Instant::now() }
    }

    pub fn add(&mut self, n: u64) {
        self.count += n;
        let tenth = (self.count * 10).checked_div(self.total).unwrap_or(0).min(9);
        if tenth > self.told {
            self.told = tenth;
            eprintln!("  {:<22} {:>3} %  {:>5.0} s", self.what, tenth * 10, self.since.elapsed().as_secs_f32());
        }
    }

    pub fn done(&self) {
        eprintln!("  {:<22} {:>9} rows  {:>5.0} s", self.what, self.count, self.since.elapsed().as_secs_f32());
    }
}
