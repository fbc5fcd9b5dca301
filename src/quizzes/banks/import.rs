//! Brings the questions of a file into a bank: new ones, new versions of known ones, no doubles.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Language, Problem};
use crate::kernel::ids::new_id;
use crate::quizzes::exposure;
use crate::quizzes::formats::{ImportedQuestion, Kind, Reading, identity};

use super::file::sentence;
use super::store::{self, QuestionRow, StoredOption};

/// What became of a question of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// It is new in the bank.
    Added,
    /// The bank has it with another key or other details: a new version.
    Changed,
    /// The bank has it as it is.
    Unchanged,
}

/// An option as it was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadOption {
    /// Its text.
    #[schema(max_length = 1000, example = "Mỗi tháng")]
    text: String,
    /// Whether it is right.
    correct: bool,
}

/// A question as it was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadQuestion {
    /// Where it stands in the file.
    #[schema(max_length = 300, example = "row 4")]
    place: String,
    /// `single_choice`, `multiple_choice` or `true_false`.
    #[schema(max_length = 20, pattern = "^[a-z_]+$", example = "single_choice")]
    kind: &'static str,
    /// Its text.
    #[schema(max_length = 2000, example = "Sinh hoạt chi bộ thường kỳ bao lâu một lần?")]
    text: String,
    /// The options in the order of the file.
    #[schema(min_items = 2, max_items = 10)]
    options: Vec<ReadOption>,
    /// What became of it, or would.
    outcome: ImportOutcome,
}

/// Result of an import or of its dry run.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionImportReport {
    /// Whether nothing was written.
    dry_run: bool,
    /// Questions in the file.
    #[schema(minimum = 0, maximum = 2000, example = 12)]
    read: usize,
    /// Questions that are new.
    #[schema(minimum = 0, maximum = 2000, example = 12)]
    added: usize,
    /// Questions that got a new version.
    #[schema(minimum = 0, maximum = 2000, example = 0)]
    changed: usize,
    /// Questions that the bank has already.
    #[schema(minimum = 0, maximum = 2000, example = 0)]
    unchanged: usize,
    /// The questions as they were read.
    #[schema(max_items = 2000)]
    questions: Vec<ReadQuestion>,
    /// What was skipped without harm, at most 1,000 lines.
    #[schema(max_items = 1000)]
    notices: Vec<String>,
    /// The decision of a second officer that new and changed questions wait for; null when they can be drawn at once.
    pub review_decision_id: Option<Uuid>,
}

impl QuestionImportReport {
    /// How many questions were written.
    pub fn written(&self) -> usize {
        if self.dry_run { 0 } else { self.added + self.changed }
    }
}

/// The name of a kind in the database and the API.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::SingleChoice => "single_choice",
        Kind::MultipleChoice => "multiple_choice",
        Kind::TrueFalse => "true_false",
    }
}

/// The hash by which a question is known.
pub fn identity_of(question: &ImportedQuestion) -> Vec<u8> {
    let options = question.options.iter().map(|option| option.text.as_str());
    digest(&SHA256, identity(&question.text, options).as_bytes()).as_ref().to_vec()
}

/// Compares the file with the bank, and writes unless it is a dry run, in the caller's transaction.
pub async fn import(
    conn: &mut Conn,
    bank_id: Uuid,
    reading: &Reading,
    (dry_run, review_id): (bool, Option<Uuid>),
    (language, author, now): (Language, Uuid, DateTime<Utc>),
) -> Result<QuestionImportReport, Problem> {
    store::lock(conn, bank_id).await?;
    let identities: Vec<Vec<u8>> = reading.questions.iter().map(identity_of).collect();
    let known = store::of_identities(conn, bank_id, &identities).await?;
    let known: HashMap<&[u8], &QuestionRow> = known.iter().map(|row| (row.identity.as_slice(), row)).collect();
    let (mut rows, mut questions) = (Vec::new(), Vec::with_capacity(identities.len()));
    for (question, identity) in reading.questions.iter().zip(&identities) {
        let before = known.get(identity.as_slice()).copied();
        let (outcome, row) = compare(question, identity, before, now)?;
        rows.extend(row);
        questions.push(shown(question, outcome, language));
    }
    if !dry_run && !rows.is_empty() {
        store::write(conn, bank_id, &Value::Array(rows), review_id, (author, now)).await?;
    }
    let count = |outcome| questions.iter().filter(|question| question.outcome == outcome).count();
    Ok(QuestionImportReport {
        dry_run,
        read: questions.len(),
        added: count(ImportOutcome::Added),
        changed: count(ImportOutcome::Changed),
        unchanged: count(ImportOutcome::Unchanged),
        notices: notices(reading, language),
        questions,
        review_decision_id: None,
    })
}

