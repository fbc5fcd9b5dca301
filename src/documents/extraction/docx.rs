//! The text of a DOCX file: body, headers, footers, notes and text boxes, without deleted passages.

use super::office::{MarkupStep, Package, metadata, walk};
use super::{ExtractedText, NoTextReason};

/// Reads a DOCX file.
pub fn read(bytes: &[u8]) -> Result<ExtractedText, NoTextReason> {
    let mut package = Package::open(bytes)?;
    let names = package.names();
    if !names.iter().any(|name| name == BODY) {
        return Err(NoTextReason::Damaged);
    }
    let mut text = ExtractedText::default();
    text.add_apart(&metadata(&mut package)?);
    // Markings often stand in the header of the first page only.
    for name in names.iter().filter(|name| is_beside(name)) {
        let mut beside = String::new();
        read_part(&package.part(name)?, |piece| {
            beside.push_str(piece);
            Ok(())
        })?;
        text.add_apart(&beside);
    }
    read_part(&package.part(BODY)?, |piece| text.add(piece))?;
    Ok(text)
}

const BODY: &str = "word/document.xml";

fn is_beside(name: &str) -> bool {
    let stem = name.strip_prefix("word/").and_then(|name| name.strip_suffix(".xml"));
    stem.is_some_and(|stem| ["header", "footer", "footnotes", "endnotes"].iter().any(|known| stem.starts_with(known)))
}

fn read_part(xml: &str, mut take: impl FnMut(&str) -> Result<(), NoTextReason>) -> Result<(), NoTextReason> {
    // Text counts inside `t` only; what stands in a fallback stands in its alternative too.
    let (mut texts, mut fallbacks) = (0_u32, 0_u32);
    walk(xml, |step| match step {
        MarkupStep::Open(_, "Fallback") => {
            fallbacks += 1;
            Ok(())
        }
        MarkupStep::Close("Fallback") => {
            fallbacks = fallbacks.saturating_sub(1);
            Ok(())
        }
        _ if fallbacks > 0 => Ok(()),
        MarkupStep::Open(_, "t") => {
            texts += 1;
            Ok(())
        }
        MarkupStep::Close("t") => {
            texts = texts.saturating_sub(1);
            Ok(())
        }
        MarkupStep::Open(_, "tab") | MarkupStep::Close("tc") => take("\t"),
        MarkupStep::Open(_, "br" | "cr") | MarkupStep::Close("p" | "tr") => take("\n"),
        MarkupStep::Open(_, "noBreakHyphen") => take("-"),
        MarkupStep::Text(text) if texts > 0 => take(text),
        _ => Ok(()),
    })
}
