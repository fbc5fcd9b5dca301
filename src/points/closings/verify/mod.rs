//! Verifies exported reports without the server: a file, the published keys, and what was changed where. Pure but for reading.

mod bundle;
mod report;
mod trusted;

use std::io::BufRead;

use serde_json::Value;

pub use trusted::TrustedKeys;

/// What the verification came to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What was verified, a line each.
    pub verified: Vec<String>,
    /// What was changed or cannot be verified, a line each; nothing when all is well.
    pub faults: Vec<String>,
}

/// Verifies the report of a cell, or a bundle of reports as JSON lines, read as a stream.
///
/// # Errors
/// When the file cannot be read.
pub fn verify_file(mut file: impl BufRead, keys: &TrustedKeys) -> std::io::Result<Verdict> {
    let mut first = String::new();
    file.read_line(&mut first)?;
    let mut verdict = Verdict::default();
    if serde_json::from_str::<Value>(&first).is_ok() {
        bundle::verify_lines(first, file, keys, &mut verdict)?;
    } else {
        // Somebody has laid the report out over several lines: that changes nothing of what it says.
        file.read_to_string(&mut first)?;
        report::verify(&first, keys, &mut verdict);
    }
    Ok(verdict)
}
