//! Question files of other programs, read into one model and written from it.
//!
//! Everything here is pure: bytes go in; questions, or the complete list of what is wrong, come out. A file may be
//! hostile, so the server reads it in a process of its own. What has two readings is a fault and never a guess; what
//! a format has and a bank has not (essays, numbers, images) is named in a notice and skipped.

mod aiken;
mod category;
mod check;
mod excel;
mod fault;
mod gift;
mod markup;
mod moodle;
mod weights;
mod word;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use check::{Draft as QuestionDraft, DraftOption, identity};
pub use fault::{FormatFault, Place, Unreadable};

/// Most questions of one file.
pub const MOST_QUESTIONS: usize = 2_000;

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One option is right.
    SingleChoice,
    /// One or more options are right; all of them are asked for.
    MultipleChoice,
    /// Đúng or Sai.
    TrueFalse,
}

/// An option of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedOption {
    pub text: String,
    pub correct: bool,
}

/// A question that a file holds, checked and in one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedQuestion {
    /// Where it stands in its file.
    pub place: Place,
    pub kind: Kind,
    pub text: String,
    pub options: Vec<ImportedOption>,
    pub explanation: Option<String>,
    pub topic: Option<String>,
    /// 1 (easy) to 5 (hard).
    pub difficulty: Option<u8>,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    pub questions: Vec<ImportedQuestion>,
    /// What was skipped without harm.
    pub notices: Vec<FormatFault>,
    /// What is wrong. With any, nothing of the file counts.
    pub faults: Vec<FormatFault>,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Xlsx,
    Docx,
    Aiken,
    Gift,
    MoodleXml,
}

/// Reads a file.
///
/// # Errors
/// When the file as a whole is not of its format. What is wrong with single questions is part of the reading.
pub fn read(format: Format, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let mut reading = match format {
        Format::Xlsx => excel::read(bytes)?,
        Format::Docx => word::read(bytes)?,
        Format::Aiken => aiken::read(text_of(bytes)?),
        Format::Gift => gift::read(text_of(bytes)?),
        Format::MoodleXml => moodle::read(text_of(bytes)?)?,
    };
    if reading.questions.is_empty() && reading.faults.is_empty() && reading.notices.is_empty() {
        return Err(Unreadable::NoQuestions);
    }
    if reading.questions.len() > MOST_QUESTIONS {
        return Err(Unreadable::TooMany);
    }
    check::same_question_twice(&mut reading);
    Ok(reading)
}

/// Writes questions as a file of the format; Word is only read.
///
/// # Errors
/// Names each question that the format cannot express.
pub fn write(format: Format, questions: &[ImportedQuestion]) -> Result<Vec<u8>, Vec<FormatFault>> {
    match format {
        Format::Xlsx | Format::Docx => excel::write(questions),
        Format::Aiken => aiken::write(questions).map(String::into_bytes),
        Format::Gift => Ok(gift::write(questions).into_bytes()),
        Format::MoodleXml => Ok(moodle::write(questions).into_bytes()),
    }
}

/// Text files are UTF-8, with or without a byte order mark.
fn text_of(bytes: &[u8]) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotUnicode)?;
    Ok(text.trim_start_matches('\u{feff}'))
}
