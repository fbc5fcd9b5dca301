//! What a client is, and the rules for the addresses that its answers may go to.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};
use utoipa::ToSchema;

use crate::kernel::http::problem::{Fault, Text, text};

/// Whether a client can keep a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// Runs on people's devices and has no secret.
    Public,
    /// Runs on a server and has a secret.
    Confidential,
}

/// Where a client is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientState {
    /// Registered; it can do nothing yet.
    Pending,
    /// Reviewed by an administrator.
    Approved,
    /// Stopped: all that it was allowed has ended.
    Suspended,
}

impl ClientKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Confidential => "confidential",
        }
    }

    pub fn parse(name: &str) -> Self {
        if name == "public" { Self::Public } else { Self::Confidential }
    }
}

impl ClientState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Suspended => "suspended",
        }
    }

    /// A state that the program does not know allows nothing.
    pub fn parse(name: &str) -> Self {
        match name {
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            _ => Self::Suspended,
        }
    }
}

/// What is wrong with an address that answers are to go to: they carry codes, so only what nobody else can receive will do.
fn fault_of(address: &str, kind: ClientKind) -> Option<Text> {
    let unclear =
        || text("Địa chỉ phải viết đầy đủ và ở dạng chuẩn.", "The address must be whole and in its normal form.");
    let Ok(url) = Url::parse(address) else { return Some(unclear()) };
    if url.as_str() != address && url.as_str().strip_suffix('/') != Some(address) {
        return Some(unclear());
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() || address.contains('*') {
        let detail = text(
            "Địa chỉ không được có phần #, tên đăng nhập hay dấu *.",
            "The address must have no fragment, no user name and no wildcard.",
        );
        return Some(detail);
    }
    let loopback = match url.host() {
        Some(Host::Ipv4(host)) => host == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(host)) => host == Ipv6Addr::LOCALHOST,
        Some(Host::Domain(host)) => host == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" if url.host().is_some() => None,
        "http" if loopback => None,
        // A scheme of one's own domain, by which an operating system finds the app (RFC 8252 §7.1).
        scheme if kind == ClientKind::Public && scheme.contains('.') && url.host().is_none() => None,
        _ => Some(text(
            "Dùng https; http chỉ cho 127.0.0.1, [::1] và localhost; ứng dụng trên máy có thể dùng dạng vn.example.app:/…",
            "Use https; http only for 127.0.0.1, [::1] and localhost; an app on devices may use a form like vn.example.app:/…",
        )),
    }
}

/// What is wrong with the addresses of a new client.
pub fn address_faults(addresses: &[String], kind: ClientKind) -> Vec<Fault> {
    let fault = |(place, address): (usize, &String)| {
        let detail = fault_of(address, kind)?;
        Some(Fault { pointer: format!("/redirect_uris/{place}"), code: "redirect_uri", detail })
    };
    let mut faults: Vec<Fault> = addresses.iter().enumerate().filter_map(fault).collect();
    if kind == ClientKind::Public && addresses.is_empty() {
        let detail = text("Ứng dụng không có bí mật cần ít nhất một địa chỉ.", "A public client needs an address.");
        faults.push(Fault { pointer: "/redirect_uris".to_owned(), code: "too_few", detail });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_only_where_nobody_else_receives_them() {
        let ok = [
            "https://app.example",
            "https://app.example/callback?tenant=1",
            "http://127.0.0.1:8765/callback",
            "http://[::1]/cb",
            "http://localhost:3000/cb",
            "vn.example.app:/callback",
        ];
        for address in ok {
            assert!(fault_of(address, ClientKind::Public).is_none(), "{address}");
        }
        let wrong = [
            "http://app.example/callback",
            "https://app.example/callback#x",
            "https://user@app.example/",
            "https://app.example@evil.example/",
            "https://*.example/cb",
            "https://app.example/a/../b",
            "https:app.example",
            "HTTPS://app.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.2/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp:/callback",
            "vn.example.app://host/callback",
            "//app.example",
            "callback",
            "",
        ];
        for address in wrong {
            assert!(fault_of(address, ClientKind::Public).is_some(), "{address}");
        }
        assert!(fault_of("vn.example.app:/callback", ClientKind::Confidential).is_some());
    }
}
