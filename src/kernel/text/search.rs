//! Folding for search: what is stored and what is looked for come to the same letters.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::characters::{is_ignorable, spelled};
use super::visible;

/// Words of a search that count; the rest is ignored.
const MOST_WORDS: usize = 10;

/// Lower case without diacritics and punctuation, words apart by single spaces: `"Nghị quyết số 03-NQ/TU"` becomes
/// `"nghi quyet so 03 nq tu"`.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    // What compatibility forms stand for may be spelled in several ways too.
    for c in visible(text).nfkd().flat_map(char::to_lowercase).nfkd().map(spelled) {
        if is_combining_mark(c) || is_ignorable(c) {
            continue;
        }
        if !c.is_alphanumeric() {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        out.push(if c == 'đ' { 'd' } else { c });
    }
    out
}

/// The beginnings of words that a search looks for, each after a space.
#[must_use]
pub fn search_words(query: &str) -> Vec<String> {
    fold(query).split_whitespace().take(MOST_WORDS).map(|word| format!(" {word}")).collect()
}
