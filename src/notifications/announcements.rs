//! Announcements: notifications for whole audiences. One costs as many rows as it has audiences, however many people they are; who
//! belongs to an audience is asked when the list is read.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::announcements;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::{first_id, new_id};
use crate::kernel::outbox;
use crate::kernel::security::auth::Principal;

use super::KEPT_DAYS;
use super::push;
use super::routes::NotificationRow;

/// Topics with this prefix become announcements; the rest names the kind.
pub const TOPIC: &str = "announce.";
/// Phones of audiences are told, some at a time.
pub const PHONES: &str = "pushes.audience";
/// The document of an announcement is recalled.
pub const RECALL: &str = "document.recalled";

/// Accounts whose phones are told at a time; what is left is an event of its own.
const PHONES_SLICE: i64 = 500;

#[derive(Deserialize)]
struct AnnouncementPayload {
    object_id: Uuid,
    keys: Vec<String>,
    details: Value,
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    key: String,
}

/// Announces something to audiences. What was announced before reaches those that are new.
///
/// # Errors
/// When the payload names no audiences, or the database fails.
pub async fn write(
    conn: &mut Conn,
    kind: &str,
    event: &outbox::OutboxEvent,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let payload = AnnouncementPayload::deserialize(&event.payload).map_err(Problem::internal)?;
    let written: IdRow = diesel::sql_query(
        "INSERT INTO announcements (id, kind, object_id, details, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (object_id, kind) DO UPDATE SET details = excluded.details RETURNING id",
    )
    .bind::<SqlUuid, _>(new_id(event.created_at))
    .bind::<Text, _>(kind)
    .bind::<SqlUuid, _>(payload.object_id)
    .bind::<Jsonb, _>(&payload.details)
    .bind::<Timestamptz, _>(event.created_at)
    .get_result(conn)
    .await?;
    let fresh: Vec<KeyRow> = diesel::sql_query(
        "INSERT INTO announcement_audiences (key, announcement_id) SELECT k, $2 FROM unnest($1) AS t(k)
         ON CONFLICT DO NOTHING RETURNING key",
    )
    .bind::<Array<Text>, _>(&payload.keys)
    .bind::<SqlUuid, _>(written.id)
    .load(conn)
    .await?;
    let keys: Vec<String> = fresh.into_iter().map(|row| row.key).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let next = AudiencePhones { kind: kind.to_owned(), keys, after: None };
    outbox::emit(conn, PHONES, json!(next), now).await
}

/// Takes back what was announced of an object.
///
/// # Errors
/// When the payload names no document, or the database fails.
pub async fn take_back(conn: &mut Conn, payload: &Value) -> Result<(), Problem> {
    let object: Uuid = Deserialize::deserialize(&payload["document_id"]).map_err(Problem::internal)?;
    diesel::delete(announcements::table.filter(announcements::object_id.eq(object))).execute(conn).await?;
    Ok(())
}

/// Whose phones are told, and how far that has come.
#[derive(Serialize, Deserialize)]
struct AudiencePhones {
    kind: String,
    keys: Vec<String>,
    after: Option<Uuid>,
}

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
}

/// Accounts with a phone that belong to one of the audiences. Only people below a unit that a key names, holders of roles there, and
/// named members come into question.
const WITH_PHONES: &str = "WITH below AS (
        SELECT DISTINCT t.descendant_id AS unit_id FROM unnest($1) AS k (key) JOIN unit_tree t
            ON k.key !~ '^m:' AND t.ancestor_id = split_part(k.key, ':', 2)::uuid
            AND t.valid_from <= $2 AND (t.valid_to IS NULL OR t.valid_to > $2)),
    fit AS (
        SELECT m.member_id AS id FROM below b JOIN memberships m ON m.unit_id = b.unit_id
            AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to > $2)
        UNION SELECT g.account_id FROM below b JOIN grants g ON g.unit_id = b.unit_id AND g.revoked_at IS NULL
        UNION SELECT split_part(k.key, ':', 2)::uuid FROM unnest($1) AS k (key) WHERE k.key ~ '^m:')
    SELECT DISTINCT s.account_id FROM push_subscriptions s JOIN fit ON fit.id = s.account_id
    WHERE ($3 IS NULL OR s.account_id > $3) AND audience_keys(s.account_id, home_of(s.account_id, $2), $2) && $1
    ORDER BY s.account_id LIMIT $4";

/// Has the next phones of the audiences told.
///
/// # Errors
/// When the payload names no audiences, or the database fails.
pub async fn tell_phones(conn: &mut Conn, payload: &Value, now: DateTime<Utc>) -> Result<(), Problem> {
    let told = AudiencePhones::deserialize(payload).map_err(Problem::internal)?;
    let accounts: Vec<AccountRow> = diesel::sql_query(WITH_PHONES)
        .bind::<Array<Text>, _>(&told.keys)
        .bind::<Date, _>(day_of(now))
        .bind::<Nullable<SqlUuid>, _>(told.after)
        .bind::<BigInt, _>(PHONES_SLICE)
        .load(conn)
        .await?;
    let accounts: Vec<Uuid> = accounts.into_iter().map(|row| row.account_id).collect();
    push::request(conn, &accounts, &told.kind, now).await?;
    match accounts.last() {
        Some(last) if i64::try_from(accounts.len()).is_ok_and(|found| found == PHONES_SLICE) => {
            let next = AudiencePhones { after: Some(*last), ..told };
            outbox::emit(conn, PHONES, json!(next), now).await
        }
        _ => Ok(()),
    }
}

/// An announcement that reaches a caller, as a notification. 404 when there is none.
///
/// # Errors
/// 404, or 503 when the database cannot be reached.
pub async fn reaching(
    conn: &mut Conn,
    id: Uuid,
    caller: &Principal,
    now: DateTime<Utc>,
) -> Result<NotificationRow, Problem> {
    let query = diesel::sql_query(
        "SELECT a.id, a.kind, a.details, a.created_at, r.read_at FROM announcements a
         LEFT JOIN announcement_reads r ON r.announcement_id = a.id AND r.account_id = $2
         WHERE a.id = $1 AND EXISTS (SELECT FROM announcement_audiences x
             WHERE x.announcement_id = a.id AND x.key = ANY(audience_keys($2, $3, $4)))",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(caller.account_id)
    .bind::<Array<SqlUuid>, _>(&caller.home)
    .bind::<Date, _>(day_of(now));
    Ok(query.get_result(conn).await?)
}

/// Notes that a person has read an announcement.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn mark_read(conn: &mut Conn, id: Uuid, account_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::sql_query(
        "INSERT INTO announcement_reads (account_id, announcement_id, read_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(account_id)
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Drops some old announcements. Returns how many.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query = "DELETE FROM announcements WHERE id = ANY(ARRAY(
        SELECT id FROM announcements WHERE id < $1 ORDER BY id LIMIT $2))";
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(first_id(now - TimeDelta::days(KEPT_DAYS)));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}
