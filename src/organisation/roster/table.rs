//! The rows below the header: which are members, and everything wrong with them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::cells::{self, NAMES};
use super::fault::{FaultCode, FaultKind, RosterFault, RosterFaults};
use super::header::{Field, Layout};
use super::oddities::Oddities;
use super::title::{total_line, totals};
use super::totals::{Mark, RosterTotals, SectionCounts};
use super::value::{self, CellContent};
use super::workbook::{CellValue, SheetCell, SheetRow};
use super::{Position, RosterRow};

/// Notices beyond this number are not reported.
pub(super) const NOTICES: usize = 200;

/// What the table has yielded so far.
pub(super) struct Table {
    pub layout: Layout,
    today: NaiveDate,
    /// Rows that people do not see.
    hidden: HashSet<u32>,
    pub rows: Vec<RosterRow>,
    pub faults: RosterFaults,
    pub notices: Vec<RosterFault>,
    pub totals: RosterTotals,
    oddities: Oddities,
    /// Rows that are members, valid or not.
    pub members: usize,
    pub citizen_ids: HashMap<u64, u32>,
    pub card_numbers: HashMap<u64, u32>,
    pub secretaries: Vec<u32>,
}

impl Table {
    pub fn new(layout: Layout, today: NaiveDate, hidden: HashSet<u32>) -> Self {
        Self {
            layout,
            today,
            hidden,
            rows: Vec::new(),
            faults: RosterFaults::default(),
            notices: Vec::new(),
            totals: RosterTotals::default(),
            oddities: Oddities::default(),
            members: 0,
            citizen_ids: HashMap::new(),
            card_numbers: HashMap::new(),
            secretaries: Vec::new(),
        }
    }

    fn mark(&self) -> Mark {
        (self.members, self.rows.len())
    }

    /// Takes one row below the header.
    pub fn row(&mut self, row: &SheetRow) {
        let total = total_line(row).filter(|_| !self.has_citizen_id(row));
        if let Some((position, whole)) = total {
            self.totals.take(totals(row), position, whole, self.mark());
        } else if self.is_member(row) {
            self.members += 1;
            self.oddities.take(&self.layout, row, self.hidden.contains(&row.number));
            if let Some(member) = self.member(row) {
                self.rows.push(member);
            }
        } else {
            self.totals.section(self.mark());
            let position = row.cells.first().map_or(0, |cell| cell.position);
            let kind = FaultKind {
                code: "row_ignored",
                vi: "dòng không phải là đảng viên, đã bỏ qua",
                en: "the row is not a member and was skipped",
            };
            self.notice(row.number, position, &kind);
        }
    }

    /// Checks what can only be judged at the end; `all` are the members of all sheets that are read as one.
    pub fn end(&mut self, all: SectionCounts) {
        if let Some(fault) = self.oddities.faults(&self.layout) {
            self.faults.push(fault);
        }
        // First: what the sheet is about must not be lost among many rows.
        self.notices.splice(0..0, self.oddities.notices(&self.layout));
        self.notices.truncate(NOTICES);
        for wrong in self.totals.mismatches(self.members, &self.rows, all) {
            let words = (
                format!("dòng tổng ghi {} {}, đếm được {}", wrong.stated, wrong.vi, wrong.counted),
                format!("the total says {} {}, counted {}", wrong.stated, wrong.en, wrong.counted),
            );
            let column = self.layout.title(wrong.position);
            self.faults.push(RosterFault::said(wrong.row, wrong.position, column, "total_mismatch", words));
        }
    }

    /// Whether any row was taken for a member.
    pub fn has_members(&self) -> bool {
        self.members > 0
    }

