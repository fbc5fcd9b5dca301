//! The table of answers: "1-A", "1a", "1.A", in lines or in a table.

use std::collections::HashMap;

use super::labels::position;

/// Answers by part and number. Parts that the table does not name are counted as none.
#[derive(Debug, Default)]
pub(super) struct AnswerKeys {
    answers: HashMap<(Option<usize>, u32), usize>,
    /// Numbers with two different answers.
    pub contradicted: Vec<u32>,
}

impl AnswerKeys {
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    pub fn add(&mut self, part: Option<usize>, pairs: Vec<(u32, usize)>) {
        for (number, answer) in pairs {
            let known = *self.answers.entry((part, number)).or_insert(answer);
            if known != answer {
                self.contradicted.push(number);
            }
        }
    }

    /// The answer to a question of a part.
    pub fn get(&self, part: Option<usize>, number: u32) -> Option<usize> {
        self.answers.get(&(part, number)).or_else(|| self.answers.get(&(None, number))).copied()
    }

    /// Whether the table names no part for a number.
    pub fn without_part(&self, number: u32) -> bool {
        self.answers.contains_key(&(None, number))
    }
}

/// All pairs of a line; none when the line says anything else.
pub(super) fn pairs(text: &str) -> Option<Vec<(u32, usize)>> {
    let lower = text.to_lowercase();
    let plain = lower.replace("bảng đáp án", " ").replace("đáp án", " ").replace("câu", " ");
    let chars: Vec<char> = plain.chars().collect();
    let mut pairs = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            if chars[at].is_alphanumeric() {
                return None;
            }
            at += 1;
            continue;
        }
        let digits: String = chars[at..].iter().take_while(|c| c.is_ascii_digit()).collect();
        at += digits.len();
        while chars.get(at).is_some_and(|c| c.is_whitespace() || matches!(c, '-' | '–' | '.' | ':' | ')')) {
            at += 1;
        }
        let letter = chars.get(at).copied().and_then(position)?;
        if chars.get(at + 1).is_some_and(|c| c.is_alphanumeric()) {
            return None;
        }
        pairs.push((digits.parse().ok().filter(|_| digits.len() <= 4)?, letter));
        at += 1;
    }
    Some(pairs)
}

/// The pairs of a table that holds nothing but numbers and letters; none for any other table.
pub(super) fn grid(cells: &[Vec<String>]) -> Option<Vec<(u32, usize)>> {
    let rows: Vec<Vec<Piece>> = cells
        .iter()
        .map(|row| row.iter().map(|cell| piece(cell)).collect::<Option<Vec<_>>>())
        .collect::<Option<_>>()?;
    let mut found = Vec::new();
    let mut rows = rows.iter().peekable();
    while let Some(row) = rows.next() {
        let numbers = |row: &[Piece]| row.iter().any(|piece| matches!(piece, Piece::Number(_)));
        let letters = |row: &[Piece]| row.iter().any(|piece| matches!(piece, Piece::Letter(_)));
        found.extend(row.iter().filter_map(|piece| match piece {
            Piece::Pair(number, letter) => Some((*number, *letter)),
            _ => None,
        }));
        if numbers(row) && letters(row) {
            found.extend(side_by_side(row)?);
        } else if numbers(row) {
            let below = rows.next_if(|next| letters(next) && !numbers(next))?;
            found.extend(one_below_another(row, below)?);
        } else if letters(row) {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// What a cell of an answer table holds.
enum Piece {
    Nothing,
    Number(u32),
    Letter(usize),
    Pair(u32, usize),
}

fn piece(cell: &str) -> Option<Piece> {
    let lower = cell.to_lowercase();
    let text = lower.replace("đáp án", "").replace("câu", "").replace("đ/a", "");
    let text = text.trim().trim_matches(['.', ':', ')']).trim();
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (None, _) => return Some(Piece::Nothing),
        (Some(c), None) if position(c).is_some() => return position(c).map(Piece::Letter),
        _ => {}
    }
    if let Ok(number) = text.parse() {
        return Some(Piece::Number(number));
    }
    match pairs(text)?[..] {
        [(number, letter)] => Some(Piece::Pair(number, letter)),
        _ => None,
    }
}

/// "1 | A | 2 | B".
fn side_by_side(row: &[Piece]) -> Option<Vec<(u32, usize)>> {
    let mut pairs = Vec::new();
    let mut number = None;
    for piece in row {
        match (piece, number) {
            (Piece::Nothing | Piece::Pair(..), None) => {}
            (Piece::Number(next), None) => number = Some(*next),
            (Piece::Letter(letter), Some(of)) => {
                pairs.push((of, *letter));
                number = None;
            }
            _ => return None,
        }
    }
    number.is_none().then_some(pairs)
}

/// A row of numbers above a row of letters.
fn one_below_another(numbers: &[Piece], letters: &[Piece]) -> Option<Vec<(u32, usize)>> {
    let mut pairs = Vec::new();
    for (number, letter) in numbers.iter().zip(letters) {
        match (number, letter) {
            (Piece::Number(number), Piece::Letter(letter)) => pairs.push((*number, *letter)),
            (Piece::Nothing, Piece::Nothing) => {}
            _ => return None,
        }
    }
    Some(pairs)
}
