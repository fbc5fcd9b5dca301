//! What to do: where to, how many connections, for how long, which requests in which shares.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// A whole run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub address: SocketAddr,
    pub connections: usize,
    /// How long requests are sent and measured, after the warm-up.
    pub seconds: f64,
    /// How long requests are sent before that, without being measured.
    #[serde(default)]
    pub warm_seconds: f64,
    /// Requests a second, each due at its time regardless of the others; without it every connection sends its next
    /// request as soon as it has its answer.
    pub rate: Option<f64>,
    /// A line for each person, columns separated by tabs.
    pub people: PathBuf,
    pub kinds: Vec<Kind>,
}

/// One kind of request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    pub name: String,
    pub method: String,
    /// `{0}`, `{1}`, … stand for the columns of the person.
    pub path: String,
    /// Header lines without their ends; `{key}` stands for a text that is never used again.
    #[serde(default)]
    pub headers: Vec<String>,
    #[serde(default)]
    pub body: String,
    /// How many of these there are in proportion to the other kinds.
    #[serde(default = "one")]
    pub share: f64,
    /// The first person, and the one after the last.
    pub from: Option<usize>,
    pub to: Option<usize>,
    /// Each person once: when the last is done, there are no more of this kind.
    #[serde(default)]
    pub once: bool,
    /// The status of a good answer.
    #[serde(default = "ok")]
    pub status: u16,
    /// Bodies that contain this are counted.
    pub expect: Option<String>,
}

fn one() -> f64 {
    1.0
}

fn ok() -> u16 {
    200
}
