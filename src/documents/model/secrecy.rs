//! The secrecy gate: finds markings of state secrecy in titles, file names and texts.
//!
//! A marking is a stamp or a heading of its own, not a word within a sentence: "TỐI MẬT" on a line, in brackets or
//! beside the number of a document. It counts with its diacritics or without any, and with its letters spaced.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::kernel::text::{likeness, many_lines};

/// The words of markings: as written, and the marks that they carry when they carry any.
const MAT: Syllable = Syllable { plain: "mat", marks: "\u{302}\u{323}" };
const TOI: Syllable = Syllable { plain: "toi", marks: "\u{301}\u{302}" };
const TUYET: Syllable = Syllable { plain: "tuyet", marks: "\u{302}\u{323}" };

struct Syllable {
    plain: &'static str,
    /// In the order of their code points.
    marks: &'static str,
}

impl Syllable {
    /// Whether a word is this one, in any case, with the right diacritics or with none.
    fn is(&self, word: &str) -> bool {
        if likeness(word) != likeness(self.plain) {
            return false;
        }
        let mut marks: Vec<char> = word.nfd().filter(|c| is_combining_mark(*c)).collect();
        marks.sort_unstable();
        marks.is_empty() || marks.into_iter().eq(self.marks.chars())
    }

    fn carries_marks(word: &str) -> bool {
        word.nfd().any(is_combining_mark)
    }
}

/// How the words of a text are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkingPlace {
    /// One line that names the document: a title, a symbol.
    Heading,
    /// Running text, or what was read from a file.
    Text,
}

/// Whether a text carries a marking of state secrecy.
pub fn carries_secret_marking(text: &str, place: MarkingPlace) -> bool {
    // Columns of a table and of a letterhead are set apart by tabs.
    let text = many_lines(&text.replace('\t', " | "));
    let lines: Vec<&str> = text.lines().map(tidy).filter(|line| !line.is_empty()).collect();
    lines.iter().any(|line| line_is_marked(line, place))
        || lines.windows(2).any(|pair| ends_with_degree(pair[0]) && is_marking(&words(pair[1])))
}

/// Whether the name of a file carries one. Names are often written small and without diacritics.
pub fn name_carries_secret_marking(name: &str) -> bool {
    let name = many_lines(name);
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let in_brackets = stem.split(['(', '[', '{']).skip(1).filter_map(|part| part.split([')', ']', '}']).next());
    if in_brackets.into_iter().any(|part| is_marking(&words(part))) {
        return true;
    }
    let words = joined_letters(&words(stem));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let pair_at = |at: usize| words.get(at..at + 2).is_some_and(is_strong);
    let single_at = |at: usize| {
        let word = words[at];
        let told = MAT.is(word) && (is_capital(word) || Syllable::carries_marks(word));
        told && !matches!(words.get(at + 1), Some(next) if is_capital(next) && !next.chars().any(char::is_numeric))
            && (at == 0 || !is_secret_of(words[at - 1]))
    };
    let last = words.len().saturating_sub(1);
    (!words.is_empty() && (pair_at(0) || pair_at(last.saturating_sub(1))))
        || (0..words.len()).any(|at| pair_at(at) && words[at..at + 2].iter().all(|word| is_capital(word)))
        || [0, last].into_iter().any(|at| at < words.len() && single_at(at))
}

/// "bí mật", "bảo mật", "cơ mật": the word belongs to another one.
fn is_secret_of(word: &str) -> bool {
    matches!(likeness(word).as_str(), "bl" | "bao" | "co" | "than" | "khong")
}

fn line_is_marked(line: &str, place: MarkingPlace) -> bool {
    if names_degree(line) {
        return true;
    }
    let all = joined_letters(&words(line));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    if is_stamp(&all) || line.split(['(', ')', '[', ']', '–', '—', '|', ';', ':']).any(is_stamp_line) {
        return true;
    }
    let shouted = all.iter().all(|word| is_capital(word) || !word.chars().any(char::is_alphabetic));
    (0..all.len()).any(|at| {
        let strong = all.get(at..at + 2).is_some_and(is_strong) && all[at..at + 2].iter().all(|word| is_capital(word));
        let belongs = at > 0 && (is_secret_of(all[at - 1]) || TOI.is(all[at - 1]) || TUYET.is(all[at - 1]));
        let single = place == MarkingPlace::Heading && MAT.is(all[at]) && is_capital(all[at]) && !belongs;
        let width = if strong { 2 } else { 1 };
        // In a line of capitals, what stands in front of everything or of a number.
        let leads =
            place == MarkingPlace::Heading && at == 0 && (strong || all.get(1).is_some_and(|next| is_number(next)));
        (strong || single) && (if shouted { leads } else { stands_apart(&all, at, width, place) })
    })
}

