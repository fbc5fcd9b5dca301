//! The layering of the architecture: fails on a `use crate::` line that points up or aside.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each feature may use besides the kernel, and itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("organisation", &[]),
    ("audit_trail", &["organisation"]),
    ("notifications", &["organisation"]),
    ("identity", &["organisation", "notifications"]),
    ("deliveries", &[]),
    ("apps", &["identity", "organisation"]),
    ("docs", &[]),
    ("points", &["organisation"]),
    ("cases", &["organisation"]),
    ("leaderboards", &["points", "organisation"]),
    ("documents", &["points", "organisation"]),
    ("quizzes", &["documents", "points", "organisation"]),
    ("webhooks", &["organisation"]),
    ("sync", &["documents", "quizzes", "identity", "notifications", "points", "organisation"]),
];

/// Files and folders that put the features together.
const COMPOSITION: &[&str] = &["app", "cli", "demo", "jobs", "lib", "main"];

/// Layers of a feature, the lowest first: a lower one never uses a higher one of the same folder.
const LAYERS: &[&str] = &["model", "store", "routes"];

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found
}

fn feature_of(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    relative.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The paths named after `crate::` outside comments, imports in braces told apart.
fn used(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let end = group.find(';').unwrap_or(group.len());
            let mut depth = 0;
            let mut name = String::new();
            for c in group[..end].chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut name)),
                    c if depth == 0 && !c.is_whitespace() => name.push(c),
                    _ => {}
                }
            }
            found.push(name);
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect());
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for path in sources() {
        let feature = feature_of(&path);
        if COMPOSITION.contains(&feature.as_str()) {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == feature) else {
            wrong.push(format!("{feature}: not in the table of features"));
            continue;
        };
        for name in used(&fs::read_to_string(&path).unwrap()) {
            let target = name.split("::").next().unwrap_or_default();
            if target != feature && target != "kernel" && !allowed.contains(&target) {
                wrong.push(format!("{}: crate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up or aside:\n{}", wrong.join("\n"));
}

#[test]
fn the_map_shows_the_arrows() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let shown = |uses: &[&str]| if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") };
    let arrows: Vec<String> = MAY_USE.iter().map(|(name, uses)| format!("    {name:<13} → {}", shown(uses))).collect();
    assert!(map.contains(&arrows.join("\n")), "ARCHITECTURE.md, Arrows, should say:\n{}", arrows.join("\n"));
    assert!(map.split_whitespace().count() <= 1_250, "the map is to be read in one go");
}

#[test]
fn another_feature_sees_only_the_door() {
    let mut wrong = Vec::new();
    for path in sources() {
        let feature = feature_of(&path);
        for name in used(&fs::read_to_string(&path).unwrap()) {
            let mut parts = name.split("::");
            let target = parts.next().unwrap_or_default();
            let inner = parts.any(|part| matches!(part, "store" | "routes" | "model"));
            if inner && target != feature && target != "kernel" {
                wrong.push(format!("{}: crate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "inner parts of another feature:\n{}", wrong.join("\n"));
}

#[test]
fn lower_layers_do_not_know_higher_ones() {
    let mut wrong = Vec::new();
    for path in sources() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Some(rank) = LAYERS.iter().position(|layer| *layer == stem) else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for higher in &LAYERS[rank + 1..] {
            if text.contains(&format!("super::{higher}")) {
                wrong.push(format!("{} uses super::{higher}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for_and_stays_small() {
    let mut wrong = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: does not begin with what it is for", path.display()));
        }
        // The list of tables is looked up, not read.
        if text.lines().count() > 400 && !path.ends_with("kernel/db/schema.rs") {
            wrong.push(format!("{}: {} lines", path.display(), text.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_error_code_is_used() {
    let texts: Vec<String> = sources()
        .iter()
        .filter(|path| !path.ends_with("kernel/http/problem.rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let table = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernel/http/problem.rs")).unwrap();
    let below_the_table = table.split("impl Problem {").nth(1).unwrap();
    for code in sotay::kernel::http::problem::Code::ALL {
        let name = format!("Code::{}", code.variant());
        let used = texts.iter().any(|text| text.contains(&name)) || below_the_table.contains(&name);
        assert!(used, "{name} is in the table and nothing answers with it");
    }
}

/// More files than this in a folder cannot be scanned.
const MAX_FILES: usize = 13;

#[test]
fn a_folder_can_be_scanned() {
    let mut files: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in sources() {
        if !path.ends_with("mod.rs") {
            *files.entry(path.parent().unwrap().to_owned()).or_default() += 1;
        }
    }
    files.retain(|_, count| *count > MAX_FILES);
    assert!(files.is_empty(), "split these folders by subject: {files:?}");
}

/// The types that a file defines, tests left out.
fn types(text: &str) -> Vec<String> {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).map(str::trim_start);
    let words = lines.map(|line| line.strip_prefix("pub ").or(line.strip_prefix("pub(super) ")).unwrap_or(line));
    words
        .filter_map(|line| ["struct ", "enum ", "trait "].iter().find_map(|keyword| line.strip_prefix(keyword)))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
fn one_name_has_one_definition() {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in sources().into_iter().filter(|path| !path.ends_with("tests.rs")) {
        for name in types(&fs::read_to_string(&path).unwrap()) {
            found.entry(name).or_default().push(path.clone());
        }
    }
    found.retain(|_, paths| paths.len() > 1);
    assert!(found.is_empty(), "name these types apart: {found:#?}");
}

/// Handlers that authorise the caller themselves: what they act on is the caller's own, open to all, or named in the query
/// or the body. All others name in their signature what the caller needs.
const ANYONE: &[&str] = &[
    "change_password",
    "create_grant",
    "create_oauth_client",
    "create_push_subscription",
    "create_reorganisation",
    "create_unit",
    "create_webhook_endpoint",
    "delete_current_session",
    "delete_my_other_sessions",
    "delete_my_session",
    "delete_push_subscription",
    "export_results_csv",
    "export_results_xlsx",
    "get_cell_leaderboard",
    "get_document_readership",
    "get_member_leaderboard",
    "get_notification_preferences",
    "get_push_key",
    "get_results",
    "list_adjustments",
    "list_appeals",
    "list_attestations",
    "list_audit_events",
    "list_document_kinds",
    "list_my_access_log",
    "list_my_sessions",
    "list_push_subscriptions",
    "list_rules",
    "list_units",
    "preview_reorganisation",
    "read_my_notification",
    "record_attestation",
    "set_notification_preferences",
];

#[test]
fn handlers_for_any_caller_are_listed() {
    let mut found = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for handler in text.split("\npub async fn ").skip(1) {
            let signature = handler.split(") ->").next().unwrap();
            if signature.contains("Anyone>") && !signature.contains('{') {
                found.push(signature.split('(').next().unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert_eq!(found, ANYONE);
}
