//! Names of people: which characters they have, and names typed all in capitals.

use unicode_normalization::char::is_combining_mark;

/// Whether a name may hold this character: Latin letters with their marks, space, apostrophe, hyphen, full stop, brackets.
#[must_use]
pub fn is_name_character(c: char) -> bool {
    let latin = matches!(u32::from(c), 0x41..=0x5a | 0x61..=0x7a | 0xc0..=0x24f | 0x1e00..=0x1eff);
    (latin && c.is_alphabetic()) || is_latin_mark(c) || matches!(c, ' ' | '\'' | '-' | '.' | '(' | ')')
}

fn is_latin_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// A name all in capitals as it is usually written: `"VÕ KIM LOAN"` becomes `"Võ Kim Loan"`, `"H'HEN NIÊ"` becomes
/// `"H'Hen Niê"`. Any other name is left alone, for its writer chose the capitals.
#[must_use]
pub fn title_case(name: &str) -> String {
    if name.chars().any(char::is_lowercase) {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut first = true;
    for c in name.chars() {
        // Some letters of minority languages have no composed form: their mark ends no word.
        if is_combining_mark(c) {
            out.push(c);
            continue;
        }
        if first || !c.is_alphabetic() {
            out.push(c);
        } else {
            out.extend(c.to_lowercase());
        }
        first = !c.is_alphabetic();
    }
    out
}
