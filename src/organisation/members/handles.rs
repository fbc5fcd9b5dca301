//! Sign-in handles: citizen ID, card number, phone, user name; stored as keyed hashes by kind.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::sign_in_handles;
use crate::kernel::http::problem::Problem;
use crate::kernel::outbox;
use crate::kernel::security::crypto::Crypto;
use crate::kernel::text;

/// The kind of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleKind {
    CitizenId,
    CardNumber,
    Phone,
    Username,
}

impl HandleKind {
    const ALL: [Self; 4] = [Self::CitizenId, Self::CardNumber, Self::Phone, Self::Username];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::CitizenId => "citizen_id",
            Self::CardNumber => "card_number",
            Self::Phone => "phone",
            Self::Username => "username",
        }
    }

    /// The keyed hash of a handle of this kind.
    pub fn digest(self, crypto: &Crypto, value: &str) -> Vec<u8> {
        crypto.digest(self.as_str(), value)
    }
}

/// The accounts a login may mean: a card number can equal another member's citizen ID, so there may be two.
/// A phone of several people means the one who has had it for longest, so that nobody loses a login by what is entered for
/// others; people who got it together, such as a couple in one roster, sign in with another number.
pub async fn find(conn: &mut Conn, crypto: &Crypto, login: &str) -> Result<Vec<Uuid>, Problem> {
    let login = text::login(login);
    let digests: Vec<Vec<u8>> = HandleKind::ALL.iter().map(|kind| kind.digest(crypto, &login)).collect();
    let rows: Vec<(Uuid, String, DateTime<Utc>)> = sign_in_handles::table
        .filter(sign_in_handles::digest.eq_any(digests))
        .order(sign_in_handles::since)
        .select((sign_in_handles::account_id, sign_in_handles::kind, sign_in_handles::since))
        .limit(10)
        .load(conn)
        .await?;
    let (phones, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(_, kind, _)| kind == HandleKind::Phone.as_str());
    let mut accounts: Vec<Uuid> = others.into_iter().map(|(id, ..)| id).collect();
    match phones.as_slice() {
        [(_, _, first), (_, _, second), ..] if first == second => {}
        [(id, ..), ..] => accounts.push(*id),
        [] => {}
    }
    accounts.sort_unstable();
    accounts.dedup();
    Ok(accounts)
}

/// Tells members who were given a phone that others have too, and those others: who had it first goes on signing in with it.
pub async fn tell_of_shared_phones(conn: &mut Conn, given: &[Uuid], now: DateTime<Utc>) -> Result<(), Problem> {
    let shared: Vec<Shared> = diesel::sql_query(
        "SELECT DISTINCT h.account_id, NOT EXISTS (SELECT 1 FROM sign_in_handles o WHERE o.kind = 'phone'
                AND o.digest = h.digest AND o.account_id <> h.account_id AND o.since <= h.since) AS keeps
         FROM sign_in_handles n
         JOIN sign_in_handles h ON h.digest = n.digest AND h.kind = 'phone'
         WHERE n.account_id = ANY($1) AND n.kind = 'phone'
           AND EXISTS (SELECT 1 FROM sign_in_handles o WHERE o.kind = 'phone' AND o.digest = n.digest
               AND o.account_id <> n.account_id)",
    )
    .bind::<Array<SqlUuid>, _>(given)
    .load(conn)
    .await?;
    for (keeps, kind) in [(true, "phone_kept"), (false, "phone_taken")] {
        let accounts: Vec<Uuid> = shared.iter().filter(|one| one.keeps == keeps).map(|one| one.account_id).collect();
        outbox::tell(conn, kind, &accounts, &json!({}), now).await?;
    }
    Ok(())
}

/// An account with a phone that others have too.
#[derive(QueryableByName)]
struct Shared {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    /// Whether it is the one that signs in with it.
    #[diesel(sql_type = Bool)]
    keeps: bool,
}
