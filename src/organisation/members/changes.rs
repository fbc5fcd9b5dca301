//! Changes of a member's record: keep the row, the sealed numbers and the handles in step.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::db::advisory;
use crate::kernel::db::schema::{accounts, members, sign_in_handles};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::crypto::Crypto;

use super::entry::MemberPatch;
use super::handles::{HandleKind, tell_of_shared_phones};
use super::profile::Profile;

/// Serialises the assignment of citizen IDs and card numbers until the transaction ends: what is free stays free. To be
/// taken before any member's row.
pub async fn lock_numbers(conn: &mut Conn) -> Result<(), Problem> {
    advisory::lock(conn, advisory::LockPurpose::MemberNumbers).await
}

/// Refuses a citizen ID or card number that another member has, without saying whose it is. Call [`lock_numbers`]
/// before.
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
        ("Số CCCD đã có trong hệ thống.", "The citizen ID is in the system already.")
    } else {
        ("Số thẻ đảng viên đã có trong hệ thống.", "The card number is in the system already.")
    };
    Err(Problem::with(Code::Conflict, vi, en))
}

/// The columns to change; none leaves a column as it is.
#[derive(Default, AsChangeset)]
#[diesel(table_name = members)]
struct Columns<'a> {
    full_name: Option<&'a str>,
    birth_date: Option<NaiveDate>,
    citizen_id_sealed: Option<Vec<u8>>,
    phone_sealed: Option<Option<Vec<u8>>>,
    card_number_sealed: Option<Option<Vec<u8>>>,
    official_on: Option<Option<NaiveDate>>,
    without_device: Option<bool>,
    version: Option<i32>,
}

/// Applies a checked patch to a member whose row is locked, after [`lock_numbers`] if it gives numbers. Returns the names of the fields that changed.
///
/// # Errors
/// 409 when the new citizen ID or card number belongs to another person.
pub async fn apply(
    conn: &mut Conn,
    crypto: &Crypto,
    before: &Profile,
    patch: &MemberPatch,
    now: DateTime<Utc>,
) -> Result<Vec<&'static str>, Problem> {
    let (id, mut columns, mut changed) = (before.id, Columns::default(), Vec::new());
    if let Some(name) = patch.full_name.as_ref().filter(|new| **new != before.full_name) {
        columns.full_name = Some(name);
        changed.push("full_name");
        diesel::update(accounts::table.find(id)).set(accounts::display_name.eq(name)).execute(conn).await?;
    }
    columns.birth_date = patch.birth_date.filter(|new| *new != before.birth_date);
    changed.extend(columns.birth_date.map(|_| "birth_date"));
    if let Some(number) = patch.citizen_id.as_ref().filter(|new| **new != before.citizen_id) {
        let kind = HandleKind::CitizenId;
        require_free(conn, crypto, kind, number, Some(id)).await?;
        columns.citizen_id_sealed = renumber(conn, crypto, id, (kind, Some(number)), now).await?;
        changed.push("citizen_id");
    }
    if let Some(phone) = patch.phone.as_ref().filter(|new| **new != before.phone) {
        let number = phone.as_deref();
        columns.phone_sealed = Some(renumber(conn, crypto, id, (HandleKind::Phone, number), now).await?);
        changed.push("phone");
    }
    let new_card = patch.card_number.as_ref();
    if let Some(card) = new_card.filter(|new| **new != before.card_number) {
        let (kind, number) = (HandleKind::CardNumber, card.as_deref());
        if let Some(number) = number {
            require_free(conn, crypto, kind, number, Some(id)).await?;
        }
        columns.card_number_sealed = Some(renumber(conn, crypto, id, (kind, number), now).await?);
        changed.push("card_number");
    }
    columns.official_on = patch.official_on.filter(|new| *new != before.official_on);
    changed.extend(columns.official_on.map(|_| "official_on"));
    let device = patch.without_device;
    columns.without_device = device.filter(|new| *new != before.without_device);
    changed.extend(columns.without_device.map(|_| "without_device"));
    if !changed.is_empty() {
        columns.version = Some(before.version + 1);
        diesel::update(members::table.find(id)).set(&columns).execute(conn).await?;
    }
    Ok(changed)
}

/// Replaces the handle of a kind and returns the number under seal.
async fn renumber(
    conn: &mut Conn,
    crypto: &Crypto,
    member_id: Uuid,
    (kind, number): (HandleKind, Option<&str>),
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, Problem> {
    diesel::delete(sign_in_handles::table.find((member_id, kind.as_str()))).execute(conn).await?;
    let Some(number) = number else {
        return Ok(None);
    };
    diesel::insert_into(sign_in_handles::table)
        .values((
            sign_in_handles::account_id.eq(member_id),
            sign_in_handles::kind.eq(kind.as_str()),
            sign_in_handles::digest.eq(kind.digest(crypto, number)),
            sign_in_handles::since.eq(now),
        ))
        .execute(conn)
        .await?;
    if kind == HandleKind::Phone {
        tell_of_shared_phones(conn, &[member_id], now).await?;
    }
    let sealed = crypto.seal(member_id, kind.as_str(), number.as_bytes());
    sealed.map(Some).map_err(Problem::internal)
}
