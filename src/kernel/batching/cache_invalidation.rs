//! Cache invalidation: cached data are valid until a row of `changes` names their subject.
//!
//! Each batch of requests polls once ([`ChangeLog::look`]). Triggers write the rows of the table
//! `changes`, in the transaction of the change. A poll notes the oldest transaction that is still
//! running (the horizon); the next poll asks for the rows of that one and of all later ones. So it
//! finds whatever was committed in between, in whatever order.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;

/// Stands for the whole tree of units.
pub const UNITS: Uuid = Uuid::nil();

/// Rows are kept for a day. A process that has not polled for this long drops all cached data.
const MAX_POLL_GAP: TimeDelta = TimeDelta::hours(1);
/// More changes at once than this drop all cached data.
const MAX_CHANGES_PER_POLL: usize = 10_000;
/// Maximum number of changed subjects kept; beyond that all cached data are dropped.
const MAX_SUBJECTS: usize = 100_000;

/// Counts the polls that found changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Epoch(u64);

/// The state of the changes at a poll: cached data are valid now, and what is read after it stays valid, until a change
/// names it.
#[derive(Clone, Copy)]
pub struct CacheEpoch<'a> {
    changes: &'a ChangeLog,
    stamp: Epoch,
}

/// The changes that this process has seen.
#[derive(Default)]
pub struct ChangeLog(RwLock<SeenChanges>);

#[derive(Default)]
struct SeenChanges {
    /// All changes of transactions before this one have been seen.
    horizon: Option<i64>,
    /// When the last poll was, by the database's clock.
    looked: Option<DateTime<Utc>>,
    now: Epoch,
    /// Data cached before this stamp are dropped.
    forgotten: Epoch,
    changed: HashMap<Uuid, Epoch>,
}

#[derive(QueryableByName)]
struct PollRow {
    #[diesel(sql_type = BigInt)]
    horizon: i64,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Array<SqlUuid>)]
    changed: Vec<Uuid>,
}

/// Rarely finds a row; ordered, so that the index is used whatever the planner expects to find.
const POLL: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, clock_timestamp() AS at,
    ARRAY(SELECT c.subject_id FROM changes c WHERE c.xid >= $1 ORDER BY c.xid LIMIT $2) AS changed";

impl ChangeLog {
    /// Reads the changes made until now.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn look(&self, mut conn: &Conn) -> Result<CacheEpoch<'_>, Problem> {
        let horizon = self.0.read().unwrap_or_else(PoisonError::into_inner).horizon;
        let most = i64::try_from(MAX_CHANGES_PER_POLL + 1).unwrap_or(i64::MAX);
        let query = diesel::sql_query(POLL).bind::<Nullable<BigInt>, _>(horizon).bind::<BigInt, _>(most);
        let found: PollRow = Prepared(query).get_result(&mut conn).await?;
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.take_in(horizon, found);
        Ok(CacheEpoch { changes: self, stamp: seen.now })
    }

    /// The state at the latest poll: for requests that waited for a poll that began after they arrived.
    pub fn sight(&self) -> CacheEpoch<'_> {
        CacheEpoch { changes: self, stamp: self.0.read().unwrap_or_else(PoisonError::into_inner).now }
    }

    /// Whether data read under a stamp are still valid for these subjects.
    fn believes(&self, stamp: Epoch, subjects: &[Uuid]) -> bool {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        stamp >= seen.forgotten
            && subjects.iter().all(|subject| seen.changed.get(subject).is_none_or(|changed| stamp >= *changed))
    }
}

impl SeenChanges {
    /// Applies the changes found beyond a horizon.
    fn take_in(&mut self, horizon: Option<i64>, found: PollRow) {
        // Nothing is known of the time before the first poll or of a long absence; and a database whose transactions go
        // back is another one.
        let absent = self.looked.is_some_and(|looked| found.at - looked > MAX_POLL_GAP);
        let stranger = absent || horizon.is_none_or(|horizon| found.horizon < horizon);
        if stranger || found.changed.len() > MAX_CHANGES_PER_POLL {
            self.forget();
        } else if !found.changed.is_empty() {
            self.note(found.changed);
        }
        self.horizon = if stranger { Some(found.horizon) } else { self.horizon.max(Some(found.horizon)) };
        self.looked = self.looked.max(Some(found.at));
    }

    fn forget(&mut self) {
        self.now.0 += 1;
        self.forgotten = self.now;
        self.changed.clear();
    }

    fn note(&mut self, subjects: Vec<Uuid>) {
        if self.changed.len() + subjects.len() > MAX_SUBJECTS {
            return self.forget();
        }
        self.now.0 += 1;
        let now = self.now;
        self.changed.extend(subjects.into_iter().map(|subject| (subject, now)));
    }
}

/// Forgets some rows that every instance has seen. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn) -> Result<usize, Problem> {
    let query = "DELETE FROM changes WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM changes WHERE noted_at < now() - interval '1 day' ORDER BY noted_at LIMIT $1))";
    Ok(diesel::sql_query(query).bind::<BigInt, _>(SLICE).execute(conn).await?)
}

