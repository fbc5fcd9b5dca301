//! What is wrong with a question file, and where, in words that an officer can act on.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where something stands in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The sheet, when a workbook has several.
    pub sheet: Option<String>,
    /// The row as a spreadsheet numbers it, from 1.
    pub row: Option<u32>,
    /// The column's heading or letter.
    pub column: Option<String>,
    /// The line of a text file, from 1.
    pub line: Option<u32>,
    /// The question as the file numbers or counts it.
    pub question: Option<String>,
}

impl Place {
    pub fn line(line: u32) -> Self {
        Self { line: Some(line), ..Self::default() }
    }

    pub fn question(question: impl ToString) -> Self {
        Self { question: Some(question.to_string()), ..Self::default() }
    }

    fn named(&self, [sheet, row, column, line, question]: [&str; 5]) -> String {
        let parts = [
            self.sheet.as_ref().map(|name| format!("{sheet} \"{name}\"")),
            self.row.map(|row_number| format!("{row} {row_number}")),
            self.column.as_ref().map(|name| format!("{column} \"{name}\"")),
            self.line.map(|number| format!("{line} {number}")),
            self.question.as_ref().map(|number| format!("{question} {number}")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The place in Vietnamese, empty when there is none.
    #[must_use]
    pub fn vi(&self) -> String {
        self.named(["trang", "dòng", "cột", "dòng", "câu"])
    }

    /// The place in English, empty when there is none.
    #[must_use]
    pub fn en(&self) -> String {
        self.named(["sheet", "row", "column", "line", "question"])
    }
}

/// One thing that is wrong or was skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FormatFault {
    pub place: Box<Place>,
    /// Stable name of the kind of fault, in snake case.
    pub code: String,
    /// What is wrong, in Vietnamese.
    pub vi: String,
    /// What is wrong, in English.
    pub en: String,
}

impl FormatFault {
    pub fn new(place: &Place, code: &str, vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self { place: Box::new(place.clone()), code: code.to_owned(), vi: vi.into(), en: en.into() }
    }

    /// About a kind of question that banks have not.
    pub fn skipped(place: &Place, what: &str) -> Self {
        Self::new(
            place,
            "question_skipped",
            format!("không nhập được loại câu hỏi này ({what}), đã bỏ qua"),
            format!("this kind of question ({what}) is not supported and was skipped"),
        )
    }

    /// About a question with pictures.
    pub fn image(place: &Place) -> Self {
        Self::new(
            place,
            "image_skipped",
            "câu hỏi có hình hoặc công thức, đã bỏ qua",
            "the question has an image or a formula and was skipped",
        )
    }
}

/// Why a file as a whole cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Unreadable {
    /// Bytes that are no UTF-8 text.
    #[error("the file is not UTF-8 text")]
    NotUnicode,
    /// No intact file of the format.
    #[error("the file is not an intact {0} file")]
    Damaged(String),
    /// No sheet has the columns of a question table.
    #[error("no sheet has a heading row with a question, its options and its answer")]
    NoHeader,
    /// Nothing in it is a question.
    #[error("the file has no questions")]
    NoQuestions,
    /// Beyond what one file may hold.
    #[error("the file has more than 2,000 questions")]
    TooMany,
}

impl Unreadable {
    /// The same in Vietnamese.
    #[must_use]
    pub fn vi(&self) -> String {
        match self {
            Self::NotUnicode => "Tệp văn bản không theo bảng mã UTF-8.".to_owned(),
            Self::Damaged(format) => format!("Tệp không phải là tệp {format} nguyên vẹn."),
            Self::NoHeader => "Không tìm thấy dòng tiêu đề có cột câu hỏi, các phương án và đáp án.".to_owned(),
            Self::NoQuestions => "Tệp không có câu hỏi nào.".to_owned(),
            Self::TooMany => "Tệp có quá 2.000 câu hỏi; hãy tách thành nhiều tệp.".to_owned(),
        }
    }
}
