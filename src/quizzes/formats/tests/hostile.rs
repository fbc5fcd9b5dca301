//! Files that are none, and files that mean harm.

use proptest::prelude::*;

use super::super::{Format, Unreadable, read};

const FORMATS: [Format; 5] = [Format::Xlsx, Format::Docx, Format::Aiken, Format::Gift, Format::MoodleXml];

#[test]
fn a_document_type_is_refused() {
    let bomb = "<!DOCTYPE quiz [<!ENTITY a \"aaaa\">]><quiz><question type=\"essay\">&a;</question></quiz>";

    assert_eq!(read(Format::MoodleXml, bomb.as_bytes()), Err(Unreadable::Damaged("Moodle XML".to_owned())));
}

#[test]
fn other_files_are_named_as_such() {
    assert_eq!(read(Format::Xlsx, b"hello"), Err(Unreadable::Damaged("XLSX".to_owned())));
    assert_eq!(read(Format::Docx, b"hello"), Err(Unreadable::Damaged("DOCX".to_owned())));
    assert_eq!(read(Format::Gift, &[0xff, 0xfe]), Err(Unreadable::NotUnicode));
    assert_eq!(read(Format::Aiken, b""), Err(Unreadable::NoQuestions));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[-A-Ea-e0-9.:~=#{}%\\\\\n ]{0,80}") {
        for format in FORMATS {
            let _ = read(format, &bytes);
            let _ = read(format, text.as_bytes());
        }
    }
}
