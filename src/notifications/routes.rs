//! Notifications over HTTP.

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::batching::loader::{self, BatchLoader, BatchQuery, LoadedRequest};
use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::notifications;
use crate::kernel::db::statement::Prepared;
use crate::kernel::extract::{Anyone, BatchedRequest, Empty, Query, WriteRequest, path_id};
use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::{Language, Problem};
use crate::kernel::http::reply;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::audit;

use super::{announcements, texts};

/// A stored notification.
#[derive(Queryable, Selectable, QueryableByName)]
#[diesel(table_name = notifications)]
pub struct NotificationRow {
    id: Uuid,
    kind: String,
    details: Value,
    created_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
}

/// A notification of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationOut {
    /// The notification.
    id: Uuid,
    /// What happened: `slip_issued`, `slip_redeemed`, `password_changed`, `new_device`, `sessions_revoked`,
    /// `cell_changed`, `roles_ended`, `case_decided`, `points_reminder`, `points_adjusted`, `points_reversed`, `appeal_upheld`,
    /// `appeal_dismissed`, `document_published`, `document_version`, `document_reminder`; and to officers `webhook_paused`,
    /// `month_reopened`, `reorganisation_failed`, `decision_waiting`,
    /// `appeal_waiting`, `case_opened`, and in older lists `attestation_waiting`, `adjustment_waiting`.
    #[schema(max_length = 60, pattern = "^[a-z_]+$", example = "new_device")]
    kind: String,
    /// The event in words, in the language of the request.
    #[schema(max_length = 200, example = "Tài khoản của bạn vừa đăng nhập trên thiết bị mới")]
    title: String,
    /// The device it happened on, if any.
    #[schema(max_length = 100, example = "Điện thoại của An")]
    device_name: Option<String>,
    /// The unit it is about, if any.
    unit_id: Option<Uuid>,
    /// The document it is about, if any.
    document_id: Option<Uuid>,
    /// The reason that an officer gave, if any.
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// When it happened.
    created_at: DateTime<Utc>,
    /// When it was read; null while it is new.
    read_at: Option<DateTime<Utc>>,
}

fn show(row: NotificationRow, language: Language) -> NotificationOut {
    NotificationOut {
        id: row.id,
        title: language.pick(&texts::title(&row.kind)).to_owned(),
        kind: row.kind,
        device_name: row.details["device_name"].as_str().map(str::to_owned),
        unit_id: row.details["unit_id"].as_str().and_then(|id| id.parse().ok()),
        document_id: row.details["document_id"].as_str().and_then(|id| id.parse().ok()),
        reason: row.details["reason"].as_str().map(str::to_owned),
        created_at: row.created_at,
        read_at: row.read_at,
    }
}

/// A notification of one of the batched requests.
#[derive(QueryableByName)]
struct BatchedNotificationRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(embed)]
    row: NotificationRow,
}

/// Batched reads of callers' notifications.
pub struct InboxLoader;

/// The requested part of the list: before one notification, if it is named, and how many.
pub struct InboxQuery {
    before: Option<Uuid>,
    fetch: i64,
    day: NaiveDate,
}

/// A person's own notifications, and what was announced to one of their audiences. Arrays of arrays are not unnested, so units come
/// as text.
const LIST: &str = "SELECT k.place, n.id, n.kind, n.details, n.created_at, n.read_at FROM (
        SELECT place, account_id, before, most, audience_keys(account_id, string_to_array(home, ',')::uuid[], day) AS keys
        FROM unnest($1::int4[], $2::uuid[], $3::uuid[], $4::int8[], $5::text[], $6::date[])
            AS k (place, account_id, before, most, home, day) OFFSET 0) k
    CROSS JOIN LATERAL (
        (SELECT o.id, o.kind, o.details, o.created_at, o.read_at FROM notifications o
         WHERE o.account_id = k.account_id AND (k.before IS NULL OR o.id < k.before) ORDER BY o.id DESC LIMIT k.most)
        UNION ALL
        (SELECT a.id, a.kind, a.details, a.created_at, r.read_at FROM (
             SELECT DISTINCT x.announcement_id FROM unnest(k.keys) AS u (key) CROSS JOIN LATERAL (
                 SELECT x.announcement_id FROM announcement_audiences x
                 WHERE x.key = u.key AND (k.before IS NULL OR x.announcement_id < k.before)
                 ORDER BY x.announcement_id DESC LIMIT k.most) x) x
         JOIN announcements a ON a.id = x.announcement_id
         LEFT JOIN announcement_reads r ON r.announcement_id = a.id AND r.account_id = k.account_id)
        ORDER BY 1 DESC LIMIT k.most) n
    ORDER BY k.place, n.id DESC";

impl BatchQuery for InboxLoader {
    type Input = InboxQuery;
    type Output = Vec<NotificationRow>;

