//! The lines of a document as questions, options and explanations.

use super::super::check::letter;
use super::super::fault::{FormatFault, Place};
use super::blocks::WordBlock;
use super::keys::{self, AnswerKeys};
use super::labels;
use super::line::Line;
use super::marks::Looks;

/// A question as the document has it.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub number: u32,
    /// The part it stands in.
    pub part: Option<usize>,
    pub topic: Option<String>,
    pub text: Vec<String>,
    pub options: Vec<RawOption>,
    /// Letters written next to it: "Đáp án: B".
    pub stated: Vec<usize>,
    pub explanation: Option<Vec<String>>,
    pub picture: bool,
    pub faults: Vec<FormatFault>,
}

/// An option and how it looks.
#[derive(Debug)]
pub(super) struct RawOption {
    pub text: String,
    pub looks: Looks,
}

impl Raw {
    pub fn place(&self) -> Place {
        Place::question(self.number)
    }

    pub fn fault(&mut self, code: &str, vi: impl Into<String>, en: impl Into<String>) {
        self.faults.push(FormatFault::new(&self.place(), code, vi, en));
    }
}

/// What a document holds.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub questions: Vec<Raw>,
    pub keys: AnswerKeys,
    pub faults: Vec<FormatFault>,
    pub notices: Vec<FormatFault>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Section {
    Questions,
    Keys,
    /// Behind the end, until a table of answers.
    Ended,
    /// Solutions behind the table of answers.
    Solutions,
}

/// Reads the blocks of a document.
pub(super) fn read(blocks: &[WordBlock]) -> Document {
    let worded = blocks.iter().any(|block| match block {
        WordBlock::Line(line) => labels::question(line.text().trim()).is_some_and(|start| start.worded),
        WordBlock::Table(table) => {
            table.lines().iter().any(|line| labels::question(line.text().trim()).is_some_and(|start| start.worded))
        }
    });
    let mut reader = QuestionReader {
        worded,
        section: Section::Questions,
        parts: 0,
        key_part: None,
        topic: None,
        document: Document::default(),
    };
    for block in blocks {
        match block {
            WordBlock::Line(line) => reader.line(line.clone().trimmed()),
            WordBlock::Table(table) => match keys::grid(&table.grid()) {
                Some(pairs) => reader.document.keys.add(reader.key_part, pairs),
                None => table.lines().into_iter().for_each(|line| reader.line(line.trimmed())),
            },
        }
    }
    reader.document
}

struct QuestionReader {
    /// Whether questions begin with a word, so that a bare number begins none.
    worded: bool,
    section: Section,
    parts: usize,
    key_part: Option<usize>,
    topic: Option<String>,
    document: Document,
}

impl QuestionReader {
    fn line(&mut self, line: Line) {
        let text = line.text().trim().to_owned();
        if text.is_empty() && !line.picture {
            return;
        }
        if labels::answer_table(&text) {
            self.section = Section::Keys;
            self.key_part = None;
            // The first answers may stand on the heading's own line.
            self.document.keys.add(None, keys::pairs(&text).unwrap_or_default());
            return;
        }
        match self.section {
            Section::Questions => self.question_line(line, &text),
            Section::Keys => self.key_line(&text),
            Section::Ended | Section::Solutions => {}
        }
    }

    fn key_line(&mut self, text: &str) {
        if labels::part(text).is_some() {
            self.key_part = Some(self.key_part.map_or(1, |part| part + 1));
        } else if labels::explanation(text).is_some() || labels::end(text) {
            self.section = Section::Solutions;
            let (vi, en) = ("phần sau bảng đáp án không được đọc", "what follows the table of answers was not read");
            self.document.notices.push(FormatFault::new(&Place::default(), "rest_not_read", vi, en));
        } else {
            match keys::pairs(text) {
                Some(pairs) => self.document.keys.add(self.key_part, pairs),
                None => {
                    let vi = format!("không đọc được dòng trong bảng đáp án: \"{}\"", shortened(text));
                    let en = format!("a line of the table of answers cannot be read: \"{}\"", shortened(text));
                    self.document.faults.push(FormatFault::new(&Place::default(), "key_unclear", vi, en));
                }
            }
        }
    }

    fn question_line(&mut self, line: Line, text: &str) {
        if labels::end(text) {
            self.section = Section::Ended;
            return;
        }
        if let Some(title) = labels::part(text) {
            self.parts += 1;
            self.topic = title;
            return;
        }
        if let Some(start) = labels::question(text).filter(|start| start.worded || !self.worded) {
            let number = start.number;
            let part = (self.parts > 0).then_some(self.parts);
            self.document.questions.push(Raw { number, part, topic: self.topic.clone(), ..Raw::default() });
            let rest = Line { chars: line.chars.into_iter().skip(start.length).collect(), picture: line.picture };
            self.content(&rest);
            return;
        }
        self.content(&line);
    }

    /// A line of the question that is being read; what stands before the first is the title.
    fn content(&mut self, line: &Line) {
        let Some(question) = self.document.questions.last_mut() else { return };
        question.picture |= line.picture;
        let text = line.text().trim().to_owned();
        if text.is_empty() {
            return;
        }
        if let Some(rest) = labels::explanation(&text) {
            question.explanation.get_or_insert_default().push(rest);
            return;
        }
        if let Some(answer) = labels::stated_answer(&text) {
            question.stated.push(answer);
            return;
        }
        if let Some(explanation) = &mut question.explanation {
            explanation.push(text);
            return;
        }
        let (before, options) = super::marks::split(line, question.options.len());
        let before = before.trim();
        if !before.is_empty() && question.options.is_empty() {
            question.text.push(before.to_owned());
        } else if !before.is_empty() {
            let out_of_order = before.chars().next().and_then(labels::position).is_some()
                && before.chars().nth(1).is_some_and(|c| matches!(c, '.' | ')'));
            if out_of_order {
                let expected = letter(question.options.len());
                question.fault(
                    "option_out_of_order",
                    format!("phương án không theo thứ tự, cần phương án {expected}: \"{}\"", shortened(before)),
                    format!("the option is out of order, {expected} is expected: \"{}\"", shortened(before)),
                );
            } else {
                question.fault(
                    "line_unclear",
                    format!("không rõ dòng này thuộc phần nào: \"{}\"", shortened(before)),
                    format!("it is unclear what this line belongs to: \"{}\"", shortened(before)),
                );
            }
        }
        question.options.extend(options);
    }
}

/// The beginning of a text, for messages.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
