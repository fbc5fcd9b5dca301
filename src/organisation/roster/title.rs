//! What stands above and below the table: unit names, the date, the totals.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::text::{fold, tidy};
use super::workbook::{CellValue, SheetRow};

/// The totals that a sheet states below its table, as far as it states them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredTotal {
    /// The row that states them, from 1.
    pub row: u32,
    /// All members.
    pub members: Option<u32>,
    /// Official members.
    pub official: Option<u32>,
    /// Probationary members.
    pub probationary: Option<u32>,
    /// Members exempt from meetings.
    pub exempt: Option<u32>,
}

/// What the rows above the header say.
#[derive(Debug, Clone, Default)]
pub(super) struct Title {
    pub committee_name: Option<String>,
    pub cell_name: Option<String>,
    pub as_of: Option<NaiveDate>,
    /// Row and column of a "tính đến …" whose date no calendar has.
    pub bad_date: Option<(u32, u32)>,
}

impl Title {
    /// Takes from another sheet what this one does not say.
    pub fn fill(&mut self, other: Self) {
        self.committee_name = self.committee_name.take().or(other.committee_name);
        self.cell_name = self.cell_name.take().or(other.cell_name);
        self.as_of = self.as_of.or(other.as_of);
    }

    /// Takes what one row above the header says; the first mention counts.
    pub fn read(&mut self, row: &SheetRow) {
        for cell in &row.cells {
            let CellValue::Text(text) = &cell.value else {
                continue;
            };
            let folded = fold(text);
            if folded.starts_with("dang bo") || folded.starts_with("dang uy") {
                self.committee_name.get_or_insert_with(|| tidy(text));
            } else if let Some(name) = cell_named(text) {
                self.cell_name.get_or_insert(name);
            }
            let Some((_, rest)) = folded.split_once("tinh den") else {
                continue;
            };
            match date_in_words(rest) {
                Some(date) => self.as_of = self.as_of.or(Some(date)),
                None => self.bad_date = Some((row.number, cell.position)),
            }
        }
    }
}

/// The cell that a line of the title names: "CHI BỘ THÔN TÁM", "Danh sách đảng viên Chi bộ Thôn Tám (tính đến …)".
fn cell_named(text: &str) -> Option<String> {
    let text = tidy(text);
    let letters: Vec<char> = text.chars().collect();
    let lower: Vec<char> = letters.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let wanted: Vec<char> = "chi bộ ".chars().collect();
    let at = lower.windows(wanted.len()).position(|window| window == wanted)?;
    let before = at == 0 || !lower[at - 1].is_alphanumeric();
    let name: String = letters[at..].iter().take_while(|c| !matches!(c, '(' | ',' | ';' | '\n')).collect();
    let end = fold(&name).split_once(" tinh den").map_or(name.chars().count(), |(head, _)| head.chars().count());
    let name: String = name.chars().take(end).collect();
    (before && fold(&name) != "chi bo").then(|| name.trim().to_owned())
}

/// The date in `ngay 01 11 2026` or `ngay 1 thang 11 nam 2026`.
fn date_in_words(folded: &str) -> Option<NaiveDate> {
    let mut numbers = folded.split(' ').filter(|word| !matches!(*word, "" | "ngay" | "het" | "thang" | "nam"));
    let day = numbers.next()?.parse().ok()?;
    let month = numbers.next()?.parse().ok()?;
    let year = numbers.next().filter(|year| year.len() == 4)?.parse().ok()?;
    NaiveDate::from_ymd_opt(year, month, day)
}

/// The cell that begins a line of totals, if this row is one, and whether it says "tổng": such a line is about the whole
/// list, while "cộng" may be about a section. Accents matter: `Tổng` is a total, `Tống` a family name.
pub(super) fn total_line(row: &SheetRow) -> Option<(u32, bool)> {
    let numbered = sentence(row).contains(|c: char| c.is_ascii_digit());
    row.cells.iter().find_map(|cell| {
        let CellValue::Text(text) = &cell.value else {
            return None;
        };
        let text = tidy(text).to_lowercase();
        let first = text.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        let whole = match first {
            "tổng" => true,
            "cộng" => false,
            _ => return None,
        };
        let alone = text.len() == first.len() || text[first.len()..].starts_with(':');
        (alone || numbered || text.starts_with("tổng cộng") || text.starts_with("tổng số"))
            .then_some((cell.position, whole))
    })
}

/// Reads totals such as "Tổng cộng: 135 đảng viên, trong đó 134 chính thức".
/// A clause counts if it holds exactly one number.
pub(super) fn totals(row: &SheetRow) -> DeclaredTotal {
    let mut totals = DeclaredTotal { row: row.number, ..DeclaredTotal::default() };
    let text = sentence(row);
    for clause in text.split([',', ';', '(', ')']).flat_map(|part| part.split("trong đó")) {
        let Some(number) = only_number(clause) else {
            continue;
        };
        let place = if clause.contains("chính thức") {
            &mut totals.official
        } else if clause.contains("dự bị") {
            &mut totals.probationary
        } else if clause.contains("miễn") {
            &mut totals.exempt
        } else if clause.contains("tổng") || clause.contains("cộng") {
            &mut totals.members
        } else {
            continue;
        };
        place.get_or_insert(number);
    }
    totals
}

/// The row as one line of text in lower case, with its numbers.
fn sentence(row: &SheetRow) -> String {
    let words: Vec<String> = row
        .cells
        .iter()
        .filter_map(|cell| match &cell.value {
            CellValue::Text(text) => Some(tidy(text).to_lowercase()),
            CellValue::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    words.join(" ")
}

/// The number in a clause that holds just one; `1.350` is one number.
fn only_number(clause: &str) -> Option<u32> {
    let mut numbers = clause
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|digits| digits.trim_matches('.').replace('.', ""))
        .filter(|digits| !digits.is_empty());
    let number = numbers.next()?.parse().ok()?;
    numbers.next().is_none().then_some(number)
}
