//! Authorization codes: used once, within a minute, by the client and with the proof they were made for.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::identity::app_sessions::{self, AppOpening, AppSession};
use crate::identity::{Because, report_reuse};
use crate::kernel::db::Conn;
use crate::kernel::db::schema::oauth_codes;
use crate::kernel::db::sweep::SLICE;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::crypto::{Crypto, random_bytes, to_text};
use crate::kernel::security::scopes::AppScopes;

/// How long a code may be used, seconds.
const LIFETIME_SECONDS: i64 = 60;
/// How long a used code is known, so that a second use is noticed, hours.
const KNOWN_HOURS: i64 = 24;

/// What a person allowed.
pub struct Permit<'a> {
    pub client_id: Uuid,
    pub account_id: Uuid,
    pub redirect_uri: &'a str,
    pub challenge: &'a str,
    pub scopes: AppScopes,
}

/// How a client shows that a code is its own.
pub struct Presented<'a> {
    pub code: &'a str,
    pub client_id: Uuid,
    pub client_name: &'a str,
    pub redirect_uri: &'a str,
    pub verifier: &'a str,
    pub request_id: &'a str,
    /// Lifetime of the session without use, days.
    pub days: u32,
}

fn digest(crypto: &Crypto, code: &str) -> Vec<u8> {
    crypto.digest("oauth_code", code)
}

/// The challenge of a verifier (RFC 7636 §4.2).
pub fn challenge_of(verifier: &str) -> String {
    to_text(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()).as_ref())
}

/// Makes a code for what a person allowed.
pub async fn issue(
    conn: &mut Conn,
    crypto: &Crypto,
    permit: &Permit<'_>,
    now: DateTime<Utc>,
) -> Result<String, Problem> {
    let code = to_text(&random_bytes::<32>().map_err(Problem::internal)?);
    diesel::insert_into(oauth_codes::table)
        .values((
            oauth_codes::digest.eq(digest(crypto, &code)),
            oauth_codes::client_id.eq(permit.client_id),
            oauth_codes::account_id.eq(permit.account_id),
            oauth_codes::redirect_uri.eq(permit.redirect_uri),
            oauth_codes::challenge.eq(permit.challenge),
            oauth_codes::scopes.eq(permit.scopes.names()),
            oauth_codes::created_at.eq(now),
            oauth_codes::expires_at.eq(now + Duration::seconds(LIFETIME_SECONDS)),
        ))
        .execute(conn)
        .await?;
    Ok(code)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = oauth_codes)]
struct StoredCode {
    client_id: Uuid,
    account_id: Uuid,
    redirect_uri: String,
    challenge: String,
    scopes: Vec<String>,
    expires_at: DateTime<Utc>,
    session_id: Option<Uuid>,
}

/// Exchanges a code for a session. Returns none for a code that is not the client's, is over, or lacks its proof. A second use of a
/// code ends what the first one bought, and the caller must commit that.
pub async fn redeem(
    conn: &mut Conn,
    crypto: &Crypto,
    shown: &Presented<'_>,
    now: DateTime<Utc>,
) -> Result<Option<AppSession>, Problem> {
    let row = oauth_codes::table.find(digest(crypto, shown.code)).select(StoredCode::as_select());
    let found: Option<StoredCode> = row.for_update().first(conn).await.optional()?;
    let Some(code) = found.filter(|code| code.client_id == shown.client_id) else {
        return Ok(None);
    };
    if let Some(session_id) = code.session_id {
        let whose = app_sessions::end_one(conn, session_id, shown.client_id, Because::Reuse, now).await?;
        if let Some(account_id) = whose {
            report_reuse(conn, account_id, session_id, now).await?;
        }
        return Ok(None);
    }
    let proven = code.challenge == challenge_of(shown.verifier) && code.redirect_uri == shown.redirect_uri;
    if !proven || code.expires_at <= now {
        return Ok(None);
    }
    let opening = AppOpening {
        account_id: code.account_id,
        client_id: shown.client_id,
        name: shown.client_name,
        scopes: AppScopes::of_names(&code.scopes),
        request_id: shown.request_id,
        lifetime: Duration::days(i64::from(shown.days)),
    };
    let session_id = app_sessions::open(conn, &opening, now).await?;
    diesel::update(oauth_codes::table.find(digest(crypto, shown.code)))
        .set(oauth_codes::session_id.eq(session_id))
        .execute(conn)
        .await?;
    // None when the account was suspended meanwhile.
    app_sessions::find(conn, session_id, shown.client_id, now).await
}

/// Drops the codes that a client has not used yet, for one account or for all.
pub async fn forget(conn: &mut Conn, client_id: Uuid, account_id: Option<Uuid>) -> Result<(), Problem> {
    let unused = oauth_codes::client_id.eq(client_id).and(oauth_codes::session_id.is_null());
    let unused = diesel::delete(oauth_codes::table.filter(unused));
    match account_id {
        Some(account_id) => unused.filter(oauth_codes::account_id.eq(account_id)).execute(conn).await?,
        None => unused.execute(conn).await?,
    };
    Ok(())
}

/// Drops some codes that were over long ago. Returns how many.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<usize, Problem> {
    let query =
        "DELETE FROM oauth_codes WHERE ctid = ANY(ARRAY(SELECT ctid FROM oauth_codes WHERE expires_at < $1 LIMIT $2))";
    let query = diesel::sql_query(query).bind::<Timestamptz, _>(now - Duration::hours(KNOWN_HOURS));
    Ok(query.bind::<BigInt, _>(SLICE).execute(conn).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_specification() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge_of(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
