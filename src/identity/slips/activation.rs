//! Redeeming an activation slip over HTTP.

use actix_web::post;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::extract::{AnonymousRequest, Proof};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply::Created;
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::cell_of;

use super::store::{self, Proved};
use crate::identity::passwords;
use crate::identity::sessions::device_sessions::{self, Because, Opening};
use crate::identity::sessions::known_devices;
use crate::identity::sessions::tokens::{Issue, SessionTokens, parse_device_token};
use crate::identity::throttle::{self, Allowance};

/// An activation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivationIn {
    /// The code of the slip; spaces, hyphens and case do not matter.
    #[schema(min_length = 12, max_length = 20, pattern = "^[0-9A-Za-z -]+$", example = "7K3M-9QZT-04VX")]
    code: String,
    /// The member's citizen ID, 12 digits.
    #[schema(min_length = 12, max_length = 20, pattern = "^[0-9 .-]+$", example = "001080000001")]
    citizen_id: String,
    /// The member's birth date.
    #[schema(example = "1980-05-19")]
    birth_date: NaiveDate,
    /// The new password, at least 8 characters.
    #[schema(min_length = 8, max_length = 200, format = "password", example = "mùa thu năm ấy")]
    password: String,
    /// What the person calls this device.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "Điện thoại của An")]
    device_name: String,
    /// `device_token` of an earlier sign-in on this device, by any account.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    device_token: Option<String>,
}

impl Proof for ActivationIn {}

/// Activate an account
///
/// Redeems an activation slip with the member's own data, sets the password and signs in on this device; all other
/// devices are signed out. Five tries with wrong data void a slip. Every failure gets the same answer.
#[utoipa::path(tag = "Sessions", security(()), request_body = ActivationIn,
    extensions(("x-body-bytes" = json!(8192)), ("x-budget" = json!("activation"))), responses(
    (status = 410, description = "The slip cannot be used (`slip_invalid`)."),
    (status = 422, description = "The password is too easy to guess."),
    (status = 429, description = "Too many requests, or too many failed tries (`sign_in_throttled`).")))]
#[post("/auth/activate")]
pub async fn activate(request: AnonymousRequest<ActivationIn>) -> Result<Created<SessionTokens>, Problem> {
    let (state, body, now) = (&request.state, &request.body, request.now);
    let invalid = || Problem::new(Code::SlipInvalid);
    let address = Allowance::of_activation(&state.crypto, request.context.address);
    let data = (body.code.as_str(), body.citizen_id.as_str(), body.birth_date);
    let proved = state
        .db
        .transaction(async |conn| {
            throttle::require(conn, &address, now).await?;
            store::prove(conn, &state.crypto, data, now).await
        })
        .await?
        .ok_or_else(invalid)?;
    // Hashing is slow on purpose: it runs only after a valid slip was shown, and outside the transaction.
    let hash = match passwords::hash(state, &body.password).await {
        Ok(hash) => hash,
        Err(problem) => {
            // The slip was right, so it was no failure.
            throttle::give_back(&mut *state.db.conn().await?, &address).await?;
            return Err(problem);
        }
    };
    let device = body.device_token.as_deref().and_then(|token| parse_device_token(&state.crypto, token));
    let opening = Opening {
        account_id: proved.account_id,
        device_id: device.unwrap_or_else(|| new_id(now)),
        device_name: &body.device_name,
        request_id: &request.context.request_id,
        days: state.config.session_days,
    };
    let issue = state
        .db
        .transaction(async |conn| {
            throttle::give_back(conn, &address).await?;
            device_sessions::lock_account(conn, proved.account_id).await?;
            if !store::redeem(conn, proved.slip_id, now).await? {
                return Err(invalid());
            }
            passwords::store(conn, &[proved.account_id], &hash, now).await?;
            enter(conn, &opening, proved, now, &request.state.crypto).await
        })
        .await?;
    Ok(SessionTokens::issue(state, &issue, now)?.answer())
}

/// Ends all earlier sessions of the account and opens one on the new device.
async fn enter(
    conn: &mut Conn,
    opening: &Opening<'_>,
    proved: Proved,
    now: DateTime<Utc>,
    crypto: &Crypto,
) -> Result<Issue, Problem> {
    let account = proved.account_id;
    device_sessions::revoke_others(conn, account, None, Because::SlipRedeemed, now).await?;
    known_devices::forget_devices(conn, account).await?;
    known_devices::remember_device(conn, crypto, account, opening.device_id, now).await?;
    let event = audit::AuditEvent {
        client_id: None,
        actor_id: Some(account),
        action: "slip.redeemed",
        object_kind: "activation_slip",
        object_id: proved.slip_id,
        unit_id: cell_of(conn, account, day_of(now)).await?,
        member_id: Some(account),
        request_id: Some(opening.request_id),
        details: json!({"issued_by": proved.issued_by, "released": proved.decision_id.is_some()}),
    };
    audit::record(conn, event, now).await?;
    let redeemed = json!({"account_id": account, "issued_by": proved.issued_by, "slip_id": proved.slip_id, "at": now});
    outbox::emit(conn, "identity.slip_redeemed", redeemed, now).await?;
    let details = json!({"device_name": opening.device_name.trim()});
    device_sessions::notify(conn, "slip_redeemed", account, details, now).await?;
    device_sessions::open(conn, opening, now).await
}
