//! What the engine must know of members on a day; read from PostgreSQL, or remembered until something of it changes.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Bool, Date, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::changes::{Remembered, Sight};
use crate::kernel::clock::Period;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::statement::Prepared;

/// Facts of so many members and days are remembered, some 120 bytes each.
const REMEMBERED: usize = 200_000;

/// What the engine must know of a member on a day.
#[derive(Debug, Clone)]
pub struct MemberFacts {
    pub without_device: bool,
    /// First day of the first membership in the system.
    pub entered: NaiveDate,
    /// `exempt` or `excused` in the month.
    pub exemption: Option<String>,
    pub cell: Uuid,
}

/// A member and a day.
pub type Whom = (Uuid, NaiveDate);

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
    #[diesel(sql_type = Nullable<Text>)]
    exemption: Option<String>,
}

/// An excuse counts for every month it touches, an exemption when it holds on the day, and then it comes before an excuse
/// (`exempt` sorts last).
const FACTS: &str = "SELECT k.place, m.without_device, ms.unit_id AS cell,
        (SELECT f.valid_from FROM memberships f WHERE f.member_id = k.member_id ORDER BY f.valid_from LIMIT 1) AS entered,
        (SELECT max(x.kind) FROM exemptions x WHERE x.member_id = k.member_id AND (
            (x.kind = 'exempt' AND x.valid_from <= k.day AND (x.valid_to IS NULL OR x.valid_to > k.day))
            OR (x.kind = 'excused' AND x.valid_from <= k.last_day AND (x.valid_to IS NULL OR x.valid_to > k.first_day))))
            AS exemption
    FROM unnest($1::int4[], $2::uuid[], $3::date[], $4::date[], $5::date[]) AS k (place, member_id, day, first_day, last_day)
    JOIN members m ON m.id = k.member_id
    JOIN memberships ms ON ms.member_id = k.member_id
        AND ms.valid_from <= k.day AND (ms.valid_to IS NULL OR ms.valid_to > k.day)";

/// Reads what is known of members on a day each, in the order asked for; none for whoever belongs to no cell then.
pub async fn read(mut conn: &Conn, wanted: &[Whom]) -> Result<Vec<Option<MemberFacts>>, Problem> {
    let months = || wanted.iter().map(|(_, day)| Period::containing(*day));
    let query = sql_query(FACTS)
        .bind::<Array<Int4>, _>((0..).take(wanted.len()).collect::<Vec<i32>>())
        .bind::<Array<SqlUuid>, _>(wanted.iter().map(|(member, _)| *member).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(wanted.iter().map(|(_, day)| *day).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(months().map(|month| month.first_day()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(months().map(|month| month.last_day()).collect::<Vec<_>>());
    let rows: Vec<Row> = Prepared(query).load(&mut conn).await?;
    let mut found = vec![None; wanted.len()];
    for Row { place, without_device, cell, entered, exemption } in rows {
        if let Some(place) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
            *place = Some(MemberFacts { without_device, entered, exemption, cell });
        }
    }
    Ok(found)
}

/// Facts as they were read, until something of the member changes. Whoever belongs to no cell is not remembered.
pub struct KnownFacts(Remembered<Whom, MemberFacts>);

impl Default for KnownFacts {
    fn default() -> Self {
        Self(Remembered::new(REMEMBERED))
    }
}

impl KnownFacts {
    /// The same as [`read`], true as of `sight`.
    pub async fn recall(
        &self,
        conn: &Conn,
        sight: Sight<'_>,
        wanted: &[Whom],
    ) -> Result<Vec<Option<MemberFacts>>, Problem> {
        let mut facts: Vec<_> = wanted.iter().map(|whom| self.0.get(sight, whom, &[whom.0])).collect();
        let unknown: Vec<usize> = (0..wanted.len()).filter(|place| facts[*place].is_none()).collect();
        if unknown.is_empty() {
            return Ok(facts);
        }
        let asked: Vec<Whom> = unknown.iter().map(|place| wanted[*place]).collect();
        for (place, found) in unknown.into_iter().zip(read(conn, &asked).await?) {
            if let Some(found) = &found {
                self.0.insert(sight, wanted[place], found.clone());
            }
            facts[place] = found;
        }
        Ok(facts)
    }
}
