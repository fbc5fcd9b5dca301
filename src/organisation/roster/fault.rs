//! What is wrong with a roster, said so that a secretary can mend it.

use std::collections::BTreeSet;

/// One thing that is wrong, and where.
///
/// The details never repeat what a cell holds: a citizen ID or a phone number
/// in an error message ends up in logs and screenshots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The row as Excel numbers it, from 1.
    pub row: u32,
    /// Zero-based position of the column; orders the faults of one row.
    pub(super) position: u32,
    /// The column's header as it stands in the sheet, or its letter where it
    /// has none.
    pub column: String,
    /// Stable name of the kind of fault, in snake case.
    pub code: &'static str,
    /// What is wrong, in Vietnamese.
    pub detail_vi: String,
    /// What is wrong, in English.
    pub detail_en: String,
}

/// A kind of fault: its code and what it says in both languages.
pub(super) struct Kind {
    pub code: &'static str,
    pub vi: &'static str,
    pub en: &'static str,
}

impl Fault {
    pub(super) fn new(row: u32, position: u32, column: String, kind: &Kind) -> Self {
        Self { row, position, column, code: kind.code, detail_vi: kind.vi.to_owned(), detail_en: kind.en.to_owned() }
    }
}

/// The faults found first in the order of the sheet, however many there are.
#[derive(Debug, Default)]
pub(super) struct Faults {
    kept: BTreeSet<Fault>,
    total: usize,
}

impl Faults {
    /// How many faults are reported one by one; the rest is only counted.
    pub const REPORTED: usize = 1_000;

    pub fn push(&mut self, fault: Fault) {
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

    /// The first faults by row and column, and how many more there were.
    pub fn finish(self) -> (Vec<Fault>, usize) {
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
