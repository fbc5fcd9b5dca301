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

#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

const NEAREST: &str = "WITH holders AS (
        SELECT g.account_id, t.depth FROM unit_tree t JOIN grants g ON g.unit_id = t.ancestor_id
        JOIN accounts a ON a.id = g.account_id AND a.disabled_at IS NULL
        WHERE t.descendant_id = $1 AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)
          AND g.role = ANY($3) AND g.account_id <> ALL($4) AND g.revoked_at IS NULL
          AND g.valid_from <= $2 AND (g.valid_to IS NULL OR g.valid_to > $2))
    SELECT DISTINCT account_id FROM holders WHERE depth = (SELECT min(depth) FROM holders) ORDER BY account_id";

/// Tells those who hold a permission on the unit, or on the nearest one above it where somebody does, that something waits.
/// `except` are those who may not decide on it.
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
    let holders: Vec<Holder> = sql_query(NEAREST)
        .bind::<SqlUuid, _>(unit_id)
        .bind::<Date, _>(day_of(now))
        .bind::<Array<Text>, _>(roles)
        .bind::<Array<SqlUuid>, _>(except)
        .load(conn)
        .await?;
    let accounts: Vec<Uuid> = holders.into_iter().map(|holder| holder.account_id).collect();
    outbox::tell(conn, kind, &accounts, &json!({"unit_id": unit_id}), now).await
}
