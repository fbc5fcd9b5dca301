//! The text of a PDF file, page by page; a page that cannot be read costs no other page its text.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, Object, PlainTextOutput, output_doc_page};

use super::{ExtractedText, NoTextReason};

/// Pages that are read; longer files are refused.
const MOST_PAGES: usize = 5_000;

/// Reads a PDF file.
pub fn read(bytes: &[u8]) -> Result<ExtractedText, NoTextReason> {
    // What stands before the mark counts for nothing, also for the positions that the file names.
    let begin = bytes.windows(5).take(1_024).position(|at| at == b"%PDF-").ok_or(NoTextReason::Damaged)?;
    let mut document = quietly(|| Document::load_mem(&bytes[begin..]).ok()).ok_or(NoTextReason::Damaged)?;
    if document.is_encrypted() && quietly(|| document.decrypt("").ok()).is_none() {
        return Err(NoTextReason::Encrypted);
    }
    let pages = quietly(|| Some(document.get_pages())).ok_or(NoTextReason::Damaged)?;
    if pages.is_empty() {
        return Err(NoTextReason::Damaged);
    }
    if pages.len() > MOST_PAGES {
        return Err(NoTextReason::TooLarge);
    }
    let mut text = ExtractedText { pages: i32::try_from(pages.len()).ok(), ..ExtractedText::default() };
    text.add_apart(&information(&document));
    let mut unread = 0;
    for number in pages.into_keys() {
        match quietly(|| page(&document, number)) {
            Some(page) => {
                text.add(&page)?;
                text.add("\n")?;
            }
            None => unread += 1,
        }
    }
    if unread > 0 && text.is_empty() { Err(NoTextReason::Damaged) } else { Ok(text) }
}

fn page(document: &Document, number: u32) -> Option<String> {
    let mut page = String::new();
    output_doc_page(document, &mut PlainTextOutput::new(&mut page), number).ok()?;
    Some(page)
}

/// Title, subject and keywords, one a line.
fn information(document: &Document) -> String {
    let read = || {
        let info = document.trailer.get(b"Info").ok()?.as_reference().ok()?;
        let info = document.get_object(info).ok()?.as_dict().ok()?;
        let values = info.iter().filter_map(|(_, value)| match value {
            Object::String(bytes, _) => Some(utf16_or_latin(bytes)),
            _ => None,
        });
        Some(values.collect::<Vec<_>>().join("\n"))
    };
    quietly(read).unwrap_or_default()
}

fn utf16_or_latin(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => {
            let units: Vec<u16> = rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        latin => latin.iter().copied().map(char::from).collect(),
    }
}

/// The parser panics on what it does not expect; nothing of a broken step is used afterwards.
fn quietly<T>(step: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok().flatten()
}
