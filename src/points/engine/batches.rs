//! Batched awards and reads: awards share a transaction, reads of months share a statement.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::kernel::batching::queue::{self, BATCH_WINDOW, Job, Queue, Workers, worker};
use crate::kernel::clock::{Period, day_of};
use crate::kernel::db::{Conn, Db, transaction};
use crate::kernel::http::idempotency::{self, Earlier, Key};
use crate::kernel::http::problem::Language;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::auth::{AccountKind, Claims, require_member};
use crate::kernel::state::State;
use crate::points::model::MonthBrief;

use super::AwardRequest;
use super::credits::{self, Credits, Memory};
use super::in_force_version::InForceVersion;
use super::member_facts::KnownFacts;
use super::member_months::{self, MemberMonths, MonthKey};
use crate::points::engine::{self};
use crate::points::reads::month::{self, MonthQuery, MyPoints};

/// How long an award may wait for a locked month. Transactions that queue for the lock, such as officers' lists and
/// documents, all come before awards, which take only months that are free.
const DB_TIMEOUT: chrono::Duration = chrono::Duration::seconds(8);
/// Pause before months locked by other transactions are tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(2);

/// A deed with the token and the key of its request.
struct AwardInput {
    claims: Arc<Claims>,
    key: Option<Key>,
    want: AwardRequest,
    /// Whether its month was locked by another transaction, or had no row, at an earlier attempt.
    held: bool,
}

/// The answer to an award that was committed.
pub struct StoredReply {
    pub status: u16,
    pub body: String,
    /// Whether it is the answer of an earlier request with the same key.
    pub replayed: bool,
}

/// A reading with the token of its request.
struct MonthInput {
    claims: Arc<Claims>,
    wanted: MonthQuery,
    now: DateTime<Utc>,
}

/// Shared context of all workers.
struct AwardContext {
    state: Data<State>,
    /// A pool of their own.
    db: Db,
    facts: KnownFacts,
}

/// The queues of this process.
pub struct Queues {
    awards: Queue<AwardInput, StoredReply>,
    months: Queue<MonthInput, MyPoints>,
}

impl Queues {
    /// Awards a deed of the caller. Answers after the commit.
    ///
    /// # Errors
    /// 401 when the session has ended, 403 for callers who are not members of a cell, 422 when the key stands for
    /// another body, 503 when the database cannot be reached or too many are waiting.
    pub async fn award(
        &self,
        claims: Arc<Claims>,
        key: Option<Key>,
        want: AwardRequest,
    ) -> Result<StoredReply, Problem> {
        self.awards.ask(AwardInput { claims, key, want, held: false }).await
    }

    /// A month of the caller, with everything that was committed before.
    ///
    /// # Errors
    /// 401 when the session has ended, 403 for callers who are not members, 503 when the database cannot be reached or
    /// too many are waiting.
    pub async fn month(
        &self,
        claims: Arc<Claims>,
        wanted: MonthQuery,
        now: DateTime<Utc>,
    ) -> Result<MyPoints, Problem> {
        self.months.ask(MonthInput { claims, wanted, now }).await
    }

    /// The caller's present month in short.
    ///
    /// # Errors
    /// As [`Self::month`].
    pub async fn month_in_brief(
        &self,
        claims: Arc<Claims>,
        language: Language,
        now: DateTime<Utc>,
    ) -> Result<MonthBrief, Problem> {
        let today = day_of(now);
        let wanted = MonthQuery { member_id: claims.sub, period: Period::containing(today), today, language };
        Ok(self.month(claims, wanted, now).await?.brief())
    }
}

/// Starts the workers on the current runtime. They have a pool of their own, so that no other work delays them.
///
/// # Errors
/// When the pool cannot be made.
pub fn start(state: &Data<State>) -> Result<(Queues, Workers), String> {
    let config = &state.config;
    let url = config.database_url.as_ref().ok_or("no database")?;
    let lanes = config.award_lanes.max(1);
    let db = Db::with_generic_plans(url, 2 * lanes).map_err(|e| e.to_string())?;
    let (awards, waiting_awards) = queue::queue(config.award_queue, BATCH_WINDOW);
    let (months, waiting_months) = queue::queue(config.award_queue, BATCH_WINDOW);
    let (most, means) =
        (config.award_batch.max(1), Rc::new(AwardContext { state: state.clone(), db, facts: KnownFacts::default() }));
    let mut running = Vec::new();
    for _ in 0..lanes {
        let means_of_awards = means.clone();
        running
            .push(worker(waiting_awards.clone(), most, move |jobs| award(means_of_awards.clone(), jobs).boxed_local()));
        let means_of_months = means.clone();
        running
            .push(worker(waiting_months.clone(), most, move |jobs| read(means_of_months.clone(), jobs).boxed_local()));
    }
    Ok((Queues { awards, months }, Workers(running)))
}

