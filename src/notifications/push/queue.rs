//! Asks for the phones of an account to be told, in the transaction of the notification.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;

use super::timing::{after_the_night, is_urgent};

/// A phone that waits to be told is told once, of however much.
const REQUEST: &str = "UPDATE push_subscriptions s SET requests = s.requests + 1, urgent = s.urgent OR $3,
        next_at = least(s.next_at, CASE WHEN $3 OR NOT coalesce(p.quiet_hours, true) THEN $4 ELSE $5 END)
    FROM accounts a LEFT JOIN notification_preferences p ON p.account_id = a.id
    WHERE a.id = ANY($1) AND s.account_id = a.id AND ($3 OR $2 <> ALL(coalesce(p.muted_kinds, '{}')))";

/// Has the phones of these accounts told that there is something new of this kind, unless the account has muted it.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn request(conn: &mut Conn, accounts: &[Uuid], kind: &str, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query(REQUEST)
        .bind::<Array<SqlUuid>, _>(accounts)
        .bind::<Text, _>(kind)
        .bind::<Bool, _>(is_urgent(kind))
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(after_the_night(now))
        .execute(conn)
        .await?;
    Ok(())
}
