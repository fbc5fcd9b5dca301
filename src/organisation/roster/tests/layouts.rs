//! Sheets laid out as people lay them out.

use unicode_normalization::UnicodeNormalization;

use super::*;
use crate::organisation::roster::RosterLimits;
use crate::organisation::roster::parse_within;

#[test]
fn headings_in_any_spelling() {
    let nfd: String = "HỌ VÀ TÊN".nfd().collect();
    let header = [
        "TT",
        &nfd,
        "Ngày, tháng,\nnăm sinh",
        "Giới  tính",
        "SỐ THẺ ĐẢNG VIÊN",
        "Số CCCD/CMND",
        "SĐT",
        "Ngày vào Đảng",
        "Chính thức",
        "chức vụ Đảng",
        "Miễn công tác và sinh hoạt",
    ];
    let roster = read(&texts(&[&header, &MEMBER]));
    assert_eq!(roster.rows.len(), 1);
    assert_eq!(roster.rows[0].official_on, Some(day(2006, 5, 19)));
    assert!(roster.ignored_columns.is_empty());
}

#[test]
fn columns_in_any_order_and_unknown_ones() {
    let order = [8, 5, 1, 3, 7, 2];
    let mut header: Vec<&str> = order.iter().map(|i| HEADINGS[*i]).collect();
    header.extend(["Dân tộc", "Tôn giáo"]);
    let mut member: Vec<&str> = order.iter().map(|i| MEMBER[*i]).collect();
    member.extend(["=1+1", "Không"]);
    let roster = read(&texts(&[&header, &member]));
    assert_eq!(roster.rows[0].citizen_id, MEMBER[CITIZEN_ID]);
    assert_eq!(roster.ignored_columns, ["Dân tộc", "Tôn giáo"]);
    assert_eq!(roster.rows[0].phone, None);
}

#[test]
fn a_header_of_two_levels_and_one_of_numbers() {
    let mut top = HEADINGS;
    top[7] = "Ngày vào Đảng";
    top[8] = "";
    let below = ["", "", "", "", "", "", "", "Dự bị", "Chính thức"];
    let numbers = ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9)"];
    let mut wrong = member_with(8, "x");
    wrong[7] = "x";
    let bytes = texts(&[&["DANH SÁCH"], &top, &below, &numbers, &wrong]);
    let columns: Vec<String> = faults(&bytes).into_iter().map(|f| f.column).collect();
    assert_eq!(columns, ["Ngày vào Đảng – Dự bị", "Ngày vào Đảng – Chính thức"]);
}

#[test]
fn blank_rows_section_lines_and_numbered_blanks_are_passed_over() {
    let second = {
        let mut member = member_with(CITIZEN_ID, "038180009999");
        member[4] = "";
        member
    };
    let bytes = texts(&[
        &HEADINGS,
        &["Tổ đảng số 1"],
        &MEMBER,
        &[],
        &["", " "],
        &["", "Tổ đảng số 2"],
        &second,
        &["3"],
        &["", "Cộng: 2 đảng viên"],
        &["", "", "", "", "", "", "Bình Minh, ngày 01 tháng 11 năm 2026"],
        &["", "Người lập", "", "", "", "", "Ngày 1/11/2026"],
    ]);
    let roster = read(&bytes);
    assert_eq!(roster.rows.len(), 2);
    assert_eq!(roster.rows[1].row, 7);
    let passed: Vec<u32> = roster.notices.iter().map(|n| n.row).collect();
    assert_eq!(passed, [2, 6, 8, 10, 11]);
}

#[test]
fn a_family_name_is_no_total() {
    let roster = read(&texts(&[&HEADINGS, &member_with(1, "Tống Công Minh"), &["", "Tổng cộng: 1"]]));
    assert_eq!(roster.rows[0].full_name, "Tống Công Minh");
    assert_eq!(roster.declared_total.unwrap().members, Some(1));
}

#[test]
fn a_member_below_the_totals_is_not_lost() {
    let mut second = member_with(CITIZEN_ID, "038180009999");
    second[4] = "";
    let bytes = texts(&[&HEADINGS, &MEMBER, &["Tổng cộng: 1 đảng viên"], &second]);
    let list = faults(&bytes);
    assert_eq!((list[0].row, list[0].code), (3, "total_mismatch"));
    assert_eq!(list[0].detail_vi, "dòng tổng ghi 1 đảng viên, đếm được 2");
}

