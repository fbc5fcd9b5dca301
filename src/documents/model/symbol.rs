//! Symbols such as `98-KH/ĐU`: number, type and issuer, as far as they can be read.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::text;

/// The parts of a document's symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DocumentSymbol)]
pub struct Symbol {
    /// Its number among the issuer's documents of this type in a term.
    #[schema(minimum = 1, maximum = 99_999, example = 98)]
    pub number: i32,
    /// The letters of its type.
    #[schema(max_length = 10, example = "KH")]
    pub abbreviation: String,
    /// The letters of its issuer.
    #[schema(max_length = 40, example = "ĐU")]
    pub issuer: String,
}

/// Reads `number-type/issuer`; none when the symbol is written in another way.
pub fn parse_symbol(raw: &str) -> Option<Symbol> {
    let symbol = text::symbol(raw);
    let (number, rest) = symbol.split_once('-')?;
    let (abbreviation, issuer) = rest.split_once('/')?;
    let number = number.trim();
    let (abbreviation, issuer) = (abbreviation.trim(), issuer.trim());
    let letters = |s: &str, most: usize| {
        (1..=most).contains(&s.chars().count())
            && s.chars().all(|c| c.is_alphabetic() || c == '-')
            && s.chars().next().is_some_and(char::is_uppercase)
    };
    let digits = (1..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if !digits || !letters(abbreviation, 10) || !letters(issuer, 40) {
        return None;
    }
    let number = number.parse().ok().filter(|n| *n > 0)?;
    Some(Symbol { number, abbreviation: abbreviation.to_owned(), issuer: issuer.to_owned() })
}

/// An issuer as it is looked for: `ĐU`, `đu` and `du` are one.
pub fn issuer_key(issuer: &str) -> String {
    text::fold(issuer).replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_symbols_are_read() {
        for (raw, number, abbreviation, issuer) in [
            ("98-KH/ĐU", 98, "KH", "ĐU"),
            ("03-NQ/TU", 3, "NQ", "TU"),
            ("02-ĐA/TU", 2, "ĐA", "TU"),
            (" 42-HD / BTCTW", 42, "HD", "BTCTW"),
            ("12-CTr/HU", 12, "CTr", "HU"),
        ] {
            let expected = Symbol { number, abbreviation: abbreviation.into(), issuer: issuer.into() };
            assert_eq!(parse_symbol(raw), Some(expected), "{raw}");
        }
    }

    #[test]
    fn others_stay_raw() {
        for raw in ["", "NQ/TW", "98/KH-ĐU", "-KH/ĐU", "0-KH/ĐU", "98-/ĐU", "98-kh/ĐU", "1234567-KH/ĐU"] {
            assert_eq!(parse_symbol(raw), None, "{raw}");
        }
    }
}
