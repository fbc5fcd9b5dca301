//! The text of an XLSX file: cells row by row, printed headers, and texts of drawings.

use super::office::{MarkupStep, Package, metadata, walk};
use super::{ExtractedText, NoTextReason};

/// Reads an XLSX file.
pub fn read(bytes: &[u8]) -> Result<ExtractedText, NoTextReason> {
    let mut package = Package::open(bytes)?;
    let mut names = package.names();
    names.sort_by_key(|name| (name.len(), name.clone()));
    if !names.iter().any(|name| name == "xl/workbook.xml") {
        return Err(NoTextReason::Damaged);
    }
    let mut text = ExtractedText::default();
    text.add_apart(&metadata(&mut package)?);
    let has_strings = names.iter().any(|name| name == STRINGS);
    let strings = if has_strings { shared_strings(&package.part(STRINGS)?)? } else { Vec::new() };
    for name in &names {
        if name.starts_with("xl/worksheets/") && name.ends_with(".xml") {
            sheet(&package.part(name)?, &strings, &mut text)?;
        } else if name.starts_with("xl/drawings/") && name.ends_with(".xml") {
            drawing(&package.part(name)?, &mut text)?;
        }
    }
    Ok(text)
}

const STRINGS: &str = "xl/sharedStrings.xml";

/// The texts that cells refer to, without their phonetic readings.
fn shared_strings(xml: &str) -> Result<Vec<String>, NoTextReason> {
    let (mut strings, mut own, mut in_text, mut phonetic) = (Vec::new(), String::new(), false, false);
    walk(xml, |step| {
        match step {
            MarkupStep::Open(_, "t") => in_text = !phonetic,
            MarkupStep::Close("t") => in_text = false,
            MarkupStep::Open(_, "rPh") => phonetic = true,
            MarkupStep::Close("rPh") => phonetic = false,
            MarkupStep::Close("si") => strings.push(std::mem::take(&mut own)),
            MarkupStep::Text(text) if in_text => own.push_str(text),
            _ => {}
        }
        Ok(())
    })?;
    Ok(strings)
}

fn sheet(xml: &str, strings: &[String], out: &mut ExtractedText) -> Result<(), NoTextReason> {
    let (mut shared, mut value, mut taking, mut printed) = (false, String::new(), false, false);
    walk(xml, |step| {
        match step {
            MarkupStep::Open(tag, "c") => {
                let kind = tag.try_get_attribute("t").ok().flatten();
                shared = kind.is_some_and(|kind| &*kind.value == "s");
                value.clear();
            }
            MarkupStep::Open(_, "v" | "t") => taking = true,
            MarkupStep::Close("v" | "t") => taking = false,
            MarkupStep::Open(
                _,
                "oddHeader" | "evenHeader" | "firstHeader" | "oddFooter" | "evenFooter" | "firstFooter",
            ) => {
                printed = true;
                value.clear();
            }
            MarkupStep::Close(
                "oddHeader" | "evenHeader" | "firstHeader" | "oddFooter" | "evenFooter" | "firstFooter",
            ) => {
                printed = false;
                // Codes of places and fonts begin with `&`.
                out.add_apart(&value.replace("&L", "\n").replace("&C", "\n").replace("&R", "\n"));
                value.clear();
            }
            MarkupStep::Text(text) if taking || printed => value.push_str(text),
            MarkupStep::Close("c") => {
                let text = match shared {
                    true => {
                        value.trim().parse::<usize>().ok().and_then(|at| strings.get(at)).map_or("", String::as_str)
                    }
                    false => &value,
                };
                if !text.is_empty() {
                    out.add(text)?;
                    out.add("\t")?;
                }
            }
            MarkupStep::Close("row") => out.add("\n")?,
            _ => {}
        }
        Ok(())
    })
}

fn drawing(xml: &str, out: &mut ExtractedText) -> Result<(), NoTextReason> {
    let mut taking = false;
    walk(xml, |step| {
        match step {
            MarkupStep::Open(_, "t") => taking = true,
            MarkupStep::Close("t") => taking = false,
            MarkupStep::Close("p") => out.add("\n")?,
            MarkupStep::Text(text) if taking => out.add(text)?,
            _ => {}
        }
        Ok(())
    })
}
