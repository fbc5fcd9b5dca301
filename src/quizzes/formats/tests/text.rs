//! Aiken, GIFT and Moodle XML.

use super::super::{Format, Kind};
use super::{faults, keys, notices, questions, reading, right};

#[test]
fn aiken_has_letters_with_points_or_brackets() {
    let file = "Câu nào đúng?\nA. một\nB. hai\nANSWER: B\n\nC. Mác là ai?\nA) x\nB) y\nC) z\nanswer: c\n";

    let read = questions(Format::Aiken, file.as_bytes());

    assert_eq!(keys(&read), ["B", "C"]);
    assert_eq!(read[1].text, "C. Mác là ai?");
    assert_eq!(read[1].place.line, Some(6));
}

#[test]
fn aiken_tells_all_faults_with_their_lines() {
    let file = "Một?\nA. x\nB. y\nANSWER: D\n\nHai?\nA. x\nC. y\nANSWER: A\n\nBa?\nA. x\nA. x\n";

    let told = faults(Format::Aiken, file.as_bytes());

    let expected = [
        ("line 4", "answer_invalid"),
        ("line 8", "option_out_of_order"),
        ("line 13", "option_out_of_order"),
        ("line 11", "answer_missing"),
    ];
    assert_eq!(told, expected.map(|(place, code)| (place.to_owned(), code.to_owned())));
}

#[test]
fn gift_choices_are_read_and_other_kinds_named() {
    let file = r"// a comment
$CATEGORY: $course$/top/Điều lệ

// [tag:difficulty-4]
::Tên:: Thủ đô {=Hà Nội ~Huế # sai rồi
~Đà Nẵng #### Vì thế.}

Đúng không? {T}

::Nhiều::[html]<p>Chọn <b>hai</b> &amp; đủ</p> {~%50%một
~%50%hai
~%-100%ba}

Nhà {=xanh ~đỏ} ở đâu?

Viết bài {}

Bao nhiêu {#3:1}

Ghép {=a -> b =c -> d}

Điền {=a =b}

Một phần {=a ~%50%b ~c}

Dấu \{lạ\} \= \~ {=a\=b ~c\#d}
";

    let reading = reading(Format::Gift, file.as_bytes());

    assert_eq!(reading.faults, []);
    let read = &reading.questions;
    assert_eq!(keys(read), ["A", "A", "AB", "A", "A"]);
    assert_eq!(read[0].topic.as_deref(), Some("Điều lệ"));
    assert_eq!((read[0].difficulty, read[0].explanation.as_deref()), (Some(4), Some("Vì thế.")));
    assert_eq!((read[1].kind, read[2].kind), (Kind::TrueFalse, Kind::MultipleChoice));
    assert_eq!(read[2].text, "Chọn hai & đủ");
    assert_eq!(read[3].text, "Nhà _____ ở đâu?");
    assert_eq!(read[4].text, "Dấu {lạ} = ~");
    assert_eq!(notices(&reading).iter().filter(|code| **code == "question_skipped").count(), 5);
}

#[test]
fn gift_without_its_closing_brace_is_a_fault() {
    let told = faults(Format::Gift, "Một? {=a ~b\n".as_bytes());

    assert_eq!(told, [("line 1".to_owned(), "brace_not_closed".to_owned())]);
}

#[test]
fn moodle_choices_are_read_and_pictures_and_essays_named() {
    let file = r#"<?xml version="1.0"?><quiz>
<question type="category"><category><text>$course$/top/A//B/C</text></category></question>
<question type="multichoice"><name><text>x</text></name>
 <questiontext format="html"><text><![CDATA[<p>2 &lt; 3?</p>]]></text></questiontext>
 <generalfeedback format="html"><text>V&#236; v&#x1EAD;y</text></generalfeedback><single>true</single>
 <answer fraction="100"><text>C&#243;</text></answer><answer fraction="0"><text>Kh&#244;ng</text></answer></question>
<question type="truefalse"><questiontext><text>Sai?</text></questiontext>
 <answer fraction="0"><text>true</text></answer><answer fraction="100"><text>false</text></answer></question>
<question type="multichoice"><questiontext format="html"><text>&lt;img src="a"&gt; Hình</text></questiontext>
 <answer fraction="100"><text>a</text></answer><answer fraction="0"><text>b</text></answer></question>
<question type="essay"><questiontext><text>Viết</text></questiontext></question>
<question type="multichoice"><questiontext><text>Ba</text></questiontext><single>false</single>
 <answer fraction="33.33333"><text>a</text></answer><answer fraction="33.33333"><text>b</text></answer>
 <answer fraction="33.33333"><text>c</text></answer><answer fraction="-100"><text>d</text></answer></question>
</quiz>"#;

    let reading = reading(Format::MoodleXml, file.as_bytes());

    assert_eq!(reading.faults, []);
    assert_eq!(reading.questions.iter().map(right).collect::<Vec<_>>(), ["A", "B", "ABC"]);
    assert_eq!(reading.questions[0].text, "2 < 3?");
    assert_eq!(reading.questions[0].topic.as_deref(), Some("A/B / C"));
    assert_eq!(reading.questions[0].explanation.as_deref(), Some("Vì vậy"));
    assert_eq!(notices(&reading), ["image_skipped", "question_skipped"]);
}

#[test]
fn the_same_question_twice_counts_once_and_contradictions_are_faults() {
    let same = "Một?\nA. x\nB. y\nANSWER: A\n\nMỘT?\nA. y\nB. x\nANSWER: B\n";
    let other = "Một?\nA. x\nB. y\nANSWER: A\n\nMột?\nA. y\nB. x\nANSWER: A\n";

    let (same, other) = (reading(Format::Aiken, same.as_bytes()), faults(Format::Aiken, other.as_bytes()));

    assert_eq!((same.questions.len(), notices(&same)), (1, vec!["question_repeated"]));
    assert_eq!(other, [("line 6".to_owned(), "question_contradicts".to_owned())]);
}

#[test]
fn letters_of_old_encodings_are_named() {
    let told = faults(Format::Aiken, "§¶ng céng s¶n viÖt nam?\nA. x\nB. y\nANSWER: A\n".as_bytes());

    assert_eq!(told[0].1, "legacy_encoding");
}
