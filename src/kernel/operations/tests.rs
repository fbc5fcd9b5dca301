//! What bodies and queries are refused for.

use super::*;

fn operation() -> Operation {
    let operation = json!({
        "operationId": "x",
        "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}},
    });
    let components = json!({"schemas": {"In": {"type": "object", "additionalProperties": false, "required": ["a"],
        "properties": {"a": {"type": "string", "maxLength": 3}, "b": {"type": "integer"}}}}});
    Operation::new(&operation, &components).unwrap()
}

fn pointers(problem: Problem) -> Vec<(String, &'static str)> {
    problem.faults.into_iter().map(|f| (f.pointer, f.code)).collect()
}

#[test]
fn every_fault_of_a_body_is_named() {
    let problem = operation().check_body(br#"{"a": "long", "b": "x", "c": 1}"#).unwrap_err();
    let mut found = pointers(problem);
    found.sort();
    assert_eq!(found, [("/a".into(), "too_long"), ("/b".into(), "type"), ("/c".into(), "unknown_field")]);
    assert_eq!(pointers(operation().check_body(b"{}").unwrap_err()), [("/a".into(), "required")]);
    assert_eq!(pointers(operation().check_body(b"{\"a\": \"\\u0000\"}").unwrap_err()), [("/a".into(), "nul")]);
}

#[test]
fn what_is_not_json_is_malformed() {
    let deep = "[".repeat(10_000);
    for body in [&b"{"[..], b"\xff\xfe", deep.as_bytes(), b""] {
        assert_eq!(operation().check_body(body).unwrap_err().code, Code::MalformedBody);
    }
}

#[test]
fn unknown_and_repeated_parameters_are_refused() {
    assert!(operation().check_query("limit=5").is_ok());
    assert_eq!(pointers(operation().check_query("limit=500").unwrap_err()), [("limit".into(), "too_large")]);
    assert_eq!(pointers(operation().check_query("limit=x").unwrap_err()), [("limit".into(), "type")]);
    assert_eq!(pointers(operation().check_query("y=1").unwrap_err()), [("y".into(), "unknown_field")]);
    assert_eq!(pointers(operation().check_query("limit=1&limit=2").unwrap_err()), [("limit".into(), "repeated")]);
}
