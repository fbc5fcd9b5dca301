//! The checked-in table of who may call what.

use std::fmt::Write as _;

use crate::stage::CALLERS;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/permissions.txt");

fn checked_in() -> String {
    std::fs::read_to_string(TABLE).unwrap_or_default()
}

fn id_of(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

pub fn write(table: &str) {
    std::fs::write(TABLE, table).unwrap();
}

/// The rows below what they mean.
pub fn with_heading(rows: &[String]) -> String {
    let mut table = String::from(
        "# in = let in; in403 = let in, and refused within; 401, 403, 404 = refused at the door. The callers:\n",
    );
    for (short, long) in CALLERS {
        writeln!(table, "#   {short:<5} {long}").unwrap();
    }
    let names: Vec<String> = CALLERS.iter().map(|(short, _)| format!("{short:>5}")).collect();
    writeln!(table, "{:<28} {}", "operation", names.join(" ")).unwrap();
    for row in rows {
        writeln!(table, "{row}").unwrap();
    }
    table
}

/// Insists that a table is the checked-in one.
pub fn compare(table: &str) {
    let checked_in = checked_in();
    let differences: Vec<String> = table
        .lines()
        .filter(|line| !checked_in.lines().any(|known| known == *line))
        .map(|line| {
            let known = checked_in.lines().find(|known| id_of(known) == id_of(line)).unwrap_or("no row");
            format!("found {line}\ntable {known}")
        })
        .collect();
    assert!(differences.is_empty(), "the program and the permission table differ:\n{}", differences.join("\n"));
    assert_eq!(table.lines().count(), checked_in.lines().count(), "the table has rows of operations that are gone");
}

/// The first caller of the table whom an operation lets in.
pub fn first_let_in(operation: &str) -> &'static str {
    let table = checked_in();
    let row = table.lines().find(|line| id_of(line) == operation).unwrap_or_else(|| panic!("no row of {operation}"));
    let place = row.split_whitespace().skip(1).position(|cell| cell == "in");
    CALLERS[place.unwrap_or_else(|| panic!("{operation} lets in no one"))].0
}
