//! Faults that only the register can show, reported like those of the sheet.

use crate::kernel::http::problem::{Code, Fault, Problem, text};
use crate::organisation::roster::{self, Roster, RosterRow};

/// Faults reported one by one; the rest are only counted.
const REPORTED: usize = 1_000;

pub const CITIZEN_ID: &str = "Số CCCD";
pub const CARD_NUMBER: &str = "Số thẻ đảng viên";
pub const POSITION: &str = "Chức vụ";

/// Faults of a row compared with the register. They never say whose a number is.
#[derive(Debug, Clone, Copy)]
pub enum Wrong {
    ElsewhereMember,
    CardTaken,
    Twice,
    SecondSecretary,
    SecretaryHeld,
}

impl Wrong {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::ElsewhereMember => (
                "member_of_another_cell",
                "số này đã có trong hệ thống nhưng không phải của đảng viên chi bộ này; hãy kiểm tra số, hoặc làm thủ tục chuyển sinh hoạt",
                "the number is in the register, but not of a member of this cell; check it, or transfer the member",
            ),
            Self::CardTaken => (
                "card_number_taken",
                "số thẻ đảng viên này là của người khác trong hệ thống",
                "the card number belongs to another person in the register",
            ),
            Self::Twice => {
                ("same_person_twice", "cùng một người đã có ở một dòng khác", "the same person stands in another row")
            }
            Self::SecondSecretary => ("several_secretaries", "chi bộ chỉ có một bí thư", "a cell has one secretary"),
            Self::SecretaryHeld => (
                "secretary_conflict",
                "chi bộ đang có bí thư khác trong hệ thống; hãy thu hồi vai trò đó trước",
                "the cell has another secretary in the register; revoke that role first",
            ),
        }
    }
}

/// Collects faults of rows.
pub struct ImportFaults<'a> {
    list: Vec<Fault>,
    roster: &'a Roster,
}

impl<'a> ImportFaults<'a> {
    pub fn of(roster: &'a Roster) -> Self {
        Self { list: Vec::new(), roster }
    }

    pub fn add(&mut self, row: &RosterRow, column: &str, wrong: Wrong) {
        let (code, vi, en) = wrong.words();
        let place = FaultPlace { sheet: sheet_of(self.roster, row.sheet), row: row.row, column };
        self.list.push(located(&place, code, (vi, en)));
    }

    /// 422 when there are any.
    pub fn conclude(self) -> Result<(), Problem> {
        if self.list.is_empty() {
            return Ok(());
        }
        Err(faulty(self.list, 0))
    }
}

/// The faults within a sheet itself.
pub fn of_sheet(list: &[roster::RosterFault], more: usize) -> Problem {
    faulty(list.iter().map(of_roster).collect(), more)
}

/// One of them.
pub fn of_roster(fault: &roster::RosterFault) -> Fault {
    let place = FaultPlace { sheet: fault.sheet.as_deref(), row: fault.row, column: &fault.column };
    located(&place, fault.code, (&fault.detail_vi, &fault.detail_en))
}

/// The sheet of a row, where there are several.
pub fn sheet_of(roster: &Roster, sheet: u16) -> Option<&str> {
    roster.sheets.get(usize::from(sheet)).filter(|_| roster.sheets.len() > 1).map(String::as_str)
}

/// Where something stands, as far as that can be said.
struct FaultPlace<'a> {
    sheet: Option<&'a str>,
    /// 0 for none.
    row: u32,
    /// Empty for none.
    column: &'a str,
}

impl FaultPlace<'_> {
    fn named(&self, sheet: &str, row: &str, column: &str) -> String {
        let parts = [
            self.sheet.map(|name| format!("{sheet} \"{name}\"")),
            (self.row > 0).then(|| format!("{row} {}", self.row)),
            (!self.column.is_empty()).then(|| format!("{column} \"{}\"", self.column)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn located(place: &FaultPlace<'_>, code: &'static str, (vi, en): (&str, &str)) -> Fault {
    let capital = |words: String| {
        let mut chars = words.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect::<String>())
    };
    let (in_vi, in_en) = (place.named("trang", "dòng", "cột"), place.named("sheet", "row", "column"));
    Fault {
        detail: text(format!("{}: {vi}.", capital(in_vi)), format!("{}: {en}.", capital(in_en.clone()))),
        pointer: in_en,
        code,
    }
}

fn faulty(mut faults: Vec<Fault>, more: usize) -> Problem {
    let total = faults.len() + more;
    faults.truncate(REPORTED);
    let mut problem = Problem::faults(Code::RosterFaulty, faults);
    problem.detail = Some(text(
        format!("Danh sách có {total} lỗi; chưa nhập gì."),
        format!("The roster has {total} fault(s); nothing was imported."),
    ));
    problem
}
