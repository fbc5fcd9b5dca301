//! What an answer cell says: letters, numbers or a text. Readings that differ are a fault.

use std::collections::BTreeSet;

use super::super::check::{folded, letter};
use super::cells::Cell;

/// Positions of right options.
pub(super) type Right = BTreeSet<usize>;

/// Why an answer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongAnswer {
    Missing,
    /// Nothing it says is an option.
    Unknown,
    /// Two readings that differ.
    Ambiguous,
    /// A date or a decimal into which a program changed what was typed.
    Changed,
}

impl WrongAnswer {
    /// Code, Vietnamese, English.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Missing => ("answer_missing", "thiếu đáp án", "the answer is missing"),
            Self::Unknown => (
                "answer_invalid",
                "đáp án không phải là phương án nào của câu hỏi",
                "the answer is none of the question's options",
            ),
            Self::Ambiguous => (
                "answer_ambiguous",
                "đáp án có thể hiểu theo hai cách; hãy ghi chữ cái kèm nội dung, ví dụ \"B. nội dung\"",
                "the answer can be read in two ways; write letter and text, such as \"B. text\"",
            ),
            Self::Changed => (
                "answer_changed",
                "bảng tính đã đổi đáp án thành ngày hoặc số thập phân; hãy ghi bằng chữ cái",
                "the spreadsheet changed the answer into a date or a decimal; write letters",
            ),
        }
    }
}

/// Reads an answer; `options` are the texts by position.
pub(super) fn read(cell: Option<&Cell>, options: &[String]) -> Result<Right, WrongAnswer> {
    match cell {
        None => Err(WrongAnswer::Missing),
        Some(Cell::Date | Cell::Error) => Err(WrongAnswer::Changed),
        // "1,3" in a country with decimal commas.
        Some(Cell::Number(number)) if number.fract() != 0.0 => {
            by_text(&number.to_string(), options).map(|one| Right::from([one])).ok_or(WrongAnswer::Changed)
        }
        Some(Cell::Flag(flag)) => read_text(if *flag { "Đúng" } else { "Sai" }, options),
        Some(cell) => read_text(&cell.text(), options),
    }
}

fn read_text(raw: &str, options: &[String]) -> Result<Right, WrongAnswer> {
    let text = folded(raw);
    let readings: BTreeSet<Right> = [
        by_text(&text, options).map(|one| Right::from([one])),
        by_label_and_text(&text, options),
        by_letters(&text, options.len()),
        by_numbers(&text, options.len()),
        by_texts(raw, options),
        by_truth(&text, options),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut readings = readings.into_iter();
    match (readings.next(), readings.next()) {
        (Some(right), None) => Ok(right),
        (Some(_), Some(_)) => Err(WrongAnswer::Ambiguous),
        (None, _) => Err(WrongAnswer::Unknown),
    }
}

/// "b. nội dung", "b) nội dung", "b: nội dung": the text must be that option's.
fn by_label_and_text(text: &str, options: &[String]) -> Option<Right> {
    let mut chars = text.chars();
    let position = position_of_letter(chars.next()?, options.len())?;
    let own = chars.as_str().strip_prefix(['.', ')', ':'])?;
    (folded(own) == folded(&options[position])).then(|| Right::from([position]))
}

fn by_text(text: &str, options: &[String]) -> Option<usize> {
    options.iter().position(|option| folded(option) == folded(text))
}

/// "Đúng" where the options say TRUE and FALSE, and the other way round.
fn by_truth(text: &str, options: &[String]) -> Option<Right> {
    let truth = |text: &str| match folded(text).as_str() {
        "đúng" | "true" => Some(true),
        "sai" | "false" => Some(false),
        _ => None,
    };
    let wanted = truth(text)?;
    let [one, other] = options else { return None };
    let (one, other) = (truth(one)?, truth(other)?);
    (one != other).then(|| Right::from([usize::from(other == wanted)]))
}

fn position_of_letter(c: char, options: usize) -> Option<usize> {
    (0..options).find(|position| letter(*position) == c.to_ascii_uppercase())
}

/// "b", "b.", "a, c", "a;c", "a và c", "ac".
fn by_letters(text: &str, options: usize) -> Option<Right> {
    let text = without_words(text);
    let parts = parts(&text);
    let letters: Vec<char> = match &parts[..] {
        [one] => one.chars().collect(),
        parts => parts.iter().map(|part| only_char(part)).collect::<Option<_>>()?,
    };
    distinct(letters.into_iter().map(|c| position_of_letter(c, options)))
}

/// "2", "1, 3".
fn by_numbers(text: &str, options: usize) -> Option<Right> {
    let text = without_words(text);
    let position = |part: &str| part.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < options);
    distinct(parts(&text).into_iter().map(position))
}

/// Several texts of options, a line or a semicolon apart.
fn by_texts(text: &str, options: &[String]) -> Option<Right> {
    let parts: Vec<&str> = text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect();
    (parts.len() > 1).then_some(())?;
    distinct(parts.into_iter().map(|part| by_text(part, options)))
}

fn distinct(positions: impl Iterator<Item = Option<usize>>) -> Option<Right> {
    let positions: Vec<usize> = positions.collect::<Option<_>>()?;
    let right: Right = positions.iter().copied().collect();
    (!right.is_empty() && right.len() == positions.len()).then_some(right)
}

/// Without "đáp án", "phương án" and "câu" before the letters.
fn without_words(text: &str) -> String {
    let mut rest = text.trim();
    for word in ["đáp án", "phương án", "câu", "chọn", "answer", "option"] {
        rest = rest.strip_prefix(word).map_or(rest, |rest| rest.trim_start_matches([' ', ':']));
    }
    rest.replace(" và ", ",").replace(" and ", ",")
}

fn parts(text: &str) -> Vec<&str> {
    text.split([',', ';', '+', '&', '/', ' ', '\n'])
        .map(|part| part.trim_end_matches(['.', ')']))
        .filter(|part| !part.is_empty())
        .collect()
}

fn only_char(part: &str) -> Option<char> {
    let mut chars = part.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// A cell that names these options and no others.
pub(super) fn written(right: &Right, options: &[String]) -> Option<String> {
    let letters = right.iter().map(|at| letter(*at).to_string()).collect::<Vec<_>>().join(", ");
    let numbers = right.iter().map(|at| (at + 1).to_string()).collect::<Vec<_>>().join(", ");
    let labelled = right.first().map(|at| format!("{}. {}", letter(*at), options[*at])).unwrap_or_default();
    let texts = right.iter().map(|at| options[*at].clone()).collect::<Vec<_>>().join("; ");
    [letters, numbers, labelled, texts].into_iter().find(|cell| read_text(cell, options).as_ref() == Ok(right))
}
