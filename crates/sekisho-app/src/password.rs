//! Passwords: hashing, and the rules for a new one. No change is forced by time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};

use crate::error::AppError;
use crate::office::Office;

/// Length in characters.
const CHARS: std::ops::RangeInclusive<usize> = 10..=128;
/// Earlier passwords that may not come back, beside the present one.
pub(crate) const EARLIER: i64 = 4;

/// What people choose first. A word of these with digits or signs around it is refused.
const COMMON: [&str; 40] = [
    "password",
    "passwort",
    "passw",
    "pass",
    "qwerty",
    "qwertyuiop",
    "asdfgh",
    "asdfghjkl",
    "zxcvbn",
    "zxcvbnm",
    "admin",
    "administrator",
    "welcome",
    "letmein",
    "iloveyou",
    "login",
    "user",
    "guest",
    "test",
    "demo",
    "root",
    "master",
    "dragon",
    "monkey",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "abc",
    "abcdef",
    "secret",
    "changeme",
    "default",
    "sekisho",
    "shiyakusho",
    "yakusho",
    "jouhou",
    "sakura",
    "パスワード",
];
/// Runs of keys and letters; every stretch of them, also backwards, is refused.
const RUNS: [&str; 4] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// argon2id in PHC form.
///
/// # Errors
/// The library refused, or randomness failed.
pub fn hash_password(office: &Office, password: &str) -> Result<String, AppError> {
    let mut salt = [0u8; 16];
    office.entropy.fill(&mut salt).map_err(AppError::internal)?;
    Ok(Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(AppError::internal)?
        .to_string())
}

/// Checks a password against a PHC string; slow on purpose, so never in a transaction or on the async threads.
pub(crate) async fn verify(office: &Office, stored: String, password: String) -> Result<bool, AppError> {
    // Two at once on a small server: a flood of logins must not take all memory.
    let _permit = office.password_place().await?;
    let job = move || {
        PasswordHash::new(&stored)
            .is_ok_and(|h| Argon2::default().verify_password(password.as_bytes(), &h).is_ok())
    };
    tokio::task::spawn_blocking(job).await.map_err(AppError::internal)
}

/// Hashes off the async threads.
pub(crate) async fn hash_off_thread(office: &Arc<Office>, password: String) -> Result<String, AppError> {
    let _permit = office.password_place().await?;
    let inner = Arc::clone(office);
    tokio::task::spawn_blocking(move || hash_password(&inner, &password)).await.map_err(AppError::internal)?
}

/// What is wrong with a new password by itself, for the person who typed it.
pub(crate) fn fault(password: &str, login: &str) -> Option<&'static str> {
    let lower = password.to_lowercase();
    if !CHARS.contains(&password.chars().count()) {
        Some("パスワードは10文字以上128文字以下にしてください。")
    } else if lower.contains(login) || is_monotonous(password) {
        Some("推測されやすいパスワードです。ログイン名を含むものや、同じ文字の繰り返しは使えません。")
    } else if is_common(&lower) {
        Some(
            "よく使われるパスワードに近いため、すぐに破られます。関係のない言葉をいくつか組み合わせてください。",
        )
    } else {
        None
    }
}

/// Fewer than four different characters.
fn is_monotonous(password: &str) -> bool {
    password.chars().collect::<std::collections::BTreeSet<_>>().len() < 4
}

fn is_common(lower: &str) -> bool {
    let word = lower.trim_matches(|c: char| !c.is_alphabetic());
    let read: String = word
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' => 'l',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            c => c,
        })
        .collect();
    if COMMON.contains(&word) || COMMON.contains(&read.as_str()) {
        return true;
    }
    let backwards: String = lower.chars().rev().collect();
    RUNS.iter().any(|run| run.contains(lower) || run.contains(&backwards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for weak in [
            "short",
            "aaaaaaaaaaaa",
            "hanako-2026",
            "x-HANAKO-99",
            "password123",
            "Passw0rd!!!",
            "P@ssword2026",
            "1234567890",
            "9876543210",
            "qwertyuiop",
            "abcdefghijkl",
            "sekisho2026",
            "Administrator1",
            "１２３パスワード４５６",
        ] {
            assert!(fault(weak, "hanako").is_some(), "{weak}");
        }
        for good in
            ["関所のためのパスワード", "correct horse battery", "mado-no-soto-ha-ame", "passenger-lists-17"]
        {
            assert_eq!(fault(good, "hanako"), None, "{good}");
        }
    }
}
