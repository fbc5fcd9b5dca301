//! The demo's app: registered and approved as any other, with a secret that the demo can tell again after a restart.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::oauth_clients;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::crypto::{Crypto, to_text};
use crate::kernel::security::scopes::AppScopes;

use super::model::{ClientKind, ClientState};
use super::secrets;
use super::store::{self, NewClient};

/// Where the demo's app waits for people to come back.
const REDIRECT_URI: &str = "http://127.0.0.1:8765/callback";

/// A client that is approved, with what it needs to begin.
pub struct DemoClient {
    pub client_id: Uuid,
    pub client_secret: String,
    pub redirect_uri: &'static str,
}

/// The confidential client of a unit with this name and every scope: registered by one officer and approved by another, unless it is
/// there already.
pub async fn demo_client(
    conn: &mut Conn,
    crypto: &Crypto,
    (unit_id, name): (Uuid, &str),
    (registered_by, approved_by): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<DemoClient, Problem> {
    let known = oauth_clients::table
        .filter(oauth_clients::unit_id.eq(unit_id))
        .filter(oauth_clients::name.eq(name))
        .select(oauth_clients::id)
        .first::<Uuid>(conn)
        .await
        .optional()?;
    let client_secret = to_text(&crypto.token_tag(&[b"demo_client", unit_id.as_bytes()]));
    let client_id = match known {
        Some(id) => id,
        None => {
            let redirect_uris = [REDIRECT_URI.to_owned()];
            let new = NewClient {
                unit_id,
                name,
                kind: ClientKind::Confidential,
                redirect_uris: &redirect_uris,
                scopes: AppScopes::all(),
                secret_digest: Some(secrets::digest(crypto, &client_secret)),
                registered_by,
            };
            let id = store::insert(conn, &new, now).await?;
            store::decide(conn, id, ClientState::Approved, approved_by, now).await?;
            id
        }
    };
    Ok(DemoClient { client_id, client_secret, redirect_uri: REDIRECT_URI })
}
