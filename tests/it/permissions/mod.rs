//! Every operation of the document, by every kind of caller, against `tests/permissions.txt`.
//! A new route without a row fails. After a deliberate change write the table anew with
//! `SOTAY_TEST_WRITE_TABLE=1` and read the difference before you commit it.

mod stage;

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::World;
use stage::{Stage, bodies_for, callers};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/permissions.txt");

/// An operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub spec: Value,
}

pub fn operations() -> Vec<Operation> {
    let document = sotay::app::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, spec) in item.as_object().unwrap() {
            let id = spec["operationId"].as_str().unwrap().to_owned();
            found.push(Operation { id, method: method.to_uppercase(), path: path.clone(), spec: spec.clone() });
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// What a status says of the permission: refused, or let in, with any outcome inside.
fn verdict(status: u16) -> &'static str {
    match status {
        401 => "401",
        403 => "403",
        404 => "404",
        500.. => "5xx",
        _ => "in",
    }
}

async fn row(operation: &Operation) -> String {
    let world = World::new().await;
    let callers = callers(&world).await;
    let mut line = format!("{:<28}", operation.id);
    for (_, caller) in &callers {
        // Each caller gets untouched objects.
        let stage = Stage::set(&world, &callers, operation).await;
        let path = stage.path(operation, caller.as_ref()).await;
        let request = match caller {
            Some(actor) => actor.request(&operation.method, &path),
            None => world.app.request(&operation.method, &path),
        };
        let reply = bodies_for(operation, &stage, request).send().await;
        write!(line, " {:>5}", verdict(reply.status)).unwrap();
    }
    line
}

#[actix_web::test]
async fn every_operation_lets_in_whom_the_table_says() {
    let names: Vec<&str> = stage::CALLERS.iter().map(|(short, _)| *short).collect();
    let mut table = String::from("# in = let in; 401, 403, 404 = refused at the door. The callers:\n");
    for (short, long) in stage::CALLERS {
        writeln!(table, "#   {short:<5} {long}").unwrap();
    }
    writeln!(table, "{:<28} {}", "operation", names.iter().map(|n| format!("{n:>5}")).collect::<Vec<_>>().join(" "))
        .unwrap();
    for operation in operations() {
        writeln!(table, "{}", row(&operation).await).unwrap();
    }
    if std::env::var_os("SOTAY_TEST_WRITE_TABLE").is_some() {
        std::fs::write(TABLE, &table).unwrap();
    }
    let checked_in = std::fs::read_to_string(TABLE).unwrap_or_default();
    let differences: Vec<String> = table
        .lines()
        .filter(|line| !checked_in.lines().any(|known| known == *line))
        .map(|line| {
            let id = line.split_whitespace().next().unwrap_or_default();
            let known =
                checked_in.lines().find(|known| known.split_whitespace().next() == Some(id)).unwrap_or("no row");
            format!("found {line}\ntable {known}")
        })
        .collect();
    assert!(differences.is_empty(), "the program and the permission table differ:\n{}", differences.join("\n"));
    assert_eq!(table.lines().count(), checked_in.lines().count(), "the table has rows of operations that are gone");
}
