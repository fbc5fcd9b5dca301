//! The parts of a .docx file that questions are made of.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// Bytes of a part, unpacked: a long document has a few megabytes.
const PART: u64 = 48 << 20;

/// The XML of the parts.
pub(super) struct WordPackage {
    pub document: String,
    pub styles: Option<String>,
    pub numbering: Option<String>,
}

/// Unpacks a file; none when it is no intact document.
pub(super) fn open(bytes: &[u8]) -> Option<WordPackage> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let document = part(&mut archive, "word/document.xml")?;
    let (styles, numbering) = (part(&mut archive, "word/styles.xml"), part(&mut archive, "word/numbering.xml"));
    Some(WordPackage { document, styles, numbering })
}

fn part(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Option<String> {
    let mut text = String::new();
    let read = archive.by_name(name).ok()?.take(PART).read_to_string(&mut text).ok()?;
    (u64::try_from(read).ok()? < PART).then_some(text)
}
