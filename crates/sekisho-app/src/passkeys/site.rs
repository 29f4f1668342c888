//! For which address passkeys are. It comes from the configuration, never from a request: browsers sign for the address that they see, and a
//! passkey outlives the day.

use std::net::IpAddr;

use crate::error::AppError;
use crate::office::Office;

/// The site for which passkeys are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Name that authenticators know it by (RP ID): the host, without port.
    pub id: String,
    /// Origin of its pages, as browsers write it.
    pub origin: String,
}

/// Why passkeys cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSite {
    /// No address of the site is configured.
    NotSet,
    /// It is plain HTTP.
    Plain,
    /// It has no host name.
    NoName,
}

impl NoSite {
    /// Why, for the person.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::NotSet => {
                "関所のアドレスが設定されていないため、パスキーは使えません。使いたいときは、情報政策担当課へ相談してください（設定は server.site）。"
            }
            Self::Plain => {
                "関所のアドレスが https:// で始まっていないため、パスキーは使えません。使いたいときは、情報政策担当課へ相談してください。"
            }
            Self::NoName => {
                "関所のアドレスが番号（IPアドレス）のため、パスキーは使えません。名前のアドレスが必要です。使いたいときは、情報政策担当課へ相談してください。"
            }
        }
    }
}

impl From<NoSite> for AppError {
    fn from(why: NoSite) -> Self {
        Self::refused("P002", why.says())
    }
}

impl Site {
    /// The site at an address (`https://sekisho.city.example`).
    ///
    /// # Errors
    /// Browsers make no passkeys for it (Web Authentication Level 3, section 5.1.3: a secure context and a domain).
    pub fn of(address: Option<&str>) -> Result<Self, NoSite> {
        let address = address.ok_or(NoSite::NotSet)?.trim().to_ascii_lowercase();
        let (scheme, rest) = address.split_once("://").ok_or(NoSite::NotSet)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let local = host == "localhost" || host.ends_with(".localhost");
        let (usual, protected) = if scheme == "https" { ("443", true) } else { ("80", local) };
        if !protected {
            return Err(NoSite::Plain);
        }
        let letters = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        if host.is_empty() || !host.bytes().all(letters) || host.parse::<IpAddr>().is_ok() {
            return Err(NoSite::NoName);
        }
        let port = if port.is_empty() || port == usual { String::new() } else { format!(":{port}") };
        Ok(Self { id: host.to_owned(), origin: format!("{scheme}://{host}{port}") })
    }
}

impl Office {
    /// Says at which address browsers reach this body, from the configuration; the first call counts.
    pub fn use_site(&self, address: Option<&str>) {
        let _ = self.site.set(Site::of(address));
    }

    /// The site for which passkeys are.
    ///
    /// # Errors
    /// Why there are none.
    pub fn passkey_site(&self) -> Result<&Site, NoSite> {
        // A command without the key can seal nothing.
        match (self.site.get(), self.sealing_key()) {
            (Some(Ok(site)), Some(_)) => Ok(site),
            (Some(Err(why)), _) => Err(*why),
            _ => Err(NoSite::NotSet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protected_names_have_passkeys() {
        let of = |a| Site::of(Some(a)).map(|s| format!("{} {}", s.id, s.origin));
        for (address, says) in [
            ("https://Sekisho.City.example/", "sekisho.city.example https://sekisho.city.example"),
            ("https://a.example:443", "a.example https://a.example"),
            ("https://a.example:8443/x?y", "a.example https://a.example:8443"),
            ("http://localhost:4441", "localhost http://localhost:4441"),
            ("http://minato.localhost", "minato.localhost http://minato.localhost"),
        ] {
            assert_eq!(of(address).as_deref(), Ok(says), "{address}");
        }
        assert_eq!(Site::of(None), Err(NoSite::NotSet));
        for (address, why) in [
            ("http://sekisho.city.example", NoSite::Plain),
            ("http://127.0.0.1:8080", NoSite::Plain),
            ("https://10.1.2.3", NoSite::NoName),
            ("https://[::1]:8443", NoSite::NoName),
            ("https://user@a.example", NoSite::NoName),
            ("https://", NoSite::NoName),
            ("sekisho.example", NoSite::NotSet),
        ] {
            assert_eq!(of(address), Err(why), "{address}");
        }
    }
}
