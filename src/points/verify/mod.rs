//! Recomputes what is derived from the ledger, and names every difference, in bounded memory.
//! Other parts of the feature add their checks to [`CHECKS`].

mod caps;
mod checks;
mod repair;
mod snapshots;
mod words;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::projection::{self, Compared};

pub use repair::{Repaired, repair};

/// Differences shown of one check; a damaged table would otherwise fill the screen.
const MOST: usize = 100;
/// Members checked at a time.
const MEMBERS: i64 = 20_000;

/// One check: what it proves, and a query that yields a line for every difference.
pub struct Check {
    pub proves: &'static str,
    pub scope: VerifyScope,
    pub query: &'static str,
}

/// What a check's query is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VerifyScope {
    /// The members after `$1` up to `$2`; runs once for each range of them.
    Members,
    /// Everything at once.
    Everything,
}

/// All checks that a query can make, by subject.
const CHECKS: &[&[Check]] =
    &[checks::LEDGER, caps::CAPS, checks::DECISIONS, checks::TREE, snapshots::SNAPSHOTS, words::WORDS];

const ROLL_UPS: &str = "each unit's figures are those of its members, and of the units below it";

#[derive(QueryableByName)]
struct Difference {
    #[diesel(sql_type = Text)]
    line: String,
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// Findings of a check: the first lines, and how many there are.
#[derive(Default)]
struct FoundDifference {
    lines: Vec<String>,
    count: usize,
}

impl FoundDifference {
    /// The lines to be shown.
    fn told(mut self) -> Vec<String> {
        let more = self.count - self.lines.len();
        if more > 0 {
            self.lines.push(format!("… and {more} more"));
        }
        self.lines
    }
}

/// Result of all checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    pub differences: usize,
    /// Roll-ups that could not be compared because changes are pending.
    pub in_doubt: usize,
}

/// Runs every check; `report` gets what it proves and what differs. Returns the number of differences. Does not wait
/// for the projector: roll-ups in doubt are not reported.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn verify(conn: &mut Conn, mut report: impl FnMut(&str, &[String])) -> Result<usize, Problem> {
    let report = |proves: &str, lines: &[String], _: usize| report(proves, lines);
    Ok(verify_with(conn, |_| {}, async |_| Ok(false), report).await?.differences)
}

/// The same; `progress` gets the number of members done, and `report` also the number of roll-ups that could not be
/// compared. Those are compared again as long as `again` returns true; see [`projection::differences`].
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn verify_with(
    conn: &mut Conn,
    progress: impl Fn(usize),
    again: impl AsyncFn(usize) -> Result<bool, Problem>,
    mut report: impl FnMut(&str, &[String], usize),
) -> Result<Verified, Problem> {
    let all = || CHECKS.iter().flat_map(|checks| checks.iter());
    let mut found: Vec<FoundDifference> = all().map(|_| FoundDifference::default()).collect();
    let (mut after, mut done) = (Uuid::nil(), 0);
    while let Some((up_to, members)) = next_part(conn, after).await? {
        for (check, found) in all().zip(&mut found).filter(|(check, _)| check.scope == VerifyScope::Members) {
            ask(conn, check, (after, up_to), found).await?;
        }
        done += members;
        progress(done);
        after = up_to;
    }
    for (check, found) in all().zip(&mut found).filter(|(check, _)| check.scope == VerifyScope::Everything) {
        ask(conn, check, (Uuid::nil(), Uuid::max()), found).await?;
    }
    let mut differences = 0;
    for (check, found) in all().zip(found) {
        differences += found.count;
        report(check.proves, &found.told(), 0);
    }
    let Compared { lines, count, in_doubt } = projection::differences(conn, MOST, again).await?;
    report(ROLL_UPS, &FoundDifference { lines, count }.told(), in_doubt);
    Ok(Verified { differences: differences + count, in_doubt })
}

async fn ask(
    conn: &mut Conn,
    check: &Check,
    (after, up_to): (Uuid, Uuid),
    found: &mut FoundDifference,
) -> Result<(), Problem> {
    let room = MOST - found.lines.len();
    // One line at least, which says how many there are.
    let query = diesel::sql_query(format!(
        "SELECT line, count(*) OVER () AS found FROM ({}) differences LIMIT {}",
        check.query,
        room.max(1)
    ));
    let rows: Vec<Difference> = match check.scope {
        VerifyScope::Members => query.bind::<SqlUuid, _>(after).bind::<SqlUuid, _>(up_to).load(conn).await?,
        VerifyScope::Everything => query.load(conn).await?,
    };
    found.count += rows.as_slice().first().map_or(0, |row| usize::try_from(row.found).unwrap_or(usize::MAX));
    found.lines.extend(rows.into_iter().take(room).map(|row| row.line));
    Ok(())
}

#[derive(QueryableByName)]
struct VerifyPart {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    up_to: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    members: i64,
}

/// Where the next part of the members ends, and how many it has. The last one reaches to the end, also of the ledger.
async fn next_part(conn: &mut Conn, after: Uuid) -> Result<Option<(Uuid, usize)>, Problem> {
    if after == Uuid::max() {
        return Ok(None);
    }
    let part: VerifyPart = diesel::sql_query(
        "SELECT (array_agg(id ORDER BY id DESC))[1] AS up_to, count(*) AS members
         FROM (SELECT id FROM members WHERE id > $1 ORDER BY id LIMIT $2) part",
    )
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(MEMBERS)
    .get_result(conn)
    .await?;
    let last = part.members < MEMBERS;
    let up_to = part.up_to.filter(|_| !last).unwrap_or(Uuid::max());
    Ok(Some((up_to, usize::try_from(part.members).unwrap_or(0))))
}
