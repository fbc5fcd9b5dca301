//! P3: a member's own points, of 10,000 members.

use serde_json::json;

use crate::cases::rebuild::Board;
use crate::cases::{Bench, CONNECTIONS};
use crate::load::Plan;
use crate::measure::paired;
use crate::report::Figure;

const DATABASE: &str = "reads";
const MEMBERS: usize = 10_000;
const WARM_SECONDS: f64 = 2.0;

pub async fn own_points(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    let plan = Plan::new(&bench.people, CONNECTIONS, WARM_SECONDS, bench.seconds).kind(json!({
        "name": "points", "method": "GET", "path": "/v1/me/points", "to": MEMBERS,
        "headers": ["Authorization: Bearer {0}"],
    }));
    let bare = plan.for_yardstick();
    bench.fresh(DATABASE).await?;
    let yardstick = bench.yardstick().await?;
    let server = bench.product(DATABASE, &[]).await?;
    Board::of_the_top(bench, DATABASE).await?.settled(bench, DATABASE).await?;
    let found = paired(
        bench.pairs,
        async || Ok(bare.run(&bench.programs, yardstick.address).await?.all.per_second),
        async || Ok(plan.run(&bench.programs, server.address).await?.all.per_second),
    )
    .await?;
    yardstick.stop().await?;
    server.stop().await?;
    Ok(vec![Figure::compared("P3", found, 1.0)])
}
