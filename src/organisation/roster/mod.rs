//! Reads the roster of a cell from the Excel files that secretaries keep.
//!
//! Everything here is pure: bytes go in, members or the complete list of what
//! is wrong come out. The bytes may be hostile; see [`RosterLimits`].

mod cells;
pub mod entry;
mod fault;
mod guard;
mod header;
mod join;
mod limits;
mod marks;
mod oddities;
mod reader;
mod scan;
mod table;
mod text;
mod title;
mod totals;
mod value;
mod workbook;

#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use fault::RosterFault;
pub use limits::{Bound, RosterLimits};
pub use title::DeclaredTotal;

/// A roster in which every row could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The committee above the cell, as the title writes it.
    pub committee_name: Option<String>,
    /// The cell, as the title writes it.
    pub cell_name: Option<String>,
    /// The date of "tính đến ngày …" in the title.
    pub as_of: Option<NaiveDate>,
    /// The names of the sheets that were read.
    pub sheets: Vec<String>,
    /// The members in the order of the sheets; never empty.
    pub rows: Vec<RosterRow>,
    /// Headings of columns that were not read.
    pub ignored_columns: Vec<String>,
    /// The last totals below the table; they agree with `rows`.
    pub declared_total: Option<DeclaredTotal>,
    /// What was passed over without harm (rows that are no members, positions
    /// outside the cell's committee), at most 200 of them.
    pub notices: Vec<RosterFault>,
}

/// One member as the sheet has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRow {
    /// The place of its sheet in [`Roster::sheets`].
    pub sheet: u16,
    /// The row as Excel numbers it, from 1.
    pub row: u32,
    /// In one form, at most 100 characters, no digits.
    pub full_name: String,
    /// Not in the future, not before 1900.
    pub birth_date: NaiveDate,
    /// Sex.
    pub sex: Sex,
    /// Twelve digits, unique in the sheet.
    pub card_number: Option<String>,
    /// Twelve digits, unique in the sheet.
    pub citizen_id: String,
    /// A mobile number, `0` and nine digits. Couples share one.
    pub phone: Option<String>,
    /// When the member was admitted on probation, at 18 or later.
    pub admitted_on: NaiveDate,
    /// When the member became official, not before `admitted_on`; `None` while
    /// on probation.
    pub official_on: Option<NaiveDate>,
    /// The position in the cell's committee.
    pub position: Option<Position>,
    /// Whether the member is exempt from meetings.
    pub exempt: bool,
}

impl RosterRow {
    /// Where it stands: sheet and row.
    #[must_use]
    pub fn place(&self) -> (u16, u32) {
        (self.sheet, self.row)
    }
}

/// Sex as the roster distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sex {
    /// Nam.
    Male,
    /// Nữ.
    Female,
}

/// A position in the committee of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    /// Bí thư.
    Secretary,
    /// Phó bí thư.
    DeputySecretary,
    /// Chi ủy viên.
    CommitteeMember,
}

/// Why a file yields no roster.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum RosterError {
    /// Not an intact XLSX file.
    #[error("the file is not an intact XLSX workbook")]
    NotAWorkbook,
    /// Larger than any roster needs.
    #[error("the workbook has more than {limit} {}", what.en())]
    TooLarge {
        /// What there is too much of.
        what: Bound,
        /// How much is allowed.
        limit: u64,
    },
    /// No sheet has all the required columns.
    #[error("no header found; missing: {}", missing.join(", "))]
    NoHeader {
        /// The Vietnamese headings that are missing from the best candidate.
        missing: Vec<String>,
        /// Whether the text above looks like an encoding before Unicode.
        legacy: bool,
    },
    /// Sheets of one layout for different cells.
    #[error("the workbook has the lists of several cells, on the sheets {}", sheets.join(", "))]
    SeveralCells {
        /// The names of the sheets.
        sheets: Vec<String>,
    },
    /// A header without members below it.
    #[error("the roster has no members")]
    NoRows,
    /// Some cells are wrong.
    #[error("the roster has {} faults", list.len() + more)]
    Faults {
        /// The first 1,000 by row and column.
        list: Vec<RosterFault>,
        /// How many more there are.
        more: usize,
    },
}

/// Reads the roster of one cell. `today` is the last day that any date may have.
///
/// # Errors
///
/// See [`RosterError`]; all faults of the sheet are reported together.
pub fn parse(bytes: &[u8], today: NaiveDate) -> Result<Roster, RosterError> {
    parse_within(bytes, today, &RosterLimits::cell())
}

/// As [`parse`], within other limits.
///
/// # Errors
///
/// See [`RosterError`].
pub fn parse_within(bytes: &[u8], today: NaiveDate, limits: &RosterLimits) -> Result<Roster, RosterError> {
    let parts = guard::repack(bytes, limits)?;
    let mut reader = reader::SheetReader::new(today, limits.secretaries);
    workbook::visit(parts, limits, &mut reader)?;
    reader.finish()
}
