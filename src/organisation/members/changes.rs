//! Changes of a member's record: the row, the sealed numbers and the handles stay in step.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::crypto::Crypto;
use crate::kernel::db::Conn;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::schema::{accounts, members, sign_in_handles};

use super::handles::HandleKind;
use super::profile::Profile;
use super::routes::MemberPatch;

/// Any number will do: it names the lock on the numbers of all members.
const NUMBERS_LOCK: i64 = 0x736f_7461_79;

/// Whoever gives out citizen IDs and card numbers does it alone until the transaction ends: what is free stays free.
pub async fn lock_numbers(conn: &mut Conn) -> Result<(), Problem> {
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<diesel::sql_types::BigInt, _>(NUMBERS_LOCK)
        .execute(conn)
        .await?;
    Ok(())
}

/// Refuses a citizen ID or card number that somebody else has, without telling who. Call [`lock_numbers`] before.
///
/// # Errors
/// 409 when it is taken.
pub async fn require_free(
    conn: &mut Conn,
    crypto: &Crypto,
    kind: HandleKind,
    number: &str,
    except: Option<Uuid>,
) -> Result<(), Problem> {
    let owner: Option<Uuid> = sign_in_handles::table
        .filter(sign_in_handles::kind.eq(kind.as_str()))
        .filter(sign_in_handles::digest.eq(kind.digest(crypto, number)))
        .select(sign_in_handles::account_id)
        .first(conn)
        .await
        .optional()?;
    if owner.is_none() || owner == except {
        return Ok(());
    }
    let (vi, en) = if kind == HandleKind::CitizenId {
        (
            "Số CCCD đã có trong hệ thống.",
            "The citizen ID is in the system already.",
        )
    } else {
        (
            "Số thẻ đảng viên đã có trong hệ thống.",
            "The card number is in the system already.",
        )
    };
    Err(Problem::with(Code::Conflict, vi, en))
}

/// Applies a checked patch to a member whose row is locked. Returns the names of the fields that changed.
///
/// # Errors
/// 409 when the new card number is somebody else's.
pub async fn apply(
    conn: &mut Conn,
    crypto: &Crypto,
    before: &Profile,
    patch: &MemberPatch,
) -> Result<Vec<&'static str>, Problem> {
    let mut changed = Vec::new();
    let row = members::table.find(before.id);
    if let Some(name) = patch
        .full_name
        .as_ref()
        .filter(|name| **name != before.full_name)
    {
        diesel::update(row)
            .set(members::full_name.eq(name))
            .execute(conn)
            .await?;
        diesel::update(accounts::table.find(before.id))
            .set(accounts::display_name.eq(name))
            .execute(conn)
            .await?;
        changed.push("full_name");
    }
    if let Some(phone) = patch.phone.as_ref().filter(|new| **new != before.phone) {
        let sealed = seal(crypto, before.id, "phone", phone.as_deref())?;
        diesel::update(row)
            .set(members::phone_sealed.eq(sealed))
            .execute(conn)
            .await?;
        replace_handle(conn, crypto, before.id, HandleKind::Phone, phone.as_deref()).await?;
        changed.push("phone");
    }
    if let Some(card) = patch
        .card_number
        .as_ref()
        .filter(|new| **new != before.card_number)
    {
        change_card(conn, crypto, before.id, card.as_deref()).await?;
        changed.push("card_number");
    }
    if let Some(official_on) = patch.official_on.filter(|new| *new != before.official_on) {
        diesel::update(row)
            .set(members::official_on.eq(official_on))
            .execute(conn)
            .await?;
        changed.push("official_on");
    }
    if let Some(without_device) = patch
        .without_device
        .filter(|new| *new != before.without_device)
    {
        diesel::update(row)
            .set(members::without_device.eq(without_device))
            .execute(conn)
            .await?;
        changed.push("without_device");
    }
    if !changed.is_empty() {
        diesel::update(row)
            .set(members::version.eq(members::version + 1))
            .execute(conn)
            .await?;
    }
    Ok(changed)
}

async fn change_card(
    conn: &mut Conn,
    crypto: &Crypto,
    member_id: Uuid,
    card: Option<&str>,
) -> Result<(), Problem> {
    if let Some(card) = card {
        lock_numbers(conn).await?;
        require_free(conn, crypto, HandleKind::CardNumber, card, Some(member_id)).await?;
    }
    let sealed = seal(crypto, member_id, "card_number", card)?;
    diesel::update(members::table.find(member_id))
        .set(members::card_number_sealed.eq(sealed))
        .execute(conn)
        .await?;
    replace_handle(conn, crypto, member_id, HandleKind::CardNumber, card).await
}

fn seal(
    crypto: &Crypto,
    member_id: Uuid,
    field: &str,
    value: Option<&str>,
) -> Result<Option<Vec<u8>>, Problem> {
    value
        .map(|value| crypto.seal(member_id, field, value.as_bytes()))
        .transpose()
        .map_err(Problem::internal)
}

async fn replace_handle(
    conn: &mut Conn,
    crypto: &Crypto,
    member_id: Uuid,
    kind: HandleKind,
    value: Option<&str>,
) -> Result<(), Problem> {
    diesel::delete(sign_in_handles::table.find((member_id, kind.as_str())))
        .execute(conn)
        .await?;
    if let Some(value) = value {
        diesel::insert_into(sign_in_handles::table)
            .values((
                sign_in_handles::account_id.eq(member_id),
                sign_in_handles::kind.eq(kind.as_str()),
                sign_in_handles::digest.eq(kind.digest(crypto, value)),
            ))
            .execute(conn)
            .await?;
    }
    Ok(())
}
