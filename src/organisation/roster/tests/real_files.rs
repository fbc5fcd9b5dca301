//! Files that people really have, and variants of each.

use rust_xlsxwriter::{ExcelDateTime, Format};

use super::*;
use crate::organisation::roster::Sex;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/faults/{name}.xlsx", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn names(roster: &Roster) -> Vec<&str> {
    roster.rows.iter().map(|row| row.full_name.as_str()).collect()
}

fn notices(roster: &Roster) -> Vec<&'static str> {
    roster.notices.iter().map(|notice| notice.code).collect()
}

/// A workbook of several sheets of text cells.
fn sheets(parts: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in parts {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).unwrap();
        for (number, row) in (1..).zip(*rows) {
            write(sheet, number, row);
        }
    }
    book.save_to_buffer().unwrap()
}

/// Another person than [`MEMBER`].
fn second() -> [&'static str; 11] {
    let mut member = member_with(CITIZEN_ID, "038180009999");
    member[4] = "";
    member
}

/// A header and a member in which the name takes several columns, from column B on.
fn split(headings: &[&str], parts: &[&str], change: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    workbook(|sheet| {
        let spread = |usual: &[&'static str; 11], instead: &[&str]| {
            let mut row: Vec<String> = vec![usual[0].to_owned()];
            row.extend(instead.iter().map(|part| (*part).to_owned()));
            row.extend(usual[2..].iter().map(|part| (*part).to_owned()));
            row
        };
        for (number, row) in [(1, spread(&HEADINGS, headings)), (2, spread(&MEMBER, parts))] {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            write(sheet, number, &row);
        }
        change(sheet);
    })
}

fn merge(sheet: &mut Worksheet, last: u16) {
    sheet.merge_range(0, 1, 0, last, "Họ và tên", &Format::new()).unwrap();
}

#[test]
fn f01_names_over_several_columns_are_joined() {
    assert_eq!(names(&read(&file("f01-split-name"))), ["Lò Thị Thử", "Hà Văn Nghiệm"]);
    let three = split(&["", "", ""], &["Lò", "Thị", "Thử"], |sheet| merge(sheet, 3));
    assert_eq!(names(&read(&three)), ["Lò Thị Thử"]);
    let whole = split(&["", ""], &["Lò Thị Thử", ""], |sheet| merge(sheet, 2));
    assert_eq!(names(&read(&whole)), ["Lò Thị Thử"]);
    for headings in [["Họ và tên đệm", "Tên"], ["Họ", "Tên"], ["Họ đệm", "Tên"], ["Họ và tên", "Tên"]]
    {
        assert_eq!(names(&read(&split(&headings, &["Lò Thị", "Thử"], |_| {}))), ["Lò Thị Thử"], "{headings:?}");
    }
    // A column of given names beside whole ones, for sorting.
    assert_eq!(names(&read(&split(&["Họ và tên", "Tên"], &["Lò Thị Thử", "Thử"], |_| {}))), ["Lò Thị Thử"]);
    assert_eq!(codes(&split(&["Họ", "Tên"], &["Lò Thị", ""], |_| {})), [(2, "name_missing")]);
}

#[test]
fn f01_a_header_of_two_levels_over_a_name() {
    let mut member: Vec<&str> = MEMBER.to_vec();
    member.splice(1..2, ["Lò Thị", "Thử"]);
    let mut top: Vec<&str> = HEADINGS.to_vec();
    top.insert(2, "");
    let below = ["", "Họ đệm", "Tên"];
    assert_eq!(names(&read(&texts(&[&top, &below, &member]))), ["Lò Thị Thử"]);
}

#[test]
fn f01_data_without_a_heading_never_vanish_unreported() {
    let beside = split(&["Họ và tên", ""], &["Lò Thị", "Thử"], |_| {});
    assert_eq!(codes(&beside), [(2, "data_without_heading")]);
    let elsewhere = one_member(|sheet| {
        sheet.write_string(1, 13, "ghi chú").unwrap();
    });
    let roster = read(&elsewhere);
    assert_eq!((notices(&roster), roster.notices[0].column.as_str()), (vec!["column_without_heading"], "N"));
}

