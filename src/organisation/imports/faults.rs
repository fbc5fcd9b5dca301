//! Faults that only the register can show, in the same words and places as those of the sheet.

use crate::kernel::problem::{Code, Fault, Problem, text};
use crate::organisation::roster;

/// Faults reported one by one; the rest is only counted.
const REPORTED: usize = 1_000;

pub const CITIZEN_ID: &str = "Số CCCD";
pub const CARD_NUMBER: &str = "Số thẻ đảng viên";
pub const POSITION: &str = "Chức vụ";

/// What can be wrong with a row beside the register. Never says whose a number is.
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
                "người này không thuộc chi bộ này trong hệ thống; hãy làm thủ tục chuyển sinh hoạt",
                "the person does not belong to this cell in the register; a transfer is needed",
            ),
            Self::CardTaken => (
                "card_number_taken",
                "số thẻ đảng viên này là của người khác trong hệ thống",
                "the card number is somebody else's in the register",
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
#[derive(Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, row: u32, column: &str, wrong: Wrong) {
        let (code, vi, en) = wrong.words();
        self.0.push(located(row, column, code, vi, en));
    }

    /// 422 when there are any.
    pub fn conclude(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(faulty(self.0, 0))
    }
}

/// The faults a sheet has in itself.
pub fn of_sheet(list: &[roster::Fault], more: usize) -> Problem {
    faulty(list.iter().map(of_roster).collect(), more)
}

/// One of them.
pub fn of_roster(fault: &roster::Fault) -> Fault {
    let (vi, en) = (&fault.detail_vi, &fault.detail_en);
    located(fault.row, &fault.column, fault.code, vi, en)
}

fn located(row: u32, column: &str, code: &'static str, vi: &str, en: &str) -> Fault {
    Fault {
        pointer: format!("row {row}, column \"{column}\""),
        code,
        detail: text(format!("Dòng {row}, cột \"{column}\": {vi}."), format!("Row {row}, column \"{column}\": {en}.")),
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
