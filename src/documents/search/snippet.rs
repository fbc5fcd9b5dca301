//! The passage of a text in which the words of a search stand, with their places.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::text::fold;

use super::words::Search;

/// Code points of a snippet, about three lines on a phone.
const LENGTH: usize = 200;
/// Code points that come before the first word found.
const BEFORE: usize = 40;
/// Marks in a snippet.
const MOST_HIGHLIGHTS: usize = 20;

/// A place in a snippet, in code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Highlight {
    /// Where it begins.
    #[schema(minimum = 0, maximum = 300, example = 9)]
    pub start: usize,
    /// How long it is.
    #[schema(minimum = 1, maximum = 300, example = 8)]
    pub length: usize,
}

/// A passage of plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    pub text: String,
    pub highlights: Vec<Highlight>,
}

/// A word of a text: where it stands, and its folded forms.
struct Word {
    start: usize,
    end: usize,
    folded: Vec<String>,
}

/// The passage around the first words found: of the first text that has any, or the beginning of the first text that is not empty.
pub fn snippet(texts: &[&str], search: &Search) -> Snippet {
    let mut plain = None;
    for text in texts {
        let chars: Vec<char> = one_space(text);
        if chars.is_empty() {
            continue;
        }
        let found = marks(&chars, search);
        if let Some(first) = found.first() {
            return cut(&chars, first.start.saturating_sub(BEFORE), &found);
        }
        plain.get_or_insert_with(|| cut(&chars, 0, &[]));
    }
    plain.unwrap_or_default()
}

fn one_space(text: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        if c != ' ' || out.last().is_some_and(|last| *last != ' ') {
            out.push(c);
        }
    }
    while out.last() == Some(&' ') {
        out.pop();
    }
    out
}

/// Where the terms of a search stand in a text.
fn marks(chars: &[char], search: &Search) -> Vec<Highlight> {
    let words = words(chars);
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() && found.len() < MOST_HIGHLIGHTS {
        let longest = search.terms.iter().filter_map(|term| matched(&words[at..], term)).max();
        match longest {
            Some(taken) => {
                let (start, end) = (words[at].start, words[at + taken - 1].end);
                found.push(Highlight { start, length: end - start });
                at += taken;
            }
            None => at += 1,
        }
    }
    found
}

/// How many words of the text a term takes when it begins here.
fn matched(words: &[Word], term: &[String]) -> Option<usize> {
    if let [beginning] = term {
        let first = words.first()?;
        return first.folded.iter().any(|word| word.starts_with(beginning.as_str())).then_some(1);
    }
    let mut taken = 0;
    let mut rest = term;
    while !rest.is_empty() {
        let word = words.get(taken)?;
        rest = rest.strip_prefix(word.folded.as_slice())?;
        taken += 1;
    }
    Some(taken)
}

fn words(chars: &[char]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = 0;
    while start < chars.len() {
        let end = chars[start..].iter().position(|c| *c == ' ').map_or(chars.len(), |length| start + length);
        push_words(&chars[start..end], start, &mut words);
        start = end + 1;
    }
    words
}

/// Splits what stands between spaces at its punctuation, and leaves that out.
fn push_words(chars: &[char], offset: usize, words: &mut Vec<Word>) {
    let mut start = None;
    for at in 0..=chars.len() {
        let inside = chars.get(at).is_some_and(|c| is_of_a_word(*c));
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let text: String = chars[from..at].iter().collect();
                let folded: Vec<String> = fold(&text).split_whitespace().map(str::to_owned).collect();
                if !folded.is_empty() {
                    words.push(Word { start: offset + from, end: offset + at, folded });
                }
                start = None;
            }
            _ => {}
        }
    }
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

fn cut(chars: &[char], from: usize, found: &[Highlight]) -> Snippet {
    // The passage begins with a whole word.
    let start = match from {
        0 => 0,
        from => chars[from..].iter().position(|c| *c == ' ').map_or(from, |gap| from + gap + 1),
    };
    let start = found.first().map_or(start, |first| start.min(first.start));
    let end = (start + LENGTH).min(chars.len());
    let mut text: String = chars[start..end].iter().collect();
    let mut shift = 0;
    if start > 0 {
        text.insert(0, '…');
        shift = 1;
    }
    if end < chars.len() {
        text.push('…');
    }
    let inside = found.iter().filter(|mark| mark.start + mark.length <= end);
    let highlights = inside.map(|mark| Highlight { start: mark.start - start + shift, length: mark.length }).collect();
    Snippet { text, highlights }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, query: &str) -> (String, Vec<String>) {
        let snippet = snippet(&[text], &Search::parse(query));
        let chars: Vec<char> = snippet.text.chars().collect();
        let marks = snippet.highlights.iter().map(|mark| chars[mark.start..mark.start + mark.length].iter().collect());
        let marks = marks.collect();
        (snippet.text, marks)
    }

    #[test]
    fn words_are_marked_as_they_are_written() {
        let (text, marks) = marked("Kế hoạch sinh hoạt chi bộ", "ke hoach");
        assert_eq!(text, "Kế hoạch sinh hoạt chi bộ");
        assert_eq!(marks, ["Kế", "hoạch"]);
        assert_eq!(marked("Họp (hoà) giải", "hoa").1, ["hoà"]);
        assert_eq!(marked("Số 12-KH/ĐU", "12 kh du").1, ["12", "KH", "ĐU"]);
        assert_eq!(marked("mỗi chi bộ, bộ phận", "\"chi bộ\"").1, ["chi bộ"]);
    }

    #[test]
    fn decomposed_text_is_marked_in_its_own_code_points() {
        let (_, marks) = marked("Ke\u{302}\u{301} hoa\u{323}ch", "kế");
        assert_eq!(marks, ["Ke\u{302}\u{301}"]);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_word_found() {
        let text = format!("{}chi bộ {}", "chữ ".repeat(100), "nữa ".repeat(100));
        let (cut, marks) = marked(&text, "bộ");
        assert!(cut.starts_with("…chữ") && cut.ends_with('…') && cut.chars().count() <= LENGTH + 2);
        assert_eq!(marks, ["bộ"]);
    }

    #[test]
    fn without_a_word_found_the_text_begins_at_its_beginning() {
        assert_eq!(marked("Nội dung", "khác"), ("Nội dung".to_owned(), vec![]));
        assert_eq!(snippet(&["", " \n"], &Search::parse("x")), Snippet::default());
        assert_eq!(snippet(&["một", "hai x"], &Search::parse("x")).text, "hai x");
    }
}
