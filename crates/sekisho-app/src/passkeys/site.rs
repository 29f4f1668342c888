//! At which address browsers reach a body, and for which address passkeys are. It comes from the configuration, never from a request: browsers sign for the address that they see, and a
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

/// Whether an address leads nowhere from another machine: the machine's name for itself.
#[must_use]
pub fn only_on_this_machine(address: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((v6, _)) = authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
        return v6.parse::<IpAddr>().is_ok_and(|a| a.is_loopback());
    }
    let host = authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

impl Office {
    /// Says at which address browsers reach this body, from the configuration; the first call counts.
    pub fn use_site(&self, address: Option<&str>) {
        let written = address.map(|a| a.trim().trim_end_matches('/').to_owned()).filter(|a| !a.is_empty());
        let _ = self.site.set((written, Site::of(address)));
    }

    /// The address at which browsers reach this body, without a slash at its end, where one is configured.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.site.get().and_then(|(address, _)| address.as_deref())
    }

    /// The site for which passkeys are.
    ///
    /// # Errors
    /// Why there are none.
    pub fn passkey_site(&self) -> Result<&Site, NoSite> {
        // A command without the key can seal nothing.
        match (self.site.get(), self.sealing_key()) {
            (Some((_, Ok(site))), Some(_)) => Ok(site),
            (Some((_, Err(why))), _) => Err(*why),
            _ => Err(NoSite::NotSet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_machine_has_for_itself_are_known() {
        for here in [
            "http://localhost:8080",
            "http://127.0.0.1",
            "https://[::1]:8443/x",
            "http://A.LOCALHOST",
            "http://127.9.9.9:1",
        ] {
            assert!(only_on_this_machine(here), "{here}");
        }
        for other in [
            "https://sekisho.city.example",
            "http://10.1.2.3:8080",
            "http://localhost.example",
            "http://[fd00::1]",
            "",
        ] {
            assert!(!only_on_this_machine(other), "{other}");
        }
    }

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
