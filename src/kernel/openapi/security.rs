//! The security schemes of the document: the handbook's own app, and apps of third parties with their scopes.

use serde_json::{Map, Value, json};

use crate::kernel::http::problem::Language;
use crate::kernel::security::scopes::{ALONE, AppScope, FOR_A_PERSON, OF_NO_PERSON};

fn described(scopes: &[AppScope]) -> Map<String, Value> {
    let words = |scope: &AppScope| json!(Language::English.pick(&scope.words()));
    scopes.iter().map(|scope| (scope.as_str().to_owned(), words(scope))).collect()
}

/// All ways to be known.
pub fn schemes() -> Value {
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "Access token of a device session: a signed JWT (EdDSA), used as RFC8725 advises, valid for at most 15 minutes.",
        },
        FOR_A_PERSON: {
            "type": "oauth2",
            "description": "An app of a third party that acts for a person: OAuth 2.1, authorization code with PKCE (S256). Its access tokens are JWTs, used as RFC8725 advises. It may do what its scopes and the person's own rights both allow.",
            "flows": {"authorizationCode": {
                "authorizationUrl": "/oauth/authorize", "tokenUrl": "/oauth/token", "refreshUrl": "/oauth/token",
                "scopes": described(AppScope::ALL),
            }},
        },
        ALONE: {
            "type": "oauth2",
            "description": "A unit's own system that acts for no person: OAuth 2.1, client credentials. Its access tokens are JWTs, used as RFC8725 advises. It reads figures of its unit and of those below, never rows of people.",
            "flows": {"clientCredentials": {
                "tokenUrl": "/oauth/token", "refreshUrl": "/oauth/token", "scopes": described(OF_NO_PERSON),
            }},
        },
    })
}

/// What 403 means for an operation that does not say so itself.
pub fn refusal(operation: &Value, has_object: bool) -> &'static str {
    let scoped = operation["security"].as_array().into_iter().flatten().any(|way| way.get(FOR_A_PERSON).is_some());
    match (has_object, scoped) {
        (true, true) => "The caller may know of the object but may not do this, or the app has none of the scopes.",
        (true, false) => "The caller may know of the object but may not do this. No app of a third party may.",
        (false, true) => "The app has none of the scopes, or the caller may not do this.",
        (false, false) => "No app of a third party may do this.",
    }
}
