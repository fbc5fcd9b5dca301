//! The sheets of a measured archive, row by row, never as a whole.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use chrono::NaiveDate;

use super::marks::{Marks, SheetMarks};
use crate::organisation::roster::{Bound, RosterError, RosterLimits};

/// Characters of a cell that are looked at. Longer than any valid content, so
/// that what was cut off can only be found too long.
const CELL_CHARACTERS: usize = 500;

/// How many sheets of a workbook are looked at.
const SHEETS: usize = 255;

/// Serial numbers of days that are years when read as numbers: 1953 typed into a date cell shows as a day of 1905.
const YEARS: std::ops::RangeInclusive<f64> = 1900.0..=2100.0;

/// What a cell holds. A date that Excel shows but no calendar has is `Error`.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue {
    Text(String),
    Number(f64),
    Date(NaiveDate),
    /// A date cell into which a year alone was typed.
    Year,
    Flag(bool),
    Error,
    /// Several cells below one heading that are no parts of one value.
    Several,
}

/// A cell that is not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetCell {
    /// Zero-based column.
    pub position: u32,
    pub value: CellValue,
    /// Whether a formula computes the value.
    pub formula: bool,
}

/// The filled cells of one row, from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetRow {
    /// As Excel numbers it, from 1.
    pub number: u32,
    pub cells: Vec<SheetCell>,
}

impl SheetRow {
    pub fn cell(&self, position: u32) -> Option<&SheetCell> {
        self.cells.binary_search_by_key(&position, |cell| cell.position).ok().map(|index| &self.cells[index])
    }
}

/// Whether a sheet is worth reading on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextPart {
    Row,
    Sheet,
}

/// A sheet that is about to be shown.
#[derive(Debug)]
pub struct SheetInfo {
    pub name: String,
    /// Whether people see it.
    pub visible: bool,
    pub marks: SheetMarks,
}

/// Visits the rows of one sheet after the other.
pub trait Visitor {
    /// A sheet begins.
    fn sheet(&mut self, sheet: SheetInfo);
    /// A row with at least one filled cell.
    fn row(&mut self, row: SheetRow) -> NextPart;
    /// The sheet ended or was left.
    fn end(&mut self);
}

/// Shows the sheets of a workbook to `visitor`.
///
/// # Errors
///
/// [`RosterError::NotAWorkbook`] and [`RosterError::TooLarge`].
pub fn visit(
    (archive, mut marks): (Vec<u8>, Marks),
    limits: &RosterLimits,
    visitor: &mut impl Visitor,
) -> Result<(), RosterError> {
    let mut workbook: Xlsx<_> = guarded(|| Xlsx::new(Cursor::new(archive)))?;
    let sheets: Vec<SheetInfo> = workbook
        .sheets_metadata()
        .iter()
        .enumerate()
        .filter(|(_, sheet)| sheet.typ == SheetType::WorkSheet)
        .take(SHEETS)
        .map(|(index, sheet)| SheetInfo {
            name: sheet.name.clone(),
            visible: sheet.visible == SheetVisible::Visible,
            marks: marks.of_sheet(index),
        })
        .collect();
    for sheet in sheets {
        let name = sheet.name.clone();
        visitor.sheet(sheet);
        visit_rows(&mut workbook, &name, limits, visitor)?;
        visitor.end();
    }
    Ok(())
}

fn visit_rows(
    workbook: &mut Xlsx<Cursor<Vec<u8>>>,
    sheet: &str,
    limits: &RosterLimits,
    visitor: &mut impl Visitor,
) -> Result<(), RosterError> {
    let mut reader = guarded(|| workbook.worksheet_cells_reader(sheet))?;
    let mut row = SheetRow { number: 0, cells: Vec::new() };
    while let Some(record) = guarded(|| reader.next_cell_with_formula_metadata())? {
        let formula = record.formula.is_some();
        let Some(value) = read(record.value, formula) else {
            continue;
        };
        let (number, position) = locate(record.pos, limits)?;
        if number != row.number {
            if number < row.number {
                return Err(RosterError::NotAWorkbook);
            }
            let cells = std::mem::take(&mut row.cells);
            if !cells.is_empty() && visitor.row(SheetRow { cells, ..row }) == NextPart::Sheet {
                return Ok(());
            }
            row.number = number;
        }
        if row.cells.last().is_some_and(|last| last.position >= position) {
            return Err(RosterError::NotAWorkbook);
        }
        row.cells.push(SheetCell { position, value, formula });
    }
    if !row.cells.is_empty() {
        visitor.row(row);
    }
    Ok(())
}

/// The 1-based row and 0-based column of a filled cell, if within the limits.
fn locate((row, column): (u32, u32), limits: &RosterLimits) -> Result<(u32, u32), RosterError> {
    if row >= limits.rows {
        return Err(RosterError::TooLarge { what: Bound::Rows, limit: limits.rows.into() });
    }
    if column >= limits.columns {
        return Err(RosterError::TooLarge { what: Bound::Columns, limit: limits.columns.into() });
    }
    Ok((row + 1, column))
}

/// The value of a cell, `None` if it is empty. A formula is never empty.
fn read(value: DataRef<'_>, formula: bool) -> Option<CellValue> {
    match value {
        DataRef::Empty if formula => Some(CellValue::Text(String::new())),
        DataRef::Empty => None,
        DataRef::String(text) => read_text(&text, formula),
        DataRef::SharedString(text) => read_text(text, formula),
        DataRef::Int(number) => Some(CellValue::Number(number as f64)),
        DataRef::Float(number) => Some(CellValue::Number(number)),
        DataRef::Bool(flag) => Some(CellValue::Flag(flag)),
        DataRef::DateTime(date) => Some(read_date(date)),
        DataRef::DateTimeIso(text) => read_text(text.get(..10).unwrap_or(&text), formula),
        DataRef::DurationIso(_) | DataRef::Error(_) => Some(CellValue::Error),
    }
}

fn read_text(text: &str, formula: bool) -> Option<CellValue> {
    if text.trim().is_empty() && !formula {
        return None;
    }
    Some(CellValue::Text(text.chars().take(CELL_CHARACTERS).collect()))
}

fn read_date(date: ExcelDateTime) -> CellValue {
    if date.is_duration() {
        return CellValue::Error;
    }
    if YEARS.contains(&date.as_f64()) && date.as_f64().fract() == 0.0 {
        return CellValue::Year;
    }
    let (year, month, day, ..) = date.to_ymd_hms_milli();
    NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()).map_or(CellValue::Error, CellValue::Date)
}

/// Calls the parser. Its arithmetic may overflow on references like `ZZZZZZZZ1`:
/// a panic in it means a broken file, not a broken server. Its message is
/// dropped, for it may quote the file. Nothing of it is used after a panic.
fn guarded<T>(call: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, RosterError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(_) => Err(RosterError::NotAWorkbook),
    }
}
