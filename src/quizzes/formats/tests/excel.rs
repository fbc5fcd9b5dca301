//! Excel files of officers.

use super::super::{Format, Kind};
use super::{faults, keys, questions, reading};

const BANK: &[u8] = include_bytes!("../../../../tests/fixtures/questions/bank.xlsx");
const ANSWERS: &[u8] = include_bytes!("../../../../tests/fixtures/questions/answers.xlsx");
const FAULTY: &[u8] = include_bytes!("../../../../tests/fixtures/questions/answers-faulty.xlsx");
const A_ROW: &[u8] = include_bytes!("../../../../tests/fixtures/questions/option-a-row.xlsx");
const A_ROW_KEY: &[u8] = include_bytes!("../../../../tests/fixtures/questions/option-a-row-key.xlsx");

#[test]
fn title_rows_and_small_letters_are_read() {
    let read = questions(Format::Xlsx, BANK);

    assert_eq!(read.len(), 12);
    assert_eq!(keys(&read).concat(), "AABCBBBACBCD");
    assert_eq!(read[3].place.row, Some(7));
}

#[test]
fn answers_are_numbers_lists_texts_and_joined_letters() {
    let read = questions(Format::Xlsx, ANSWERS);

    assert_eq!(keys(&read), ["B", "AC", "B", "F", "A", "BC"]);
    assert_eq!(read[1].kind, Kind::MultipleChoice);
    assert_eq!(read[4].kind, Kind::TrueFalse);
}

#[test]
fn every_fault_is_told_with_its_row() {
    let told = faults(Format::Xlsx, FAULTY);

    let expected = [
        ("row 2, column \"Đáp án\"", "answer_ambiguous"),
        ("row 3, column \"Đáp án\"", "answer_missing"),
        ("row 4, column \"Đáp án\"", "answer_invalid"),
        ("row 5, column \"Đáp án\"", "answer_changed"),
        ("row 6", "option_gap"),
        ("row 7", "options_equal"),
        ("row 8", "text_missing"),
    ];
    assert_eq!(told, expected.map(|(place, code)| (place.to_owned(), code.to_owned())));
}

#[test]
fn an_option_a_row_is_ticked_or_named() {
    let (ticked, named) = (questions(Format::Xlsx, A_ROW), questions(Format::Xlsx, A_ROW_KEY));

    assert_eq!(keys(&ticked), ["A", "AC"]);
    assert_eq!(keys(&named), ["B", "A"]);
    assert_eq!(named[0].options[0].text, "Mỗi tháng");
}

#[test]
fn a_signature_below_the_table_is_a_notice() {
    let reading = reading(Format::Xlsx, ANSWERS);

    assert_eq!(super::notices(&reading), ["row_ignored"]);
}
