//! Activation slips: a code read out by an officer and useless without the member's own data.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, activation_slips, grants, members, sign_in_handles};
use crate::kernel::db::sweep::Round;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::outbox;
use crate::kernel::security::access::Role;
use crate::kernel::security::auth::Principal;
use crate::kernel::security::crypto::{Crypto, random_bytes};
use crate::kernel::text;
use crate::organisation::members::handles::HandleKind;
use crate::organisation::units;

use crate::identity::sessions::device_sessions;

/// Crockford's base 32: no letter that sounds or looks like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols of a code, 5 bits each.
const SYMBOLS: u32 = 12;
/// Wrong personal data this often makes a slip void.
const MOST_FAILURES: i32 = 5;

/// A new code, in groups of four.
pub fn new_code() -> Result<String, Problem> {
    let bits = u64::from_be_bytes(random_bytes::<8>().map_err(Problem::internal)?);
    let mut code = String::new();
    for i in 0..SYMBOLS {
        if i > 0 && i % 4 == 0 {
            code.push('-');
        }
        let index = usize::try_from(bits >> (5 * i) & 31).unwrap_or(0);
        code.push(char::from(ALPHABET[index]));
    }
    Ok(code)
}

/// The canonical form of a code, however it was typed.
fn canonical(code: &str) -> String {
    code.chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

fn code_digest(crypto: &Crypto, code: &str) -> Vec<u8> {
    crypto.digest("slip", &canonical(code))
}

/// Refuses an officer's own slip.
///
/// # Errors
/// 403 when the caller is the member.
pub fn require_other(caller: &Principal, member_id: Uuid) -> Result<(), Problem> {
    if caller.account_id == member_id {
        return Err(Problem::with(
            Code::Forbidden,
            "Không ai tự cấp phiếu cho mình.",
            "An officer cannot issue a slip for themselves.",
        ));
    }
    Ok(())
}

/// The paths of the units where a member holds a role, now or in future. An empty path stands for the whole system.
pub async fn offices(conn: &mut Conn, member_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Vec<Uuid>>, Problem> {
    let today = day_of(now);
    let held: Vec<Option<Uuid>> = grants::table
        .filter(grants::account_id.eq(member_id))
        .filter(grants::revoked_at.is_null())
        .filter(grants::role.ne(Role::Member.as_str()))
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(today)))
        .select(grants::unit_id)
        .distinct()
        .load(conn)
        .await?;
    let mut paths = Vec::with_capacity(held.len());
    for unit in held {
        paths.push(match unit {
            Some(unit) => units::last_path(conn, unit, today).await?,
            None => Vec::new(),
        });
    }
    Ok(paths)
}

/// A slip to be issued.
pub struct NewSlip<'a> {
    pub id: Uuid,
    pub account_id: Uuid,
    /// The officer who issued it alone, or asked for it.
    pub issued_by: Uuid,
    /// The decision by which a second officer released it; none when it was issued by one person alone.
    pub decision_id: Option<Uuid>,
    pub code: &'a str,
    pub expires_at: DateTime<Utc>,
}

/// Issues a slip on a locked account; older slips become void. Emits an event and notifies the member.
pub async fn issue(conn: &mut Conn, crypto: &Crypto, new: &NewSlip<'_>, now: DateTime<Utc>) -> Result<(), Problem> {
    let account_id = new.account_id;
    diesel::update(activation_slips::table)
        .filter(activation_slips::account_id.eq(account_id))
        .filter(activation_slips::redeemed_at.is_null())
        .filter(activation_slips::voided_at.is_null())
        .set(activation_slips::voided_at.eq(now))
        .execute(conn)
        .await?;
    diesel::insert_into(activation_slips::table)
        .values((
            activation_slips::id.eq(new.id),
            activation_slips::account_id.eq(account_id),
            activation_slips::code_digest.eq(code_digest(crypto, new.code)),
            activation_slips::issued_by.eq(new.issued_by),
            activation_slips::issued_at.eq(now),
            activation_slips::expires_at.eq(new.expires_at),
            activation_slips::decision_id.eq(new.decision_id),
        ))
        .execute(conn)
        .await?;
    let issued = json!({"account_id": account_id, "issued_by": new.issued_by, "slip_id": new.id, "at": now});
    outbox::emit(conn, "identity.slip_issued", issued, now).await?;
    device_sessions::notify(conn, "slip_issued", account_id, json!({}), now).await
}

/// A slip whose code and personal data match.
#[derive(Debug, Clone, Copy)]
pub struct Proved {
    pub slip_id: Uuid,
    pub account_id: Uuid,
    pub issued_by: Uuid,
    /// None when it was issued by one person alone.
    pub decision_id: Option<Uuid>,
}

