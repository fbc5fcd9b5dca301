//! Which option is right: by the table of answers, a stated letter, or what sets one apart.

use std::collections::{BTreeSet, HashMap};

use super::super::Reading;
use super::super::check::{Draft, DraftOption, letter};
use super::super::fault::{FormatFault, Place};
use super::keys::AnswerKeys;
use super::labels::MOST_LABELS;
use super::marks::{MANNERS, set_apart};
use super::questions::{Document, Raw};

/// Adds the document's questions to a reading.
pub(super) fn resolve(mut document: Document, reading: &mut Reading) {
    let keys = document.keys;
    let manners = manners(&document.questions, &keys);
    let repeated = repeated_numbers(&document.questions);
    for question in &mut document.questions {
        check_labels(question);
        if repeated.contains(&(question.part, question.number)) {
            let (vi, en) = ("số câu bị trùng", "the number of the question stands twice");
            question.fault("number_repeated", vi, en);
        }
    }
    let parts: BTreeSet<_> = document.questions.iter().map(|question| question.part).collect();
    let shared: HashMap<u32, usize> = count(document.questions.iter().map(|question| question.number));
    reading.notices.extend(document.notices);
    reading.faults.extend(document.faults);
    for number in &keys.contradicted {
        let (vi, en) = ("bảng đáp án ghi hai đáp án khác nhau", "the table of answers has two different answers");
        reading.faults.push(FormatFault::new(&Place::question(number), "key_contradicts", vi, en));
    }
    for mut question in document.questions {
        if question.picture {
            reading.notices.push(FormatFault::image(&question.place()));
            continue;
        }
        let ambiguous = parts.len() > 1 && shared[&question.number] > 1 && keys.without_part(question.number);
        if ambiguous {
            let vi = "bảng đáp án không ghi phần mà số câu này có ở nhiều phần";
            let en = "the table of answers names no part, but the number stands in several";
            question.fault("key_without_part", vi, en);
        }
        let right = right_option(&mut question, &keys, &manners);
        finish(question, right, reading);
    }
}

fn finish(mut question: Raw, right: Option<usize>, reading: &mut Reading) {
    let place = question.place();
    let faults = std::mem::take(&mut question.faults);
    let options = question.options.into_iter().enumerate();
    let draft = Draft {
        place,
        text: question.text.join("\n"),
        options: options.map(|(at, option)| DraftOption { text: option.text, correct: right == Some(at) }).collect(),
        explanation: question.explanation.map(|lines| lines.join("\n")),
        topic: question.topic,
        ..Draft::default()
    };
    if faults.is_empty() {
        draft.into_reading(reading);
        return;
    }
    reading.faults.extend(faults);
    // What else is wrong with it is told at once; that nothing is marked was told already.
    let others = draft.check().err().unwrap_or_default();
    reading.faults.extend(others.into_iter().filter(|fault| fault.code != "answer_missing"));
}

/// Manners that set one option apart in each question that has no written answer. Without such, the one that does so most.
fn manners(questions: &[Raw], keys: &AnswerKeys) -> Vec<usize> {
    let unkeyed: Vec<&Raw> = questions
        .iter()
        .filter(|question| !question.picture && question.options.len() > 1)
        .filter(|question| question.stated.is_empty() && keys.get(question.part, question.number).is_none())
        .collect();
    let judged: Vec<&Raw> = if unkeyed.is_empty() {
        questions.iter().filter(|question| !question.picture && question.options.len() > 1).collect()
    } else {
        unkeyed
    };
    let marked =
        |manner: usize| judged.iter().filter(|question| set_apart(&question.options, manner).is_some()).count();
    let counts: Vec<usize> = (0..MANNERS).map(marked).collect();
    let all: Vec<usize> = (0..MANNERS).filter(|manner| counts[*manner] == judged.len() && !judged.is_empty()).collect();
    let best = counts.iter().copied().max().unwrap_or(0);
    if !all.is_empty() || best == 0 || !keys.is_empty() {
        return all;
    }
    (0..MANNERS).filter(|manner| counts[*manner] == best).take(1).collect()
}

/// The right option; adds a fault when there is none or more than one reading.
fn right_option(question: &mut Raw, keys: &AnswerKeys, manners: &[usize]) -> Option<usize> {
    let mut readings: BTreeSet<usize> = question.stated.iter().copied().collect();
    readings.extend(keys.get(question.part, question.number));
    readings.extend(manners.iter().filter_map(|manner| set_apart(&question.options, *manner)));
    let found: Vec<usize> = readings.into_iter().collect();
    match found[..] {
        [one] if one < question.options.len() => return Some(one),
        [one] => {
            let vi = format!("đáp án {} không phải là phương án của câu", letter(one));
            let en = format!("the answer {} is no option of the question", letter(one));
            question.fault("answer_invalid", vi, en);
        }
        [] => {
            let vi = "không rõ phương án đúng: cần gạch chân, in đậm, tô màu, dấu * hoặc bảng đáp án";
            let en = "no option is set apart by underlining, bold, colour or a star, and no table names the answer";
            question.fault("answer_missing", vi, en);
        }
        _ => {
            let letters: Vec<String> = found.iter().map(|at| letter(*at).to_string()).collect();
            let vi = format!("có nhiều cách hiểu đáp án: {}", letters.join(", "));
            let en = format!("the answer can be read in several ways: {}", letters.join(", "));
            question.fault("answer_ambiguous", vi, en);
        }
    }
    None
}

/// Options that stand in one line with a single space between them have two readings.
fn check_labels(question: &mut Raw) {
    let next = question.options.len();
    let together = question.options.last().is_some_and(|option| {
        [letter(next), letter(next).to_ascii_lowercase()]
            .iter()
            .any(|label| [". ", ") "].iter().any(|sign| option.text.contains(&format!(" {label}{sign}"))))
    });
    if together && next < MOST_LABELS {
        let vi = format!(
            "không rõ phương án {} có bắt đầu ở giữa dòng không; hãy tách bằng tab hoặc xuống dòng",
            letter(next)
        );
        let en = format!(
            "it is unclear whether option {} begins within a line; separate options by tabs or lines",
            letter(next)
        );
        question.fault("options_run_together", vi, en);
    }
}

fn repeated_numbers(questions: &[Raw]) -> BTreeSet<(Option<usize>, u32)> {
    let counts = count(questions.iter().map(|question| (question.part, question.number)));
    counts.into_iter().filter(|(_, times)| *times > 1).map(|(number, _)| number).collect()
}

fn count<T: std::hash::Hash + Eq>(items: impl Iterator<Item = T>) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}
