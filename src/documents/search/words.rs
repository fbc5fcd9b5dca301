//! Folded words with their places: what a search looks for, and what it looks in.

use std::collections::HashMap;

use crate::kernel::text::fold;

/// Words and phrases of a search that count.
const MOST_TERMS: usize = 10;
/// Letters of a word that count.
const MOST_OF_A_WORD: usize = 100;
/// Words of a text that are indexed; PostgreSQL counts places up to here.
const MOST_WORDS: usize = 16_383;
/// Bytes of a vector, below PostgreSQL's bound of 1 MiB with its places.
const MOST_BYTES: usize = 400_000;

/// A search as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Each a word, or the words of a phrase in quotes.
    pub terms: Vec<Vec<String>>,
    /// All words in one, as symbols are kept: `12 kh du` is `12khdu`.
    pub symbol_key: String,
}

impl Search {
    /// Reads words and phrases. A quote that is not closed quotes the rest.
    pub fn parse(query: &str) -> Self {
        let mut terms = Vec::new();
        for (at, part) in query.split(['"', '“', '”']).enumerate() {
            let words = folded(part);
            match at % 2 {
                0 => terms.extend(words.into_iter().map(|word| vec![word])),
                _ if words.is_empty() => {}
                _ => terms.push(words),
            }
        }
        terms.truncate(MOST_TERMS);
        Self { terms, symbol_key: symbol_key(query) }
    }

    /// All words, those of phrases too.
    pub fn words(&self) -> Vec<&str> {
        self.terms.iter().flatten().map(String::as_str).collect()
    }

    /// The same search with other words in the place of some.
    pub fn respelt(&self, better: &HashMap<String, String>) -> Self {
        let word = |word: &String| better.get(word).unwrap_or(word).clone();
        let terms = self.terms.iter().map(|term| term.iter().map(word).collect()).collect();
        Self { terms, symbol_key: self.symbol_key.clone() }
    }

    /// Punctuation alone is no word, and finds nothing.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The search for `tsquery`: every term, single words by their beginnings; or the beginning of a symbol.
    pub fn tsquery(&self) -> String {
        let term = |words: &Vec<String>| match words.as_slice() {
            [word] => format!("'{word}':*"),
            phrase => {
                let quoted: Vec<String> = phrase.iter().map(|word| format!("'{word}'")).collect();
                format!("({})", quoted.join(" <-> "))
            }
        };
        let all = self.terms.iter().map(term).collect::<Vec<_>>().join(" & ");
        match self.symbol_key.starts_with(|c: char| c.is_ascii_digit()) {
            true => format!("({all}) | '#{}':*", self.symbol_key),
            false => all,
        }
    }
}

/// A symbol in one lexeme, which no word of a text is.
pub fn symbol_lexeme(symbol: &str) -> String {
    format!("'#{}'", symbol_key(symbol))
}

/// A symbol as it is looked for: `12-KH/ĐU`, `12 kh du` and `12KH-đu` are `12khdu`.
fn symbol_key(symbol: &str) -> String {
    fold(symbol).replace(' ', "")
}

/// A `tsvector` of texts, one after the other, with a gap between them that no phrase spans.
pub fn vector<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let (mut out, mut place) = (String::new(), 0);
    for text in texts {
        for word in folded(text) {
            place += 1;
            if place > MOST_WORDS || out.len() > MOST_BYTES {
                return out;
            }
            out.push_str(&format!("'{word}':{place} "));
        }
        place += 1;
    }
    out
}

/// Folded words hold letters and digits only, so that they need no escaping.
fn folded(text: &str) -> Vec<String> {
    fold(text).split_whitespace().map(|word| word.chars().take(MOST_OF_A_WORD).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_looked_for_by_their_beginnings_and_phrases_as_they_stand() {
        assert_eq!(Search::parse("12kh-du").tsquery(), "('12kh':* & 'du':*) | '#12khdu':*");
        assert_eq!(Search::parse("Kế hoạch").tsquery(), "'ke':* & 'hoach':*");
        assert_eq!(Search::parse("\"chi bộ\" hoà").tsquery(), "('chi' <-> 'bo') & 'hoa':*");
        assert_eq!(Search::parse("“sinh hoạt").tsquery(), "('sinh' <-> 'hoat')");
        assert_eq!(Search::parse("a \"\" b").tsquery(), "'a':* & 'b':*");
        assert!(Search::parse("!!! % ' \\ \"\"").is_empty());
        assert_eq!(Search::parse("a ".repeat(50).as_str()).terms.len(), MOST_TERMS);
    }

    #[test]
    fn a_symbol_has_one_key_in_any_spelling() {
        for symbol in ["12-KH/ĐU", "12 kh du", "12KH/ĐU", " 12–kh-đu "] {
            assert_eq!(symbol_key(symbol), "12khdu", "{symbol}");
        }
    }

    #[test]
    fn texts_are_indexed_with_their_places() {
        assert_eq!(vector(["Số 12", "Đảng ủy"]), "'so':1 '12':2 'dang':4 'uy':5 ");
        assert_eq!(vector(["!", ""]), "");
        let long = vector([&*"chữ ".repeat(20_000)]);
        assert!(long.trim_end().ends_with(":16383"));
        let wide: String = (0..12_000).map(|n| format!("{n:0>90} ")).collect();
        assert!(vector([&*wide]).len() < MOST_BYTES + 200);
    }
}
