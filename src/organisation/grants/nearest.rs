//! Who is told that something waits for a decision: those with the permission who are nearest to the unit.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Date, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::access::{Permission, Role};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::outbox;
use crate::kernel::problem::Problem;
use crate::organisation::units;

#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

const NEAREST: &str = "WITH holders AS (
        SELECT g.account_id, t.depth, EXISTS (SELECT 1 FROM sessions s WHERE s.account_id = g.account_id) AS has_signed_in
        FROM unnest($1::uuid[]) WITH ORDINALITY AS t (unit_id, depth) JOIN grants g ON g.unit_id = t.unit_id
        JOIN accounts a ON a.id = g.account_id AND a.disabled_at IS NULL
        WHERE g.role = ANY($3) AND g.account_id <> ALL($4) AND g.revoked_at IS NULL
          AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2))
    SELECT DISTINCT account_id FROM holders
    WHERE depth <= coalesce((SELECT min(depth) FROM holders WHERE has_signed_in), (SELECT max(depth) FROM holders))
    ORDER BY account_id";

/// Tells those who hold a permission on the unit, or on the nearest one above it where somebody does, that something waits.
/// Where none of them has ever signed in, those above are told too, up to the nearest unit where somebody has. `except` are
/// those who may not decide on it.
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
    let may = |role: &&Role| role.permissions().contains(&permission);
    let roles: Vec<&str> = Role::ALL.iter().filter(may).map(|role| role.as_str()).collect();
    let path = units::last_path(conn, unit_id, day_of(now)).await?;
    let holders: Vec<Holder> = sql_query(NEAREST)
        .bind::<Array<SqlUuid>, _>(path)
        .bind::<Date, _>(day_of(now))
        .bind::<Array<Text>, _>(roles)
        .bind::<Array<SqlUuid>, _>(except)
        .load(conn)
        .await?;
    let accounts: Vec<Uuid> = holders.into_iter().map(|holder| holder.account_id).collect();
    outbox::tell(conn, kind, &accounts, &json!({"unit_id": unit_id}), now).await
}
