//! Reading GIFT.

use super::super::check::{Draft, DraftOption};
use super::super::fault::{FormatFault, Place};
use super::super::weights::{Weight, right_options};
use super::super::{Kind, Reading, markup};
use super::blocks::{GiftBlock, blocks};
use super::characters::{Char, find, shown, trimmed, unescaped};

/// Reads a GIFT file.
pub(in super::super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    for block in blocks(text) {
        let place = Place::line(block.line);
        match question(&block, &place) {
            Ok((draft, notice)) => {
                reading.notices.extend(notice);
                draft.into_reading(&mut reading);
            }
            Err(PassedOver::Skipped(notice)) => reading.notices.push(notice),
            Err(PassedOver::Faulty(fault)) => reading.faults.push(fault),
        }
    }
    reading
}

/// Why a block became no question.
enum PassedOver {
    Skipped(FormatFault),
    Faulty(FormatFault),
}

fn skipped(place: &Place, what: &str) -> PassedOver {
    PassedOver::Skipped(FormatFault::skipped(place, what))
}

fn faulty(place: &Place, code: &str, vi: &str, en: &str) -> PassedOver {
    PassedOver::Faulty(FormatFault::new(place, code, vi, en))
}

fn question(block: &GiftBlock, place: &Place) -> Result<(Draft, Option<FormatFault>), PassedOver> {
    let chars = unescaped(&block.text);
    let (format, chars) = format_of(without_title(trimmed(&chars)));
    let (text, answers) = halves(chars, place)?;
    let (answers, explanation) = without_general_feedback(answers);
    let (kind, options, feedback) = options(answers, format, place)?;
    let plain = |text: String| format.plain(text).ok_or_else(|| PassedOver::Skipped(FormatFault::image(place)));
    let draft = Draft {
        place: place.clone(),
        kind: Some(kind),
        text: plain(text)?,
        options,
        explanation: explanation.map(plain).transpose()?,
        topic: block.topic.clone(),
        difficulty: block.difficulty,
    };
    let (vi, en) = ("nhận xét cho từng phương án không được nhập", "feedback on single options was not imported");
    Ok((draft, feedback.then(|| FormatFault::new(place, "feedback_skipped", vi, en))))
}

/// How a text is marked up.
#[derive(Clone, Copy, PartialEq)]
enum GiftFormat {
    Html,
    Other,
}

impl GiftFormat {
    fn plain(self, text: String) -> Option<String> {
        if self == Self::Html { markup::plain(&text) } else { Some(text) }
    }
}

/// Reads `[html]` and its like off the beginning.
fn format_of(chars: &[Char]) -> (GiftFormat, &[Char]) {
    for (name, format) in [
        ("[html]", GiftFormat::Html),
        ("[plain]", GiftFormat::Other),
        ("[markdown]", GiftFormat::Other),
        ("[moodle]", GiftFormat::Other),
    ] {
        if find(&chars[..name.len().min(chars.len())], name) == Some(0) {
            return (format, trimmed(&chars[name.len()..]));
        }
    }
    (GiftFormat::Other, chars)
}

fn without_title(chars: &[Char]) -> &[Char] {
    if find(chars, "::") != Some(0) {
        return chars;
    }
    find(&chars[2..], "::").map_or(chars, |end| trimmed(&chars[end + 4..]))
}

/// The text, and what stands between the braces. A text that goes on behind them has a gap.
fn halves<'a>(chars: &'a [Char], place: &Place) -> Result<(String, &'a [Char]), PassedOver> {
    let Some(open) = find(chars, "{") else {
        return Err(skipped(place, "description"));
    };
    let Some(length) = find(&chars[open..], "}") else {
        return Err(faulty(
            place,
            "brace_not_closed",
            "thiếu dấu } đóng phần đáp án",
            "the closing } of the answers is missing",
        ));
    };
    let (head, answers) = (shown(&chars[..open]), &chars[open + 1..open + length]);
    let tail = trimmed(&chars[open + length + 1..]);
    if find(answers, "{").is_some() || find(tail, "}").is_some() {
        return Err(faulty(place, "brace_unclear", "dấu { } không khớp", "the braces do not match"));
    }
    if find(tail, "{").is_some() {
        return Err(skipped(place, "cloze"));
    }
    let text = if tail.is_empty() { head } else { format!("{}_____ {}", head, shown(tail)) };
    Ok((text, trimmed(answers)))
}

