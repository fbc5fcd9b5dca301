//! Activation slips over HTTP: issuing one, and redeeming it.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::access::needs::IssueSlips;
use crate::kernel::audit;
use crate::kernel::call::secret::SecretCall;
use crate::kernel::call::{Empty, Guest};
use crate::kernel::clock::day_of;
use crate::kernel::crypto::Crypto;
use crate::kernel::db::{Conn, transaction};
use crate::kernel::ids::new_id;
use crate::kernel::outbox;
use crate::kernel::problem::{Code, Problem};
use crate::organisation::{OnMember, cell_of};

use super::passwords;
use super::sessions::{self, Because, Opening};
use super::slips::{self, Proved};
use super::throttle::{self, Allowance};
use super::tokens::{Issue, SessionTokens, parse_device_token};

/// A slip, shown once.
#[derive(Serialize, ToSchema)]
pub struct SlipOut {
    /// The slip.
    id: Uuid,
    /// The code to hand to the member in person; it is shown this once and kept nowhere.
    #[schema(
        max_length = 14,
        pattern = "^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$",
        example = "7K3M-9QZT-04VX"
    )]
    code: String,
    /// Until when it can be redeemed.
    expires_at: DateTime<Utc>,
}

/// Issue an activation slip
///
/// For a first sign-in or a lost password. Older slips of the member become void. Nobody issues one for themselves;
/// the slip of somebody who holds a role is issued from the unit above. Takes no `Idempotency-Key`: if the answer
/// got lost, issue another one.
#[utoipa::path(tag = "Members", params(("member_id" = Uuid, Path, description = "The member.")),
    request_body = Empty, extensions(("x-secret-call" = json!(true))), responses(
    (status = 201, description = "The slip.", body = SlipOut),
    (status = 403, description = "The caller may not issue this slip.")))]
#[post("/members/{member_id}/activation-slips")]
pub async fn create_activation_slip(call: SecretCall<Empty, OnMember<IssueSlips>>) -> Result<HttpResponse, Problem> {
    let (state, caller, on) = (&call.scope.state, &call.scope.caller, &call.scope.on);
    let (now, code) = (call.scope.now, slips::new_code()?);
    let mut conn = call.conn;
    let issued = transaction(&mut conn, async |conn| {
        slips::may_issue(conn, caller, on.member_id, &on.path, now).await?;
        sessions::lock_account(conn, on.member_id).await?;
        let people = (on.member_id, caller.account_id);
        let days = state.config.slip_days;
        let issued = slips::issue(conn, &state.crypto, people, &code, days, now).await?;
        let event = audit::Event {
            unit_id: Some(on.unit_id),
            member_id: Some(on.member_id),
            ..call.scope.audit("slip.issued", "activation_slip", issued.id)
        };
        audit::record(conn, event, now).await?;
        sessions::notify(conn, "slip_issued", on.member_id, json!({}), now).await?;
        Ok(issued)
    })
    .await?;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(SlipOut {
        id: issued.id,
        code,
        expires_at: issued.expires_at,
    }))
}

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
    /// `device_token` of an earlier sign-in on this device, by whomever.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    device_token: Option<String>,
}

/// Activate an account
///
/// Redeems an activation slip with the member's own data, sets the password and signs in on this device; all other
/// devices are signed out. Five tries with wrong data make a slip void. Every failure gets the same answer.
#[utoipa::path(tag = "Sessions", security(()), request_body = ActivationIn, responses(
    (status = 201, description = "The tokens of the new session.", body = SessionTokens),
    (status = 410, description = "The slip cannot be used."),
    (status = 422, description = "The password is too easy to guess."),
    (status = 429, description = "Too many requests, or too many failed tries (`sign_in_throttled`).")))]
#[post("/auth/activate")]
pub async fn activate(guest: Guest<ActivationIn>) -> Result<HttpResponse, Problem> {
    let (state, body, now) = (&guest.state, &guest.body, guest.now);
    passwords::check(&body.password)?;
    let invalid = || Problem::new(Code::SlipInvalid);
    let address = Allowance::of_address(&state.crypto, guest.context.address);
    let data = (body.code.as_str(), body.citizen_id.as_str(), body.birth_date);
    let proved = state
        .db
        .transaction(async |conn| {
            throttle::require(conn, &address, now).await?;
            slips::prove(conn, &state.crypto, data, now).await
        })
        .await?
        .ok_or_else(invalid)?;
    // Hashing is slow on purpose: only for whoever has shown a slip, and outside the transaction.
    let hash = passwords::hash(state, &body.password).await?;
    let device = body.device_token.as_deref().and_then(|token| parse_device_token(&state.crypto, token));
    let opening = Opening {
        account_id: proved.account_id,
        device_id: device.unwrap_or_else(|| new_id(now)),
        device_name: &body.device_name,
        request_id: &guest.context.request_id,
        days: state.config.session_days,
    };
    let issue = state
        .db
        .transaction(async |conn| {
            throttle::give_back(conn, &address).await?;
            sessions::lock_account(conn, proved.account_id).await?;
            if !slips::redeem(conn, proved.slip_id, now).await? {
                return Err(invalid());
            }
            passwords::store(conn, &[proved.account_id], &hash, now).await?;
            enter(conn, &opening, proved, now, &guest.state.crypto).await
        })
        .await?;
    Ok(SessionTokens::issue(state, &issue, now)?.answer(StatusCode::CREATED))
}

/// Whoever had the account before is out; the new device is in.
async fn enter(
    conn: &mut Conn,
    opening: &Opening<'_>,
    proved: Proved,
    now: DateTime<Utc>,
    crypto: &Crypto,
) -> Result<Issue, Problem> {
    let account = proved.account_id;
    sessions::revoke_others(conn, account, None, Because::SlipRedeemed, now).await?;
    sessions::forget_devices(conn, account).await?;
    sessions::remember_device(conn, crypto, account, opening.device_id, now).await?;
    let event = audit::Event {
        actor_id: Some(account),
        action: "slip.redeemed",
        object_kind: "activation_slip",
        object_id: proved.slip_id,
        unit_id: cell_of(conn, account, day_of(now)).await?,
        member_id: Some(account),
        request_id: Some(opening.request_id),
        details: json!({"issued_by": proved.issued_by}),
    };
    audit::record(conn, event, now).await?;
    let redeemed = json!({"account_id": account, "issued_by": proved.issued_by, "at": now});
    outbox::emit(conn, "identity.slip_redeemed", redeemed, now).await?;
    let details = json!({"device_name": opening.device_name.trim()});
    sessions::notify(conn, "slip_redeemed", account, details, now).await?;
    sessions::open(conn, opening, now).await
}
