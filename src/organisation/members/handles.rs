//! Sign-in handles: citizen ID, card number, phone, user name, kept as keyed hashes with their kind.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::crypto::Crypto;
use crate::kernel::db::Conn;
use crate::kernel::problem::Problem;
use crate::kernel::schema::sign_in_handles;

/// What a handle is.
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

/// The accounts a login may mean: a card number can equal somebody else's citizen ID, so there may be two.
/// A phone that several people share means nobody.
pub async fn find(conn: &mut Conn, crypto: &Crypto, login: &str) -> Result<Vec<Uuid>, Problem> {
    let login = normalise(login);
    let digests: Vec<Vec<u8>> = HandleKind::ALL.iter().map(|kind| kind.digest(crypto, &login)).collect();
    let rows: Vec<(Uuid, String)> = sign_in_handles::table
        .filter(sign_in_handles::digest.eq_any(digests))
        .select((sign_in_handles::account_id, sign_in_handles::kind))
        .limit(10)
        .load(conn)
        .await?;
    let phones = rows.iter().filter(|(_, kind)| kind == HandleKind::Phone.as_str()).count();
    let mut accounts: Vec<Uuid> = rows
        .into_iter()
        .filter(|(_, kind)| kind != HandleKind::Phone.as_str() || phones == 1)
        .map(|(id, _)| id)
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    Ok(accounts)
}

/// Digits without spaces, dots and the country code; user names in lower case.
pub fn normalise(login: &str) -> String {
    let login = login.trim();
    let digits: String = login.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
    if let Some(rest) = digits.strip_prefix("+84") {
        return format!("0{rest}");
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits } else { login.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn people_write_numbers_in_many_ways() {
        assert_eq!(normalise(" 0909.594.334 "), "0909594334");
        assert_eq!(normalise("+84 909 594 334"), "0909594334");
        assert_eq!(normalise("Admin"), "admin");
    }
}
