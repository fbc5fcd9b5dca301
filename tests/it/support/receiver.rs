//! A server of another system: keeps what it gets and answers as a test tells it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it answers.
#[derive(Debug, Clone)]
pub enum Answer {
    Status(u16),
    /// 302 to an address.
    Redirect(String),
    /// 200 with a body of 10 GB.
    Endless,
    /// Nothing at all.
    Hang,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Desk {
    received: Vec<Received>,
    /// Answers in their order; afterwards 204.
    answers: VecDeque<Answer>,
    /// Bytes of answers that were taken from it.
    sent: u64,
}

/// The server; it ends with the test.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    desk: Arc<Mutex<Desk>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let desk: Arc<Mutex<Desk>> = Arc::default();
        let shared = desk.clone();
        // A thread of its own: it answers while the test waits for the program.
        let listener = listener.into_std().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let desk = shared.clone();
                    tokio::spawn(async move { serve(stream, &desk).await });
                }
            });
        });
        Self { url, desk }
    }

    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.desk.lock().unwrap().answers.extend(answers);
    }

    pub fn received(&self) -> Vec<Received> {
        self.desk.lock().unwrap().received.clone()
    }

    pub fn sent(&self) -> u64 {
        self.desk.lock().unwrap().sent
    }

    /// Waits until it has got so many requests.
    #[track_caller]
    pub fn expect(&self, count: usize) -> impl Future<Output = Vec<Received>> {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..200 {
                if self.received().len() >= count {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let received = self.received();
            assert_eq!(received.len(), count, "requests received, {caller}");
            received
        }
    }
}

async fn serve(mut stream: TcpStream, desk: &Mutex<Desk>) -> Option<()> {
    let request = read(&mut stream).await?;
    let answer = {
        let mut desk = desk.lock().unwrap();
        desk.received.push(request);
        desk.answers.pop_front().unwrap_or(Answer::Status(204))
    };
    let head = match &answer {
        Answer::Status(status) => format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Answer::Redirect(to) => {
            format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Answer::Endless => "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n".to_owned(),
        Answer::Hang => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            return None;
        }
    };
    stream.write_all(head.as_bytes()).await.ok()?;
    if matches!(answer, Answer::Endless) {
        let chunk = vec![b'x'; 64 * 1024];
        while stream.write_all(&chunk).await.is_ok() {
            desk.lock().unwrap().sent += 64 * 1024;
        }
    }
    Some(())
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.insert(name, value.trim().parse().ok()?);
    }
    let length = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { path, headers, body })
}
