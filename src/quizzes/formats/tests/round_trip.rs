//! What is written reads back without a difference.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::check::{Draft, DraftOption};
use super::super::{Format, ImportedQuestion, Kind, Place, read, write};

/// Texts with all that formats give a meaning to.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-ZăĐệ0-9]{1,6}",
        "[~=#{}:\\\\/%\\[\\]<>&\"*.,;$()+-]{1,3}",
        Just(" ".to_owned()),
        Just("\n".to_owned()),
        Just("[html]".to_owned()),
        Just("%50%".to_owned()),
        Just("\\n".to_owned()),
        Just("&lt;".to_owned()),
        Just("::".to_owned()),
        Just("ANSWER: A".to_owned()),
        Just("A. ".to_owned()),
        Just("// ".to_owned()),
        Just("$CATEGORY: x".to_owned()),
    ];
    vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::SingleChoice), Just(Kind::MultipleChoice), Just(Kind::TrueFalse)]
}

fn question() -> impl Strategy<Value = ImportedQuestion> {
    let topic = option::of("[a-zĐ/ .]{1,12}");
    let details = (option::of(text()), topic, option::of(1..=5_u8));
    (kind(), text(), vec((text(), any::<bool>()), 2..=10), any::<usize>(), details).prop_filter_map(
        "no question",
        |(kind, text, options, right, (explanation, topic, difficulty))| {
            let right = right % options.len();
            let correct = |at: usize, ticked: bool| at == right || (ticked && kind == Kind::MultipleChoice);
            let options = match kind {
                Kind::TrueFalse => Draft::judged(right == 0),
                _ => options
                    .into_iter()
                    .enumerate()
                    .map(|(at, (text, ticked))| DraftOption { text, correct: correct(at, ticked) })
                    .collect(),
            };
            let draft =
                Draft { place: Place::default(), kind: Some(kind), text, options, explanation, topic, difficulty };
            draft.check().ok()
        },
    )
}

/// Without places, which are those of the file.
fn placeless(questions: Vec<ImportedQuestion>) -> Vec<ImportedQuestion> {
    questions.into_iter().map(|question| ImportedQuestion { place: Place::default(), ..question }).collect()
}

fn back(format: Format, question: &ImportedQuestion) -> Option<Vec<ImportedQuestion>> {
    let bytes = write(format, std::slice::from_ref(question)).ok()?;
    let reading = read(format, &bytes).unwrap();
    assert_eq!((&reading.faults, &reading.notices), (&vec![], &vec![]), "{}", String::from_utf8_lossy(&bytes));
    Some(placeless(reading.questions))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn gift_reads_back(question in question()) {
        prop_assert_eq!(back(Format::Gift, &question), Some(vec![question]));
    }

    #[test]
    fn moodle_xml_reads_back(question in question()) {
        prop_assert_eq!(back(Format::MoodleXml, &question), Some(vec![question]));
    }

    #[test]
    fn aiken_reads_back_text_options_and_answer(question in question()) {
        let plain = ImportedQuestion { explanation: None, topic: None, difficulty: None, ..question };
        if let Some(read) = back(Format::Aiken, &plain) {
            prop_assert_eq!(read, vec![plain]);
        } else {
            let awkward = plain.text.contains("ANSWER:") || plain.text.contains("A.") || plain.text.contains("A)");
            prop_assert!(plain.kind == Kind::MultipleChoice || awkward);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn excel_reads_back(question in question()) {
        if let Some(read) = back(Format::Xlsx, &question) {
            prop_assert_eq!(read, vec![question]);
        }
    }
}
