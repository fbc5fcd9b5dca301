//! A line of a document: characters and how each looks.

/// How a character looks, as far as it may mark an option. Zero is the usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub bold: bool,
    pub underlined: bool,
    pub colour: u32,
    pub highlight: u32,
}

/// A line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    pub chars: Vec<(char, Look)>,
    /// Whether it shows more than text.
    pub picture: bool,
}

impl Line {
    pub fn push(&mut self, text: &str, look: Look) {
        self.chars.extend(text.chars().map(|c| (c, look)));
    }

    pub fn append(&mut self, other: Self) {
        self.chars.extend(other.chars);
        self.picture |= other.picture;
    }

    /// The characters alone; tabs and other white space are kept, one character each.
    pub fn text(&self) -> String {
        self.chars.iter().map(|(c, _)| *c).collect()
    }

    pub fn is_blank(&self) -> bool {
        self.chars.iter().all(|(c, _)| c.is_whitespace())
    }

    /// Without white space at its beginning.
    pub fn trimmed(mut self) -> Self {
        let spaces = self.chars.iter().take_while(|(c, _)| c.is_whitespace()).count();
        self.chars.drain(..spaces);
        self
    }
}
