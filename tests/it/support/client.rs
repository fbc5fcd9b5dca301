//! A small HTTP client that keeps what a test asserts on.

use std::sync::OnceLock;

use serde_json::Value;

/// A request being built.
pub struct Request(reqwest::RequestBuilder);

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
        Self(client().request(method.parse().unwrap(), url))
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub fn token(self, token: &str) -> Self {
        Self(self.0.bearer_auth(token))
    }

    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    pub fn bytes(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self(self.0.header("Content-Type", media_type).body(body.into()))
    }

    pub async fn send(self) -> Reply {
        read(self.0.send().await.expect("the server answers")).await.expect("the answer is whole")
    }

    /// None when the server went away before it had answered.
    pub async fn try_send(self) -> Option<Reply> {
        read(self.0.send().await.ok()?).await.ok()
    }
}

async fn read(response: reqwest::Response) -> reqwest::Result<Reply> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Reply { status, headers, bytes, body })
}

impl Reply {
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