/// Whether capitals amid other words are a stamp beside them: at an edge of a heading, or between words that do not go on
/// as a sentence does.
fn stands_apart(all: &[&str], at: usize, width: usize, place: MarkingPlace) -> bool {
    let goes_on = |word: Option<&&str>| word.is_some_and(|word| word.chars().next().is_some_and(char::is_lowercase));
    let before = at.checked_sub(1).and_then(|at| all.get(at));
    let after = all.get(at + width);
    match place {
        MarkingPlace::Heading => before.is_none() || after.is_none() || !(goes_on(before) && goes_on(after)),
        MarkingPlace::Text => !goes_on(before) && !goes_on(after),
    }
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

fn is_stamp_line(part: &str) -> bool {
    let words = joined_letters(&words(part));
    is_stamp(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A line that holds nothing but a marking: in capitals, or a strong one with a capital in front.
fn is_stamp(words: &[&str]) -> bool {
    // "TÀI LIỆU MẬT", "VĂN BẢN TỐI MẬT": what the marking is on belongs to it.
    let rest = match words {
        [first, second, rest @ ..] if is_paper(first, second) => rest,
        all => all,
    };
    if !is_marking(rest) {
        return false;
    }
    let capitals = words.iter().all(|word| is_capital(word));
    let headed = rest.len() == words.len() && rest.len() == 2 && rest[0].chars().next().is_some_and(char::is_uppercase);
    capitals || headed
}

fn is_paper(first: &str, second: &str) -> bool {
    let pair = (likeness(first), likeness(second));
    pair == (likeness("tai"), likeness("lieu")) || pair == (likeness("van"), likeness("ban"))
}

fn is_marking(words: &[&str]) -> bool {
    matches!(words, [word] if MAT.is(word)) || is_strong(words)
}

fn is_strong(words: &[&str]) -> bool {
    matches!(words, [first, second] if (TOI.is(first) || TUYET.is(first)) && MAT.is(second))
}

/// "Độ mật: tối mật", in any case.
fn names_degree(line: &str) -> bool {
    let words = words(line);
    let after = words.windows(2).position(is_degree).map(|at| &words[at + 2..]);
    after.is_some_and(|rest| (1..=2).any(|count| rest.get(..count).is_some_and(is_marking)))
}

fn ends_with_degree(line: &str) -> bool {
    words(line).windows(2).last().is_some_and(is_degree)
}

fn is_degree(pair: &[&str]) -> bool {
    matches!(pair, [first, second] if likeness(first) == likeness("do") && MAT.is(second))
}

/// Without the frame that stamps are drawn with.
fn tidy(line: &str) -> &str {
    line.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | ')' | '[' | ']'))
}

fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty()).collect()
}

fn is_capital(word: &str) -> bool {
    let mut letters = word.chars().filter(|c| c.is_alphabetic()).peekable();
    letters.peek().is_some() && letters.all(|c| !c.is_lowercase())
}

/// Puts spaced letters together where they spell a marking: `T Ố I M Ậ T` becomes `TỐI MẬT`.
fn joined_letters(words: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut rest = words;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|word| word.nfc().count() == 1).count();
        let (taken, mut joined) = spelled_marking(&rest[..run]).unwrap_or_else(|| (1, vec![(*first).to_owned()]));
        out.append(&mut joined);
        rest = &rest[taken..];
    }
    out
}

