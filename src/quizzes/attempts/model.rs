//! The draw and the grade of an attempt: pure, from a seed and what was saved.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// A question that may be drawn.
#[derive(Debug, Clone)]
pub struct PoolQuestion {
    pub draw: usize,
    pub question_id: Uuid,
    pub version: i32,
    pub options: Vec<Uuid>,
}

/// An option as one attempt shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnOption {
    /// Means nothing outside the attempt.
    pub id: Uuid,
    /// The option of the question.
    pub of: Uuid,
}

/// A question as one attempt asks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnQuestion {
    /// Means nothing outside the attempt.
    pub id: Uuid,
    pub question_id: Uuid,
    pub version: i32,
    pub options: Vec<DrawnOption>,
}

/// Numbers that follow from a seed and tell nothing about it.
struct Numbers<'a> {
    seed: &'a [u8],
    count: u64,
}

impl Numbers<'_> {
    fn bytes(&mut self) -> [u8; 16] {
        self.count += 1;
        let block = digest(&SHA256, &[self.seed, &self.count.to_be_bytes()].concat());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&block.as_ref()[..16]);
        bytes
    }

    fn id(&mut self) -> Uuid {
        Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A number below `most`; a 128-bit number leaves no measurable bias.
    fn below(&mut self, most: usize) -> usize {
        let most = u128::try_from(most.max(1)).unwrap_or(1);
        usize::try_from(u128::from_be_bytes(self.bytes()) % most).unwrap_or(0)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// Draws the questions of an attempt; `counts` says how many each draw asks.
pub fn draw(seed: &[u8], pool: &[PoolQuestion], counts: &[usize]) -> Vec<DrawnQuestion> {
    let mut numbers = Numbers { seed, count: 0 };
    let mut chosen: Vec<&PoolQuestion> = Vec::new();
    for (draw, count) in counts.iter().enumerate() {
        let mut of_draw: Vec<&PoolQuestion> = pool.iter().filter(|question| question.draw == draw).collect();
        numbers.shuffle(&mut of_draw);
        chosen.extend(of_draw.into_iter().take(*count));
    }
    numbers.shuffle(&mut chosen);
    let question = |question: &PoolQuestion| {
        let mut options: Vec<DrawnOption> =
            question.options.iter().map(|of| DrawnOption { id: numbers.id(), of: *of }).collect();
        numbers.shuffle(&mut options);
        DrawnQuestion { id: numbers.id(), question_id: question.question_id, version: question.version, options }
    };
    chosen.into_iter().map(question).collect()
}

/// What was saved: options by question, with the attempt's own ids.
pub type Saved = HashMap<Uuid, Vec<Uuid>>;

/// Whether a question is right as a whole. `right` are the right options of the version asked.
pub fn is_right(question: &DrawnQuestion, saved: &Saved, right: &HashSet<Uuid>) -> bool {
    let ticked = saved.get(&question.id).map(Vec::as_slice).unwrap_or_default();
    let of = |id: &Uuid| question.options.iter().find(|option| option.id == *id).map(|option| option.of);
    let ticked: HashSet<Uuid> = ticked.iter().filter_map(of).collect();
    !ticked.is_empty() && ticked == *right
}

/// A share in percent, rounded down.
pub fn percent(score: i32, max_score: i32) -> i32 {
    if max_score > 0 { score * 100 / max_score } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Vec<PoolQuestion> {
        let question = |n: u128| PoolQuestion {
            draw: usize::from(n >= 20),
            question_id: Uuid::from_u128(n),
            version: 1,
            options: (0..4).map(|option| Uuid::from_u128(1000 + 10 * n + option)).collect(),
        };
        (0..30).map(question).collect()
    }

    #[test]
    fn a_seed_gives_one_attempt_and_another_seed_another() {
        let (one, again, other) =
            (draw(&[1; 32], &pool(), &[5, 2]), draw(&[1; 32], &pool(), &[5, 2]), draw(&[2; 32], &pool(), &[5, 2]));

        assert_eq!(one, again);
        assert_ne!(one, other);
        let ids = |drawn: &[DrawnQuestion]| drawn.iter().map(|question| question.id).collect::<HashSet<_>>();
        assert!(ids(&one).is_disjoint(&ids(&other)));
    }

    #[test]
    fn each_draw_gives_its_number_of_questions() {
        let drawn = draw(&[7; 32], &pool(), &[5, 2]);

        let of_second = drawn.iter().filter(|question| question.question_id >= Uuid::from_u128(20)).count();
        assert_eq!((drawn.len(), of_second), (7, 2));
    }

    #[test]
    fn first_options_are_right_no_more_often_than_others() {
        let first = (0..400_u16).filter(|seed| {
            let drawn = draw(&seed.to_be_bytes(), &pool(), &[1, 0]);
            drawn[0].options[0].of.as_u128().is_multiple_of(10)
        });

        assert!((60..140).contains(&first.count()));
    }

    #[test]
    fn a_question_is_right_as_a_whole() {
        let drawn = draw(&[3; 32], &pool(), &[1, 0]);
        let question = &drawn[0];
        let right: HashSet<Uuid> = question.options[..2].iter().map(|option| option.of).collect();
        let ticked = |count: usize| {
            Saved::from([(question.id, question.options[..count].iter().map(|option| option.id).collect())])
        };

        assert!(is_right(question, &ticked(2), &right));
        assert!(!is_right(question, &ticked(1), &right));
        assert!(!is_right(question, &ticked(3), &right));
        assert!(!is_right(question, &Saved::new(), &right));
    }

    #[test]
    fn percents_are_rounded_down() {
        assert_eq!((percent(2, 3), percent(5, 5), percent(0, 5)), (66, 100, 0));
    }
}
