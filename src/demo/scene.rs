//! The demo's scene: one ward with five cells, their members, and officers of each role.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::kernel::clock::day_of;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{exemptions, grants, members};
use crate::kernel::http::problem::Problem;
use crate::kernel::ids::new_id;
use crate::kernel::security::access::Role;
use crate::kernel::security::crypto::Crypto;
use crate::organisation::members::{NewMember, Origin, admit};
use crate::organisation::units::{NewUnit, create};

use super::dice::Dice;
use super::people;
use super::story::at;

/// Cells: name, members, how many of them are exempt. The first is like a large urban cell.
const CELLS: [(&str, u64, u64); 5] = [
    ("Chi bộ Tổ dân phố số 5", 135, 54),
    ("Chi bộ Tổ dân phố số 6", 38, 12),
    ("Chi bộ Trường THCS Bình Minh", 26, 0),
    ("Chi bộ Trạm Y tế phường", 9, 0),
    ("Chi bộ Cơ quan phường", 21, 1),
];

/// An account to sign in as: a place in a cell, with a role on the ward or none beyond the cell.
pub struct ScenePart {
    pub role: &'static str,
    cell: usize,
    place: usize,
    on_ward: Option<Role>,
}

/// The member and the secretary belong to the same cell.
pub const CAST: [ScenePart; 6] = [
    ScenePart { role: "member", cell: 0, place: 10, on_ward: None },
    ScenePart { role: "secretary", cell: 0, place: 0, on_ward: None },
    ScenePart { role: "committee_officer", cell: 4, place: 2, on_ward: Some(Role::CommitteeOfficer) },
    ScenePart { role: "propaganda_officer", cell: 4, place: 3, on_ward: Some(Role::PropagandaOfficer) },
    ScenePart { role: "organisation_officer", cell: 4, place: 4, on_ward: Some(Role::OrganisationOfficer) },
    ScenePart { role: "inspector", cell: 4, place: 5, on_ward: Some(Role::Inspector) },
];

impl ScenePart {
    /// The citizen ID to sign in with.
    pub fn login(&self) -> String {
        let before: u64 = CELLS[..self.cell].iter().map(|(_, size, _)| size).sum();
        people::citizen_id(1 + before + self.place as u64)
    }
}

/// A member of the scene.
pub struct Extra {
    pub id: Uuid,
    pub exempt: bool,
}

/// What was made.
pub struct Scene {
    pub ward: Uuid,
    pub cells: Vec<Uuid>,
    pub members: Vec<Extra>,
    cast: Vec<(&'static str, Uuid)>,
}

impl Scene {
    /// The account that plays a role.
    pub fn account(&self, role: &str) -> Uuid {
        self.cast.iter().find(|(name, _)| *name == role).map_or(Uuid::nil(), |(_, id)| *id)
    }
}

/// Makes units, members, exemptions and grants.
pub async fn build(
    conn: &mut Conn,
    crypto: &Crypto,
    dice: &mut Dice,
    since: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Scene, Problem> {
    let province = unit(conn, "Tỉnh ủy Sông Xanh", "province", None, since, now).await?;
    let ward = unit(conn, "Đảng bộ phường Bình Minh", "grassroots_committee", Some(province), since, now).await?;
    let mut scene = Scene { ward, cells: Vec::new(), cast: Vec::new(), members: Vec::new() };
    let mut number = 0;
    for (index, (name, size, exempt)) in CELLS.iter().enumerate() {
        let cell = unit(conn, name, "cell", Some(ward), since, now).await?;
        scene.cells.push(cell);
        let people = crowd(dice, &mut number, *size, *exempt, index == 0, day_of(now));
        // Entered when the history begins: a month that ended before they were would not close by itself.
        let ids = admit(conn, crypto, &people, cell, Origin::Imported, since, at(since, 0, 0)).await?;
        let counted = usize::try_from(size - exempt).unwrap_or(0);
        exempt_all(conn, &ids[counted..], since, now).await?;
        let terms = [(0, Role::CellSecretary), (1, Role::DeputySecretary), (2, Role::CellCommitteeMember)];
        for (place, role) in terms {
            grant(conn, ids[place], role, cell, since, now).await?;
        }
        for part in CAST.iter().filter(|part| part.cell == index) {
            if let Some(role) = part.on_ward {
                grant(conn, ids[part.place], role, ward, since, now).await?;
            }
            scene.cast.push((part.role, ids[part.place]));
        }
        scene.members.extend(ids.iter().enumerate().map(|(i, id)| Extra { id: *id, exempt: i >= counted }));
    }
    // A member without a smartphone studies with a helper instead of visiting.
    diesel::update(members::table.find(scene.members[20].id))
        .set(members::without_device.eq(true))
        .execute(conn)
        .await?;
    Ok(scene)
}

/// Members who count first, the exempt last; the last who counts in the first cell is on probation.
fn crowd(
    dice: &mut Dice,
    number: &mut u64,
    size: u64,
    exempt: u64,
    with_probationary: bool,
    today: NaiveDate,
) -> Vec<NewMember> {
    (0..size)
        .map(|place| {
            *number += 1;
            if with_probationary && place + exempt + 1 == size {
                return people::probationary(dice, *number, today);
            }
            let age = if place + exempt < size { 30 + dice.roll(40) } else { 76 + dice.roll(15) };
            people::person(dice, *number, age, today)
        })
        .collect()
}

async fn unit(
    conn: &mut Conn,
    name: &str,
    kind: &str,
    parent_id: Option<Uuid>,
    valid_from: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let new = NewUnit { name: name.to_owned(), kind: kind.to_owned(), parent_id, code: None, valid_from };
    create(conn, &new, now).await
}

async fn exempt_all(conn: &mut Conn, ids: &[Uuid], since: NaiveDate, now: DateTime<Utc>) -> Result<(), Problem> {
    let rows: Vec<_> = ids
        .iter()
        .map(|id| {
            (
                exemptions::id.eq(new_id(now)),
                exemptions::member_id.eq(*id),
                exemptions::kind.eq("exempt"),
                exemptions::valid_from.eq(since),
                exemptions::reason.eq("Tuổi cao, sức yếu"),
                exemptions::created_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(exemptions::table).values(rows).execute(conn).await?;
    Ok(())
}

async fn grant(
    conn: &mut Conn,
    account_id: Uuid,
    role: Role,
    unit_id: Uuid,
    since: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    diesel::insert_into(grants::table)
        .values((
            grants::id.eq(new_id(now)),
            grants::account_id.eq(account_id),
            grants::role.eq(role.as_str()),
            grants::unit_id.eq(unit_id),
            grants::valid_from.eq(since),
            grants::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
