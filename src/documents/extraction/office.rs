//! Parts of Office files, unzipped within a bound, and the text that stands in their markup.

use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::NoTextReason;

/// What all parts of a file may unzip to, bytes.
const MOST_UNZIPPED: u64 = 200 << 20;
/// Parts that an archive may have.
const MOST_PARTS: usize = 10_000;

/// A file that is a zip of XML parts.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Package<'a> {
    /// Opens the archive. A file with a password is an OLE container instead.
    pub fn open(bytes: &'a [u8]) -> Result<Self, NoTextReason> {
        if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
            return Err(NoTextReason::Encrypted);
        }
        // Counted before anything allocates for them.
        if bytes.windows(4).filter(|at| *at == b"PK\x01\x02").take(MOST_PARTS + 1).count() > MOST_PARTS {
            return Err(NoTextReason::TooLarge);
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| NoTextReason::Damaged)?;
        Ok(Self { archive, left: MOST_UNZIPPED })
    }

    /// The names of the parts.
    pub fn names(&self) -> Vec<String> {
        self.archive.file_names().filter_map(Result::ok).map(std::borrow::Cow::into_owned).collect()
    }

    /// One part as text.
    pub fn part(&mut self, name: &str) -> Result<String, NoTextReason> {
        let mut part = self.archive.by_name(name).map_err(|_| NoTextReason::Damaged)?;
        if part.encrypted() {
            return Err(NoTextReason::Encrypted);
        }
        let mut content = Vec::new();
        // The size that the archive states is not believed.
        (&mut part).take(self.left + 1).read_to_end(&mut content).map_err(|_| NoTextReason::Damaged)?;
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(size).ok_or(NoTextReason::TooLarge)?;
        Ok(decoded(&content))
    }
}

/// Text in UTF-8, or in UTF-16 with its mark.
fn decoded(bytes: &[u8]) -> String {
    let wide = |of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// One step through the markup of a part; names are without their prefix.
pub enum MarkupStep<'a> {
    Open(&'a BytesStart<'a>, &'a str),
    Close(&'a str),
    Text(&'a str),
}

/// Walks through a part. What comes before a fault in the markup counts.
pub fn walk(xml: &str, mut step: impl FnMut(MarkupStep<'_>) -> Result<(), NoTextReason>) -> Result<(), NoTextReason> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => step(MarkupStep::Open(&tag, local(&tag)))?,
            Ok(Event::Empty(tag)) => {
                step(MarkupStep::Open(&tag, local(&tag)))?;
                step(MarkupStep::Close(local(&tag)))?;
            }
            Ok(Event::End(tag)) => step(MarkupStep::Close(tag.local_name().into_inner()))?,
            Ok(Event::Text(text)) => step(MarkupStep::Text(&text.xml10_content()))?,
            Ok(Event::CData(text)) => step(MarkupStep::Text(&text.xml10_content()))?,
            Ok(Event::GeneralRef(reference)) => {
                let known = quick_xml::escape::resolve_predefined_entity(&reference);
                let char = reference.resolve_char_ref().ok().flatten();
                match (known, char) {
                    (Some(text), _) => step(MarkupStep::Text(text))?,
                    (None, Some(char)) => step(MarkupStep::Text(char.encode_utf8(&mut [0; 4])))?,
                    // Entities of a file's own are never expanded.
                    (None, None) => {}
                }
            }
            Ok(Event::Eof) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
    }
}

fn local<'a>(tag: &'a BytesStart<'a>) -> &'a str {
    tag.local_name().into_inner()
}

/// The texts of a part's metadata (title, subject, keywords), one a line.
pub fn metadata(package: &mut Package<'_>) -> Result<String, NoTextReason> {
    let mut out = String::new();
    for name in ["docProps/core.xml", "docProps/custom.xml"] {
        if !package.names().iter().any(|known| known == name) {
            continue;
        }
        walk(&package.part(name)?, |step| {
            match step {
                MarkupStep::Text(text) => out.push_str(text),
                MarkupStep::Close(_) => out.push('\n'),
                MarkupStep::Open(..) => {}
            }
            Ok(())
        })?;
    }
    Ok(out)
}
