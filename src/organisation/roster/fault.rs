//! Faults of a roster, worded so that a secretary can correct them.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

/// One thing that is wrong, and where.
///
/// The details never repeat what a cell holds: a citizen ID or a phone number
/// in an error message ends up in logs and screenshots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RosterFault {
    /// Orders the faults of several sheets.
    pub(super) order: u16,
    /// The row as Excel numbers it, from 1; 0 for what concerns a whole sheet.
    pub row: u32,
    /// Zero-based position of the column; orders the faults of one row.
    pub(super) position: u32,
    /// The column's header as it stands in the sheet, or its letter where it
    /// has none.
    pub column: String,
    /// The sheet, when several were read or it is about one that was not.
    pub sheet: Option<String>,
    /// Stable name of the kind of fault, in snake case.
    #[serde(deserialize_with = "interned")]
    pub code: FaultCode,
    /// What is wrong, in Vietnamese.
    pub detail_vi: String,
    /// What is wrong, in English.
    pub detail_en: String,
}

/// Known when the program was built.
pub type FaultCode = &'static str;

/// The codes that a reader in another process may answer with.
const CODES: &[FaultCode] = &[
    "admitted_under_18",
    "as_of_in_future",
    "as_of_invalid",
    "birth_date_implausible",
    "card_number_duplicate",
    "card_number_invalid",
    "cell_error",
    "citizen_id_duplicate",
    "citizen_id_invalid",
    "citizen_id_missing",
    "column_without_heading",
    "data_without_heading",
    "date_before_party",
    "date_in_future",
    "date_invalid",
    "date_is_year",
    "date_missing",
    "date_too_early",
    "dates_maybe_swapped",
    "exempt_invalid",
    "formula",
    "hidden_rows",
    "name_invalid",
    "name_legacy_encoding",
    "name_missing",
    "name_too_long",
    "official_before_admission",
    "phone_invalid",
    "position_ignored",
    "row_ignored",
    "several_secretaries",
    "sex_invalid",
    "sex_missing",
    "sheet_not_read",
    "sheets_joined",
    "total_mismatch",
];

fn interned<'de, D: Deserializer<'de>>(from: D) -> Result<FaultCode, D::Error> {
    let code = String::deserialize(from)?;
    let known = CODES.iter().copied().find(|known| *known == code);
    known.ok_or_else(|| serde::de::Error::custom("not a code of the roster reader"))
}

/// A kind of fault: its code and what it says in both languages.
pub(super) struct FaultKind {
    pub code: &'static str,
    pub vi: &'static str,
    pub en: &'static str,
}

impl RosterFault {
    pub(super) fn new(row: u32, position: u32, column: String, kind: &FaultKind) -> Self {
        Self::said(row, position, column, kind.code, (kind.vi.to_owned(), kind.en.to_owned()))
    }

    /// With words of its own, Vietnamese and English.
    pub(super) fn said(row: u32, position: u32, column: String, code: FaultCode, (vi, en): (String, String)) -> Self {
        debug_assert!(CODES.contains(&code), "{code} is not listed");
        Self { order: 0, row, position, column, sheet: None, code, detail_vi: vi, detail_en: en }
    }

    /// About a whole sheet.
    pub(super) fn of_sheet(sheet: &str, code: FaultCode, words: (String, String)) -> Self {
        Self { sheet: Some(sheet.to_owned()), ..Self::said(0, 0, String::new(), code, words) }
    }
}

/// The faults found first in the order of the sheet, however many there are.
#[derive(Debug, Default)]
pub(super) struct RosterFaults {
    kept: BTreeSet<RosterFault>,
    total: usize,
}

impl RosterFaults {
    /// How many faults are reported one by one; the rest are only counted.
    pub const REPORTED: usize = 1_000;

    pub fn push(&mut self, fault: RosterFault) {
        if self.kept.insert(fault) {
            self.total += 1;
        }
        if self.kept.len() > Self::REPORTED {
            self.kept.pop_last();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Takes over what another sheet has.
    pub fn absorb(&mut self, other: Self) {
        let (kept, more) = other.finish();
        kept.into_iter().for_each(|fault| self.push(fault));
        self.total += more;
    }

    /// Gives every fault its sheet.
    pub fn place(&mut self, order: u16, sheet: Option<&str>) {
        let kept = std::mem::take(&mut self.kept);
        self.kept =
            kept.into_iter().map(|fault| RosterFault { order, sheet: sheet.map(str::to_owned), ..fault }).collect();
    }

    /// The first faults by row and column, and how many more there were.
    pub fn finish(self) -> (Vec<RosterFault>, usize) {
        let kept: Vec<_> = self.kept.into_iter().collect();
        let more = self.total - kept.len();
        (kept, more)
    }
}

/// The letters Excel gives a zero-based column: 0 is `A`, 26 is `AA`.
pub(super) fn column_letters(position: u32) -> String {
    let mut rest = position;
    let mut letters = Vec::new();
    loop {
        // `rest % 26` is below 26, so the sum stays within A to Z.
        letters.push(char::from(b'A' + (rest % 26) as u8));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    letters.iter().rev().collect()
}
