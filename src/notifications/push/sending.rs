//! The job that tells phones: one request each, however much there is to tell, tried again for about a day.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Bytea, Date, Int4, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::first_id;
use crate::kernel::outward::{OutwardError, backoff, work_off};
use crate::kernel::state::State;

use super::encryption::encrypt;
use super::keys::VapidKey;
use super::subscriptions::PushSubscriptionIn;
use super::timing::after_the_night;

/// A phone is left to the instance that claimed it for so long.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long a push service keeps what a phone has not fetched, seconds.
const KEPT: &str = "86400";
/// A push with this topic takes the place of the one before that the phone has not fetched.
const TOPIC: &str = "sotay";
/// All that is told: others see the screen, and must not learn what the person belongs to.
const TEXT: &str = "Bạn có thông báo mới";

#[derive(QueryableByName)]
struct DuePhone {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bytea)]
    sealed: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    requests: i64,
    #[diesel(sql_type = Bool)]
    urgent: bool,
    #[diesel(sql_type = Int4)]
    attempts: i32,
}

/// Tells all phones that are due. Returns how many requests were made.
///
/// # Errors
/// 503 when the database cannot be reached; what was claimed is told by the next one after a minute.
pub async fn send_due(state: &State) -> Result<usize, Problem> {
    let claim = async |most| claim(&mut *state.work.conn().await?, most, state.clock.now()).await;
    work_off(claim, |phone| turn(state, phone)).await
}

/// The turn of one phone. What fails is told, and tried again when the claim has ended.
async fn turn(state: &State, phone: DuePhone) -> usize {
    match tell(state, &phone).await {
        Ok(told) => usize::from(told),
        Err(problem) => {
            tracing::warn!(%problem, subscription = %phone.id, "a push will be tried again");
            0
        }
    }
}

/// Claims phones that are due, those that have waited longest first.
async fn claim(conn: &mut Conn, most: usize, now: DateTime<Utc>) -> Result<Vec<DuePhone>, Problem> {
    let query = "UPDATE push_subscriptions SET next_at = $1 WHERE id IN (
            SELECT id FROM push_subscriptions WHERE next_at <= $2 ORDER BY next_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING id, sealed, requests, urgent, attempts";
    let query = diesel::sql_query(query).bind::<Timestamptz, _>(now + LEASE).bind::<Timestamptz, _>(now);
    Ok(query.bind::<BigInt, _>(i64::try_from(most).unwrap_or(1)).load(conn).await?)
}

/// Tells a phone, unless its session has ended or everything was read meanwhile. Returns whether a request was made.
async fn tell(state: &State, phone: &DuePhone) -> Result<bool, Problem> {
    let now = state.clock.now();
    let (standing, key) = {
        let mut conn = state.work.conn().await?;
        let Some(standing) = standing(&mut conn, phone.id, now).await? else {
            forget(&mut conn, phone.id).await?;
            return Ok(false);
        };
        if !standing.unread {
            settle(&mut conn, phone, None, now).await?;
            return Ok(false);
        }
        (standing, VapidKey::load(&mut conn, &state.crypto, now).await?)
    };
    let subscription = PushSubscriptionIn::open(&state.crypto, phone.id, &phone.sealed)?;
    let (headers, body) = message(&key, &subscription, (phone.urgent, &state.public_url), now)?;
    let answer = state.outward.post(&subscription.endpoint, headers, body).await;
    let mut conn = state.work.conn().await?;
    record(&mut conn, phone, answer, standing.quiet_hours && !phone.urgent, state.clock.now()).await?;
    Ok(true)
}

#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = Bool)]
    unread: bool,
    #[diesel(sql_type = Bool)]
    quiet_hours: bool,
}

