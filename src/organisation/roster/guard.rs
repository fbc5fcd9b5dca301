//! Unzips an uploaded archive within limits, and produces an uncompressed copy.
//!
//! The spreadsheet parser trusts its input: sizes, ratios, entities. It sees only parts that were
//! unzipped and measured here, stored without compression in a new archive, so that both read the
//! very same bytes. Parts
//! that it does not need (pictures, comments, other programs' data) are not
//! even unzipped: they harm nobody.

use std::io::{Cursor, Read, Write};

use zip::read::ZipFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::marks::Marks;
use super::scan::Census;
use super::{Bound, RosterError, RosterLimits};

/// Parts below this size may be compressed arbitrarily well.
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// Copies the parts that are needed, measured, into an uncompressed archive, and tells what their markup says beside cells.
///
/// # Errors
///
/// [`RosterError::NotAWorkbook`] for anything that is no intact archive of XML
/// parts, [`RosterError::TooLarge`] for what exceeds a limit.
pub(super) fn repack(bytes: &[u8], limits: &RosterLimits) -> Result<(Vec<u8>, Marks), RosterError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > limits.input_bytes {
        return Err(too_large(Bound::FileBytes, limits.input_bytes));
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
        let raw = archive.by_index_raw(index).map_err(|_| RosterError::NotAWorkbook)?;
        let name = raw.name().map_err(|_| RosterError::NotAWorkbook)?.into_owned();
        drop(raw);
        if !is_read(&name) {
            continue;
        }
        let mut part = archive.by_index(index).map_err(|_| RosterError::NotAWorkbook)?;
        let mut content = unzip(&mut part, left, limits)?;
        left -= content.len() as u64;
        census.take(&name, &mut content, limits)?;
        copy.start_file(name, stored).map_err(|_| RosterError::NotAWorkbook)?;
        copy.write_all(&content).map_err(|_| RosterError::NotAWorkbook)?;
    }
    let copy = copy.finish().map_err(|_| RosterError::NotAWorkbook)?;
    Ok((copy.into_inner(), census.marks))
}

/// Counts the archive's directory entries before anything allocates for them.
fn check_entries(bytes: &[u8], limits: &RosterLimits) -> Result<(), RosterError> {
    let entries = bytes.windows(4).filter(|w| *w == b"PK\x01\x02").take(limits.entries + 1).count();
    if entries > limits.entries {
        return Err(too_large(Bound::ArchiveEntries, limits.entries as u64));
    }
    Ok(())
}

/// Unzips one part, up to what is left of the total and to its ratio.
fn unzip<R: Read>(part: &mut ZipFile<'_, R>, left: u64, limits: &RosterLimits) -> Result<Vec<u8>, RosterError> {
    let by_ratio = part.compressed_size().saturating_mul(limits.ratio).max(RATIO_FREE_BYTES);
    let bound = left.min(by_ratio);
    let mut content = Vec::new();
    // The size that the archive states is not believed.
    part.take(bound + 1).read_to_end(&mut content).map_err(|_| RosterError::NotAWorkbook)?;
    if content.len() as u64 <= bound {
        return Ok(content);
    }
    if bound == left {
        Err(too_large(Bound::UnzippedBytes, limits.unzipped_bytes))
    } else {
        Err(too_large(Bound::CompressionRatio, limits.ratio))
    }
}

/// Whether the parser needs a part: the workbook, its relationships, strings, styles and sheets.
fn is_read(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
    let stem = |known: &str| file.starts_with(known) && file.ends_with(".xml");
    match folder.rsplit('/').next().unwrap_or_default() {
        "worksheets" => file.ends_with(".xml"),
        "_rels" => file == ".rels" || file.starts_with("workbook"),
        _ => ["workbook", "sharedstrings", "styles", "[content_types]"].into_iter().any(stem),
    }
}

fn too_large(what: Bound, limit: u64) -> RosterError {
    RosterError::TooLarge { what, limit }
}
