//! Named styles of a document, and how runs look.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use super::line::Look;

/// Styles above a style that are followed.
const DEPTH: usize = 20;

#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    properties: Properties,
    /// List and level that its paragraphs belong to.
    list: Option<(Option<String>, usize)>,
}

/// What run properties state; what they leave open comes from elsewhere.
#[derive(Debug, Clone, Copy, Default)]
struct Properties {
    bold: Option<bool>,
    underlined: Option<bool>,
    colour: Option<u32>,
    highlight: Option<u32>,
}

/// The styles by name.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Style>);

impl Styles {
    pub fn read(xml: Option<&str>) -> Self {
        let Some(document) = xml.and_then(|xml| Document::parse(xml).ok()) else {
            return Self::default();
        };
        let mut styles = HashMap::new();
        for node in document.root_element().children().filter(|node| named(*node, "style")) {
            let Some(id) = value_of(node, "styleId") else { continue };
            let style = Style {
                based_on: child(node, "basedOn").and_then(value),
                properties: child(node, "rPr").map(properties).unwrap_or_default(),
                list: child(node, "pPr").and_then(list),
            };
            styles.insert(id, style);
        }
        Self(styles)
    }

    /// How text in these styles looks, with the nodes of direct properties last.
    pub fn look(&self, paragraph_style: Option<&str>, run: Option<Node<'_, '_>>) -> Look {
        let run_style = run.and_then(|run| child(run, "rStyle")).and_then(value);
        let layers = [
            paragraph_style.map(|id| self.inherited(id)),
            run_style.map(|id| self.inherited(&id)),
            run.map(properties),
        ];
        let all = layers.into_iter().flatten().fold(Properties::default(), Properties::under);
        Look {
            bold: all.bold.unwrap_or(false),
            underlined: all.underlined.unwrap_or(false),
            colour: all.colour.unwrap_or(0),
            highlight: all.highlight.unwrap_or(0),
        }
    }

    fn inherited(&self, id: &str) -> Properties {
        let layers: Vec<Properties> = self.chain(id).map(|style| style.properties).collect();
        layers.into_iter().rev().fold(Properties::default(), Properties::under)
    }

    /// The style and those it is based on, nearest first.
    fn chain(&self, id: &str) -> impl Iterator<Item = &Style> {
        std::iter::successors(self.0.get(id), |style| self.0.get(style.based_on.as_deref()?)).take(DEPTH)
    }

    /// List and level of a paragraph style.
    pub fn list(&self, id: &str) -> Option<(String, usize)> {
        self.chain(id).find_map(|style| style.list.clone().and_then(|(list, level)| Some((list?, level))))
    }
}

impl Properties {
    /// These, where those above leave something open.
    fn under(self, above: Self) -> Self {
        Self {
            bold: above.bold.or(self.bold),
            underlined: above.underlined.or(self.underlined),
            colour: above.colour.or(self.colour),
            highlight: above.highlight.or(self.highlight),
        }
    }
}

/// List and level of paragraph properties.
pub(super) fn list(properties: Node<'_, '_>) -> Option<(Option<String>, usize)> {
    let numbering = child(properties, "numPr")?;
    let level = child(numbering, "ilvl").and_then(value).and_then(|level| level.parse().ok()).unwrap_or(0);
    Some((child(numbering, "numId").and_then(value), level))
}

fn properties(node: Node<'_, '_>) -> Properties {
    let highlight = child(node, "highlight").and_then(value).map(|name| shade(&name, "none"));
    let fill = child(node, "shd").and_then(|shading| value_of(shading, "fill")).map(|fill| shade(&fill, "auto"));
    Properties {
        bold: child(node, "b").map(is_on),
        underlined: child(node, "u").map(|node| value(node).is_none_or(|kind| kind != "none")),
        colour: child(node, "color").and_then(value).map(|colour| shade(&colour, "auto")),
        highlight: highlight.or(fill),
    }
}

fn is_on(node: Node<'_, '_>) -> bool {
    value(node).is_none_or(|value| !matches!(value.as_str(), "0" | "false" | "off" | "none"))
}

/// A colour as a number, zero for the usual ones.
fn shade(name: &str, usual: &str) -> u32 {
    if name.eq_ignore_ascii_case(usual) || matches!(name, "000000" | "FFFFFF" | "ffffff" | "white" | "auto" | "none") {
        return 0;
    }
    match u32::from_str_radix(name, 16) {
        Ok(colour) => colour + 1,
        // Names such as "yellow": any number will do that differs from name to name.
        Err(_) => name.bytes().fold(1 << 25, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))),
    }
}

pub(super) fn named(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|inner| named(*inner, name))
}

/// The attribute `val`, whatever its namespace's prefix.
pub(super) fn value(node: Node<'_, '_>) -> Option<String> {
    value_of(node, "val")
}

pub(super) fn value_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value().to_owned())
}
