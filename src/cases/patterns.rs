//! Patterns in sign-ins and slips that open cases.
//!
//! A shared office network is never a pattern: only the device's own token counts, and only when
//! many different accounts follow one another.

use chrono::{DateTime, Duration, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use diesel::prelude::*;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::organisation::lookups;

use super::model::CaseKind;
use super::store::{self, Finding};

/// Accounts of members on one device within the time below. A helper's phone has fewer.
const ACCOUNTS_ON_A_DEVICE: usize = 10;
const DEVICE_MINUTES: i64 = 60;
/// Slips of one officer redeemed within the time below.
const SLIPS_IN_A_ROW: usize = 10;
const SLIP_MINUTES: i64 = 30;

#[derive(Deserialize)]
struct SignInRow {
    device_id: Uuid,
    at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct RedeemedSlip {
    issued_by: Uuid,
    at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Repeated {
    document_id: Uuid,
    unit_id: Uuid,
    published_by: Uuid,
    same_ids: Vec<Uuid>,
}

#[derive(Deserialize)]
struct LookedUp {
    account_id: Uuid,
    unit_id: Uuid,
    numbers: i64,
    at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct SeenSignIn {
    #[diesel(sql_type = Array<SqlUuid>)]
    people: Vec<Uuid>,
    #[diesel(sql_type = BigInt)]
    times: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first_at: Option<DateTime<Utc>>,
}

/// See [`super::consume`].
pub async fn consume(conn: &mut Conn, event: &outbox::OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    let payload = || event.payload.clone();
    match event.topic.as_str() {
        "identity.session_opened" => {
            let seen: SignInRow = serde_json::from_value(payload()).map_err(Problem::internal)?;
            on_device(conn, seen.device_id, seen.at, now).await
        }
        "identity.slip_redeemed" => {
            let seen: RedeemedSlip = serde_json::from_value(payload()).map_err(Problem::internal)?;
            of_issuer(conn, seen.issued_by, seen.at, now).await
        }
        "documents.published_again" => {
            let seen: Repeated = serde_json::from_value(payload()).map_err(Problem::internal)?;
            repeated(conn, seen, now).await
        }
        lookups::TOO_MANY => {
            let seen: LookedUp = serde_json::from_value(payload()).map_err(Problem::internal)?;
            of_numbers(conn, &seen, now).await
        }
        _ => Ok(()),
    }
}

/// The officer is concerned; whether it was a mistake is for an inspector to judge.
async fn repeated(conn: &mut Conn, seen: Repeated, now: DateTime<Utc>) -> Result<(), Problem> {
    let finding = Finding {
        kind: CaseKind::RepeatedDocument,
        subject: seen.document_id,
        concerned: vec![seen.published_by],
        places: Vec::new(),
        unit_id: Some(seen.unit_id),
        evidence: json!({"document_id": seen.document_id, "same_ids": seen.same_ids}),
    };
    store::open(conn, &finding, now).await
}

/// The officer's own cell says where the case belongs.
async fn of_numbers(conn: &mut Conn, seen: &LookedUp, now: DateTime<Utc>) -> Result<(), Problem> {
    let evidence = json!({
        "numbers": seen.numbers, "unit_id": seen.unit_id, "first_at": seen.at, "last_at": seen.at,
    });
    let concerned = vec![seen.account_id];
    let finding = Finding {
        kind: CaseKind::NumbersLookedUp,
        subject: seen.account_id,
        places: concerned.clone(),
        concerned,
        unit_id: None,
        evidence,
    };
    store::open(conn, &finding, now).await
}

/// Evidence of a decided case does not count again.
async fn since(
    conn: &mut Conn,
    kind: CaseKind,
    subject: Uuid,
    at: DateTime<Utc>,
    minutes: i64,
) -> Result<DateTime<Utc>, Problem> {
    let window = at - Duration::minutes(minutes);
    let judged = store::last_decision(conn, kind, subject).await?;
    Ok(judged.map_or(window, |judged| judged.max(window)))
}

async fn on_device(conn: &mut Conn, device: Uuid, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Problem> {
    let since = since(conn, CaseKind::SharedDevice, device, at, DEVICE_MINUTES).await?;
    let seen: SeenSignIn = diesel::sql_query(
        "SELECT coalesce(array_agg(DISTINCT s.account_id), '{}') AS people, count(*) AS times, min(s.created_at) AS first_at
         FROM sessions s JOIN members m ON m.id = s.account_id
         WHERE s.device_id = $1 AND s.created_at > $2 AND s.created_at <= $3",
    )
    .bind::<SqlUuid, _>(device)
    .bind::<Timestamptz, _>(since)
    .bind::<Timestamptz, _>(at)
    .get_result(conn)
    .await?;
    if seen.people.len() < ACCOUNTS_ON_A_DEVICE {
        return Ok(());
    }
    let evidence = json!({
        "accounts": seen.people.len(), "sign_ins": seen.times, "first_at": seen.first_at, "last_at": at,
    });
    let places = seen.people.clone();
    let finding = Finding {
        kind: CaseKind::SharedDevice,
        subject: device,
        concerned: seen.people,
        places,
        unit_id: None,
        evidence,
    };
    store::open_or_extend(conn, &finding, now).await
}

async fn of_issuer(conn: &mut Conn, issuer: Uuid, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Problem> {
    let since = since(conn, CaseKind::SlipsInARow, issuer, at, SLIP_MINUTES).await?;
    let seen: SeenSignIn = diesel::sql_query(
        "SELECT coalesce(array_agg(DISTINCT account_id), '{}') AS people, count(*) AS times, min(redeemed_at) AS first_at
         FROM activation_slips WHERE issued_by = $1 AND redeemed_at > $2 AND redeemed_at <= $3",
    )
    .bind::<SqlUuid, _>(issuer)
    .bind::<Timestamptz, _>(since)
    .bind::<Timestamptz, _>(at)
    .get_result(conn)
    .await?;
    if seen.people.len() < SLIPS_IN_A_ROW {
        return Ok(());
    }
    let evidence = json!({
        "accounts": seen.people.len(), "slips": seen.times, "first_at": seen.first_at, "last_at": at,
    });
    // The case is about the officer; the owners of the slips were each notified already.
    let finding = Finding {
        kind: CaseKind::SlipsInARow,
        subject: issuer,
        concerned: vec![issuer],
        places: seen.people,
        unit_id: None,
        evidence,
    };
    store::open_or_extend(conn, &finding, now).await
}
