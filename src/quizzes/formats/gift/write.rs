//! Writing GIFT.

use super::super::category::{DIFFICULTY, path};
use super::super::weights::share;
use super::super::{ImportedOption, ImportedQuestion, Kind};
use super::characters::escaped;

/// Writes a GIFT file.
pub(in super::super) fn write(questions: &[ImportedQuestion]) -> String {
    let mut out = String::new();
    let mut topic = None;
    for question in questions {
        if question.topic.as_deref() != topic {
            topic = question.topic.as_deref();
            out.push_str(&format!("$CATEGORY: {}\n\n", path(topic)));
        }
        if let Some(difficulty) = question.difficulty {
            out.push_str(&format!("// [tag:{DIFFICULTY}{difficulty}]\n"));
        }
        out.push_str(&format!("[plain]{} {{\n{}", escaped(&question.text), answers(question)));
        if let Some(explanation) = &question.explanation {
            out.push_str(&format!("####{}\n", escaped(explanation)));
        }
        out.push_str("}\n\n");
    }
    out
}

fn answers(question: &ImportedQuestion) -> String {
    let right = question.options.iter().filter(|option| option.correct).count();
    match question.kind {
        Kind::TrueFalse => {
            let first = question.options.first().is_some_and(|option| option.correct);
            if first { "TRUE\n".to_owned() } else { "FALSE\n".to_owned() }
        }
        Kind::SingleChoice => question.options.iter().map(single).collect(),
        Kind::MultipleChoice => {
            let share = share(right);
            let line = |option: &ImportedOption| {
                let sign = if option.correct { "" } else { "-" };
                format!("~%{sign}{share}%{}\n", option_text(&option.text))
            };
            question.options.iter().map(line).collect()
        }
    }
}

fn single(option: &ImportedOption) -> String {
    let sign = if option.correct { '=' } else { '~' };
    // A text that looks like a percentage needs one of its own before it.
    let weight = match (option.text.starts_with('%'), option.correct) {
        (false, _) => "",
        (true, true) => "%100%",
        (true, false) => "%0%",
    };
    format!("{sign}{weight}{}\n", option_text(&option.text))
}

/// A text that looks like a format's name needs one of its own before it.
fn option_text(text: &str) -> String {
    let marker = if text.starts_with('[') { "[plain]" } else { "" };
    format!("{marker}{}", escaped(text))
}
