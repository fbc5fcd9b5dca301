//! The `webhooks` section of the document: what other systems are sent.

use serde_json::{Map, Value, json};

/// An event as the document describes it. The name of a schema for it is made from its type.
pub struct DocumentedEvent {
    /// Its type, `object.happened`.
    pub name: &'static str,
    pub summary: &'static str,
    /// The component that describes its data.
    pub data: String,
    pub example: Value,
}

/// Adds each event: a request that a receiver gets.
pub fn add(document: &mut Value, events: &[DocumentedEvent]) {
    let mut webhooks = Map::new();
    for event in events {
        let schema = schema_name(event.name);
        document["components"]["schemas"][&schema] = envelope(event);
        webhooks.insert(event.name.to_owned(), json!({"post": operation(event, &schema)}));
    }
    document["webhooks"] = webhooks.into();
}

fn envelope(event: &DocumentedEvent) -> Value {
    json!({
        "type": "object",
        "description": event.summary,
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "description": "The type of the event.", "const": event.name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": {"$ref": format!("#/components/schemas/{}", event.data)},
        },
    })
}

fn operation(event: &DocumentedEvent, schema: &str) -> Value {
    let example = json!({"type": event.name, "timestamp": "2026-11-20T03:00:00Z", "data": event.example});
    let header = |name: &str, description: &str, pattern: &str, example: &str| {
        json!({"name": name, "in": "header", "required": true, "description": description, "example": example,
            "schema": {"type": "string", "maxLength": 500, "pattern": pattern}})
    };
    json!({
        "operationId": format!("on{schema}"),
        "tags": ["Webhooks"],
        "summary": event.summary,
        "description": "Sent to endpoints that want this event, signed by the Standard Webhooks specification. Verify the signature \
            over `webhook-id`, `webhook-timestamp` and the body as it came, refuse what is older than five minutes, and answer with \
            2xx within 15 seconds. What is not answered so is sent again, with the same `webhook-id`, for about a day. Events may \
            come more than once and in any order.",
        "parameters": [
            header("webhook-id", "Names the event; the same when it is sent again.", "^[0-9a-f-]{36}$",
                "0192f0c1-0000-7000-8000-000000000000"),
            header("webhook-timestamp", "When this request was sent, seconds since 1970.", "^[0-9]+$", "1795143600"),
            header("webhook-signature", "One signature a secret, separated by spaces: `v1,` and base64 of the HMAC-SHA256.",
                "^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        "requestBody": {"required": true, "description": "The event.", "content": {"application/json": {
            "schema": {"$ref": format!("#/components/schemas/{schema}")}, "example": example}}},
        "responses": {
            "204": {"description": "Taken; any 2xx says so."},
            "410": {"description": "The endpoint is gone: it is paused at once."},
        },
    })
}

/// `document.published` is described by `DocumentPublishedEvent`.
fn schema_name(event: &str) -> String {
    let words = event.split(['.', '_']).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).chain(["Event".to_owned()]).collect()
}
