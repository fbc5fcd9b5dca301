//! P7: the last evening of a month: a whole province at once, each request due at its time.

use std::fs;

use serde_json::{Value, json};

use crate::cases::Bench;
use crate::cases::awards::ms;
use crate::load::{Outcome, Plan};
use crate::report::Figure;

const DATABASE: &str = "rush";
const CONNECTIONS: usize = 256;
const RATE: f64 = 4_500.0;
const SECONDS: f64 = 300.0;
const WARM_SECONDS: f64 = 10.0;
/// How many people sign in with a password, each several times.
const SIGNING_IN: usize = 400;

/// Percent of all requests.
const AWARDS: f64 = 5.0;
const REFRESHES: f64 = 1.0;
const SIGN_INS: f64 = 0.1;
/// The rest are reads as in real life: one's own month above all, then what there is to do, the own cell, the province.
const READS: [(&str, &str, f64); 6] = [
    ("points", "/v1/me/points", 48.0),
    ("me", "/v1/me", 13.0),
    ("documents", "/v1/documents?limit=20", 12.0),
    ("entries", "/v1/me/points/entries?limit=20", 10.0),
    ("notifications", "/v1/me/notifications?limit=20", 6.0),
    ("own cell", "/v1/leaderboards/members?limit=20", 3.0),
];
const PROVINCE: f64 = 1.0;
/// Secretaries look at the board of their cell.
const BOARDS: f64 = 0.9;

/// Gives all who sign in the password of the demo, copied from an account that has one.
const GIVE_PASSWORDS: &str = "
    UPDATE accounts SET password_hash = (SELECT password_hash FROM accounts WHERE kind = 'member' AND password_hash IS NOT NULL LIMIT 1)
    WHERE id IN (SELECT id FROM members ORDER BY no DESC LIMIT";

pub async fn at_the_end_of_the_month(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    bench.fresh(DATABASE).await?;
    let plan = plan(bench).await?;
    // All of the province comes from one address here, which no province does.
    let server = bench.product(DATABASE, &[("SOTAY_ANONYMOUS_REQUESTS_PER_MINUTE", "1000000")]).await?;
    eprintln!("  {SECONDS} s at {RATE} requests a second …");
    let outcome = plan.run(&bench.programs, server.address).await?;
    server.stop().await?;
    tell(&outcome);
    Ok(vec![Figure::plain("P7", ms(outcome.all.p99))])
}

fn tell(outcome: &Outcome) {
    for (name, kind) in &outcome.kinds {
        let (p50, p99, max) = (ms(kind.p50), ms(kind.p99), ms(kind.max));
        eprintln!("  {name:<14} {:>8}   p50 {p50:>8} ms   p99 {p99:>8} ms   longest {max:>8} ms", kind.completed);
    }
}

/// Visitors, then secretaries, then those who sign in with a password, in one file.
async fn plan(bench: &Bench<'_>) -> Result<Plan, String> {
    let read = |path: &std::path::Path| fs::read_to_string(path).map_err(|e| e.to_string());
    let secretaries = bench.tokens(DATABASE, "secretaries", Some("cell_secretary")).await?;
    let (visitors, secretaries) = (read(&bench.visitors)?, read(&secretaries)?);
    bench.postgres.sql(DATABASE, &format!("{GIVE_PASSWORDS} {SIGNING_IN})")).await?;
    let numbers = format!("SELECT lpad(no::text, 8, '0') FROM members ORDER BY no DESC LIMIT {SIGNING_IN}");
    let logins: Vec<String> =
        bench.postgres.sql(DATABASE, &numbers).await?.lines().map(|no| format!("0380{no}")).collect();
    let people = bench.place.path.join("rush.people");
    fs::write(&people, [visitors.trim_end(), secretaries.trim_end(), &logins.join("\n")].join("\n"))
        .map_err(|e| e.to_string())?;
    let first_secretary = visitors.lines().count();
    let first_login = first_secretary + secretaries.lines().count();
    let province =
        bench.postgres.sql(DATABASE, "SELECT id FROM units WHERE kind = 'province' ORDER BY id LIMIT 1").await?;

    let mut plan = Plan::new(&people, CONNECTIONS, WARM_SECONDS, SECONDS).paced(RATE);
    for (name, path, share) in READS {
        plan = plan.kind(get(name, path, share, 0, first_secretary));
    }
    let board = format!("/v1/leaderboards/members?limit=20&unit_id={province}");
    Ok(plan
        .kind(get("province", &board, PROVINCE, 0, first_secretary))
        .kind(get("board", "/v1/units/{2}/points?limit=200", BOARDS, first_secretary, first_login))
        .kind(json!({
            "name": "award", "method": "POST", "path": "/v1/me/visits", "share": AWARDS, "to": first_secretary,
            "headers": ["Authorization: Bearer {0}", "Idempotency-Key: {key}"], "expect": "\"points_awarded\":1",
        }))
        .kind(json!({
            "name": "refresh", "method": "POST", "path": "/v1/auth/sessions/refresh", "share": REFRESHES, "once": true,
            "to": first_secretary, "headers": ["Content-Type: application/json"], "body": "{\"refresh_token\":\"{3}\"}",
        }))
        .kind(json!({
            "name": "sign-in", "method": "POST", "path": "/v1/auth/sessions", "share": SIGN_INS, "status": 201,
            "from": first_login, "headers": ["Content-Type: application/json"],
            "body": "{\"login\":\"{0}\",\"password\":\"demo so tay 2026\",\"device_name\":\"bench\"}",
        })))
}

fn get(name: &str, path: &str, share: f64, from: usize, to: usize) -> Value {
    json!({
        "name": name, "method": "GET", "path": path, "share": share, "from": from, "to": to,
        "headers": ["Authorization: Bearer {0}"],
    })
}
