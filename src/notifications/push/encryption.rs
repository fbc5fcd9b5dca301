//! Encryption of a push for one phone (RFC 8291 over RFC 8188), with aws-lc.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand::SystemRandom;

use crate::kernel::security::crypto::random_bytes;

/// A phone's key on the curve P-256, uncompressed.
const PUBLIC_KEY: usize = 65;
/// The secret that only the phone and this server know.
const AUTH: usize = 16;
/// Most of a record; there is one.
const RECORD: u32 = 4096;
/// Ends the last record.
const LAST: u8 = 2;

/// The keys of a phone are none, or the random source failed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the keys of the phone cannot be used")]
pub struct PhoneKeyError;

/// Encrypts a message so that only the phone with these keys can read it.
///
/// # Errors
/// When they are no keys.
pub fn encrypt(message: &[u8], phone: &[u8], auth: &[u8]) -> Result<Vec<u8>, PhoneKeyError> {
    if phone.len() != PUBLIC_KEY || auth.len() != AUTH {
        return Err(PhoneKeyError);
    }
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).map_err(|_| PhoneKeyError)?;
    let own_public = own.compute_public_key().map_err(|_| PhoneKeyError)?;
    let salt = random_bytes::<16>().map_err(|_| PhoneKeyError)?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, phone);
    let secret = agree_ephemeral(own, peer, PhoneKeyError, |shared| {
        derive(auth, shared, &[b"WebPush: info\0", phone, own_public.as_ref()])
    })?;
    let key = derive(&salt, &secret, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = derive(&salt, &secret, &[b"Content-Encoding: nonce\0"])?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).map_err(|_| PhoneKeyError)?);
    let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).map_err(|_| PhoneKeyError)?;
    let mut sealed = [message, &[LAST]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).map_err(|_| PhoneKeyError)?;

    let mut record = salt.to_vec();
    record.extend(RECORD.to_be_bytes());
    record.push(u8::try_from(PUBLIC_KEY).map_err(|_| PhoneKeyError)?);
    record.extend(own_public.as_ref());
    record.append(&mut sealed);
    Ok(record)
}

/// HKDF with SHA-256; the beginning of the 32 bytes is what a shorter key would be.
fn derive(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Result<[u8; 32], PhoneKeyError> {
    let mut key = [0; 32];
    let random = Salt::new(HKDF_SHA256, salt).extract(secret);
    random.expand(info, HKDF_SHA256).and_then(|okm| okm.fill(&mut key)).map_err(|_| PhoneKeyError)?;
    Ok(key)
}
