//! What the operator says about the directory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::AppError;

/// Mark in a filter where the login stands.
const LOGIN: &str = "{login}";

/// Which directory it is: says what its attributes are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LdapKind {
    /// Active Directory.
    Ad,
    /// OpenLDAP and others with inetOrgPerson (RFC 2798).
    OpenLdap,
}

impl LdapKind {
    fn filter(self) -> &'static str {
        match self {
            Self::Ad => "(&(objectCategory=person)(objectClass=user)(sAMAccountName={login}))",
            Self::OpenLdap => "(&(objectClass=inetOrgPerson)(uid={login}))",
        }
    }

    fn people(self) -> &'static str {
        match self {
            Self::Ad => "(&(objectCategory=person)(objectClass=user)(employeeNumber=*))",
            Self::OpenLdap => "(&(objectClass=inetOrgPerson)(employeeNumber=*))",
        }
    }

    /// Name of the attribute that holds each of [`PARTS`].
    fn attributes(self) -> [&'static str; 8] {
        match self {
            Self::Ad => [
                "sAMAccountName",
                "employeeNumber",
                "displayName",
                "msDS-PhoneticDisplayName",
                "mail",
                "department",
                "title",
                "userAccountControl",
            ],
            Self::OpenLdap => [
                "uid",
                "employeeNumber",
                "cn",
                "cn;lang-ja;phonetic",
                "mail",
                "departmentNumber",
                "title",
                "pwdAccountLockedTime",
            ],
        }
    }
}

/// What is read of an entry.
pub(super) const PARTS: [&str; 8] =
    ["login", "number", "name", "kana", "mail", "section", "title", "disabled"];