    async fn answer(
        mut conn: &Conn,
        asked: &[LoadedRequest<'_, InboxQuery>],
    ) -> Result<Vec<Vec<NotificationRow>>, Problem> {
        let home = |one: &LoadedRequest<'_, InboxQuery>| {
            let units: Vec<String> = one.caller.home.iter().map(Uuid::to_string).collect();
            units.join(",")
        };
        let query = diesel::sql_query(LIST)
            .bind::<Array<Int4>, _>((0..).take(asked.len()).collect::<Vec<i32>>())
            .bind::<Array<SqlUuid>, _>(asked.iter().map(|one| one.caller.account_id).collect::<Vec<_>>())
            .bind::<Array<Nullable<SqlUuid>>, _>(asked.iter().map(|one| one.wanted.before).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(asked.iter().map(|one| one.wanted.fetch).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(asked.iter().map(home).collect::<Vec<_>>())
            .bind::<Array<Date>, _>(asked.iter().map(|one| one.wanted.day).collect::<Vec<_>>());
        let rows: Vec<BatchedNotificationRow> = Prepared(query).load(&mut conn).await?;
        let lists = loader::by_place(rows, asked.len(), |placed| placed.place);
        Ok(lists.into_iter().map(|list| list.into_iter().map(|placed| placed.row).collect()).collect())
    }
}

/// A notification that is new or was read.
#[derive(QueryableByName)]
pub struct ChangedNotification {
    /// The transaction of the change.
    #[diesel(sql_type = BigInt)]
    pub xid: i64,
    #[diesel(embed)]
    row: NotificationRow,
}

impl ChangedNotification {
    /// The notification in a language.
    #[must_use]
    pub fn show(self, language: Language) -> NotificationOut {
        show(self.row, language)
    }

    /// Which one.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.row.id
    }
}

/// The notifications of an account that changed in this transaction or later, in the order of their last change. Without a beginning,
/// all of them.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn changed(
    conn: &mut Conn,
    account_id: Uuid,
    (since, after): (Option<i64>, Option<(i64, Uuid)>),
    fetch: i64,
) -> Result<Vec<ChangedNotification>, Problem> {
    let (xid, id) = after.unzip();
    let query = diesel::sql_query(
        "SELECT n.xid, n.id, n.kind, n.details, n.created_at, n.read_at FROM notifications n
         WHERE n.account_id = $1 AND n.xid >= coalesce($3, $2, 0) AND ($3 IS NULL OR (n.xid, n.id) > ($3, $4))
         ORDER BY n.xid, n.id LIMIT $5",
    )
    .bind::<SqlUuid, _>(account_id)
    .bind::<Nullable<BigInt>, _>(since)
    .bind::<Nullable<BigInt>, _>(xid)
    .bind::<Nullable<SqlUuid>, _>(id)
    .bind::<BigInt, _>(fetch);
    Ok(Prepared(query).load(conn).await?)
}

/// List one's notifications
///
/// Lists the caller's notifications, newest first. Work that waits in a unit for the caller's decision (`…_waiting`) is
/// notified once, until it is read or a day is over, however much waits there.
#[utoipa::path(tag = "Me", params(PageQuery))]
#[get("/me/notifications")]
pub async fn list_my_notifications(
    request: BatchedRequest<Empty>,
    page: Query<PageQuery>,
    desk: Data<BatchLoader<InboxLoader>>,
) -> Result<Reply<Page<NotificationOut>>, Problem> {
    let Query(page) = page;
    let wanted = InboxQuery { before: page.after()?, fetch: page.fetch(), day: day_of(request.now) };
    let rows = desk.ask(request.claims, wanted, request.now).await?;
    let language = request.context.language;
    reply::json(&request.request, &page.page(rows, |row| row.id, |row| show(row, language)))
}

/// Mark a notification as read
///
/// Sets the time of reading; repetitions do not change it.
#[utoipa::path(tag = "Me", params(("notification_id" = Uuid, Path, description = "The notification.")), request_body = Empty)]
#[post("/me/notifications/{notification_id}/read")]
pub async fn read_my_notification(
    request: WriteRequest<Empty, Anyone>,
    req: HttpRequest,
) -> Result<Reply<NotificationOut>, Problem> {
    let id = path_id(&req, "notification_id")?;
    request
        .commit(async |conn, scope| {
            let own = notifications::table
                .filter(notifications::id.eq(id))
                .filter(notifications::account_id.eq(scope.caller.account_id));
            let found = own.select(NotificationRow::as_select()).for_update().first(conn).await.optional()?;
            let is_own = found.is_some();
            let mut row = match found {
                Some(row) => row,
                None => announcements::reaching(conn, id, &scope.caller, scope.now).await?,
            };
            if row.read_at.is_none() {
                row.read_at = Some(scope.now);
                match is_own {
                    true => mark_read(conn, id, scope.now).await?,
                    false => announcements::mark_read(conn, id, scope.caller.account_id, scope.now).await?,
                }
                let event = scope.audit("notification.read", "notification", id);
                audit::record(conn, event, scope.now).await?;
            }
            Ok(show(row, scope.context.language))
        })
        .await
}

async fn mark_read(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let read = "UPDATE notifications SET read_at = $2, xid = pg_current_xact_id()::text::bigint WHERE id = $1";
    diesel::sql_query(read).bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now).execute(conn).await?;
    Ok(())
}
