//! Passwords: argon2id, a few at a time, so that sign-ins never take all memory or all cores.

mod vietnamese;

use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use tokio::sync::SemaphorePermit;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;
use zxcvbn::zxcvbn;

use crate::kernel::db::Conn;
use crate::kernel::db::schema::accounts;
use crate::kernel::http::problem::{Code, Problem};
use crate::kernel::state::State;
use crate::kernel::text;

use vietnamese::VIETNAMESE;

/// Fewest characters of a password.
pub const SHORTEST: usize = 8;
/// Fewest guesses that a password must withstand; a login has forty an hour.
const FEWEST_GUESSES: u64 = 1_000_000;

/// How long a request waits for a hashing slot.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

fn hasher(memory_kib: u32) -> Result<Argon2<'static>, Problem> {
    let params = Params::new(memory_kib, 2, 1, None).map_err(Problem::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Refuses passwords that are guessed first.
///
/// # Errors
/// 422 when the password is too easy to guess.
pub async fn check(password: &str) -> Result<(), Problem> {
    let password = password.to_owned();
    // Looking for words takes a while in a long password.
    if tokio::task::spawn_blocking(move || is_easy(&password)).await.map_err(Problem::internal)? {
        return Err(Problem::with(
            Code::RuleNotMet,
            "Mật khẩu quá dễ đoán: hãy dùng ít nhất 8 ký tự, tốt nhất là vài từ không liên quan; không chỉ dùng chữ số, \
             và tránh các từ, dãy phím hay được dùng.",
            "The password is too easy to guess: use at least 8 characters, best a few unrelated words; not digits alone, and \
             no words or rows of keys that many use.",
        ));
    }
    Ok(())
}

/// Stores a hash as the password of accounts.
pub async fn store(conn: &mut Conn, account_ids: &[Uuid], hash: &str, now: DateTime<Utc>) -> Result<(), Problem> {
    diesel::update(accounts::table.filter(accounts::id.eq_any(account_ids)))
        .set((accounts::password_hash.eq(hash), accounts::password_set_at.eq(now)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a hashing slot. A request that would wait longer than people do is refused instead of queueing.
async fn slot(state: &State) -> Result<SemaphorePermit<'_>, Problem> {
    let turn = tokio::time::timeout(LONGEST_WAIT, state.password_slots.acquire()).await;
    turn.map_err(|_| Problem::unavailable("too many passwords wait to be hashed"))?.map_err(Problem::internal)
}

/// Hashes a password into the PHC string that is stored.
///
/// # Errors
/// 422 when the password is too easy to guess, 503 when too many wait.
pub async fn hash(state: &State, password: &str) -> Result<String, Problem> {
    check(password).await?;
    let _slot = slot(state).await?;
    let (password, memory) = (text::password(password), state.config.password_memory_kib);
    tokio::task::spawn_blocking(move || {
        let hash = hasher(memory)?.hash_password(password.as_bytes()).map_err(Problem::internal)?;
        Ok(hash.to_string())
    })
    .await
    .map_err(Problem::internal)?
}

/// Whether a password fits a stored hash, also one that an older version made of the letters in another form. Without a
/// hash it takes as long and says no.
///
/// # Errors
/// 503 when too many wait.
pub async fn verify(state: &State, password: &str, stored: Option<String>) -> Result<bool, Problem> {
    let _slot = slot(state).await?;
    let (forms, memory) = (text::password_forms(password), state.config.password_memory_kib);
    tokio::task::spawn_blocking(move || match stored {
        Some(stored) => {
            let hash = PasswordHash::new(&stored).map_err(Problem::internal)?;
            Ok(forms.iter().any(|form| Argon2::default().verify_password(form.as_bytes(), &hash).is_ok()))
        }
        None => {
            for form in &forms {
                hasher(memory)?.hash_password(form.as_bytes()).map_err(Problem::internal)?;
            }
            Ok(false)
        }
    })
    .await
    .map_err(Problem::internal)?
}

/// Whether a guesser who knows what people choose finds it early. Digits alone are a phone, a date or an identity number.
fn is_easy(password: &str) -> bool {
    let password = text::password(password);
    let plain: String = password
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| match c {
            'đ' => 'd',
            'Đ' => 'D',
            c => c,
        })
        .collect();
    let joined: String = plain.chars().filter(|c| !c.is_whitespace()).collect();
    let unmarked: String = joined.chars().filter(|c| c.is_alphanumeric()).collect();
    let few_guesses = |text: &str| zxcvbn(text, VIETNAMESE).guesses() < FEWEST_GUESSES;
    password.chars().count() < SHORTEST
        || joined.chars().all(|c| c.is_ascii_digit())
        || few_guesses(&plain)
        || few_guesses(&joined)
        || few_guesses(&unmarked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_checked_with_the_parameters_it_was_made_with() {
        let stored = hasher(64).unwrap().hash_password(b"mua thu 1945").unwrap();
        let stored = stored.to_string();
        assert!(stored.contains("m=64,"), "{stored}");
        let hash = PasswordHash::new(&stored).unwrap();
        let verifies = |password: &[u8]| Argon2::default().verify_password(password, &hash).is_ok();
        assert!(verifies(b"mua thu 1945"));
        assert!(!verifies(b"mua thu 1946"));
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for password in [
            "12345678",
            "88888888",
            "87654321",
            "ngan",
            "aaaaaaaaaa",
            "12345678a",
            "a12345678",
            "Aa123456",
            "1q2w3e4r",
            "qwertyuiop",
            "P@ssw0rd",
            "password1",
            "matkhau123",
            "Mật khẩu 1",
            "mat khau",
            "anhyeuem1",
            "Vietnam@123",
            "hanoi2026",
            "dangcongsan",
            "Đảng Cộng sản",
            "hochiminh1",
            "0912345678",
            "19/05/1980",
            "abcabcabc",
            "iloveyou2",
        ] {
            assert!(is_easy(password), "{password}");
        }
        for password in ["mua thu 1945", "mùa thu năm ấy", "cây bàng trước ngõ", "R7x!pLq2z"] {
            assert!(!is_easy(password), "{password}");
        }
    }
}