/// A cache of answers of the database, valid until something changes.
pub struct EpochCache<K, V>(Cache<K, (Epoch, V)>);

impl<K: Eq + Hash, V: Clone> EpochCache<K, V> {
    /// A cache that holds at most `most` answers.
    pub fn new(most: usize) -> Self {
        Self(Cache::new(most))
    }

    /// The cached answer, unless one of its subjects has changed since.
    pub fn get(&self, sight: CacheEpoch<'_>, key: &K, subjects: &[Uuid]) -> Option<V> {
        self.0.get(key).and_then(|(stamp, value)| sight.changes.believes(stamp, subjects).then_some(value))
    }

    /// Caches an answer that was read after a poll.
    pub fn insert(&self, sight: CacheEpoch<'_>, key: K, value: V) {
        self.0.insert(key, (sight.stamp, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(changes: &ChangeLog, subjects: Vec<Uuid>) -> CacheEpoch<'_> {
        let mut seen = changes.0.write().unwrap();
        seen.note(subjects);
        CacheEpoch { changes, stamp: seen.now }
    }

    #[test]
    fn what_changed_is_not_believed_and_what_was_read_afterwards_is() {
        let (changes, memory) = (ChangeLog::default(), EpochCache::new(10));
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let before = CacheEpoch { changes: &changes, stamp: Epoch(0) };
        memory.insert(before, one, "old");
        memory.insert(before, two, "old");
        let after = note(&changes, vec![one]);
        assert_eq!(memory.get(after, &one, &[one]), None);
        assert_eq!(memory.get(after, &two, &[two]), Some("old"));
        assert_eq!(memory.get(after, &two, &[two, one]), None);
        // Read before the change was seen, cached after it: it may be outdated.
        memory.insert(before, one, "late");
        assert_eq!(memory.get(after, &one, &[one]), None);
        memory.insert(after, one, "new");
        assert_eq!(memory.get(after, &one, &[one]), Some("new"));
    }

    /// A poll that sent this horizon and received another one, with changed subjects, this many minutes after midnight.
    fn look(changes: &ChangeLog, sent: Option<i64>, horizon: i64, names: usize, minutes: i64) -> CacheEpoch<'_> {
        let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let changed = (1..).map(Uuid::from_u128).take(names).collect();
        let mut seen = changes.0.write().unwrap();
        seen.take_in(sent, PollRow { horizon, at, changed });
        CacheEpoch { changes, stamp: seen.now }
    }

    #[test]
    fn a_database_whose_transactions_go_back_is_not_the_one_that_is_remembered() {
        let (changes, memory) = (ChangeLog::default(), EpochCache::new(10));
        memory.insert(look(&changes, None, 100, 0, 0), 0, ());
        assert_eq!(memory.get(look(&changes, Some(100), 120, 0, 1), &0, &[UNITS]), Some(()));
        // An answer that was overtaken by a later one.
        assert_eq!(memory.get(look(&changes, Some(100), 110, 0, 1), &0, &[UNITS]), Some(()));
        assert_eq!(changes.0.read().unwrap().horizon, Some(120));
        assert_eq!(memory.get(look(&changes, Some(120), 90, 0, 2), &0, &[UNITS]), None);
        assert_eq!(changes.0.read().unwrap().horizon, Some(90));
    }

    #[test]
    fn whoever_was_away_for_long_forgets() {
        let (changes, memory) = (ChangeLog::default(), EpochCache::new(10));
        memory.insert(look(&changes, None, 100, 0, 0), 0, ());
        assert_eq!(memory.get(look(&changes, Some(100), 100, 0, 60), &0, &[UNITS]), Some(()));
        assert_eq!(memory.get(look(&changes, Some(100), 100, 0, 121), &0, &[UNITS]), None);
    }

    #[test]
    fn a_look_that_could_not_name_all_forgets_all() {
        let (changes, memory) = (ChangeLog::default(), EpochCache::new(10));
        memory.insert(look(&changes, None, 100, 0, 0), 0, ());
        assert_eq!(memory.get(look(&changes, Some(100), 100, MAX_CHANGES_PER_POLL, 0), &0, &[UNITS]), Some(()));
        assert_eq!(memory.get(look(&changes, Some(100), 100, MAX_CHANGES_PER_POLL + 1, 0), &0, &[UNITS]), None);
    }

    #[test]
    fn too_many_names_are_as_good_as_all() {
        let (changes, memory) = (ChangeLog::default(), EpochCache::new(10));
        memory.insert(CacheEpoch { changes: &changes, stamp: Epoch(0) }, 0, ());
        let after = note(&changes, (1..).map(Uuid::from_u128).take(MAX_SUBJECTS + 1).collect());
        assert_eq!(memory.get(after, &0, &[UNITS]), None);
        assert!(changes.0.read().unwrap().changed.is_empty());
    }
}
