//! Notifications: events on a person's account, in their language.

mod announcements;
mod push;
mod routes;
mod texts;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::notifications;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::{first_id, new_id};
use crate::kernel::outbox;

pub use announcements::sweep as sweep_announcements;
pub use push::send_due as send_pushes;
pub use routes::{ChangedNotification, InboxLoader, NotificationOut, changed};

/// Topics with this prefix become notifications; the rest names the kind.
const TOPIC: &str = "notify.";

/// Kinds with this suffix say that something waits. Until that is read, a repetition within a day tells nothing new,
/// and would let a user who proposes and withdraws repeatedly fill another user's list.
const WAITING: &str = "_waiting";

/// The same holds for what others enter for other members.
const PHONE_KEPT: &str = "phone_kept";

#[derive(Deserialize)]
struct NotificationPayload {
    account_id: Uuid,
    details: Value,
}

/// Makes a notification of an event that is one; ignores all others.
///
/// # Errors
/// When the payload names no account, or the database fails.
pub async fn consume(conn: &mut Conn, event: &outbox::OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    if let Some(kind) = event.topic.strip_prefix(announcements::TOPIC) {
        return announcements::write(conn, kind, event, now).await;
    }
    let kind = match event.topic.as_str() {
        announcements::PHONES => return announcements::tell_phones(conn, &event.payload, now).await,
        announcements::RECALL => return announcements::take_back(conn, &event.payload).await,
        topic => topic.strip_prefix(TOPIC),
    };
    let Some(kind) = kind else { return Ok(()) };
    let payload: NotificationPayload = serde_json::from_value(event.payload.clone()).map_err(Problem::internal)?;
    if (kind.ends_with(WAITING) || kind == PHONE_KEPT) && is_unread(conn, kind, &payload, now).await? {
        return Ok(());
    }
    diesel::insert_into(notifications::table)
        .values((
            notifications::id.eq(new_id(now)),
            notifications::account_id.eq(payload.account_id),
            notifications::kind.eq(kind),
            notifications::details.eq(payload.details),
            notifications::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    push::request(conn, &[payload.account_id], kind, now).await
}

async fn is_unread(
    conn: &mut Conn,
    kind: &str,
    payload: &NotificationPayload,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let the_same = notifications::table
        .filter(notifications::account_id.eq(payload.account_id))
        .filter(notifications::kind.eq(kind))
        .filter(notifications::details.eq(&payload.details))
        .filter(notifications::created_at.gt(now - TimeDelta::days(1)))
        .filter(notifications::read_at.is_null());
    Ok(diesel::select(exists(the_same)).get_result(conn).await?)
}

/// How long notifications are kept, days.
const KEPT_DAYS: i64 = 366;

/// Drops some old notifications. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM notifications WHERE id = ANY(ARRAY(
        SELECT id FROM notifications WHERE id < $1 ORDER BY id LIMIT $2))";
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(first_id(now - TimeDelta::days(KEPT_DAYS)));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}

/// The operations of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(routes::list_my_notifications)
        .service(routes::read_my_notification)
        .service(push::keys::get_push_key)
        .service(push::subscriptions::create_push_subscription)
        .service(push::subscriptions::list_push_subscriptions)
        .service(push::subscriptions::delete_push_subscription)
        .service(push::preferences::get_notification_preferences)
        .service(push::preferences::set_notification_preferences);
}
