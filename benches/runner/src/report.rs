//! The results: a table for people, or JSON lines for programs.

use serde_json::json;

use crate::measure::Paired;
use crate::targets::{Of, TARGETS, Target};

/// A result on its way to the report.
#[derive(Debug)]
pub struct Figure {
    name: &'static str,
    figure: f64,
    yardstick: Option<f64>,
    ratio: Option<f64>,
}

impl Figure {
    pub fn plain(name: &'static str, figure: f64) -> Self {
        Self { name, figure, yardstick: None, ratio: None }
    }

    /// `scale` turns what was measured into the unit of the table.
    pub fn compared(name: &'static str, paired: Paired, scale: f64) -> Self {
        let yardstick = Some(paired.yardstick * scale);
        Self { name, figure: paired.product * scale, yardstick, ratio: Some(paired.ratio) }
    }
}

pub struct Report {
    as_json: bool,
    rows: Vec<[String; 6]>,
    good: bool,
}

impl Report {
    pub fn new(as_json: bool) -> Self {
        Self { as_json, rows: Vec::new(), good: true }
    }

    pub fn add(&mut self, found: Figure) {
        let Some(target) = TARGETS.iter().find(|target| target.name == found.name) else { return };
        let value = match target.of {
            Of::Ratio => found.ratio.unwrap_or(f64::NAN),
            Of::Figure => found.figure,
        };
        let pass = target.bar.reached(value);
        self.good &= pass;
        if self.as_json {
            self.line(target, Some(found.figure), found.yardstick, found.ratio, pass);
            return;
        }
        let verdict = match (pass, target.bar.beyond(value)) {
            (true, true) => "beyond",
            (true, false) => "reached",
            _ => "MISSED",
        };
        let with_unit = |value: f64| format!("{} {}", round(value), target.unit);
        self.rows.push([
            format!("{}  {}", target.name, target.what),
            with_unit(found.figure),
            found.yardstick.map_or("–".to_owned(), with_unit),
            found.ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.3}")),
            target.bar.text(),
            verdict.to_owned(),
        ]);
    }

    /// Something could not be measured, which is as bad as missing its targets.
    pub fn failed(&mut self, case: &str, error: &str) {
        eprintln!("{case}: {error}");
        self.good = false;
        for target in TARGETS.iter().filter(|target| target.name.split(' ').next() == Some(case)) {
            if self.as_json {
                self.line(target, None, None, None, false);
            } else {
                let none = || "–".to_owned();
                let name = format!("{}  {}", target.name, target.what);
                self.rows.push([name, none(), none(), none(), target.bar.text(), "FAILED".to_owned()]);
            }
        }
    }

    fn line(&self, target: &Target, figure: Option<f64>, yardstick: Option<f64>, ratio: Option<f64>, pass: bool) {
        let short = |value: Option<f64>| value.map(|value| (value * 1000.0).round() / 1000.0);
        println!(
            "{}",
            json!({
                "name": target.name, "figure": short(figure), "unit": target.unit, "yardstick": short(yardstick),
                "ratio": short(ratio), "target": target.bar.text(), "pass": pass,
            })
        );
    }

    /// Prints the table. Whether everything reached its target.
    pub fn finish(self) -> bool {
        if !self.as_json {
            let head = ["what", "figure", "yardstick", "ratio", "target", ""].map(str::to_owned);
            let all: Vec<&[String; 6]> = std::iter::once(&head).chain(&self.rows).collect();
            let width = |n: usize| all.iter().map(|row| row[n].chars().count()).max().unwrap_or(0);
            for row in &all {
                let cell = |n: usize| format!("{}{}", row[n], " ".repeat(width(n) - row[n].chars().count()));
                println!("{}", (0..6).map(cell).collect::<Vec<_>>().join("   ").trim_end());
            }
        }
        self.good
    }
}

fn round(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
