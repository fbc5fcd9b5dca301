//! Tests of the roster reader, and the workbooks they are made from.

mod bombs;
mod cells;
mod faulty;
mod hostile;
mod layouts;
mod real_files;
mod sample;
mod speed;

use std::io::{Cursor, Write};

use chrono::NaiveDate;
use rust_xlsxwriter::{Workbook, Worksheet};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Roster, RosterError, RosterFault, parse};

const SAMPLE: &[u8] = include_bytes!("../../../../tests/fixtures/roster.xlsx");
const FAULTY: &[u8] = include_bytes!("../../../../tests/fixtures/roster-faulty.xlsx");

/// The headings of a plain one-row header.
const HEADINGS: [&str; 11] = [
    "STT",
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

/// A member in whom nothing is wrong.
const MEMBER: [&str; 11] = [
    "1",
    "Nguyễn Thị Na",
    "03/02/1980",
    "Nữ",
    "000038001234",
    "038180001234",
    "0912345678",
    "19/05/2005",
    "19/05/2006",
    "",
    "",
];

const CITIZEN_ID: usize = 5;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn today() -> NaiveDate {
    day(2026, 11, 20)
}

/// A workbook that `fill` writes.
fn workbook(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet());
    book.save_to_buffer().unwrap()
}

/// Writes texts into a row (counted as Excel counts, from 1), none for `""`.
fn write(sheet: &mut Worksheet, row: u32, texts: &[&str]) {
    for (column, text) in (0..).zip(texts) {
        if !text.is_empty() {
            sheet.write_string(row - 1, column, *text).unwrap();
        }
    }
}

/// A workbook of text cells, from row 1.
fn texts(rows: &[&[&str]]) -> Vec<u8> {
    workbook(|sheet| {
        for (number, row) in (1..).zip(rows) {
            write(sheet, number, row);
        }
    })
}

/// [`MEMBER`] with one cell changed.
fn member_with(column: usize, text: &'static str) -> [&'static str; 11] {
    let mut member = MEMBER;
    member[column] = text;
    member
}

/// A header and one member, whose cells `change` may overwrite in row index 1.
fn one_member(change: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    workbook(|sheet| {
        write(sheet, 1, &HEADINGS);
        write(sheet, 2, &MEMBER);
        change(sheet);
    })
}

fn read(bytes: &[u8]) -> Roster {
    parse(bytes, today()).unwrap()
}

fn faults(bytes: &[u8]) -> Vec<RosterFault> {
    match parse(bytes, today()) {
        Err(RosterError::Faults { list, more: 0 }) => list,
        other => panic!("expected faults, got {other:?}"),
    }
}

/// Row and code of every fault.
fn codes(bytes: &[u8]) -> Vec<(u32, &'static str)> {
    faults(bytes).iter().map(|f| (f.row, f.code)).collect()
}

/// An archive of the given parts.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
