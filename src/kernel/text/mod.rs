//! The one normalisation of text: what people type is brought to one form wherever it enters.
//!
//! Each function is idempotent. One-line texts of JSON bodies pass through [`one_line`] where bodies are parsed
//! (`kernel/operations`), so a new field cannot forget it; other entries (sheets, queries, the command line) call
//! these functions themselves.

mod characters;
mod legacy;
mod likeness;
mod name;
mod password;
mod search;
mod syllable;

#[cfg(test)]
mod tests;

use unicode_normalization::UnicodeNormalization;

use characters::{is_ignorable, spelled};

pub use legacy::{LegacyEncoding, legacy_encoding};
pub use likeness::likeness;
pub use name::{is_name_character, title_case};
pub use password::{password, password_forms};
pub use search::{fold, search_words};

/// NFC, without control and format characters, with one spelling of Đ and of apostrophes. Spaces are kept.
fn visible(text: &str) -> String {
    if text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'`') {
        return text.to_owned();
    }
    let composed: String = text.nfc().collect();
    let mut out = String::with_capacity(composed.len());
    let unseen = |c: &char| is_ignorable(*c) || (c.is_control() && !c.is_whitespace());
    let mut rest = composed.chars().filter(|c| !unseen(c)).map(spelled).peekable();
    while let Some(c) = rest.next() {
        // A stroke typed as a mark of its own has no composed form.
        let stroke = matches!(c, 'D' | 'd') && rest.next_if(|next| matches!(next, '\u{335}' | '\u{336}')).is_some();
        out.push(match c {
            'D' if stroke => 'Đ',
            'd' if stroke => 'đ',
            c => c,
        });
    }
    out.nfc().collect()
}

/// A text of one line: NFC, single spaces, no control or format characters, one spelling of Đ and of apostrophes.
#[must_use]
pub fn one_line(text: &str) -> String {
    let visible = visible(text);
    let mut out = String::with_capacity(visible.len());
    for word in visible.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// A text of several lines: as [`one_line`], but lines and the spaces within them are kept.
#[must_use]
pub fn many_lines(text: &str) -> String {
    let visible = visible(&text.replace("\r\n", "\n"));
    let is_break = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut out = String::with_capacity(visible.len());
    for line in visible.split(is_break) {
        let line: String = line.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.trim_matches('\n').to_owned()
}

/// A number that identifies (citizen ID, card, phone): without spaces, invisible characters and the apostrophe that keeps
/// a spreadsheet from taking it for a quantity.
#[must_use]
pub fn digits(text: &str) -> String {
    let joined: String = visible(text).chars().filter(|c| !c.is_whitespace()).collect();
    visible(&joined).trim_start_matches('\'').to_owned()
}

/// A login as it is looked up: numbers without separators and the country code, user names in lower case.
#[must_use]
pub fn login(text: &str) -> String {
    let login = one_line(text);
    let digits: String = login.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match digits.strip_prefix("+84").filter(|rest| is_number(rest)) {
        Some(rest) => format!("0{rest}"),
        None if is_number(&digits) => digits,
        None => one_line(&login.to_lowercase()),
    }
}

/// A document's symbol, such as `98-KH/ĐU`: one line, with hyphens for all dashes.
#[must_use]
pub fn symbol(text: &str) -> String {
    one_line(text).chars().map(|c| if matches!(c, '\u{2012}'..='\u{2015}' | '\u{2212}') { '-' } else { c }).collect()
}
