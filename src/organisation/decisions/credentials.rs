//! Control of accounts: how an activation slip affects the right to decide.
//!
//! The password of an account was set with the slip that was redeemed last. A slip that one person
//! issued alone may give that person control of the account too. So it suspends decisions for 72
//! hours, and the two are never the two officers of one decision. A released slip, or an account
//! that was never activated by a slip, belongs to its owner only.

use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::VIET_NAM;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};

/// How long decisions are suspended after redeeming a slip that one person issued alone.
const REST_HOURS: i64 = 72;

#[derive(QueryableByName)]
struct RedemptionRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    redeemed_at: DateTime<Utc>,
}

const LONE: &str = "SELECT k.account_id, s.redeemed_at FROM unnest($1::uuid[]) AS k (account_id)
    CROSS JOIN LATERAL (SELECT redeemed_at, decision_id FROM activation_slips
        WHERE account_id = k.account_id AND redeemed_at <= $3 ORDER BY redeemed_at DESC, id DESC LIMIT 1) s
    WHERE s.decision_id IS NULL AND s.redeemed_at > $2";

/// The accounts whose decisions are suspended, and since when.
async fn resting(conn: &mut Conn, accounts: &[Uuid], now: DateTime<Utc>) -> Result<Vec<RedemptionRow>, Problem> {
    Ok(sql_query(LONE)
        .bind::<Array<SqlUuid>, _>(accounts)
        .bind::<Timestamptz, _>(now - Duration::hours(REST_HOURS))
        .bind::<Timestamptz, _>(now)
        .load(conn)
        .await?)
}

/// Refuses an account whose password was set within the last 72 hours with a slip that one person issued alone. For
/// every act that counts as deciding; admitting, importing, publishing and reading never check this.
///
/// # Errors
/// 403 while decisions are suspended.
pub async fn require_rested(conn: &mut Conn, account_id: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    let Some(redeemed) = resting(conn, &[account_id], now).await?.pop() else {
        return Ok(());
    };
    let until = (redeemed.redeemed_at + Duration::hours(REST_HOURS)).with_timezone(&VIET_NAM);
    Err(Problem::with(
        Code::DecisionsRest,
        format!("Đồng chí quyết định được từ {}.", until.format("%H:%M ngày %d/%m/%Y")),
        format!("You can decide again from {}.", until.to_rfc3339()),
    ))
}

#[derive(QueryableByName)]
struct Hand {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    holder_id: Uuid,
}

/// From each account at a moment back along lone slips: who issued the one that set its password, who issued that person's
/// then, and so on. No step goes forward in time and none is taken twice, so it ends.
const HANDS: &str = "WITH RECURSIVE hands AS (
        SELECT k AS account_id, k AS holder_id, at FROM unnest($1::uuid[], $2::timestamptz[]) AS t (k, at)
        UNION
        SELECT h.account_id, s.issued_by, s.issued_at FROM hands h
        CROSS JOIN LATERAL (SELECT issued_by, issued_at, decision_id FROM activation_slips
            WHERE account_id = h.holder_id AND redeemed_at <= h.at ORDER BY redeemed_at DESC, id DESC LIMIT 1) s
        WHERE s.decision_id IS NULL)
    SELECT DISTINCT account_id, holder_id FROM hands";

async fn hands(conn: &mut Conn, accounts: &[(Uuid, DateTime<Utc>)]) -> Result<Vec<Hand>, Problem> {
    let (accounts, moments): (Vec<Uuid>, Vec<DateTime<Utc>>) = accounts.iter().copied().unzip();
    Ok(sql_query(HANDS).bind::<Array<SqlUuid>, _>(accounts).bind::<Array<Timestamptz>, _>(moments).load(conn).await?)
}

/// Of the candidates, those who may be controlled by the same person as the proposer, now or when it was proposed.
async fn in_the_same_hands(
    conn: &mut Conn,
    (proposer, proposed_at): (Uuid, DateTime<Utc>),
    candidates: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Problem> {
    let mut accounts: Vec<_> = candidates.iter().map(|candidate| (*candidate, now)).collect();
    accounts.extend([(proposer, proposed_at), (proposer, now)]);
    let hands = hands(conn, &accounts).await?;
    let own: HashSet<Uuid> =
        hands.iter().filter(|hand| hand.account_id == proposer).map(|hand| hand.holder_id).collect();
    let shared: HashSet<Uuid> =
        hands.iter().filter(|hand| own.contains(&hand.holder_id)).map(|hand| hand.account_id).collect();
    Ok(candidates.iter().copied().filter(|candidate| shared.contains(candidate)).collect())
}

/// Refuses a second officer who may be controlled by the same person as the first.
///
/// # Errors
/// 403 when one person alone issued the slips of both, or one of them the other's.
pub async fn require_apart(
    conn: &mut Conn,
    proposed: (Uuid, DateTime<Utc>),
    decider: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if in_the_same_hands(conn, proposed, &[decider], now).await?.is_empty() {
        return Ok(());
    }
    Err(Problem::with(
        Code::SecondOfficerRequired,
        "Phiếu kích hoạt của hai cán bộ do một người tự cấp; cần một cán bộ khác quyết định.",
        "One person alone issued the activation slips of the two officers; another officer must decide.",
    ))
}

/// Of the candidates, those who cannot be the second officer for this proposer now.
pub async fn unfit(
    conn: &mut Conn,
    proposer: Uuid,
    candidates: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Problem> {
    let mut unfit = in_the_same_hands(conn, (proposer, now), candidates, now).await?;
    unfit.extend(resting(conn, candidates, now).await?.into_iter().map(|redeemed| redeemed.account_id));
    Ok(unfit)
}
