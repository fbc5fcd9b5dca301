//! Signing in with a login and a password, within the limits on wrong guesses.

use std::net::IpAddr;
use std::time::Instant;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::accounts;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::security::crypto::Crypto;
use crate::kernel::state::State;
use crate::kernel::text;
use crate::organisation::members::handles::find;

use super::device_sessions::{self, Opening};
use super::known_devices;
use super::tokens::{Issue, SessionTokens, parse_device_token};
use crate::identity::passwords;
use crate::identity::throttle::{self, Allowance};

/// The input of a sign-in.
pub struct SignInAttempt<'a> {
    pub login: &'a str,
    pub password: &'a str,
    pub device_name: &'a str,
    pub device_token: Option<&'a str>,
    pub address: IpAddr,
    pub request_id: &'a str,
}

/// An account the login may mean.
struct SignInCandidate {
    account_id: Uuid,
    password_hash: Option<String>,
    known_device: bool,
}

/// The candidates that may be tried, and the tries that were taken for it.
#[derive(Default)]
struct Admitted {
    candidates: Vec<SignInCandidate>,
    taken: Vec<Allowance>,
}

/// Signs in.
///
/// # Errors
/// 401 for any wrong input, always with the same answer; 429 when too many tries failed.
pub async fn sign_in(state: &State, attempt: &SignInAttempt<'_>, now: DateTime<Utc>) -> Result<SessionTokens, Problem> {
    let device = attempt.device_token.and_then(|token| parse_device_token(&state.crypto, token));
    let proven = prove(state, attempt, device, now).await?;
    let opening = Opening {
        account_id: proven.account_id,
        device_id: device.unwrap_or_else(|| new_id(now)),
        device_name: attempt.device_name,
        request_id: attempt.request_id,
        days: state.config.session_days,
    };
    let of_device = |device| Allowance::of_device(&state.crypto, proven.account_id, device);
    let own = device.filter(|_| proven.known_device).map(of_device);
    let issue = state
        .db
        .transaction(async |conn| {
            proven.settle(conn).await?;
            if let Some(own) = &own {
                throttle::reset(conn, own).await?;
            }
            enter(conn, state, &opening, now).await
        })
        .await?;
    SessionTokens::issue(state, &issue, now)
}

/// A login whose password was right a moment ago. What it is for happens in the transaction of [`ProvenLogin::settle`].
pub struct ProvenLogin {
    pub account_id: Uuid,
    password_hash: Option<String>,
    known_device: bool,
    taken: Vec<Allowance>,
}

impl ProvenLogin {
    /// Locks the account, unless its password changed while it was being checked, and gives the counted tries back.
    ///
    /// # Errors
    /// 401 when the password changed or the account was suspended.
    pub async fn settle(&self, conn: &mut Conn) -> Result<(), Problem> {
        // Another person's number may equal this login: that was no guess at their account.
        give_back(conn, &self.taken).await?;
        device_sessions::lock_account(conn, self.account_id).await?;
        let (hash, disabled): (Option<String>, Option<DateTime<Utc>>) = accounts::table
            .find(self.account_id)
            .select((accounts::password_hash, accounts::disabled_at))
            .first(conn)
            .await?;
        if disabled.is_some() || hash != self.password_hash {
            return Err(Problem::new(Code::InvalidCredentials));
        }
        Ok(())
    }
}

