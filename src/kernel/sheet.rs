//! Tables that leave as files: XLSX for reading and printing, CSV for machines.

use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{
    ColNum, ExcelDateTime, Format, FormatAlign, FormatBorder, RowNum, Workbook, Worksheet, XlsxError,
};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// Excel's bound on the characters of one cell.
const CELL_CHARACTERS: usize = 32_767;

/// Excel's number for A4 paper.
const A4: u8 = 9;

/// Largest whole number that a spreadsheet holds exactly.
const EXACT_INTEGER: u64 = 1 << 53;

/// A table to be exported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// Lines above the table, the first one largest. XLSX only.
    pub title_lines: Vec<String>,
    /// The columns from left to right, at most 16,384.
    pub headers: Vec<Column>,
    /// The rows; values beyond the last column are left out.
    pub rows: Vec<Vec<Value>>,
    /// Lines below the table. XLSX only.
    pub footer: Vec<String>,
    /// Whether A4 pages lie on their side.
    pub landscape: bool,
}

/// One column of a [`Sheet`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The heading.
    pub title: String,
    /// Width in characters, up to 255.
    pub width: f64,
    /// What the column holds; decides how its cells are aligned.
    pub kind: ColumnKind,
}

/// What the cells of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Words, on the left, wrapped.
    Text,
    /// Figures, on the right.
    Number,
    /// Dates and marks, centred.
    Centred,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text, never a formula whatever it begins with.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A part of one, shown as a percentage; empty if not finite.
    Ratio(f64),
    /// A day, shown as dd/mm/yyyy in XLSX and yyyy-mm-dd in CSV.
    Date(NaiveDate),
    /// Nothing.
    Empty,
}

