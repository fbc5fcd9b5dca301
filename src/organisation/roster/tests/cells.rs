//! One cell at a time: what is accepted, mended or refused.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula};
use unicode_normalization::UnicodeNormalization;

use super::*;
use crate::organisation::roster::Position;

/// The only fault of a member with one cell changed.
fn fault_of(column: usize, text: &'static str) -> &'static str {
    let found = codes(&texts(&[&HEADINGS, &member_with(column, text)]));
    assert_eq!(found.len(), 1, "{text:?}: {found:?}");
    assert_eq!(found[0].0, 2);
    found[0].1
}

fn row_of(column: usize, text: &'static str) -> crate::organisation::roster::RosterRow {
    read(&texts(&[&HEADINGS, &member_with(column, text)])).rows.remove(0)
}

#[test]
fn names_come_in_one_form() {
    let nfd: String = "  VÕ  THỊ\u{a0}KIM\nLOAN ".nfd().collect();
    let bytes = one_member(|sheet| {
        sheet.write_string(1, 1, &nfd).unwrap();
    });
    assert_eq!(read(&bytes).rows[0].full_name, "Võ Thị Kim Loan");
    assert_eq!(row_of(1, "H'HEN NIÊ").full_name, "H'Hen Niê");
    assert_eq!(row_of(1, "Y-BLƠ").full_name, "Y-Blơ");
    assert_eq!(row_of(1, "ĐỖ Ủ Ơ").full_name, "Đỗ Ủ Ơ");
    assert_eq!(row_of(1, "Lê McDonald").full_name, "Lê McDonald");
}

#[test]
fn names_that_are_none() {
    assert_eq!(fault_of(1, "Nguyễn Văn 2"), "name_invalid");
    assert_eq!(fault_of(1, "Nguyễn\u{7}Văn"), "name_invalid");
    assert_eq!(fault_of(1, "Nguyễn \u{202e}naV"), "name_invalid");
    assert_eq!(fault_of(1, "…"), "name_invalid");
    for formula in ["=1+1", "+cmd", "-x", "@SUM(A1)", " =A1"] {
        assert_eq!(fault_of(1, formula), "formula");
    }
    let long: &'static str = "a".repeat(101).leak();
    assert_eq!(fault_of(1, long), "name_too_long");
    assert_eq!(row_of(1, &long[..100]).full_name.len(), 100);
}

#[test]
fn a_formula_is_a_fault_wherever_it_is_read() {
    for column in 1..=10 {
        let bytes = one_member(|sheet| {
            let formula = Formula::new("=\"x\"").set_result("Trần Văn A");
            sheet.write_formula(1, column, formula).unwrap();
        });
        assert_eq!(codes(&bytes), [(2, "formula")], "column {column}");
    }
    let numbered = one_member(|sheet| {
        sheet.write_formula(1, 0, Formula::new("=ROW()-1")).unwrap();
    });
    assert_eq!(read(&numbered).rows.len(), 1);
}

#[test]
fn dates_in_every_spelling() {
    for text in ["3/2/1980", "03-02-1980", " 03.02.1980 ", "3 / 2 / 1980", "1980-02-03"] {
        assert_eq!(row_of(2, text).birth_date, day(1980, 2, 3), "{text}");
    }
    let real = one_member(|sheet| {
        let format = Format::new().set_num_format("dd/mm/yyyy");
        let date = ExcelDateTime::from_ymd(1980, 2, 3).unwrap();
        sheet.write_datetime_with_format(1, 2, &date, &format).unwrap();
    });
    assert_eq!(read(&real).rows[0].birth_date, day(1980, 2, 3));
    for text in ["31/02/1980", "1980", "02/1980", "3/2/80", "2/13/1980", "hôm qua", "١/2/1980"] {
        assert_eq!(fault_of(2, text), "date_invalid", "{text}");
    }
    assert_eq!(fault_of(2, "3/2/1880"), "date_too_early");
    assert_eq!(fault_of(2, "19/11/1916"), "birth_date_implausible");
    assert_eq!(row_of(2, "20/11/1916").birth_date, day(1916, 11, 20));
    assert_eq!(
        codes(&one_member(|sheet| {
            sheet.write_string(1, 2, "01/01/1911").unwrap();
            sheet.write_string(1, 7, "02/02/1930").unwrap();
        })),
        [(2, "birth_date_implausible"), (2, "date_before_party")]
    );
    assert_eq!(fault_of(2, "21/11/2026"), "date_in_future");
    assert_eq!(fault_of(2, ""), "date_missing");
    assert_eq!(fault_of(8, "21/11/2026"), "date_in_future");
}

#[test]
fn a_bare_number_is_no_date() {
    for number in [1980.0, 29254.0, 3_021_980.0, 1e300] {
        let bytes = one_member(|sheet| {
            sheet.write_number(1, 2, number).unwrap();
        });
        assert_eq!(codes(&bytes), [(2, "date_invalid")]);
    }
}

#[test]
fn admission_follows_the_eighteenth_birthday() {
    let born = |birth: &'static str, admitted: &'static str| {
        let mut member = member_with(2, birth);
        member[7] = admitted;
        texts(&[&HEADINGS, &member])
    };
    assert_eq!(read(&born("29/02/1980", "01/03/1998")).rows.len(), 1);
    assert_eq!(codes(&born("29/02/1980", "28/02/1998")), [(2, "admitted_under_18")]);
    assert_eq!(read(&born("19/05/1987", "19/05/2005")).rows.len(), 1);
    assert_eq!(codes(&born("20/05/1987", "19/05/2005")), [(2, "admitted_under_18")]);
    assert_eq!(fault_of(8, "18/05/2005"), "official_before_admission");
    assert_eq!(row_of(8, "19/05/2005").official_on, Some(day(2005, 5, 19)));
}

#[test]
fn only_numbers_get_their_zeros_back() {
    let number = |column, number: f64| {
        one_member(|sheet| {
            sheet.write_number(1, column, number).unwrap();
        })
    };
    let id = |n| read(&number(5, n)).rows[0].citizen_id.clone();
    assert_eq!(id(38_180_001_234.0), "038180001234");
    assert_eq!(id(1_180_001_234.0), "001180001234");
    assert_eq!(id(138_180_001_234.0), "138180001234");
    for wrong in [180_001_234.0, 1_138_180_001_234.0, 38_180_001_234.5, -38_180_001_234.0] {
        assert_eq!(codes(&number(5, wrong)), [(2, "citizen_id_invalid")], "{wrong}");
    }
    assert_eq!(fault_of(5, "38180001234"), "citizen_id_invalid");
    assert_eq!(fault_of(5, "0123456789AB"), "citizen_id_invalid");
    assert_eq!(fault_of(5, ""), "citizen_id_missing");
    assert_eq!(row_of(5, " 038 180 001 234").citizen_id, "038180001234");
    assert_eq!(codes(&number(4, 38_001_234.0)), [(2, "card_number_invalid")]);
    let phone = |n| read(&number(6, n)).rows[0].phone.clone();
    assert_eq!(phone(912_345_678.0).as_deref(), Some("0912345678"));
    assert_eq!(phone(84_912_345_678.0).as_deref(), Some("0912345678"));
    assert_eq!(fault_of(6, "912345678"), "phone_invalid");
}

#[test]
fn phones_in_every_spelling() {
    for text in ["0912.345.678", "0912 345 678", "+84912345678", "+84 912-345-678", "84912345678"] {
        assert_eq!(row_of(6, text).phone.as_deref(), Some("0912345678"), "{text}");
    }
    assert_eq!(row_of(6, "").phone, None);
    for text in ["0212345678", "09123456789", "0912345678; 0987654321", "+1 912345678", "abc"] {
        assert_eq!(fault_of(6, text), "phone_invalid", "{text}");
    }
}

#[test]
fn couples_share_a_phone_but_no_identity() {
    let mut second = member_with(CITIZEN_ID, "038180009999");
    second[4] = "";
    assert_eq!(read(&texts(&[&HEADINGS, &MEMBER, &second])).rows.len(), 2);
    second[4] = MEMBER[4];
    let bytes = texts(&[&HEADINGS, &MEMBER, &second]);
    assert_eq!(codes(&bytes), [(3, "card_number_duplicate")]);
}

#[test]
fn positions_in_every_spelling() {
    let decomposed: &'static str = "Bí thư".nfd().collect::<String>().leak();
    for text in ["Bí thư", "BÍ THƯ", "bí  thư chi bộ", decomposed] {
        assert_eq!(row_of(9, text).position, Some(Position::Secretary), "{text}");
    }
    for text in ["Phó bí thư", "Phó Bí thư chi bộ"] {
        assert_eq!(row_of(9, text).position, Some(Position::DeputySecretary));
    }
    for text in ["Chi ủy viên", "chi uỷ viên", "CHI ỦY VIÊN", "Ủy viên"] {
        assert_eq!(row_of(9, text).position, Some(Position::CommitteeMember));
    }
    assert_eq!(row_of(9, "Đảng viên").position, None);
    let roster = read(&texts(&[&HEADINGS, &member_with(9, "Trưởng thôn")]));
    assert_eq!(roster.rows[0].position, None);
    assert_eq!(roster.notices[0].code, "position_ignored");
    assert_eq!(roster.notices[0].column, "Chức vụ");
}

#[test]
fn sex_and_exemption() {
    assert_eq!(fault_of(3, "Khác"), "sex_invalid");
    assert_eq!(fault_of(3, ""), "sex_missing");
    assert_eq!(fault_of(10, "tháng sau"), "exempt_invalid");
    for yes in ["x", "X", "Có", "✓", "1", "Miễn"] {
        assert!(row_of(10, yes).exempt, "{yes}");
    }
    for no in ["", "không", "0", " "] {
        assert!(!row_of(10, no).exempt, "{no}");
    }
}
