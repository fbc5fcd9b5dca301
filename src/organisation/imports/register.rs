//! The register's data on the people of a sheet: a few queries, however many rows there are.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::grants;
use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::{Permission, Role};
use crate::kernel::security::auth::Principal;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::grants::{open_secretary, roles_waiting};
use crate::organisation::members::handles::HandleKind;
use crate::organisation::roster::{Roster, RosterRow};
use crate::organisation::units;

use super::Importer;

/// A row with the keyed hashes of its numbers.
pub struct RegisterLine<'a> {
    pub row: &'a RosterRow,
    pub citizen_id: Vec<u8>,
    pub card_number: Option<Vec<u8>>,
    pub phone: Option<Vec<u8>>,
}

/// The rows of a roster, ready to be compared.
pub struct RegisterSheet<'a> {
    pub roster: &'a Roster,
    pub lines: Vec<RegisterLine<'a>>,
}

impl<'a> RegisterSheet<'a> {
    /// The keyed hashes of all citizen IDs and card numbers.
    pub fn digests(&self) -> Vec<Vec<u8>> {
        let numbers = |line: &RegisterLine<'_>| [Some(line.citizen_id.clone()), line.card_number.clone()];
        self.lines.iter().flat_map(numbers).flatten().collect()
    }

    pub fn new(crypto: &Crypto, roster: &'a Roster) -> Self {
        let digest =
            |kind: HandleKind, number: &Option<String>| number.as_ref().map(|number| kind.digest(crypto, number));
        let line = |row: &'a RosterRow| RegisterLine {
            row,
            citizen_id: HandleKind::CitizenId.digest(crypto, &row.citizen_id),
            card_number: digest(HandleKind::CardNumber, &row.card_number),
            phone: digest(HandleKind::Phone, &row.phone),
        };
        Self { roster, lines: roster.rows.iter().map(line).collect() }
    }
}

/// A member of the cell as the register has them.
#[derive(QueryableByName)]
pub struct HeldRow {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub full_name: String,
    #[diesel(sql_type = Date)]
    pub birth_date: NaiveDate,
    #[diesel(sql_type = Text)]
    pub sex: String,
    #[diesel(sql_type = Date)]
    pub admitted_on: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    pub official_on: Option<NaiveDate>,
    /// First day in the cell.
    #[diesel(sql_type = Date)]
    pub since: NaiveDate,
    #[diesel(sql_type = Nullable<Binary>)]
    pub citizen_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub card_number: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub phone: Option<Vec<u8>>,
    /// Whether an exemption is in force on the day of the sheet or begins later.
    #[diesel(sql_type = Bool)]
    pub exempt: bool,
}

/// All data that the comparison needs.
pub struct Register {
    /// The members of the cell today.
    pub held: HashMap<Uuid, HeldRow>,
    /// The owners of the sheet's citizen IDs and card numbers, in the whole register.
    pub citizen_ids: HashMap<Vec<u8>, Uuid>,
    pub card_numbers: HashMap<Vec<u8>, Uuid>,
    /// The roles held on the cell, by holder.
    pub roles: HashSet<(Uuid, String)>,
    pub secretaries: Vec<Uuid>,
    /// Roles that wait for a second officer already.
    pub waiting: HashSet<(Uuid, String)>,
    /// Members of the cell who hold a role that the importer is not above.
    pub above: HashSet<Uuid>,
}

#[derive(QueryableByName)]
struct Owner {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Binary)]
    digest: Vec<u8>,
}

/// Loads all of it.
pub async fn load(
    conn: &mut Conn,
    sheet: &RegisterSheet<'_>,
    cell_id: Uuid,
    importer: &Importer<'_>,
    (as_of, now): (NaiveDate, DateTime<Utc>),
) -> Result<Register, Problem> {
    let today = day_of(now);
    let (mut citizen_ids, mut card_numbers) = (HashMap::new(), HashMap::new());
    for owner in owners(conn, sheet).await? {
        let kind = if owner.kind == HandleKind::CitizenId.as_str() { &mut citizen_ids } else { &mut card_numbers };
        kind.insert(owner.digest, owner.account_id);
    }
    let roles: Vec<(Uuid, String)> = grants::table
        .filter(grants::unit_id.eq(cell_id))
        .filter(grants::revoked_at.is_null())
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(as_of)))
        .select((grants::account_id, grants::role))
        .load(conn)
        .await?;
    let held = held(conn, cell_id, as_of, today).await?;
    let members: Vec<Uuid> = held.keys().copied().collect();
    let above = match importer.officer {
        Some(caller) => superiors(conn, caller, &members, cell_id, today).await?,
        None => HashSet::new(),
    };
    Ok(Register {
        held,
        above,
        citizen_ids,
        card_numbers,
        roles: roles.into_iter().collect(),
        secretaries: open_secretary(conn, cell_id, as_of).await?,
        waiting: roles_waiting(conn, cell_id, now).await?.into_iter().collect(),
    })
}

