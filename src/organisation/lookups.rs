//! Numbers of members elsewhere that officers meet: counted, so that trying them tells little.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Date, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::{VIET_NAM, day_of};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::looked_up_numbers;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::extract::Scope;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::outbox;
use crate::kernel::security::audit;
use crate::kernel::state::State;

/// Different numbers of members elsewhere that an account may come upon in a day.
const A_DAY: i64 = 50;
/// Days for which they are kept.
const KEPT_DAYS: i64 = 2;
/// The event that an account came upon too many.
pub const TOO_MANY: &str = "organisation.numbers_looked_up";

/// Who comes upon numbers, and for the members of which unit.
#[derive(Debug, Clone)]
pub struct Asker {
    account_id: Uuid,
    unit_id: Uuid,
    request_id: String,
    now: DateTime<Utc>,
}

impl Asker {
    pub fn of<B, T>(scope: &Scope<B, T>, unit_id: Uuid) -> Self {
        let (account_id, request_id) = (scope.caller.account_id, scope.context.request_id.clone());
        Self { account_id, unit_id, request_id, now: scope.now }
    }
}

/// What a caller may still learn today.
#[derive(Debug, Clone, Copy)]
pub struct LookupAllowance {
    /// Whether it was used up before, or is now.
    exhausted: bool,
    /// Whether there are numbers of members elsewhere among those asked about.
    elsewhere: bool,
    now: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct LookupRow {
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
}

#[derive(QueryableByName)]
struct LookupCount {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Counts the numbers among `digests` that belong to people outside the unit, in a transaction of its own: a refusal that
/// follows takes nothing back. Writes down that the register was asked.
///
/// # Errors
/// When the database fails.
pub async fn record(state: &State, asker: &Asker, digests: &[Vec<u8>]) -> Result<LookupAllowance, Problem> {
    let Asker { account_id: account, unit_id, now, .. } = *asker;
    let today = day_of(now);
    state
        .db
        .transaction(async |conn| {
            let found = elsewhere(conn, unit_id, today, digests).await?;
            let before = count(conn, account, today).await?;
            let fresh = remember(conn, account, today, &found).await?;
            let after = before + fresh;
            let event = audit::AuditEvent {
                client_id: None,
                actor_id: Some(account),
                action: "numbers.looked_up",
                object_kind: "unit",
                object_id: unit_id,
                unit_id: Some(unit_id),
                member_id: None,
                request_id: Some(&asker.request_id),
                details: json!({"numbers": digests.len(), "elsewhere": found.len()}),
            };
            audit::record(conn, event, now).await?;
            if fresh > 0 && after > A_DAY {
                let payload = json!({"account_id": account, "unit_id": unit_id, "numbers": after, "at": now});
                outbox::emit(conn, TOO_MANY, payload, now).await?;
            }
            Ok(LookupAllowance { exhausted: before >= A_DAY || after > A_DAY, elsewhere: !found.is_empty(), now })
        })
        .await
}

/// What is answered instead of a refusal because a number is taken: that refusal tells that the number exists.
pub async fn after_refusal(state: &State, asker: &Asker, digests: &[Vec<u8>], problem: Problem) -> Problem {
    if problem.code != Code::Conflict {
        return problem;
    }
    match record(state, asker, digests).await {
        Ok(allowance) => allowance.veil(problem),
        Err(failed) => failed,
    }
}

impl LookupAllowance {
    /// Refuses what would tell whether a number exists once the day's allowance is used up: every comparison, and
    /// every import that would be refused for such a number.
    ///
    /// # Errors
    /// 429 until the next day.
    pub fn require(self, only_compared: bool) -> Result<(), Problem> {
        if self.exhausted && (only_compared || self.elsewhere) { Err(self.refusal()) } else { Ok(()) }
    }

    /// A refusal that tells nothing about numbers: after the allowance is used up, no other one is given.
    pub fn veil(self, problem: Problem) -> Problem {
        let tells = matches!(problem.code, Code::RosterFaulty | Code::Conflict);
        if self.exhausted && tells { self.refusal() } else { problem }
    }

    fn refusal(self) -> Problem {
        let tomorrow = (day_of(self.now) + Duration::days(1)).and_time(NaiveTime::MIN).and_local_timezone(VIET_NAM);
        let wait = tomorrow.single().map_or(0, |start| (start.to_utc() - self.now).num_seconds());
        Problem::with(
            Code::TooManyRequests,
            "Hôm nay đồng chí đã gặp quá nhiều số CCCD hoặc số thẻ không thuộc chi bộ mình; hãy thử lại vào ngày mai hoặc nhờ cấp trên.",
            "Too many numbers of members elsewhere were met today; try again tomorrow, or ask the unit above.",
        )
        .retry_after(u64::try_from(wait).unwrap_or(0).max(1))
    }
}

async fn elsewhere(
    conn: &mut Conn,
    unit_id: Uuid,
    today: NaiveDate,
    digests: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, Problem> {
    let found: Vec<LookupRow> = diesel::sql_query(
        "SELECT DISTINCT h.digest FROM sign_in_handles h
         WHERE h.digest = ANY($1) AND h.kind IN ('citizen_id', 'card_number')
           AND NOT EXISTS (SELECT 1 FROM memberships s WHERE s.member_id = h.account_id AND s.unit_id = $2
               AND s.valid_from <= $3 AND (s.valid_to IS NULL OR s.valid_to > $3))",
    )
    .bind::<Array<Binary>, _>(digests)
    .bind::<SqlUuid, _>(unit_id)
    .bind::<Date, _>(today)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|row| row.digest).collect())
}

async fn count(conn: &mut Conn, account: Uuid, today: NaiveDate) -> Result<i64, Problem> {
    let of_today = looked_up_numbers::table
        .filter(looked_up_numbers::account_id.eq(account))
        .filter(looked_up_numbers::day.eq(today));
    Ok(of_today.count().get_result(conn).await?)
}

/// Returns how many of them are new today.
async fn remember(conn: &mut Conn, account: Uuid, today: NaiveDate, found: &[Vec<u8>]) -> Result<i64, Problem> {
    let added: LookupCount = diesel::sql_query(
        "WITH added AS (INSERT INTO looked_up_numbers (account_id, day, digest)
             SELECT $1, $2, digest FROM unnest($3) AS t(digest) ON CONFLICT DO NOTHING RETURNING 1)
         SELECT count(*) AS count FROM added",
    )
    .bind::<SqlUuid, _>(account)
    .bind::<Date, _>(today)
    .bind::<Array<Binary>, _>(found)
    .get_result(conn)
    .await?;
    Ok(added.count)
}

/// Forgets some of what was met on earlier days. Returns how many.
///
/// # Errors
/// When the database fails.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM looked_up_numbers WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM looked_up_numbers WHERE day < $1 ORDER BY day LIMIT $2))";
    let query = diesel::sql_query(query).bind::<Date, _>(day_of(now) - Duration::days(KEPT_DAYS));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}
