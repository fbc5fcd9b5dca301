//! Reads exports back as a spreadsheet program would.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::*;

fn column(title: &str, kind: ColumnKind) -> Column {
    Column { title: title.to_owned(), width: 20.0, kind }
}

fn sample() -> Sheet {
    Sheet {
        title_lines: vec!["BẢNG ĐIỂM".to_owned(), "Tháng 11/2026".to_owned()],
        headers: vec![
            column("Họ và tên", ColumnKind::Text),
            column("Điểm", ColumnKind::Number),
            column("Tỷ lệ", ColumnKind::Number),
            column("Ngày", ColumnKind::Centred),
        ],
        rows: vec![
            vec![
                Value::Text("Nguyễn Thị Hường, \"Sáu\"".to_owned()),
                Value::Integer(-30),
                Value::Ratio(0.5),
                Value::Date(NaiveDate::from_ymd_opt(2026, 11, 1).unwrap()),
            ],
            vec![
                Value::Text("=HYPERLINK(\"http://127.0.0.1\",\"x\")".to_owned()),
                Value::Integer(i64::MAX),
                Value::Ratio(f64::NAN),
                Value::Empty,
            ],
        ],
        footer: vec!["=1+1".to_owned()],
        landscape: true,
    }
}

fn open(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

#[test]
fn xlsx_comes_back_as_it_was_written() {
    let mut book = open(to_xlsx(&sample()).unwrap());
    let range = book.worksheet_range("Sheet1").unwrap();
    let text = |row, column| range.get_value((row, column)).unwrap().to_string();
    assert_eq!(text(0, 0), "BẢNG ĐIỂM");
    assert_eq!(text(3, 0), "Họ và tên");
    assert_eq!(text(4, 0), "Nguyễn Thị Hường, \"Sáu\"");
    assert_eq!(range.get_value((4, 1)), Some(&Data::Float(-30.0)));
    assert_eq!(range.get_value((4, 2)), Some(&Data::Float(0.5)));
    let Some(Data::DateTime(date)) = range.get_value((4, 3)) else {
        panic!("no date");
    };
    assert_eq!(date.to_ymd_hms_milli(), (2026, 11, 1, 0, 0, 0, 0));
    assert_eq!(text(5, 1), i64::MAX.to_string());
    assert_eq!(range.get_value((5, 2)), Some(&Data::Empty));
}

#[test]
fn no_cell_of_an_xlsx_is_a_formula() {
    let mut book = open(to_xlsx(&sample()).unwrap());
    assert!(book.worksheet_formula("Sheet1").unwrap().is_empty());
    let range = book.worksheet_range("Sheet1").unwrap();
    let text = range.get_value((5, 0)).unwrap().to_string();
    assert_eq!(text, "=HYPERLINK(\"http://127.0.0.1\",\"x\")");
    assert_eq!(range.get_value((7, 0)).unwrap().to_string(), "=1+1");
}

#[test]
fn a_text_longer_than_a_cell_is_cut_and_an_old_date_is_text() {
    let sheet = Sheet {
        headers: vec![column("a", ColumnKind::Text)],
        rows: vec![
            vec![Value::Text("😀".repeat(20_000))],
            vec![Value::Date(NaiveDate::from_ymd_opt(1890, 5, 19).unwrap())],
        ],
        ..Sheet::default()
    };
    let mut book = open(to_xlsx(&sheet).unwrap());
    let range = book.worksheet_range("Sheet1").unwrap();
    let text = |row| range.get_value((row, 0)).unwrap().to_string();
    assert_eq!(text(1).chars().count(), 16_383);
    assert_eq!(text(2), "1890-05-19");
}

#[test]
fn an_empty_sheet_is_still_a_file() {
    assert!(to_xlsx(&Sheet::default()).unwrap().starts_with(b"PK"));
}

#[test]
fn csv_is_quoted_and_begins_with_a_mark() {
    let csv = String::from_utf8(to_csv(&sample())).unwrap();
    let expected = "\u{feff}Họ và tên,Điểm,Tỷ lệ,Ngày\r\n\
        \"Nguyễn Thị Hường, \"\"Sáu\"\"\",-30,0.5,2026-11-01\r\n\
        \"'=HYPERLINK(\"\"http://127.0.0.1\"\",\"\"x\"\")\",9223372036854775807,,\r\n";
    assert_eq!(csv, expected);
}

#[test]
fn csv_never_lets_a_spreadsheet_run_a_cell() {
    for start in ["=", "+", "-", "@", "\t", "\r", "\n"] {
        let sheet = Sheet {
            headers: vec![column("a", ColumnKind::Text)],
            rows: vec![vec![Value::Text(format!("{start}cmd"))]],
            ..Sheet::default()
        };
        let csv = String::from_utf8(to_csv(&sheet)).unwrap();
        let cell = csv.lines().nth(1).unwrap();
        assert!(cell.trim_start_matches('"').starts_with('\''), "{csv:?}");
    }
}
