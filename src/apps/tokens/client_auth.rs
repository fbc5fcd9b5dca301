//! Authentication of clients: by a secret in the header or the form, or by their name alone when they are public.

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::apps::clients::model::{ClientKind, ClientState};
use crate::apps::clients::secrets;
use crate::apps::clients::store::{self, Client};
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::security::crypto::Crypto;

/// What a request says of its client.
pub struct ClientCredentials {
    client_id: Uuid,
    secret: Option<String>,
}

/// What a form says of its client.
#[derive(Debug, Default, Clone, serde::Deserialize)]
pub struct FormCredentials {
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
}

/// 401 for a client that is not known, not approved or has another secret: always the same.
pub fn unknown() -> Problem {
    let challenge = "Basic realm=\"oauth\", charset=\"UTF-8\"".to_owned();
    Problem::new(Code::InvalidClient).header(header::WWW_AUTHENTICATE, challenge)
}

/// The parts of a `Basic` header; both are form-encoded first (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id)?, decoded(secret)?))
}

fn decoded(part: &str) -> Option<String> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(format!("x={part}").as_bytes()).into_owned().collect();
    pairs.into_iter().next().map(|(_, value)| value).filter(|_| !part.contains('&'))
}

impl ClientCredentials {
    /// Reads them from the header or from the form; not from both.
    ///
    /// # Errors
    /// 400 for two kinds at once, 401 for none.
    pub fn of(req: &HttpRequest, form: &FormCredentials) -> Result<Self, Problem> {
        let header = req.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_basic = |header: &&str| header.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic "));
        let in_header = header.filter(is_basic).map(|header| basic(header).ok_or_else(unknown)).transpose()?;
        let (id, secret) = match (in_header, &form.client_id) {
            (Some(_), _) if form.client_secret.is_some() => {
                let detail = "Send the client's secret in one way only.";
                return Err(Problem::with(Code::InvalidRequest, "Chỉ gửi bí mật theo một cách.", detail));
            }
            (Some((id, _)), Some(other)) if id != *other => return Err(unknown()),
            (Some((id, secret)), _) => (id, Some(secret)),
            (None, Some(id)) => (id.clone(), form.client_secret.clone()),
            (None, None) => return Err(unknown()),
        };
        Ok(Self { client_id: id.parse().map_err(|_| unknown())?, secret })
    }

    /// The client, if it is approved and the secret is right. A public client has none and proves itself otherwise.
    ///
    /// # Errors
    /// 401 otherwise.
    pub async fn client(&self, conn: &mut Conn, crypto: &Crypto, now: DateTime<Utc>) -> Result<Client, Problem> {
        let client = store::get(conn, self.client_id).await.map_err(|problem| match problem.code {
            Code::NotFound => unknown(),
            _ => problem,
        })?;
        let right = match (client.kind(), &self.secret) {
            (ClientKind::Public, secret) => secret.as_deref().is_none_or(str::is_empty),
            (ClientKind::Confidential, Some(secret)) => secrets::is_right(crypto, &client, secret, now),
            (ClientKind::Confidential, None) => false,
        };
        if right && client.state() == ClientState::Approved { Ok(client) } else { Err(unknown()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basic_header_is_form_encoded() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(basic(&header("a%2Fb:c%3Ad+e")), Some(("a/b".to_owned(), "c:d e".to_owned())));
        assert_eq!(basic(&header("a:")), Some(("a".to_owned(), String::new())));
        assert_eq!(basic(&header("a")), None);
        assert_eq!(basic("Bearer abc"), None);
        assert_eq!(basic("Basic !"), None);
    }
}
