//! `sotay verify-report`: verifies an exported report without a server or a database.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use clap::Args;

use crate::points::{TrustedKeys, Verdict, verify_file};
use crate::quizzes;

#[derive(Args)]
pub struct VerifyReport {
    /// The exported report of a cell (export.json) or of many cells (reports.jsonl), or the results of a contest (results.json).
    file: PathBuf,
    /// The published keys: what /.well-known/report-keys.json answered, saved from the server itself.
    #[arg(long, required_unless_present = "embedded_key", conflicts_with = "embedded_key")]
    key: Option<PathBuf>,
    /// Trust the key that the file itself carries. Proves that the file is intact, not who made it.
    #[arg(long)]
    embedded_key: bool,
}

/// Prints what was verified and what was changed.
///
/// # Errors
/// When a file cannot be read, or anything was changed.
pub fn run(arguments: &VerifyReport) -> Result<(), String> {
    let keys = match &arguments.key {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("không mở được tệp khóa: {e}"))?;
            TrustedKeys::from_json(&text)?
        }
        None => {
            eprintln!("CẢNH BÁO: dùng khóa kèm trong tệp; kết quả không chứng minh được ai đã lập báo cáo.");
            TrustedKeys::embedded()
        }
    };
    let file = File::open(&arguments.file).map_err(|e| format!("không mở được tệp báo cáo: {e}"))?;
    let verdict = verify(BufReader::new(file), &keys).map_err(|e| format!("không đọc được tệp báo cáo: {e}"))?;
    for line in &verdict.verified {
        println!("ĐÚNG  {line}");
    }
    for line in &verdict.faults {
        println!("SAI   {line}");
    }
    match verdict.faults.len() {
        0 => Ok(()),
        n => Err(format!("báo cáo KHÔNG hợp lệ: {n} lỗi")),
    }
}

fn verify(mut file: BufReader<File>, keys: &TrustedKeys) -> std::io::Result<Verdict> {
    if !quizzes::is_contest_report(file.fill_buf()?) {
        return verify_file(file, keys);
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(quizzes::verify_report(&text, keys))
}
