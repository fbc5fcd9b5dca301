//! What can be read but should be looked at: swapped dates, nameless columns, hidden rows.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::fault::{RosterFault, column_letters};
use super::header::{Field, Layout};
use super::value::written_date;
use super::workbook::{CellValue, SheetCell, SheetRow};

/// Rows that a notice lists.
const LISTED: usize = 10;

/// The dates of one column, by how they are kept and whether the day could be a month.
#[derive(Debug, Default, Clone, Copy)]
struct Dates {
    cells_like_months: u32,
    cells_beyond: u32,
    texts_like_months: u32,
    texts_beyond: u32,
}

impl Dates {
    fn take(&mut self, cell: &SheetCell) {
        let like_month = |day: NaiveDate| day.day() <= 12;
        match &cell.value {
            CellValue::Date(day) if like_month(*day) => self.cells_like_months += 1,
            CellValue::Date(_) => self.cells_beyond += 1,
            CellValue::Text(text) => match written_date(text) {
                Some(day) if like_month(day) => self.texts_like_months += 1,
                Some(_) => self.texts_beyond += 1,
                None => {}
            },
            _ => {}
        }
    }

    /// An Excel that expects the month first turns 03/02 into a date of March and leaves 15/02 as text.
    fn look_swapped(self) -> bool {
        self.cells_like_months > 0 && self.texts_beyond > 0 && self.cells_beyond == 0 && self.texts_like_months == 0
    }
}

const DATES: [Field; 3] = [Field::BirthDate, Field::AdmittedOn, Field::OfficialOn];

/// What has been seen in the rows of members.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    dates: [Dates; 3],
    /// Columns without a heading: first row and number of rows with something in them.
    unnamed: BTreeMap<u32, (u32, usize)>,
    hidden: Vec<u32>,
}

impl Oddities {
    /// Looks at a row of a member.
    pub fn take(&mut self, layout: &Layout, row: &SheetRow, hidden: bool) {
        for (dates, field) in self.dates.iter_mut().zip(DATES) {
            if let Some(cell) = layout.span(field).and_then(|(first, _)| row.cell(first)) {
                dates.take(cell);
            }
        }
        for cell in row.cells.iter().filter(|cell| !layout.is_named(cell.position)) {
            self.unnamed.entry(cell.position).or_insert((row.number, 0)).1 += 1;
        }
        if hidden {
            self.hidden.push(row.number);
        }
    }

    /// Data beside the name that would be lost without a word.
    pub fn faults(&self, layout: &Layout) -> Option<RosterFault> {
        let (_, last) = layout.span(Field::FullName).or_else(|| layout.span(Field::FamilyName))?;
        let (position, (row, rows)) = self.unnamed.get_key_value(&(last + 1))?;
        let letters = column_letters(*position);
        let words = (
            format!(
                "cột {letters} bên cạnh họ và tên không có tiêu đề nhưng có dữ liệu ở {rows} dòng; hãy ghi tiêu đề, hoặc gộp ô tiêu đề \"Họ và tên\" nếu đó là một phần của tên"
            ),
            format!(
                "column {letters} beside the name has no heading but data in {rows} rows; give it a heading, or merge the heading of the name over it if it is part of the name"
            ),
        );
        Some(RosterFault::said(*row, *position, letters, "data_without_heading", words))
    }

    /// The rest, which stops nothing.
    pub fn notices(&self, layout: &Layout) -> Vec<RosterFault> {
        let mut notices = Vec::new();
        for (position, (row, rows)) in &self.unnamed {
            let letters = column_letters(*position);
            let words = (
                format!("cột {letters} không có tiêu đề nhưng có dữ liệu ở {rows} dòng; không đọc cột này"),
                format!("column {letters} has no heading but data in {rows} rows; it was not read"),
            );
            notices.push(RosterFault::said(*row, *position, letters, "column_without_heading", words));
        }
        for (dates, field) in self.dates.iter().zip(DATES) {
            let Some((position, _)) = layout.span(field).filter(|_| dates.look_swapped()) else {
                continue;
            };
            let words = (
                "có thể Excel đã đảo ngày và tháng ở cột này: ô kiểu ngày chỉ có ngày từ 1 đến 12, các ngày khác là chữ; hãy kiểm tra".to_owned(),
                "Excel may have swapped day and month in this column: its date cells have days 1 to 12 only, all others are text; check them".to_owned(),
            );
            notices.push(RosterFault::said(0, position, layout.title(position), "dates_maybe_swapped", words));
        }
        if let Some(first) = self.hidden.first() {
            let mut rows: Vec<String> = self.hidden.iter().take(LISTED).map(ToString::to_string).collect();
            if self.hidden.len() > LISTED {
                rows.push("…".to_owned());
            }
            let (count, rows) = (self.hidden.len(), rows.join(", "));
            let words = (
                format!("{count} dòng đang bị ẩn trong Excel cũng được đọc (dòng {rows})"),
                format!("{count} rows that are hidden in Excel were read too (rows {rows})"),
            );
            notices.push(RosterFault::said(*first, 0, column_letters(0), "hidden_rows", words));
        }
        notices
    }
}
