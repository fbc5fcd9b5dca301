//! Writing Moodle XML.

use super::super::category::{DIFFICULTY, path};
use super::super::weights::share;
use super::super::{ImportedQuestion, Kind, markup};

/// Characters of a question's name; Moodle lists questions by it.
const NAME: usize = 80;

/// Writes a Moodle XML file.
pub(in super::super) fn write(questions: &[ImportedQuestion]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<quiz>\n");
    let mut topic = None;
    for question in questions {
        if question.topic.as_deref() != topic {
            topic = question.topic.as_deref();
            let path = escaped(&path(topic));
            out.push_str(&format!("<question type=\"category\"><category><text>{path}</text></category></question>\n"));
        }
        write_question(&mut out, question);
    }
    out + "</quiz>\n"
}

fn write_question(out: &mut String, question: &ImportedQuestion) {
    let kind = if question.kind == Kind::TrueFalse { "truefalse" } else { "multichoice" };
    let name: String = question.text.replace('\n', " ").chars().take(NAME).collect();
    out.push_str(&format!("<question type=\"{kind}\">\n<name><text>{}</text></name>\n", escaped(&name)));
    out.push_str(&element("questiontext", &question.text));
    out.push_str(&element("generalfeedback", question.explanation.as_deref().unwrap_or_default()));
    out.push_str("<defaultgrade>1</defaultgrade>\n<penalty>0</penalty>\n<hidden>0</hidden>\n");
    if question.kind == Kind::TrueFalse {
        let truth = question.options.first().is_some_and(|option| option.correct);
        for (text, right) in [("true", truth), ("false", !truth)] {
            let fraction = if right { 100 } else { 0 };
            out.push_str(&format!(
                "<answer fraction=\"{fraction}\" format=\"moodle_auto_format\"><text>{text}</text></answer>\n"
            ));
        }
    } else {
        write_choice(out, question);
    }
    if let Some(difficulty) = question.difficulty {
        out.push_str(&format!("<tags><tag><text>{DIFFICULTY}{difficulty}</text></tag></tags>\n"));
    }
    out.push_str("</question>\n");
}

fn write_choice(out: &mut String, question: &ImportedQuestion) {
    let single = question.kind == Kind::SingleChoice;
    let right = question.options.iter().filter(|option| option.correct).count();
    out.push_str(&format!(
        "<single>{single}</single>\n<shuffleanswers>true</shuffleanswers>\n<answernumbering>ABCD</answernumbering>\n"
    ));
    for option in &question.options {
        let fraction = match (option.correct, single) {
            (true, _) => share(right),
            (false, true) => "0".to_owned(),
            // Without a price for wrong ones, ticking everything would be right.
            (false, false) => format!("-{}", share(right)),
        };
        let text = escaped(&markup::html(&option.text));
        out.push_str(&format!("<answer fraction=\"{fraction}\" format=\"html\"><text>{text}</text></answer>\n"));
    }
}

fn element(name: &str, text: &str) -> String {
    format!("<{name} format=\"html\"><text>{}</text></{name}>\n", escaped(&markup::html(text)))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
