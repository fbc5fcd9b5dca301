//! Access tokens (JWT, Ed25519) and the signed-in caller of a request.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::{AccessDecision, Grant, Permission, decide};
use super::scopes::AppScopes;
use crate::kernel::batching::cache_invalidation::CacheEpoch;
use crate::kernel::db::Conn;
use crate::kernel::http::problem::{Code, Problem};

/// `iss` of tokens of the handbook's own app; those of third parties name the server's address, as its metadata do.
pub const ISSUER: &str = "sotay";
/// `aud` of tokens of the handbook's own app.
pub const FIRST_PARTY: &str = "sotay-app";
/// `aud` of tokens of third parties.
pub const THIRD_PARTY: &str = "sotay-api";
/// `typ` of tokens of third parties (RFC 9068).
const THIRD_PARTY_TYPE: &str = "at+jwt";

/// The claims of an access token. Roles are never among them: they are looked up at each request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The account: of a person, or of an app that acts for none.
    pub sub: Uuid,
    /// The session; its revocation ends the token too.
    pub sid: Uuid,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
    /// The app of a third party that carries the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// What that app may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<AppScopes>,
}

impl Claims {
    /// Those of the handbook's own app.
    pub fn first_party(sub: Uuid, sid: Uuid, iat: i64, exp: i64) -> Self {
        let (iss, aud) = (ISSUER.to_owned(), FIRST_PARTY.to_owned());
        Self { iss, aud, sub, sid, iat, exp, client_id: None, scope: None }
    }

    /// Those of an app of a third party.
    #[must_use]
    pub fn of_app(self, issuer: &str, client_id: Uuid, scope: AppScopes) -> Self {
        let (iss, aud) = (issuer.to_owned(), THIRD_PARTY.to_owned());
        Self { iss, aud, client_id: Some(client_id), scope: Some(scope), ..self }
    }

    /// Whether an app acts for no person.
    pub fn is_alone(&self) -> bool {
        self.client_id == Some(self.sub)
    }

    /// Whether issuer and audience are those of the party that carries the token.
    fn are_of_one_party(&self, issuer: &str) -> bool {
        match (&self.client_id, &self.scope) {
            (None, None) => self.iss == ISSUER && self.aud == FIRST_PARTY,
            (Some(_), Some(_)) => self.iss == issuer && self.aud == THIRD_PARTY,
            _ => false,
        }
    }
}

/// The keys in force: one signs, all verify.
#[derive(Default)]
pub struct KeyRing {
    pub signing: Option<(String, EncodingKey)>,
    pub verifying: HashMap<String, DecodingKey>,
    /// The public halves as a JWK set (RFC 7517).
    pub jwks: serde_json::Value,
    /// `iss` of tokens of third parties.
    pub issuer: String,
}

/// Maximum number of cached tokens. The signature of a cached token is not checked again.
const REMEMBERED: usize = 200_000;

/// The digest under which a token is cached; it cannot be used as a token.
type TokenDigest = [u8; 32];

fn digest(token: &str) -> TokenDigest {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// The key ring, replaced as a whole when keys rotate, and a cache of the tokens that it verified.
pub struct Keys {
    ring: RwLock<Arc<KeyRing>>,
    genuine: Cache<TokenDigest, Arc<Claims>>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { ring: RwLock::default(), genuine: Cache::new(REMEMBERED) }
    }
}

impl Keys {
    pub fn current(&self) -> Arc<KeyRing> {
        self.ring.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Puts another key ring in force. Cached tokens of a removed key are dropped.
    pub fn replace(&self, ring: KeyRing) {
        let mut current = self.ring.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if current.verifying.keys().any(|kid| !ring.verifying.contains_key(kid)) {
            self.genuine.clear();
        }
        *current = Arc::new(ring);
    }

    /// The claims of a genuine, unexpired token. Whether its session still lives is checked at each request.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<Claims>> {
        let digest = digest(token);
        let claims = match self.genuine.get(&digest) {
            Some(known) => known,
            None => {
                let claims = Arc::new(self.current().verify(token)?);
                self.genuine.insert(digest, claims.clone());
                claims
            }
        };
        (claims.exp > now.timestamp()).then_some(claims)
    }
}

