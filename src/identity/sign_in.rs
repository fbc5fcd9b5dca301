//! Signing in with a login and a password, within the limits on wrong guesses.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::ids::new_id;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::schema::accounts;
use crate::kernel::state::State;
use crate::organisation::members::handles::{find, normalise};

use super::passwords;
use super::sessions::{self, Opening};
use super::throttle::{self, Allowance};
use super::tokens::{Issue, SessionTokens, parse_device_token};

/// What somebody who wants to sign in shows.
pub struct Attempt<'a> {
    pub login: &'a str,
    pub password: &'a str,
    pub device_name: &'a str,
    pub device_token: Option<&'a str>,
    pub address: IpAddr,
    pub request_id: &'a str,
}

/// An account the login may mean, with a try taken from its allowance.
struct Candidate {
    account_id: Option<Uuid>,
    password_hash: Option<String>,
    allowance: Allowance,
    known_device: bool,
}

/// Signs in.
///
/// # Errors
/// 401 for whatever does not fit, always the same; 429 when too many tries failed.
pub async fn sign_in(state: &State, attempt: &Attempt<'_>, now: DateTime<Utc>) -> Result<SessionTokens, Problem> {
    let device = attempt.device_token.and_then(|token| parse_device_token(&state.crypto, token));
    let address = Allowance::of_address(&state.crypto, attempt.address);
    let candidates = state
        .db
        .transaction(async |conn| {
            throttle::require(conn, &address, now).await?;
            admit(conn, state, attempt.login, device, now).await
        })
        .await?;
    let taken: Vec<Allowance> = candidates.iter().map(|candidate| candidate.allowance.clone()).collect();
    let judged = judge(state, attempt.password, candidates).await;
    if judged.is_err() {
        // Nobody looked at the password, so it was no guess.
        give_back(state, &address, &taken).await?;
    }
    let (proved, others) = judged?;
    let Some((candidate, account_id)) = proved.and_then(|c| c.account_id.map(|id| (c, id))) else {
        return Err(Problem::new(Code::InvalidCredentials));
    };
    let opening = Opening {
        account_id,
        device_id: device.unwrap_or_else(|| new_id(now)),
        device_name: attempt.device_name,
        request_id: attempt.request_id,
        days: state.config.session_days,
    };
    let issue = state
        .db
        .transaction(async |conn| {
            throttle::give_back(conn, &address).await?;
            if candidate.known_device {
                throttle::reset(conn, &candidate.allowance).await?;
            } else {
                throttle::give_back(conn, &candidate.allowance).await?;
            }
            // Somebody else's number may equal this login: that was no guess at their account.
            for other in &others {
                throttle::give_back(conn, other).await?;
            }
            enter(conn, state, &opening, &candidate, now).await
        })
        .await?;
    SessionTokens::issue(state, &issue, now)
}

/// The candidate whose password it is, if there is one, and the allowances of the others.
async fn judge(
    state: &State,
    password: &str,
    candidates: Vec<Candidate>,
) -> Result<(Option<Candidate>, Vec<Allowance>), Problem> {
    let (mut proved, mut others) = (None, Vec::new());
    for candidate in candidates {
        let hash = candidate.password_hash.clone();
        if proved.is_none() && passwords::verify(state, password, hash).await? {
            proved = Some(candidate);
        } else {
            others.push(candidate.allowance);
        }
    }
    Ok((proved, others))
}

async fn give_back(state: &State, address: &Allowance, taken: &[Allowance]) -> Result<(), Problem> {
    let all = async |conn: &mut Conn| {
        for allowance in std::iter::once(address).chain(taken) {
            throttle::give_back(conn, allowance).await?;
        }
        Ok(())
    };
    state.db.transaction(all).await
}

/// Opens the session, unless the password changed while it was being checked.
async fn enter(
    conn: &mut Conn,
    state: &State,
    opening: &Opening<'_>,
    candidate: &Candidate,
    now: DateTime<Utc>,
) -> Result<Issue, Problem> {
    sessions::lock_account(conn, opening.account_id).await?;
    let (hash, disabled): (Option<String>, Option<DateTime<Utc>>) = accounts::table
        .find(opening.account_id)
        .select((accounts::password_hash, accounts::disabled_at))
        .first(conn)
        .await?;
    if disabled.is_some() || hash != candidate.password_hash {
        return Err(Problem::new(Code::InvalidCredentials));
    }
    let (account, device) = (opening.account_id, opening.device_id);
    if sessions::remember_device(conn, &state.crypto, account, device, now).await? {
        let details = json!({"device_name": opening.device_name.trim()});
        sessions::notify(conn, "new_device", account, details, now).await?;
    }
    sessions::open(conn, opening, now).await
}

/// Takes a try from the allowance of every account the login may mean, and leaves out those that have none left.
async fn admit(
    conn: &mut Conn,
    state: &State,
    login: &str,
    device: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<Candidate>, Problem> {
    let ids = find(conn, &state.crypto, login).await?;
    let known = match device {
        Some(device) => sessions::knowing(conn, &state.crypto, &ids, device).await?,
        None => Vec::new(),
    };
    let rows: Vec<(Uuid, Option<String>, Option<DateTime<Utc>>)> = accounts::table
        .filter(accounts::id.eq_any(&ids))
        .select((accounts::id, accounts::password_hash, accounts::disabled_at))
        .load(conn)
        .await?;
    let mut candidates: Vec<Candidate> = rows
        .into_iter()
        .map(|(id, hash, disabled)| {
            let device = device.filter(|_| known.contains(&id));
            Candidate {
                account_id: Some(id),
                password_hash: hash.filter(|_| disabled.is_none()),
                allowance: match device {
                    Some(device) => Allowance::of_device(&state.crypto, id, device),
                    None => Allowance::of_account(&state.crypto, id),
                },
                known_device: device.is_some(),
            }
        })
        .collect();
    if candidates.is_empty() {
        candidates.push(Candidate {
            account_id: None,
            password_hash: None,
            allowance: Allowance::of_stranger(&state.crypto, &normalise(login)),
            known_device: false,
        });
    }
    take_tries(conn, candidates, now).await
}

/// Leaves out the candidates that have no try left; refuses when none is.
async fn take_tries(
    conn: &mut Conn,
    mut candidates: Vec<Candidate>,
    now: DateTime<Utc>,
) -> Result<Vec<Candidate>, Problem> {
    // In the order of keys, so that two sign-ins never wait for each other.
    candidates.sort_by(|a, b| a.allowance.cmp(&b.allowance));
    let (mut admitted, mut wait) = (Vec::new(), 0);
    for candidate in candidates {
        match throttle::take(conn, &candidate.allowance, now).await? {
            None => admitted.push(candidate),
            Some(seconds) => wait = wait.max(seconds),
        }
    }
    if admitted.is_empty() {
        return Err(throttle::refusal(wait));
    }
    Ok(admitted)
}
