//! Requests as bytes: templates with the columns of a person in them.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::plan::Kind;

/// The people that requests are made for.
pub struct People(Vec<Vec<String>>);

impl People {
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        let people: Vec<Vec<String>> = text.lines().map(|l| l.split('\t').map(str::to_owned).collect()).collect();
        if people.is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(Self(people)) }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

enum Piece {
    Text(String),
    Column(usize),
    Key,
}

/// A kind of request, ready to be written for a person.
pub struct Template {
    head: Vec<Piece>,
    body: Vec<Piece>,
}

impl Template {
    pub fn new(kind: &Kind) -> Result<Self, String> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", kind.method, kind.path);
        for header in &kind.headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        Ok(Self { head: pieces(&head)?, body: pieces(&kind.body)? })
    }

    /// Writes the request of a person; `serial` makes its key one of a kind.
    pub fn write(&self, to: &mut Vec<u8>, people: &People, person: usize, serial: u64) {
        let columns = &people.0[person];
        put(&self.head, to, columns, serial);
        let mut body = Vec::new();
        put(&self.body, &mut body, columns, serial);
        // Writing into a vector cannot fail.
        let _ = write!(to, "Content-Length: {}\r\n\r\n", body.len());
        to.extend_from_slice(&body);
    }
}

fn put(pieces: &[Piece], to: &mut Vec<u8>, columns: &[String], serial: u64) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => to.extend_from_slice(text.as_bytes()),
            Piece::Column(n) => to.extend_from_slice(columns.get(*n).map_or(b"", |c| c.as_bytes())),
            Piece::Key => {
                let _ = write!(to, "bench-{}-{serial}", std::process::id());
            }
        }
    }
}

/// Only `{key}` and `{digits}` are places; other braces, as in JSON, are text.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open);
        plain.push_str(before);
        let name = after[1..].split('}').next().unwrap_or_default();
        let piece = match name {
            "key" => Some(Piece::Key),
            digits if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Piece::Column(digits.parse().map_err(|_| format!("there is no column {digits}"))?))
            }
            _ => None,
        };
        match piece {
            Some(piece) => {
                found.push(Piece::Text(std::mem::take(&mut plain)));
                found.push(piece);
                rest = &after[name.len() + 2..];
            }
            None => {
                plain.push('{');
                rest = &after[1..];
            }
        }
    }
    plain.push_str(rest);
    found.push(Piece::Text(plain));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_keys_are_filled_in_and_json_is_left_alone() {
        let kind: Kind = serde_json::from_value(serde_json::json!({
            "name": "refresh", "method": "POST", "path": "/units/{1}", "headers": ["Idempotency-Key: {key}"],
            "body": "{\"a\":{\"b\":\"{0}\"}}",
        }))
        .unwrap();
        let people = People(vec![vec!["token".to_owned(), "unit".to_owned()]]);
        let mut to = Vec::new();
        Template::new(&kind).unwrap().write(&mut to, &people, 0, 7);
        let text = String::from_utf8(to).unwrap();
        assert!(text.starts_with("POST /units/unit HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: bench-"), "{text}");
        assert!(text.ends_with("-7\r\nContent-Length: 19\r\n\r\n{\"a\":{\"b\":\"token\"}}"), "{text}");
    }
}
