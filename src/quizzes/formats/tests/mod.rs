//! Question files read and written.

mod excel;
mod hostile;
mod round_trip;
mod text;
mod word;

use super::{Format, ImportedQuestion, Reading, read};

fn reading(format: Format, bytes: &[u8]) -> Reading {
    read(format, bytes).unwrap()
}

/// Questions of a file without faults.
fn questions(format: Format, bytes: &[u8]) -> Vec<ImportedQuestion> {
    let reading = reading(format, bytes);
    assert_eq!(reading.faults, []);
    reading.questions
}

/// The letters of right options: "A", "AC".
fn right(question: &ImportedQuestion) -> String {
    let options = ('A'..).zip(&question.options);
    options.filter(|(_, option)| option.correct).map(|(letter, _)| letter).collect()
}

fn keys(questions: &[ImportedQuestion]) -> Vec<String> {
    questions.iter().map(right).collect()
}

/// Place and code of each fault.
fn faults(format: Format, bytes: &[u8]) -> Vec<(String, String)> {
    reading(format, bytes).faults.into_iter().map(|fault| (fault.place.en(), fault.code)).collect()
}

fn notices(reading: &Reading) -> Vec<&str> {
    reading.notices.iter().map(|notice| notice.code.as_str()).collect()
}
