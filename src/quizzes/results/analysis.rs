//! How each question of a quiz fared: facility, discrimination, the wrong option chosen most.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, Int4, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::Problem;
use crate::quizzes::attempts::model::{DrawnQuestion, Saved, is_right};
use crate::quizzes::banks::store::StoredOption;
use crate::quizzes::voids::store as voids;

/// Figures of fewer answers tell of persons.
pub const LEAST: usize = 5;

/// A question of a quiz with its figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionAnalysis {
    /// The question.
    question_id: Uuid,
    /// Its text.
    #[schema(max_length = 2000, example = "Sinh hoạt chi bộ thường kỳ bao lâu một lần?")]
    text: String,
    /// Attempts that asked it; null below five.
    #[schema(minimum = 0, maximum = 10_000_000)]
    asked: Option<usize>,
    /// The share that was right; null below five.
    #[schema(minimum = 0.0, maximum = 1.0)]
    facility: Option<f64>,
    /// How well it tells good attempts from others, -1 to 1: the correlation with the rest of the attempt; null below five.
    #[schema(minimum = -1.0, maximum = 1.0)]
    discrimination: Option<f64>,
    /// The wrong option chosen most; null below five, and when none was chosen.
    #[schema(max_length = 1000)]
    most_chosen_wrong: Option<String>,
    /// Whether it was voided: it is right for all who were asked it.
    voided: bool,
}

#[derive(QueryableByName)]
struct AnalysedQuestion {
    #[diesel(sql_type = SqlUuid)]
    question_id: Uuid,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Jsonb)]
    options: Value,
}

#[derive(QueryableByName)]
struct AnalysedAttempt {
    #[diesel(sql_type = Int4)]
    score: i32,
    #[diesel(sql_type = Jsonb)]
    items: Value,
    #[diesel(sql_type = Jsonb)]
    answers: Value,
}

#[derive(QueryableByName)]
struct Identity {
    #[diesel(sql_type = Array<diesel::sql_types::Bytea>)]
    identities: Vec<Vec<u8>>,
}

/// The identities of the questions of a quiz.
pub async fn identities(conn: &mut Conn, quiz_id: Uuid) -> Result<Vec<Vec<u8>>, Problem> {
    let query = diesel::sql_query("SELECT ARRAY(SELECT identity FROM quiz_pool WHERE quiz_id = $1) AS identities");
    let row: Identity = query.bind::<SqlUuid, _>(quiz_id).get_result(conn).await?;
    Ok(row.identities)
}

/// The figures of each question of the pool, in the order of their ids.
pub async fn analyse(
    conn: &mut Conn,
    quiz_id: Uuid,
    after: Option<Uuid>,
    fetch: i64,
) -> Result<Vec<(Uuid, QuestionAnalysis)>, Problem> {
    let questions: Vec<AnalysedQuestion> = diesel::sql_query(
        "SELECT p.question_id, v.text, v.options FROM quiz_pool p
         JOIN question_versions v ON v.question_id = p.question_id AND v.version = p.version
         WHERE p.quiz_id = $1 AND ($2 IS NULL OR p.question_id > $2) ORDER BY p.question_id LIMIT $3",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .bind::<diesel::sql_types::Nullable<SqlUuid>, _>(after)
    .bind::<diesel::sql_types::BigInt, _>(fetch)
    .load(conn)
    .await?;
    let attempts: Vec<AnalysedAttempt> = diesel::sql_query(
        "SELECT a.score, a.items, coalesce((SELECT jsonb_object_agg(s.question_id, to_jsonb(s.option_ids))
             FROM quiz_answers s WHERE s.attempt_id = a.id), '{}') AS answers
         FROM quiz_attempts a JOIN quizzes z ON z.id = a.quiz_id
         WHERE a.quiz_id = $1 AND a.submitted_at IS NOT NULL AND (z.practice OR NOT a.practice)",
    )
    .bind::<SqlUuid, _>(quiz_id)
    .load(conn)
    .await?;
    let voided = voids::of_quiz(conn, quiz_id).await?;
    let mut tallies: HashMap<Uuid, (Vec<StoredOption>, AnswerTally)> = HashMap::new();
    for question in &questions {
        let options = serde_json::from_value(question.options.clone()).map_err(Problem::internal)?;
        tallies.insert(question.question_id, (options, AnswerTally::default()));
    }
    for attempt in attempts {
        let items: Vec<DrawnQuestion> = serde_json::from_value(attempt.items).map_err(Problem::internal)?;
        let saved: Saved = serde_json::from_value(attempt.answers).map_err(Problem::internal)?;
        for item in &items {
            if let Some((options, tally)) = tallies.get_mut(&item.question_id) {
                tally.voided = voided.contains(&item.question_id);
                tally.add(item, &saved, options, attempt.score);
            }
        }
    }
    let figures = questions.into_iter().filter_map(|question| {
        let (options, tally) = tallies.remove(&question.question_id)?;
        Some((question.question_id, tally.figures(question.question_id, question.text, &options)))
    });
    Ok(figures.collect())
}

/// Answers to one question.
#[derive(Debug, Default)]
struct AnswerTally {
    /// Whether each was right, and what the rest of the attempt scored.
    results: Vec<(f64, f64)>,
    wrong: HashMap<Uuid, usize>,
    voided: bool,
}

impl AnswerTally {
    fn add(&mut self, item: &DrawnQuestion, saved: &Saved, options: &[StoredOption], score: i32) {
        let right: HashSet<Uuid> = options.iter().filter(|option| option.correct).map(|option| option.id).collect();
        let is_right = self.voided || is_right(item, saved, &right);
        let own = f64::from(u8::from(is_right));
        self.results.push((own, f64::from(score) - own));
        let ticked = saved.get(&item.id).map(Vec::as_slice).unwrap_or_default();
        for option in item.options.iter().filter(|option| ticked.contains(&option.id)) {
            if !right.contains(&option.of) {
                *self.wrong.entry(option.of).or_default() += 1;
            }
        }
    }

    fn figures(self, question_id: Uuid, text: String, options: &[StoredOption]) -> QuestionAnalysis {
        let enough = self.results.len() >= LEAST;
        let share = self.results.iter().map(|(own, _)| own).sum::<f64>() / self.results.len().max(1) as f64;
        let most = options.iter().filter_map(|option| Some((self.wrong.get(&option.id)?, option)));
        // Of several chosen equally often the first in the file's order.
        let most = most.rev().max_by_key(|(times, _)| **times).map(|(_, option)| option.text.clone());
        QuestionAnalysis {
            question_id,
            text,
            asked: enough.then_some(self.results.len()),
            facility: enough.then_some(share),
            discrimination: correlation(&self.results).filter(|_| enough),
            most_chosen_wrong: most.filter(|_| enough),
            voided: self.voided,
        }
    }
}

/// The correlation of two figures; none when one of them never differs.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let count = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| of(x - mean_x, y - mean_y)).sum::<f64>();
    let (both, x, y) = (sum(&|x, y| x * y), sum(&|x, _| x * x), sum(&|_, y| y * y));
    (x > 0.0 && y > 0.0).then(|| (both / (x * y).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_good_attempts_get_right_tells_them_apart() {
        let good = correlation(&[(1.0, 4.0), (1.0, 3.0), (0.0, 1.0), (0.0, 0.0)]).unwrap();

        assert!(good > 0.9);
        assert_eq!(correlation(&[(1.0, 4.0), (1.0, 3.0)]), None);
    }
}
