//! Finds the sheet and the header, and puts the roster together.

use chrono::NaiveDate;

use super::fault::{Fault, Kind, column_letters};
use super::header::{Layout, continues, numbers_columns};
use super::table::Table;
use super::title::Title;
use super::workbook::{Next, Row, Visitor};
use super::{Roster, RosterError};

/// Rows within which the header must come.
const HEADER_WITHIN: u32 = 100;

const BAD_DATE: Kind = Kind {
    code: "as_of_invalid",
    vi: "ngày ở tiêu đề không có thật hoặc sai dạng; cần \"tính đến ngày dd/mm/yyyy\"",
    en: "the date in the title does not exist or is not \"tính đến ngày dd/mm/yyyy\"",
};

/// Reads one sheet after the other until one has a header.
pub(super) struct SheetReader {
    today: NaiveDate,
    secretaries_allowed: usize,
    title: Title,
    state: State,
    /// The best row so far that was not quite a header.
    candidate: Layout,
}

enum State {
    /// Above the header.
    Above,
    /// In the first row of the header; the next may continue it.
    Header(Row),
    /// Below the header.
    Below(Box<Table>),
}

impl SheetReader {
    pub fn new(today: NaiveDate, secretaries_allowed: usize) -> Self {
        Self { today, secretaries_allowed, title: Title::default(), state: State::Above, candidate: Layout::default() }
    }

    /// What came of it once all sheets have been seen.
    pub fn finish(self) -> Result<Roster, RosterError> {
        let State::Below(table) = self.state else {
            let missing = self.candidate.missing();
            return Err(RosterError::NoHeader { missing });
        };
        let mut table = *table;
        let missing = table.layout().missing();
        if !missing.is_empty() {
            return Err(RosterError::NoHeader { missing });
        }
        if !table.has_members() {
            return Err(RosterError::NoRows);
        }
        if let Some((row, position)) = self.title.bad_date {
            let column = column_letters(position);
            table.faults.push(Fault::new(row, position, column, &BAD_DATE));
        }
        table.end();
        if !table.faults.is_empty() {
            let (list, more) = table.faults.finish();
            return Err(RosterError::Faults { list, more });
        }
        Ok(Roster {
            committee_name: self.title.committee_name,
            cell_name: self.title.cell_name,
            as_of: self.title.as_of,
            ignored_columns: table.layout().ignored.clone(),
            rows: table.rows,
            declared_total: table.declared,
            notices: table.notices,
        })
    }

    fn above(&mut self, row: Row) -> Next {
        let layout = Layout::read(&row, None);
        if layout.is_header() {
            self.state = State::Header(row);
            return Next::Row;
        }
        if layout.known() > self.candidate.known() {
            self.candidate = layout;
        }
        self.title.read(&row);
        if row.number < HEADER_WITHIN { Next::Row } else { Next::Sheet }
    }

    /// Settles the header once it is known whether `next` belongs to it, and
    /// hands on the row if it does not.
    fn settle(&mut self, header: &Row, next: Row) -> Option<Row> {
        let below = continues(&next);
        let layout = Layout::read(header, below.then_some(&next));
        let table = Table::new(layout, self.today, self.secretaries_allowed);
        self.state = State::Below(Box::new(table));
        (!below).then_some(next)
    }
}

impl Visitor for SheetReader {
    fn sheet(&mut self) {
        self.title = Title::default();
    }

    fn row(&mut self, row: Row) -> Next {
        let row = match std::mem::replace(&mut self.state, State::Above) {
            State::Above => return self.above(row),
            State::Header(header) => match self.settle(&header, row) {
                Some(row) => row,
                None => return Next::Row,
            },
            below @ State::Below(_) => {
                self.state = below;
                row
            }
        };
        if let State::Below(table) = &mut self.state {
            if !table.has_members() && numbers_columns(&row) {
                return Next::Row;
            }
            table.row(&row);
        }
        Next::Row
    }

    fn end(&mut self) -> Next {
        // A header in the last row of a sheet has nobody below it.
        if let State::Header(header) = &self.state {
            let layout = Layout::read(header, None);
            let table = Table::new(layout, self.today, self.secretaries_allowed);
            self.state = State::Below(Box::new(table));
        }
        match self.state {
            State::Below(_) => Next::Row,
            _ => Next::Sheet,
        }
    }
}
