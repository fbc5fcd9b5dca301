//! Tokens that are not what they claim to be (RFC 8725, RFC 9700): none of them is let in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sotay::kernel::security::auth::{Claims, FIRST_PARTY, ISSUER, THIRD_PARTY};

use super::support::{ALL, app, claims, sign, status_with};
use crate::support::World;

#[actix_web::test]
async fn tokens_of_one_party_are_nothing_to_the_other() {
    let world = World::new().await;
    let member = world.member().await;
    let app_id = app(&world).await;
    let right = claims(&world, app_id, member.id, ALL).await;
    let issuer = world.app.state.public_url.clone();
    assert_eq!(status_with(&world, &sign(&world, &right)).await, 200);
    let own = Claims::first_party(member.id, member.session, right.iat, right.exp);
    assert_eq!(status_with(&world, &sign(&world, &own)).await, 200);
    let wrong = [
        ("an app's, for the first party", Claims { aud: FIRST_PARTY.to_owned(), ..right.clone() }),
        ("an app's, from the first party", Claims { iss: ISSUER.to_owned(), ..right.clone() }),
        (
            "an app's, as the first party's",
            Claims { aud: FIRST_PARTY.to_owned(), iss: ISSUER.to_owned(), ..right.clone() },
        ),
        ("an app's without the app", Claims { client_id: None, scope: None, ..right.clone() }),
        ("an app's session in a token of the first party", Claims { sid: right.sid, ..own.clone() }),
        ("a device's session in a token of an app", Claims { sid: member.session, ..right.clone() }),
        ("the first party's, for apps", Claims { aud: THIRD_PARTY.to_owned(), iss: issuer, ..own.clone() }),
        ("the first party's with scopes", Claims { scope: right.scope, client_id: right.client_id, ..own.clone() }),
        ("another audience", Claims { aud: "sotay".to_owned(), ..own.clone() }),
        ("another issuer", Claims { iss: "https://elsewhere.example".to_owned(), ..right.clone() }),
        ("another app's session", Claims { client_id: Some(app(&world).await), ..right.clone() }),
        ("another person's session", Claims { sub: world.member().await.id, ..right.clone() }),
        ("a session in which an app acts for a person, for the app alone", Claims { sub: app_id, ..right.clone() }),
        ("over", Claims { exp: right.iat, ..right.clone() }),
    ];
    for (what, claims) in wrong {
        let reply = world.app.request("GET", "/v1/units").token(&sign(&world, &claims)).send().await;
        assert_eq!(reply.status, 401, "{what}");
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[actix_web::test]
async fn the_algorithm_and_the_key_are_the_servers_choice() {
    let world = World::new().await;
    let member = world.member().await;
    let right = claims(&world, app(&world).await, member.id, ALL).await;
    let genuine = sign(&world, &right);
    let kid = jsonwebtoken::decode_header(&genuine).unwrap().kid.unwrap();
    let body = serde_json::to_value(&right).unwrap();
    let jwks = world.app.get("/.well-known/jwks.json").await.expect(200).body;
    let public = jwks["keys"][0]["x"].as_str().unwrap();
    let mut forged = vec![
        format!("{}.{}.", part(&json!({"alg": "none", "kid": kid, "typ": "at+jwt"})), part(&body)),
        format!("{}.{}.", part(&json!({"alg": "EdDSA", "kid": kid})), part(&body)),
        format!("{}.{}.AAAA", part(&json!({"alg": "EdDSA", "kid": kid})), part(&body)),
    ];
    // The public key as the secret of a symmetric algorithm.
    for secret in [public.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(public).unwrap()] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.clone());
        forged.push(jsonwebtoken::encode(&header, &right, &EncodingKey::from_secret(&secret)).unwrap());
    }
    // Another body under the signature.
    let parts: Vec<&str> = genuine.split('.').collect();
    let mut wider = body.clone();
    wider["client_id"] = Value::Null;
    forged.push([parts[0], &part(&wider), parts[2]].join("."));
    // A key that the token brings along.
    let brought = json!({"alg": "EdDSA", "jwk": jwks["keys"][0], "jku": "https://elsewhere.example/jwks.json"});
    forged.push([&part(&brought), parts[1], parts[2]].join("."));
    for token in forged {
        assert_eq!(status_with(&world, &token).await, 401, "{token}");
    }
    assert_eq!(status_with(&world, &genuine).await, 200);
    let header = jsonwebtoken::decode_header(&genuine).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
}
