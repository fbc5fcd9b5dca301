//! Reading an uploaded question file: in a process of its own, within bounds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::config::Config;
use crate::kernel::foreign::{self, Bounds, Task};
use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::quizzes::formats::{self, Format, Reading, Unreadable};

const BOUNDS: Bounds = Bounds { memory: 768 << 20, cpu_seconds: 60, wall: Duration::from_secs(120), output: 64 << 20 };
/// Faults told one by one; the rest are only counted.
const TOLD: usize = 1_000;
/// Kinds of faults that files have, as clients may rely on them.
const CODES: &[&str] = &[
    "answer_ambiguous",
    "answer_changed",
    "answer_invalid",
    "answer_missing",
    "answers_unclear",
    "brace_not_closed",
    "brace_unclear",
    "cell_changed",
    "column_twice",
    "difficulty_invalid",
    "explanation_too_long",
    "format_lacks_kind",
    "format_lacks_text",
    "key_contradicts",
    "key_unclear",
    "key_without_part",
    "legacy_encoding",
    "line_unclear",
    "number_repeated",
    "option_column_missing",
    "option_gap",
    "option_missing",
    "option_out_of_order",
    "option_too_long",
    "options_equal",
    "options_missing",
    "options_not_true_false",
    "options_run_together",
    "question_contradicts",
    "text_missing",
    "text_too_long",
    "too_many_options",
    "topic_too_long",
];

/// What the reader must know besides the file.
#[derive(Debug, Serialize, Deserialize)]
struct QuestionFileSettings {
    format: Format,
}

/// Reads a file.
///
/// # Errors
/// 422 when it cannot be read as a whole. What is wrong with single questions is part of the reading.
pub async fn read(config: &Config, format: Format, bytes: &[u8]) -> Result<Reading, Problem> {
    let settings = serde_json::to_string(&QuestionFileSettings { format }).map_err(Problem::internal)?;
    let task = Task { kind: "questions", settings: &settings, bounds: BOUNDS };
    let read: Result<Reading, Unreadable> = foreign::parse(config, task, bytes).await?;
    read.map_err(|error| Problem::with(Code::FileUnreadable, error.vi(), format!("The file cannot be read: {error}.")))
}

/// What the reader's process answers about a file.
///
/// # Errors
/// When the settings are not those that [`read`] writes.
pub fn answer(settings: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let QuestionFileSettings { format } = serde_json::from_str(settings).map_err(|e| e.to_string())?;
    serde_json::to_vec(&formats::read(format, bytes)).map_err(|e| e.to_string())
}

/// All faults of a file at once.
pub fn faulty(faults: &[formats::FormatFault]) -> Problem {
    let total = faults.len();
    let mut problem = Problem::faults(Code::QuestionsFaulty, faults.iter().take(TOLD).map(fault).collect());
    problem.detail = Some(text(
        format!("Tệp có {total} lỗi; chưa nhập gì."),
        format!("The file has {total} fault(s); nothing was imported."),
    ));
    problem
}

fn fault(fault: &formats::FormatFault) -> Fault {
    let (vi, en) = (fault.place.vi(), fault.place.en());
    let code = CODES.iter().copied().find(|code| *code == fault.code);
    debug_assert!(code.is_some(), "{} is not listed", fault.code);
    Fault {
        detail: text(sentence(&vi, &fault.vi), sentence(&en, &fault.en)),
        pointer: if en.is_empty() { "file".to_owned() } else { en },
        code: code.unwrap_or("question_invalid"),
    }
}

/// "Dòng 4: thiếu đáp án."
pub fn sentence(place: &str, words: &str) -> String {
    let whole = if place.is_empty() { words.to_owned() } else { format!("{place}: {words}") };
    let mut chars = whole.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect::<String>() + ".")
}
