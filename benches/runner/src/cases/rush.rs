//! P7: the evening of the last day of a month: a whole province at once, each request due at its time.

use serde_json::{Value, json};

use crate::cases::Bench;
use crate::cases::awards::ms;
use crate::load::Plan;
use crate::report::Figure;

const DATABASE: &str = "rush";
const CONNECTIONS: usize = 256;
const RATE: f64 = 4_500.0;
const SECONDS: f64 = 300.0;
const WARM_SECONDS: f64 = 10.0;

/// Reads as in real life, percent: one's own month above all, then the own cell, the library, what is new.
const READS: [(&str, &str, f64); 6] = [
    ("points", "/v1/me/points", 45.0),
    ("entries", "/v1/me/points/entries?limit=20", 12.0),
    ("me", "/v1/me", 12.0),
    ("documents", "/v1/documents?limit=20", 12.0),
    ("notifications", "/v1/me/notifications?limit=20", 8.0),
    ("leaderboard", "/v1/leaderboards/members?limit=20", 4.9),
];

pub async fn at_the_end_of_the_month(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    let _ = (bench, plan(bench));
    Err("not yet".to_owned())
}

fn plan(bench: &Bench<'_>) -> Plan {
    let mut plan = Plan::new(&bench.visitors, CONNECTIONS, WARM_SECONDS, SECONDS).paced(RATE);
    for (name, path, share) in READS {
        plan = plan.kind(read(name, path, share));
    }
    plan
}

fn read(name: &str, path: &str, share: f64) -> Value {
    json!({"name": name, "method": "GET", "path": path, "share": share, "headers": ["Authorization: Bearer {0}"]})
}

#[expect(dead_code)]
fn shown(micros: u64) -> f64 {
    let _ = (DATABASE, Figure::plain("P7", 0.0));
    ms(micros)
}
