//! Importing rosters over HTTP and from the command line.

mod changed_records;
mod closed_months;
mod command_line;
mod lookups;
mod outcome;
mod parsed_apart;
mod real_files;
mod refusals;
mod young_cells;

use crate::organisation::contents;
use crate::support::{Actor, Reply, TestApp, World};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/fixtures/{name}.xlsx")).unwrap()
}

/// Everything in the register; the audit log also tells of what was refused.
async fn register(app: &TestApp) -> Vec<String> {
    let mut all = contents(app).await;
    all.pop();
    all
}

pub async fn send(actor: &Actor, query: &str, file: Vec<u8>) -> Reply {
    let path = format!("/v1/imports?{query}");
    actor.request("POST", &path).bytes(XLSX, file).send().await
}

async fn import(actor: &Actor, world: &World, dry_run: bool, file: Vec<u8>) -> Reply {
    let query = format!("unit_id={}&dry_run={dry_run}", world.cell);
    send(actor, &query, file).await
}

/// One sheet with the usual columns.
pub fn sheet(rows: &[[&str; 10]]) -> Vec<u8> {
    titled("", rows)
}

/// The same below a title, if there is one.
fn titled(title: &str, rows: &[[&str; 10]]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let top = u32::from(!title.is_empty());
    sheet.write_string(0, 0, title).unwrap();
    let headings = [
        "Họ và tên",
        "Ngày sinh",
        "Giới tính",
        "Số thẻ đảng viên",
        "Số CCCD",
        "Điện thoại",
        "Ngày vào Đảng (dự bị)",
        "Ngày chính thức",
        "Chức vụ",
        "Miễn sinh hoạt",
    ];
    for (column, heading) in (0..).zip(headings) {
        sheet.write_string(top, column, heading).unwrap();
    }
    for (row, cells) in (top + 1..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, *cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

const AN: [&str; 10] = [
    "Đỗ Văn An",
    "01/02/1970",
    "Nam",
    "038000000001",
    "038170000001",
    "0909000001",
    "03/02/1995",
    "03/02/1996",
    "",
    "",
];
const BINH: [&str; 10] = [
    "Đỗ Thị Bình",
    "05/06/1972",
    "Nữ",
    "038000000002",
    "038170000002",
    "0909000001",
    "03/02/1999",
    "03/02/2000",
    "",
    "x",
];

fn with(row: [&'static str; 10], column: usize, value: &'static str) -> [&'static str; 10] {
    let mut row = row;
    row[column] = value;
    row
}

fn imported(world: &World) -> String {
    format!("memberships WHERE origin = 'imported' AND unit_id = '{}'", world.cell)
}
