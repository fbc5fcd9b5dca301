//! Sheets of paper and what is ticked on them: pure rules.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::http::problem::{Fault, text};
use crate::quizzes::attempts::answers::AttemptAnswer;
use crate::quizzes::attempts::model::DrawnQuestion;

/// The letters of options, in the order of the sheet.
const LETTERS: [&str; 10] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
/// The characters of a code: those of Crockford's base 32, which are not taken for one another.
const CODE: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The code of a sheet, from random bytes.
pub fn code(random: [u8; 8]) -> String {
    random.iter().map(|byte| char::from(CODE[usize::from(byte % 32)])).collect()
}

/// The letter of the option at a place.
pub fn letter(place: usize) -> &'static str {
    LETTERS.get(place).copied().unwrap_or("?")
}

/// What is ticked of a question of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetAnswer {
    /// The number of the question on the sheet, from 1.
    #[schema(minimum = 1, maximum = 200, example = 1)]
    pub question: usize,
    /// The letters ticked; empty for none.
    #[schema(max_items = 10, example = json!(["B"]))]
    pub options: Vec<SheetLetter>,
}

/// A letter of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum SheetLetter {
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
}

/// The answers in the terms of the attempt, or what is wrong with them.
///
/// # Errors
/// Each fault at its place.
pub fn answers(questions: &[(DrawnQuestion, bool)], entered: &[SheetAnswer]) -> Result<Vec<AttemptAnswer>, Vec<Fault>> {
    let (mut answers, mut faults, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (index, answer) in entered.iter().enumerate() {
        let mut fault = |field: &str, vi: &'static str, en: &'static str| {
            let pointer = format!("/answers/{index}/{field}");
            faults.push(Fault { pointer, code: "not_on_this_sheet", detail: text(vi, en) });
        };
        let Some((question, single)) = answer.question.checked_sub(1).and_then(|place| questions.get(place)) else {
            fault("question", "Phiếu không có câu số này.", "The sheet has no question of this number.");
            continue;
        };
        if !seen.insert(answer.question) {
            fault("question", "Câu này được nhập hai lần.", "The question is entered twice.");
            continue;
        }
        let places: HashSet<usize> = answer.options.iter().map(|letter| *letter as usize).collect();
        if places.len() != answer.options.len() || places.iter().any(|place| *place >= question.options.len()) {
            fault("options", "Câu này không có phương án đó.", "The question does not offer this option.");
            continue;
        }
        // Two ticks where one is asked for are no answer, as on any sheet of paper.
        let places = if *single && places.len() > 1 { HashSet::new() } else { places };
        let ticked = question.options.iter().enumerate().filter(|(place, _)| places.contains(place));
        let option_ids: Vec<Uuid> = ticked.map(|(_, option)| option.id).collect();
        answers.push(AttemptAnswer { question_id: question.id, option_ids, seq: None });
    }
    if faults.is_empty() { Ok(answers) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quizzes::attempts::model::DrawnOption;

    fn question(n: u128, single: bool) -> (DrawnQuestion, bool) {
        let option = |o: u128| DrawnOption { id: Uuid::from_u128(100 * n + o), of: Uuid::from_u128(o) };
        let options = (0..3).map(option).collect();
        (DrawnQuestion { id: Uuid::from_u128(n), question_id: Uuid::from_u128(n), version: 1, options }, single)
    }

    #[test]
    fn letters_are_the_options_in_the_order_of_the_sheet() {
        let sheet = [question(1, true), question(2, false)];
        let entered = [
            SheetAnswer { question: 2, options: vec![SheetLetter::A, SheetLetter::C] },
            SheetAnswer { question: 1, options: vec![SheetLetter::A, SheetLetter::B] },
        ];

        let found = answers(&sheet, &entered).unwrap();

        assert_eq!(found[0].option_ids, [200, 202].map(Uuid::from_u128));
        assert_eq!(found[1].option_ids, Vec::<Uuid>::new(), "two ticks are no answer");
    }

    #[test]
    fn what_the_sheet_does_not_have_is_a_fault() {
        let sheet = [question(1, true)];
        let entered = [
            SheetAnswer { question: 1, options: vec![SheetLetter::D] },
            SheetAnswer { question: 3, options: Vec::new() },
            SheetAnswer { question: 1, options: Vec::new() },
        ];

        assert_eq!(answers(&sheet, &entered).unwrap_err().len(), 3);
    }
}
