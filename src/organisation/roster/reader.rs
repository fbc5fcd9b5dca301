//! Reads every sheet, chooses those that are the roster, and puts it together.

use chrono::NaiveDate;

use super::fault::{FaultKind, RosterFault, RosterFaults, column_letters};
use super::header::{Field, Layout, continues, numbers_columns};
use super::marks::SheetMarks;
use super::table::{NOTICES, Table};
use super::text::fold;
use super::title::Title;
use super::totals::SectionCounts;
use super::workbook::{CellValue, NextPart, SheetInfo, SheetRow, Visitor};
use super::{Roster, RosterError};
use crate::kernel::text::legacy_encoding;

/// Rows within which the header must come.
const HEADER_WITHIN: u32 = 100;
/// Cells in an old encoding above a header that was not found, from which on it is told.
const LEGACY_CELLS: usize = 2;

const AS_OF_INVALID: FaultKind = FaultKind {
    code: "as_of_invalid",
    vi: "không đọc được ngày sau chữ \"tính đến\" ở tiêu đề; tính từ ngày đầu tháng này",
    en: "the day after \"tính đến\" in the title cannot be read; the first of this month is taken",
};
const AS_OF_IN_FUTURE: FaultKind = FaultKind {
    code: "as_of_in_future",
    vi: "tiêu đề ghi tính đến một ngày chưa tới; tính từ ngày đầu tháng này",
    en: "the title states a day to come; the first of this month is taken",
};

/// Reads one sheet after the other.
pub(super) struct SheetReader {
    today: NaiveDate,
    secretaries_allowed: usize,
    sheets: Vec<SheetState>,
}

/// A sheet and what has been found on it so far.
struct SheetState {
    name: String,
    visible: bool,
    marks: SheetMarks,
    title: Title,
    state: ReadingState,
    /// The best row so far that was not quite a header.
    candidate: Layout,
    legacy_cells: usize,
}

enum ReadingState {
    /// Above the header.
    Above,
    /// In the first row of the header; the next may continue it.
    Header(SheetRow),
    /// Below the header.
    Below(Box<Table>),
}

impl SheetState {
    fn new(SheetInfo { name, visible, marks }: SheetInfo) -> Self {
        let (title, candidate) = (Title::default(), Layout::default());
        Self { name, visible, marks, title, state: ReadingState::Above, candidate, legacy_cells: 0 }
    }

    fn above(&mut self, row: SheetRow) -> NextPart {
        let layout = Layout::read(&row, None, &self.marks.merges);
        if layout.is_header() {
            self.state = ReadingState::Header(row);
            return NextPart::Row;
        }
        if layout.known() > self.candidate.known() {
            self.candidate = layout;
        }
        let text = |value: &CellValue| matches!(value, CellValue::Text(text) if legacy_encoding(text).is_some());
        self.legacy_cells += row.cells.iter().filter(|cell| text(&cell.value)).count();
        self.title.read(&row);
        if row.number < HEADER_WITHIN { NextPart::Row } else { NextPart::Sheet }
    }

    /// Settles the header once it is known whether `next` belongs to it, and
    /// hands on the row if it does not.
    fn settle(&mut self, header: &SheetRow, next: Option<SheetRow>, today: NaiveDate) -> Option<SheetRow> {
        let below = next.as_ref().filter(|next| continues(header, next));
        let layout = Layout::read(header, below, &self.marks.merges);
        let belongs = below.is_some();
        let hidden = self.marks.hidden.iter().copied().collect();
        self.state = ReadingState::Below(Box::new(Table::new(layout, today, hidden)));
        next.filter(|_| !belongs)
    }

    fn table(&self) -> Option<&Table> {
        match &self.state {
            ReadingState::Below(table) => Some(table),
            _ => None,
        }
    }

    /// The required headings that are missing. Members on probation need no official date.
    fn missing(&self) -> Vec<String> {
        let layout = self.table().map_or(&self.candidate, |table| &table.layout);
        let mut missing = layout.missing();
        if missing == [Field::OfficialOn.title()] && is_about_probation(&self.name) {
            missing.clear();
        }
        missing
    }

