//! For whom each operation is: Vietnamese summaries, journeys of tags, and the roles that it lets in.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

/// Summaries in Vietnamese, one operation a line.
const SUMMARIES: &str = include_str!("../../../openapi/summaries.vi.tsv");
/// Which kinds of callers each operation lets in; a test proves every row.
const PERMISSIONS: &str = include_str!("../../../tests/permissions.txt");

/// The tags of each journey through the API.
pub const JOURNEYS: &[(&str, &[&str])] = &[
    ("Member", &["Sessions", "Me", "Points", "Documents", "Quizzes", "Contests", "Leaderboards"]),
    ("Secretary", &["Members", "Attestations", "Adjustments", "Decisions", "Closings"]),
    ("Committee", &["Units", "Roles", "Rules", "Cases", "Audit"]),
    ("Developer", &["Apps", "OAuth", "Webhooks"]),
    ("Administrator", &["Deliveries"]),
];

/// Callers of the table by their short names, as the document calls them. Those left out belong to other units.
const CALLERS: &[(&str, &str)] = &[
    ("anon", "anonymous"),
    ("self", "self"),
    ("peer", "member"),
    ("sec", "cell_secretary"),
    ("com", "cell_committee_member"),
    ("min", "minute_taker"),
    ("ward", "committee_officer"),
    ("prop", "propaganda_officer"),
    ("org", "organisation_officer"),
    ("insp", "inspector"),
    ("admin", "administrator"),
];

static VIETNAMESE: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| SUMMARIES.lines().filter_map(|line| line.split_once('\t')).collect());

static ROLES: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut lines = PERMISSIONS.lines().filter(|line| !line.starts_with('#'));
    let heading: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().skip(1).collect();
    let row = |line: &'static str| {
        let mut cells = line.split_whitespace();
        let id = cells.next().unwrap_or_default();
        let let_in = heading.iter().zip(cells).filter(|(_, cell)| cell.starts_with("in")).map(|(name, _)| *name);
        (id, named(&let_in.collect::<Vec<_>>()))
    };
    lines.map(row).collect()
});

/// What the document says of those who are let in. Where no token is asked for, nothing else matters; `self` says nothing where
/// every member is let in.
fn named(callers: &[&str]) -> Vec<&'static str> {
    let is_in = |name: &str| callers.contains(&name);
    if is_in("anon") {
        return vec!["anonymous"];
    }
    let named = CALLERS.iter().filter(|(short, _)| is_in(short) && (*short != "self" || !is_in("peer")));
    named.map(|(_, name)| *name).collect()
}

/// Adds to an operation its Vietnamese summary and the roles that it lets in.
pub fn describe(operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    if let Some(summary) = VIETNAMESE.get(id.as_str()) {
        operation["x-summary-vi"] = json!(summary);
    }
    if let Some(roles) = ROLES.get(id.as_str()) {
        operation["x-roles"] = json!(roles);
    }
}

/// The journeys, as documentation tools group tags.
pub fn groups() -> Value {
    JOURNEYS.iter().map(|(name, tags)| json!({"name": name, "tags": tags})).collect()
}