/// What is to be known of a phone before it is told; none when its session has ended.
async fn standing(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<Option<Standing>, Problem> {
    let query = "SELECT EXISTS (SELECT FROM notifications n WHERE n.account_id = p.account_id AND n.read_at IS NULL)
            OR EXISTS (SELECT FROM announcement_audiences x WHERE x.announcement_id >= $3
                AND x.key = ANY(audience_keys(p.account_id, home_of(p.account_id, $4), $4))
                AND NOT EXISTS (SELECT FROM announcement_reads a
                    WHERE a.account_id = p.account_id AND a.announcement_id = x.announcement_id)) AS unread,
            coalesce(r.quiet_hours, true) AS quiet_hours
        FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id
        LEFT JOIN notification_preferences r ON r.account_id = p.account_id
        WHERE p.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2";
    let query = diesel::sql_query(query).bind::<SqlUuid, _>(id).bind::<Timestamptz, _>(now);
    // An older one was told of before.
    let query = query.bind::<SqlUuid, _>(first_id(now - TimeDelta::days(2))).bind::<Date, _>(day_of(now));
    let found: Vec<Standing> = query.load(conn).await?;
    Ok(found.into_iter().next())
}

/// The request to the push service.
fn message(
    key: &VapidKey,
    subscription: &PushSubscriptionIn,
    (urgent, contact): (bool, &str),
    now: DateTime<Utc>,
) -> Result<(HeaderMap, Vec<u8>), Problem> {
    let text = serde_json::to_vec(&json!({"title": TEXT})).map_err(Problem::internal)?;
    let (phone, auth) = subscription.phone_keys();
    let body = encrypt(&text, &phone, &auth).map_err(Problem::internal)?;
    let url = reqwest::Url::parse(&subscription.endpoint).map_err(Problem::internal)?;
    let authorization = key.authorization(&url.origin().ascii_serialization(), contact, now)?;
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&authorization).map_err(Problem::internal)?);
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(HeaderName::from_static("ttl"), HeaderValue::from_static(KEPT));
    headers.insert(HeaderName::from_static("topic"), HeaderValue::from_static(TOPIC));
    let urgency = if urgent { "high" } else { "normal" };
    headers.insert(HeaderName::from_static("urgency"), HeaderValue::from_static(urgency));
    Ok((headers, body))
}

/// Records what came of it: told, gone for good, or to be tried again.
async fn record(
    conn: &mut Conn,
    phone: &DuePhone,
    answer: Result<u16, OutwardError>,
    quiet: bool,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    match answer {
        Ok(200..=299) => settle(conn, phone, None, now).await,
        Ok(404 | 410) => forget(conn, phone.id).await,
        _ => {
            let next = backoff::pause(phone.attempts + 1)?.map(|pause| now + pause);
            let next = next.map(|at| if quiet { after_the_night(at) } else { at });
            tracing::info!(subscription = %phone.id, ?answer, attempts = phone.attempts + 1, "a push did not get through");
            settle(conn, phone, next, now).await
        }
    }
}

/// Ends the turn of a phone: it is due again at a time, or when there is something new. What came meanwhile makes it due now.
async fn settle(
    conn: &mut Conn,
    phone: &DuePhone,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let query = "UPDATE push_subscriptions SET attempts = CASE WHEN $3 IS NULL THEN 0 ELSE attempts + 1 END,
            urgent = urgent AND (requests > $2 OR $3 IS NOT NULL),
            next_at = CASE WHEN requests > $2 THEN coalesce($3, CASE WHEN urgent THEN $4 ELSE $5 END) ELSE $3 END
        WHERE id = $1";
    diesel::sql_query(query)
        .bind::<SqlUuid, _>(phone.id)
        .bind::<BigInt, _>(phone.requests)
        .bind::<Nullable<Timestamptz>, _>(next)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(after_the_night(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// Drops a phone that the push service knows no more, or whose session has ended.
async fn forget(conn: &mut Conn, id: Uuid) -> Result<(), Problem> {
    let query = diesel::sql_query("DELETE FROM push_subscriptions WHERE id = $1");
    query.bind::<SqlUuid, _>(id).execute(conn).await?;
    Ok(())
}
