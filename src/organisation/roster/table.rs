//! The rows below the header: which are members, and everything wrong with them.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::fault::{Fault, Faults, Kind};
use super::header::{Field, Layout};
use super::title::{DeclaredTotal, footer_column, totals};
use super::value::{self, Held};
use super::workbook::{Cell, Row, Value};
use super::{Position, RosterRow};

/// Notices beyond this number help nobody.
const NOTICES: usize = 200;

/// What the table has yielded so far.
pub(super) struct Table {
    layout: Layout,
    today: NaiveDate,
    secretaries_allowed: usize,
    pub rows: Vec<RosterRow>,
    pub faults: Faults,
    pub notices: Vec<Fault>,
    pub declared: Option<DeclaredTotal>,
    footer: Option<u32>,
    /// Rows that are members, valid or not.
    members: usize,
    citizen_ids: HashMap<u64, u32>,
    card_numbers: HashMap<u64, u32>,
    secretaries: Vec<u32>,
}

impl Table {
    pub fn new(layout: Layout, today: NaiveDate, secretaries_allowed: usize) -> Self {
        Self {
            layout,
            today,
            secretaries_allowed,
            rows: Vec::new(),
            faults: Faults::default(),
            notices: Vec::new(),
            declared: None,
            footer: None,
            members: 0,
            citizen_ids: HashMap::new(),
            card_numbers: HashMap::new(),
            secretaries: Vec::new(),
        }
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Takes one row below the header.
    pub fn row(&mut self, row: &Row) {
        let footer = footer_column(row).filter(|_| !self.has_citizen_id(row));
        if let (Some(position), None) = (footer, self.footer) {
            self.footer = Some(position);
            self.declared = Some(totals(row));
        } else if footer.is_none() && self.is_member(row) {
            self.members += 1;
            if let Some(member) = self.member(row) {
                self.rows.push(member);
            }
        } else {
            let position = row.cells.first().map_or(0, |cell| cell.position);
            let kind = Kind {
                code: "row_ignored",
                vi: "dòng không phải là đảng viên, đã bỏ qua",
                en: "the row is no member and was passed over",
            };
            self.notice(row.number, position, &kind);
        }
    }

    /// Checks what can only be judged at the end.
    pub fn end(&mut self) {
        self.check_secretaries();
        self.check_totals();
    }

    /// Whether any row was taken for a member.
    pub fn has_members(&self) -> bool {
        self.members > 0
    }

    fn cell<'a>(&self, row: &'a Row, field: Field) -> Option<&'a Cell> {
        row.cell(self.layout.position(field)?)
    }

    fn has_citizen_id(&self, row: &Row) -> bool {
        self.cell(row, Field::CitizenId).is_some_and(|cell| digits(cell) >= 9)
    }

    /// Below the totals come signatures and places, so more is asked of a row
    /// there than above, where a number in front is enough.
    fn is_member(&self, row: &Row) -> bool {
        let filled: Vec<&Cell> = Field::ALL
            .into_iter()
            .filter(|field| *field != Field::Ordinal)
            .filter_map(|field| self.cell(row, field))
            .collect();
        let name = self.layout.position(Field::FullName);
        let data = filled.iter().any(|cell| Some(cell.position) != name && (cell.formula || digits(cell) > 0));
        if self.has_citizen_id(row) {
            return true;
        }
        if self.footer.is_some() {
            return filled.len() >= 4 && data;
        }
        let numbered = self.cell(row, Field::Ordinal).is_some_and(|cell| cell.formula || digits(cell) > 0);
        (numbered && !filled.is_empty()) || (filled.len() >= 2 && data)
    }

    fn member(&mut self, row: &Row) -> Option<RosterRow> {
        let today = self.today;
        let full_name = self.read(row, Field::FullName, value::name);
        let birth_date = self.read(row, Field::BirthDate, |cell| value::date(cell, today));
        let sex = self.read(row, Field::Sex, value::sex);
        let card_number = self.read(row, Field::CardNumber, value::card_number);
        let citizen_id = self.read(row, Field::CitizenId, value::citizen_id);
        let phone = self.read(row, Field::Phone, value::phone);
        let admitted_on = self.read(row, Field::AdmittedOn, |cell| value::date(cell, today));
        let official_on = self.read(row, Field::OfficialOn, |cell| value::optional_date(cell, today));
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
    fn read<T>(&mut self, row: &Row, field: Field, parse: impl FnOnce(Option<&Cell>) -> Result<T, Kind>) -> Option<T> {
        match parse(self.cell(row, field)) {
            Ok(value) => Some(value),
            Err(kind) => {
                self.fault(row.number, field, &kind);
                None
            }
        }
    }

    fn position(&mut self, row: &Row) -> Option<Option<Position>> {
        match self.read(row, Field::Position, value::position)? {
            Held::Nothing => Some(None),
            Held::Known(position) => {
                if position == Position::Secretary {
                    self.secretaries.push(row.number);
                }
                Some(Some(position))
            }
            Held::Other => {
                let column = self.layout.position(Field::Position).unwrap_or(0);
                let kind = Kind {
                    code: "position_ignored",
                    vi: "chức vụ không thuộc chi ủy, đã bỏ qua",
                    en: "the position is none of the cell's committee and was passed over",
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
        let (seen, code, vi, en) = if field == Field::CitizenId {
            let seen = &mut self.citizen_ids;
            (seen, "citizen_id_duplicate", "số CCCD", "citizen ID")
        } else {
            let seen = &mut self.card_numbers;
            (seen, "card_number_duplicate", "số thẻ đảng viên", "card number")
        };
        let first = *seen.entry(key).or_insert(row);
        if first != row {
            let detail_vi = format!("{vi} ở dòng {row} trùng với dòng {first}");
            let detail_en = format!("the {en} in row {row} is the same as in row {first}");
            self.add(row, field, code, detail_vi, detail_en);
        }
    }

    fn check_secretaries(&mut self) {
        let rows = std::mem::take(&mut self.secretaries);
        if rows.len() <= self.secretaries_allowed {
            return;
        }
        let mut list: Vec<String> = rows.iter().take(5).map(ToString::to_string).collect();
        if rows.len() > list.len() {
            list.push("…".to_owned());
        }
        let list = list.join(", ");
        for row in &rows {
            let detail_vi = format!("có {} bí thư (dòng {list}); chi bộ chỉ có một", rows.len());
            let detail_en = format!("{} secretaries (rows {list}); a cell has one", rows.len());
            let code = "several_secretaries";
            self.add(*row, Field::Position, code, detail_vi, detail_en);
        }
    }

    /// Compares the stated totals: the number of members always, the others
    /// only when every row could be read.
    fn check_totals(&mut self) {
        let (Some(stated), Some(position)) = (self.declared, self.footer) else {
            return;
        };
        let count = |test: fn(&RosterRow) -> bool| self.rows.iter().filter(|row| test(row)).count();
        let mut pairs = vec![("đảng viên", "members", stated.members, self.members)];
        if self.rows.len() == self.members {
            let official = count(|row| row.official_on.is_some());
            let probationary = self.members - official;
            let exempt = count(|row| row.exempt);
            pairs.extend([
                ("chính thức", "official", stated.official, official),
                ("dự bị", "probationary", stated.probationary, probationary),
                ("miễn sinh hoạt", "exempt", stated.exempt, exempt),
            ]);
        }
        for (vi, en, stated_number, counted) in pairs {
            let Some(number) = stated_number.filter(|number| *number as usize != counted) else {
                continue;
            };
            self.faults.push(Fault {
                row: stated.row,
                position,
                column: self.layout.title(position),
                code: "total_mismatch",
                detail_vi: format!("dòng tổng ghi {number} {vi}, đếm được {counted}"),
                detail_en: format!("the total says {number} {en}, counted {counted}"),
            });
        }
    }

    fn fault(&mut self, row: u32, field: Field, kind: &Kind) {
        self.add(row, field, kind.code, kind.vi.into(), kind.en.into());
    }

    fn add(&mut self, row: u32, field: Field, code: &'static str, vi: String, en: String) {
        let position = self.layout.position(field).unwrap_or(0);
        self.faults.push(Fault {
            row,
            position,
            column: self.layout.title(position),
            code,
            detail_vi: vi,
            detail_en: en,
        });
    }

    fn notice(&mut self, row: u32, position: u32, kind: &Kind) {
        if self.notices.len() < NOTICES {
            let column = self.layout.title(position);
            self.notices.push(Fault::new(row, position, column, kind));
        }
    }
}

/// How many digits a cell shows.
fn digits(cell: &Cell) -> usize {
    match &cell.value {
        Value::Text(text) => text.chars().filter(char::is_ascii_digit).count(),
        Value::Number(number) => format!("{:.0}", number.abs().min(1e15)).len(),
        Value::Date(_) => 8,
        Value::Flag(_) | Value::Error => 0,
    }
}
