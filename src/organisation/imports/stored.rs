//! The rows of a sheet as an import would store them, for a secretary to read before it does.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::http::page::{Page, PageQuery};
use crate::kernel::http::problem::Problem;
use crate::organisation::members::mask;
use crate::organisation::roster::{Position, Roster, RosterRow};

use super::faults::sheet_of;
use super::plan::{ImportPlan, role, sex};
use super::register::Register;

/// A row of the sheet as it would be stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedRow {
    /// The sheet; null when only one was read.
    #[schema(max_length = 200, example = "Đảng viên dự bị")]
    sheet: Option<String>,
    /// The row as Excel numbers it.
    #[schema(minimum = 1, maximum = 1_048_576, example = 8)]
    row: u32,
    /// `added`, `changed` or `unchanged`.
    #[schema(max_length = 20, pattern = "^[a-z]+$", example = "added")]
    outcome: &'static str,
    /// Full name.
    #[schema(max_length = 100, example = "Lò Thị Thử")]
    full_name: String,
    /// Day of birth.
    birth_date: NaiveDate,
    /// `male` or `female`.
    #[schema(max_length = 10, pattern = "^[a-z]+$", example = "female")]
    sex: &'static str,
    /// When the member was admitted on probation.
    admitted_on: NaiveDate,
    /// When the member became official; null while on probation.
    official_on: Option<NaiveDate>,
    /// Citizen ID, the last four digits only.
    #[schema(max_length = 12, pattern = "^[0-9*]+$", example = "********4321")]
    citizen_id: String,
    /// Party card number, masked in the same way; null when the sheet has none, which leaves the one in the register.
    #[schema(max_length = 12, pattern = "^[0-9*]+$", example = "********8765")]
    card_number: Option<String>,
    /// Phone, masked in the same way; null when the sheet has none, which leaves the one in the register.
    #[schema(max_length = 12, pattern = "^[0-9*]+$", example = "******4334")]
    phone: Option<String>,
    /// The role that the position stands for, whether the import gives it or not.
    #[schema(max_length = 40, pattern = "^[a-z_]+$", example = "cell_secretary")]
    position: Option<&'static str>,
    /// Whether the sheet marks the member as exempt.
    exempt: bool,
}

/// A page of the rows, in the order of the sheets.
///
/// # Errors
/// 400 when the cursor is not one of this list.
pub fn page(
    roster: &Roster,
    plan: &ImportPlan<'_>,
    register: &Register,
    query: &PageQuery,
) -> Result<Page<ImportedRow>, Problem> {
    let after: Option<(u16, u32)> = query.after()?;
    let changed: HashSet<_> = plan.changed.iter().map(|change| change.line.row.place()).collect();
    let fetch = usize::try_from(query.fetch()).unwrap_or(1);
    let rows = roster.rows.iter().filter(|row| after.is_none_or(|after| row.place() > after));
    let rows: Vec<&RosterRow> = rows.take(fetch).collect();
    Ok(query.page(
        rows,
        |row| row.place(),
        |row| {
            let outcome = match plan.known.get(&row.place()) {
                None => "added",
                Some(_) if changed.contains(&row.place()) => "changed",
                Some(_) => "unchanged",
            };
            stored(roster, row, plan, register, outcome)
        },
    ))
}

fn stored(
    roster: &Roster,
    row: &RosterRow,
    plan: &ImportPlan<'_>,
    register: &Register,
    outcome: &'static str,
) -> ImportedRow {
    let held = plan.known.get(&row.place()).and_then(|id| register.held.get(id));
    // What is not for this caller to change stays as it is.
    let kept = held.filter(|_| plan.held_back.contains(&row.place()));
    ImportedRow {
        sheet: sheet_of(roster, row.sheet).map(str::to_owned),
        row: row.row,
        outcome,
        full_name: kept.map_or_else(|| row.full_name.clone(), |held| held.full_name.clone()),
        birth_date: kept.map_or(row.birth_date, |held| held.birth_date),
        sex: kept.map_or(sex(row.sex), |held| if held.sex == "male" { "male" } else { "female" }),
        admitted_on: kept.map_or(row.admitted_on, |held| held.admitted_on),
        official_on: match kept {
            Some(held) => held.official_on,
            None => row.official_on.or(held.and_then(|held| held.official_on)),
        },
        citizen_id: mask(&row.citizen_id),
        card_number: row.card_number.as_deref().map(mask),
        phone: row.phone.as_deref().map(mask),
        position: row.position.map(|position: Position| role(position).as_str()),
        exempt: row.exempt,
    }
}
