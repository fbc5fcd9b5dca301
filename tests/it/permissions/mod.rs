//! Every operation of the document, by every kind of caller, against `tests/permissions.txt`.
//! A new route without a row fails. After a deliberate change write the table anew with
//! `SOTAY_TEST_WRITE_TABLE=1` and read the difference before you commit it.

mod table;
mod verdict;

use std::fmt::Write as _;

use crate::stage::{self, CALLERS, Cast, Operation};
use verdict::verdict;

pub use table::first_let_in;

/// What an operation answers every caller, as a row of the table; and what answers neither in nor at the door.
async fn row(cast: &Cast, operation: &Operation) -> (String, Vec<String>) {
    let mut line = format!("{:<28}", operation.id);
    let mut faults = Vec::new();
    let shared = if operation.reads() { Some(stage::set(cast, operation, "self").await) } else { None };
    for (caller, _) in CALLERS {
        // A write gets untouched objects for each caller.
        let scene = match &shared {
            Some(scene) => scene.by(caller),
            None => stage::set(cast, operation, caller).await,
        };
        let reply = scene.send().await;
        match verdict(&reply) {
            Ok(shown) => write!(line, " {shown:>5}").unwrap(),
            Err(fault) => {
                write!(line, " {:>5}", "?").unwrap();
                faults.push(format!("{} by {caller}: {fault}", operation.id));
            }
        }
    }
    if !line.split_whitespace().any(|cell| cell == "in") {
        faults.push(format!("{} lets in none of the callers, so its row proves nothing", operation.id));
    }
    (line, faults)
}

async fn rows(operations: Vec<Operation>) -> Vec<(String, Vec<String>)> {
    let cast = Cast::new().await;
    let mut rows = Vec::new();
    for operation in &operations {
        rows.push(row(&cast, operation).await);
    }
    rows
}

#[test]
fn every_operation_lets_in_whom_the_table_says() {
    let (mut lines, faults): (Vec<String>, Vec<Vec<String>>) = stage::in_worlds(rows).into_iter().flatten().unzip();
    lines.sort();
    let table = table::with_heading(&lines);
    if std::env::var_os("SOTAY_TEST_WRITE_TABLE").is_some() {
        table::write(&table);
    }
    let faults = faults.concat();
    assert!(faults.is_empty(), "requests that prove nothing of a permission:\n{}", faults.join("\n"));
    table::compare(&table);
}
