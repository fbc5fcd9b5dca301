//! A GIFT file as blocks between blank lines, with the category and the tags that hold for each.

use super::super::category;

/// The text of one question.
pub(super) struct GiftBlock {
    /// The line where it begins.
    pub line: u32,
    pub text: String,
    pub topic: Option<String>,
    pub difficulty: Option<u8>,
}

/// Splits a file.
pub(super) fn blocks(text: &str) -> Vec<GiftBlock> {
    let mut splitter = Splitter::default();
    for (number, line) in (1..).zip(text.lines()) {
        splitter.line(number, line);
    }
    splitter.end();
    splitter.blocks
}

#[derive(Default)]
struct Splitter {
    blocks: Vec<GiftBlock>,
    topic: Option<String>,
    difficulty: Option<u8>,
    first_line: u32,
    lines: Vec<String>,
    /// Whether a brace is open: answers may have blank lines between them.
    open: bool,
}

impl Splitter {
    fn line(&mut self, number: u32, line: &str) {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix("//") {
            self.difficulty = tags(comment).find_map(category::difficulty).or(self.difficulty);
        } else if let Some(path) = trimmed.strip_prefix("$CATEGORY:").filter(|_| !self.open) {
            self.end();
            self.topic = category::topic(path);
        } else if trimmed.is_empty() && !self.open {
            self.end();
        } else if !trimmed.is_empty() {
            if self.lines.is_empty() {
                self.first_line = number;
            }
            self.open = braces(line, self.open);
            self.lines.push(line.to_owned());
        }
    }

    fn end(&mut self) {
        self.open = false;
        if self.lines.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.lines).join("\n");
        let (topic, difficulty) = (self.topic.clone(), self.difficulty.take());
        self.blocks.push(GiftBlock { line: self.first_line, text, topic, difficulty });
    }
}

/// Whether a brace is open behind the line.
fn braces(line: &str, mut open: bool) -> bool {
    for (c, escaped) in super::characters::unescaped(line) {
        match c {
            '{' if !escaped => open = true,
            '}' if !escaped => open = false,
            _ => {}
        }
    }
    open
}

/// The tags of a comment: `[tag:name]`.
fn tags(comment: &str) -> impl Iterator<Item = &str> {
    comment.split("[tag:").skip(1).filter_map(|rest| rest.split_once(']')).map(|(tag, _)| tag)
}
