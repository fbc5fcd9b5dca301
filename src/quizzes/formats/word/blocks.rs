//! A document as lines and tables, in order.

use roxmltree::{Document, Node, ParsingOptions};

use super::line::{Line, Look};
use super::numbering::Numbering;
use super::package::WordPackage;
use super::styles::{Styles, child, list, named, value};

/// Elements of a document that is no attack.
const MOST_NODES: u32 = 3_000_000;

/// A piece of a document.
#[derive(Debug)]
pub(super) enum WordBlock {
    Line(Line),
    Table(WordTable),
}

/// Rows of cells of lines.
#[derive(Debug, Default)]
pub(super) struct WordTable(pub Vec<Vec<Vec<Line>>>);

impl WordTable {
    /// The cells as text.
    pub fn grid(&self) -> Vec<Vec<String>> {
        let text = |cell: &Vec<Line>| cell.iter().map(Line::text).collect::<Vec<_>>().join("\n").trim().to_owned();
        self.0.iter().map(|row| row.iter().map(text).collect()).collect()
    }

    /// The cells as lines: side by side where each has one.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for row in &self.0 {
            if row.iter().any(|cell| cell.iter().filter(|line| !line.is_blank()).count() > 1) {
                lines.extend(row.iter().flatten().cloned());
                continue;
            }
            let mut joined = Line::default();
            for cell in row.iter().flatten() {
                if !joined.chars.is_empty() {
                    joined.push("\t", Look::default());
                }
                joined.append(cell.clone());
            }
            lines.push(joined);
        }
        lines
    }
}

/// Reads the document's body.
pub(super) fn read(package: &WordPackage) -> Option<Vec<WordBlock>> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&package.document, options).ok()?;
    let body = child(document.root_element(), "body")?;
    let (styles, numbering) = (Styles::read(package.styles.as_deref()), Numbering::read(package.numbering.as_deref()));
    let mut reader = WordReader { styles, numbering, blocks: Vec::new() };
    reader.container(body);
    Some(reader.blocks)
}

struct WordReader {
    styles: Styles,
    numbering: Numbering,
    blocks: Vec<WordBlock>,
}

impl WordReader {
    fn container(&mut self, node: Node<'_, '_>) {
        for inner in node.children() {
            if named(inner, "p") {
                let lines = self.paragraph(inner);
                self.blocks.extend(lines.into_iter().map(WordBlock::Line));
            } else if named(inner, "tbl") {
                let table = self.table(inner);
                self.blocks.push(WordBlock::Table(table));
            } else if named(inner, "sdt") {
                if let Some(content) = child(inner, "sdtContent") {
                    self.container(content);
                }
            } else if named(inner, "ins") || named(inner, "customXml") {
                self.container(inner);
            }
        }
    }

    fn table(&mut self, node: Node<'_, '_>) -> WordTable {
        let mut rows = Vec::new();
        for row in node.children().filter(|inner| named(*inner, "tr")) {
            let mut cells = Vec::new();
            for cell in row.children().filter(|inner| named(*inner, "tc")) {
                let paragraphs = cell.descendants().filter(|inner| named(*inner, "p"));
                cells.push(paragraphs.flat_map(|paragraph| self.paragraph(paragraph)).collect());
            }
            rows.push(cells);
        }
        WordTable(rows)
    }

    /// The lines of a paragraph: breaks within it divide it.
    fn paragraph(&mut self, node: Node<'_, '_>) -> Vec<Line> {
        let properties = child(node, "pPr");
        let style = properties.and_then(|properties| child(properties, "pStyle")).and_then(value);
        let mut lines = vec![Line::default()];
        if let Some(label) = self.label(properties, style.as_deref()) {
            let look = self.styles.look(style.as_deref(), properties.and_then(|node| child(node, "rPr")));
            lines[0].push(&format!("{label} "), look);
        }
        for inner in node.descendants().filter(|inner| is_shown(*inner, node)) {
            if named(inner, "oMath") {
                mark_picture(&mut lines);
            } else if named(inner, "r") {
                self.run(inner, style.as_deref(), &mut lines);
            }
        }
        lines
    }

    fn label(&mut self, properties: Option<Node<'_, '_>>, style: Option<&str>) -> Option<String> {
        let own = properties.and_then(list);
        let of_style = style.and_then(|style| self.styles.list(style));
        let (list, level) = match own {
            Some((Some(list), level)) => (list, level),
            Some((None, level)) => (of_style?.0, level),
            None => of_style?,
        };
        self.numbering.next(&list, level)
    }

    fn run(&self, run: Node<'_, '_>, style: Option<&str>, lines: &mut Vec<Line>) {
        let properties = child(run, "rPr");
        if properties.and_then(|node| child(node, "vanish")).is_some() {
            return;
        }
        let look = self.styles.look(style, properties);
        for inner in run.children() {
            let text = match inner.tag_name().name() {
                "t" => inner.text().unwrap_or_default(),
                "tab" => "\t",
                "noBreakHyphen" => "-",
                "br" | "cr" => {
                    lines.push(Line::default());
                    continue;
                }
                "drawing" | "pict" | "object" | "AlternateContent" | "sym" => {
                    mark_picture(lines);
                    continue;
                }
                _ => continue,
            };
            if let Some(line) = lines.last_mut() {
                line.push(&text.replace(['\r', '\n'], " "), look);
            }
        }
    }
}

fn mark_picture(lines: &mut [Line]) {
    if let Some(line) = lines.last_mut() {
        line.picture = true;
    }
}

/// Neither deleted, nor within a picture or a formula, nor the second version of something.
fn is_shown(node: Node<'_, '_>, paragraph: Node<'_, '_>) -> bool {
    const HIDDEN: [&str; 9] =
        ["del", "moveFrom", "Fallback", "txbxContent", "drawing", "pict", "object", "oMath", "rPr"];
    let mut above = node.ancestors().skip(1).take_while(|above| *above != paragraph);
    !above.any(|above| HIDDEN.contains(&above.tag_name().name()))
}