#[test]
fn f02_sheets_of_one_layout_are_one_list() {
    let roster = read(&file("f02-two-sheets"));
    assert_eq!(names(&roster), ["Lò Thị Thử", "Hà Văn Nghiệm"]);
    assert_eq!(roster.sheets, ["Đảng viên chính thức", "Đảng viên dự bị"]);
    assert_eq!(notices(&roster), ["sheets_joined"]);
    assert_eq!(roster.rows[1].place(), (1, 2));
    // What is wrong across sheets, and where it is, is told.
    let rows: &[&[&str]] = &[&HEADINGS, &MEMBER];
    let list = faults(&sheets(&[("A", rows), ("B", rows)]));
    assert_eq!(list.len(), 2);
    assert_eq!((list[0].sheet.as_deref(), list[0].code), (Some("B"), "card_number_duplicate"));
    assert!(list[1].detail_vi.contains("dòng 2 của trang \"A\""), "{}", list[1].detail_vi);
}

#[test]
fn f02_probationary_members_need_no_official_date() {
    let without = |row: &[&'static str; 11]| [&row[..8], &row[9..]].concat();
    let book = sheets(&[
        ("Chính thức", &[&HEADINGS, &MEMBER, &["", "Tổng số: 2"]]),
        ("Dự bị", &[&without(&HEADINGS), &without(&second())]),
    ]);
    let roster = read(&book);
    assert_eq!(roster.rows.len(), 2);
    assert_eq!(roster.rows[1].official_on, None);
}

#[test]
fn f02_the_best_fitting_sheet_is_read_and_others_are_named() {
    let roster = read(&file("f02b-committee-sheet-first"));
    assert_eq!((roster.rows.len(), &roster.sheets[..]), (2, &["Danh sách".to_owned()][..]));
    let notice = &roster.notices[0];
    assert_eq!((notice.code, notice.sheet.as_deref(), notice.row), ("sheet_not_read", Some("Chi ủy"), 0));
    assert!(notice.detail_vi.contains("thiếu cột Ngày sinh"), "{}", notice.detail_vi);
    let short: &[&[&str]] = &[&["Họ và tên", "Chức vụ", "Điện thoại"], &["Lò Thị Thử", "Bí thư", ""]];
    let after = sheets(&[("Danh sách", &[&HEADINGS, &MEMBER]), ("Chi ủy", short), ("Hướng dẫn", &[&["Cách ghi"]])]);
    let roster = read(&after);
    assert_eq!((notices(&roster), roster.rows.len()), (vec!["sheet_not_read"], 1));
}

#[test]
fn f02_hidden_sheets_are_named_and_not_read() {
    let mut book = Workbook::new();
    for (name, member) in [("Nay", MEMBER), ("Cũ", second())] {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap().set_hidden(name == "Cũ");
        write(sheet, 1, &HEADINGS);
        write(sheet, 2, &member);
    }
    let roster = read(&book.save_to_buffer().unwrap());
    assert_eq!((roster.rows.len(), notices(&roster)), (1, vec!["sheet_not_read"]));
}

#[test]
fn f02_a_workbook_of_several_cells_is_refused() {
    let book = sheets(&[
        ("1", &[&["CHI BỘ THÔN MỘT"], &HEADINGS, &MEMBER]),
        ("2", &[&["CHI BỘ THÔN HAI"], &HEADINGS, &second()]),
    ]);
    assert_eq!(parse(&book, today()), Err(RosterError::SeveralCells { sheets: vec!["1".into(), "2".into()] }));
}

#[test]
fn f03_a_year_in_a_date_cell_is_no_day() {
    assert_eq!(codes(&file("f03-year-in-date-cell")), [(2, "date_is_year")]);
    for (column, year) in [(2, 1980.0), (7, 2005.0), (8, 2006.0)] {
        let bytes = one_member(|sheet| {
            let format = Format::new().set_num_format("dd/mm/yyyy");
            sheet.write_number_with_format(1, column, year, &format).unwrap();
        });
        assert_eq!(codes(&bytes), [(2, "date_is_year")], "{column}");
    }
}

#[test]
fn f05_old_encodings_and_symbols_are_refused() {
    let list = faults(&file("f05-tcvn3"));
    let found: Vec<_> = list.iter().map(|fault| (fault.row, fault.code)).collect();
    assert_eq!(found, [(2, "name_legacy_encoding"), (3, "name_legacy_encoding"), (4, "name_invalid")]);
    assert!(list[0].detail_vi.contains("TCVN3"), "{}", list[0].detail_vi);
    let fault = |name: &str| {
        let bytes = one_member(|sheet| {
            sheet.write_string(1, 1, name).unwrap();
        });
        let list = faults(&bytes);
        (list[0].code, list[0].detail_en.contains("VNI"))
    };
    assert_eq!(fault("Nguyeãn Vaên An"), ("name_legacy_encoding", true));
    assert_eq!(fault("L\u{ad}u V¨n Lª"), ("name_legacy_encoding", false));
    for name in ["Lò Thị Thử 😀", "Lò Thị Thử★", "Lò_Thị", "Lò Thị Thử™", "Lо Thị Thử", "李 Thị", "Lò & Thử", "½ Thị"]
    {
        assert_eq!(fault(name), ("name_invalid", false), "{name}");
    }
    for name in ["H'Hen Niê (Mí)", "Y-Blơ Êban", "K. Brốp", "H'Riê̆ng", "Müller Ñơi"] {
        let bytes = one_member(|sheet| {
            sheet.write_string(1, 1, name).unwrap();
        });
        assert_eq!(names(&read(&bytes)), [name]);
    }
}

#[test]
fn f05_headings_in_an_old_encoding_are_named_as_such() {
    let header = ["Hä vµ tªn", "Ngµy sinh", "Giíi tÝnh", "Sè CCCD", "Ngµy vµo §¶ng", "Ngµy chÝnh thøc"];
    let result = parse(&texts(&[&header, &["NguyÔn V¨n An"]]), today());
    assert!(matches!(result, Err(RosterError::NoHeader { legacy: true, .. })), "{result:?}");
}

#[test]
fn f06_f07_names_have_one_spelling() {
    assert_eq!(names(&read(&file("f06-eth-apostrophe"))), ["Đỗ Văn Đại", "H'Hen Niê"]);
    assert_eq!(names(&read(&file("f07-combining-caps"))), ["H'Riê̆ng Niê"]);
}

#[test]
fn f08_subtotals_are_held_against_their_sections() {
    let roster = read(&file("f08-subtotals"));
    assert_eq!((roster.rows.len(), roster.declared_total.unwrap().members), (3, Some(3)));
    let sections = |first: &str, other: &str, all: &str| {
        texts(&[
            &HEADINGS,
            &["I", "ĐẢNG VIÊN CHÍNH THỨC"],
            &MEMBER,
            &["", first],
            &["II", "ĐẢNG VIÊN DỰ BỊ"],
            &second(),
            &["", other],
            &["", all],
        ])
    };
    assert_eq!(read(&sections("Cộng: 1", "Cộng mục II: 1", "Tổng cộng: 2")).rows.len(), 2);
    assert_eq!(read(&sections("Cộng", "Tổng số 1 đảng viên", "Tổng số: 2, trong đó 2 chính thức")).rows.len(), 2);
    assert_eq!(codes(&sections("Cộng: 2", "Cộng: 1", "Tổng cộng: 2")), [(4, "total_mismatch")]);
    assert_eq!(codes(&sections("Cộng: 1", "Cộng: 2", "Tổng cộng: 2")), [(7, "total_mismatch")]);
    assert_eq!(codes(&sections("Cộng: 1", "Cộng: 1", "Tổng cộng: 3")), [(8, "total_mismatch")]);
    // Without a line for the whole list.
    assert_eq!(read(&sections("Cộng: 1", "Cộng: 1", "")).rows.len(), 2);
}

#[test]
fn f09_parts_that_nobody_reads_harm_nobody() {
    assert_eq!(read(&file("f09-utf16-customxml")).rows.len(), 1);
}

#[test]
fn f10_long_ranges_are_read() {
    assert_eq!(read(&file("f10-long-sqref")).rows.len(), 1);
}

#[test]
fn f11_f19_titles_never_block() {
    let roster = read(&file("f11-as-of-words"));
    assert_eq!((roster.as_of, notices(&roster)), (None, vec!["as_of_invalid"]));
    assert_eq!(read(&file("f19-other-cell")).cell_name.as_deref(), Some("CHI BỘ THÔN TÁM"));
    for title in
        ["Danh sách đảng viên Chi bộ Thôn Tám (tính đến ngày 01/11/2026)", "Chi bộ Thôn Tám tính đến 1/11/2026"]
    {
        let roster = read(&texts(&[&[title], &HEADINGS, &MEMBER]));
        assert_eq!(roster.cell_name.as_deref(), Some("Chi bộ Thôn Tám"), "{title}");
    }
    let roster = read(&texts(&[&["Danh sách đảng viên chi bộ"], &HEADINGS, &MEMBER]));
    assert_eq!(roster.cell_name, None);
}

#[test]
fn f12_what_nobody_sees_is_dropped() {
    assert_eq!(read(&file("f12-invisible")).rows[0].phone.as_deref(), Some("0912345678"));
    let mut member = MEMBER;
    member[2] = "\u{feff}03/02/1980\u{200b}";
    member[3] = "\u{200e}Nữ";
    member[4] = "\u{202d}000038001234\u{202c}";
    member[5] = "'038180001234\u{200b}";
    member[7] = "\u{2068}19/05/2005\u{2069}";
    member[10] = "x\u{200b}";
    let roster = read(&texts(&[&HEADINGS, &member]));
    let row = &roster.rows[0];
    assert_eq!((row.citizen_id.as_str(), row.card_number.as_deref()), ("038180001234", Some("000038001234")));
    assert_eq!((row.birth_date, row.sex, row.exempt), (day(1980, 2, 3), Sex::Female, true));
}

#[test]
fn f21_birth_dates_under_the_sexes() {
    let header = ["STT", "Họ và tên", "Ngày, tháng, năm sinh", "", "Số CCCD", "Ngày vào Đảng", ""];
    let below = ["", "", "Nam", "Nữ", "", "Dự bị", "Chính thức"];
    let man = ["1", "Đỗ Văn An", "01/02/1970", "", "038170000001", "03/02/1995", "03/02/1996"];
    let woman = ["2", "Đỗ Thị Bình", "", "05/06/1972", "038170000002", "03/02/1999", "03/02/2000"];
    let roster = read(&texts(&[&header, &below, &man, &woman]));
    let found: Vec<_> = roster.rows.iter().map(|row| (row.sex, row.birth_date)).collect();
    assert_eq!(found, [(Sex::Male, day(1970, 2, 1)), (Sex::Female, day(1972, 6, 5))]);
    let both = ["3", "Đỗ Thị Ba", "01/02/1970", "05/06/1972", "038170000003", "03/02/1999", "03/02/2000"];
    assert_eq!(codes(&texts(&[&header, &below, &both])), [(3, "sex_invalid")]);
    let neither = ["3", "Đỗ Thị Ba", "", "", "038170000003", "03/02/1999", "03/02/2000"];
    assert_eq!(codes(&texts(&[&header, &below, &neither])), [(3, "date_missing"), (3, "sex_missing")]);
}

#[test]
fn f21_marks_under_the_sexes() {
    let header = ["Họ và tên", "Ngày sinh", "Giới tính", "", "Số CCCD", "Ngày vào Đảng", ""];
    let below = ["", "", "Nam", "Nữ", "", "Dự bị", "Chính thức"];
    let woman = ["Đỗ Thị Bình", "05/06/1972", "", "x", "038170000002", "03/02/1999", "03/02/2000"];
    assert_eq!(read(&texts(&[&header, &below, &woman])).rows[0].sex, Sex::Female);
}

#[test]
fn f21_hidden_rows_are_read_and_told() {
    let bytes = workbook(|sheet| {
        write(sheet, 1, &HEADINGS);
        write(sheet, 2, &MEMBER);
        write(sheet, 3, &second());
        sheet.set_row_hidden(2).unwrap();
    });
    let roster = read(&bytes);
    assert_eq!((roster.rows.len(), notices(&roster)), (2, vec!["hidden_rows"]));
    assert!(roster.notices[0].detail_vi.contains("dòng 3"));
}

#[test]
fn f21_dates_that_look_swapped_are_told() {
    let date = |sheet: &mut Worksheet, row, year, month, day| {
        let format = Format::new().set_num_format("mm/dd/yyyy");
        let date = ExcelDateTime::from_ymd(year, month, day).unwrap();
        sheet.write_datetime_with_format(row, 2, &date, &format).unwrap();
    };
    let swapped = workbook(|sheet| {
        write(sheet, 1, &HEADINGS);
        write(sheet, 2, &MEMBER);
        write(sheet, 3, &second());
        date(sheet, 1, 1980, 3, 2);
        sheet.write_string(2, 2, "15/02/1980").unwrap();
    });
    let roster = read(&swapped);
    assert_eq!((notices(&roster), roster.notices[0].column.as_str()), (vec!["dates_maybe_swapped"], "Ngày sinh"));
    let fine = one_member(|sheet| date(sheet, 1, 1980, 3, 22));
    assert!(read(&fine).notices.is_empty());
}

#[test]
fn an_answer_survives_the_way_between_processes() {
    for result in [
        parse(SAMPLE, today()),
        parse(FAULTY, today()),
        parse(b"", today()),
        parse(&texts(&[&["x"]]), today()),
        parse(&file("f02b-committee-sheet-first"), today()),
        parse(&file("f05-tcvn3"), today()),
    ] {
        let sent = serde_json::to_vec(&result).unwrap();
        assert_eq!(serde_json::from_slice::<Result<Roster, RosterError>>(&sent).unwrap(), result);
    }
}
