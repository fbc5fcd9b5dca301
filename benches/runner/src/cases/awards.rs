//! P1 and P2: durable awards over HTTP, each of another member and with its own `Idempotency-Key`.

use serde_json::json;

use crate::cases::rebuild::Board;
use crate::cases::{Bench, CONNECTIONS};
use crate::data;
use crate::load::{Outcome, Plan};
use crate::measure::paired;
use crate::report::Figure;
use crate::server::Server;

/// The database that a measurement writes to.
const DATABASE: &str = "awards";
/// Before measuring: connections are opened, statements prepared, caches filled.
const WARM_SECONDS: f64 = 1.0;
/// The longest time for all members to read their points once.
const LOOK_SECONDS: f64 = 60.0;

/// The first visit of a day.
pub fn plan(bench: &Bench<'_>) -> Plan {
    Plan::new(&bench.visitors, CONNECTIONS, WARM_SECONDS, bench.seconds).kind(json!({
        "name": "visit", "method": "POST", "path": "/v1/me/visits", "once": true, "expect": "\"points_awarded\":1",
        "headers": ["Authorization: Bearer {0}", "Idempotency-Key: {key}"],
    }))
}

/// P1.
pub async fn against_yardstick(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    let plan = plan(bench);
    let yardstick = bench.yardstick().await?;
    let bare = plan.for_yardstick();
    let found = paired(
        bench.pairs,
        async || Ok(bare.run(&bench.programs, yardstick.address).await?.all.per_second),
        async || awards(bench, &plan, &[]).await,
    )
    .await?;
    yardstick.stop().await?;
    data::run(&bench.programs, &bench.postgres, bench.place, DATABASE, &["verify"]).await?;
    Ok(vec![Figure::compared("P1", found, 1.0)])
}

/// P2.
pub async fn against_single_transactions(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    let plan = plan(bench);
    let found = paired(
        bench.pairs,
        // With as many transactions at a time as serve it best, each on a connection of its own.
        async || awards(bench, &plan, &[("SOTAY_AWARD_BATCH", "1"), ("SOTAY_AWARD_LANES", "16")]).await,
        async || awards(bench, &plan, &[]).await,
    )
    .await?;
    Ok(vec![Figure::compared("P2", found, 1.0)])
}

/// Awards a second, over a fresh database and by a server that is past its start. All members have read their points
/// before, as the app does when it opens: that is when tokens are seen for the first time.
pub async fn awards(bench: &Bench<'_>, plan: &Plan, more: &[(&str, &str)]) -> Result<f64, String> {
    bench.fresh(DATABASE).await?;
    let server = bench.product(DATABASE, more).await?;
    Board::of_the_top(bench, DATABASE).await?.settled(bench, DATABASE).await?;
    let look = Plan::new(&bench.visitors, CONNECTIONS, 0.0, LOOK_SECONDS).kind(json!({
        "name": "look", "method": "GET", "path": "/v1/me/points", "once": true, "headers": ["Authorization: Bearer {0}"],
    }));
    look.run(&bench.programs, server.address).await?;
    let outcome = measure(bench, plan, DATABASE, &server).await?;
    server.stop().await?;
    Ok(outcome.all.per_second)
}

/// Runs the plan and proves that every answer stands for a row of the ledger and a key.
pub async fn measure(bench: &Bench<'_>, plan: &Plan, database: &str, server: &Server) -> Result<Outcome, String> {
    let rows = "SELECT count(*) FROM point_entries WHERE rule_code = 'daily_visit'";
    let keys = "SELECT count(*) FROM idempotency_keys";
    let before = (bench.postgres.number(database, rows).await?, bench.postgres.number(database, keys).await?);
    let outcome = plan.run(&bench.programs, server.address).await?;
    let grown = bench.postgres.number(database, rows).await? - before.0;
    let stored = bench.postgres.number(database, keys).await? - before.1;
    let answered = outcome.warm_expected + outcome.all.expected;
    if outcome.all.expected != outcome.all.completed || grown != answered || stored != answered {
        return Err(format!(
            "{} of {} answers award a point; with the warm-up {answered}, yet the ledger grew by {grown} and the keys by {stored}",
            outcome.all.expected, outcome.all.completed
        ));
    }
    eprintln!(
        "  {answered} awards, each in the ledger; p50 {} ms, p99 {} ms",
        ms(outcome.all.p50),
        ms(outcome.all.p99)
    );
    Ok(outcome)
}

#[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
pub fn ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
