//! The way of an app through registration, consent and tokens, as a client library goes it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::identity::support::{PASSWORD, Person, active};
use crate::support::{Actor, Reply, TestApp, World};

pub const CALLBACK: &str = "https://app.example/callback?tenant=1";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A registered app.
#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    pub secret: Option<String>,
}

pub fn registration(world: &World, kind: &str) -> Value {
    json!({"unit_id": world.ward, "name": "Bản tin <b>phường</b>", "kind": kind, "redirect_uris": [CALLBACK],
        "scopes": ["profile:read", "points:read", "units:read", "leaderboards:read"]})
}

/// Registers an app of the ward and has it approved.
pub async fn approved(world: &World, kind: &str) -> App {
    let officer = world.committee_officer().await;
    let made = officer.post("/v1/oauth-clients", &registration(world, kind)).await.expect(201);
    let id = made.body["client_id"].as_str().unwrap().to_owned();
    let approval = format!("/v1/oauth-clients/{id}/approval");
    world.administrator().await.post(&approval, &json!({})).await.expect(200);
    App { id, secret: made.body["client_secret"].as_str().map(str::to_owned) }
}

pub fn encode(pairs: &[(&str, &str)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let text = |text: &str| {
        let each = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(each).collect::<String>()
    };
    pairs.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect::<Vec<_>>().join("&")
}

/// A pair of a query or a fragment of an address.
pub fn of_address(address: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(address).unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

pub async fn form(app: &TestApp, path: &str, pairs: &[(&str, &str)]) -> Reply {
    let request = app.request("POST", path);
    request.bytes("application/x-www-form-urlencoded", encode(pairs)).send().await
}

impl App {
    /// The request that sends a person to the consent page.
    pub fn asking<'a>(&'a self, scope: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("state", "a b&c"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
    }

    /// The client's own part of a form.
    pub fn with_secret<'a>(&'a self, pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut all = pairs.to_vec();
        all.push(("client_id", &self.id));
        all.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        all
    }

    pub async fn token(&self, app: &TestApp, pairs: &[(&str, &str)]) -> Reply {
        form(app, "/oauth/token", &self.with_secret(pairs)).await
    }

    pub async fn redeem(&self, app: &TestApp, code: &str) -> Reply {
        self.token(app, &redemption(code)).await
    }

    pub async fn refresh(&self, app: &TestApp, token: &str) -> Reply {
        self.token(app, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.id, self.secret.as_deref().unwrap_or_default())))
    }
}

pub fn redemption(code: &str) -> Vec<(&str, &str)> {
    vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)]
}

/// The consent page in a browser: its form and its cookie.
#[derive(Debug, Clone)]
pub struct Page {
    pub request: String,
    pub token: String,
    pub cookie: String,
}

fn field(html: &str, name: &str) -> String {
    let at = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {html}"));
    let rest = &html[at + name.len() + "name=\"\" value=\"".len()..];
    rest[..rest.find('"').unwrap()].replace("&amp;", "&")
}

pub async fn open(app: &TestApp, asking: &[(&str, &str)]) -> Reply {
    app.get(&format!("/oauth/authorize?{}", encode(asking))).await
}

impl Page {
    pub fn of(reply: &Reply) -> Self {
        let html = String::from_utf8_lossy(&reply.bytes);
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { request: field(&html, "request"), token: field(&html, "token"), cookie }
    }

    pub async fn answer(&self, app: &TestApp, decision: &str, login: &str, password: &str) -> Reply {
        let pairs = [
            ("request", self.request.as_str()),
            ("token", &self.token),
            ("decision", decision),
            ("login", login),
            ("password", password),
        ];
        let request = app.request("POST", "/oauth/authorize").header("Cookie", &self.cookie);
        request.bytes("application/x-www-form-urlencoded", encode(&pairs)).send().await
    }
}

/// A code for what a person allows.
pub async fn code(world: &World, app: &App, person: &Person, scope: &str) -> String {
    let page = Page::of(&open(&world.app, &app.asking(scope)).await.expect(200));
    let sent = page.answer(&world.app, "allow", &person.citizen_id, PASSWORD).await.expect(303);
    of_address(sent.header("location"), "code").unwrap_or_else(|| panic!("{}", sent.header("location")))
}

/// A person who allowed an app something, and the tokens that it has for it.
pub async fn allowed(world: &World, app: &App, scope: &str) -> (Person, Value) {
    let person = active(world).await;
    let code = code(world, app, &person, scope).await;
    let tokens = app.redeem(&world.app, &code).await.expect(200).body;
    (person, tokens)
}

pub fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
}

/// What the access token of an answer gets.
pub async fn status(app: &TestApp, tokens: &Value, path: &str) -> u16 {
    app.request("GET", path).token(&text(tokens, "access_token")).send().await.status
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The person as the handbook's own app knows them.
pub async fn signed_in(world: &World, person: &Person) -> Actor {
    world.sign_in(person.id).await
}
