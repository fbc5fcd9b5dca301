//! Compares a sheet with the register: what is new, changed, missing or not allowed. Pure.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::kernel::http::problem::Problem;
use crate::kernel::security::access::Role;
use crate::organisation::roster::{Position, RosterRow, Sex};

use super::Importer;
use super::faults::{CARD_NUMBER, CITIZEN_ID, ImportFaults, POSITION, Wrong};
use super::register::{HeldRow, Register, RegisterLine, RegisterSheet};

/// A member whose record differs from the sheet.
pub struct MemberChange<'a> {
    pub id: Uuid,
    pub line: &'a RegisterLine<'a>,
    /// Names of the fields that differ.
    pub fields: Vec<&'static str>,
}

/// A row, by its sheet and number.
pub type MemberPlace = (u16, u32);

/// A statement of the sheet that this importer may not put into effect.
pub struct ImportProposal {
    pub place: MemberPlace,
    /// The role, `exempt`, or the field of a record.
    pub what: &'static str,
    pub because: &'static str,
}

/// The plan of an import.
#[derive(Default)]
pub struct ImportPlan<'a> {
    pub added: Vec<&'a RosterRow>,
    /// Members recognised, by row.
    pub known: HashMap<MemberPlace, Uuid>,
    pub changed: Vec<MemberChange<'a>>,
    /// Whether a second officer has to confirm what only two decide: not when the operator of the server imports.
    pub needs_second: bool,
    /// Rows that differ from records that are not for this importer to change.
    pub held_back: HashSet<MemberPlace>,
    /// Rows of members to be exempted.
    pub exempted: Vec<&'a RosterRow>,
    /// Roles to be given.
    pub granted: Vec<(&'a RosterRow, Role)>,
    /// Roles that a second officer must confirm, not proposed yet.
    pub to_confirm: Vec<(&'a RosterRow, Role)>,
    pub proposals: Vec<ImportProposal>,
    /// Rows that do not mark an exempt member as exempt.
    pub unmarked: Vec<MemberPlace>,
    /// Values that the register holds and the sheet leaves empty; they stay.
    pub left_empty: Vec<(MemberPlace, Vec<&'static str>)>,
    /// Members of the cell who are not in the sheet: id, name.
    pub missing: Vec<(Uuid, String)>,
    /// First days in the cell of those recognised.
    pub since: HashMap<Uuid, chrono::NaiveDate>,
}

/// The register's value for a sex.
pub fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
    }
}

/// The role of a position.
pub fn role(position: Position) -> Role {
    match position {
        Position::Secretary => Role::CellSecretary,
        Position::DeputySecretary => Role::DeputySecretary,
        Position::CommitteeMember => Role::CellCommitteeMember,
    }
}

/// Compares the sheet with the register.
///
/// # Errors
/// 422 with every fault.
pub fn compare<'a>(
    sheet: &'a RegisterSheet<'a>,
    register: &Register,
    importer: &Importer<'_>,
) -> Result<ImportPlan<'a>, Problem> {
    let mut plan = ImportPlan { needs_second: importer.officer.is_some(), ..ImportPlan::default() };
    let mut faults = ImportFaults::of(sheet.roster);
    let mut seen = HashSet::new();
    for line in &sheet.lines {
        match recognise(line, register) {
            Ok(None) => plan.added.push(line.row),
            Ok(Some(held)) if seen.insert(held.id) => plan.recognised(line, held, register, importer),
            Ok(Some(_)) => faults.add(line.row, CITIZEN_ID, Wrong::Twice),
            Err((column, wrong)) => faults.add(line.row, column, wrong),
        }
        let held = plan.known.get(&line.row.place()).and_then(|id| register.held.get(id));
        plan.exemption(line.row, held, importer);
        plan.position(line.row, held, register, importer, &mut faults);
    }
    check_secretaries(sheet, &mut faults);
    faults.conclude()?;
    let missing = register.held.values().filter(|held| !seen.contains(&held.id));
    plan.missing = missing.map(|held| (held.id, held.full_name.clone())).collect();
    plan.missing.sort();
    Ok(plan)
}

/// Finds the member of a row by citizen ID; else by card number, if the birth date agrees: a typing error in one digit
/// must not overwrite another person's record.
fn recognise<'r>(
    line: &RegisterLine<'_>,
    register: &'r Register,
) -> Result<Option<&'r HeldRow>, (&'static str, Wrong)> {
    let by_citizen_id = register.citizen_ids.get(&line.citizen_id);
    let by_card = line.card_number.as_ref().and_then(|digest| register.card_numbers.get(digest));
    let in_cell = |id: &Uuid| register.held.get(id);
    match (by_citizen_id, by_card) {
        (None, None) => Ok(None),
        (Some(id), card) => {
            let held = in_cell(id).ok_or((CITIZEN_ID, Wrong::ElsewhereMember))?;
            if card.is_some_and(|owner| owner != id) {
                return Err((CARD_NUMBER, Wrong::CardTaken));
            }
            Ok(Some(held))
        }
        (None, Some(id)) => {
            let held = in_cell(id).ok_or((CARD_NUMBER, Wrong::ElsewhereMember))?;
            if held.birth_date != line.row.birth_date {
                return Err((CARD_NUMBER, Wrong::CardTaken));
            }
            Ok(Some(held))
        }
    }
}

