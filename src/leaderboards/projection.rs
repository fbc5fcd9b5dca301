//! Boards of provinces in Redis: sorted sets rebuilt from PostgreSQL when they are gone or older than half a minute.
//! The member of a set is the member's number, the score the points; a bitmap says who reached the threshold.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::aio::ConnectionManager;
use redis::{AsyncCommands, RedisResult};
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::redis::Redis;

use super::model::{Ranked, Score, Standing, View};
use super::store;

/// A board older than this is rebuilt by whoever asks next, seconds.
const FRESH_SECONDS: i64 = 30;
/// How long one instance has to rebuild a board before another may try.
const LEASE: Duration = Duration::from_secs(30);
/// Nobody asked for it so long: it goes.
const KEPT: Duration = Duration::from_secs(3600);
/// Members a command.
const CHUNK: usize = 5_000;

/// A board as read from Redis.
pub struct Projected {
    pub rows: Vec<Ranked>,
    /// When its figures were taken from the ledger.
    pub as_of: DateTime<Utc>,
}

/// The keys of one board; the braces keep them on one node of a cluster.
struct Keys {
    scores: String,
    met: String,
    built: String,
    lease: String,
}

impl Keys {
    fn of(view: &View) -> Self {
        let tag = format!("{{board:{}:{}}}", view.unit_id, view.period);
        let key = |part: &str| format!("{tag}:{part}");
        Self { scores: key("scores"), met: key("met"), built: key("built"), lease: key("lease") }
    }
}

/// The first `limit` places and the viewer's; none when Redis cannot tell, or while somebody else makes the board for the
/// first time.
///
/// # Errors
/// 503 when PostgreSQL cannot be reached.
pub async fn ranks(
    redis: &Redis,
    conn: &mut Conn,
    view: &View,
    viewer: Uuid,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Option<Projected>, Problem> {
    let keys = Keys::of(view);
    let mut built = redis.ask(now, async |mut c| c.get::<_, Option<i64>>(&keys.built).await).await.flatten();
    let fresh = built.is_some_and(|at| now.timestamp() - at < FRESH_SECONDS);
    if !fresh && take_lease(redis, &keys, now).await {
        let standings = store::standings(conn, view).await?;
        if redis.ask(now, async |c| write(c, &keys, &standings, now).await).await.is_none() {
            return Ok(None);
        }
        built = Some(now.timestamp());
    }
    let Some(as_of) = built.and_then(|at| DateTime::from_timestamp(at, 0)) else { return Ok(None) };
    let own = store::number(conn, viewer).await?;
    // A set that was evicted without its age is no board.
    let read = redis.ask(now, async |c| read(c, &keys, own, limit).await).await.filter(|read| !read.is_empty());
    let Some(read) = read else { return Ok(None) };
    Ok(Some(Projected { rows: store::people(conn, view, read).await?, as_of }))
}

async fn take_lease(redis: &Redis, keys: &Keys, now: DateTime<Utc>) -> bool {
    let options = redis::SetOptions::default()
        .conditional_set(redis::ExistenceCheck::NX)
        .with_expiration(redis::SetExpiry::EX(LEASE.as_secs()));
    let taken =
        redis.ask(now, async |mut c| c.set_options::<_, _, Option<String>>(&keys.lease, 1, options).await).await;
    taken.flatten().is_some()
}

/// Writes a whole board beside the old one and puts it in its place at once.
async fn write(mut c: ConnectionManager, keys: &Keys, standings: &[Score], now: DateTime<Utc>) -> RedisResult<()> {
    let scores = format!("{}:new", keys.scores);
    let mut bits = Vec::new();
    let _: i64 = c.del(&scores).await?;
    for chunk in standings.chunks(CHUNK) {
        let items: Vec<(i32, i64)> = chunk.iter().map(|score| (score.points, score.no)).collect();
        let _: i64 = c.zadd_multiple(&scores, &items).await?;
        for score in chunk.iter().filter(|score| score.met) {
            set_bit(&mut bits, score.no);
        }
    }
    let mut place = redis::pipe();
    place.atomic();
    if standings.is_empty() {
        place.del(&keys.scores);
    } else {
        place.rename(&scores, &keys.scores).ignore().expire(&keys.scores, KEPT.as_secs().cast_signed());
    }
    place.ignore().set_ex(&keys.met, bits, KEPT.as_secs()).ignore();
    place.set_ex(&keys.built, now.timestamp(), KEPT.as_secs()).ignore().del(&keys.lease).ignore();
    place.exec_async(&mut c).await
}

/// Bits are numbered as Redis does: the first is the highest of the first byte.
fn set_bit(bits: &mut Vec<u8>, number: i64) {
    let (byte, bit) = (usize::try_from(number / 8).unwrap_or(0), number % 8);
    if bits.len() <= byte {
        bits.resize(byte + 1, 0);
    }
    bits[byte] |= 0x80 >> bit;
}

async fn read(mut c: ConnectionManager, keys: &Keys, own: Option<i64>, limit: i64) -> RedisResult<Vec<Standing>> {
    let top: Vec<(i64, i32)> = c.zrevrange_withscores(&keys.scores, 0, isize::try_from(limit - 1).unwrap_or(0)).await?;
    let mut found: Vec<Standing> = Vec::new();
    for (place, (no, points)) in (1..).zip(top) {
        let rank = found.last().filter(|before| before.points == points).map_or(place, |before| before.rank);
        found.push(Standing { place, rank, no, points, met: false });
    }
    if let Some(no) = own.filter(|no| !found.iter().any(|standing| standing.no == *no)) {
        let points: Option<i32> = c.zscore(&keys.scores, no).await?;
        if let Some(points) = points {
            let above: i64 = c.zcount(&keys.scores, format!("({points}"), "+inf").await?;
            found.push(Standing { place: i64::MAX, rank: above + 1, no, points, met: false });
        }
    }
    if found.is_empty() {
        return Ok(found);
    }
    let mut bits = redis::pipe();
    for standing in &found {
        bits.getbit(&keys.met, usize::try_from(standing.no).unwrap_or(0));
    }
    let met: Vec<bool> = bits.query_async(&mut c).await?;
    for (standing, met) in found.iter_mut().zip(met) {
        standing.met = met;
    }
    Ok(found)
}
