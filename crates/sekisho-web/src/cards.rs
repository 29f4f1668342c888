//! Certificates of people (IC cards): what a browser shows on a TLS connection, or what a trusted proxy says that it showed there.
//!
//! Every certificate is let through when keys are agreed on, and counts for nothing by that: a person whose card ran out must still reach the
//! login page, with words instead of a broken connection. Who somebody is, is decided at the login, by [`Cards::holder`] alone.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use sekisho_app::AppError;
use sekisho_app::cards::Mark;
use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};

use crate::der::{self, Field};
use crate::tls::TlsError;

/// Bytes of a header with a certificate, at most.
const HEADER_BYTES: usize = 16 * 1024;

/// What the configuration says of cards.
#[derive(Debug, Clone)]
pub struct CardConfig {
    /// Authorities that issue them, PEM.
    pub authorities: PathBuf,
    /// Their revocation lists, PEM; none: revocation is not looked at.
    pub revoked: Option<PathBuf>,
    /// The part of the certificate that is a login name.
    pub field: Field,
    /// Whether a card, which its owner opens with a PIN, stands for a second factor.
    pub second_factor: bool,
    /// The header in which a trusted proxy passes the certificate on.
    pub header: Option<HeaderName>,
}

/// Cards and the authorities that issue them.
pub struct Cards {
    config: CardConfig,
    /// None as long as the authorities could never be read.
    verifier: RwLock<Option<Arc<dyn ClientCertVerifier>>>,
}

impl Cards {
    /// Reads the authorities and their revocation lists.
    ///
    /// # Errors
    /// A file cannot be read or holds something else.
    pub fn open(config: CardConfig) -> Result<Arc<Self>, TlsError> {
        let cards = Self { config, verifier: RwLock::default() };
        cards.reload()?;
        Ok(Arc::new(cards))
    }

    /// The same for one of several bodies, which the others do not wait for: what cannot be read is logged, and until it can be read nobody comes
    /// in by a card.
    #[must_use]
    pub fn open_later(config: CardConfig) -> Arc<Self> {
        let cards = Self { config, verifier: RwLock::default() };
        if let Err(e) = cards.reload() {
            tracing::error!(error = %e, "nobody comes in by a card until the authorities can be read");
        }
        Arc::new(cards)
    }

