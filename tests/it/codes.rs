//! Every code that the source can answer with is one that the document allows.

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use sotay::kernel::http::problem::Code;

/// What makes a fault of a request: one of the literals in its call is the code.
const MAKERS: &[&str] = &["fault", "unmet", "located", "kind", "mistake", "Fault", "Kind", "Mistake"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The word that ends just before a place in the text.
fn word_before(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    &text[start..]
}

/// The literals in a source file that name a kind of fault: `code: "…"`, one in the call of what makes a fault, the first of
/// a tuple that a `match` gives. Pointers and sentences are none.
fn codes(source: &str) -> Vec<&str> {
    let (mut calls, mut found, mut at) = (vec![""], Vec::new(), 0);
    while let Some(next) = source[at..].find(['(', ')', '{', '}', '"', '/', '\'']) {
        let here = at + next;
        at = here + 1;
        match source.as_bytes()[here] {
            b'(' if source[..here].trim_end().ends_with("=>") => calls.push("=>"),
            b'(' | b'{' => calls.push(word_before(&source[..here])),
            b')' | b'}' if calls.len() > 1 => drop(calls.pop()),
            b'/' if source[at..].starts_with('/') => at += source[at..].find('\n').unwrap_or(source.len() - at),
            b'\'' if source[at..].starts_with("\\\"'") => at += 3,
            b'\'' if source[at..].starts_with(['"', '(', ')', '{', '}', '/']) && source[at + 1..].starts_with('\'') => {
                at += 2;
            }
            b'"' => {
                let length = match source[..here].ends_with("r#") {
                    true => source[at..].find("\"#").unwrap_or(source.len() - at),
                    false => end_of_literal(&source[at..]),
                };
                let (before, literal) = (&source[..here], &source[at..at + length]);
                at = (at + length + 1).min(source.len());
                let field = before.trim_end().ends_with("code:");
                let first = before.trim_end().ends_with('(');
                let call = calls.last().copied().unwrap_or_default();
                let is_code = field || MAKERS.contains(&call) || (call == "=>" && first);
                if is_code && !literal.is_empty() && !literal.contains([' ', '/', '.', ',', '{', '-', '%', '\\']) {
                    found.push(literal);
                }
            }
            _ => {}
        }
    }
    found
}

fn end_of_literal(rest: &str) -> usize {
    let mut escaped = false;
    rest.bytes()
        .position(|byte| {
            let end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            end
        })
        .unwrap_or(rest.len())
}

fn documented(schema: &str) -> Validator {
    let document = sotay::app::document();
    jsonschema::validator_for(&document["components"]["schemas"][schema]["properties"]["code"]).unwrap()
}

#[test]
fn every_code_of_a_fault_is_one_the_document_allows() {
    let mut files = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let found: Vec<&str> = texts.iter().flat_map(|text| codes(text)).collect();
    // One of each way to name a code: the search finds what it is to find.
    for known in
        ["admitted_under_18", "member_of_another_cell", "out_of_range", "row_ignored", "unknown_field", "not_in_cell"]
    {
        assert!(found.contains(&known), "{known} is not found any more");
    }
    let allowed = documented("FieldError");
    let refused: Vec<&&str> = found.iter().filter(|code| !allowed.is_valid(&(**code).into())).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn every_code_of_a_problem_is_one_the_document_allows() {
    let allowed = documented("Problem");
    for code in Code::ALL {
        assert!(allowed.is_valid(&code.as_str().into()), "{}", code.as_str());
    }
}

#[test]
fn the_search_knows_codes_from_sentences_and_pointers() {
    let source = r#"Problem::fault("/a", "first_18", text("Hai từ", "b")); Fault { pointer: "x y", code: "Second", };
        match self { Self::A => ("third", "một lời", "a word"), } // fault("/x", "none")
        let c = '"'; unmet(pointer, "fourth", "Thiếu.")"#;
    assert_eq!(codes(source), ["first_18", "Second", "third", "fourth"]);
}
