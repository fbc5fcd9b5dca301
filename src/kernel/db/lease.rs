//! Leases in PostgreSQL: work that one instance does at a time.
//!
//! The fence rises with each change of holder, and every write checks it.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Conn;
use super::schema::leases;
use crate::kernel::http::problem::Problem;

/// How long a silent holder keeps a lease, seconds.
const KEPT_SECONDS: i64 = 15;

/// A lease that is held.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    pub name: &'static str,
    pub holder: Uuid,
    pub fence: i64,
}

#[derive(QueryableByName)]
struct Fence {
    #[diesel(sql_type = BigInt)]
    fence: i64,
}

/// Takes a lease that is free, has run out or is held by this instance, and keeps it for another period. Returns none
/// when another instance holds it.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn take(
    conn: &mut Conn,
    name: &'static str,
    holder: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Lease>, Problem> {
    write(conn, name, holder, false, now).await
}

/// Takes a lease from its holder: later writes of the former holder are refused.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn seize(conn: &mut Conn, name: &'static str, holder: Uuid, now: DateTime<Utc>) -> Result<Lease, Problem> {
    let taken = write(conn, name, holder, true, now).await?;
    taken.ok_or_else(|| Problem::internal("a lease could not be seized"))
}

async fn write(
    conn: &mut Conn,
    name: &'static str,
    holder: Uuid,
    anyway: bool,
    now: DateTime<Utc>,
) -> Result<Option<Lease>, Problem> {
    let taken: Option<Fence> = diesel::sql_query(
        "INSERT INTO leases AS l (name, holder, fence, expires_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (name) DO UPDATE SET holder = $2, expires_at = $3, fence = l.fence + (l.holder <> $2)::int
         WHERE l.holder = $2 OR l.expires_at <= $4 OR $5 RETURNING fence",
    )
    .bind::<Text, _>(name)
    .bind::<SqlUuid, _>(holder)
    .bind::<Timestamptz, _>(now + Duration::seconds(KEPT_SECONDS))
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(anyway)
    .get_result(conn)
    .await
    .optional()?;
    Ok(taken.map(|taken| Lease { name, holder, fence: taken.fence }))
}

impl Lease {
    /// Holds the lease until the transaction ends, so that no other instance takes it over meanwhile. Returns false
    /// when it is lost.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn hold(&self, conn: &mut Conn) -> Result<bool, Problem> {
        let held: Option<i64> = leases::table
            .find(self.name)
            .filter(leases::holder.eq(self.holder))
            .filter(leases::fence.eq(self.fence))
            .select(leases::fence)
            .for_update()
            .first(conn)
            .await
            .optional()?;
        Ok(held.is_some())
    }

    /// Releases the lease for the next holder.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn release(&self, conn: &mut Conn, now: DateTime<Utc>) -> Result<(), Problem> {
        let own =
            leases::table.find(self.name).filter(leases::holder.eq(self.holder)).filter(leases::fence.eq(self.fence));
        diesel::update(own).set(leases::expires_at.eq(now)).execute(conn).await?;
        Ok(())
    }
}
