//! How lines begin: "Câu 1", "Phần II", "A.", "Lời giải", "Bảng đáp án", "HẾT".

use crate::kernel::text::fold;

/// Options that a question of a document may have.
pub(super) const MOST_LABELS: usize = 8;

/// The beginning of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub number: u32,
    /// Characters before the text.
    pub length: usize,
    /// Whether a word such as "Câu" stands before the number.
    pub worded: bool,
}

/// Reads "Câu 1.", "Bài 1:", "Question 1" or "1.".
pub(super) fn question(text: &str) -> Option<Start> {
    let chars: Vec<char> = text.chars().collect();
    let spaces = |mut at: usize| {
        while chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        at
    };
    let lower: String = chars.iter().take(12).collect::<String>().to_lowercase();
    let word = ["câu hỏi", "câu", "bài", "question"].into_iter().find(|word| lower.starts_with(*word));
    let at = word.map_or(0, |word| spaces(word.chars().count()));
    let digits = chars[at..].iter().take_while(|c| c.is_ascii_digit()).count();
    if !(1..=4).contains(&digits) {
        return None;
    }
    let number = chars[at..at + digits].iter().collect::<String>().parse().ok()?;
    let behind = at + digits;
    let sign = chars.get(behind).copied();
    let ends = match word {
        Some(_) => sign.is_none_or(|c| !c.is_alphanumeric()),
        // "1.5 triệu" is no question.
        None => sign == Some('.') && chars.get(behind + 1).is_none_or(|c| !c.is_ascii_digit()),
    };
    let mut length = spaces(behind);
    while length > 0 && chars.get(length).is_some_and(|c| matches!(c, '.' | ':' | ')' | '/' | '-' | '–')) {
        length = spaces(length + 1);
    }
    ends.then_some(Start { number, length, worded: word.is_some() })
}

/// Whether a line begins a part, and the title it gives it.
pub(super) fn part(text: &str) -> Option<Option<String>> {
    let folded = fold(text);
    let mut words = folded.split(' ');
    let named = words.next().is_some_and(|word| matches!(word, "phan" | "nhom" | "part"));
    let numbered = words.next().is_some_and(|word| {
        word.chars().all(|c| c.is_ascii_digit()) || word.chars().all(|c| matches!(c, 'i' | 'v' | 'x'))
    });
    let short = text.chars().count() <= 200;
    (named && numbered && short).then(|| words.next().map(|_| text.trim().to_owned()))
}

/// The text behind "Lời giải" and its like.
pub(super) fn explanation(text: &str) -> Option<String> {
    const WORDS: [&str; 7] = [
        "hướng dẫn chi tiết",
        "hướng dẫn giải chi tiết",
        "hướng dẫn giải",
        "đáp án chi tiết",
        "lời giải chi tiết",
        "lời giải",
        "giải thích",
    ];
    let lower = text.to_lowercase();
    let word = WORDS.into_iter().find(|word| lower.starts_with(word))?;
    let rest: String = text.chars().skip(word.chars().count()).collect();
    // "Giải thích nào sau đây đúng?" goes on like a text.
    let ends = rest.trim().is_empty() || rest.trim_start().starts_with([':', '.', '-', '–']);
    ends.then(|| rest.trim_start_matches([':', '.', '-', '–', ' ', '\t']).trim().to_owned())
}

/// The letter of "Đáp án: B", "Chọn B".
pub(super) fn stated_answer(text: &str) -> Option<usize> {
    let folded = fold(text);
    let mut words: Vec<&str> = folded.split(' ').collect();
    let letter = words.pop().filter(|word| word.len() == 1)?;
    let known =
        ["dap an", "dap an dung", "dap an la", "chon", "chon dap an", "answer", "dap an dung la", "chon phuong an"];
    known.contains(&words.join(" ").as_str()).then(|| position(letter.chars().next()?)).flatten()
}

/// Whether a line heads the table of answers.
pub(super) fn answer_table(text: &str) -> bool {
    let folded = fold(text);
    matches!(folded.as_str(), "dap an" | "answer key" | "answers" | "dap an trac nghiem" | "dap an phan trac nghiem")
        || folded.starts_with("bang dap an")
        || folded.starts_with("dap an de ")
        || folded.starts_with("dap an 1")
}

/// Whether a line ends the questions.
pub(super) fn end(text: &str) -> bool {
    matches!(fold(text).as_str(), "het" | "the end")
}

/// The position of an option's letter, small or capital.
pub(super) fn position(c: char) -> Option<usize> {
    let position = usize::try_from(u32::from(c.to_ascii_uppercase()).checked_sub(u32::from('A'))?).ok()?;
    (c.is_ascii_alphabetic() && position < MOST_LABELS).then_some(position)
}