/// The marking that a run of single letters begins with, and how many letters it takes.
fn spelled_marking(letters: &[&str]) -> Option<(usize, Vec<String>)> {
    [(&[&TOI, &MAT][..], 6), (&[&TUYET, &MAT][..], 8), (&[&MAT][..], 3)].into_iter().find_map(|(syllables, length)| {
        let mut rest = letters.get(..length)?;
        let mut spelled = Vec::new();
        for syllable in syllables {
            let (own, others) = rest.split_at(syllable.plain.len());
            let word = own.concat();
            if !syllable.is(&word) {
                return None;
            }
            spelled.push(word);
            rest = others;
        }
        Some((length, spelled))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markings_are_found() {
        let decomposed: String = "TUYỆT MẬT".nfd().collect();
        for text in [
            "MẬT",
            "MAT",
            "Tiêu đề\n  TỐI   MẬT \nNội dung",
            "TOI MAT",
            "[TUYỆT MẬT]",
            decomposed.as_str(),
            "Độ mật: Mật",
            "ĐỘ MẬT: TỐI MẬT",
            "Do mat: toi mat",
            "Độ mật:\nTuyệt mật",
            "Số: 5-BC/TU - Độ mật : tuyệt mật",
            "T Ố I  M Ậ T",
            "M Ậ T",
            "T U Y E T M A T",
            "T.Ố.I M.Ậ.T",
            "T\u{200b}ỐI MẬT",
            "ТỐI МẬТ",
            "Tối mật",
            "TÀI LIỆU MẬT",
            "Số 12-KH/ĐU TỐI MẬT Xã An Bình, ngày 3 tháng 5",
            "ĐẢNG ỦY XÃ AN BÌNH\tMẬT",
            "* TUYỆT MẬT *",
        ] {
            assert!(carries_secret_marking(text, MarkingPlace::Text), "{text}");
        }
    }

    #[test]
    fn talk_of_secrets_is_no_marking() {
        for text in [
            "Luật Bảo vệ bí mật nhà nước",
            "Tài liệu tối mật không được đưa lên mạng.",
            "Tài liệu TỐI MẬT không được đưa lên mạng.",
            "QUY ĐỊNH VỀ BẢO QUẢN TÀI LIỆU TỐI MẬT Ở CƠ SỞ",
            "mật",
            "Mật ong",
            "MẶT",
            "MẤT MÁT",
            "MẶT TRẬN TỔ QUỐC",
            "MAT TRAN TO QUOC",
            "TÀI LIỆU KHÔNG MẬT",
            "Độ mật: không",
            "Quy định về độ mật",
            "a b c d",
            "",
        ] {
            assert!(!carries_secret_marking(text, MarkingPlace::Text), "{text}");
        }
    }

    #[test]
    fn headings_are_read_more_strictly() {
        for text in
            ["Kế hoạch (TỐI MẬT)", "TỐI MẬT – Kế hoạch 12", "Kế hoạch huấn luyện TUYỆT MẬT", "MẬT 12-KH/ĐU", "M Ậ T"]
        {
            assert!(carries_secret_marking(text, MarkingPlace::Heading), "{text}");
        }
        for text in [
            "Hướng dẫn bảo quản tài liệu tối mật",
            "Kế hoạch tuyên truyền bảo vệ bí mật nhà nước",
            "BẢO VỆ BÍ MẬT NHÀ NƯỚC",
            "Xử lý tài liệu TỐI MẬT ở cơ sở",
            "Kế hoạch phối hợp với MẶT TRẬN",
        ] {
            assert!(!carries_secret_marking(text, MarkingPlace::Heading), "{text}");
        }
    }

    #[test]
    fn names_of_files_are_read() {
        for name in [
            "TOI MAT.pdf",
            "KH-12-TUYET-MAT.pdf",
            "12-KH-DU (mật).docx",
            "van-ban-toi-mat.pdf",
            "MẬT_12.pdf",
            "ke-hoach-MAT.pdf",
            "M Ậ T.pdf",
        ] {
            assert!(name_carries_secret_marking(name), "{name}");
        }
        for name in [
            "mat-tran-to-quoc.pdf",
            "MAT-TRAN-TO-QUOC.pdf",
            "bao-ve-bi-mat-nha-nuoc.pdf",
            "12-KH-DU.pdf",
            "bí mật.pdf",
            ".pdf",
            "",
        ] {
            assert!(!name_carries_secret_marking(name), "{name}");
        }
    }
}
