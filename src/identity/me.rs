//! The signed-in person: who they are, what they choose, their password.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::access::{Grant, Role};
use crate::kernel::audit;
use crate::kernel::auth::{AccountKind, Principal};
use crate::kernel::call::secret::SecretCall;
use crate::kernel::call::{Anyone, Ask, Call, Myself};
use crate::kernel::db::Conn;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::schema::{accounts, members, notifications, units};

use super::passwords;
use super::sessions::{self, Because};
use super::throttle::{self, Allowance};

/// The caller's own cell.
#[derive(Serialize, ToSchema)]
pub struct MyCell {
    /// The cell.
    id: Uuid,
    /// Its name.
    #[schema(max_length = 200, example = "Chi bộ Tổ dân phố số 5")]
    name: String,
}

/// A role the caller holds today.
#[derive(Serialize, ToSchema)]
pub struct MyRole {
    /// The role.
    role: Role,
    /// The unit on which it is held and below which it reaches; null for everything.
    unit_id: Option<Uuid>,
}

/// The signed-in person.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The account; of members also the member's id.
    id: Uuid,
    /// `member`, or `administrator` for those who only run the system.
    #[schema(max_length = 20, pattern = "^(member|administrator)$", example = "member")]
    kind: &'static str,
    /// Their name.
    #[schema(max_length = 200, example = "Nguyễn Văn An")]
    full_name: String,
    /// Their cell today; null for administrators and for members who belong to none.
    cell: Option<MyCell>,
    /// The roles they hold today.
    #[schema(max_items = 200)]
    roles: Vec<MyRole>,
    /// How many notifications they have not read.
    unread_notifications: i64,
    /// Whether their name is shown on leaderboards outside their own cell.
    named_on_leaderboards: bool,
    /// Whether the cell keeps the handbook for them because they have no device.
    without_device: bool,
}

/// Asks for everything at once.
async fn load(conn: &Conn, caller: &Principal) -> Result<Me, Problem> {
    let (mut of_account, mut of_member, mut of_cell, mut of_notifications) = (conn, conn, conn, conn);
    let home = caller.home.as_slice().first().copied();
    let (full_name, choices, cell, unread_notifications) = tokio::join!(
        accounts::table.find(caller.account_id).select(accounts::display_name).first(&mut of_account),
        members::table
            .find(caller.account_id)
            .select((members::named_on_leaderboards, members::without_device))
            .first(&mut of_member),
        units::table.filter(units::id.nullable().eq(home)).select((units::id, units::name)).first(&mut of_cell),
        notifications::table
            .filter(notifications::account_id.eq(caller.account_id))
            .filter(notifications::read_at.is_null())
            .count()
            .get_result(&mut of_notifications),
    );
    let choices: Option<(bool, bool)> = choices.optional()?;
    let cell: Option<(Uuid, String)> = cell.optional()?;
    let cell = cell.map(|(id, name)| MyCell { id, name });
    let (named_on_leaderboards, without_device) = choices.unwrap_or_default();
    let role = |grant: &Grant| MyRole { role: grant.role, unit_id: grant.unit_id };
    Ok(Me {
        id: caller.account_id,
        kind: match caller.kind {
            AccountKind::Member => "member",
            AccountKind::Administrator => "administrator",
        },
        full_name: full_name?,
        cell,
        roles: caller.grants.iter().map(role).collect(),
        unread_notifications: unread_notifications?,
        named_on_leaderboards,
        without_device,
    })
}

/// Get oneself
///
/// Who is signed in: name, cell, roles, choices.
#[utoipa::path(tag = "Me", responses((status = 200, description = "The signed-in person.", body = Me)))]
#[get("/me")]
pub async fn get_me(ask: Ask<Anyone>) -> Result<HttpResponse, Problem> {
    let me = load(&ask.conn, &ask.scope.caller).await?;
    ask.reply(&me)
}

/// What a member chooses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeIn {
    /// Show my name on leaderboards outside my own cell.
    #[schema(example = true)]
    named_on_leaderboards: bool,
}

/// Change one's choices
///
/// Names appear outside the own cell only for members who chose so.
#[utoipa::path(tag = "Me", request_body = MeIn, responses((status = 200, description = "The signed-in person.", body = Me),
    (status = 403, description = "The caller is no member.")))]
#[patch("/me")]
pub async fn update_me(call: Call<MeIn, Myself>) -> Result<HttpResponse, Problem> {
    call.commit(StatusCode::OK, async |conn, scope| {
        let (member, named) = (scope.caller.account_id, scope.body.named_on_leaderboards);
        diesel::update(members::table.find(member)).set(members::named_on_leaderboards.eq(named)).execute(conn).await?;
        let event = audit::Event {
            member_id: Some(member),
            details: json!({"named_on_leaderboards": named}),
            ..scope.audit("member.choices_changed", "member", member)
        };
        audit::record(conn, event, scope.now).await?;
        load(conn, &scope.caller).await
    })
    .await
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordIn {
    /// The present password.
    #[schema(min_length = 1, max_length = 200, format = "password", example = "mùa thu năm ấy")]
    current_password: String,
    /// The new password, at least 8 characters.
    #[schema(min_length = 8, max_length = 200, format = "password", example = "mùa xuân năm nay")]
    new_password: String,
}

/// Change one's password
///
/// All other devices are signed out. Takes no `Idempotency-Key`, so that nothing of a password is kept.
#[utoipa::path(tag = "Me", request_body = PasswordIn, extensions(("x-secret-call" = json!(true))), responses(
    (status = 204, description = "The new password holds."),
    (status = 401, description = "There is no valid access token, or the present password is wrong (`invalid_credentials`)."),
    (status = 422, description = "The new password is too easy to guess."),
    (status = 429, description = "Too many requests, or too many wrong passwords (`sign_in_throttled`).")))]
#[post("/me/password")]
pub async fn change_password(call: SecretCall<PasswordIn, Anyone>) -> Result<HttpResponse, Problem> {
    let SecretCall { mut conn, scope } = call;
    let (state, account, now) = (&scope.state, scope.caller.account_id, scope.now);
    passwords::check(&scope.body.new_password)?;
    let allowance = Allowance::of_confirmation(&state.crypto, account);
    throttle::require(&mut conn, &allowance, now).await?;
    let stored = password_hash(&mut conn, account).await?;
    // Hashing waits for its turn; no connection waits with it.
    drop(conn);
    if !passwords::verify(state, &scope.body.current_password, stored.clone()).await? {
        return Err(Problem::new(Code::InvalidCredentials));
    }
    let hash = passwords::hash(state, &scope.body.new_password).await?;
    state
        .db
        .transaction(async |conn| {
            throttle::reset(conn, &allowance).await?;
            sessions::lock_account(conn, account).await?;
            if password_hash(conn, account).await? != stored {
                return Err(Problem::new(Code::InvalidCredentials));
            }
            passwords::store(conn, &[account], &hash, now).await?;
            let kept = Some(scope.caller.session_id);
            sessions::revoke_others(conn, account, kept, Because::PasswordChanged, now).await?;
            let event =
                audit::Event { member_id: Some(account), ..scope.audit("password.changed", "account", account) };
            audit::record(conn, event, now).await?;
            sessions::notify(conn, "password_changed", account, json!({}), now).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn password_hash(conn: &mut Conn, account_id: Uuid) -> Result<Option<String>, Problem> {
    let found: (Option<String>, Option<DateTime<Utc>>) =
        accounts::table.find(account_id).select((accounts::password_hash, accounts::disabled_at)).first(conn).await?;
    Ok(found.0.filter(|_| found.1.is_none()))
}
