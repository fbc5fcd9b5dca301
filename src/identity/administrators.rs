//! Accounts of system administrators, who run the system and need not be members.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, grants, sign_in_handles};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::ids::new_id;
use crate::kernel::security::access::Role;
use crate::kernel::security::audit;
use crate::kernel::security::crypto::{Crypto, random_bytes, to_text};
use crate::kernel::state::State;
use crate::kernel::text;
use crate::organisation::members::handles::{HandleKind, find};

use super::passwords;

/// Creates an administrator who can sign in at once. Returns the password: the one given, or a random one.
///
/// # Errors
/// 409 when the login is taken.
pub async fn create_administrator(
    state: &State,
    login: &str,
    name: &str,
    password: Option<&str>,
) -> Result<String, Problem> {
    let password = match password {
        Some(password) => password.to_owned(),
        None => to_text(&random_bytes::<15>().map_err(Problem::internal)?),
    };
    let hash = passwords::hash(state, &password).await?;
    let (login, name, now) = (text::login(login), text::one_line(name), state.clock.now());
    state
        .db
        .transaction(async |conn| {
            if !find(conn, &state.crypto, &login).await?.is_empty() {
                return Err(Problem::with(Code::Conflict, "Tên đăng nhập đã được dùng.", "The login is taken."));
            }
            let id = new_id(now);
            insert(conn, &state.crypto, id, &login, &name, &hash, now).await?;
            let event = audit::AuditEvent {
                client_id: None,
                actor_id: None,
                action: "account.administrator_created",
                object_kind: "account",
                object_id: id,
                unit_id: None,
                member_id: None,
                request_id: None,
                details: serde_json::json!({}),
            };
            audit::record(conn, event, now).await
        })
        .await?;
    Ok(password)
}

/// The account, its user name, and its role on the whole system.
async fn insert(
    conn: &mut Conn,
    crypto: &Crypto,
    id: Uuid,
    login: &str,
    name: &str,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(id),
            accounts::kind.eq("administrator"),
            accounts::display_name.eq(name),
            accounts::password_hash.eq(hash),
            accounts::password_set_at.eq(now),
            accounts::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    diesel::insert_into(sign_in_handles::table)
        .values((
            sign_in_handles::account_id.eq(id),
            sign_in_handles::kind.eq(HandleKind::Username.as_str()),
            sign_in_handles::digest.eq(HandleKind::Username.digest(crypto, login)),
            sign_in_handles::since.eq(now),
        ))
        .execute(conn)
        .await?;
    diesel::insert_into(grants::table)
        .values((
            grants::id.eq(new_id(now)),
            grants::account_id.eq(id),
            grants::role.eq(Role::SystemAdministrator.as_str()),
            grants::valid_from.eq(day_of(now)),
            grants::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
