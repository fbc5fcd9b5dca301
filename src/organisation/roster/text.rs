//! Vietnamese text as people type it, brought to one form.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// NFC, without spaces at the ends and with single spaces (no line breaks, no
/// non-breaking spaces) inside.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.nfc());
    }
    out
}

/// Lower case without accents or punctuation: `"Số CCCD/\nCăn cước"` becomes
/// `"so cccd can cuoc"`. Only for comparing headings and titles, where
/// spellings differ (`ủy`, `uỷ`); people's names differ by their accents.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.nfd().filter(|c| !is_combining_mark(*c)) {
        if !c.is_alphanumeric() {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        match c {
            'đ' | 'Đ' => out.push('d'),
            _ => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// A name all in capitals as it is usually written: `"VÕ KIM LOAN"` becomes
/// `"Võ Kim Loan"`, `"H'HEN NIÊ"` becomes `"H'Hen Niê"`. Any other name is
/// left alone, for its writer chose the capitals.
pub(super) fn title_case(name: &str) -> String {
    if name.chars().any(char::is_lowercase) {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut first = true;
    for c in name.chars() {
        if first || !c.is_alphabetic() {
            out.push(c);
        } else {
            out.extend(c.to_lowercase());
        }
        first = !c.is_alphabetic();
    }
    out
}

/// Whether the text would be taken for a formula by a spreadsheet.
pub(super) fn looks_like_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@'])
}
