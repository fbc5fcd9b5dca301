//! P5: the threshold board of a cell of 135, against the slowest of the SQL statements behind it.

use std::fs;

use serde_json::json;

use crate::cases::Bench;
use crate::cases::rebuild::Board;
use crate::load::Plan;
use crate::measure::{p99, paired};
use crate::report::Figure;
use crate::{server, statement};

const DATABASE: &str = "boards";
/// Few, so that what is measured is the work and not a queue.
const CONNECTIONS: usize = 2;
const WARM_SECONDS: f64 = 1.0;
/// The cell that comes nearest to 135 members.
const CELL: &str = "
    SELECT unit_id FROM memberships WHERE valid_to IS NULL GROUP BY unit_id ORDER BY abs(count(*) - 135), unit_id LIMIT 1";

pub async fn of_a_cell(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    bench.fresh(DATABASE).await?;
    let cell = bench.postgres.sql(DATABASE, CELL).await?;
    let token = bench.officer(DATABASE, &cell, "cell_secretary").await?;
    let path = format!("/v1/units/{cell}/points?limit=200");
    let script = bench.place.path.join("board.sql");
    fs::write(&script, behind(bench, DATABASE, &path, &cell, &token).await?.script()).map_err(|e| e.to_string())?;
    let plan = Plan::new(&bench.people, CONNECTIONS, WARM_SECONDS, bench.seconds).kind(json!({
        "name": "board", "method": "GET", "path": path, "headers": [format!("Authorization: Bearer {token}")],
    }));
    // One officer asks for all of it.
    let server = bench.product(DATABASE, &[("SOTAY_REQUESTS_PER_MINUTE", "10000000")]).await?;
    Board::of_the_top(bench, DATABASE).await?.settled(bench, DATABASE).await?;
    let found = paired(
        bench.pairs,
        async || statement_p99(bench, DATABASE, &script.display().to_string()).await,
        async || Ok(super::awards::ms(plan.run(&bench.programs, server.address).await?.all.p99)),
    )
    .await?;
    server.stop().await?;
    Ok(vec![Figure::compared("P5", found, 1.0)])
}

/// The slowest statement of a request that is not the first of its connection; `about` is one of its values.
pub async fn behind(
    bench: &Bench<'_>,
    database: &str,
    path: &str,
    about: &str,
    token: &str,
) -> Result<statement::Statement, String> {
    statement::log_all(&bench.postgres, database, true).await?;
    let server = bench.product(database, &[("SOTAY_DATABASE_CONNECTIONS", "8")]).await?;
    let mut since = 0;
    for _ in 0..3 {
        since = statement::mark(&bench.postgres);
        let answer = server::get(server.address, path, Some(token)).await.map_err(|e| e.to_string())?;
        if !answer.starts_with("HTTP/1.1 200") {
            return Err(format!("{path}: {answer}"));
        }
    }
    server.stop().await?;
    statement::log_all(&bench.postgres, database, false).await?;
    statement::slowest(&bench.postgres, since, about)
}

/// Milliseconds that 99 of 100 executions do not exceed.
pub async fn statement_p99(bench: &Bench<'_>, database: &str, script: &str) -> Result<f64, String> {
    let prefix = bench.place.path.join("pgbench");
    let (clients, seconds) = (CONNECTIONS.to_string(), format!("{:.0}", bench.seconds.max(1.0)));
    let mut command = bench.postgres.program("pgbench");
    command.args([
        "-n",
        "-c",
        &clients,
        "-j",
        "1",
        "-T",
        &seconds,
        "-D",
        "ready=0",
        "-f",
        script,
        "-l",
        "--log-prefix",
    ]);
    crate::data::output(command.arg(&prefix).arg(database)).await?;
    let mut millis = Vec::new();
    for entry in fs::read_dir(&bench.place.path).map_err(|e| e.to_string())?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("pgbench.") {
            let log = fs::read_to_string(entry.path()).map_err(|e| e.to_string())?;
            millis.extend(log.lines().filter_map(executed));
            fs::remove_file(entry.path()).map_err(|e| e.to_string())?;
        }
    }
    Ok(p99(&mut millis))
}

/// Client, number, microseconds, …; the first of each client prepared the statement.
fn executed(line: &str) -> Option<f64> {
    let mut columns = line.split(' ');
    let (number, micros) = (columns.nth(1)?, columns.next()?);
    (number != "1" && number != "0").then(|| micros.parse::<f64>().ok().map(|micros| micros / 1000.0))?
}
