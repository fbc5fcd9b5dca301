//! Binds the form of the consent page to the browser that was shown it, so that no other site can send it.

use actix_web::HttpRequest;
use actix_web::http::header;
use chrono::{DateTime, Utc};

use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::crypto::{Crypto, from_text, random_bytes, to_text};
use crate::kernel::state::State;

/// How long a page may be filled in, seconds.
const LIFETIME_SECONDS: i64 = 900;

/// What the page keeps in the browser.
pub struct BrowserMark(Vec<u8>);

/// The cookie belongs to this host alone; where the server speaks TLS, its name makes browsers insist on that.
fn name(state: &State) -> &'static str {
    if is_secure(state) { "__Host-sotay-consent" } else { "sotay-consent" }
}

fn is_secure(state: &State) -> bool {
    state.public_url.starts_with("https://")
}

impl BrowserMark {
    /// The mark that the browser sent.
    pub fn sent(req: &HttpRequest, state: &State) -> Option<Self> {
        let headers = req.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
        let mut pairs = headers.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name(state))?;
        from_text(value).filter(|bytes| bytes.len() == 32).map(Self)
    }

    /// The mark of the browser, or a new one.
    pub fn of(req: &HttpRequest, state: &State) -> Result<Self, Problem> {
        match Self::sent(req, state) {
            Some(mark) => Ok(mark),
            None => Ok(Self(random_bytes::<32>().map_err(Problem::internal)?.to_vec())),
        }
    }

    /// The `Set-Cookie` that keeps it.
    pub fn cookie(&self, state: &State) -> String {
        let secure = if is_secure(state) { "; Secure" } else { "" };
        let (name, value) = (name(state), to_text(&self.0));
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LIFETIME_SECONDS}{secure}")
    }

    /// The token of a form with this request, made at this time.
    pub fn token(&self, crypto: &Crypto, request: &str, now: DateTime<Utc>) -> String {
        let at = now.timestamp().to_be_bytes();
        let tag = crypto.token_tag(&[b"consent", &self.0, &at, request.as_bytes()]);
        to_text(&[at.as_slice(), &tag].concat())
    }

    /// Insists that this browser was shown the form, not long ago.
    ///
    /// # Errors
    /// 403 otherwise.
    pub fn require(&self, crypto: &Crypto, request: &str, token: &str, now: DateTime<Utc>) -> Result<(), Problem> {
        let bytes = from_text(token).ok_or_else(stale)?;
        let (at, tag) = bytes.split_at_checked(8).ok_or_else(stale)?;
        if !crypto.verify_token_tag(&[b"consent", &self.0, at, request.as_bytes()], tag) {
            return Err(stale());
        }
        let made = i64::from_be_bytes(at.try_into().map_err(|_| stale())?);
        if (0..=LIFETIME_SECONDS).contains(&(now.timestamp() - made)) { Ok(()) } else { Err(stale()) }
    }
}

/// The form was not filled in on the page that this browser was shown.
pub fn stale() -> Problem {
    Problem::with(
        Code::Forbidden,
        "Trang này đã cũ hoặc không được mở trong trình duyệt này. Hãy quay lại ứng dụng và bắt đầu lại.",
        "This page is too old, or was not opened in this browser. Go back to the app and start again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_bound_to_browser_request_and_time() {
        let crypto = Crypto::new(&"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".to_owned().into()).unwrap();
        let (mine, other, now) = (BrowserMark(vec![1; 32]), BrowserMark(vec![2; 32]), DateTime::UNIX_EPOCH);
        let token = mine.token(&crypto, "a=1", now);
        let later = |seconds| now + chrono::Duration::seconds(seconds);
        assert!(mine.require(&crypto, "a=1", &token, later(900)).is_ok());
        assert!(mine.require(&crypto, "a=1", &token, later(901)).is_err());
        assert!(mine.require(&crypto, "a=1", &token, later(-1)).is_err());
        assert!(mine.require(&crypto, "a=2", &token, now).is_err());
        assert!(other.require(&crypto, "a=1", &token, now).is_err());
        assert!(mine.require(&crypto, "a=1", "", now).is_err());
    }
}