fn notices(reading: &Reading, language: Language) -> Vec<String> {
    let line = |notice: &crate::quizzes::formats::FormatFault| match language {
        Language::Vietnamese => sentence(&notice.place.vi(), &notice.vi),
        Language::English => sentence(&notice.place.en(), &notice.en),
    };
    reading.notices.iter().take(1000).map(line).collect()
}

fn shown(question: &ImportedQuestion, outcome: ImportOutcome, language: Language) -> ReadQuestion {
    let place = match language {
        Language::Vietnamese => question.place.vi(),
        Language::English => question.place.en(),
    };
    let option = |option: &crate::quizzes::formats::ImportedOption| ReadOption {
        text: option.text.clone(),
        correct: option.correct,
    };
    ReadQuestion {
        place,
        kind: kind_name(question.kind),
        text: question.text.clone(),
        options: question.options.iter().map(option).collect(),
        outcome,
    }
}

/// What becomes of a question, and the row to be written for it.
fn compare(
    question: &ImportedQuestion,
    identity: &[u8],
    before: Option<&QuestionRow>,
    now: DateTime<Utc>,
) -> Result<(ImportOutcome, Option<Value>), Problem> {
    let Some(before) = before else {
        let row = row(question, identity, (new_id(now), 1), &HashMap::new(), None, now);
        return Ok((ImportOutcome::Added, Some(row)));
    };
    let options = before.options()?;
    let key = |text: &str| text.to_lowercase();
    let right: HashMap<String, bool> = options.iter().map(|option| (key(&option.text), option.correct)).collect();
    let same_key = question.options.iter().all(|option| right.get(&key(&option.text)) == Some(&option.correct));
    // What the file leaves out stays as it is.
    let same = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
    let same_details = same(&question.explanation, &before.explanation)
        && same(&question.topic, &before.topic)
        && question.difficulty.is_none_or(|level| before.difficulty == Some(i16::from(level)));
    if same_key && same_details && before.kind == kind_name(question.kind) {
        return Ok((ImportOutcome::Unchanged, None));
    }
    let ids: HashMap<String, Uuid> = options.iter().map(|option| (key(&option.text), option.id)).collect();
    let row = row(question, identity, (before.id, before.version + 1), &ids, Some(before), now);
    Ok((ImportOutcome::Changed, Some(row)))
}

/// The row of a question's version; what the question leaves out is taken from `before`.
pub fn row(
    question: &ImportedQuestion,
    identity: &[u8],
    (id, version): (Uuid, i32),
    ids: &HashMap<String, Uuid>,
    before: Option<&QuestionRow>,
    now: DateTime<Utc>,
) -> Value {
    let option = |option: &crate::quizzes::formats::ImportedOption| StoredOption {
        id: ids.get(&option.text.to_lowercase()).copied().unwrap_or_else(|| new_id(now)),
        text: option.text.clone(),
        correct: option.correct,
    };
    let options: Vec<StoredOption> = question.options.iter().map(option).collect();
    let hex: String = identity.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "id": id,
        "identity": hex,
        "version": version,
        "kind": kind_name(question.kind),
        "text": question.text,
        "options": options,
        "explanation": question.explanation.as_ref().or(before.and_then(|row| row.explanation.as_ref())),
        "topic": question.topic.as_ref().or(before.and_then(|row| row.topic.as_ref())),
        "difficulty": question.difficulty.map(i16::from).or(before.and_then(|row| row.difficulty)),
    })
}

/// Brings the questions of a file in for their author, who has seen their keys.
///
/// # Errors
/// 503 when the database cannot be reached.
pub async fn stock(
    conn: &mut Conn,
    bank_id: Uuid,
    reading: &Reading,
    author: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let identities: Vec<Vec<u8>> = reading.questions.iter().map(identity_of).collect();
    exposure::record(conn, author, &identities, now).await?;
    import(conn, bank_id, reading, (false, None), (Language::Vietnamese, author, now)).await?;
    Ok(())
}