/// What the operator says, as it stands in the settings.
#[derive(Debug, Clone)]
pub struct LdapConfig {
    /// Addresses, `ldaps://dc1.city.example`, in the order in which they are tried.
    pub urls: Vec<String>,
    /// StartTLS on `ldap://` addresses; without it only this host is talked to.
    pub start_tls: bool,
    /// Certificates of the authorities that may have signed the server's, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// Where the search begins.
    pub base: String,
    /// The account that searches.
    pub bind_dn: String,
    /// Its password.
    pub password: String,
    /// Which directory it is.
    pub kind: LdapKind,
    /// Filter that finds a login; none: that of the kind.
    pub filter: Option<String>,
    /// Filter that finds everybody; none: that of the kind.
    pub people_filter: Option<String>,
    /// `login=uid,number=employeeNumber`: names of attributes that differ from those of the kind.
    pub attributes: Option<String>,
    /// What people call it.
    pub title: String,
    /// How long an answer may take, in seconds.
    pub timeout_seconds: u64,
    /// How many people may be read.
    pub max_entries: usize,
    /// How many megabytes one conversation may bring.
    pub max_mb: u64,
    /// After how many minutes those who are in are looked for again.
    pub check_minutes: u64,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// From the first byte.
    Wrapped,
    /// After StartTLS (RFC 4511, 4.14).
    Start,
    /// Not at all: this host only.
    None,
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls == Tls::Wrapped { "ldaps" } else { "ldap" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// A configuration that was checked.
pub(super) struct Checked {
    pub servers: Vec<Server>,
    pub tls: Option<Arc<ClientConfig>>,
    pub base: String,
    pub bind_dn: String,
    pub password: String,
    filter: String,
    pub people_filter: String,
    pub attributes: BTreeMap<&'static str, String>,
    pub title: String,
    pub timeout: Duration,
    pub max_entries: usize,
    pub max_bytes: u64,
    pub looks_every: Duration,
}

fn wrong(key: &str, says: &str) -> AppError {
    AppError::refused("L020", format!("ディレクトリの設定 ldap.{key} を使えません。{says}"))
}

impl Checked {
    pub fn of(c: LdapConfig) -> Result<Self, AppError> {
        let servers = c.urls.iter().map(|u| server(u, c.start_tls)).collect::<Result<Vec<_>, _>>()?;
        if servers.is_empty() {
            return Err(wrong("urls", "ldaps://dc1.city.example のように書いてください。"));
        }
        let tls = if servers.iter().any(|s| s.tls != Tls::None) {
            Some(trust(c.authorities.as_deref())?)
        } else {
            None
        };
        if c.base.trim().is_empty() || c.bind_dn.trim().is_empty() || c.password.is_empty() {
            return Err(wrong(
                "bind_dn",
                "検索を始める場所（base）、検索に使うアカウント（bind_dn）とそのパスワードのファイル（password_file）が要ります。",
            ));
        }
        let filter = c.filter.unwrap_or_else(|| c.kind.filter().to_owned());
        if !filter.contains(LOGIN) || !parses(&filter.replace(LOGIN, "x")) {
            return Err(wrong(
                "filter",
                "(uid={login}) のように、{login} を含むLDAPの検索条件を書いてください。",
            ));
        }
        let people_filter = c.people_filter.unwrap_or_else(|| c.kind.people().to_owned());
        if !parses(&people_filter) {
            return Err(wrong(
                "people_filter",
                "(objectClass=person) のような、LDAPの検索条件を書いてください。",
            ));
        }
        let mut attributes: BTreeMap<&'static str, String> =
            PARTS.into_iter().zip(c.kind.attributes().map(str::to_owned)).collect();
        for pair in c.attributes.as_deref().unwrap_or_default().split(',').filter(|p| !p.trim().is_empty()) {
            let named = pair.split_once('=').and_then(|(part, name)| {
                let part = PARTS.into_iter().find(|p| *p == part.trim())?;
                let name = name.trim();
                let fits = !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.;".contains(&b));
                fits.then(|| (part, name.to_owned()))
            });
            let (part, name) = named.ok_or_else(|| {
                wrong(
                    "attributes",
                    &format!("「項目=属性名」をコンマで並べてください。項目は {} です。", PARTS.join("、")),
                )
            })?;
            attributes.insert(part, name);
        }
        Ok(Self {
            servers,
            tls,
            base: c.base,
            bind_dn: c.bind_dn,
            password: c.password,
            filter,
            people_filter,
            attributes,
            title: c.title,
            timeout: Duration::from_secs(c.timeout_seconds.max(1)),
            max_entries: c.max_entries.max(1),
            max_bytes: c.max_mb.max(1).saturating_mul(1024 * 1024),
            looks_every: Duration::from_secs(c.check_minutes.max(1).saturating_mul(60)),
        })
    }

    /// The filter that finds a login: what was typed is escaped (RFC 4515, 3).
    pub fn filter(&self, login: &str) -> String {
        self.filter.replace(LOGIN, &ldap3::ldap_escape(login))
    }
}

fn parses(filter: &str) -> bool {
    ldap3::parse_filter(filter).is_ok()
}

fn server(url: &str, start_tls: bool) -> Result<Server, AppError> {
    let url = url.trim();
    let (tls, rest, usual) = match (url.strip_prefix("ldaps://"), url.strip_prefix("ldap://")) {
        (Some(rest), _) => (Tls::Wrapped, rest, 636),
        (None, Some(rest)) => (if start_tls { Tls::Start } else { Tls::None }, rest, 389),
        (None, None) => return Err(wrong("urls", "ldaps:// か ldap:// で始めてください。")),
    };
    let rest = rest.trim_end_matches('/');
    let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => rest.split_once(':').map_or((rest, None), |(h, p)| (h, Some(p))),
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| wrong("urls", "ポート番号を読めません。"))?,
        None => usual,
    };
    if host.is_empty() || host.contains(['/', '?', '@', ' ']) {
        return Err(wrong(
            "urls",
            "ldaps://dc1.city.example:636 のように、ホスト名とポート番号だけを書いてください。",
        ));
    }
    // By name as well: whoever can say what `localhost` is has this host.
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if tls == Tls::None && !here {
        return Err(wrong(
            "start_tls",
            "暗号化しないで話せるのは、この機械の中（127.0.0.1）だけです。ldaps:// にするか、start_tls = true にしてください。",
        ));
    }
    Ok(Server { host: host.to_owned(), port, tls })
}

