//! The roster whose last column says what is wrong with each row.

use super::*;

#[test]
fn every_fault_is_reported_at_once() {
    let expected = [
        (2, "Họ và tên", "name_missing"),
        (3, "Ngày sinh", "date_invalid"),
        (4, "Ngày sinh", "date_in_future"),
        (5, "Số CCCD", "citizen_id_invalid"),
        (6, "Số CCCD", "citizen_id_invalid"),
        (7, "Điện thoại", "phone_invalid"),
        (8, "Ngày chính thức", "official_before_admission"),
        (10, "Ngày vào Đảng (dự bị)", "admitted_under_18"),
        (11, "Họ và tên", "formula"),
        (12, "Họ và tên", "name_too_long"),
        (13, "Chức vụ", "several_secretaries"),
        (14, "Chức vụ", "several_secretaries"),
        (15, "Số thẻ đảng viên", "card_number_duplicate"),
        (15, "Số CCCD", "citizen_id_duplicate"),
    ];
    let list = faults(FAULTY);
    let found: Vec<_> = list.iter().map(|f| (f.row, f.column.as_str(), f.code)).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_fault_names_both_rows_of_a_pair() {
    let list = faults(FAULTY);
    let last = list.last().unwrap();
    assert_eq!(last.detail_vi, "số CCCD ở dòng 15 trùng với dòng 9");
    assert_eq!(last.detail_en, "the citizen ID in row 15 is the same as in row 9");
    let secretary = list.iter().find(|f| f.row == 13).unwrap();
    assert!(secretary.detail_vi.contains("dòng 13, 14"));
}

#[test]
fn a_fault_repeats_nothing_personal() {
    for fault in faults(FAULTY) {
        for text in [&fault.detail_vi, &fault.detail_en] {
            let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            assert!(longest.unwrap_or(0) < 6, "{text}");
            assert!(!text.contains("HYPERLINK") && !text.contains("Nguyễn"));
        }
    }
}
