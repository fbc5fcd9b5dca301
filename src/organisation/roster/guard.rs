//! Opens an uploaded archive by hand, counting, and hands on a plain copy.
//!
//! The spreadsheet parser trusts its input: sizes, ratios, entities. It gets to
//! see only parts that were unzipped and measured here, stored without
//! compression in a new archive, so that both read the very same bytes.

use std::io::{Cursor, Read, Write};

use zip::read::ZipFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::scan::Census;
use super::{Limits, RosterError};

/// Parts below this size may be compressed arbitrarily well.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// Copies the XML parts of the archive, measured, into an uncompressed one.
///
/// # Errors
///
/// [`RosterError::NotAWorkbook`] for anything that is no intact archive of XML
/// parts, [`RosterError::TooLarge`] for what exceeds a limit.
pub(super) fn repack(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, RosterError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > limits.input_bytes {
        return Err(too_large("file bytes", limits.input_bytes));
    }
    if !bytes.starts_with(b"PK\x03\x04") {
        return Err(RosterError::NotAWorkbook);
    }
    check_entries(bytes, limits)?;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| RosterError::NotAWorkbook)?;
    let mut copy = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut census = Census::default();
    let mut left = limits.unzipped_bytes;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|_| RosterError::NotAWorkbook)?;
        let name = part.name().map_err(|_| RosterError::NotAWorkbook)?.into_owned();
        let mut content = unzip(&mut part, left, limits)?;
        left -= content.len() as u64;
        if !is_xml(&name) {
            continue;
        }
        census.take(&name, &mut content, limits)?;
        copy.start_file(name, stored).map_err(|_| RosterError::NotAWorkbook)?;
        copy.write_all(&content).map_err(|_| RosterError::NotAWorkbook)?;
    }
    let copy = copy.finish().map_err(|_| RosterError::NotAWorkbook)?;
    Ok(copy.into_inner())
}

/// Counts the archive's directory entries before anything allocates for them.
fn check_entries(bytes: &[u8], limits: &Limits) -> Result<(), RosterError> {
    let entries = bytes.windows(4).filter(|w| *w == b"PK\x01\x02").take(limits.entries + 1).count();
    if entries > limits.entries {
        return Err(too_large("archive entries", limits.entries as u64));
    }
    Ok(())
}

/// Unzips one part, up to what is left of the total and to its ratio.
fn unzip<R: Read>(part: &mut ZipFile<'_, R>, left: u64, limits: &Limits) -> Result<Vec<u8>, RosterError> {
    let by_ratio = part.compressed_size().saturating_mul(limits.ratio).max(RATIO_FREE_BYTES);
    let bound = left.min(by_ratio);
    let mut content = Vec::new();
    // The size that the archive states is not believed.
    part.take(bound + 1).read_to_end(&mut content).map_err(|_| RosterError::NotAWorkbook)?;
    if content.len() as u64 <= bound {
        return Ok(content);
    }
    if bound == left {
        Err(too_large("unzipped bytes", limits.unzipped_bytes))
    } else {
        Err(too_large("compression ratio", limits.ratio))
    }
}

/// The parts that a spreadsheet parser may open; pictures and macros stay out.
fn is_xml(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".xml") || name.ends_with(".rels")
}

fn too_large(what: &'static str, limit: u64) -> RosterError {
    RosterError::TooLarge { what, limit }
}