/// Finds a live slip by its code and compares the personal data. A role given since the slip was issued makes it void: its
/// issuer might not be allowed to issue it any more. One that a person issued alone opens no account that holds a role, whichever of
/// the two came first. None, counted against the slip, when they do not fit; the caller must commit that.
pub async fn prove(
    conn: &mut Conn,
    crypto: &Crypto,
    (code, citizen_id, birth_date): (&str, &str, NaiveDate),
    now: DateTime<Utc>,
) -> Result<Option<Proved>, Problem> {
    let slip: Option<(Uuid, Uuid, Uuid, Option<Uuid>, i32)> = activation_slips::table
        .filter(activation_slips::code_digest.eq(code_digest(crypto, code)))
        .filter(activation_slips::redeemed_at.is_null())
        .filter(activation_slips::voided_at.is_null())
        .filter(activation_slips::expires_at.gt(now))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            grants::table
                .filter(grants::account_id.eq(activation_slips::account_id))
                .filter(grants::revoked_at.is_null())
                .filter(grants::role.ne(Role::Member.as_str()))
                .filter(
                    grants::created_at.gt(activation_slips::issued_at).or(activation_slips::decision_id
                        .is_null()
                        .and(grants::valid_to.is_null().or(grants::valid_to.gt(day_of(now))))),
                ),
        )))
        .select((
            activation_slips::id,
            activation_slips::account_id,
            activation_slips::issued_by,
            activation_slips::decision_id,
            activation_slips::failures,
        ))
        .for_update()
        .first(conn)
        .await
        .optional()?;
    let Some((slip_id, account_id, issued_by, decision_id, failures)) = slip else {
        return Ok(None);
    };
    if personal_data_fit(conn, crypto, account_id, citizen_id, birth_date).await? {
        return Ok(Some(Proved { slip_id, account_id, issued_by, decision_id }));
    }
    let void = (failures + 1 >= MOST_FAILURES).then_some(now);
    diesel::update(activation_slips::table.find(slip_id))
        .set((activation_slips::failures.eq(failures + 1), activation_slips::voided_at.eq(void)))
        .execute(conn)
        .await?;
    Ok(None)
}

async fn personal_data_fit(
    conn: &mut Conn,
    crypto: &Crypto,
    account_id: Uuid,
    citizen_id: &str,
    birth_date: NaiveDate,
) -> Result<bool, Problem> {
    let kind = HandleKind::CitizenId;
    let fits: i64 = members::table
        .inner_join(accounts::table.on(accounts::id.eq(members::id)))
        .inner_join(sign_in_handles::table.on(sign_in_handles::account_id.eq(members::id)))
        .filter(members::id.eq(account_id))
        .filter(members::birth_date.eq(birth_date))
        .filter(accounts::disabled_at.is_null())
        .filter(sign_in_handles::kind.eq(kind.as_str()))
        .filter(sign_in_handles::digest.eq(kind.digest(crypto, &text::digits(&citizen_id.replace(['.', '-'], "")))))
        .count()
        .get_result(conn)
        .await?;
    Ok(fits == 1)
}

/// Redeems a slip on a locked account. Returns false when another request was faster.
pub async fn redeem(conn: &mut Conn, slip_id: Uuid, now: DateTime<Utc>) -> Result<bool, Problem> {
    let used = diesel::update(activation_slips::table.find(slip_id))
        .filter(activation_slips::redeemed_at.is_null())
        .filter(activation_slips::voided_at.is_null())
        .set(activation_slips::redeemed_at.eq(now))
        .execute(conn)
        .await?;
    Ok(used == 1)
}

/// How long slips are kept, days: as long as the log of who issued them.
const KEPT_DAYS: i64 = 366;

/// Old slips go, but for the one by which an account was activated last: who issued it bears on what two officers decide.
static OLD: Round = Round::new(
    "activation_slips",
    "gone AS (DELETE FROM activation_slips s USING looked WHERE s.id = looked.id AND s.expires_at < $4
        AND (s.redeemed_at IS NULL OR EXISTS (SELECT 1 FROM activation_slips n
            WHERE n.account_id = s.account_id AND n.id > s.id AND n.redeemed_at IS NOT NULL)))",
);

/// Drops some old slips. Returns whether there may be more.
pub async fn sweep(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool, Problem> {
    OLD.slice(conn, now - Duration::days(KEPT_DAYS)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = new_code().unwrap();
        assert_eq!(code.len(), 14);
        assert_eq!(canonical(&code.to_lowercase()), code.replace('-', ""));
        assert_eq!(canonical("ab o1-il0"), "AB01110");
        assert_ne!(code, new_code().unwrap());
    }
}
