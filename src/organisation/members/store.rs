//! Admission of members: account, member, membership and handles, many at a time.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{accounts, members, memberships, sign_in_handles};
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::crypto::{Crypto, CryptoError};
use crate::organisation::units;

use super::handles::{HandleKind, tell_of_shared_phones};

/// Rows per statement; each has up to 12 parameters of the 65,535 that PostgreSQL takes.
const CHUNK: usize = 2_000;

/// The origin of a membership. A member who was not transferred entered the system with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Imported,
    Admitted,
    Transferred,
    Reorganised,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Admitted => "admitted",
            Self::Transferred => "transferred",
            Self::Reorganised => "reorganised",
        }
    }
}

/// A person to be admitted. Numbers are digits only, checked before.
#[derive(Debug, Clone)]
pub struct NewMember {
    pub full_name: String,
    pub birth_date: NaiveDate,
    /// `male` or `female`.
    pub sex: &'static str,
    pub admitted_on: NaiveDate,
    /// None while probationary.
    pub official_on: Option<NaiveDate>,
    /// 12 digits.
    pub citizen_id: String,
    /// 12 digits.
    pub card_number: Option<String>,
    /// 10 digits.
    pub phone: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = members)]
struct MemberRow<'a> {
    id: Uuid,
    full_name: &'a str,
    birth_date: NaiveDate,
    sex: &'a str,
    admitted_on: NaiveDate,
    official_on: Option<NaiveDate>,
    citizen_id_sealed: Vec<u8>,
    card_number_sealed: Option<Vec<u8>>,
    phone_sealed: Option<Vec<u8>>,
    created_at: DateTime<Utc>,
}

/// Admits people into a cell from a day on. Returns their ids in the order given.
///
/// # Errors
/// 409 when the cell has been merged into another meanwhile, an internal error when a citizen ID or card number is in use: callers check that first, inside the same transaction.
pub async fn admit(
    conn: &mut Conn,
    crypto: &Crypto,
    people: &[NewMember],
    unit_id: Uuid,
    origin: Origin,
    valid_from: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Problem> {
    units::hold(conn, unit_id, day_of(now)).await?;
    let ids: Vec<Uuid> = people.iter().map(|_| new_id(now)).collect();
    for (ids, people) in ids.chunks(CHUNK).zip(people.chunks(CHUNK)) {
        insert_people(conn, crypto, ids, people, now).await?;
        let memberships: Vec<_> = ids
            .iter()
            .map(|id| {
                (
                    memberships::id.eq(new_id(now)),
                    memberships::member_id.eq(*id),
                    memberships::unit_id.eq(unit_id),
                    memberships::origin.eq(origin.as_str()),
                    memberships::valid_from.eq(valid_from),
                )
            })
            .collect();
        diesel::insert_into(memberships::table).values(memberships).execute(conn).await?;
    }
    Ok(ids)
}

/// Accounts, members and their sign-in handles.
async fn insert_people(
    conn: &mut Conn,
    crypto: &Crypto,
    ids: &[Uuid],
    people: &[NewMember],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let accounts: Vec<_> = ids
        .iter()
        .zip(people)
        .map(|(id, person)| {
            (
                accounts::id.eq(id),
                accounts::kind.eq("member"),
                accounts::display_name.eq(&person.full_name),
                accounts::created_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(accounts::table).values(accounts).execute(conn).await?;
    let rows: Vec<_> = ids
        .iter()
        .zip(people)
        .map(|(id, person)| row(crypto, *id, person, now))
        .collect::<Result<_, _>>()
        .map_err(Problem::internal)?;
    diesel::insert_into(members::table).values(rows).execute(conn).await?;
    let handles: Vec<_> = ids
        .iter()
        .zip(people)
        .flat_map(|(id, person)| {
            handles(crypto, person).map(|(kind, digest)| {
                (
                    sign_in_handles::account_id.eq(*id),
                    sign_in_handles::kind.eq(kind.as_str()),
                    sign_in_handles::digest.eq(digest),
                    sign_in_handles::since.eq(now),
                )
            })
        })
        .collect();
    diesel::insert_into(sign_in_handles::table).values(handles).execute(conn).await?;
    tell_of_shared_phones(conn, ids, now).await
}

/// A person's numbers as they are stored.
pub struct Sealed {
    pub citizen_id: Vec<u8>,
    pub card_number: Option<Vec<u8>>,
    pub phone: Option<Vec<u8>>,
}

/// Seals a person's numbers for the member with this id; they decrypt nowhere else.
///
/// # Errors
/// When the random source fails.
pub fn seal(crypto: &Crypto, id: Uuid, person: &NewMember) -> Result<Sealed, CryptoError> {
    let seal =
        |field: &str, value: &Option<String>| value.as_ref().map(|v| crypto.seal(id, field, v.as_bytes())).transpose();
    Ok(Sealed {
        citizen_id: crypto.seal(id, "citizen_id", person.citizen_id.as_bytes())?,
        card_number: seal("card_number", &person.card_number)?,
        phone: seal("phone", &person.phone)?,
    })
}

fn row<'a>(crypto: &Crypto, id: Uuid, person: &'a NewMember, now: DateTime<Utc>) -> Result<MemberRow<'a>, CryptoError> {
    let sealed = seal(crypto, id, person)?;
    Ok(MemberRow {
        id,
        full_name: &person.full_name,
        birth_date: person.birth_date,
        sex: person.sex,
        admitted_on: person.admitted_on,
        official_on: person.official_on,
        citizen_id_sealed: sealed.citizen_id,
        card_number_sealed: sealed.card_number,
        phone_sealed: sealed.phone,
        created_at: now,
    })
}

/// The keyed hashes that identify a person.
pub fn handles(crypto: &Crypto, person: &NewMember) -> impl Iterator<Item = (HandleKind, Vec<u8>)> {
    let named = [
        (HandleKind::CitizenId, Some(&person.citizen_id)),
        (HandleKind::CardNumber, person.card_number.as_ref()),
        (HandleKind::Phone, person.phone.as_ref()),
    ];
    named.into_iter().filter_map(|(kind, value)| value.map(|value| (kind, kind.digest(crypto, value))))
}