/// Checks a login and its password within the limits on wrong guesses.
///
/// # Errors
/// 401 for any wrong input, always with the same answer; 429 when too many tries failed.
pub async fn prove(
    state: &State,
    attempt: &SignInAttempt<'_>,
    device: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<ProvenLogin, Problem> {
    let admitted = admit(state, attempt, device, now).await?;
    let judged = judge(state, attempt.password, admitted.candidates).await;
    if judged.is_err() {
        // The password was not checked, so this was no guess.
        give_back(&mut *state.db.conn().await?, &admitted.taken).await?;
    }
    let SignInCandidate { account_id, password_hash, known_device } =
        judged?.ok_or_else(|| Problem::new(Code::InvalidCredentials))?;
    Ok(ProvenLogin { account_id, password_hash, known_device, taken: admitted.taken })
}

/// Passwords that a failed sign-in seems to check: as many as a login may mean people.
const LOOKS: u32 = 2;

/// The candidate whose password it is. A failure takes as long whether the login is one person's, two people's or nobody's.
async fn judge(
    state: &State,
    password: &str,
    candidates: Vec<SignInCandidate>,
) -> Result<Option<SignInCandidate>, Problem> {
    let begun = Instant::now();
    let looks = u32::try_from(candidates.len()).unwrap_or(LOOKS).max(1);
    if candidates.is_empty() {
        passwords::verify(state, password, None).await?;
    }
    for candidate in candidates {
        if passwords::verify(state, password, candidate.password_hash.clone()).await? {
            return Ok(Some(candidate));
        }
    }
    // Waited for instead of computed: it costs nothing.
    tokio::time::sleep(begun.elapsed() / looks * LOOKS.saturating_sub(looks)).await;
    Ok(None)
}

async fn give_back(conn: &mut Conn, taken: &[Allowance]) -> Result<(), Problem> {
    for allowance in taken {
        throttle::give_back(conn, allowance).await?;
    }
    Ok(())
}

/// Opens the session of a locked account.
async fn enter(conn: &mut Conn, state: &State, opening: &Opening<'_>, now: DateTime<Utc>) -> Result<Issue, Problem> {
    let (account, device) = (opening.account_id, opening.device_id);
    if known_devices::remember_device(conn, &state.crypto, account, device, now).await? {
        let details = json!({"device_name": opening.device_name.trim()});
        device_sessions::notify(conn, "new_device", account, details, now).await?;
    }
    device_sessions::open(conn, opening, now).await
}

/// Finds whom the login may mean and takes the tries: of the device where an account knows it, otherwise of the login and
/// the address. Each is counted in a statement of its own, before anything is judged, and refused without a transaction.
async fn admit(
    state: &State,
    attempt: &SignInAttempt<'_>,
    device: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Admitted, Problem> {
    let (mut conn, crypto) = (state.db.conn().await?, &state.crypto);
    let (mut admitted, mut wait) = (Admitted::default(), 0);
    let mut strangers = Vec::new();
    for candidate in candidates(&mut conn, crypto, attempt.login, device).await? {
        match device.filter(|_| candidate.known_device) {
            None => strangers.push(candidate),
            Some(device) => {
                let allowance = Allowance::of_device(crypto, candidate.account_id, device);
                match throttle::take(&mut conn, &allowance, now).await? {
                    Some(seconds) => wait = wait.max(seconds),
                    None => {
                        admitted.candidates.push(candidate);
                        admitted.taken.push(allowance);
                    }
                }
            }
        }
    }
    if strangers.is_empty() && wait > 0 {
        return Err(throttle::refusal(wait));
    }
    let known = !admitted.candidates.is_empty();
    if known && strangers.is_empty() {
        return Ok(admitted);
    }
    match take_unknown(&mut conn, crypto, attempt, now).await {
        Ok(taken) => {
            admitted.candidates.extend(strangers);
            admitted.taken.extend(taken);
            Ok(admitted)
        }
        // What others have used up is no obstacle for a device that is known.
        Err(problem) if known && problem.code == Code::SignInThrottled => Ok(admitted),
        Err(problem) => Err(problem),
    }
}

/// Takes the tries of a device that is not known: of the login, and of the address.
async fn take_unknown(
    conn: &mut Conn,
    crypto: &Crypto,
    attempt: &SignInAttempt<'_>,
    now: DateTime<Utc>,
) -> Result<[Allowance; 2], Problem> {
    let login = Allowance::of_login(crypto, &text::login(attempt.login));
    let address = Allowance::of_address(crypto, attempt.address);
    throttle::require(conn, &login, now).await?;
    if let Some(seconds) = throttle::take(conn, &address, now).await? {
        throttle::give_back(conn, &login).await?;
        return Err(throttle::refusal(seconds));
    }
    Ok([login, address])
}

/// The accounts a login may mean.
async fn candidates(
    conn: &mut Conn,
    crypto: &Crypto,
    login: &str,
    device: Option<Uuid>,
) -> Result<Vec<SignInCandidate>, Problem> {
    let ids = find(conn, crypto, login).await?;
    let known = match device {
        Some(device) => known_devices::knowing(conn, crypto, &ids, device).await?,
        None => Vec::new(),
    };
    let rows: Vec<(Uuid, Option<String>, Option<DateTime<Utc>>)> = accounts::table
        .filter(accounts::id.eq_any(&ids))
        .select((accounts::id, accounts::password_hash, accounts::disabled_at))
        .load(conn)
        .await?;
    let candidate = |(account_id, hash, disabled): (Uuid, Option<String>, Option<DateTime<Utc>>)| SignInCandidate {
        account_id,
        password_hash: hash.filter(|_| disabled.is_none()),
        known_device: known.contains(&account_id),
    };
    Ok(rows.into_iter().map(candidate).collect())
}
