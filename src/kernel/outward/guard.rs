//! Judging targets: what an address says, and what its name stands for when it is looked up.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::OutwardError;
use super::addresses::is_public;

/// How long looking up a name may take.
const LOOKUP: Duration = Duration::from_secs(5);

/// What is wrong with an address that a caller names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFault {
    /// It is no address, or holds a user name.
    Unreadable,
    /// It is not HTTPS.
    NotHttps,
    /// It lies outside the public internet.
    Private,
}

pub fn judge(address: &str, allows_loopback: bool) -> Result<Url, TargetFault> {
    let url = Url::parse(address).map_err(|_| TargetFault::Unreadable)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(TargetFault::Unreadable)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetFault::Unreadable);
    }
    let loopback = allows_loopback && is_loopback(host);
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(TargetFault::NotHttps),
    }
    // The client connects to a literal address without asking the resolver.
    match literal(host) {
        Some(literal) if !loopback && !is_public(literal) => Err(TargetFault::Private),
        _ => Ok(url),
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a host says of itself that it is this machine.
fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost") || literal(host).is_some_and(|address| address.is_loopback())
}

/// The addresses of a host, all of them fit to be called. One unfit among them refuses all: which one is used would be chance.
pub async fn resolve(host: &str, allows_loopback: bool) -> Result<Vec<SocketAddr>, OutwardError> {
    let lookup = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host.trim_matches(['[', ']']), 0)));
    let found: Vec<SocketAddr> =
        lookup.await.map_err(|_| OutwardError::Unresolved)?.map_err(|_| OutwardError::Unresolved)?.collect();
    fit(found, allows_loopback && is_loopback(host))
}

fn fit(found: Vec<SocketAddr>, may_be_loopback: bool) -> Result<Vec<SocketAddr>, OutwardError> {
    if found.is_empty() {
        return Err(OutwardError::Unresolved);
    }
    let may = |address: &SocketAddr| is_public(address.ip()) || (may_be_loopback && address.ip().is_loopback());
    if found.iter().all(may) { Ok(found) } else { Err(OutwardError::Refused) }
}

/// Looks up names for the client, which connects to nothing else than what is returned.
pub struct GuardedResolver {
    pub allows_loopback: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_loopback = self.allows_loopback;
        Box::pin(async move {
            let found = resolve(name.as_str(), allows_loopback).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_judged_before_its_name_is_looked_up() {
        fn fault(address: &str) -> Option<TargetFault> {
            judge(address, false).err()
        }
        assert_eq!(fault("https://receiver.example/hooks?a=1"), None);
        assert_eq!(fault("https://receiver.example:8443/"), None);
        assert_eq!(fault("https://[2606:4700::1111]/"), None);
        assert_eq!(fault("http://receiver.example/"), Some(TargetFault::NotHttps));
        assert_eq!(fault("ftp://receiver.example/"), Some(TargetFault::NotHttps));
        assert_eq!(fault("https://user:secret@receiver.example/"), Some(TargetFault::Unreadable));
        assert_eq!(fault("receiver.example"), Some(TargetFault::Unreadable));
        let private = [
            "127.0.0.1",
            "0x7f000001",
            "2130706433",
            "0177.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "10.0.0.1",
            "169.254.169.254",
            "[fe80::1]",
        ];
        for host in private {
            assert_eq!(fault(&format!("https://{host}/")), Some(TargetFault::Private), "{host}");
        }
    }

    #[test]
    fn loopback_passes_only_where_it_is_allowed() {
        for address in ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "https://a.localhost/"] {
            assert!(judge(address, true).is_ok(), "{address}");
        }
        assert_eq!(judge("http://10.0.0.1/", true).err(), Some(TargetFault::NotHttps));
        assert_eq!(judge("https://10.0.0.1/", true).err(), Some(TargetFault::Private));
        assert_eq!(judge("http://localhost/", false).err(), Some(TargetFault::NotHttps));
        assert_eq!(judge("http://localhost.receiver.example/", true).err(), Some(TargetFault::NotHttps));
    }

    #[test]
    fn one_private_address_of_a_name_refuses_all() {
        let (public, private) = ("8.8.8.8:0".parse().unwrap(), "10.0.0.1:0".parse().unwrap());
        let loopback: SocketAddr = "127.0.0.1:0".parse().unwrap();
        assert_eq!(fit(vec![public], false), Ok(vec![public]));
        assert_eq!(fit(vec![public, private], true), Err(OutwardError::Refused));
        assert_eq!(fit(vec![loopback], true), Ok(vec![loopback]));
        assert_eq!(fit(vec![loopback], false), Err(OutwardError::Refused));
        assert_eq!(fit(Vec::new(), true), Err(OutwardError::Unresolved));
    }
}
