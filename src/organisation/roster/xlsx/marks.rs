//! What a sheet's markup says beside its cells: merged cells of the header, hidden rows.

use std::collections::HashMap;

/// Rows within which merged cells may belong to a header.
const HEADER_ROWS: u32 = 101;
/// Marks of one sheet that are kept.
const KEPT: usize = 1_000;

/// Cells merged into one, zero-based columns and 1-based rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    pub rows: (u32, u32),
    pub columns: (u32, u32),
}

/// The marks of one sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SheetMarks {
    pub merges: Vec<Merge>,
    /// The first hidden rows, 1-based.
    pub hidden: Vec<u32>,
    /// How many rows are hidden.
    pub hidden_total: usize,
}

/// The marks of all sheets, collected while parts are measured.
#[derive(Debug, Default)]
pub struct Marks {
    /// The relationship of each sheet, in the order of the workbook.
    sheets: Vec<String>,
    /// File names of parts by relationship.
    targets: HashMap<String, String>,
    parts: HashMap<String, SheetMarks>,
}

impl Marks {
    /// Looks at one opening tag of a part.
    pub fn tag(&mut self, part: &str, name: &[u8], tag: &[u8]) {
        match name {
            b"sheet" => {
                let id = attributes(tag).find(|(name, _)| *name == "id").map(|(_, value)| value.to_owned());
                self.sheets.push(id.unwrap_or_default());
            }
            b"Relationship" => {
                let (mut id, mut target) = ("", "");
                for (name, value) in attributes(tag) {
                    match name {
                        "Id" => id = value,
                        "Target" => target = value,
                        _ => {}
                    }
                }
                self.targets.insert(id.to_owned(), file_name(target));
            }
            b"mergeCell" => {
                let merge = attributes(tag).find(|(name, _)| *name == "ref").and_then(|(_, range)| merged(range));
                let marks = self.parts.entry(file_name(part)).or_default();
                if let Some(merge) = merge.filter(|merge| merge.rows.0 <= HEADER_ROWS && marks.merges.len() < KEPT) {
                    marks.merges.push(merge);
                }
            }
            b"row" if tag.windows(6).any(|w| w == b"hidden") => self.row(part, tag),
            _ => {}
        }
    }

    fn row(&mut self, part: &str, tag: &[u8]) {
        let (mut number, mut hidden) = (None, false);
        for (name, value) in attributes(tag) {
            match name {
                "r" => number = value.parse().ok(),
                "hidden" => hidden = matches!(value, "1" | "true"),
                _ => {}
            }
        }
        let Some(number) = number.filter(|_| hidden) else {
            return;
        };
        let marks = self.parts.entry(file_name(part)).or_default();
        marks.hidden_total += 1;
        if marks.hidden.len() < KEPT {
            marks.hidden.push(number);
        }
    }

    /// The marks of the sheet at this place of the workbook.
    pub fn of_sheet(&mut self, index: usize) -> SheetMarks {
        let part = self.sheets.get(index).and_then(|id| self.targets.get(id));
        part.and_then(|part| self.parts.remove(part)).unwrap_or_default()
    }
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

/// The attributes of a tag without their prefixes; values as they stand.
fn attributes(tag: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let text = std::str::from_utf8(tag).unwrap_or_default();
    let mut rest = text.find(char::is_whitespace).map_or("", |at| &text[at..]);
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after[1..].split_once(quote)?;
        rest = next;
        let name = name.trim();
        Some((name.rsplit(':').next().unwrap_or(name), value))
    })
}

/// The range `B2:C3`.
fn merged(range: &str) -> Option<Merge> {
    let (first, last) = range.split_once(':')?;
    let ((left, top), (right, bottom)) = (place(first)?, place(last)?);
    Some(Merge { rows: (top, bottom), columns: (left, right) })
}

/// Zero-based column and 1-based row of `B2`.
fn place(reference: &str) -> Option<(u32, u32)> {
    let reference = reference.replace('$', "");
    let digits = reference.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = reference.split_at(digits);
    let mut column: u32 = 0;
    for letter in letters.bytes() {
        let value = u32::from(letter.to_ascii_uppercase().checked_sub(b'A').filter(|v| *v < 26)?) + 1;
        column = column.checked_mul(26)?.checked_add(value)?;
    }
    Some((column.checked_sub(1)?, row.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(merged("B2:AA3"), Some(Merge { rows: (2, 3), columns: (1, 26) }));
        for wrong in ["", "B2", ":", "2:3", "B:C", "ZZZZZZZZZ1:A1", "B2:É3", "B99999999999:C1"] {
            assert_eq!(merged(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn attributes_are_read_without_prefixes() {
        let found: Vec<_> = attributes(b"sheet name=\"a=b\" r:id = 'r1' broken").collect();
        assert_eq!(found, [("name", "a=b"), ("id", "r1")]);
    }
}
