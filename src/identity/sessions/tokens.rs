//! Tokens of a device session: derived from ids and a key, so that nothing secret is stored.

use actix_web::http::header;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::http::problem::Problem;
use crate::kernel::http::reply::Reply;
use crate::kernel::security::auth::Claims;
use crate::kernel::security::crypto::{Crypto, from_text, to_text};
use crate::kernel::state::State;

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
pub struct SessionTokens {
    /// Sent as `Authorization: Bearer …` with every request.
    #[schema(max_length = 2000, pattern = r"^[A-Za-z0-9_.-]+$")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(max_length = 6, pattern = "^Bearer$", example = "Bearer")]
    token_type: &'static str,
    /// Lifetime of the access token, seconds.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    expires_in: u32,
    /// Exchanged for the next tokens, once. Keep it where no other program can read it.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    refresh_token: String,
    /// The session, as it appears in the list of one's devices.
    session_id: Uuid,
    /// Send it with the next sign-in on this device: a known device has a separate allowance of tries.
    #[schema(max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    device_token: String,
}

/// The input from which tokens are made.
pub struct Issue {
    pub account_id: Uuid,
    pub session_id: Uuid,
    pub generation: i32,
    pub device_id: Uuid,
}

impl SessionTokens {
    /// Signs and derives the tokens.
    ///
    /// # Errors
    /// When no signing key is in force.
    pub fn issue(state: &State, issue: &Issue, now: DateTime<Utc>) -> Result<Self, Problem> {
        let expires_in = state.config.access_token_seconds;
        let (iat, exp) = (now.timestamp(), now.timestamp() + i64::from(expires_in));
        let claims = Claims::first_party(issue.account_id, issue.session_id, iat, exp);
        Ok(Self {
            access_token: state.keys.current().sign(&claims)?,
            token_type: "Bearer",
            expires_in,
            refresh_token: refresh_token(&state.crypto, issue.session_id, issue.generation),
            session_id: issue.session_id,
            device_token: device_token(&state.crypto, issue.device_id),
        })
    }

    /// The answer; intermediaries must not cache it.
    pub fn answer<const S: u16>(&self) -> Reply<Self, S> {
        Reply::json(self).with((header::CACHE_CONTROL, "no-store"))
    }
}

/// The refresh token of a session's generation.
pub fn refresh_token(crypto: &Crypto, session_id: Uuid, generation: i32) -> String {
    make(crypto, b"refresh", session_id, generation)
}

/// The session and generation of a refresh token that we made.
pub fn parse_refresh_token(crypto: &Crypto, token: &str) -> Option<(Uuid, i32)> {
    parse(crypto, b"refresh", token)
}

/// The refresh token of an app: what one party holds is none of the other's.
pub fn app_refresh_token(crypto: &Crypto, session_id: Uuid, generation: i32) -> String {
    make(crypto, b"app_refresh", session_id, generation)
}

/// The session and generation of an app's refresh token that we made.
pub fn parse_app_refresh_token(crypto: &Crypto, token: &str) -> Option<(Uuid, i32)> {
    parse(crypto, b"app_refresh", token)
}

fn make(crypto: &Crypto, party: &[u8], session_id: Uuid, generation: i32) -> String {
    let generation = generation.to_be_bytes();
    let tag = crypto.token_tag(&[party, session_id.as_bytes(), &generation]);
    to_text(&[session_id.as_bytes().as_slice(), &generation, &tag].concat())
}

fn parse(crypto: &Crypto, party: &[u8], token: &str) -> Option<(Uuid, i32)> {
    let bytes = from_text(token)?;
    let (session_id, rest) = bytes.split_at_checked(16)?;
    let (generation, tag) = rest.split_at_checked(4)?;
    crypto.verify_token_tag(&[party, session_id, generation], tag).then_some(())?;
    let generation = i32::from_be_bytes(generation.try_into().ok()?);
    Some((Uuid::from_slice(session_id).ok()?, generation))
}

fn device_token(crypto: &Crypto, device_id: Uuid) -> String {
    let tag = crypto.token_tag(&[b"device", device_id.as_bytes()]);
    to_text(&[device_id.as_bytes().as_slice(), &tag].concat())
}

/// The device of a device token that we made.
pub fn parse_device_token(crypto: &Crypto, token: &str) -> Option<Uuid> {
    let bytes = from_text(token)?;
    let (device_id, tag) = bytes.split_at_checked(16)?;
    crypto.verify_token_tag(&[b"device", device_id], tag).then(|| Uuid::from_slice(device_id).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crypto() -> Crypto {
        Crypto::new(&"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".to_owned().into()).unwrap()
    }

    #[test]
    fn only_tokens_made_with_the_key_are_read() {
        let (crypto, id) = (crypto(), Uuid::from_u128(7));
        let token = refresh_token(&crypto, id, 3);
        assert_eq!(parse_refresh_token(&crypto, &token), Some((id, 3)));
        let mut forged = from_text(&token).unwrap();
        forged[19] = 4;
        assert_eq!(parse_refresh_token(&crypto, &to_text(&forged)), None);
        assert_eq!(parse_refresh_token(&crypto, "abc"), None);
        assert_eq!(parse_app_refresh_token(&crypto, &token), None);
        assert_eq!(parse_refresh_token(&crypto, &app_refresh_token(&crypto, id, 3)), None);
        let device = device_token(&crypto, id);
        assert_eq!(parse_device_token(&crypto, &device), Some(id));
        assert_eq!(parse_device_token(&crypto, &token), None);
    }
}
