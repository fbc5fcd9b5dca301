//! The roster as a secretary really keeps it.

use super::*;
use crate::organisation::roster::{Position, Sex};

#[test]
fn everybody_is_read() {
    let roster = read(SAMPLE);
    assert_eq!(roster.rows.len(), 135);
    let official = roster.rows.iter().filter(|r| r.official_on.is_some()).count();
    assert_eq!(official, 134);
    assert_eq!(roster.rows.iter().filter(|r| r.exempt).count(), 54);
    let holding = |position| {
        let held = roster.rows.iter().filter(|r| r.position == Some(position));
        held.count()
    };
    assert_eq!(holding(Position::Secretary), 1);
    assert_eq!(holding(Position::DeputySecretary), 1);
    assert_eq!(holding(Position::CommitteeMember), 3);
    let first_to_last: Vec<u32> = (8..=142).collect();
    let rows: Vec<u32> = roster.rows.iter().map(|r| r.row).collect();
    assert_eq!(rows, first_to_last);
}

#[test]
fn titles_and_totals_are_read() {
    let roster = read(SAMPLE);
    assert_eq!(roster.as_of, Some(day(2026, 11, 1)));
    assert_eq!(roster.committee_name.as_deref(), Some("ĐẢNG BỘ PHƯỜNG BÌNH MINH"));
    assert_eq!(roster.cell_name.as_deref(), Some("CHI BỘ TỔ DÂN PHỐ SỐ 5"));
    assert_eq!(roster.ignored_columns, ["Ghi chú"]);
    let total = roster.declared_total.unwrap();
    assert_eq!((total.row, total.members), (144, Some(135)));
    assert_eq!((total.official, total.exempt), (Some(134), Some(54)));
    assert_eq!(total.probationary, None);
    let passed: Vec<u32> = roster.notices.iter().map(|n| n.row).collect();
    assert_eq!(passed, [146, 147]);
}

#[test]
fn a_member_is_read_whole() {
    let roster = read(SAMPLE);
    let probationary = &roster.rows[0];
    assert_eq!(probationary.full_name, "Đặng Minh Oanh");
    assert_eq!(probationary.sex, Sex::Female);
    assert_eq!(probationary.birth_date, day(1989, 7, 20));
    assert_eq!(probationary.admitted_on, day(2026, 3, 19));
    assert_eq!(probationary.official_on, None);
    assert_eq!(probationary.card_number, None);
    assert_eq!(probationary.citizen_id, "029289895951");
    assert_eq!(probationary.phone.as_deref(), Some("0961957356"));
    assert!(!probationary.exempt);
}

#[test]
fn what_excel_or_people_spoiled_is_mended() {
    let roster = read(SAMPLE);
    let at = |row: u32| roster.rows.iter().find(|r| r.row == row).unwrap();
    // A date as text, a phone and a citizen ID without their zeros.
    assert_eq!(at(9).admitted_on, day(1983, 12, 21));
    assert_eq!(at(11).phone.as_deref(), Some("0917117575"));
    assert_eq!(at(12).citizen_id, "053364273845");
    assert_eq!(at(137).phone.as_deref(), Some("0909594334"));
    assert_eq!(at(139).full_name, "Võ Kim Loan");
    for row in &roster.rows {
        assert_eq!(row.citizen_id.len(), 12, "row {}", row.row);
        let phone = row.phone.as_deref().unwrap_or("0300000000");
        assert!(phone.len() == 10 && phone.starts_with('0'), "row {}", row.row);
        assert_eq!(row.full_name, super::super::text::tidy(&row.full_name));
    }
}

#[test]
fn reading_again_gives_the_same() {
    assert_eq!(read(SAMPLE), read(SAMPLE));
}
