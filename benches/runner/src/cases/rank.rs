//! P4: a member's rank among 5.6 million on a Redis board, against the Redis command behind it.

use serde_json::json;

use crate::cases::rebuild::{Board, rebuild};
use crate::cases::{Bench, CONNECTIONS};
use crate::data::output;
use crate::load::Plan;
use crate::measure::paired;
use crate::report::Figure;
use crate::server::Server;

const DATABASE: &str = "ranks";
/// How many different members ask.
const ASKING: usize = 10_000;
const WARM_SECONDS: f64 = 2.0;
/// How many members the board holds.
const MEMBERS: u64 = 5_600_000;
/// Invented members put on the board in one call. Redis does nothing else meanwhile, and the server waits half a second for
/// it at most.
const CHUNK: u64 = 20_000;
/// Commands of the yardstick for each second of a measurement: it counts in commands, not in seconds.
const COMMANDS: f64 = 50_000.0;
/// The points that the yardstick asks about are spread from 0 to one less than this, as members' points are: one and the
/// same command again and again would find its way through the board in the processor's cache.
const POINTS: &str = "61";

/// Puts the invented members with the numbers from `ARGV[1]` to `ARGV[2]` on a board. Their points are those of two dice, from
/// 0 to 60 with 30 in the middle and thousands of ties, and half a point is for the threshold of 30, as on real boards. The
/// board says of itself how many it holds, since the server makes one anew that lost or gained members unseen.
const FILL: &str = r"
math.randomseed(tonumber(ARGV[1]))
for no = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    local points = math.random(0, 30) + math.random(0, 30)
    if points >= 30 then points = points + 0.5 end
    redis.call('ZADD', KEYS[1], points, no)
end
local size = redis.call('ZCARD', KEYS[1])
redis.call('HSET', KEYS[2], 'size', size)
return size";

pub async fn among_millions(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    bench.fresh(DATABASE).await?;
    bench.redis.flush().await?;
    rebuild(bench, DATABASE).await?;
    let board = Board::of_the_top(bench, DATABASE).await?;
    let server = bench.product(DATABASE, &[]).await?;
    board.settled(bench, DATABASE).await?;
    let size = fill(bench, &board).await?;
    let found = paired(
        bench.pairs,
        async || commands(bench, &board).await,
        async || answers(bench, &server, &board, size).await,
    )
    .await?;
    server.stop().await?;
    // It is half a gigabyte that later cases need not find in memory.
    bench.redis.flush().await?;
    Ok(vec![Figure::compared("P4", found, 1.0)])
}

/// Fills the board up with invented members, whose numbers are above all real ones. Returns how many it holds.
async fn fill(bench: &Bench<'_>, board: &Board) -> Result<u64, String> {
    let real = board.size(bench).await?;
    if real == 0 {
        return Err(format!("there is no board {}", board.scores));
    }
    let last_real = bench.postgres.number(DATABASE, "SELECT max(no) FROM members").await?;
    let last = last_real + MEMBERS.saturating_sub(real);
    let mut size = real;
    for before in (last_real..last).step_by(CHUNK as usize) {
        let (first, last) = ((before + 1).to_string(), last.min(before + CHUNK).to_string());
        size = bench.redis.number(&["EVAL", FILL, "2", &board.scores, &board.about, &first, &last]).await?;
    }
    eprintln!("  the board holds {size} members, {} of them invented for it", size - real);
    Ok(size)
}

/// Commands a second, one at a time over each connection: what a rank takes Redis.
async fn commands(bench: &Bench<'_>, board: &Board) -> Result<f64, String> {
    let (connections, count) = (CONNECTIONS.to_string(), format!("{:.0}", COMMANDS * bench.seconds));
    let mut command = bench.redis.program("redis-benchmark");
    command.args(["-c", &connections, "-n", &count, "-P", "1", "-r", POINTS, "--csv"]);
    let told = output(command.args(["ZCOUNT", &board.scores, "__rand_int__", "+inf"])).await?;
    // "the command","commands a second", …
    let column = told.lines().last().and_then(|row| row.split("\",\"").nth(1));
    column
        .and_then(|rate| rate.trim_matches('"').parse().ok())
        .ok_or_else(|| format!("redis-benchmark tells no figure: {told}"))
}

/// Answers a second, each of them from the board with all its members.
async fn answers(bench: &Bench<'_>, server: &Server, board: &Board, size: u64) -> Result<f64, String> {
    let plan = Plan::new(&bench.people, CONNECTIONS, WARM_SECONDS, bench.seconds).kind(json!({
        "name": "rank", "method": "GET", "path": format!("/v1/me/rank?unit_id={}", board.unit), "to": ASKING,
        "headers": ["Authorization: Bearer {0}"], "expect": format!("\"of\":{size},\"source\":\"board\""),
    }));
    let all = plan.run(&bench.programs, server.address).await?.all;
    if all.expected != all.completed {
        return Err(format!("{} of {} answers are from the board of {size}", all.expected, all.completed));
    }
    Ok(all.per_second)
}
