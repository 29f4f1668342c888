//! Settings that say who else vouches for people: an identity provider, authorities of IC cards, proxies.

use std::sync::Arc;

use sekisho_app::oidc::{Oidc, OidcConfig};
use sekisho_web::cards::{CardConfig, Cards};
use sekisho_web::tls::Pair;
use sekisho_web::{Doors, Field, HttpFetcher, Networks, Proxies};

use crate::settings::{Settings, table};

/// The certificate that is served, when one is named.
pub(crate) fn pair(s: &Settings) -> Option<Pair> {
    s.path(table::CERTIFICATE).zip(s.path(table::TLS_KEY)).map(|(certificate, key)| Pair { certificate, key })
}

/// The identity provider, when one is named.
///
/// # Errors
/// A file that cannot be read, or a value that is not accepted, in Japanese.
pub(crate) fn provider(s: &Settings) -> Result<Option<Arc<Oidc>>, String> {
    let (Some(issuer), Some(client), Some(site)) =
        (s.text(table::OIDC_ISSUER), s.text(table::OIDC_CLIENT), s.text(table::SITE))
    else {
        return Ok(None);
    };
    let text = |key| s.text(key).unwrap_or_default().to_owned();
    let secret = s.path(table::OIDC_SECRET_FILE).map(|f| crate::config::passphrase(&f)).transpose()?;
    let authorities = s.path(table::OIDC_CA).map(|f| crate::config::read_bytes(&f)).transpose()?;
    let fetcher = HttpFetcher::new(authorities.as_deref()).map_err(|e| format!("oidc.ca: {e}"))?;
    let list = text(table::OIDC_SECOND_FACTOR);
    let config = OidcConfig {
        issuer: issuer.to_owned(),
        client: client.to_owned(),
        secret,
        title: text(table::OIDC_TITLE),
        claim: text(table::OIDC_CLAIM),
        second_factor: list.split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect(),
        site: site.to_owned(),
    };
    Oidc::new(config, Arc::new(fetcher)).map(|oidc| Some(Arc::new(oidc))).map_err(|e| e.to_string())
}

/// What is believed about who comes.
///
/// # Errors
/// As [`provider`].
pub(crate) fn doors(s: &Settings) -> Result<Doors, String> {
    let proxies = match s.text(table::PROXIES) {
        Some(list) => Proxies::parse(list).ok_or_else(|| format!("{}: {list}", table::PROXIES))?,
        None if s.secure() => Proxies::here(),
        None => Proxies::default(),
    };
    let second_factor = match s.text(table::STRICT) {
        Some(list) => Networks::parse(list).map_err(|_| format!("{}: {list}", table::STRICT))?,
        None => Networks::default(),
    };
    Ok(Doors { proxies, cards: cards(s)?, second_factor })
}

/// Cards by which people come in, if there are any.
fn cards(s: &Settings) -> Result<Option<Arc<Cards>>, String> {
    let Some(authorities) = s.path(table::CARD_CA) else { return Ok(None) };
    let config = CardConfig {
        authorities,
        revoked: s.path(table::CARD_CRL),
        field: match s.text(table::CARD_FIELD) {
            Some("upn") => Field::Upn,
            Some("cn") => Field::CommonName,
            _ => Field::Email,
        },
        second_factor: s.on(table::CARD_SECOND_FACTOR),
        header: s
            .text(table::CARD_HEADER)
            .map(|name| name.parse().map_err(|_| format!("{}: {name}", table::CARD_HEADER)))
            .transpose()?,
    };
    // Of several bodies none waits for another's files.
    if s.hosted.is_some() {
        return Ok(Some(Cards::open_later(config)));
    }
    Cards::open(config).map(Some).map_err(|e| e.to_string())
}
