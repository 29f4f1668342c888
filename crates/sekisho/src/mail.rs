//! Settings that say where mail goes out.

use std::path::PathBuf;

use sekisho_app::mail::{MailConfig, MailServer, MailTls};

use crate::settings::{Settings, table};

/// The mail server, when one is named.
///
/// # Errors
/// A file that cannot be read, or a value that the mail library refuses, in Japanese.
pub(crate) fn server(s: &Settings) -> Result<Option<MailServer>, String> {
    let (Some(server), Some(from), Some(site)) =
        (s.text(table::MAIL_SERVER), s.text(table::MAIL_FROM), s.text(table::SITE))
    else {
        return Ok(None);
    };
    let read = |f: &PathBuf| std::fs::read(f).map_err(|e| format!("{}: {e}", f.display()));
    // The form was looked at when the settings were read.
    let split = server.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let Some((host, port)) = split else { return Ok(None) };
    let login = match (s.text(table::MAIL_USER), s.path(table::MAIL_PASSWORD_FILE)) {
        (Some(user), Some(file)) => {
            let password = String::from_utf8(read(&file)?)
                .map_err(|_| format!("{}: 文字として読めません", file.display()))?;
            Some((user.to_owned(), password.trim_end_matches(['\r', '\n']).to_owned()))
        }
        _ => None,
    };
    let config = MailConfig {
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        tls: match s.text(table::MAIL_TLS) {
            Some("none") => MailTls::None,
            Some("tls") => MailTls::Wrapped,
            _ => MailTls::StartTls,
        },
        authority: s.path(table::MAIL_CA).as_ref().map(read).transpose()?,
        login,
        from: from.to_owned(),
        site: site.to_owned(),
    };
    MailServer::new(&config).map(Some).map_err(|e| e.to_string())
}