    /// Orders sheets by how well they fit: seen, complete, with members, with many columns, long.
    fn fitness(&self) -> (bool, bool, bool, usize, usize) {
        let members = self.table().map_or(0, |table| table.members);
        let known = self.table().map_or(self.candidate.known(), |table| table.layout.known());
        let complete = self.missing().is_empty();
        (self.visible && self.table().is_some(), complete, members > 0, known, members)
    }

    /// The cell it is about, if it says so.
    fn cell_name(&self) -> Option<&str> {
        let named = self.title.cell_name.as_deref();
        named.or_else(|| Some(self.name.as_str()).filter(|name| fold(name).starts_with("chi bo ")))
    }
}

fn is_about_probation(name: &str) -> bool {
    let name = fold(name);
    name.contains("du bi") && !name.contains("chinh thuc")
}

impl SheetReader {
    pub fn new(today: NaiveDate, secretaries_allowed: usize) -> Self {
        Self { today, secretaries_allowed, sheets: Vec::new() }
    }

    /// What came of it once all sheets have been seen.
    pub fn finish(self) -> Result<Roster, RosterError> {
        let Self { today, secretaries_allowed, sheets } = self;
        // Of equals the first one.
        let best = sheets.iter().rev().max_by_key(|sheet| sheet.fitness()).ok_or_else(no_header)?;
        let missing = best.missing();
        let Some(table) = best.table().filter(|_| missing.is_empty()) else {
            let legacy = sheets.iter().any(|sheet| sheet.legacy_cells >= LEGACY_CELLS);
            return Err(RosterError::NoHeader { missing, legacy });
        };
        if !table.has_members() {
            return Err(RosterError::NoRows);
        }
        let layout = table.layout.clone();
        let belongs = |sheet: &SheetState| {
            let like = sheet.table().is_some_and(|table| table.has_members() && table.layout.is_like(&layout));
            like && sheet.visible && sheet.missing().is_empty()
        };
        let (read, other): (Vec<SheetState>, Vec<SheetState>) = sheets.into_iter().partition(belongs);
        of_one_cell(&read)?;
        let mut notices: Vec<RosterFault> = joined(&read).into_iter().collect();
        notices.extend(other.iter().filter_map(not_read));
        together(read, notices, today, secretaries_allowed)
    }
}

fn no_header() -> RosterError {
    RosterError::NoHeader { missing: Layout::default().missing(), legacy: false }
}

/// Refuses a workbook that has a sheet for each of several cells.
fn of_one_cell(sheets: &[SheetState]) -> Result<(), RosterError> {
    let mut names: Vec<&str> = sheets.iter().filter_map(SheetState::cell_name).collect();
    names.dedup_by_key(|name| fold(name));
    if names.len() < 2 {
        return Ok(());
    }
    let sheets = sheets.iter().map(|sheet| sheet.name.clone()).collect();
    Err(RosterError::SeveralCells { sheets })
}

fn joined(read: &[SheetState]) -> Option<RosterFault> {
    let (first, rest) = read.split_first()?;
    if rest.is_empty() {
        return None;
    }
    let names: Vec<String> = read.iter().map(|sheet| format!("\"{}\"", sheet.name)).collect();
    let names = names.join(", ");
    let words = (
        format!("các trang {names} cùng mẫu nên được đọc thành một danh sách"),
        format!("the sheets {names} have the same columns and were read as one list"),
    );
    Some(RosterFault::of_sheet(&first.name, "sheets_joined", words))
}

/// A sheet with a header that was passed over.
fn not_read(sheet: &SheetState) -> Option<RosterFault> {
    let table = sheet.table()?;
    let missing = sheet.missing();
    let (why_vi, why_en) = if !sheet.visible {
        ("trang đang bị ẩn".to_owned(), "it is hidden".to_owned())
    } else if !missing.is_empty() {
        (format!("thiếu cột {}", missing.join(", ")), format!("it lacks {}", missing.join(", ")))
    } else if table.has_members() {
        ("một trang khác đầy đủ hơn".to_owned(), "another one fits better".to_owned())
    } else {
        ("không có đảng viên nào".to_owned(), "it has no members".to_owned())
    };
    let words = (format!("không được đọc, vì {why_vi}"), format!("the sheet was not read: {why_en}"));
    Some(RosterFault::of_sheet(&sheet.name, "sheet_not_read", words))
}