fn trust(pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, AppError> {
    let pem = pem.ok_or_else(|| {
        wrong(
            "ca",
            "サーバの証明書を確かめる認証局の証明書（PEM）のファイルを書いてください。OSが信頼するものを使うときは、/etc/ssl/certs/ca-certificates.crt です。",
        )
    })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|e| wrong("ca", &format!("証明書（PEM）として読めません（{e}）。")))?;
        // One that cannot serve as an authority is of no use here, and the others still are.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(wrong("ca", "使える認証局の証明書がありません。"));
    }
    let built = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong("ca", &e.to_string()))?;
    Ok(Arc::new(built.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::{ASNTag as _, PL, StructureTag, TagClass};
    use proptest::prelude::*;

    use super::*;

    fn config() -> LdapConfig {
        LdapConfig {
            urls: vec!["ldap://127.0.0.1:10389".to_owned()],
            start_tls: false,
            authorities: None,
            base: "dc=city".to_owned(),
            bind_dn: "cn=reader".to_owned(),
            password: "x".to_owned(),
            kind: LdapKind::OpenLdap,
            filter: Some("(uid={login})".to_owned()),
            people_filter: None,
            attributes: None,
            title: "ディレクトリ".to_owned(),
            timeout_seconds: 5,
            max_entries: 10,
            max_mb: 1,
            check_minutes: 15,
        }
    }

    fn key(c: LdapConfig) -> String {
        Checked::of(c).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn nothing_goes_unprotected_to_another_host() {
        assert_eq!(key(config()), "");
        for url in [
            "ldap://10.1.2.3",
            "ldap://dc1.city.example:389",
            "ldap://127.0.0.1.city.example",
            "ldap://[fe80::1]",
        ] {
            assert!(
                key(LdapConfig { urls: vec![url.to_owned()], ..config() }).contains("start_tls"),
                "{url}"
            );
        }
        for url in ["ldap://localhost", "ldap://[::1]:389/"] {
            assert_eq!(key(LdapConfig { urls: vec![url.to_owned()], ..config() }), "", "{url}");
        }
        let tls =
            LdapConfig { urls: vec!["ldap://dc1.city.example".to_owned()], start_tls: true, ..config() };
        assert!(key(tls).contains("ldap.ca"), "TLS needs somebody to trust");
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (c, says) in [
            (LdapConfig { urls: vec![], ..config() }, "ldap.urls"),
            (LdapConfig { urls: vec!["http://x".to_owned()], ..config() }, "ldap.urls"),
            (LdapConfig { urls: vec!["ldaps://u:p@host".to_owned()], ..config() }, "ldap.urls"),
            (LdapConfig { urls: vec!["ldaps://host/dc=x".to_owned()], ..config() }, "ldap.urls"),
            (LdapConfig { password: String::new(), ..config() }, "ldap.bind_dn"),
            (LdapConfig { filter: Some("(uid=x)".to_owned()), ..config() }, "ldap.filter"),
            (LdapConfig { filter: Some("(uid={login}".to_owned()), ..config() }, "ldap.filter"),
            (LdapConfig { people_filter: Some("uid".to_owned()), ..config() }, "ldap.people_filter"),
            (LdapConfig { attributes: Some("nobody=uid".to_owned()), ..config() }, "ldap.attributes"),
            (LdapConfig { attributes: Some("login=u)(id".to_owned()), ..config() }, "ldap.attributes"),
            (
                LdapConfig {
                    urls: vec!["ldaps://h".to_owned()],
                    authorities: Some(b"none".to_vec()),
                    ..config()
                },
                "ldap.ca",
            ),
        ] {
            let said = key(c);
            assert!(said.contains(says), "{says}: {said}");
        }
        let c = Checked::of(LdapConfig {
            attributes: Some("number = employeeID, name=cn".to_owned()),
            ..config()
        });
        let attributes = c.ok().map(|c| c.attributes).unwrap();
        assert_eq!((&*attributes["number"], &*attributes["mail"]), ("employeeID", "mail"));
    }

    /// The inverse of RFC 4515's escaping; nothing when a character stands there that must not.
    fn read_back(escaped: &str) -> Option<Vec<u8>> {
        let (mut out, mut rest) = (Vec::new(), escaped.as_bytes());
        while let Some((first, tail)) = rest.split_first() {
            match first {
                b'\\' => {
                    let (hex, after) = tail.split_at_checked(2)?;
                    out.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
                    rest = after;
                }
                b'*' | b'(' | b')' | 0 => return None,
                b => {
                    out.push(*b);
                    rest = tail;
                }
            }
        }
        Some(out)
    }

    proptest! {
        #[test]
        fn whatever_was_typed_stays_one_value(typed in "(?s:.{0,40}|[*()\\\\\u{0}&|=!a-z]{0,40})") {
            let checked = Checked::of(config()).ok().unwrap();
            let filter = checked.filter(&typed);
            let value = filter.strip_prefix("(uid=").and_then(|f| f.strip_suffix(')')).unwrap();
            prop_assert_eq!(read_back(value), Some(typed.as_bytes().to_vec()));
            // As the server reads it: one equality (RFC 4511, 4.5.1.7), never a presence or a set of filters.
            if !typed.is_empty() {
                let read = ldap3::parse_filter(&filter).unwrap().into_structure();
                let whole = |class, id, payload| StructureTag { class, id, payload };
                let text = |of: &str| whole(TagClass::Universal, 4, PL::P(of.as_bytes().to_vec()));
                let equality = whole(TagClass::Context, 3, PL::C(vec![text("uid"), text(&typed)]));
                prop_assert_eq!(read, equality);
            }
        }
    }
}
