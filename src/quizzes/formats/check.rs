//! What every question must meet, whatever file it comes from.

use std::collections::{HashMap, HashSet};

use crate::kernel::text::{legacy_encoding, many_lines, one_line};

use super::fault::{FormatFault, Place};
use super::{ImportedOption, ImportedQuestion, Kind, Reading};

/// Options of a question.
pub const MOST_OPTIONS: usize = 10;
const TEXT_CHARACTERS: usize = 2_000;
const OPTION_CHARACTERS: usize = 1_000;
const EXPLANATION_CHARACTERS: usize = 4_000;
const TOPIC_CHARACTERS: usize = 200;
const RIGHT: &str = "Đúng";
const WRONG: &str = "Sai";

/// A question as a file states it.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub place: Place,
    /// None when only the number of right options tells.
    pub kind: Option<Kind>,
    pub text: String,
    pub options: Vec<DraftOption>,
    pub explanation: Option<String>,
    pub topic: Option<String>,
    pub difficulty: Option<u8>,
}

/// An option as a file states it.
#[derive(Debug, Clone)]
pub struct DraftOption {
    pub text: String,
    pub correct: bool,
}

impl Draft {
    /// Options of a statement to be judged.
    pub fn judged(true_is_right: bool) -> Vec<DraftOption> {
        let option = |text: &str, correct| DraftOption { text: text.to_owned(), correct };
        vec![option(RIGHT, true_is_right), option(WRONG, !true_is_right)]
    }

    /// The question in one form, or everything that is wrong with it.
    ///
    /// # Errors
    /// Each fault at the draft's place.
    pub fn check(self) -> Result<ImportedQuestion, Vec<FormatFault>> {
        let mut faults = Faults { place: &self.place, list: Vec::new() };
        let text = lines(&self.text);
        faults.length("text", "nội dung câu hỏi", "text of the question", &text, TEXT_CHARACTERS);
        let options: Vec<ImportedOption> = self.options.iter().map(normal_option).collect();
        faults.options(&options);
        let explanation = self.explanation.map(|text| lines(&text)).filter(|text| !text.is_empty());
        if let Some(explanation) = &explanation {
            faults.length("explanation", "lời giải thích", "explanation", explanation, EXPLANATION_CHARACTERS);
        }
        let topic = self.topic.map(|topic| one_line(&topic)).filter(|topic| !topic.is_empty());
        if let Some(topic) = &topic {
            faults.length("topic", "chủ đề", "topic", topic, TOPIC_CHARACTERS);
        }
        if self.difficulty.is_some_and(|level| !(1..=5).contains(&level)) {
            faults.add("difficulty_invalid", "mức độ phải từ 1 đến 5", "the difficulty is 1 to 5");
        }
        let kind = faults.kind(self.kind, &options);
        if !faults.list.is_empty() {
            return Err(faults.list);
        }
        let options = if kind == Kind::TrueFalse { in_order(options) } else { options };
        let (place, difficulty) = (self.place.clone(), self.difficulty);
        Ok(ImportedQuestion { place, kind, text, options, explanation, topic, difficulty })
    }

    /// Adds the question, or its faults, to a reading.
    pub fn into_reading(self, reading: &mut Reading) {
        match self.check() {
            Ok(question) => reading.questions.push(question),
            Err(faults) => reading.faults.extend(faults),
        }
    }
}

/// A text of several lines without empty ones.
fn lines(text: &str) -> String {
    let text = many_lines(text);
    let lines: Vec<String> = text.lines().map(one_line).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn normal_option(option: &DraftOption) -> ImportedOption {
    ImportedOption { text: one_line(&option.text), correct: option.correct }
}

/// Đúng before Sai, as they are always shown.
fn in_order(mut options: Vec<ImportedOption>) -> Vec<ImportedOption> {
    options.sort_by_key(|option| option.text != RIGHT);
    options
}

fn is_judged(options: &[ImportedOption]) -> bool {
    let [one, other] = options else { return false };
    (one.text == RIGHT && other.text == WRONG) || (one.text == WRONG && other.text == RIGHT)
}

struct Faults<'a> {
    place: &'a Place,
    list: Vec<FormatFault>,
}