    fn cell<'a>(&self, row: &'a SheetRow, field: Field) -> Option<Cow<'a, SheetCell>> {
        cells::cell(&self.layout, row, field)
    }

    fn has_citizen_id(&self, row: &SheetRow) -> bool {
        self.cell(row, Field::CitizenId).is_some_and(|cell| digits(&cell) >= 9)
    }

    /// Below the totals come signatures and places, so more is asked of a row
    /// there than above, where a number in front is enough.
    fn is_member(&self, row: &SheetRow) -> bool {
        if self.has_citizen_id(row) {
            return true;
        }
        let (mut filled, mut data) = (0, false);
        for field in Field::ALL.into_iter().filter(|field| *field != Field::Ordinal) {
            if let Some(cell) = self.cell(row, field) {
                filled += 1;
                data |= !NAMES.contains(&field) && (cell.formula || digits(&cell) > 0);
            }
        }
        let numbered = self.cell(row, Field::Ordinal).is_some_and(|cell| cell.formula || digits(&cell) > 0);
        if self.totals.any() {
            return (filled >= 4 && data) || (numbered && filled >= 2);
        }
        (numbered && filled > 0) || (filled >= 2 && data)
    }

    fn member(&mut self, row: &SheetRow) -> Option<RosterRow> {
        let today = self.today;
        let full_name = cells::full_name(&self.layout, row);
        let full_name = self.checked(row, Field::FullName, full_name);
        let birth_date = cells::birth_date(&self.layout, row, today);
        let birth_date = self.checked(row, Field::BirthDate, birth_date);
        let sex = cells::sex(&self.layout, row);
        let sex = self.checked(row, Field::Sex, sex);
        let card_number = self.read(row, Field::CardNumber, value::card_number);
        let citizen_id = self.read(row, Field::CitizenId, value::citizen_id);
        let phone = self.read(row, Field::Phone, value::phone);
        let admitted_on = self.read(row, Field::AdmittedOn, |cell| value::party_date(cell, today));
        let official_on = self.read(row, Field::OfficialOn, |cell| value::optional_party_date(cell, today));
        let position = self.position(row);
        let exempt = self.read(row, Field::Exempt, value::exempt);
        self.check_dates(row.number, birth_date, admitted_on, official_on.flatten());
        if let Some(number) = &citizen_id {
            self.check_unique(row.number, Field::CitizenId, number);
        }
        if let Some(Some(number)) = &card_number {
            self.check_unique(row.number, Field::CardNumber, number);
        }
        Some(RosterRow {
            sheet: 0,
            row: row.number,
            full_name: full_name?,
            birth_date: birth_date?,
            sex: sex?,
            card_number: card_number?,
            citizen_id: citizen_id?,
            phone: phone?,
            admitted_on: admitted_on?,
            official_on: official_on?,
            position: position?,
            exempt: exempt?,
        })
    }

    /// Reads a field, or notes what is wrong with it.
    fn read<T>(
        &mut self,
        row: &SheetRow,
        field: Field,
        parse: impl FnOnce(Option<&SheetCell>) -> Result<T, FaultKind>,
    ) -> Option<T> {
        let parsed = parse(self.cell(row, field).as_deref());
        self.checked(row, field, parsed)
    }

    fn checked<T>(&mut self, row: &SheetRow, field: Field, parsed: Result<T, FaultKind>) -> Option<T> {
        parsed.map_err(|kind| self.fault(row.number, field, &kind)).ok()
    }

    fn position(&mut self, row: &SheetRow) -> Option<Option<Position>> {
        match self.read(row, Field::Position, value::position)? {
            CellContent::Nothing => Some(None),
            CellContent::Known(position) => {
                if position == Position::Secretary {
                    self.secretaries.push(row.number);
                }
                Some(Some(position))
            }
            CellContent::Other => {
                let column = self.layout.position(Field::Position).unwrap_or(0);
                let kind = FaultKind {
                    code: "position_ignored",
                    vi: "chức vụ không thuộc chi ủy, đã bỏ qua",
                    en: "the position is not one of the cell's committee and was skipped",
                };
                self.notice(row.number, column, &kind);
                Some(None)
            }
        }
    }

    fn check_dates(
        &mut self,
        row: u32,
        birth: Option<NaiveDate>,
        admitted: Option<NaiveDate>,
        official: Option<NaiveDate>,
    ) {
        let Some(admitted) = admitted else {
            return;
        };
        if birth.is_some_and(|birth| !value::of_age(birth, admitted)) {
            self.fault(row, Field::AdmittedOn, &value::ADMITTED_UNDER_AGE);
        }
        if official.is_some_and(|official| official < admitted) {
            self.fault(row, Field::OfficialOn, &value::OFFICIAL_BEFORE_ADMISSION);
        }
    }

    fn check_unique(&mut self, row: u32, field: Field, number: &str) {
        // Twelve digits always fit.
        let key = number.parse().unwrap_or(u64::MAX);
        let seen = if field == Field::CitizenId { &mut self.citizen_ids } else { &mut self.card_numbers };
        let first = *seen.entry(key).or_insert(row);
        if first != row {
            self.twice(row, field, &format!("dòng {first}"), &format!("row {first}"));
        }
    }

    /// Notes that a number of the row stands elsewhere too.
    pub fn twice(&mut self, row: u32, field: Field, where_vi: &str, where_en: &str) {
        let (code, vi, en) = if field == Field::CitizenId {
            ("citizen_id_duplicate", "số CCCD", "citizen ID")
        } else {
            ("card_number_duplicate", "số thẻ đảng viên", "card number")
        };
        let detail_vi = format!("{vi} ở dòng {row} trùng với {where_vi}");
        let detail_en = format!("the {en} in row {row} is the same as in {where_en}");
        self.add(row, field, code, detail_vi, detail_en);
    }

    /// Notes that the cell has several secretaries, those in the rows listed.
    pub fn several_secretaries(&mut self, count: usize, rows: &str) {
        for row in std::mem::take(&mut self.secretaries) {
            let detail_vi = format!("có {count} bí thư (dòng {rows}); chi bộ chỉ có một");
            let detail_en = format!("{count} secretaries (rows {rows}); a cell has one");
            self.add(row, Field::Position, "several_secretaries", detail_vi, detail_en);
        }
    }

    fn fault(&mut self, row: u32, field: Field, kind: &FaultKind) {
        self.add(row, field, kind.code, kind.vi.into(), kind.en.into());
    }

    fn add(&mut self, row: u32, field: Field, code: FaultCode, vi: String, en: String) {
        let position = self.layout.position(field).unwrap_or(0);
        let column = self.layout.title(position);
        self.faults.push(RosterFault::said(row, position, column, code, (vi, en)));
    }

    fn notice(&mut self, row: u32, position: u32, kind: &FaultKind) {
        if self.notices.len() < NOTICES {
            let column = self.layout.title(position);
            self.notices.push(RosterFault::new(row, position, column, kind));
        }
    }
}

/// How many digits a cell shows.
fn digits(cell: &SheetCell) -> usize {
    match &cell.value {
        CellValue::Text(text) => text.chars().filter(char::is_ascii_digit).count(),
        CellValue::Number(number) => format!("{:.0}", number.abs().min(1e15)).len(),
        CellValue::Date(_) | CellValue::Year => 8,
        CellValue::Flag(_) | CellValue::Error | CellValue::Several => 0,
    }
}
