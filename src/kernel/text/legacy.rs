//! Vietnamese encodings from before Unicode, recognised so that they are named and not stored.

use unicode_normalization::UnicodeNormalization;

use super::syllable::is_syllable;

/// An encoding in which fonts draw Latin-1 characters as Vietnamese letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyEncoding {
    /// TCVN 5712 (fonts `.Vn…`).
    Tcvn3,
    /// VNI (fonts `VNI-…`).
    Vni,
}

/// The Latin-1 characters of TCVN3, each with the letter it stands for.
const TCVN3: &str = "¸áµà¶ả·ã¹ạ¨ă¾ắ»ằ¼ẳ½ẵÆặ©âÊấÇầÈẩÉẫËậ®đÐéÌèÎẻÏẽÑẹªêÕếÒềÓểÔễÖệÝí×ìØỉÜĩÞịãóßòáỏâõäọ«ôèốåồæổçỗéộ¬ơíớêờëởìỡîợóúïùñủòũôụ\u{ad}ưøứõừöử÷ữùựýýúỳûỷüỹþỵ¡Ă¢Â§Đ£Ê¤Ô¥Ơ¦Ư";

/// Vowels with a mark behind them, as VNI writes them in small letters. `ö` and `ô` stand for ư and ơ.
const VNI_MARKS: &str = "ù\u{301}ø\u{300}û\u{309}õ\u{303}ï\u{323}â\u{302}ê\u{306}";
/// Marks of VNI that bring a circumflex or a breve and a tone.
const VNI_DOUBLE: [(char, &str); 10] = [
    ('á', "\u{302}\u{301}"),
    ('à', "\u{302}\u{300}"),
    ('å', "\u{302}\u{309}"),
    ('ã', "\u{302}\u{303}"),
    ('ä', "\u{302}\u{323}"),
    ('é', "\u{306}\u{301}"),
    ('è', "\u{306}\u{300}"),
    ('ú', "\u{306}\u{309}"),
    ('ü', "\u{306}\u{303}"),
    ('ë', "\u{306}\u{323}"),
];

/// The encoding in which the text is probably written, if it is not Unicode: some word is no Vietnamese syllable, and all
/// such words are when decoded. Look at the text as it came: invisible characters stand for letters here.
#[must_use]
pub fn legacy_encoding(text: &str) -> Option<LegacyEncoding> {
    let text: String = text.nfc().collect();
    // Such fonts know no other characters than those of Latin-1.
    if text.is_ascii() || text.chars().any(|c| c > '\u{ff}') {
        return None;
    }
    let foreign: Vec<&str> = text.split_whitespace().filter(|word| !word.is_ascii() && !is_syllable(word)).collect();
    if foreign.is_empty() {
        return None;
    }
    let decodes = |decode: fn(&str) -> String| {
        foreign.iter().all(|word| {
            let decoded = decode(word);
            decoded != word.to_lowercase() && is_syllable(&decoded)
        })
    };
    if decodes(tcvn3) {
        Some(LegacyEncoding::Tcvn3)
    } else if decodes(vni) {
        Some(LegacyEncoding::Vni)
    } else {
        None
    }
}

fn tcvn3(word: &str) -> String {
    let table: Vec<char> = TCVN3.chars().collect();
    let letter = |c: char| table.chunks(2).find(|pair| pair[0] == c).map_or(c, |pair| pair[1]);
    word.chars().map(letter).collect::<String>().to_lowercase()
}

fn vni(word: &str) -> String {
    let marks: Vec<char> = VNI_MARKS.chars().collect();
    let mut decomposed = String::with_capacity(word.len());
    let mut after_vowel = false;
    for c in word.to_lowercase().chars() {
        let single = marks.chunks(2).find(|pair| pair[0] == c).map(|pair| pair[1]);
        let double = VNI_DOUBLE.iter().find(|(mark, _)| *mark == c).map(|(_, marks)| *marks);
        match (after_vowel, single, double) {
            (true, Some(mark), _) => decomposed.push(mark),
            (true, None, Some(marks)) => decomposed.push_str(marks),
            _ => decomposed.push(match c {
                'ñ' => 'đ',
                'ö' => 'ư',
                'ô' => 'ơ',
                'æ' => 'ỉ',
                'ó' => 'ĩ',
                'ò' => 'ị',
                'î' => 'ỵ',
                c => c,
            }),
        }
        after_vowel = matches!(c, 'a' | 'e' | 'o' | 'u' | 'y' | 'ö' | 'ô');
    }
    decomposed.nfc().collect()
}