fn without_general_feedback(answers: &[Char]) -> (&[Char], Option<String>) {
    match find(answers, "####") {
        Some(at) => (trimmed(&answers[..at]), Some(shown(trimmed(&answers[at + 4..])))),
        None => (answers, None),
    }
}

/// Kind and options, and whether some have feedback of their own.
fn options(answers: &[Char], format: GiftFormat, place: &Place) -> Result<(Kind, Vec<DraftOption>, bool), PassedOver> {
    if answers.is_empty() {
        return Err(skipped(place, "essay"));
    }
    if find(answers, "#") == Some(0) {
        return Err(skipped(place, "numerical"));
    }
    let end = find(answers, "#").unwrap_or(answers.len());
    match shown(trimmed(&answers[..end])).to_uppercase().as_str() {
        "T" | "TRUE" => return Ok((Kind::TrueFalse, Draft::judged(true), end < answers.len())),
        "F" | "FALSE" => return Ok((Kind::TrueFalse, Draft::judged(false), end < answers.len())),
        _ => {}
    }
    if find(answers, "~").is_none() {
        return Err(match (find(answers, "="), find(answers, "->")) {
            (Some(0), Some(_)) => skipped(place, "matching"),
            (Some(0), None) => skipped(place, "short answer"),
            _ => faulty(
                place,
                "answers_unclear",
                "không đọc được phần đáp án trong { }",
                "the answers between { } cannot be read",
            ),
        });
    }
    choice(answers, format, place)
}

fn choice(answers: &[Char], format: GiftFormat, place: &Place) -> Result<(Kind, Vec<DraftOption>, bool), PassedOver> {
    if find(answers, "~") != Some(0) && find(answers, "=") != Some(0) {
        return Err(faulty(
            place,
            "answers_unclear",
            "có chữ trước phương án đầu tiên trong { }",
            "there is text before the first option between { }",
        ));
    }
    let starts: Vec<usize> = (0..answers.len()).filter(|at| matches!(answers[*at], ('~' | '=', false))).collect();
    let single = starts.iter().any(|at| answers[*at].0 == '=');
    let (mut texts, mut weights, mut feedback) = (Vec::new(), Vec::new(), false);
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(answers.len());
        let whole = if answers[*start].0 == '=' { 100.0 } else { 0.0 };
        let (weight, option) = weight_of(trimmed(&answers[start + 1..end]));
        let own = find(option, "#");
        feedback |= own.is_some();
        let (format, text) = match format_of(trimmed(&option[..own.unwrap_or(option.len())])) {
            (GiftFormat::Other, text) => (format, text),
            marked => marked,
        };
        texts.push(format.plain(shown(text)).ok_or_else(|| PassedOver::Skipped(FormatFault::image(place)))?);
        weights.push(weight.unwrap_or(whole));
    }
    let right = right_options(&weights, single).ok_or_else(|| skipped(place, "partial credit"))?;
    let options = texts.into_iter().zip(right).map(|(text, correct)| DraftOption { text, correct }).collect();
    Ok((if single { Kind::SingleChoice } else { Kind::MultipleChoice }, options, feedback))
}

/// The percentage before an option's text.
fn weight_of(option: &[Char]) -> (Option<Weight>, &[Char]) {
    if find(option, "%") != Some(0) {
        return (None, option);
    }
    let Some(end) = find(&option[1..], "%") else {
        return (None, option);
    };
    match shown(&option[1..=end]).parse::<Weight>() {
        Ok(weight) if weight.abs() <= 100.0 => (Some(weight), trimmed(&option[end + 2..])),
        _ => (None, option),
    }
}