impl Faults<'_> {
    fn add(&mut self, code: &str, vi: impl Into<String>, en: impl Into<String>) {
        self.list.push(FormatFault::new(self.place, code, vi, en));
    }

    fn length(&mut self, field: &str, vi: &str, en: &str, text: &str, most: usize) {
        if text.is_empty() {
            self.add(&format!("{field}_missing"), format!("thiếu {vi}"), format!("the {en} is missing"));
        } else if text.chars().count() > most {
            let code = format!("{field}_too_long");
            self.add(&code, format!("{vi} dài quá {most} ký tự"), format!("the {en} is longer than {most} characters"));
        }
        if legacy_encoding(text).is_some() {
            self.add(
                "legacy_encoding",
                format!("{vi} có vẻ gõ bằng bảng mã cũ (TCVN3 hoặc VNI); hãy chuyển sang Unicode"),
                format!("the {en} seems to be in an encoding before Unicode (TCVN3 or VNI)"),
            );
        }
    }

    fn options(&mut self, options: &[ImportedOption]) {
        if options.len() < 2 {
            self.add("options_missing", "cần ít nhất hai phương án", "at least two options are needed");
        }
        if options.len() > MOST_OPTIONS {
            self.add("too_many_options", "nhiều nhất 10 phương án", "at most 10 options are allowed");
        }
        let mut seen = HashMap::new();
        for (position, option) in options.iter().enumerate() {
            self.length("option", "nội dung phương án", "text of an option", &option.text, OPTION_CHARACTERS);
            if let Some(first) = seen.insert(folded(&option.text), position).filter(|_| !option.text.is_empty()) {
                let (one, other) = (letter(first), letter(position));
                self.add(
                    "options_equal",
                    format!("phương án {one} và {other} giống nhau"),
                    format!("the options {one} and {other} are equal"),
                );
            }
        }
    }

    /// The kind, which must fit the number of right options.
    fn kind(&mut self, stated: Option<Kind>, options: &[ImportedOption]) -> Kind {
        let right = options.iter().filter(|option| option.correct).count();
        let judged = is_judged(options);
        let kind = match stated {
            Some(Kind::SingleChoice) | None if judged && right == 1 => Kind::TrueFalse,
            Some(kind) => kind,
            None if right > 1 => Kind::MultipleChoice,
            None => Kind::SingleChoice,
        };
        if right == 0 {
            self.add("answer_missing", "không rõ phương án đúng", "no option is marked as right");
        } else if right > 1 && kind != Kind::MultipleChoice {
            self.add(
                "answer_ambiguous",
                "câu hỏi một đáp án nhưng có nhiều phương án đúng",
                "several options are right, but the question has one answer",
            );
        }
        if kind == Kind::TrueFalse && !judged {
            let (vi, en) =
                ("câu đúng/sai chỉ có hai phương án Đúng và Sai", "a true/false question has the options Đúng and Sai");
            self.add("options_not_true_false", vi, en);
        }
        kind
    }
}

/// The letter of an option: A for the first.
pub(super) fn letter(position: usize) -> char {
    u8::try_from(position).ok().filter(|position| *position < 26).map_or('?', |position| char::from(b'A' + position))
}

/// As texts are compared: one line, small letters.
pub(super) fn folded(text: &str) -> String {
    one_line(text).to_lowercase()
}

/// What makes a question the same as another: its text and the set of its options, normalised.
#[must_use]
pub fn identity<'a>(text: &str, options: impl IntoIterator<Item = &'a str>) -> String {
    let mut options: Vec<String> = options.into_iter().map(folded).collect();
    options.sort_unstable();
    // No normalised text holds a control character.
    format!("{}\u{1}{}", folded(text), options.join("\u{2}"))
}

/// The same question twice: with one key the second is skipped, with different keys neither is believed.
pub(super) fn same_question_twice(reading: &mut Reading) {
    let mut first: HashMap<String, (HashSet<String>, Place)> = HashMap::new();
    let (notices, faults) = (&mut reading.notices, &mut reading.faults);
    reading.questions.retain(|question| {
        let identity = identity(&question.text, question.options.iter().map(|option| option.text.as_str()));
        let right: HashSet<String> =
            question.options.iter().filter(|option| option.correct).map(|option| folded(&option.text)).collect();
        let Some((known, place)) = first.get(&identity) else {
            first.insert(identity, (right, question.place.clone()));
            return true;
        };
        let (vi, en) = (place.vi(), place.en());
        if *known == right {
            let words =
                (format!("câu hỏi trùng với {vi}, đã bỏ qua"), format!("the same question as {en}; it was skipped"));
            notices.push(FormatFault::new(&question.place, "question_repeated", words.0, words.1));
        } else {
            let words = (
                format!("câu hỏi trùng với {vi} nhưng đáp án khác"),
                format!("the same question as {en}, with another answer"),
            );
            faults.push(FormatFault::new(&question.place, "question_contradicts", words.0, words.1));
        }
        false
    });
}
