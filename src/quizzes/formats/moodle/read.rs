//! Reading Moodle XML.

use roxmltree::{Document, Node, ParsingOptions};

use super::super::check::{Draft, DraftOption};
use super::super::fault::{FormatFault, Place, Unreadable};
use super::super::weights::{Weight, right_options};
use super::super::{Kind, Reading, category, markup};

/// Elements of a file that is no attack.
const MOST_NODES: u32 = 1_000_000;

/// Reads a Moodle XML file.
pub(in super::super) fn read(text: &str) -> Result<Reading, Unreadable> {
    let damaged = || Unreadable::Damaged("Moodle XML".to_owned());
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|_| damaged())?;
    let quiz = document.root_element();
    if !quiz.has_tag_name("quiz") {
        return Err(damaged());
    }
    let mut reading = Reading::default();
    let (mut topic, mut number) = (None, 0);
    for node in children(quiz, "question") {
        if node.attribute("type") == Some("category") {
            topic = child(node, "category").and_then(|node| category::topic(&text_in(node)));
            continue;
        }
        number += 1;
        let place = Place::question(number);
        match question(node, &place, topic.clone()) {
            Ok(draft) => {
                if has_feedback(node) {
                    let (vi, en) =
                        ("nhận xét cho từng phương án không được nhập", "feedback on single options was not imported");
                    reading.notices.push(FormatFault::new(&place, "feedback_skipped", vi, en));
                }
                draft.into_reading(&mut reading);
            }
            Err(notice) => reading.notices.push(notice),
        }
    }
    Ok(reading)
}

/// The question, or the notice about what was skipped.
fn question(node: Node<'_, '_>, place: &Place, topic: Option<String>) -> Result<Draft, FormatFault> {
    let of_kind = node.attribute("type").unwrap_or_default();
    if !matches!(of_kind, "multichoice" | "truefalse") {
        return Err(FormatFault::skipped(place, of_kind));
    }
    if node.descendants().any(|inner| inner.has_tag_name("file")) {
        return Err(FormatFault::image(place));
    }
    let plain = |node: Option<Node<'_, '_>>| match node {
        Some(node) => plain_text(node).ok_or_else(|| FormatFault::image(place)),
        None => Ok(String::new()),
    };
    let (kind, options) = if of_kind == "truefalse" { judged(node, place)? } else { choice(node, place)? };
    Ok(Draft {
        place: place.clone(),
        kind: Some(kind),
        text: plain(child(node, "questiontext"))?,
        options,
        explanation: Some(plain(child(node, "generalfeedback"))?),
        topic,
        difficulty: child(node, "tags").and_then(difficulty),
    })
}

fn judged(node: Node<'_, '_>, place: &Place) -> Result<(Kind, Vec<DraftOption>), FormatFault> {
    let right = children(node, "answer").find(|answer| weight(*answer) > 0.0).map(text_in);
    match right.as_deref().map(str::to_lowercase).as_deref() {
        Some("true") => Ok((Kind::TrueFalse, Draft::judged(true))),
        Some("false") => Ok((Kind::TrueFalse, Draft::judged(false))),
        _ => Err(FormatFault::skipped(place, "truefalse without true or false")),
    }
}

fn choice(node: Node<'_, '_>, place: &Place) -> Result<(Kind, Vec<DraftOption>), FormatFault> {
    // Moodle takes a question without the element for one with a single answer.
    let single = child(node, "single").is_none_or(|node| matches!(text_in(node).as_str(), "true" | "1"));
    let answers: Vec<_> = children(node, "answer").collect();
    let weights: Vec<Weight> = answers.iter().map(|answer| weight(*answer)).collect();
    let right = right_options(&weights, single).ok_or_else(|| FormatFault::skipped(place, "partial credit"))?;
    let mut options = Vec::with_capacity(answers.len());
    for (answer, correct) in answers.into_iter().zip(right) {
        let text = plain_text(answer).ok_or_else(|| FormatFault::image(place))?;
        options.push(DraftOption { text, correct });
    }
    Ok((if single { Kind::SingleChoice } else { Kind::MultipleChoice }, options))
}

fn weight(answer: Node<'_, '_>) -> Weight {
    answer.attribute("fraction").and_then(|fraction| fraction.trim().parse().ok()).unwrap_or(0.0)
}

fn has_feedback(node: Node<'_, '_>) -> bool {
    let texts = children(node, "answer").filter_map(|answer| child(answer, "feedback"));
    texts.into_iter().any(|feedback| plain_text(feedback).is_none_or(|text| !text.is_empty()))
}

fn difficulty(tags: Node<'_, '_>) -> Option<u8> {
    children(tags, "tag").find_map(|tag| category::difficulty(&text_in(tag)))
}

/// The text of an element as people read it; none with pictures.
fn plain_text(node: Node<'_, '_>) -> Option<String> {
    let text = text_in(node);
    match node.attribute("format") {
        Some("plain_text" | "markdown") => Some(text),
        _ => markup::plain(&text),
    }
}

/// What stands in the `text` of an element, or in itself.
fn text_in(node: Node<'_, '_>) -> String {
    let holder = child(node, "text").unwrap_or(node);
    holder.children().filter_map(|inner| inner.text()).collect::<String>().trim().to_owned()
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|inner| inner.has_tag_name(name))
}

fn children<'a, 'input: 'a>(node: Node<'a, 'input>, name: &'a str) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |inner| inner.has_tag_name(name))
}
