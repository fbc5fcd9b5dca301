//! Member facts that the engine needs for a day: read from PostgreSQL, or cached until a change.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Bool, Date, Int4, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::batching::cache_invalidation::{CacheEpoch, EpochCache};
use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::db::statement::Prepared;
use crate::kernel::http::problem::Problem;

use crate::points::model::Status;

/// Maximum number of cached facts (a member on a day), some 120 bytes each.
const REMEMBERED: usize = 200_000;

/// Facts of a member on a day that the engine needs.
#[derive(Debug, Clone)]
pub struct MemberFacts {
    pub without_device: bool,
    /// First day of the first membership in the system.
    pub entered: NaiveDate,
    /// Whether an exemption holds on the day.
    pub exempt: bool,
    /// The most days of the month that an excuse covers.
    pub days_excused: i32,
    pub cell: Uuid,
}

impl MemberFacts {
    /// Why the member does not count in the month, if so, in a cell where an excuse must cover so many days.
    pub fn away(&self, excuse_days: i32) -> Option<Status> {
        if self.exempt {
            return Some(Status::Exempt);
        }
        (self.days_excused >= excuse_days).then_some(Status::Excused)
    }
}

/// A member and a day.
pub type MemberDay = (Uuid, NaiveDate);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = Bool)]
    without_device: bool,
    #[diesel(sql_type = SqlUuid)]
    cell: Uuid,
    #[diesel(sql_type = Date)]
    entered: NaiveDate,
    #[diesel(sql_type = Bool)]
    exempt: bool,
    #[diesel(sql_type = Int4)]
    days_excused: i32,
}

/// How many days an excuse must cover depends on the cell, so [`MemberFacts::away`] decides.
const FACTS: &str = "SELECT k.place, m.without_device, ms.unit_id AS cell,
        (SELECT f.valid_from FROM memberships f WHERE f.member_id = k.member_id ORDER BY f.valid_from LIMIT 1) AS entered,
        x.exempt, x.days_excused
    FROM unnest($1::int4[], $2::uuid[], $3::date[], $4::date[], $5::date[]) AS k (place, member_id, day, first_day, last_day)
    JOIN members m ON m.id = k.member_id
    JOIN memberships ms ON ms.member_id = k.member_id
        AND ms.valid_from <= k.day AND (ms.valid_to IS NULL OR ms.valid_to > k.day)
    CROSS JOIN LATERAL (SELECT
            coalesce(bool_or(e.kind = 'exempt'
                AND exempts_from_month(e.kind, e.valid_from, e.valid_to, k.day, k.first_day, k.last_day, 0)), false) AS exempt,
            coalesce(max(days_covered(e.valid_from, e.valid_to, k.first_day, k.last_day))
                FILTER (WHERE e.kind = 'excused'), 0) AS days_excused
        FROM exemptions e WHERE e.member_id = k.member_id) x";

/// Reads facts of members on a day each, in the order asked for; none for members without a cell on the day.
pub async fn read(mut conn: &Conn, wanted: &[MemberDay]) -> Result<Vec<Option<MemberFacts>>, Problem> {
    let months = || wanted.iter().map(|(_, day)| Period::containing(*day));
    let query = sql_query(FACTS)
        .bind::<Array<Int4>, _>((0..).take(wanted.len()).collect::<Vec<i32>>())
        .bind::<Array<SqlUuid>, _>(wanted.iter().map(|(member, _)| *member).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(wanted.iter().map(|(_, day)| *day).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(months().map(|month| month.first_day()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(months().map(|month| month.last_day()).collect::<Vec<_>>());
    let rows: Vec<Row> = Prepared(query).load(&mut conn).await?;
    let mut found = vec![None; wanted.len()];
    for Row { place, without_device, cell, entered, exempt, days_excused } in rows {
        if let Some(place) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            *place = Some(MemberFacts { without_device, entered, exempt, days_excused, cell });
        }
    }
    Ok(found)
}

/// Cached facts, dropped when something of the member changes. Members without a cell are not cached.
pub struct KnownFacts(EpochCache<MemberDay, MemberFacts>);

impl Default for KnownFacts {
    fn default() -> Self {
        Self(EpochCache::new(REMEMBERED))
    }
}

impl KnownFacts {
    /// The same as [`read`], true as of `sight`.
    pub async fn recall(
        &self,
        conn: &Conn,
        sight: CacheEpoch<'_>,
        wanted: &[MemberDay],
    ) -> Result<Vec<Option<MemberFacts>>, Problem> {
        let mut facts: Vec<_> = wanted.iter().map(|whom| self.0.get(sight, whom, &[whom.0])).collect();
        let unknown: Vec<usize> = (0..wanted.len()).filter(|place| facts[*place].is_none()).collect();
        if unknown.is_empty() {
            return Ok(facts);
        }
        let asked: Vec<MemberDay> = unknown.iter().map(|place| wanted[*place]).collect();
        for (place, found) in unknown.into_iter().zip(read(conn, &asked).await?) {
            if let Some(found) = &found {
                self.0.insert(sight, wanted[place], found.clone());
            }
            facts[place] = found;
        }
        Ok(facts)
    }
}
