//! Texts of documents: topics as they are looked for, and counting words.

use crate::kernel::text::fold;

/// Topics as they are looked for.
pub fn topic_keys(topics: &[String]) -> Vec<String> {
    topics.iter().map(|topic| fold(topic)).collect()
}

/// How many words a reader has to read.
pub fn words(text: &str) -> i32 {
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    i32::try_from(words.count()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_as_a_reader_sees_them() {
        assert_eq!(words("Chi bộ – Tổ dân phố số 5."), 7);
        assert_eq!(words(" \n - "), 0);
    }
}
