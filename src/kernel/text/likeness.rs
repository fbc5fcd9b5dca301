//! One key for texts that look alike, so that nothing is credited twice under two spellings.

use super::fold;

/// What remains of a text when look-alikes are one: compatibility forms, invisible characters, diacritics, spaces,
/// punctuation, letters of other scripts and digits that are drawn the same. Only for comparing; never shown.
#[must_use]
pub fn likeness(text: &str) -> String {
    fold(text).chars().filter(|c| *c != ' ').map(latin).collect()
}

/// The Latin letter that looks like this one. Capitals have become small before: those that look alike only as capitals
/// (Cyrillic `В`, Greek `Η`) are listed by their small forms.
fn latin(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' | 'є' => 'e',
        'ɡ' => 'g',
        'һ' | 'н' | 'η' => 'h',
        'і' | 'ι' | 'ı' | 'i' | 'l' | '1' | 'ӏ' => 'l',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'п' => 'n',
        'о' | 'ο' | 'օ' | '0' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'ζ' => 'z',
        c => c,
    }
}