/// Makes one roster of the sheets that belong together.
fn together(
    sheets: Vec<SheetState>,
    mut notices: Vec<RosterFault>,
    today: NaiveDate,
    secretaries_allowed: usize,
) -> Result<Roster, RosterError> {
    let names: Vec<String> = sheets.iter().map(|sheet| sheet.name.clone()).collect();
    let mut titles = Vec::new();
    let mut tables = Vec::new();
    for sheet in sheets {
        let ReadingState::Below(table) = sheet.state else { continue };
        titles.push(sheet.title);
        tables.push(*table);
    }
    super::join::check(&mut tables, &names, secretaries_allowed);
    let counts = tables.iter().map(|table| SectionCounts::of(table.members, &table.rows));
    let all = counts.reduce(SectionCounts::plus).unwrap_or(SectionCounts::of(0, &[]));
    let mut title = Title::default();
    let (mut faults, mut rows, mut ignored_columns, mut declared_total) =
        (RosterFaults::default(), Vec::new(), Vec::new(), None);
    for (index, (mut table, found)) in (0..).zip(tables.into_iter().zip(titles)) {
        table.end(all);
        date_notices(&found, today, &mut table.notices);
        let sheet = names.get(usize::from(index)).filter(|_| names.len() > 1).map(String::as_str);
        table.faults.place(index, sheet);
        faults.absorb(table.faults);
        let place = |notice: RosterFault| RosterFault { order: index, sheet: sheet.map(str::to_owned), ..notice };
        notices.extend(table.notices.into_iter().map(place));
        rows.extend(table.rows.into_iter().map(|row| super::RosterRow { sheet: index, ..row }));
        for heading in table.layout.ignored {
            if !ignored_columns.contains(&heading) {
                ignored_columns.push(heading);
            }
        }
        declared_total = table.totals.declared().or(declared_total);
        title.fill(found);
    }
    notices.truncate(NOTICES);
    if !faults.is_empty() {
        let (list, more) = faults.finish();
        return Err(RosterError::Faults { list, more });
    }
    Ok(Roster {
        committee_name: title.committee_name,
        cell_name: title.cell_name,
        as_of: title.as_of.filter(|day| *day <= today),
        sheets: names,
        rows,
        ignored_columns,
        declared_total,
        notices,
    })
}

/// An optional line never blocks an import: what is wrong with it is told.
fn date_notices(title: &Title, today: NaiveDate, notices: &mut Vec<RosterFault>) {
    if let Some((row, position)) = title.bad_date.filter(|_| title.as_of.is_none()) {
        notices.insert(0, RosterFault::new(row, position, column_letters(position), &AS_OF_INVALID));
    }
    if title.as_of.is_some_and(|day| day > today) {
        notices.insert(0, RosterFault::new(1, 0, column_letters(0), &AS_OF_IN_FUTURE));
    }
}

impl Visitor for SheetReader {
    fn sheet(&mut self, sheet: SheetInfo) {
        self.sheets.push(SheetState::new(sheet));
    }

    fn row(&mut self, row: SheetRow) -> NextPart {
        let today = self.today;
        let Some(sheet) = self.sheets.last_mut() else {
            return NextPart::Sheet;
        };
        let row = match std::mem::replace(&mut sheet.state, ReadingState::Above) {
            ReadingState::Above => return sheet.above(row),
            ReadingState::Header(header) => match sheet.settle(&header, Some(row), today) {
                Some(row) => row,
                None => return NextPart::Row,
            },
            below @ ReadingState::Below(_) => {
                sheet.state = below;
                row
            }
        };
        if let ReadingState::Below(table) = &mut sheet.state
            && (table.has_members() || !numbers_columns(&row))
        {
            table.row(&row);
        }
        NextPart::Row
    }

    fn end(&mut self) {
        let today = self.today;
        // A header in the last row of a sheet has no members below it.
        let Some(sheet) = self.sheets.last_mut() else {
            return;
        };
        match std::mem::replace(&mut sheet.state, ReadingState::Above) {
            ReadingState::Header(header) => drop(sheet.settle(&header, None, today)),
            other => sheet.state = other,
        }
    }
}
