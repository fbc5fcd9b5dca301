//! The signed-in person: identity, settings, password.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Int4, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::batching::loader::{self, BatchLoader, BatchQuery, LoadedRequest};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, members};
use crate::kernel::db::statement::Prepared;
use crate::kernel::extract::secret::SecretCall;
use crate::kernel::extract::{Anyone, BatchedRequest, Empty, Myself, WriteRequest};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::http::reply;
use crate::kernel::http::reply::{NoContent, Reply};
use crate::kernel::security::access::{Grant, Role};
use crate::kernel::security::audit;
use crate::kernel::security::auth::Principal;

use super::passwords;
use super::sessions::device_sessions::{self, Because};
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
    /// How many notifications of their own they have not read; those of new documents are not counted.
    unread_notifications: i64,
    /// Whether their name is shown on leaderboards outside their own cell.
    named_on_leaderboards: bool,
    /// Whether they stand on no list that their peers see.
    hidden_on_leaderboards: bool,
    /// Whether the cell keeps the handbook for them because they have no device.
    without_device: bool,
}

/// The stored data of a caller's own profile.
#[derive(QueryableByName)]
struct MeRow {
    #[diesel(sql_type = Int4)]
    place: i32,
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    cell: Option<String>,
    #[diesel(sql_type = BigInt)]
    unread_notifications: i64,
    #[diesel(sql_type = Bool)]
    named_on_leaderboards: bool,
    #[diesel(sql_type = Bool)]
    hidden_on_leaderboards: bool,
    #[diesel(sql_type = Bool)]
    without_device: bool,
}

const PEOPLE: &str = "SELECT k.place, a.display_name AS full_name, u.name AS cell,
        (SELECT count(*) FROM notifications n WHERE n.account_id = k.account_id AND n.read_at IS NULL) AS unread_notifications,
        coalesce(m.named_on_leaderboards, false) AS named_on_leaderboards,
        coalesce(m.hidden_on_leaderboards, false) AS hidden_on_leaderboards,
        coalesce(m.without_device, false) AS without_device
    FROM unnest($1::int4[], $2::uuid[], $3::uuid[]) AS k (place, account_id, cell_id)
    JOIN accounts a ON a.id = k.account_id
    LEFT JOIN members m ON m.id = k.account_id
    LEFT JOIN units u ON u.id = k.cell_id";

