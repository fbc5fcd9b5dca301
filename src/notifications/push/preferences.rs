//! What a person wants to be told of on their phone.

use actix_web::{get, put};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::notification_preferences;
use crate::kernel::extract::{Anyone, ReadRequest, WriteRequest};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::audit;

/// What a person wants to be told of.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationPreferences {
    /// Kinds of notifications of which no phone is told; they stand in the list all the same. What says that the account may be in a
    /// stranger's hands (`new_device`, `password_changed`, `sessions_revoked`, `slip_redeemed`, `account_suspended`) is told always.
    #[schema(max_items = 60, example = json!(["points_reminder"]))]
    muted_kinds: Vec<KindName>,
    /// Whether no phone is told from 21:00 to 06:00 in Viet Nam; what comes then waits for the morning.
    #[schema(example = true)]
    quiet_hours: bool,
}

/// A kind of notification, as the list names it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(max_length = 60, pattern = "^[a-z_]+$", example = "points_reminder")]
pub struct KindName(String);

async fn of_account(conn: &mut Conn, account_id: Uuid) -> Result<NotificationPreferences, Problem> {
    let stored: Option<(Vec<String>, bool)> = notification_preferences::table
        .find(account_id)
        .select((notification_preferences::muted_kinds, notification_preferences::quiet_hours))
        .first(conn)
        .await
        .optional()?;
    let (muted, quiet_hours) = stored.unwrap_or((Vec::new(), true));
    Ok(NotificationPreferences { muted_kinds: muted.into_iter().map(KindName).collect(), quiet_hours })
}

async fn store(
    conn: &mut Conn,
    account_id: Uuid,
    wanted: &NotificationPreferences,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let mut muted: Vec<&str> = wanted.muted_kinds.iter().map(|kind| kind.0.as_str()).collect();
    muted.sort_unstable();
    muted.dedup();
    let values = (
        notification_preferences::muted_kinds.eq(muted),
        notification_preferences::quiet_hours.eq(wanted.quiet_hours),
        notification_preferences::changed_at.eq(now),
    );
    diesel::insert_into(notification_preferences::table)
        .values((notification_preferences::account_id.eq(account_id), values.clone()))
        .on_conflict(notification_preferences::account_id)
        .do_update()
        .set(values)
        .execute(conn)
        .await?;
    Ok(())
}

/// Show what one is told of
///
/// The caller's preferences; at first nothing is muted, and nights are quiet.
#[utoipa::path(tag = "Me")]
#[get("/me/notification-preferences")]
pub async fn get_notification_preferences(
    mut request: ReadRequest<Anyone>,
) -> Result<Reply<NotificationPreferences>, Problem> {
    let account_id = request.scope.caller.account_id;
    let preferences = of_account(&mut request.conn, account_id).await?;
    request.reply(&preferences)
}

/// Choose what one is told of
///
/// Replaces the caller's preferences. They concern phones; the list of notifications has everything.
#[utoipa::path(tag = "Me", request_body = NotificationPreferences)]
#[put("/me/notification-preferences")]
pub async fn set_notification_preferences(
    request: WriteRequest<NotificationPreferences, Anyone>,
) -> Result<Reply<NotificationPreferences>, Problem> {
    request
        .commit(async |conn, scope| {
            let account_id = scope.caller.account_id;
            store(conn, account_id, &scope.body, scope.now).await?;
            let event = audit::AuditEvent {
                details: json!({"muted": scope.body.muted_kinds.len(), "quiet_hours": scope.body.quiet_hours}),
                ..scope.audit("notification_preferences.changed", "account", account_id)
            };
            audit::record(conn, event, scope.now).await?;
            of_account(conn, account_id).await
        })
        .await
}
