//! The gate: refuses secrecy markings, empty documents, and files not read yet.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::documents::model::{MarkingPlace, carries_secret_marking, name_carries_secret_marking, words};
use crate::documents::store::DocumentRow;
use crate::kernel::db::Conn;
use crate::kernel::db::schema::{document_files, file_contents};
use crate::kernel::http::problem::{Code, Problem};

/// Seconds after which reading a file is worth asking for again.
const READING_SECONDS: u64 = 5;

/// The texts of a document that are looked at.
pub struct CheckedTexts<'a> {
    pub symbol: &'a str,
    pub title: &'a str,
    pub summary: &'a str,
    pub body: &'a str,
    pub topics: &'a [String],
}

impl<'a> CheckedTexts<'a> {
    /// Those of a row, with its text.
    pub fn of(row: &'a DocumentRow, body: &'a str) -> Self {
        Self { symbol: &row.symbol, title: &row.title, summary: &row.summary, body, topics: &row.topics }
    }
}

/// Refuses a marking anywhere in the texts.
///
/// # Errors
/// 422 `secret_marking`.
pub fn unmarked(texts: &CheckedTexts<'_>) -> Result<(), Problem> {
    let headings = [texts.symbol, texts.title].into_iter().chain(texts.topics.iter().map(String::as_str));
    let marked = headings.into_iter().any(|line| carries_secret_marking(line, MarkingPlace::Heading))
        || [texts.summary, texts.body].into_iter().any(|text| carries_secret_marking(text, MarkingPlace::Text));
    if marked { Err(Problem::new(Code::SecretMarking)) } else { Ok(()) }
}

/// Refuses texts that are marked, and a document that holds nothing to read.
///
/// # Errors
/// 422 `secret_marking` or `rule_not_met`.
pub fn check(texts: &CheckedTexts<'_>, pages: Option<i32>) -> Result<(), Problem> {
    unmarked(texts)?;
    if words(texts.body) == 0 && pages.is_none() {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Cần có nội dung văn bản hoặc số trang.",
            "A document needs a text or a number of pages.",
        ));
    }
    Ok(())
}

/// What the files of a version add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFiles {
    pub files: usize,
    pub words: i32,
    pub pages: Option<i32>,
}

/// Looks at the files of a version: their names, and what was read from them.
///
/// # Errors
/// 422 for a marking, 409 with `Retry-After` while one is being read.
pub async fn check_files(conn: &mut Conn, document_id: Uuid, version: i32) -> Result<InFiles, Problem> {
    let files: Vec<(String, String, bool, i32, Option<i32>)> = document_files::table
        .inner_join(
            file_contents::table.on(file_contents::sha256
                .eq(document_files::sha256)
                .and(file_contents::media_type.eq(document_files::media_type))),
        )
        .filter(document_files::document_id.eq(document_id))
        .filter(document_files::version.eq(version))
        .select((
            document_files::name,
            file_contents::text_state,
            file_contents::marked,
            file_contents::words,
            file_contents::pages,
        ))
        .load(conn)
        .await?;
    if files.iter().any(|(name, _, marked, ..)| *marked || name_carries_secret_marking(name)) {
        return Err(Problem::new(Code::SecretMarking));
    }
    if files.iter().any(|(_, state, ..)| state == "being_read") {
        return Err(Problem::with(
            Code::Conflict,
            "Hệ thống đang đọc tệp của tài liệu; hãy ban hành lại sau ít phút.",
            "A file of the document is being read: publish again in a moment.",
        )
        .retry_after(READING_SECONDS));
    }
    let pages: Vec<i32> = files.iter().filter_map(|(.., pages)| *pages).collect();
    Ok(InFiles {
        files: files.len(),
        words: files.iter().map(|(.., words, _)| words).fold(0, |sum, words| sum.saturating_add(*words)),
        pages: (!pages.is_empty()).then(|| pages.iter().sum()),
    })
}
