//! Word files (.docx) as teachers write them for the tools they know.

mod blocks;
mod keys;
mod labels;
mod line;
mod marks;
mod numbering;
mod package;
mod questions;
mod resolve;
mod styles;

use super::fault::{Place, Unreadable};
use super::{Reading, excel};

use blocks::WordBlock;

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Reading, Unreadable> {
    let blocks = package::open(bytes).and_then(|package| blocks::read(&package)).ok_or_else(damaged)?;
    let mut reading = Reading::default();
    let mut rest = Vec::with_capacity(blocks.len());
    for block in blocks {
        match block {
            // A table with headings as in Excel is read as there.
            WordBlock::Table(table) if excel::read_table(&table.grid(), &Place::default(), &mut reading) => {}
            block => rest.push(block),
        }
    }
    let document = questions::read(&rest);
    resolve::resolve(document, &mut reading);
    if reading.questions.is_empty() && reading.faults.is_empty() && reading.notices.is_empty() {
        return Err(Unreadable::NoQuestions);
    }
    Ok(reading)
}

fn damaged() -> Unreadable {
    Unreadable::Damaged("DOCX".to_owned())
}