    /// Reads the files again.
    ///
    /// # Errors
    /// As [`Cards::open`]; then the former lists stay in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = read(&self.config)?;
        *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = Some(new);
        Ok(())
    }

    fn verifier(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        self.verifier.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What asks for a certificate on a connection and lets every one through; none while there are no authorities to name.
    pub(crate) fn asks(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        self.verifier().map(|verifier| Arc::new(Asks(verifier)) as Arc<dyn ClientCertVerifier>)
    }

    /// Whether a card stands for a second factor.
    pub(crate) fn second_factor(&self) -> bool {
        self.config.second_factor
    }

    /// Whether proxies pass certificates on.
    pub(crate) fn are_passed_on(&self) -> bool {
        self.config.header.is_some()
    }

    /// The certificate that a proxy passed on: PEM with `%XX` (nginx: `$ssl_client_escaped_cert`), or DER in Base 64 between colons
    /// (RFC 9440). Whether the proxy is to be believed is the caller's question.
    pub(crate) fn passed_on(&self, headers: &HeaderMap) -> Option<Vec<CertificateDer<'static>>> {
        let mut values = headers.get_all(self.config.header.as_ref()?).iter();
        let value = values.next()?.to_str().ok()?.trim();
        // Two of them: one was not written by the proxy.
        if values.next().is_some() || value.len() > HEADER_BYTES {
            return None;
        }
        let pem = match value.strip_prefix(':').and_then(|v| v.strip_suffix(':')) {
            Some(base64) => format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n"),
            // `+` stands for itself here, unlike in a form.
            None => {
                let pairs =
                    crate::form::form_urlencoded(format!("c={}", value.replace('+', "%2B")).as_bytes());
                pairs.into_iter().next()?.1
            }
        };
        CertificateDer::from_pem_slice(pem.as_bytes()).ok().map(|c| vec![c])
    }

    /// The login name of whoever holds a certificate, and what tells it from others: of a trusted authority, in force and not revoked.
    ///
    /// # Errors
    /// Refused, with the reason in Japanese.
    pub(crate) fn holder(
        &self,
        chain: &[CertificateDer<'_>],
        now: Instant,
    ) -> Result<(String, Mark), AppError> {
        let refused = |why: &str| {
            AppError::refused("Q010", format!("{why}関所のログイン名とパスワードでもログインできます。"))
        };
        let Some((own, others)) = chain.split_first() else {
            return Err(refused(
                "ICカードの証明書が届いていません。カードを差し、ブラウザをすべて閉じて開き直してから、もう一度試してください。",
            ));
        };
        let seconds = u64::try_from(now.millis().div_euclid(1000)).unwrap_or(0);
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let verifier = self.verifier().ok_or_else(|| {
            refused("認証局の証明書か失効リストを読めないため、今はICカードを確かめられません。情報政策担当課へ連絡してください。")
        })?;
        verifier.verify_client_cert(own, others, at).map_err(|e| {
            tracing::warn!(error = %e, "a certificate was refused");
            refused(match e {
                Error::InvalidCertificate(CertificateError::Revoked) => "このICカードの証明書は失効しています。情報政策担当課へ連絡してください。",
                Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
                    "このICカードの証明書は期限が切れています。情報政策担当課へ連絡してください。"
                }
                Error::InvalidCertificate(
                    CertificateError::UnknownRevocationStatus
                    | CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. },
                ) => "失効した証明書の一覧が古いか足りないため、今はICカードを確かめられません。情報政策担当課へ連絡してください。",
                _ => "このICカードの証明書は、関所で使えるものではありません。別の証明書を選んだときは、ブラウザをすべて閉じて選び直してください。",
            })
        })?;
        let login = der::name(own, self.config.field).ok_or_else(|| {
            refused("このICカードの証明書には、ログイン名にあたるものがちょうど1つありません。情報政策担当課へ連絡してください。")
        })?;
        let (issuer, serial) = der::issued(own).unwrap_or_default();
        Ok((login, Mark { issuer, serial: hex(serial), fingerprint: hex(&sha256(own)) }))
    }
}

fn read(config: &CardConfig) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let file = |file: &PathBuf, e: &dyn std::fmt::Display| TlsError::File {
        file: file.clone(),
        says: e.to_string(),
    };
    let mut roots = RootCertStore::empty();
    let authorities = &config.authorities;
    for certificate in CertificateDer::pem_file_iter(authorities).map_err(|e| file(authorities, &e))? {
        let certificate = certificate.map_err(|e| file(authorities, &e))?;
        roots.add(certificate).map_err(|e| file(authorities, &e))?;
    }
    if roots.is_empty() {
        return Err(file(authorities, &"証明書がありません"));
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
    let builder = match &config.revoked {
        Some(list) => {
            let all = CertificateRevocationListDer::pem_file_iter(list).map_err(|e| file(list, &e))?;
            let all = all.collect::<Result<Vec<_>, _>>().map_err(|e| file(list, &e))?;
            if all.is_empty() {
                return Err(file(list, &"失効リスト（CRL）がありません"));
            }
            // A list that ran out would hide who was revoked since.
            builder.with_crls(all).only_check_end_entity_revocation().enforce_revocation_expiration()
        }
        None => builder,
    };
    builder.build().map_err(|e| TlsError::Refused(e.to_string()))
}

/// Asks for a certificate and lets every one through, or none; that the client holds its key is checked.
#[derive(Debug)]
struct Asks(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Asks {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
