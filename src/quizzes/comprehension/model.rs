//! What comprehension questions ask of a member, and which are chosen: pure rules.

use uuid::Uuid;

use crate::quizzes::attempts::model::PoolQuestion;

/// Questions of an attempt.
pub const ASKED: usize = 5;
/// How long an attempt lasts.
pub const MINUTES: i64 = 15;
/// The share of right answers that passes.
pub const PASS_PERCENT: i32 = 80;
/// How long a member waits between two attempts.
pub const COOLDOWN_MINUTES: i64 = 30;
/// Attempts of a member at a document on one day: guessing does not pay.
pub const ATTEMPTS_A_DAY: usize = 3;

/// A question of a document's banks, and whether the member was asked it.
#[derive(Debug, Clone)]
pub struct AskableQuestion {
    pub question: PoolQuestion,
    /// 0 when it was never asked, 1 when some attempt asked it, 2 when the last one did.
    pub asked: usize,
}

/// How many questions come from those never asked, from those asked earlier, and from those of the last attempt: other questions come
/// first. None when there are too few.
pub fn counts(questions: &[AskableQuestion]) -> Option<Vec<usize>> {
    let mut missing = ASKED;
    let counts: Vec<usize> = (0..3)
        .map(|asked| {
            let found = questions.iter().filter(|question| question.asked == asked).count().min(missing);
            missing -= found;
            found
        })
        .collect();
    (missing == 0).then_some(counts)
}

/// Tells for a question which attempts asked it; `attempts` hold the questions of each, the last one at the end.
pub fn asked(question_id: Uuid, attempts: &[Vec<Uuid>]) -> usize {
    match attempts.split_last() {
        Some((last, _)) if last.contains(&question_id) => 2,
        Some((_, before)) if before.iter().any(|attempt| attempt.contains(&question_id)) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(asked: &[usize]) -> Vec<AskableQuestion> {
        let question = |(n, asked): (u128, &usize)| AskableQuestion {
            question: PoolQuestion { draw: *asked, question_id: Uuid::from_u128(n), version: 1, options: Vec::new() },
            asked: *asked,
        };
        (0..).zip(asked).map(question).collect()
    }

    #[test]
    fn other_questions_come_before_those_of_the_last_attempt() {
        assert_eq!(counts(&questions(&[0, 0, 0, 0, 0, 0, 2])), Some(vec![5, 0, 0]));
        assert_eq!(counts(&questions(&[0, 0, 1, 2, 2, 2, 2])), Some(vec![2, 1, 2]));
        assert_eq!(counts(&questions(&[0, 0, 1, 2])), None);
    }

    #[test]
    fn the_last_attempt_counts_before_earlier_ones() {
        let [one, two, three] = [1, 2, 3].map(Uuid::from_u128);
        let attempts = [vec![one, two], vec![two]];

        assert_eq!([one, two, three].map(|id| asked(id, &attempts)), [1, 2, 0]);
    }
}
