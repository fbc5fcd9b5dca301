//! Measures a part's XML without parsing it.
//!
//! So the parser only sees documents whose cost is known.

use super::marks::Marks;
use super::{Bound, RosterError, RosterLimits};

/// What has been counted over all parts so far.
#[derive(Debug, Default)]
pub(super) struct Census {
    shared_strings: u64,
    elements: u64,
    /// What the markup says of merged cells and hidden rows.
    pub marks: Marks,
}

impl Census {
    /// Counts the elements of one part and refuses what only an attack
    /// contains. Changes one thing: the size hint of the string table, which
    /// the parser would otherwise believe and allocate.
    pub fn take(&mut self, name: &str, xml: &mut [u8], limits: &RosterLimits) -> Result<(), RosterError> {
        // With neither NUL nor escape bytes no declared encoding can turn
        // these bytes into other markup than is counted here.
        let foreign = |b: &u8| *b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r');
        if std::str::from_utf8(xml).is_err() || xml.iter().any(foreign) {
            return Err(RosterError::NotAWorkbook);
        }
        let styles = name.to_ascii_lowercase().ends_with("styles.xml");
        let mut style_elements = 0;
        let mut at = 0;
        while let Some(open) = xml[at..].iter().position(|b| *b == b'<') {
            let start = at + open + 1;
            if xml.get(start) == Some(&b'!') {
                at = after_exclamation(&xml[start..], start)?;
                continue;
            }
            let end = tag_end(xml, start, limits)?;
            if styles && !local_name(&xml[start..end]).is_empty() {
                style_elements += 1;
            }
            self.marks.tag(name, local_name(&xml[start..end]), &xml[start..end]);
            self.count(&mut xml[start..end]);
            at = end;
        }
        if style_elements > limits.style_elements {
            return Err(too_large(Bound::Styles, limits.style_elements));
        }
        self.check(limits)
    }

    fn count(&mut self, tag: &mut [u8]) {
        match local_name(tag) {
            // Closing tags, and what is read and forgotten cell by cell.
            b"" | b"row" | b"c" | b"v" | b"f" | b"is" | b"t" => {}
            b"si" => self.shared_strings += 1,
            b"sst" => {
                self.elements += 1;
                hide_size_hint(tag);
            }
            _ => self.elements += 1,
        }
    }

    fn check(&self, limits: &RosterLimits) -> Result<(), RosterError> {
        if self.shared_strings > limits.shared_strings {
            return Err(too_large(Bound::SharedStrings, limits.shared_strings));
        }
        if self.elements > limits.elements {
            return Err(too_large(Bound::Elements, limits.elements));
        }
        Ok(())
    }
}

/// Where to go on after `<!`: comments and character data are harmless, a
/// document type with its entities is refused.
fn after_exclamation(rest: &[u8], start: usize) -> Result<usize, RosterError> {
    if rest.starts_with(b"!--") || rest.starts_with(b"![CDATA[") {
        Ok(start + 3)
    } else {
        Err(RosterError::NotAWorkbook)
    }
}

/// The position after the tag that begins at `start`; quoted `>` do not end it.
fn tag_end(xml: &[u8], start: usize, limits: &RosterLimits) -> Result<usize, RosterError> {
    let mut quote = None;
    for (length, byte) in xml[start..].iter().enumerate() {
        if length > limits.tag_bytes {
            return Err(too_large(Bound::TagBytes, limits.tag_bytes as u64));
        }
        match (quote, *byte) {
            (None, b'>') => return Ok(start + length),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if byte == open => quote = None,
            _ => {}
        }
    }
    Err(RosterError::NotAWorkbook)
}

/// The name of an opening tag without its namespace prefix; empty for any other.
fn local_name(tag: &[u8]) -> &[u8] {
    if tag.first() == Some(&b'/') {
        return b"";
    }
    let end = |b: &u8| b.is_ascii_whitespace() || *b == b'/';
    let name = &tag[..tag.iter().position(end).unwrap_or(tag.len())];
    name.rsplit(|b| *b == b':').next().unwrap_or(name)
}

fn hide_size_hint(tag: &mut [u8]) {
    const HINT: &[u8] = b"uniqueCount";
    let mut at = 0;
    while let Some(found) = tag[at..].windows(HINT.len()).position(|w| w == HINT) {
        tag[at + found] = b'x';
        at += found + HINT.len();
    }
}

fn too_large(what: Bound, limit: u64) -> RosterError {
    RosterError::TooLarge { what, limit }
}
