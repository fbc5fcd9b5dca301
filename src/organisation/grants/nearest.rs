//! Notifies the officers nearest to a unit that something waits for a decision.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Date, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::kernel::security::access::{Permission, Role};
use crate::organisation::units;

/// A holder of a permission on a path.
#[derive(QueryableByName)]
pub struct Holder {
    #[diesel(sql_type = SqlUuid)]
    pub account_id: Uuid,
    /// How far up; a system administrator comes after all units.
    #[diesel(sql_type = BigInt)]
    depth: i64,
    #[diesel(sql_type = Bool)]
    has_signed_in: bool,
}

const HOLDERS: &str =
    "SELECT g.account_id, min(t.depth) AS depth, EXISTS (SELECT 1 FROM sessions s WHERE s.account_id = g.account_id) AS has_signed_in
    FROM (SELECT unit_id, depth FROM unnest($1::uuid[]) WITH ORDINALITY AS p (unit_id, depth)
          UNION ALL SELECT NULL, cardinality($1::uuid[]) + 1) t
    JOIN grants g ON g.unit_id = t.unit_id OR (g.unit_id IS NULL AND t.unit_id IS NULL)
    JOIN accounts a ON a.id = g.account_id AND a.disabled_at IS NULL
    WHERE g.role = ANY($3) AND g.revoked_at IS NULL AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2)
    GROUP BY g.account_id ORDER BY g.account_id";

/// The holders of a permission on a path of units, the lowest unit first.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn holders(
    conn: &mut Conn,
    path: &[Uuid],
    permission: Permission,
    day: NaiveDate,
) -> Result<Vec<Holder>, Problem> {
    let may = |role: &&Role| role.permissions().contains(&permission);
    let roles: Vec<&str> = Role::ALL.iter().filter(may).map(|role| role.as_str()).collect();
    Ok(sql_query(HOLDERS)
        .bind::<Array<SqlUuid>, _>(path)
        .bind::<Date, _>(day)
        .bind::<Array<Text>, _>(roles)
        .load(conn)
        .await?)
}

/// The nearest holders. Where none of them has ever signed in, those above too, up to the nearest unit where one has.
pub fn nearest(holders: &[Holder]) -> Vec<Uuid> {
    let signed_in = holders.iter().filter(|holder| holder.has_signed_in).map(|holder| holder.depth).min();
    let up_to = signed_in.or_else(|| holders.iter().map(|holder| holder.depth).max()).unwrap_or(0);
    holders.iter().filter(|holder| holder.depth <= up_to).map(|holder| holder.account_id).collect()
}

/// Notifies the holders of a permission on the unit, or on the nearest one above it that has a holder, that something
/// waits; see [`nearest`]. `except` are those who may not decide on it.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn tell_nearest(
    conn: &mut Conn,
    (unit_id, permission): (Uuid, Permission),
    except: &[Uuid],
    kind: &str,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let path = units::last_path(conn, unit_id, day_of(now)).await?;
    let mut holders = holders(conn, &path, permission, day_of(now)).await?;
    holders.retain(|holder| !except.contains(&holder.account_id));
    outbox::tell(conn, kind, &nearest(&holders), &json!({"unit_id": unit_id}), now).await
}
