//! The certificate that this server shows to browsers: readable, of its key, in force, and for the hosts under which it is shown.

use std::path::PathBuf;

use sekisho_base::{Clock, Date};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::{Finding, Surroundings};
use crate::ldap::ber::not_after;

/// Days before its end from which on somebody should look.
const DAYS: i64 = 30;

/// Files of the certificate, and under which hosts it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Hosts as far as they are known.
    pub hosts: Vec<String>,
}

/// What a certificate's files hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Last day.
    pub until: Date,
    /// Hosts that are not among its names.
    pub lacking: Vec<String>,
}

impl ServerCertificate {
    /// Reads the files.
    ///
    /// # Errors
    /// They cannot be read, hold something else, or do not belong together, in Japanese.
    pub fn read(&self) -> Result<Held, String> {
        let (certificate, key) = (&self.certificate, &self.key);
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| format!("{} を読めません（{e}）", certificate.display()))?;
        let secret = PrivateKeyDer::from_pem_file(key)
            .map_err(|e| format!("{} を読めません（{e}）", key.display()))?;
        let own = chain
            .first()
            .cloned()
            .ok_or_else(|| format!("{} に証明書がありません", certificate.display()))?;
        CertifiedKey::from_der(chain, secret, &default_provider()).map_err(|e| {
            format!("{} と {} を組として使えません（{e}）", certificate.display(), key.display())
        })?;
        let unreadable = || format!("{} を証明書として読めません", certificate.display());
        let until = not_after(&own).ok_or_else(unreadable)?;
        let parsed = ParsedCertificate::try_from(&own).map_err(|_| unreadable())?;
        let named = |host: &&String| {
            ServerName::try_from(host.as_str()).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
        };
        let lacking = self.hosts.iter().filter(|h| !named(h)).cloned().collect();
        Ok(Held { until, lacking })
    }
}

/// Nothing where somebody else serves TLS.
pub(super) fn look(s: &Surroundings, clock: &dyn Clock) -> Option<Finding> {
    const ID: &str = "tls.certificate";
    const TITLE: &str = "サーバの証明書";
    const RENEW: &str = "新しい証明書と鍵に置き換えて、読み直してください（systemctl reload sekisho）。";
    let served = s.certificate.as_ref()?;
    let hosts =
        if served.hosts.is_empty() { "全てのホスト名".to_owned() } else { served.hosts.join("、") };
    let held = match served.read() {
        Ok(held) => held,
        Err(e) => {
            return Some(Finding::bad(
                ID,
                TITLE,
                format!("{hosts} に使う証明書が使えません。{e}。"),
                "tls.certificate と tls.key の場所と、サーバを動かす利用者が読めることを確かめてください。",
            ));
        }
    };
    let says =
        format!("{hosts} に {}（{} まで）を使います。", served.certificate.display(), held.until.japanese());
    Some(if held.until < clock.today() {
        Finding::bad(ID, TITLE, format!("{says}期限が切れていて、ブラウザが警告します。"), RENEW)
    } else if !held.lacking.is_empty() {
        let says = format!("{says}証明書に {} の名前がなく、ブラウザが警告します。", held.lacking.join("、"));
        Finding::bad(ID, TITLE, says, "このホスト名の入った証明書に置き換えてください。")
    } else if held.until <= clock.today().plus_days(DAYS) {
        Finding::caution(ID, TITLE, says, RENEW)
    } else {
        Finding::good(ID, TITLE, says)
    })
}
