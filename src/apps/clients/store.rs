//! Rows of clients. Each has an account with the same id, which is disabled unless the client is approved.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, oauth_clients};
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::scopes::AppScopes;

use super::model::{ClientKind, ClientState};

/// A client as it is stored.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = oauth_clients)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub struct Client {
    pub id: Uuid,
    pub unit_id: Uuid,
    pub name: String,
    kind: String,
    pub redirect_uris: Vec<String>,
    scopes: Vec<String>,
    state: String,
    pub secret_digest: Option<Vec<u8>>,
    pub former_secret_digest: Option<Vec<u8>>,
    pub former_secret_until: Option<DateTime<Utc>>,
    pub registered_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub decided_at: Option<DateTime<Utc>>,
}

impl Client {
    pub fn kind(&self) -> ClientKind {
        ClientKind::parse(&self.kind)
    }

    pub fn state(&self) -> ClientState {
        ClientState::parse(&self.state)
    }

    pub fn scopes(&self) -> AppScopes {
        AppScopes::of_names(&self.scopes)
    }
}

/// A client to be.
pub struct NewClient<'a> {
    pub unit_id: Uuid,
    pub name: &'a str,
    pub kind: ClientKind,
    pub redirect_uris: &'a [String],
    pub scopes: AppScopes,
    pub secret_digest: Option<Vec<u8>>,
    pub registered_by: Uuid,
}

/// Registers a client, which can do nothing yet. Returns its id.
pub async fn insert(conn: &mut Conn, new: &NewClient<'_>, now: DateTime<Utc>) -> Result<Uuid, Problem> {
    let id = new_id(now);
    diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(id),
            accounts::kind.eq("client"),
            accounts::display_name.eq(new.name),
            accounts::disabled_at.eq(now),
            accounts::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    diesel::insert_into(oauth_clients::table)
        .values((
            oauth_clients::id.eq(id),
            oauth_clients::unit_id.eq(new.unit_id),
            oauth_clients::name.eq(new.name),
            oauth_clients::kind.eq(new.kind.as_str()),
            oauth_clients::redirect_uris.eq(new.redirect_uris),
            oauth_clients::scopes.eq(new.scopes.names()),
            oauth_clients::state.eq(ClientState::Pending.as_str()),
            oauth_clients::secret_digest.eq(new.secret_digest.as_deref()),
            oauth_clients::registered_by.eq(new.registered_by),
            oauth_clients::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

/// A client; 404 when there is none.
pub async fn get(conn: &mut Conn, id: Uuid) -> Result<Client, Problem> {
    Ok(oauth_clients::table.find(id).select(Client::as_select()).first(conn).await?)
}

/// The same, locked for a change.
pub async fn lock(conn: &mut Conn, id: Uuid) -> Result<Client, Problem> {
    Ok(oauth_clients::table.find(id).select(Client::as_select()).for_update().first(conn).await?)
}

/// Puts a client into a state, and its account with it.
pub async fn decide(
    conn: &mut Conn,
    id: Uuid,
    state: ClientState,
    by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::update(oauth_clients::table.find(id))
        .set((
            oauth_clients::state.eq(state.as_str()),
            oauth_clients::decided_by.eq(by),
            oauth_clients::decided_at.eq(now),
        ))
        .execute(conn)
        .await?;
    let disabled = (state != ClientState::Approved).then_some(now);
    diesel::update(accounts::table.find(id)).set(accounts::disabled_at.eq(disabled)).execute(conn).await?;
    Ok(())
}

const OF_UNIT: &str = "
    SELECT c.id, c.unit_id, c.name, c.kind, c.redirect_uris, c.scopes, c.state, c.secret_digest, c.former_secret_digest,
        c.former_secret_until, c.registered_by, c.created_at, c.decided_at
    FROM oauth_clients c
    WHERE ($1 IS NULL OR c.id < $1) AND EXISTS (SELECT 1 FROM unit_tree t
        WHERE t.ancestor_id = $2 AND t.descendant_id = c.unit_id AND t.valid_from <= $3 AND (t.valid_to IS NULL OR t.valid_to > $3))
    ORDER BY c.id DESC LIMIT $4";

/// Clients of a unit and of those below it, newest first.
pub async fn of_unit(
    conn: &mut Conn,
    unit_id: Uuid,
    day: NaiveDate,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<Client>, Problem> {
    Ok(diesel::sql_query(OF_UNIT)
        .bind::<Nullable<SqlUuid>, _>(after)
        .bind::<SqlUuid, _>(unit_id)
        .bind::<Date, _>(day)
        .bind::<BigInt, _>(most)
        .load(conn)
        .await?)
}
