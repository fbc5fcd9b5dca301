//! Reads the roster of a cell from the Excel files that secretaries keep.
//!
//! Everything here is pure: bytes go in, members or the complete list of what
//! is wrong come out. The bytes may be hostile; see [`Limits`].

pub mod entry;
mod fault;
mod guard;
mod header;
mod limits;
mod reader;
mod scan;
mod table;
mod text;
mod title;
mod value;
mod workbook;

#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use thiserror::Error;

pub use fault::Fault;
pub use limits::Limits;
pub use title::DeclaredTotal;

/// A roster in which every row could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// The committee above the cell, as the title writes it.
    pub committee_name: Option<String>,
    /// The cell, as the title writes it.
    pub cell_name: Option<String>,
    /// The date of "tính đến ngày …" in the title.
    pub as_of: Option<NaiveDate>,
    /// The members in the order of the sheet; never empty.
    pub rows: Vec<RosterRow>,
    /// Headings of columns that were not read.
    pub ignored_columns: Vec<String>,
    /// The totals below the table; they agree with `rows`.
    pub declared_total: Option<DeclaredTotal>,
    /// What was passed over without harm (rows that are no members, positions
    /// outside the cell's committee), at most 200 of them.
    pub notices: Vec<Fault>,
}

/// One member as the sheet has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// The row as Excel numbers it, from 1.
    pub row: u32,
    /// NFC, at most 100 characters, no digits.
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

/// Sex as the roster distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Nam.
    Male,
    /// Nữ.
    Female,
}

/// A position in the committee of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Bí thư.
    Secretary,
    /// Phó bí thư.
    DeputySecretary,
    /// Chi ủy viên.
    CommitteeMember,
}

/// Why a file yields no roster.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RosterError {
    /// Not an intact XLSX file.
    #[error("the file is not an intact XLSX workbook")]
    NotAWorkbook,
    /// Larger than anybody needs.
    #[error("the workbook has more than {limit} {what}")]
    TooLarge {
        /// What there is too much of, in English.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// No sheet has all the required columns.
    #[error("no header found; missing: {}", missing.join(", "))]
    NoHeader {
        /// The Vietnamese headings that are missing from the best candidate.
        missing: Vec<&'static str>,
    },
    /// A header and nobody below it.
    #[error("the roster has no members")]
    NoRows,
    /// Some cells are wrong.
    #[error("the roster has {} faults", list.len() + more)]
    Faults {
        /// The first 1,000 by row and column.
        list: Vec<Fault>,
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
    parse_within(bytes, today, &Limits::cell())
}

/// As [`parse`], within other limits.
///
/// # Errors
///
/// See [`RosterError`].
pub fn parse_within(bytes: &[u8], today: NaiveDate, limits: &Limits) -> Result<Roster, RosterError> {
    let archive = guard::repack(bytes, limits)?;
    let mut reader = reader::SheetReader::new(today, limits.secretaries);
    workbook::visit(archive, limits, &mut reader)?;
    reader.finish()
}
