//! Faults for which bodies and queries are refused.

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

fn texts() -> Operation {
    let operation = json!({"operationId": "x",
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}}});
    let components = json!({"schemas": {
    "Part": {"type": "object", "properties": {"note": {"type": ["string", "null"]}}},
    "In": {"type": "object", "properties": {
        "name": {"type": "string", "minLength": 1, "pattern": "\\S"},
        "reason": {"type": "string", "contentMediaType": "text/plain"},
        "password": {"type": "string", "format": "password", "minLength": 8, "maxLength": 10},
        "kind": {"type": "string", "enum": ["a"]},
        "number": {"type": "string", "pattern": "^[0-9]{3}$"},
        "parts": {"type": "array", "items": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Part"}]}},
    }}}});
    Operation::new(&operation, &components).unwrap()
}

#[test]
fn texts_come_in_one_form() {
    let body = json!({"name": " Tổ\u{202e}  5\n", "reason": "a\r\nb ", "number": "\u{202d}123\u{200b}",
        "parts": [{"note": "H’Hen  Ðỗ"}, null]});
    let read = texts().check_body(body.to_string().as_bytes()).unwrap();
    let expected = json!({"name": "Tổ 5", "reason": "a\nb", "number": "123", "parts": [{"note": "H'Hen Đỗ"}, null]});
    assert_eq!(read, expected);
}

#[test]
fn what_is_left_of_a_text_is_what_is_checked() {
    let refused = |body: Value| pointers(texts().check_body(body.to_string().as_bytes()).unwrap_err());
    assert_eq!(refused(json!({"name": "\u{200b}"})).len(), 2);
    assert_eq!(refused(json!({"kind": " a"})), [("/kind".into(), "not_an_option")]);
}

#[test]
fn passwords_are_measured_composed_and_kept_as_typed() {
    let typed = "a\u{302}\u{301}".repeat(8);
    let body = json!({"password": typed});
    assert_eq!(texts().check_body(body.to_string().as_bytes()).unwrap(), body);
    let short = json!({"password": "a\u{302}\u{301}".repeat(3)});
    assert_eq!(
        pointers(texts().check_body(short.to_string().as_bytes()).unwrap_err()),
        [("/password".into(), "too_short")]
    );
}

#[test]
fn a_field_given_twice_is_refused() {
    let problem = operation().check_body(br#"{"a": "x", "b": 1, "a": "y"}"#).unwrap_err();
    assert_eq!(pointers(problem), [("/a".into(), "repeated")]);
}