type AwardJob = Job<AwardInput, StoredReply>;

/// Processes awards together and answers them after the commit. Returns those that have to wait for a lock.
async fn award(means: Rc<AwardContext>, jobs: Vec<AwardJob>) -> Vec<AwardJob> {
    let (jobs, mut waiting) = apart(jobs);
    let asked = jobs.len();
    let commit = async |asked: &[&AwardInput]| {
        let again = Cell::new(false);
        let commit = async |conn: &mut Conn| commit(&means, conn, asked, again.replace(true)).await;
        means.db.with_timeout(async |conn| transaction(conn, commit).await).await
    };
    let held = queue::settle(jobs, &commit).await;
    if !held.is_empty() {
        make(&means.db, held.iter().map(|job| job.input.want.month()).collect()).await;
        // A lock may be held for long. While other awards succeed, no pause is needed.
        if held.len() == asked {
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        // Awards that waited long before their first attempt get a second one.
        let is_late = |job: &AwardJob| job.input.held && means.state.clock.now() - job.input.want.now > DB_TIMEOUT;
        let (late, mut patient): (Vec<_>, Vec<_>) = held.into_iter().partition(is_late);
        for job in late {
            job.answer(Err(Problem::unavailable("the month is locked by another transaction")));
        }
        patient.iter_mut().for_each(|job| job.input.held = true);
        waiting.extend(patient);
    }
    waiting
}

/// Inserts missing rows of months, for the next batch to lock. Runs in its own transaction: it waits for concurrent
/// inserts of the same rows, and a waiting transaction must hold no locks. Waits for a moment only, then tries each
/// half separately, so that one blocked month does not delay the others. What could not be inserted is tried again with
/// the next batch.
fn make(db: &Db, mut months: BTreeSet<MonthKey>) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        let at_once = async |conn: &mut Conn| member_months::make_at_once(conn, &months).await;
        let made = db.with_timeout(async |conn| transaction(conn, at_once).await).await;
        let Err(problem) = made else { return };
        tracing::info!(%problem, months = months.len(), "months could not be made");
        if problem.code == Code::Conflict
            && let Some(middle) = months.iter().nth(months.len() / 2).copied().filter(|_| months.len() > 1)
        {
            let second = months.split_off(&middle);
            make(db, months).await;
            make(db, second).await;
        }
    })
}

/// Separates jobs with a duplicate key: one is processed, the others wait for its answer.
fn apart(jobs: Vec<AwardJob>) -> (Vec<AwardJob>, Vec<AwardJob>) {
    let mut seen = HashSet::new();
    jobs.into_iter().partition(|job| {
        let key = job.input.key.as_ref();
        key.is_none_or(|key| seen.insert((key.principal_id, key.operation.clone(), key.key.clone())))
    })
}

type JobOutcome = Option<Result<StoredReply, Problem>>;

/// Outcomes of awards; none for those whose month has no row yet or is locked by another transaction. `again` is true
/// after a conflict.
async fn commit(
    means: &AwardContext,
    conn: &Conn,
    asked: &[&AwardInput],
    again: bool,
) -> Result<Vec<JobOutcome>, Problem> {
    let now = means.state.clock.now();
    let mut read = look(means, conn, asked, again).await?;
    let mut outcomes: Vec<JobOutcome> =
        read.callers.iter().map(|caller| require_member(*caller).err().map(Err)).collect();
    let mut fresh = Vec::new();
    for place in 0..asked.len() {
        if outcomes[place].is_some() || !read.states.states[place].found {
            continue;
        }
        match i32::try_from(place).ok().and_then(|place| read.keys.remove(&place)) {
            Some(Earlier::Answer(before)) => {
                outcomes[place] = Some(before.map(|(status, body)| StoredReply { status, body, replayed: true }));
            }
            Some(Earlier::Expired) => {
                if let Some(key) = &asked[place].key {
                    idempotency::forget(conn, key, now).await?;
                }
                fresh.push(place);
            }
            None => fresh.push(place),
        }
    }
    if !fresh.is_empty() {
        write(conn, asked, &fresh, read, now, &mut outcomes).await?;
    }
    Ok(outcomes)
}

/// Data read at the start of a batch.
struct BatchPoll {
    callers: Vec<Option<AccountKind>>,
    states: MemberMonths,
    keys: HashMap<i32, Earlier>,
    credits: Credits,
}

