//! Keys that live outside the database: sealing personal data, keyed hashes, token authentication.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// Why a key or a sealed value could not be used. Never says what was in it.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    #[error("the master key must be 32 bytes in base64")]
    MasterKey,
    #[error("the key file cannot be used: {0}")]
    KeyFile(#[from] std::io::Error),
    #[error("a sealed value does not open with this key")]
    Sealed,
    #[error("the random source failed")]
    Random,
}

/// The keys derived from the master key, one per purpose.
pub struct Crypto {
    fields: RandomizedNonceKey,
    lookups: hmac::Key,
    tokens: hmac::Key,
}

impl Crypto {
    /// Derives the keys from 32 bytes in base64.
    pub fn new(master_key: &SecretString) -> Result<Self, CryptoError> {
        let bytes = STANDARD.decode(master_key.expose_secret().trim()).map_err(|_| CryptoError::MasterKey)?;
        if bytes.len() != 32 {
            return Err(CryptoError::MasterKey);
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"sotay").extract(&bytes);
        let derive = |purpose: &[u8]| {
            let mut key = [0_u8; 32];
            root.expand(&[purpose], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut key))
                .map_err(|_| CryptoError::MasterKey)?;
            Ok::<_, CryptoError>(key)
        };
        Ok(Self {
            fields: RandomizedNonceKey::new(&AES_256_GCM, &derive(b"fields")?).map_err(|_| CryptoError::MasterKey)?,
            lookups: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"lookups")?),
            tokens: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"tokens")?),
        })
    }

    /// The key kept in a file of the data directory (mode 0600), created at the first start. Not for production.
    pub fn key_from_file(path: &Path) -> Result<SecretString, CryptoError> {
        if !path.exists() {
            let made = STANDARD.encode(random_bytes::<32>()?);
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(made.as_bytes())?;
            file.sync_all()?;
        }
        Ok(std::fs::read_to_string(path)?.into())
    }

    /// Encrypts a field of a row. The row and the field are bound to it: it decrypts nowhere else.
    pub fn seal(&self, row: Uuid, field: &str, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut buffer = plain.to_vec();
        let nonce = self
            .fields
            .seal_in_place_append_tag(Aad::from(binding(row, field)), &mut buffer)
            .map_err(|_| CryptoError::Random)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut buffer);
        Ok(sealed)
    }

    /// Decrypts what [`Crypto::seal`] made for the same row and field.
    pub fn open(&self, row: Uuid, field: &str, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (nonce, body) = sealed.split_at_checked(12).ok_or(CryptoError::Sealed)?;
        let nonce = aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| CryptoError::Sealed)?;
        let mut buffer = body.to_vec();
        let plain = self
            .fields
            .open_in_place(nonce, Aad::from(binding(row, field)), &mut buffer)
            .map_err(|_| CryptoError::Sealed)?;
        Ok(plain.to_vec())
    }

    /// The same for text.
    pub fn open_text(&self, row: Uuid, field: &str, sealed: &[u8]) -> Result<String, CryptoError> {
        String::from_utf8(self.open(row, field, sealed)?).map_err(|_| CryptoError::Sealed)
    }

    /// Keyed hash by which a value is found again without being stored.
    pub fn digest(&self, kind: &str, value: &str) -> Vec<u8> {
        tag(&self.lookups, &[kind.as_bytes(), value.as_bytes()])
    }

    /// Authentication tag of a token's contents.
    pub fn token_tag(&self, parts: &[&[u8]]) -> Vec<u8> {
        tag(&self.tokens, parts)
    }

    /// Compares in constant time.
    pub fn verify_token_tag(&self, parts: &[&[u8]], expected: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.token_tag(parts), expected).is_ok()
    }
}

fn binding(row: Uuid, field: &str) -> Vec<u8> {
    [row.as_bytes().as_slice(), field.as_bytes()].concat()
}

/// Each part is preceded by its length, so that no two lists of parts look alike.
fn tag(key: &hmac::Key, parts: &[&[u8]]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}

/// Unpredictable bytes from the operating system.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes).map_err(|_| CryptoError::Random)?;
    Ok(bytes)
}

/// URL-safe text of bytes, without padding.
pub fn to_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of URL-safe text, if it is such.
pub fn from_text(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crypto() -> Crypto {
        Crypto::new(&STANDARD.encode([7_u8; 32]).into()).unwrap()
    }

    #[test]
    fn a_sealed_field_opens_only_where_it_was_sealed() {
        let (crypto, row, other) = (crypto(), Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = crypto.seal(row, "phone", b"0900000000").unwrap();
        assert_eq!(crypto.open_text(row, "phone", &sealed).unwrap(), "0900000000");
        assert!(crypto.open(other, "phone", &sealed).is_err());
        assert!(crypto.open(row, "citizen_id", &sealed).is_err());
        assert!(crypto.open(row, "phone", &sealed[..10]).is_err());
        assert_ne!(sealed, crypto.seal(row, "phone", b"0900000000").unwrap());
    }

    #[test]
    fn parts_of_a_tag_do_not_run_together() {
        let crypto = crypto();
        assert_ne!(crypto.token_tag(&[b"ab", b"c"]), crypto.token_tag(&[b"a", b"bc"]));
        assert_ne!(crypto.digest("phone", "1"), crypto.digest("card_number", "1"));
    }

    #[test]
    fn a_short_master_key_is_refused() {
        assert!(Crypto::new(&"c2hvcnQ=".to_owned().into()).is_err());
    }
}
