//! The heading row of a question table, and what each column holds.

use std::collections::BTreeMap;

use crate::kernel::text::fold;

use super::super::Reading;
use super::super::check::{MOST_OPTIONS, letter};
use super::super::fault::{FormatFault, Place};
use super::cells::{QuestionSheetRow, column_letters};

/// Rows in which a heading is looked for.
const SEARCHED: usize = 50;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum QuestionField {
    Ordinal,
    Text,
    /// The option of this position, or each row's own.
    Option(usize),
    OptionOfRow,
    /// The letter of the row's option.
    Label,
    Answer,
    Explanation,
    Topic,
    Difficulty,
    Kind,
}

/// A heading row.
#[derive(Debug)]
pub(super) struct Header {
    /// As Excel numbers it.
    pub row: u32,
    pub columns: BTreeMap<QuestionField, u32>,
    titles: BTreeMap<u32, String>,
    /// Columns that say the same as another.
    twice: Vec<u32>,
    ignored: Vec<u32>,
}

/// The first row that has a question, options and an answer.
pub(super) fn find(rows: &[QuestionSheetRow]) -> Option<Header> {
    rows.iter().take(SEARCHED).map(read).find(Header::is_complete)
}

fn read(row: &QuestionSheetRow) -> Header {
    let titles: BTreeMap<u32, String> = row.cells.iter().map(|(column, cell)| (*column, cell.text())).collect();
    let mut header =
        Header { row: row.number, columns: BTreeMap::new(), titles, twice: Vec::new(), ignored: Vec::new() };
    for (column, title) in &header.titles {
        match field(title) {
            Some(field) if header.columns.contains_key(&field) => header.twice.push(*column),
            Some(field) => {
                header.columns.insert(field, *column);
            }
            None => header.ignored.push(*column),
        }
    }
    header.settle_single_option();
    header
}

fn field(title: &str) -> Option<QuestionField> {
    let folded = fold(title);
    let exact = match folded.as_str() {
        "stt" | "tt" | "so tt" | "so thu tu" | "no" | "so cau" | "cau so" => QuestionField::Ordinal,
        "cau hoi" | "noi dung cau hoi" | "noi dung" | "cau hoi trac nghiem" | "question" | "question text" => {
            QuestionField::Text
        }
        "phuong an" | "phuong an tra loi" | "lua chon" | "cac phuong an" | "option" | "noi dung phuong an"
        | "noi dung dap an" | "cau tra loi" => QuestionField::OptionOfRow,
        "ky hieu" | "ky hieu phuong an" | "chu cai" => QuestionField::Label,
        "dap an" | "dap an dung" | "phuong an dung" | "tra loi dung" | "cau tra loi dung" | "dung" | "ket qua"
        | "correct" | "correct answer" | "answer" | "key" | "dung sai" | "lua chon dung" | "da" => {
            QuestionField::Answer
        }
        "giai thich" | "loi giai" | "giai thich dap an" | "huong dan" | "huong dan giai" | "explanation"
        | "feedback" => QuestionField::Explanation,
        "chu de" | "chuyen de" | "topic" | "category" => QuestionField::Topic,
        "do kho" | "muc do" | "muc do kho" | "difficulty" | "level" => QuestionField::Difficulty,
        "loai" | "loai cau hoi" | "kind" | "type" => QuestionField::Kind,
        _ => return numbered(&folded),
    };
    Some(exact)
}

/// "A", "Phương án A", "Đáp án 1", "Lựa chọn B", "Option 3".
fn numbered(folded: &str) -> Option<QuestionField> {
    let mut words = folded.split(' ').rev();
    let label = words.next()?;
    let before: Vec<&str> = words.rev().collect();
    let named = matches!(
        before.join(" ").as_str(),
        "" | "phuong an" | "dap an" | "lua chon" | "tra loi" | "cau tra loi" | "option" | "answer" | "choice" | "pa"
    );
    let by_letter = (0..MOST_OPTIONS).find(|at| label == letter(*at).to_ascii_lowercase().to_string());
    // A heading that is only a number is no option: it may count anything.
    let by_number = (1..=MOST_OPTIONS).find(|number| !before.is_empty() && label == number.to_string());
    by_letter.or(by_number.map(|number| number - 1)).filter(|_| named).map(QuestionField::Option)
}

impl Header {
    /// "Phương án" beside "Đúng" holds an option a row; beside A, B, C it is not read.
    fn settle_single_option(&mut self) {
        if self.option_columns().next().is_some()
            && let Some(column) = self.columns.remove(&QuestionField::OptionOfRow)
        {
            self.ignored.push(column);
        }
        // With an option a row, a lone "Đáp án" beside "Đúng" is the option.
    }

    fn is_complete(&self) -> bool {
        let options = self.option_columns().count() >= 2 || self.columns.contains_key(&QuestionField::OptionOfRow);
        self.columns.contains_key(&QuestionField::Text) && options && self.columns.contains_key(&QuestionField::Answer)
    }

    /// Positions of options and their columns.
    pub fn option_columns(&self) -> impl Iterator<Item = (usize, u32)> {
        self.columns.iter().filter_map(|(field, column)| match field {
            QuestionField::Option(position) => Some((*position, *column)),
            _ => None,
        })
    }

    /// The heading of a column, or its letter.
    pub fn title(&self, column: u32) -> String {
        self.titles.get(&column).cloned().unwrap_or_else(|| column_letters(column))
    }

    /// Names columns that are not read.
    pub fn notices(&self, sheet: &Place, reading: &mut Reading) {
        for column in &self.ignored {
            let place = Place { row: Some(self.row), column: Some(self.title(*column)), ..sheet.clone() };
            let (vi, en) = ("cột không được đọc", "the column was not read");
            reading.notices.push(FormatFault::new(&place, "column_not_read", vi, en));
        }
    }

    /// Whether the headings have one reading; adds the faults when not.
    pub fn faults(&self, sheet: &Place, reading: &mut Reading) -> bool {
        for column in &self.twice {
            let place = Place { row: Some(self.row), column: Some(column_letters(*column)), ..sheet.clone() };
            let (vi, en) = ("hai cột có cùng ý nghĩa", "two columns have the same meaning");
            reading.faults.push(FormatFault::new(&place, "column_twice", vi, en));
        }
        let positions: Vec<usize> = self.option_columns().map(|(position, _)| position).collect();
        let gap = positions.iter().enumerate().find(|(index, position)| index != *position);
        if gap.is_some() {
            let place = Place { row: Some(self.row), ..sheet.clone() };
            let (vi, en) = ("các cột phương án không liên tục từ A", "the option columns do not run on from A");
            reading.faults.push(FormatFault::new(&place, "option_column_missing", vi, en));
        }
        self.twice.is_empty() && gap.is_none()
    }
}