async fn owners(conn: &mut Conn, sheet: &RegisterSheet<'_>) -> Result<Vec<Owner>, Problem> {
    let lines = || sheet.lines.iter();
    let citizen_ids: Vec<&[u8]> = lines().map(|line| line.citizen_id.as_slice()).collect();
    let cards: Vec<&[u8]> = lines().filter_map(|line| line.card_number.as_deref()).collect();
    Ok(diesel::sql_query(
        "SELECT h.account_id, h.kind, h.digest FROM sign_in_handles h
         JOIN (SELECT 'citizen_id' AS kind, unnest($1) AS digest UNION ALL SELECT 'card_number', unnest($2)) n
           ON n.kind = h.kind AND n.digest = h.digest",
    )
    .bind::<Array<Binary>, _>(citizen_ids)
    .bind::<Array<Binary>, _>(cards)
    .load(conn)
    .await?)
}

/// Those who hold a role, unless the caller manages members above the cell and above the unit of each of their roles: as
/// with slips, which open accounts.
async fn superiors(
    conn: &mut Conn,
    caller: &Principal,
    members: &[Uuid],
    cell_id: Uuid,
    today: NaiveDate,
) -> Result<HashSet<Uuid>, Problem> {
    let held: Vec<(Uuid, Option<Uuid>)> = grants::table
        .filter(grants::account_id.eq_any(members))
        .filter(grants::revoked_at.is_null())
        .filter(grants::role.ne(Role::Member.as_str()))
        .filter(grants::valid_to.is_null().or(grants::valid_to.gt(today)))
        .select((grants::account_id, grants::unit_id))
        .load(conn)
        .await?;
    let cell = units::path(conn, cell_id, today).await?;
    let mut reached: HashMap<Option<Uuid>, bool> = HashMap::new();
    let mut superiors = HashSet::new();
    for (account, unit) in held {
        let reaches = match reached.get(&unit) {
            Some(known) => *known,
            None => {
                let path = match unit {
                    Some(unit) => units::last_path(conn, unit, today).await?,
                    None => Vec::new(),
                };
                let above = |path: &[Uuid]| caller.may(path.get(1..).unwrap_or_default(), Permission::ManageMembers);
                let reaches = above(&cell) && above(&path);
                reached.insert(unit, reaches);
                reaches
            }
        };
        if !reaches {
            superiors.insert(account);
        }
    }
    Ok(superiors)
}

async fn held(
    conn: &mut Conn,
    cell_id: Uuid,
    as_of: NaiveDate,
    today: NaiveDate,
) -> Result<HashMap<Uuid, HeldRow>, Problem> {
    let rows: Vec<HeldRow> = diesel::sql_query(
        "SELECT m.id, m.full_name, m.birth_date, m.sex, m.admitted_on, m.official_on, s.valid_from AS since,
             c.digest AS citizen_id, k.digest AS card_number, p.digest AS phone,
             EXISTS (SELECT 1 FROM exemptions e WHERE e.member_id = m.id AND e.kind = 'exempt'
                     AND (e.valid_to IS NULL OR e.valid_to > $3)) AS exempt
         FROM memberships s JOIN members m ON m.id = s.member_id
         LEFT JOIN sign_in_handles c ON c.account_id = m.id AND c.kind = 'citizen_id'
         LEFT JOIN sign_in_handles k ON k.account_id = m.id AND k.kind = 'card_number'
         LEFT JOIN sign_in_handles p ON p.account_id = m.id AND p.kind = 'phone'
         WHERE s.unit_id = $1 AND s.valid_from <= $2 AND (s.valid_to IS NULL OR s.valid_to > $2)",
    )
    .bind::<SqlUuid, _>(cell_id)
    .bind::<Date, _>(today)
    .bind::<Date, _>(as_of)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|held| (held.id, held)).collect())
}