impl KeyRing {
    /// Signs an access token.
    ///
    /// # Errors
    /// When no signing key is in force.
    pub fn sign(&self, claims: &Claims) -> Result<String, Problem> {
        let (kid, key) = self.signing.as_ref().ok_or_else(|| Problem::internal("no signing key"))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.clone());
        if claims.client_id.is_some() {
            header.typ = Some(THIRD_PARTY_TYPE.to_owned());
        }
        jsonwebtoken::encode(&header, claims, key).map_err(Problem::internal)
    }

    /// Checks signature, issuer and audience.
    fn verify(&self, token: &str) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[FIRST_PARTY, THIRD_PARTY]);
        validation.set_issuer(&[ISSUER, &self.issuer]);
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<Claims>(token, self.verifying.get(&kid)?, &validation).ok()?;
        Some(token.claims).filter(|claims| claims.are_of_one_party(&self.issuer))
    }
}

/// The kind of the calling account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    Member,
    Administrator,
    /// An app of a third party that acts for no person.
    Client,
}

impl AccountKind {
    /// An account of a kind that the program does not know may do nothing: it is as if its sessions had ended.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Member, Self::Administrator, Self::Client].into_iter().find(|kind| kind.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Administrator => "administrator",
            Self::Client => "client",
        }
    }
}

/// Requires that the caller is a member.
///
/// # Errors
/// 401 for a session that has ended, 403 for a caller who is not a member.
pub fn require_member(caller: Option<AccountKind>) -> Result<(), Problem> {
    match caller {
        Some(AccountKind::Member) => Ok(()),
        Some(_) => Err(Problem::with(Code::Forbidden, "Chỉ dành cho đảng viên.", "Only members can do this.")),
        None => Err(Problem::new(Code::Unauthenticated)),
    }
}

/// Who calls, as the database knows them at the time of the request: a person, a person through an app, or an app alone. What
/// an app may do is what its token's scopes allow (judged before the handler runs) and what this principal may.
#[derive(Debug, Clone)]
pub struct Principal {
    pub account_id: Uuid,
    pub session_id: Uuid,
    pub kind: AccountKind,
    pub grants: Vec<Grant>,
    /// A member's own cell and all its ancestors, the cell first; empty for others.
    pub home: Vec<Uuid>,
    /// The app through which, or as which, the request comes.
    pub client_id: Option<Uuid>,
}

impl Principal {
    /// Requires the permission on the unit with these ancestors (itself first); 403 or 404 without it.
    pub fn require(&self, path: &[Uuid], permission: Permission) -> Result<(), Problem> {
        match decide(&self.grants, &self.home, path, permission) {
            AccessDecision::Allowed => Ok(()),
            AccessDecision::Forbidden => Err(Problem::new(Code::Forbidden)),
            AccessDecision::Hidden => Err(Problem::not_found()),
        }
    }

    pub fn may(&self, path: &[Uuid], permission: Permission) -> bool {
        decide(&self.grants, &self.home, path, permission) == AccessDecision::Allowed
    }
}

/// Finds the callers of tokens. Identity implements it; `app` wires it in. Its cached answers are valid as of `sight`.
pub trait Authenticator {
    /// The callers of these tokens, in the order given; none where the session has ended.
    fn load<'a>(
        &'a self,
        conn: &'a Conn,
        sight: CacheEpoch<'a>,
        claims: &'a [&'a Claims],
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Vec<Option<Principal>>, Problem>>;

    /// The same, with only the kind of each account.
    fn alive<'a>(
        &'a self,
        conn: &'a Conn,
        sight: CacheEpoch<'a>,
        claims: &'a [&'a Claims],
        now: DateTime<Utc>,
    ) -> LocalBoxFuture<'a, Result<Vec<Option<AccountKind>>, Problem>>;
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_of_an_unknown_kind_is_nobodys() {
        for kind in [AccountKind::Member, AccountKind::Administrator, AccountKind::Client] {
            assert_eq!(AccountKind::parse(kind.as_str()), Some(kind));
        }
        for unknown in ["", "service", "Administrator", "member "] {
            assert_eq!(AccountKind::parse(unknown), None, "{unknown}");
        }
    }
}
