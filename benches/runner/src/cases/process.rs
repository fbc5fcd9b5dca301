//! P10: memory of the process idle and under P1, its start, the size of the program.

use std::cell::Cell;
use std::fs;
use std::time::Duration;

use tokio::time::sleep;

use crate::cases::{Bench, awards};
use crate::measure::median;
use crate::report::Figure;

const DATABASE: &str = "process";
const STARTS: usize = 5;

pub async fn figures(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    bench.fresh(DATABASE).await?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let server = bench.product(DATABASE, &[]).await?;
        starts.push(server.started_in.as_secs_f64());
        server.stop().await?;
    }
    let server = bench.product(DATABASE, &[]).await?;
    sleep(Duration::from_secs(3)).await;
    let idle = server.resident();
    let plan = awards::plan(bench);
    let most = Cell::new(0);
    let watch = async {
        loop {
            most.set(most.get().max(server.resident()));
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        outcome = awards::measure(bench, &plan, DATABASE, &server) => outcome.map(drop)?,
        () = watch => {}
    }
    server.stop().await?;
    let program = fs::metadata(bench.programs.join("sotay")).map_err(|e| e.to_string())?.len();
    Ok(vec![
        Figure::plain("P10 idle", megabytes(idle)),
        Figure::plain("P10 loaded", megabytes(most.get())),
        Figure::plain("P10 start", median(&mut starts)),
        Figure::plain("P10 binary", megabytes(program)),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52 bytes")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
