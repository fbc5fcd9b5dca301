//! Offline verification of exported reports against the published keys. Pure but for reading.

mod bundle;
mod report;
mod trusted;

use std::io::BufRead;

use serde_json::Value;

pub use trusted::{TrustedKeys, is_signed};

/// Result of a verification.
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
        // The report was reformatted over several lines, which changes nothing of its content.
        file.read_to_string(&mut first)?;
        report::verify(&first, keys, &mut verdict);
    }
    Ok(verdict)
}
