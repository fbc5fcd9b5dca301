//! Texts of documents: what a search looks in, counting words, secrecy markings.

use unicode_normalization::UnicodeNormalization;

use crate::kernel::text::fold;

/// What a search looks in: the folded words, each after a space.
pub fn searchable(text: &str) -> String {
    format!(" {}", fold(text))
}

/// How many words a reader has to read.
pub fn words(text: &str) -> i32 {
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    i32::try_from(words.count()).unwrap_or(i32::MAX)
}

/// Whether a text carries a marking of state secrecy: in capitals alone on a line, or named as the degree of secrecy.
pub fn carries_secret_marking(text: &str) -> bool {
    text.lines().any(|line| {
        let composed: String = line.nfc().collect();
        let line = tidy(&composed);
        is_marking(line) || names_degree(line)
    })
}

/// Without the frame that stamps are drawn with.
fn tidy(line: &str) -> &str {
    line.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_marking(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    matches!(words[..], ["MẬT"] | ["TỐI" | "TUYỆT", "MẬT"])
}

fn names_degree(line: &str) -> bool {
    let lower = line.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let after = words.windows(2).position(|pair| pair == ["độ", "mật"]).map(|at| &words[at + 2..]);
    matches!(after, Some(["mật", ..] | ["tối" | "tuyệt", "mật", ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_looks_for_beginnings_of_words() {
        assert_eq!(searchable("Nghị quyết số 03-NQ/TU"), " nghi quyet so 03 nq tu");
    }

    #[test]
    fn words_are_counted_as_a_reader_sees_them() {
        assert_eq!(words("Chi bộ – Tổ dân phố số 5."), 7);
        assert_eq!(words(" \n - "), 0);
    }

    #[test]
    fn markings_are_found() {
        let decomposed: String = "TUYỆT MẬT".nfd().collect();
        for text in [
            "MẬT",
            "Tiêu đề\n  TỐI   MẬT \nNội dung",
            "[TUYỆT MẬT]",
            decomposed.as_str(),
            "Độ mật: Mật",
            "ĐỘ MẬT: TỐI MẬT",
            "Số: 5-BC/TU - Độ mật : tuyệt mật",
        ] {
            assert!(carries_secret_marking(text), "{text}");
        }
    }

    #[test]
    fn talk_of_secrets_is_no_marking() {
        for text in [
            "Luật Bảo vệ bí mật nhà nước",
            "Tài liệu tối mật không được đưa lên mạng.",
            "mật",
            "Mật ong",
            "TÀI LIỆU KHÔNG MẬT",
            "Độ mật: không",
            "Quy định về độ mật",
        ] {
            assert!(!carries_secret_marking(text), "{text}");
        }
    }
}
