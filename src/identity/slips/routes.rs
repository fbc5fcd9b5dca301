//! Activation slips over HTTP: issuing, asking for a release, reading the code.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, post};
use chrono::{DateTime, Duration, Utc};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::{Conn, transaction};
use crate::kernel::extract::secret::SecretCall;
use crate::kernel::extract::{Authorize, Empty, Scope, path_id};
use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::{Accepted, Created, OneOf};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::needs::IssueSlips;
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;
use crate::organisation::OnMember;
use crate::organisation::decisions::{self, DecisionOut, Registry};

use super::release::{self, Released};
use super::store::{self, NewSlip};
use crate::identity::sessions::device_sessions;

/// A slip, shown once.
#[derive(Serialize, ToSchema)]
pub struct SlipOut {
    /// The slip.
    id: Uuid,
    /// The code to hand to the member in person; it is shown this once and never stored.
    #[schema(
        max_length = 14,
        pattern = "^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$",
        example = "7K3M-9QZT-04VX"
    )]
    code: String,
    /// Until when it can be redeemed.
    expires_at: DateTime<Utc>,
}

impl SlipOut {
    fn answer(released: Released) -> Created<Self> {
        let Released { id, code, expires_at } = released;
        let slip = Self { id, code, expires_at };
        Created::json(&slip).with((header::CACHE_CONTROL, "no-store"))
    }
}

/// The outcome of a request for a slip.
enum SlipOutcome {
    Issued(Released),
    Asked(Box<DecisionOut>),
}

/// Issue an activation slip
///
/// For a first sign-in or a lost password. Older slips of the member become void. No officer issues their own. For a
/// member who holds a role, or will, the answer is 202 with a decision: a second officer above the member's cell and roles
/// releases the slip and reads its code (`readSlipCode`); who asks never sees it. A slip that one person issues alone lets the
/// member decide nothing for 72 hours after it was redeemed (`decisions_rest`). Takes no `Idempotency-Key`: if the answer got
/// lost, issue another one.
#[utoipa::path(tag = "Members", params(("member_id" = Uuid, Path, description = "The member.")),
    request_body = Empty, extensions(("x-secret-call" = json!(true))), responses(
    (status = 403, description = "The caller may not issue this slip."),
    (status = 409, description = "A slip for this member waits for its release already.")))]
#[post("/members/{member_id}/activation-slips")]
pub async fn create_activation_slip(
    call: SecretCall<Empty, OnMember<IssueSlips>>,
    kinds: Data<Registry>,
) -> Result<OneOf<Created<SlipOut>, Accepted<DecisionOut>>, Problem> {
    let (scope, kinds, mut conn) = (&call.scope, **kinds, call.conn);
    store::require_other(&scope.caller, scope.on.member_id)?;
    let outcome = transaction(&mut conn, async |conn| {
        device_sessions::lock_account(conn, scope.on.member_id).await?;
        if store::offices(conn, scope.on.member_id, scope.now).await?.is_empty() {
            return issue(conn, scope).await.map(SlipOutcome::Issued);
        }
        let people = (scope.on.member_id, scope.on.unit_id);
        let request_id = Some(scope.context.request_id.as_str());
        let id = release::ask(conn, people, &scope.caller, request_id, scope.now).await?;
        let decision = decisions::answer(conn, id, kinds, scope.context.language, scope.now).await?;
        Ok(SlipOutcome::Asked(Box::new(decision)))
    });
    Ok(match outcome.await? {
        SlipOutcome::Issued(slip) => OneOf::First(SlipOut::answer(slip)),
        SlipOutcome::Asked(decision) => OneOf::Second(Accepted::json(&*decision)),
    })
}

/// Issues a slip by one officer alone.
async fn issue(conn: &mut Conn, scope: &Scope<Empty, OnMember<IssueSlips>>) -> Result<Released, Problem> {
    let (state, on, now) = (&scope.state, &scope.on, scope.now);
    let (id, code) = (new_id(now), store::new_code()?);
    let expires_at = now + Duration::days(i64::from(state.config.slip_days));
    let new = NewSlip {
        id,
        account_id: on.member_id,
        issued_by: scope.caller.account_id,
        decision_id: None,
        code: &code,
        expires_at,
    };
    store::issue(conn, &state.crypto, &new, now).await?;
    let event = audit::AuditEvent {
        unit_id: Some(on.unit_id),
        member_id: Some(on.member_id),
        ..scope.audit("slip.issued", "activation_slip", id)
    };
    audit::record(conn, event, now).await?;
    Ok(Released { id, code, expires_at })
}

/// The slip of the path's `slip_id`. Whether the caller released it is checked when its code is generated.
pub struct OnSlip {
    slip_id: Uuid,
}

impl Authorize for OnSlip {
    fn authorize<'a>(
        req: &'a HttpRequest,
        conn: &'a mut Conn,
        caller: &'a Principal,
        _: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Self, Problem>> {
        Box::pin(async move {
            let slip_id = path_id(req, "slip_id")?;
            release::require_released_by(conn, slip_id, caller).await?;
            Ok(Self { slip_id })
        })
    }
}

/// Read the code of a released slip
///
/// Returns the code, once, to the officer who confirmed the decision of kind `role_holder_slip`, whose `object_id`
/// names the slip. The code is to be handed to the member in person. Older slips of the member become void. Takes no
/// `Idempotency-Key`: if the answer was lost, ask for another slip.
#[utoipa::path(tag = "Members", params(("slip_id" = Uuid, Path, description = "The slip.")),
    request_body = Empty, extensions(("x-secret-call" = json!(true))), responses(
    (status = 403, description = "The caller may no longer release this slip."),
    (status = 409, description = "The code was read once already, or the officer who asked may no longer ask."),
    (status = 410, description = "The slip has expired.")))]
#[post("/activation-slips/{slip_id}/code")]
pub async fn read_slip_code(call: SecretCall<Empty, OnSlip>) -> Result<Created<SlipOut>, Problem> {
    let (scope, mut conn) = (&call.scope, call.conn);
    let released = transaction(&mut conn, async |conn| {
        let (crypto, days) = (&scope.state.crypto, scope.state.config.slip_days);
        let request = (days, Some(scope.context.request_id.as_str()));
        release::read_code(conn, crypto, scope.on.slip_id, Some(&scope.caller), request, scope.now).await
    });
    Ok(SlipOut::answer(released.await?))
}
