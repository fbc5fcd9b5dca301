//! Sweeping: old rows go in bounded slices, each a statement of its own that an index serves.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::first_id;

/// Rows that one statement looks at or deletes.
pub const SLICE: i64 = 1_000;

/// Goes round a table in the order of its ids, a slice at a time, and does with what is old what `statement` says. For tables of
/// which some old rows stay: they are not looked at again before the round is over.
pub struct Round {
    after: Mutex<Uuid>,
    /// Reads the CTE `looked`, with the ids of the slice.
    statement: &'static str,
    table: &'static str,
}

#[derive(QueryableByName)]
struct SweepResult {
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    last: Option<Uuid>,
}

impl Round {
    pub const fn new(table: &'static str, statement: &'static str) -> Self {
        Self { after: Mutex::new(Uuid::nil()), statement, table }
    }

    /// Does the next slice of rows that were made before a time, which is `$4` to the statement. Returns whether there may be
    /// more.
    ///
    /// # Errors
    /// 503 when the database cannot be reached; the same slice comes again.
    pub async fn slice(&self, conn: &mut Conn, before: DateTime<Utc>) -> Result<bool, Problem> {
        let after = *self.after.lock().unwrap_or_else(PoisonError::into_inner);
        let query = format!(
            "WITH looked AS (SELECT id FROM {} WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3), {}
             SELECT count(*) AS count, (array_agg(id ORDER BY id DESC))[1] AS last FROM looked",
            self.table, self.statement
        );
        let looked: SweepResult = diesel::sql_query(query)
            .bind::<SqlUuid, _>(after)
            .bind::<SqlUuid, _>(first_id(before))
            .bind::<BigInt, _>(SLICE)
            .bind::<Timestamptz, _>(before)
            .get_result(conn)
            .await?;
        let more = looked.count == SLICE;
        let next = looked.last.filter(|_| more).unwrap_or_default();
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(more)
    }
}
