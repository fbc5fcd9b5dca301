//! Advisory locks of PostgreSQL: one number a purpose, so that two purposes never wait for each other.

use diesel::sql_types::Int4;
use diesel_async::RunQueryDsl;

use super::Conn;
use crate::kernel::http::problem::Problem;

/// What is done by one transaction at a time. Numbers are never reused: instances of two versions may run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum LockPurpose {
    /// Making signing keys.
    SigningKeys = 1,
    /// Changing places in the tree of units.
    UnitTree = 2,
    /// Making the first report key.
    ReportKeys = 3,
    /// Giving out citizen IDs and card numbers.
    MemberNumbers = 4,
    /// Making the key for Web Push.
    PushKeys = 7,
}

/// Tells locks of this program from others in the database.
const SPACE: i32 = 7_305_811;

/// Waits for the lock and holds it until the transaction ends.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn lock(conn: &mut Conn, purpose: LockPurpose) -> Result<(), Problem> {
    take(conn, "SELECT pg_advisory_xact_lock($1, $2)", purpose).await
}

/// The same beside others who share it.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn lock_shared(conn: &mut Conn, purpose: LockPurpose) -> Result<(), Problem> {
    take(conn, "SELECT pg_advisory_xact_lock_shared($1, $2)", purpose).await
}

async fn take(conn: &mut Conn, statement: &str, purpose: LockPurpose) -> Result<(), Problem> {
    diesel::sql_query(statement).bind::<Int4, _>(SPACE).bind::<Int4, _>(purpose as i32).execute(conn).await?;
    Ok(())
}