/// Why a sheet could not be written.
#[derive(Debug, Error)]
#[error("the spreadsheet could not be written: {0}")]
pub struct SheetError(#[from] XlsxError);

/// Writes the sheet as an XLSX file that Excel and LibreOffice open: header
/// frozen and repeated on every printed page, one A4 page wide.
///
/// # Errors
///
/// More rows or columns than a spreadsheet can have.
pub fn to_xlsx(sheet: &Sheet) -> Result<Vec<u8>, SheetError> {
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet();
    let header_row = write_titles(page, sheet)?;
    write_headers(page, sheet, header_row)?;
    let mut row = header_row + 1;
    for values in &sheet.rows {
        for (column, value) in (0..).zip(sheet.headers.iter().zip(values)) {
            write_value(page, row, column, value.0.kind, value.1)?;
        }
        row += 1;
    }
    for line in &sheet.footer {
        row += 1;
        page.write_string(row, 0, bounded(line))?;
    }
    set_up_pages(page, sheet, header_row)?;
    Ok(workbook.save_to_buffer()?)
}

/// Writes the titles and returns the row of the header.
fn write_titles(page: &mut Worksheet, sheet: &Sheet) -> Result<RowNum, XlsxError> {
    let mut row = 0;
    let last = column_count(sheet)?.saturating_sub(1);
    for line in &sheet.title_lines {
        let size = if row == 0 { 14 } else { 11 };
        let format = Format::new().set_bold().set_font_size(size).set_align(FormatAlign::Center);
        if last > 0 {
            page.merge_range(row, 0, row, last, &bounded(line), &format)?;
        } else {
            page.write_string_with_format(row, 0, bounded(line), &format)?;
        }
        row += 1;
    }
    // A line between the titles and the table.
    Ok(if row == 0 { 0 } else { row + 1 })
}

fn write_headers(page: &mut Worksheet, sheet: &Sheet, row: RowNum) -> Result<(), XlsxError> {
    column_count(sheet)?;
    let format = Format::new()
        .set_bold()
        .set_border(FormatBorder::Thin)
        .set_background_color("#E7E6E6")
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap();
    for (column, header) in (0..).zip(&sheet.headers) {
        page.write_string_with_format(row, column, bounded(&header.title), &format)?;
        page.set_column_width(column, header.width.clamp(1.0, 255.0))?;
    }
    Ok(())
}

fn write_value(
    page: &mut Worksheet,
    row: RowNum,
    column: ColNum,
    kind: ColumnKind,
    value: &Value,
) -> Result<(), XlsxError> {
    let format = cell_format(kind);
    match value {
        Value::Text(text) => page.write_string_with_format(row, column, bounded(text), &format)?,
        Value::Integer(number) if number.unsigned_abs() <= EXACT_INTEGER => {
            page.write_number_with_format(row, column, *number as f64, &format)?
        }
        Value::Integer(number) => page.write_string_with_format(row, column, number.to_string(), &format)?,
        Value::Ratio(ratio) if ratio.is_finite() => {
            let format = format.set_num_format("0.0%");
            page.write_number_with_format(row, column, *ratio, &format)?
        }
        Value::Date(date) => match excel_date(*date) {
            Some(day) => {
                let format = format.set_num_format("dd/mm/yyyy");
                page.write_datetime_with_format(row, column, &day, &format)?
            }
            None => page.write_string_with_format(row, column, date.to_string(), &format)?,
        },
        Value::Ratio(_) | Value::Empty => page.write_blank(row, column, &format)?,
    };
    Ok(())
}

fn cell_format(kind: ColumnKind) -> Format {
    let format = Format::new().set_border(FormatBorder::Thin);
    match kind {
        ColumnKind::Text => format.set_align(FormatAlign::Left).set_text_wrap(),
        ColumnKind::Number => format.set_align(FormatAlign::Right),
        ColumnKind::Centred => format.set_align(FormatAlign::Center),
    }
}

/// The day as Excel counts them, if it lies within its years 1900 to 9999.
fn excel_date(date: NaiveDate) -> Option<ExcelDateTime> {
    let year = u16::try_from(date.year()).ok().filter(|y| *y >= 1900)?;
    let month = u8::try_from(date.month()).ok()?;
    let day = u8::try_from(date.day()).ok()?;
    ExcelDateTime::from_ymd(year, month, day).ok()
}

fn set_up_pages(page: &mut Worksheet, sheet: &Sheet, header: RowNum) -> Result<(), XlsxError> {
    page.set_freeze_panes(header + 1, 0)?;
    page.set_repeat_rows(header, header)?;
    page.set_paper_size(A4);
    page.set_print_fit_to_pages(1, 0);
    if sheet.landscape {
        page.set_landscape();
    } else {
        page.set_portrait();
    }
    Ok(())
}

fn column_count(sheet: &Sheet) -> Result<ColNum, XlsxError> {
    ColNum::try_from(sheet.headers.len()).map_err(|_| XlsxError::RowColumnLimitError)
}

/// As much of a text as a cell can hold; Excel counts in UTF-16.
fn bounded(text: &str) -> String {
    let mut room = CELL_CHARACTERS;
    let fits = |c: &char| match room.checked_sub(c.len_utf16()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
}

/// Writes header and rows as CSV after RFC 4180, in UTF-8 with a byte order
/// mark so that Excel recognises it. Titles and footer are left out: they are
/// no records.
#[must_use]
pub fn to_csv(sheet: &Sheet) -> Vec<u8> {
    let mut out = String::from('\u{feff}');
    let titles = sheet.headers.iter().map(|column| plain(&column.title));
    push_record(&mut out, titles);
    for row in &sheet.rows {
        let shown = row.iter().chain(std::iter::repeat(&Value::Empty));
        push_record(&mut out, shown.take(sheet.headers.len()).map(shown_as_text));
    }
    out.into_bytes()
}

// Written here because the `csv` crate does not quote semicolons and tabs, at which Excel splits in some languages.
fn push_record(out: &mut String, fields: impl Iterator<Item = String>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\r', '\n', ';', '\t']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&field);
        }
    }
    out.push_str("\r\n");
}

fn shown_as_text(value: &Value) -> String {
    match value {
        Value::Text(text) => plain(text),
        Value::Integer(number) => number.to_string(),
        Value::Ratio(ratio) if ratio.is_finite() => ratio.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Ratio(_) | Value::Empty => String::new(),
    }
}

/// The text with a `'` before it where a spreadsheet would take it for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}
