//! A small HTTP client that keeps what a test asserts on, and holds every reply against the OpenAPI document.

use std::sync::OnceLock;

use serde_json::Value;

use super::contract::{self, Asked};

/// A request being built.
pub struct Request {
    builder: reqwest::RequestBuilder,
    asked: Asked,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub bytes: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

fn client() -> reqwest::Client {
    // A pool of connections belongs to the runtime of one test, so nothing is kept open between requests.
    static BUILDER: OnceLock<reqwest::Client> = OnceLock::new();
    BUILDER
        .get_or_init(|| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(sotay::kernel::security::tls::client_config().unwrap())
                .pool_max_idle_per_host(0)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap()
        })
        .clone()
}

impl Request {
    pub fn new(method: &str, url: &str) -> Self {
        let asked = Asked { method: method.to_owned(), url: url.to_owned() };
        Self { builder: client().request(method.parse().unwrap(), url), asked }
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    pub fn token(self, token: &str) -> Self {
        self.with(|builder| builder.bearer_auth(token))
    }

    pub fn json(self, body: &Value) -> Self {
        self.with(|builder| builder.json(body))
    }

    pub fn bytes(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.with(|builder| builder.header("Content-Type", media_type).body(body.into()))
    }

    pub async fn send(self) -> Reply {
        let Self { builder, asked } = self;
        let reply = read(builder.send().await.expect("the server answers")).await.expect("the answer is whole");
        reply.keeps_the_contract(&asked)
    }

    /// None when the server went away before it had answered.
    pub async fn try_send(self) -> Option<Reply> {
        let Self { builder, asked } = self;
        let reply = read(builder.send().await.ok()?).await.ok()?;
        Some(reply.keeps_the_contract(&asked))
    }

    fn with(self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        Self { builder: change(self.builder), asked: self.asked }
    }
}

async fn read(response: reqwest::Response) -> reqwest::Result<Reply> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Reply { status, headers, bytes, body })
}

impl Reply {
    /// Fails the test when the reply is not one that the document promises.
    fn keeps_the_contract(self, asked: &Asked) -> Self {
        let faults = contract::faults(asked, self.status, &self.headers, &self.bytes);
        let text = String::from_utf8_lossy(&self.bytes);
        let shown: String = text.chars().take(2_000).collect();
        assert!(
            faults.is_empty(),
            "{} {} breaks the document:\n{}\n{} {shown}",
            asked.method,
            asked.url,
            faults.join("\n"),
            self.status
        );
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem's code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Insists on a status, showing the answer otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// The `id` of the answer.
    #[track_caller]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.body)).to_owned()
    }
}