fn check_secretaries(sheet: &RegisterSheet<'_>, faults: &mut ImportFaults<'_>) {
    let rows = sheet.lines.iter().map(|line| line.row);
    let secretaries: Vec<&RosterRow> = rows.filter(|row| row.position == Some(Position::Secretary)).collect();
    if secretaries.len() > 1 {
        for row in secretaries {
            faults.add(row, POSITION, Wrong::SecondSecretary);
        }
    }
}

impl<'a> ImportPlan<'a> {
    /// How many records agree with the sheet.
    pub fn unchanged(&self) -> usize {
        self.known.len() - self.changed.len()
    }

    fn recognised(&mut self, line: &'a RegisterLine<'a>, held: &HeldRow, register: &Register, importer: &Importer<'_>) {
        let place = line.row.place();
        self.known.insert(place, held.id);
        self.since.insert(held.id, held.since);
        let fields = differing(line, held);
        let because = match () {
            () if is_oneself(Some(held), importer) => Some("own_record"),
            () if register.above.contains(&held.id) => Some("superior"),
            () => None,
        };
        if let (Some(because), false) = (because, fields.is_empty()) {
            // Who signs in with these must not be locked out by a list.
            self.held_back.insert(place);
            self.proposals.extend(fields.into_iter().map(|what| ImportProposal { place, what, because }));
        } else if !fields.is_empty() {
            let id = held.id;
            self.changed.push(MemberChange { id, line, fields });
        }
        let empty = left_empty(line, held);
        if !empty.is_empty() {
            self.left_empty.push((place, empty));
        }
    }

    fn exemption(&mut self, row: &'a RosterRow, held: Option<&HeldRow>, importer: &Importer<'_>) {
        let exempt = held.is_some_and(|held| held.exempt);
        if exempt && !row.exempt {
            self.unmarked.push(row.place());
        }
        if exempt || !row.exempt {
            return;
        }
        if is_oneself(held, importer) {
            self.propose(row, "exempt", "own_record");
        } else {
            self.exempted.push(row);
        }
    }

    fn position(
        &mut self,
        row: &'a RosterRow,
        held: Option<&HeldRow>,
        register: &Register,
        importer: &Importer<'_>,
        faults: &mut ImportFaults<'_>,
    ) {
        let Some(role) = row.position.map(role) else {
            return;
        };
        let held_id = held.map(|held| held.id);
        if held_id.is_some_and(|id| register.roles.contains(&(id, role.as_str().to_owned()))) {
            return;
        }
        let taken = role == Role::CellSecretary && register.secretaries.iter().any(|id| Some(*id) != held_id);
        if !importer.may_grant {
            let because = if taken { "held_by_another" } else { "not_allowed" };
            self.propose(row, role.as_str(), because);
        } else if taken {
            faults.add(row, POSITION, Wrong::SecretaryHeld);
        } else if is_oneself(held, importer) {
            self.propose(row, role.as_str(), "own_record");
        } else if importer.officer.is_none() {
            self.granted.push((row, role));
        } else {
            self.propose(row, role.as_str(), "second_officer");
            if !held_id.is_some_and(|id| register.waiting.contains(&(id, role.as_str().to_owned()))) {
                self.to_confirm.push((row, role));
            }
        }
    }

    fn propose(&mut self, row: &RosterRow, what: &'static str, because: &'static str) {
        let place = row.place();
        self.proposals.push(ImportProposal { place, what, because });
    }
}

/// Importers cannot exempt or promote themselves.
fn is_oneself(held: Option<&HeldRow>, importer: &Importer<'_>) -> bool {
    held.is_some_and(|held| Some(held.id) == importer.account_id())
}

/// Fields in which the sheet differs from the register.
fn differing(line: &RegisterLine<'_>, held: &HeldRow) -> Vec<&'static str> {
    let row = line.row;
    let said = |new: &Option<Vec<u8>>, old: &Option<Vec<u8>>| new.is_some() && new != old;
    [
        ("full_name", row.full_name != held.full_name),
        ("birth_date", row.birth_date != held.birth_date),
        ("sex", sex(row.sex) != held.sex),
        ("admitted_on", row.admitted_on != held.admitted_on),
        ("official_on", row.official_on.is_some() && row.official_on != held.official_on),
        ("citizen_id", held.citizen_id.as_ref() != Some(&line.citizen_id)),
        ("card_number", said(&line.card_number, &held.card_number)),
        ("phone", said(&line.phone, &held.phone)),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

/// Fields that the sheet leaves empty and the register does not.
fn left_empty(line: &RegisterLine<'_>, held: &HeldRow) -> Vec<&'static str> {
    let row = line.row;
    [
        ("official_on", row.official_on.is_none() && held.official_on.is_some()),
        ("card_number", row.card_number.is_none() && held.card_number.is_some()),
        ("phone", row.phone.is_none() && held.phone.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, empty)| empty.then_some(name))
    .collect()
}
