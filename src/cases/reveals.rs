//! Slips by officers who had looked at the member's full numbers, and so could use them.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;

use super::model::CaseKind;
use super::store::{self, Finding};

/// Slips of an officer that are looked at together.
const DAYS: i64 = 31;

#[derive(Deserialize)]
struct Slip {
    slip_id: Uuid,
    at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Officer {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct RevealRow {
    #[diesel(sql_type = Array<SqlUuid>)]
    people: Vec<Uuid>,
    #[diesel(sql_type = BigInt)]
    looks: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first_at: Option<DateTime<Utc>>,
}

/// Who issued the slip, or asked for it, and who released it.
const OFFICERS: &str = "SELECT s.issued_by AS id FROM activation_slips s WHERE s.id = $1
    UNION SELECT d.decided_by FROM activation_slips s JOIN decisions d ON d.id = s.decision_id
    WHERE s.id = $1 AND d.decided_by IS NOT NULL";

/// The members whose slips an officer issued or released, and at whose full numbers the officer had looked.
const LOOKED: &str = "WITH slips AS (
        SELECT s.account_id FROM activation_slips s WHERE s.issued_by = $1 AND s.issued_at > $2 AND s.issued_at <= $3
        UNION SELECT s.account_id FROM decisions d JOIN activation_slips s ON s.decision_id = d.id
        WHERE d.decided_by = $1 AND d.decided_at <= $3 AND s.issued_at > $2 AND s.issued_at <= $3)
    SELECT coalesce(array_agg(DISTINCT e.member_id), '{}') AS people, count(*) AS looks, min(e.at) AS first_at
    FROM slips JOIN audit_events e ON e.member_id = slips.account_id
    WHERE e.actor_id = $1 AND e.action = 'member.viewed' AND e.details ->> 'revealed' = 'true' AND e.at <= $3";

/// Looks at a slip that was issued, and again when it is redeemed; lets all other events pass. See [`super::consume`].
pub async fn consume(conn: &mut Conn, event: &outbox::OutboxEvent, now: DateTime<Utc>) -> Result<(), Problem> {
    if !matches!(event.topic.as_str(), "identity.slip_issued" | "identity.slip_redeemed") {
        return Ok(());
    }
    let slip: Slip = serde_json::from_value(event.payload.clone()).map_err(Problem::internal)?;
    let officers: Vec<Officer> = diesel::sql_query(OFFICERS).bind::<SqlUuid, _>(slip.slip_id).load(conn).await?;
    for officer in officers {
        look_at(conn, officer.id, slip.at, now).await?;
    }
    Ok(())
}

async fn look_at(conn: &mut Conn, officer: Uuid, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Problem> {
    let kind = CaseKind::SlipAfterReveal;
    let window = at - Duration::days(DAYS);
    // What was judged once is no evidence again.
    let since = store::last_decision(conn, kind, officer).await?.map_or(window, |judged| judged.max(window));
    let looked: RevealRow = diesel::sql_query(LOOKED)
        .bind::<SqlUuid, _>(officer)
        .bind::<Timestamptz, _>(since)
        .bind::<Timestamptz, _>(at)
        .get_result(conn)
        .await?;
    if looked.people.is_empty() {
        return Ok(());
    }
    let evidence = json!({
        "accounts": looked.people.len(), "looks": looked.looks, "first_at": looked.first_at, "last_at": at,
    });
    // It is about the officer; the members find look and slip in their access logs.
    let finding =
        Finding { kind, subject: officer, concerned: vec![officer], places: looked.people, unit_id: None, evidence };
    store::open_or_extend(conn, &finding, now).await
}
