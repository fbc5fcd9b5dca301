//! Text of files for search, reading time and large type; read in a child process.

mod docx;
mod office;
mod pdf;
mod xlsx;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::config::Config;
use crate::kernel::foreign::{self, Bounds, Task};
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::text::many_lines;

use super::model::{MarkingPlace, Media, carries_secret_marking, words};

/// Characters of one file that are kept.
const MOST_KEPT: usize = 200_000;
/// Characters of one file that are read at all.
const MOST_READ: usize = 20_000_000;

/// What a file may cost: one page after the other needs little, a bomb gets no more.
const BOUNDS: Bounds = Bounds { memory: 768 << 20, cpu_seconds: 60, wall: Duration::from_secs(120), output: 8 << 20 };

/// Why a file gave no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTextReason {
    /// It needs a password.
    Encrypted,
    /// It is not intact, or reading it takes too much memory or time.
    Damaged,
    /// It has more pages, parts or text than is read.
    TooLarge,
    /// It holds pictures only, as a scanner makes them.
    NoText,
}

impl NoTextReason {
    /// The name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
            Self::NoText => "no_text",
        }
    }
}

/// What reading a file came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// At most 200,000 characters.
    pub text: String,
    /// Words of the whole text.
    pub words: i32,
    pub pages: Option<i32>,
    /// Why there is no text.
    pub reason: Option<NoTextReason>,
    /// Whether a marking of state secrecy stands in the text, beside it or in the metadata.
    pub marked: bool,
}

/// Text as it is read.
#[derive(Debug, Default)]
struct ExtractedText {
    /// Headers, footers and metadata: looked at for markings, never shown as text.
    apart: String,
    body: String,
    pages: Option<i32>,
}

impl ExtractedText {
    fn add(&mut self, piece: &str) -> Result<(), NoTextReason> {
        self.body.push_str(piece);
        if self.body.len() > MOST_READ { Err(NoTextReason::TooLarge) } else { Ok(()) }
    }

    fn add_apart(&mut self, piece: &str) {
        self.apart.push_str(piece);
        self.apart.push('\n');
    }

    fn is_empty(&self) -> bool {
        !self.body.chars().any(char::is_alphanumeric)
    }
}

/// Whether text is read from files of this type.
pub fn is_read(media: Media) -> bool {
    matches!(media, Media::Pdf | Media::Docx | Media::Xlsx)
}

/// Reads a file in a child process. A file that ends its reader is damaged.
///
/// # Errors
/// 503 when too many files wait.
pub async fn extract(config: &Config, media: Media, bytes: &[u8]) -> Result<Extracted, Problem> {
    let settings = serde_json::to_string(media.as_str()).map_err(Problem::internal)?;
    let task = Task { kind: "document", settings: &settings, bounds: BOUNDS };
    match foreign::parse(config, task, bytes).await {
        Err(problem) if problem.code == Code::FileUnreadable => Ok(unread(NoTextReason::Damaged)),
        other => other,
    }
}

/// What the reader's process answers about a file.
///
/// # Errors
/// When the settings are not those that [`extract`] writes.
pub fn answer(settings: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let media: String = serde_json::from_str(settings).map_err(|e| e.to_string())?;
    let media = Media::of_content_type(&media).ok_or("unknown media type")?;
    serde_json::to_vec(&read(media, bytes)).map_err(|e| e.to_string())
}

fn read(media: Media, bytes: &[u8]) -> Extracted {
    let text = match media {
        Media::Pdf => pdf::read(bytes),
        Media::Docx => docx::read(bytes),
        Media::Xlsx => xlsx::read(bytes),
        Media::Png | Media::Jpeg | Media::Mp3 => Err(NoTextReason::NoText),
    };
    text.map_or_else(unread, finish)
}

fn unread(reason: NoTextReason) -> Extracted {
    Extracted { text: String::new(), words: 0, pages: None, reason: Some(reason), marked: false }
}

fn finish(text: ExtractedText) -> Extracted {
    let marked = [&text.body, &text.apart].into_iter().any(|text| carries_secret_marking(text, MarkingPlace::Text));
    let body = many_lines(&text.body);
    let reason = text.is_empty().then_some(NoTextReason::NoText);
    Extracted { words: words(&body), pages: text.pages, reason, marked, text: shortened(&body) }
}

/// The text without more than one empty line in a row, as far as it is kept.
fn shortened(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MOST_KEPT * 2));
    let (mut count, mut empty) = (0, 0);
    for line in text.lines() {
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        let length = line.chars().count() + 1;
        if empty > 1 {
            continue;
        }
        if count + length > MOST_KEPT {
            out.extend(line.chars().take(MOST_KEPT - count));
            break;
        }
        out.push_str(line);
        out.push('\n');
        count += length;
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests;