/// Runs all reads of a batch concurrently and locks the months. Their order does not matter: a session that ends, a key
/// that is stored or an object that is credited at the same instant counts as later, or is a conflict.
///
/// For visits the ledger is not read: the object of a visit is its day, and the month's counters hold what a day has
/// given. Should the two ever differ, the ledger refuses the entry, and the next attempt reads it.
async fn look(means: &AwardContext, conn: &Conn, asked: &[&AwardInput], again: bool) -> Result<BatchPoll, Problem> {
    let state = &means.state;
    let now = state.clock.now();
    let claims: Vec<&Claims> = asked.iter().map(|asked| &*asked.claims).collect();
    let days = engine::days(asked.iter().map(|asked| &asked.want));
    let wants: Vec<&AwardRequest> =
        asked.iter().map(|asked| &asked.want).filter(|want| again || !want.is_visit()).collect();
    let keys: Vec<(i32, &Key)> =
        (0..).zip(asked).filter_map(|(place, asked)| Some((place, asked.key.as_ref()?))).collect();
    let (sight, months, version, keys, credits) = tokio::join!(
        state.changes.look(conn),
        member_months::take(conn, &days),
        InForceVersion::read(conn),
        idempotency::find_all(conn, &keys, now),
        credits::of_deeds(conn, &wants),
    );
    let sight = sight?;
    // Most of them are cached.
    let (callers, facts) =
        tokio::join!(state.authenticator.alive(conn, sight, &claims, now), means.facts.recall(conn, sight, &days),);
    let states = MemberMonths::of(months?, facts?, version?);
    Ok(BatchPoll { callers: callers?, states, keys: keys?, credits: credits? })
}

/// Decides the new awards, and writes ledger, totals and answers.
async fn write(
    conn: &Conn,
    asked: &[&AwardInput],
    fresh: &[usize],
    read: BatchPoll,
    now: DateTime<Utc>,
    outcomes: &mut [JobOutcome],
) -> Result<(), Problem> {
    let wants: Vec<&AwardRequest> = fresh.iter().map(|place| &asked[*place].want).collect();
    let decided = engine::decide_all(conn, &wants, read.states.only(fresh), read.credits, Memory::Kept).await?;
    for (place, award) in fresh.iter().zip(decided.awards) {
        let told = award.and_then(|award| serde_json::to_string(&award).map_err(Problem::internal));
        outcomes[*place] = Some(told.map(|body| StoredReply { status: 200, body, replayed: false }));
    }
    let answer = |place: &usize| match (&asked[*place].key, &outcomes[*place]) {
        (Some(key), Some(Ok(told))) => Some((key, told.body.as_str())),
        _ => None,
    };
    let answers: Vec<(&Key, &str)> = fresh.iter().filter_map(answer).collect();
    let (written, stored) = tokio::join!(decided.rows.write(conn), idempotency::store_all(conn, &answers, now));
    written.and(stored)
}

type ReadJob = Job<MonthInput, MyPoints>;

/// Reads months together. No job has to wait for a lock.
async fn read(means: Rc<AwardContext>, jobs: Vec<ReadJob>) -> Vec<ReadJob> {
    let read =
        async |asked: &[&MonthInput]| means.db.with_timeout(async |conn| read_all(&means, conn, asked).await).await;
    queue::answer_all(jobs, read).await
}

async fn read_all(
    means: &AwardContext,
    conn: &mut Conn,
    asked: &[&MonthInput],
) -> Result<Vec<Result<MyPoints, Problem>>, Problem> {
    let claims: Vec<&Claims> = asked.iter().map(|asked| &*asked.claims).collect();
    let wanted: Vec<MonthQuery> = asked.iter().map(|asked| asked.wanted).collect();
    let latest = asked.iter().map(|asked| asked.now).max().unwrap_or_default();
    let days = month::days(&wanted);
    let (sight, months, version) =
        tokio::join!(means.state.changes.look(conn), member_months::months(conn, &days), InForceVersion::read(conn),);
    let sight = sight?;
    let (callers, facts) = tokio::join!(
        means.state.authenticator.alive(conn, sight, &claims, latest),
        means.facts.recall(conn, sight, &days),
    );
    // Months are computed for callers without access too, but not returned to them.
    let months = month::show(conn, &wanted, MemberMonths::of(months?, facts?, version?)).await?;
    Ok(callers?.into_iter().zip(months).map(|(caller, month)| require_member(caller).map(|()| month)).collect())
}
