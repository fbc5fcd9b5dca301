//! Where people who want to read something of their own wait: those who ask together are looked at together, and one statement
//! serves all of them. The more ask at once, the less each costs.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use super::auth::{Claims, Principal};
use super::batch::{self, Job, Lanes, Queue, ROUND, lane};
use super::db::{Conn, Db};
use super::problem::{Code, Problem};
use super::state::State;

/// A request with its token.
struct Waiting<W> {
    claims: Arc<Claims>,
    wanted: W,
    now: DateTime<Utc>,
}

/// Somebody whose session lives, and what they want.
pub struct Asked<'a, W> {
    pub caller: Principal,
    pub wanted: &'a W,
}

/// What answers requests together, in the order they are given.
pub trait Clerk: 'static {
    type Wanted: 'static;
    type Answer: 'static;

    /// Whether somebody may ask here at all; anybody who is signed in, unless it says otherwise.
    ///
    /// # Errors
    /// 403 for whoever may not.
    fn admit(_: &Principal) -> Result<(), Problem> {
        Ok(())
    }

    fn answer(
        conn: &Conn,
        asked: &[Asked<'_, Self::Wanted>],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, Problem>>;
}

/// The desk of a clerk.
pub struct Desk<C: Clerk>(Queue<Waiting<C::Wanted>, C::Answer>);

impl<C: Clerk> Desk<C> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// 401 when the session has ended, 503 when the database cannot be reached or too many are waiting; what the clerk says.
    pub async fn ask(&self, claims: Arc<Claims>, wanted: C::Wanted, now: DateTime<Utc>) -> Result<C::Answer, Problem> {
        self.0.ask(Waiting { claims, wanted, now }).await
    }
}

/// Opens the desk on the current runtime. `db` is for desks alone ([`connections`]).
pub fn open<C: Clerk>(state: &Data<State>, db: &Db) -> (Data<Desk<C>>, Lanes) {
    let config = &state.config;
    let means = Rc::new(Means { state: state.clone(), db: db.clone() });
    let (queue, waiting) = batch::queue(config.award_queue, ROUND);
    let lanes = (0..LANES).map(|_| {
        let means = means.clone();
        lane(waiting.clone(), config.award_batch.max(1), move |jobs| serve::<C>(means.clone(), jobs).boxed_local())
    });
    (Data::new(Desk(queue)), Lanes(lanes.collect()))
}

/// The connections that all desks share.
///
/// # Errors
/// When the pool cannot be made.
pub fn connections(state: &State) -> Result<Db, String> {
    let url = state.config.database_url.as_ref().ok_or("no database")?;
    Db::of_few_words(url, CONNECTIONS).map_err(|e| e.to_string())
}

/// While one waits for the database, the other takes in who comes.
const LANES: usize = 2;
/// Enough to keep the database busy; whoever waits for one is joined by those who come meanwhile.
const CONNECTIONS: usize = 4;

/// What the lanes of a desk work with.
struct Means {
    state: Data<State>,
    db: Db,
}

type DeskJob<C> = Job<Waiting<<C as Clerk>::Wanted>, <C as Clerk>::Answer>;

async fn serve<C: Clerk>(means: Rc<Means>, jobs: Vec<DeskJob<C>>) -> Vec<DeskJob<C>> {
    let answer = async |waiting: &[&Waiting<C::Wanted>]| {
        means.db.patiently(async |conn| answer_all::<C>(&means.state, conn, waiting).await).await
    };
    batch::answer_all(jobs, answer).await
}

async fn answer_all<C: Clerk>(
    state: &State,
    conn: &Conn,
    waiting: &[&Waiting<C::Wanted>],
) -> Result<Vec<Result<C::Answer, Problem>>, Problem> {
    let sight = state.changes.look(conn).await?;
    let claims: Vec<&Claims> = waiting.iter().map(|one| &*one.claims).collect();
    let latest = waiting.iter().map(|one| one.now).max().unwrap_or_default();
    // Most of them are remembered.
    let callers = state.authenticator.load(conn, sight, &claims, latest).await?;
    let (mut asked, mut outcomes) = (Vec::new(), Vec::new());
    for (one, caller) in waiting.iter().zip(callers) {
        let caller = caller.ok_or_else(|| Problem::new(Code::Unauthenticated));
        let admitted = caller.and_then(|caller| C::admit(&caller).map(|()| caller));
        outcomes.push(admitted.map(|caller| asked.push(Asked { caller, wanted: &one.wanted })));
    }
    let mut answers = if asked.is_empty() { Vec::new() } else { C::answer(conn, &asked).await? }.into_iter();
    let mut next = || answers.next().ok_or_else(|| Problem::internal("an answer is missing"));
    Ok(outcomes.into_iter().map(|outcome| outcome.and_then(|()| next())).collect())
}

/// Rows of one statement, each with the place of who asked, by place.
pub fn by_place<R>(rows: Vec<R>, places: usize, place: impl Fn(&R) -> i32) -> Vec<Vec<R>> {
    let mut found: Vec<Vec<R>> = (0..places).map(|_| Vec::new()).collect();
    for row in rows {
        if let Some(those) = usize::try_from(place(&row)).ok().and_then(|place| found.get_mut(place)) {
            those.push(row);
        }
    }
    found
}
