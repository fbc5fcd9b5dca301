//! Question tables in Excel workbooks.

mod answers;
mod cells;
mod header;
mod rows;
mod write;

use std::collections::BTreeMap;

use super::Reading;
use super::fault::{FormatFault, Place, Unreadable};

pub(super) use write::write;

/// Reads every sheet that has a question table.
pub(super) fn read(bytes: &[u8]) -> Result<Reading, Unreadable> {
    let sheets = cells::sheets(bytes)?;
    let several = sheets.len() > 1;
    let mut reading = Reading::default();
    let mut found = false;
    for sheet in &sheets {
        let name = several.then(|| sheet.name.clone());
        let place = Place { sheet: name.clone(), ..Place::default() };
        match header::find(&sheet.rows) {
            Some(header) => {
                found = true;
                header.notices(&place, &mut reading);
                if header.faults(&place, &mut reading) {
                    rows::read(&header, sheet, &place, &mut reading);
                }
            }
            None => {
                let place = Place { sheet: Some(sheet.name.clone()), ..Place::default() };
                let (vi, en) =
                    ("trang không có bảng câu hỏi, đã bỏ qua", "the sheet has no question table and was skipped");
                reading.notices.push(FormatFault::new(&place, "sheet_not_read", vi, en));
            }
        }
    }
    if found { Ok(reading) } else { Err(Unreadable::NoHeader) }
}

/// Reads a table of another program if it has the headings of a question table.
pub(super) fn read_table(grid: &[Vec<String>], place: &Place, reading: &mut Reading) -> bool {
    let cell = |(column, text): (u32, &String)| (!text.is_empty()).then(|| (column, cells::Cell::Text(text.clone())));
    let row = |(number, row): (u32, &Vec<String>)| {
        let cells: BTreeMap<_, _> = (0..).zip(row).filter_map(cell).collect();
        cells::QuestionSheetRow { number, cells }
    };
    let rows: Vec<cells::QuestionSheetRow> = (1..).zip(grid).map(row).collect();
    let Some(header) = header::find(&rows) else { return false };
    header.notices(place, reading);
    if header.faults(place, reading) {
        rows::read(&header, &cells::QuestionSheet { name: String::new(), rows }, place, reading);
    }
    true
}
