//! Aiken: a question, options behind letters, and a line `ANSWER: C`.

use super::check::{Draft, DraftOption, letter};
use super::fault::{FormatFault, Place};
use super::{ImportedQuestion, Kind, Reading};

/// Reads an Aiken file.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut block = AikenBlock::default();
    for (number, line) in (1..).zip(text.lines()) {
        block.line(number, line.trim(), &mut reading);
    }
    block.end(&mut reading);
    reading
}

/// The question that is being read.
#[derive(Default)]
struct AikenBlock {
    first_line: u32,
    text: Vec<String>,
    options: Vec<String>,
    broken: bool,
}

impl AikenBlock {
    fn place(&self) -> Place {
        Place::line(self.first_line)
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.options.is_empty()
    }

    fn line(&mut self, number: u32, line: &str, reading: &mut Reading) {
        if line.is_empty() {
            return;
        }
        if let Some(answer) = answer(line) {
            self.answered(number, answer, reading);
            return;
        }
        if self.is_empty() {
            self.first_line = number;
        }
        match option(line) {
            // Before the first option, only "A." begins the options: "I. Quy định chung" may be a text.
            Some((label, text)) if !self.options.is_empty() || label == 'A' => {
                if label != letter(self.options.len()) {
                    let (vi, en) =
                        ("chữ cái của phương án không theo thứ tự", "the letter of the option is out of order");
                    self.wrong(number, "option_out_of_order", vi, en, reading);
                }
                self.options.push(text.to_owned());
            }
            _ if self.options.is_empty() => self.text.push(line.to_owned()),
            _ => {
                let (vi, en) = (
                    "dòng này không phải phương án cũng không phải ANSWER",
                    "the line is neither an option nor ANSWER",
                );
                self.wrong(number, "line_unclear", vi, en, reading);
            }
        }
    }

    fn wrong(&mut self, line: u32, code: &str, vi: &str, en: &str, reading: &mut Reading) {
        self.broken = true;
        reading.faults.push(FormatFault::new(&Place::line(line), code, vi, en));
    }

    fn answered(&mut self, number: u32, answer: &str, reading: &mut Reading) {
        let block = std::mem::take(self);
        let named = answer.trim_end_matches('.').to_ascii_uppercase();
        let right = (0..block.options.len()).find(|position| named == letter(*position).to_string());
        if right.is_none() {
            let (vi, en) =
                ("đáp án không phải là chữ cái của một phương án", "the answer is not the letter of an option");
            reading.faults.push(FormatFault::new(&Place::line(number), "answer_invalid", vi, en));
        }
        if right.is_none() || block.broken {
            return;
        }
        let option = |(position, text)| DraftOption { text, correct: right == Some(position) };
        let draft = Draft {
            place: block.place(),
            kind: Some(Kind::SingleChoice),
            text: block.text.join("\n"),
            options: block.options.into_iter().enumerate().map(option).collect(),
            ..Draft::default()
        };
        draft.into_reading(reading);
    }

    fn end(self, reading: &mut Reading) {
        if !self.is_empty() {
            let (vi, en) = ("câu hỏi không có dòng ANSWER", "the question has no ANSWER line");
            reading.faults.push(FormatFault::new(&self.place(), "answer_missing", vi, en));
        }
    }
}

/// What stands behind `ANSWER:`.
fn answer(line: &str) -> Option<&str> {
    let head = line.get(..7)?;
    head.eq_ignore_ascii_case("ANSWER:").then(|| line[7..].trim())
}

/// Letter and text of an option.
fn option(line: &str) -> Option<(char, &str)> {
    let mut chars = line.chars();
    let label = chars.next().filter(char::is_ascii_uppercase)?;
    let rest = chars.as_str().strip_prefix(['.', ')'])?;
    // "A.B. là ai" is a text.
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| (label, rest.trim()))
}

/// Writes an Aiken file.
pub(super) fn write(questions: &[ImportedQuestion]) -> Result<String, Vec<FormatFault>> {
    let mut faults = Vec::new();
    let mut out = String::new();
    for question in questions {
        match written(question) {
            Ok(text) => out.push_str(&text),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

fn written(question: &ImportedQuestion) -> Result<String, FormatFault> {
    let place = &question.place;
    let right: Vec<usize> = (0..question.options.len()).filter(|at| question.options[*at].correct).collect();
    let single = |_: &usize| question.kind != Kind::MultipleChoice;
    let Some(right) = right.first().copied().filter(|_| right.len() == 1).filter(single) else {
        let (vi, en) = ("Aiken không có câu nhiều đáp án", "Aiken has no questions with several answers");
        return Err(FormatFault::new(place, "format_lacks_kind", vi, en));
    };
    let inexpressible = || {
        let (vi, en) =
            ("nội dung câu hỏi không viết được bằng Aiken", "the text of the question cannot be written in Aiken");
        FormatFault::new(place, "format_lacks_text", vi, en)
    };
    let lines: Vec<&str> = question.text.lines().collect();
    if lines.iter().any(|line| answer(line).is_some() || option(line).is_some_and(|(label, _)| label == 'A')) {
        return Err(inexpressible());
    }
    let mut out = lines.join("\n") + "\n";
    for (position, option) in question.options.iter().enumerate() {
        out.push_str(&format!("{}. {}\n", letter(position), option.text));
    }
    Ok(out + &format!("ANSWER: {}\n\n", letter(right)))
}