/// Loads the callers' own profiles, in the order given.
async fn load(mut conn: &Conn, callers: &[&Principal]) -> Result<Vec<Me>, Problem> {
    let cell = |caller: &&Principal| caller.home.as_slice().first().copied();
    let query = diesel::sql_query(PEOPLE)
        .bind::<Array<Int4>, _>((0..).take(callers.len()).collect::<Vec<i32>>())
        .bind::<Array<SqlUuid>, _>(callers.iter().map(|caller| caller.account_id).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(callers.iter().map(cell).collect::<Vec<_>>());
    let rows: Vec<MeRow> = Prepared(query).load(&mut conn).await?;
    let rows = loader::by_place(rows, callers.len(), |row| row.place);
    let me = |(caller, row): (&&Principal, Vec<MeRow>)| row.into_iter().next().map(|row| show(caller, row));
    callers.iter().zip(rows).map(|one| me(one).ok_or_else(|| Problem::internal("an account is missing"))).collect()
}

fn show(caller: &Principal, row: MeRow) -> Me {
    let role = |grant: &Grant| MyRole { role: grant.role, unit_id: grant.unit_id };
    Me {
        id: caller.account_id,
        kind: caller.kind.as_str(),
        full_name: row.full_name,
        cell: caller.home.as_slice().first().copied().zip(row.cell).map(|(id, name)| MyCell { id, name }),
        roles: caller.grants.iter().map(role).collect(),
        unread_notifications: row.unread_notifications,
        named_on_leaderboards: row.named_on_leaderboards,
        hidden_on_leaderboards: row.hidden_on_leaderboards,
        without_device: row.without_device,
    }
}

/// Batched reads of callers' own profiles.
pub struct Mirror;

impl BatchQuery for Mirror {
    type Input = ();
    type Output = Me;

    async fn answer(conn: &Conn, asked: &[LoadedRequest<'_, ()>]) -> Result<Vec<Me>, Problem> {
        let callers: Vec<&Principal> = asked.iter().map(|one| &one.caller).collect();
        load(conn, &callers).await
    }
}

/// Get oneself
///
/// Returns the signed-in person: name, cell, roles, settings.
#[utoipa::path(tag = "Me", security(("bearer" = []), ("oauth2" = ["profile:read"])))]
#[get("/me")]
pub async fn get_me(request: BatchedRequest<Empty>, desk: Data<BatchLoader<Mirror>>) -> Result<Reply<Me>, Problem> {
    let me = desk.ask(request.claims, (), request.now).await?;
    reply::json(&request.request, &me)
}

/// The settings of a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeIn {
    /// Show my name on leaderboards outside my own cell.
    #[schema(example = true)]
    named_on_leaderboards: bool,
    /// Show me to none of my peers, in my own cell neither: they see one number of all who are not shown. Left out, it stays.
    #[schema(nullable = false, example = false)]
    hidden_on_leaderboards: Option<bool>,
}

/// The columns of what a member chooses; what is not said stays.
#[derive(AsChangeset)]
#[diesel(table_name = members)]
struct Choices {
    named_on_leaderboards: bool,
    hidden_on_leaderboards: Option<bool>,
}

/// Change one's choices
///
/// Outside the own cell only members who chose so are shown on leaderboards; a member who chose to be hidden is shown nowhere.
#[utoipa::path(tag = "Me", request_body = MeIn, responses((status = 403, description = "The caller is not a member.")))]
#[patch("/me")]
pub async fn update_me(request: WriteRequest<MeIn, Myself>) -> Result<Reply<Me>, Problem> {
    request
        .commit(async |conn, scope| {
            let (member, body) = (scope.caller.account_id, &scope.body);
            let choices = Choices {
                named_on_leaderboards: body.named_on_leaderboards,
                hidden_on_leaderboards: body.hidden_on_leaderboards,
            };
            diesel::update(members::table.find(member)).set(&choices).execute(conn).await?;
            let event = audit::AuditEvent {
                member_id: Some(member),
                details: json!({"named_on_leaderboards": choices.named_on_leaderboards,
                "hidden_on_leaderboards": choices.hidden_on_leaderboards}),
                ..scope.audit("member.choices_changed", "member", member)
            };
            audit::record(conn, event, scope.now).await?;
            let mut changed = load(conn, &[&scope.caller]).await?;
            changed.pop().ok_or_else(Problem::not_found)
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
/// Signs all other devices out. Takes no `Idempotency-Key`, so that nothing derived from a password is stored.
#[utoipa::path(tag = "Me", request_body = PasswordIn, extensions(("x-secret-call" = json!(true))), responses(
    (status = 401, description = "There is no valid access token, or the present password is wrong (`invalid_credentials`)."),
    (status = 422, description = "The new password is too easy to guess."),
    (status = 429, description = "Too many requests, or too many wrong passwords (`sign_in_throttled`).")))]
#[post("/me/password")]
pub async fn change_password(request: SecretCall<PasswordIn, Anyone>) -> Result<NoContent, Problem> {
    let SecretCall { mut conn, scope } = request;
    let (state, account, now) = (&scope.state, scope.caller.account_id, scope.now);
    passwords::check(&scope.body.new_password).await?;
    let allowance = Allowance::of_confirmation(&state.crypto, account);
    throttle::require(&mut conn, &allowance, now).await?;
    let stored = password_hash(&mut conn, account).await?;
    // Hashing may queue, so the connection is released first.
    drop(conn);
    if !passwords::verify(state, &scope.body.current_password, stored.clone()).await? {
        return Err(Problem::new(Code::InvalidCredentials));
    }
    let hash = passwords::hash(state, &scope.body.new_password).await?;
    state
        .db
        .transaction(async |conn| {
            throttle::reset(conn, &allowance).await?;
            device_sessions::lock_account(conn, account).await?;
            if password_hash(conn, account).await? != stored {
                return Err(Problem::new(Code::InvalidCredentials));
            }
            passwords::store(conn, &[account], &hash, now).await?;
            let kept = Some(scope.caller.session_id);
            device_sessions::revoke_others(conn, account, kept, Because::PasswordChanged, now).await?;
            let event =
                audit::AuditEvent { member_id: Some(account), ..scope.audit("password.changed", "account", account) };
            audit::record(conn, event, now).await?;
            device_sessions::notify(conn, "password_changed", account, json!({}), now).await
        })
        .await?;
    Ok(NoContent::json(&()))
}

async fn password_hash(conn: &mut Conn, account_id: Uuid) -> Result<Option<String>, Problem> {
    let found: (Option<String>, Option<DateTime<Utc>>) =
        accounts::table.find(account_id).select((accounts::password_hash, accounts::disabled_at)).first(conn).await?;
    Ok(found.0.filter(|_| found.1.is_none()))
}
