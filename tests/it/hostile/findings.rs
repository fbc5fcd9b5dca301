//! What an attack found: how many requests it sent, and every answer that was no proper refusal.

use crate::support::Reply;

#[derive(Debug, Default)]
pub struct Findings {
    pub sent: usize,
    pub faults: Vec<String>,
}

impl Findings {
    pub fn join(mut self, other: Self) -> Self {
        self.sent += other.sent;
        self.faults.extend(other.faults);
        self
    }

    pub fn fault(&mut self, what: &str, reply: &Reply) {
        let shown: String = String::from_utf8_lossy(&reply.bytes).chars().take(600).collect();
        self.faults.push(format!("{what}: {} {shown}", reply.status));
    }

    /// Insists on a problem of the client's making, which says where it can be looked up.
    pub fn refused(&mut self, reply: &Reply, what: &str) {
        self.sent += 1;
        if !is_refusal(reply) {
            self.fault(what, reply);
        }
    }

    /// Insists on a refusal of one part, which the answer names; all else was right.
    pub fn named(&mut self, reply: &Reply, part: &str, what: &str) {
        self.sent += 1;
        let faults = reply.body["errors"].as_array().into_iter().flatten();
        let pointers: Vec<&str> = faults.filter_map(|fault| fault["pointer"].as_str()).collect();
        let only_this = !pointers.is_empty() && pointers.iter().all(|pointer| pointer.starts_with(part));
        if !only_this || !is_refusal(reply) {
            self.fault(what, reply);
        }
    }

    /// Insists on a refusal for the form of the body, by one who may send a right one.
    pub fn malformed(&mut self, reply: &Reply, what: &str) {
        self.sent += 1;
        if !is_refusal(reply) || [401, 403, 404].contains(&reply.status) {
            self.fault(what, reply);
        }
    }
}

pub fn is_refusal(reply: &Reply) -> bool {
    let request_id = reply.body["request_id"].as_str().unwrap_or_default();
    (400..500).contains(&reply.status)
        && reply.header("content-type") == "application/problem+json"
        && !reply.code().is_empty()
        && !request_id.is_empty()
}
