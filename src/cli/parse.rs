//! `sotay parse`: parses one foreign file on standard input within bounds; the server starts it.

use std::io::{Read, Write};

use clap::{Args, ValueEnum};

use crate::documents;
use crate::kernel::foreign;
use crate::organisation::imports::file as roster;
use crate::quizzes;

#[derive(Args)]
pub struct Parse {
    /// What the file is.
    kind: ParsedKind,
    /// What the parser must know besides, as JSON.
    #[arg(long)]
    settings: String,
    /// Most memory, bytes.
    #[arg(long)]
    memory: u64,
    /// Most time of a core, seconds.
    #[arg(long)]
    cpu_seconds: u64,
    /// Whether the bounds hold already.
    #[arg(long)]
    confined: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ParsedKind {
    /// The member list of a cell, XLSX.
    Roster,
    /// Questions in one of the formats of question files.
    Questions,
    /// A document, PDF, DOCX or XLSX.
    Document,
}

/// Parses what comes on standard input.
///
/// # Errors
/// When the bounds cannot be set, the settings are wrong, or a pipe breaks. What is wrong with the file is an answer.
pub fn run(arguments: &Parse) -> Result<(), String> {
    if !arguments.confined {
        return Err(foreign::begin_confined(arguments.memory, arguments.cpu_seconds).to_string());
    }
    let mut file = Vec::new();
    std::io::stdin().lock().read_to_end(&mut file).map_err(|e| e.to_string())?;
    let answer = match arguments.kind {
        ParsedKind::Roster => roster::answer(&arguments.settings, &file)?,
        ParsedKind::Questions => quizzes::parse_answer(&arguments.settings, &file)?,
        ParsedKind::Document => documents::read_file(&arguments.settings, &file)?,
    };
    std::io::stdout().lock().write_all(&answer).map_err(|e| e.to_string())
}
