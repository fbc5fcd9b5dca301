//! P6: the roll-up of a province, or of the country, by the units directly below.

use serde_json::json;

use crate::cases::Bench;
use crate::cases::awards::ms;
use crate::cases::rebuild::Board;
use crate::load::Plan;
use crate::report::Figure;

const DATABASE: &str = "rollups";

pub async fn of_large_units(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    bench.fresh(DATABASE).await?;
    let mut figures = vec![p99(bench, "P6 province", "province").await?];
    if bench.scale == "country" {
        figures.push(p99(bench, "P6 country", "central").await?);
    }
    Ok(figures)
}

/// One after the other, over one connection.
async fn p99(bench: &Bench<'_>, name: &'static str, kind: &str) -> Result<Figure, String> {
    let unit = bench
        .postgres
        .sql(DATABASE, &format!("SELECT id FROM units WHERE kind = '{kind}' ORDER BY id LIMIT 1"))
        .await?;
    let token = bench.officer(DATABASE, &unit, "committee_officer").await?;
    let server = bench.product(DATABASE, &[("SOTAY_REQUESTS_PER_MINUTE", "10000000")]).await?;
    Board::of_the_top(bench, DATABASE).await?.settled(bench, DATABASE).await?;
    let plan = Plan::new(&bench.people, 1, 1.0, 2.0 * bench.seconds).kind(json!({
        "name": "roll-up", "method": "GET", "path": format!("/v1/units/{unit}/points/summary?limit=200"),
        "headers": [format!("Authorization: Bearer {token}")],
    }));
    let outcome = plan.run(&bench.programs, server.address).await?;
    server.stop().await?;
    eprintln!(
        "  {kind}: {} requests, p50 {} ms, longest {} ms",
        outcome.all.completed,
        ms(outcome.all.p50),
        ms(outcome.all.max)
    );
    Ok(Figure::plain(name, ms(outcome.all.p99)))
}
