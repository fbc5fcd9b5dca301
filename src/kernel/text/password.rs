//! Passwords: one form of what phones, macOS and Windows send for the same letters.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

/// The form of a password that is measured and hashed.
#[must_use]
pub fn password(text: &str) -> String {
    text.nfc().collect()
}

/// The forms in which an older version may have hashed this password, the present one first: composed, as typed,
/// decomposed, and a letter followed by its tone, as Windows' Vietnamese layout types it.
#[must_use]
pub fn password_forms(text: &str) -> Vec<String> {
    let mut forms = vec![password(text)];
    for form in [text.to_owned(), text.nfd().collect(), tones_apart(text)] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

/// Letters composed with their circumflex, breve or horn, tones behind them.
fn tones_apart(text: &str) -> String {
    let is_tone = |c: &char| matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}');
    let decomposed: Vec<char> = text.nfd().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(first) = decomposed.get(at) {
        let end = (at + 1..decomposed.len()).find(|i| !is_combining_mark(decomposed[*i])).unwrap_or(decomposed.len());
        let marks = &decomposed[at + 1..end];
        let mut letter = *first;
        for mark in marks.iter().filter(|mark| !is_tone(mark)) {
            match compose(letter, *mark) {
                Some(composed) => letter = composed,
                None => {
                    out.push(letter);
                    letter = *mark;
                }
            }
        }
        out.push(letter);
        out.extend(marks.iter().filter(|mark| is_tone(mark)));
        at = end;
    }
    out
}
