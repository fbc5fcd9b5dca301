//! The SQL statement behind a request, read from PostgreSQL's log, so that it cannot drift.

use std::fs;

use crate::cluster::Postgres;

/// A statement and the values it was executed with, as SQL literals.
#[derive(Debug, PartialEq)]
pub struct Statement {
    millis: f64,
    text: String,
    values: Vec<String>,
}

impl Statement {
    /// A script for `pgbench` that prepares the statement once a connection and then executes it; needs `-D ready=0`.
    pub fn script(&self) -> String {
        let call = if self.values.is_empty() { String::new() } else { format!("({})", self.values.join(", ")) };
        format!(
            "\\if :ready = 0\nPREPARE measured AS {};\n\\set ready 1\n\\endif\nEXECUTE measured{call};\n",
            self.text
        )
    }
}

/// Lets the cluster log every statement of a database's new connections, or no longer.
pub async fn log_all(postgres: &Postgres, database: &str, on: bool) -> Result<(), String> {
    let change = if on { "SET log_min_duration_statement = 0" } else { "RESET log_min_duration_statement" };
    postgres.sql("postgres", &format!("ALTER DATABASE {database} {change}")).await.map(drop)
}

/// The statement about a unit that took longest since the log had so many bytes. Background work logs others meanwhile.
pub fn slowest(postgres: &Postgres, since: usize, unit: &str) -> Result<Statement, String> {
    let log = fs::read_to_string(&postgres.log).map_err(|e| e.to_string())?;
    let mut found = parse(log.get(since..).unwrap_or_default());
    found.retain(|statement| statement.values.iter().any(|value| *value == format!("'{unit}'")));
    found.into_iter().max_by(|a, b| a.millis.total_cmp(&b.millis)).ok_or_else(|| "no statement was logged".to_owned())
}

/// The length of the log.
pub fn mark(postgres: &Postgres) -> usize {
    fs::read(&postgres.log).map_or(0, |log| log.len())
}

fn parse(log: &str) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    let mut in_text = false;
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix("LOG:  duration: ") {
            let (millis, what) = rest.split_once(" ms").unwrap_or((rest, ""));
            let executed = what.trim_start().strip_prefix("execute ").and_then(|named| named.split_once(": "));
            in_text = executed.is_some();
            if let Some((_, text)) = executed {
                let millis = millis.parse().unwrap_or(0.0);
                found.push(Statement { millis, text: text.to_owned(), values: Vec::new() });
            }
        } else if let Some(list) = line.strip_prefix("DETAIL:  ").filter(|_| in_text) {
            let list = list.strip_prefix("parameters: ").or_else(|| list.strip_prefix("Parameters: "));
            if let (Some(list), Some(last)) = (list, found.last_mut()) {
                last.values = values(list);
            }
            in_text = false;
        } else if let (Some(more), true, Some(last)) = (line.strip_prefix('\t'), in_text, found.last_mut()) {
            last.text.push('\n');
            last.text.push_str(more);
        } else {
            in_text = false;
        }
    }
    found
}

/// The literals of `$1 = 'a', $2 = NULL`.
fn values(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = list;
    while let Some(at) = rest.find(" = ") {
        rest = &rest[at + 3..];
        let end = if rest.starts_with('\'') { literal_end(rest) } else { rest.find(',').unwrap_or(rest.len()) };
        found.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    found
}

/// Where a quoted literal ends; a quote inside it is doubled.
fn literal_end(text: &str) -> usize {
    let mut quotes = text.match_indices('\'').map(|(at, _)| at).skip(1).peekable();
    while let Some(at) = quotes.next() {
        if quotes.peek() == Some(&(at + 1)) {
            quotes.next();
        } else {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_with_their_values() {
        let log = "LOG:  duration: 0.1 ms  parse s1: SELECT 1\nLOG:  duration: 2.5 ms  execute s1: SELECT $1,\n\t $2, $3\n\
                   DETAIL:  parameters: $1 = 'a, b = ''c''', $2 = NULL, $3 = '7'\nLOG:  duration: 0.2 ms\n";
        let found = parse(log);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text, "SELECT $1,\n $2, $3");
        assert_eq!(found[0].values, ["'a, b = ''c'''", "NULL", "'7'"]);
        assert!(found[0].script().ends_with("EXECUTE measured('a, b = ''c''', NULL, '7');\n"));
    }
}
