//! The filled cells of a workbook.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};

use super::super::fault::Unreadable;

const MOST_SHEETS: usize = 50;
const MOST_ROWS: u32 = 30_000;
const MOST_COLUMNS: u32 = 60;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(f64),
    Flag(bool),
    /// A day or a time: what `1/3` becomes when Excel reads it.
    Date,
    Error,
}

impl Cell {
    /// What people see, as far as a question may hold it.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(true) => "TRUE".to_owned(),
            Self::Flag(false) => "FALSE".to_owned(),
            Self::Date | Self::Error => String::new(),
        }
    }
}

/// The filled cells of one row by column.
#[derive(Debug)]
pub(super) struct QuestionSheetRow {
    /// As Excel numbers it, from 1.
    pub number: u32,
    pub cells: BTreeMap<u32, Cell>,
}

/// A sheet that people see.
#[derive(Debug)]
pub(super) struct QuestionSheet {
    pub name: String,
    pub rows: Vec<QuestionSheetRow>,
}

/// Reads a workbook; empty and hidden sheets are left out.
pub(super) fn sheets(bytes: &[u8]) -> Result<Vec<QuestionSheet>, Unreadable> {
    // The reader of workbooks is another's; what it asserts about a file need not hold.
    let read = catch_unwind(AssertUnwindSafe(|| workbook(bytes)));
    read.ok().flatten().ok_or_else(|| Unreadable::Damaged("XLSX".to_owned()))
}

fn workbook(bytes: &[u8]) -> Option<Vec<QuestionSheet>> {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).ok()?;
    let visible: Vec<String> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .take(MOST_SHEETS)
        .collect();
    let mut sheets = Vec::new();
    for name in visible {
        let rows = rows(&mut workbook, &name)?;
        if !rows.is_empty() {
            sheets.push(QuestionSheet { name, rows });
        }
    }
    Some(sheets)
}

fn rows(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Option<Vec<QuestionSheetRow>> {
    let mut rows: BTreeMap<u32, QuestionSheetRow> = BTreeMap::new();
    let mut reader = workbook.worksheet_cells_reader(name).ok()?;
    while let Some(cell) = reader.next_cell().ok()? {
        let (row, column) = cell.get_position();
        if row >= MOST_ROWS || column >= MOST_COLUMNS {
            continue;
        }
        if let Some(value) = value(cell.get_value()) {
            let row = rows.entry(row).or_insert_with(|| QuestionSheetRow { number: row + 1, cells: BTreeMap::new() });
            row.cells.insert(column, value);
        }
    }
    Some(rows.into_values().collect())
}

fn value(value: &DataRef<'_>) -> Option<Cell> {
    let text = |text: &str| (!text.trim().is_empty()).then(|| Cell::Text(text.trim().to_owned()));
    match value {
        DataRef::Empty => None,
        DataRef::String(string) => text(string),
        DataRef::SharedString(string) => text(string),
        DataRef::Int(number) => Some(Cell::Number(*number as f64)),
        DataRef::Float(number) => Some(Cell::Number(*number)),
        DataRef::Bool(flag) => Some(Cell::Flag(*flag)),
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => Some(Cell::Date),
        DataRef::Error(_) => Some(Cell::Error),
    }
}

/// The letters Excel gives a zero-based column.
pub(super) fn column_letters(position: u32) -> String {
    let letter = |position: u32| char::from(b'A' + u8::try_from(position % 26).unwrap_or(0));
    if position < 26 {
        letter(position).to_string()
    } else {
        format!("{}{}", letter(position / 26 - 1), letter(position))
    }
}
