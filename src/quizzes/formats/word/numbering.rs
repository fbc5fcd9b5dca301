//! Automatic numbering: the labels that Word shows but no text holds.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use super::styles::{child, named, value, value_of};

/// Levels of a list.
const LEVELS: usize = 9;

#[derive(Debug, Clone, Default)]
struct Level {
    start: u32,
    format: String,
    /// Such as `Câu %1:`.
    text: String,
}

/// Lists and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    levels: HashMap<String, Vec<Level>>,
    /// The abstract list of each list, and the numbers it begins anew with.
    lists: HashMap<String, (String, HashMap<usize, u32>)>,
    counts: HashMap<String, [Option<u32>; LEVELS]>,
    /// Lists that have begun.
    begun: Vec<String>,
}

impl Numbering {
    pub fn read(xml: Option<&str>) -> Self {
        let mut numbering = Self::default();
        let Some(document) = xml.and_then(|xml| Document::parse(xml).ok()) else {
            return numbering;
        };
        for node in document.root_element().children() {
            if named(node, "abstractNum")
                && let Some(id) = value_of(node, "abstractNumId")
            {
                numbering.levels.insert(id, levels(node));
            } else if named(node, "num")
                && let Some(id) = value_of(node, "numId")
                && let Some(of) = child(node, "abstractNumId").and_then(value)
            {
                numbering.lists.insert(id, (of, overrides(node)));
            }
        }
        numbering
    }

    /// The label of the next paragraph of a list; none for bullets.
    pub fn next(&mut self, list: &str, level: usize) -> Option<String> {
        let level = level.min(LEVELS - 1);
        let (of, overrides) = self.lists.get(list)?;
        let levels = self.levels.get(of)?;
        let counts = self.counts.entry(of.clone()).or_default();
        if !self.begun.iter().any(|begun| begun == list) {
            self.begun.push(list.to_owned());
            for (level, start) in overrides {
                if let Some(count) = counts.get_mut(*level) {
                    *count = Some(start.saturating_sub(1));
                }
            }
        }
        let start = levels.get(level)?.start;
        counts[level] = Some(counts[level].map_or(start, |count| count.saturating_add(1)));
        counts[level + 1..].fill(None);
        label(levels, counts, level)
    }
}

fn levels(node: Node<'_, '_>) -> Vec<Level> {
    let text = |level, name| child(level, name).and_then(value);
    let read = |level| Level {
        start: text(level, "start").and_then(|start| start.parse().ok()).unwrap_or(1),
        format: text(level, "numFmt").unwrap_or_else(|| "decimal".to_owned()),
        text: text(level, "lvlText").unwrap_or_default(),
    };
    node.children().filter(|inner| named(*inner, "lvl")).take(LEVELS).map(read).collect()
}

fn overrides(node: Node<'_, '_>) -> HashMap<usize, u32> {
    let read = |inner: Node<'_, '_>| {
        let start = child(inner, "startOverride").and_then(value)?.parse().ok()?;
        Some((value_of(inner, "ilvl")?.parse().ok()?, start))
    };
    node.children().filter(|inner| named(*inner, "lvlOverride")).filter_map(read).collect()
}

fn label(levels: &[Level], counts: &[Option<u32>; LEVELS], level: usize) -> Option<String> {
    if matches!(levels[level].format.as_str(), "bullet" | "none") {
        return None;
    }
    let mut text = levels[level].text.clone();
    for (index, of) in levels.iter().enumerate() {
        let place = format!("%{}", index + 1);
        if text.contains(&place) {
            text = text.replace(&place, &number(counts[index].unwrap_or(of.start), &of.format));
        }
    }
    (!text.is_empty()).then_some(text)
}

fn number(count: u32, format: &str) -> String {
    let letters = || {
        let position = count.saturating_sub(1);
        let letter = char::from(b'A' + u8::try_from(position % 26).unwrap_or(0));
        // Word goes on with AA, BB, CC.
        std::iter::repeat_n(letter, (position / 26 + 1).min(10) as usize).collect::<String>()
    };
    match format {
        "upperLetter" => letters(),
        "lowerLetter" => letters().to_lowercase(),
        "upperRoman" => roman(count),
        "lowerRoman" => roman(count).to_lowercase(),
        "decimalZero" => format!("{count:02}"),
        _ => count.to_string(),
    }
}

fn roman(mut count: u32) -> String {
    const STEPS: [(u32, &str); 9] =
        [(100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")];
    let mut out = String::new();
    if count > 399 {
        return count.to_string();
    }
    for (step, sign) in STEPS {
        while count >= step {
            out.push_str(sign);
            count -= step;
        }
    }
    out
}
