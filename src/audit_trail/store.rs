//! Queries over the audit log.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::organisation::units;

/// An event with the name and roles of its actor at that time.
#[derive(QueryableByName)]
pub struct AuditEntry {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub actor_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub actor_name: Option<String>,
    /// `role:name of the unit`, the name empty for the whole system.
    #[diesel(sql_type = Array<Text>)]
    pub actor_roles: Vec<String>,
    #[diesel(sql_type = Text)]
    pub action: String,
    #[diesel(sql_type = Text)]
    pub object_kind: String,
    #[diesel(sql_type = Text)]
    pub object_id: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub unit_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub member_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub request_id: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub client_id: Option<Uuid>,
    #[diesel(sql_type = Jsonb)]
    pub details: Value,
}

const ENTRIES: &str = "
    SELECT e.id, e.at, e.actor_id, a.display_name AS actor_name, e.action, e.object_kind, e.object_id,
        e.unit_id, e.member_id, e.request_id, e.client_id, e.details,
        ARRAY(SELECT g.role || ':' || coalesce(u.name, '') FROM grants g LEFT JOIN units u ON u.id = g.unit_id
            WHERE g.account_id = e.actor_id AND (g.revoked_at IS NULL OR g.revoked_at > e.at)
              AND g.valid_from <= (e.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
              AND (g.valid_to IS NULL OR g.valid_to > (e.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)
            ORDER BY g.id LIMIT 20) AS actor_roles
    FROM audit_events e LEFT JOIN accounts a ON a.id = e.actor_id
    WHERE ($1 IS NULL OR e.id < $1)";

/// Events about a person, newest first.
pub async fn of_member(
    conn: &mut Conn,
    member_id: Uuid,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<AuditEntry>, Problem> {
    let query = format!("{ENTRIES} AND e.member_id = $2 ORDER BY e.id DESC LIMIT $3");
    Ok(diesel::sql_query(query)
        .bind::<Nullable<SqlUuid>, _>(after)
        .bind::<SqlUuid, _>(member_id)
        .bind::<BigInt, _>(most)
        .load(conn)
        .await?)
}

/// Events of a unit, and of the units below it on the day of the event or when they ended, or of all units; newest
/// first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Option<Uuid>,
    action: Option<&str>,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<AuditEntry>, Problem> {
    let query = format!(
        "{ENTRIES} AND ($2 IS NULL OR e.action = $2)
         AND ($3 IS NULL OR EXISTS (
             SELECT 1 FROM unit_tree t WHERE t.ancestor_id = $3 AND t.descendant_id = e.unit_id AND {}))
         ORDER BY e.id DESC LIMIT $4",
        units::stands("(e.at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date")
    );
    Ok(diesel::sql_query(query)
        .bind::<Nullable<SqlUuid>, _>(after)
        .bind::<Nullable<Text>, _>(action)
        .bind::<Nullable<SqlUuid>, _>(unit_id)
        .bind::<BigInt, _>(most)
        .load(conn)
        .await?)
}
