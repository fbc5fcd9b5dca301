//! Word files of teachers.

use super::super::Format;
use super::{faults, keys, questions, reading};

const UNDERLINED: &[u8] = include_bytes!("../../../../tests/fixtures/questions/underlined.docx");
const COLOURED: &[u8] = include_bytes!("../../../../tests/fixtures/questions/coloured-tabs.docx");
const STARRED: &[u8] = include_bytes!("../../../../tests/fixtures/questions/starred.docx");
const ANSWER_TABLE: &[u8] = include_bytes!("../../../../tests/fixtures/questions/answer-table.docx");
const NUMBERED: &[u8] = include_bytes!("../../../../tests/fixtures/questions/numbered.docx");
const TABLE: &[u8] = include_bytes!("../../../../tests/fixtures/questions/table.docx");
const FAULTY: &[u8] = include_bytes!("../../../../tests/fixtures/questions/faulty.docx");

#[test]
fn underlining_marks_although_all_letters_are_bold() {
    let read = questions(Format::Docx, UNDERLINED);

    assert_eq!(keys(&read), ["A", "B", "C"]);
    assert_eq!(read[0].explanation.as_deref(), Some("Theo Điều lệ Đảng.\nHọp mỗi tháng một lần."));
    assert_eq!(read[0].topic.as_deref(), Some("Phần I. Điều lệ Đảng"));
    assert_eq!(read[1].text, "C. Mác sinh năm nào?");
}

#[test]
fn options_side_by_side_are_marked_by_colour() {
    assert_eq!(keys(&questions(Format::Docx, COLOURED)), ["A", "B", "C"]);
}

#[test]
fn stars_mark_options_behind_plain_numbers() {
    let read = questions(Format::Docx, STARRED);

    assert_eq!(keys(&read), ["A", "B", "C"]);
    assert_eq!(read[2].options[2].text, "12 tháng");
}

#[test]
fn the_answer_table_goes_by_parts() {
    assert_eq!(keys(&questions(Format::Docx, ANSWER_TABLE)), ["A", "B", "C", "A", "B", "C"]);
}

#[test]
fn automatic_numbers_are_labels() {
    assert_eq!(keys(&questions(Format::Docx, NUMBERED)), ["A", "B", "C"]);
}

#[test]
fn a_table_with_headings_is_read_as_in_excel() {
    assert_eq!(keys(&questions(Format::Docx, TABLE)), ["A", "B", "C"]);
}

#[test]
fn what_is_ambiguous_is_a_fault_with_its_number() {
    let told = faults(Format::Docx, FAULTY);

    for expected in [
        ("question 2", "answer_missing"),
        ("question 3", "answer_missing"),
        ("question 4", "options_run_together"),
        ("question 5", "options_equal"),
        ("question 6", "option_out_of_order"),
    ] {
        assert!(told.contains(&(expected.0.to_owned(), expected.1.to_owned())), "{expected:?} is not in {told:?}");
    }
    assert!(told.iter().all(|(place, _)| place != "question 1"));
}

#[test]
fn what_stands_behind_the_end_is_not_read() {
    assert_eq!(reading(Format::Docx, UNDERLINED).questions.len(), 3);
}