#[test]
fn totals_that_disagree() {
    let total = "Tổng số đảng viên: 1.350; chính thức: 1; dự bị: 2 (miễn sinh hoạt: 0)";
    let list = faults(&texts(&[&HEADINGS, &MEMBER, &["", total]]));
    let found: Vec<_> = list.iter().map(|f| f.detail_en.as_str()).collect();
    assert_eq!(found, ["the total says 1350 members, counted 1", "the total says 2 probationary, counted 0",]);
    assert!(list.iter().all(|f| f.row == 3 && f.column == "Họ và tên"));
}

#[test]
fn dates_in_the_title() {
    let as_of = |title| read(&texts(&[&[title], &HEADINGS, &MEMBER])).as_of;
    let first = Some(day(2026, 11, 1));
    assert_eq!(as_of("Danh sách (tính đến ngày 01/11/2026)"), first);
    assert_eq!(as_of("TÍNH ĐẾN NGÀY 1 THÁNG 11 NĂM 2026"), first);
    assert_eq!(as_of("Tính đến hết ngày 1-11-2026."), first);
    assert_eq!(as_of("Danh sách"), None);
    for wrong in ["tính đến ngày 31/11/2026", "tính đến thời điểm hiện tại", "Tính đến tháng 11/2026"]
    {
        let roster = read(&texts(&[&["", wrong], &HEADINGS, &MEMBER]));
        let notice = &roster.notices[0];
        assert_eq!((notice.row, notice.column.as_str(), notice.code), (1, "B", "as_of_invalid"));
        assert_eq!(roster.as_of, None);
    }
    let roster = read(&texts(&[&["tính đến ngày 21/11/2026"], &HEADINGS, &MEMBER]));
    assert_eq!((roster.as_of, roster.notices[0].code), (None, "as_of_in_future"));
}

#[test]
fn missing_columns_are_named() {
    let missing = |bytes: &[u8]| match parse(bytes, today()) {
        Err(RosterError::NoHeader { missing, legacy: false }) => missing,
        other => panic!("{other:?}"),
    };
    let without_id = texts(&[&["Họ và tên", "Ngày sinh", "Giới tính", "Dự bị", "Chính thức"]]);
    assert_eq!(missing(&without_id), ["Số CCCD"]);
    assert_eq!(missing(&texts(&[&["xin chào"]])).len(), 6);
    assert_eq!(missing(&texts(&[])).len(), 6);
}

#[test]
fn a_header_alone_has_no_rows() {
    assert_eq!(parse(&texts(&[&HEADINGS]), today()), Err(RosterError::NoRows));
    let empty = texts(&[&HEADINGS, &["1"], &["2"]]);
    assert_eq!(parse(&empty, today()), Err(RosterError::NoRows));
}

#[test]
fn the_roster_may_be_on_another_sheet() {
    let mut book = rust_xlsxwriter::Workbook::new();
    write(book.add_worksheet(), 1, &["Hướng dẫn", "tính đến ngày 01/01/2020"]);
    let sheet = book.add_worksheet();
    write(sheet, 1, &HEADINGS);
    write(sheet, 2, &MEMBER);
    let roster = read(&book.save_to_buffer().unwrap());
    assert_eq!((roster.rows.len(), roster.as_of), (1, None));
}

#[test]
fn a_province_has_many_secretaries() {
    let mut second = member_with(CITIZEN_ID, "038180009999");
    second[4] = "";
    second[9] = "Bí thư";
    let bytes = texts(&[&HEADINGS, &member_with(9, "Bí thư"), &second]);
    assert_eq!(codes(&bytes).len(), 2);
    let roster = parse_within(&bytes, today(), &RosterLimits::province()).unwrap();
    assert_eq!(roster.rows.len(), 2);
}

#[test]
fn only_the_first_thousand_faults_are_listed() {
    let bytes = workbook(|sheet| {
        write(sheet, 1, &HEADINGS);
        for row in 2..=1_202 {
            write(sheet, row, &member_with(CITIZEN_ID, "1"));
        }
    });
    let Err(RosterError::Faults { list, more }) = parse(&bytes, today()) else {
        panic!("no faults");
    };
    // 1,201 citizen IDs, and 1,200 card numbers that repeat the first.
    assert_eq!((list.len(), more), (1_000, 1_401));
    assert!(list.is_sorted_by_key(|f| f.row));
    assert_eq!(list[0].row, 2);
}
