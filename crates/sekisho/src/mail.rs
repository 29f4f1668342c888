//! Options of `serve` that say where mail goes out.

use std::path::PathBuf;

use sekisho_app::mail::{MailConfig, MailServer, MailTls};

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Protection {
    /// 暗号化しない（閉じたネットワークの中だけで使う）
    None,
    /// STARTTLSで暗号化する
    Starttls,
    /// 最初からTLSで接続する
    Tls,
}

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// お知らせを送るSMTPサーバ（ホスト名:ポート番号）。指定しなければ画面にだけ出る
    #[arg(long = "mail-server", value_name = "HOST:PORT", requires_all = ["mail_from", "site"])]
    mail_server: Option<String>,
    /// SMTPサーバとの通信の保護
    #[arg(long = "mail-tls", value_enum, default_value = "starttls")]
    mail_tls: Protection,
    /// SMTPサーバの証明書を確かめる認証局の証明書（PEM）。指定しなければOSが信頼するもの
    #[arg(long = "mail-ca", value_name = "FILE")]
    mail_ca: Option<PathBuf>,
    /// 差出人（例 関所 <sekisho@city.example>）
    #[arg(long = "mail-from")]
    mail_from: Option<String>,
    /// SMTPサーバの利用者名
    #[arg(long = "mail-user", requires = "mail_password_file")]
    mail_user: Option<String>,
    /// SMTPサーバのパスワードを書いたファイル
    #[arg(long = "mail-password-file", value_name = "FILE")]
    mail_password_file: Option<PathBuf>,
    /// メールに書く、このサイトのアドレス（例 https://sekisho.city.example）
    #[arg(long)]
    site: Option<String>,
}

impl Args {
    /// The mail server, when one is named.
    pub(crate) fn server(self) -> Result<Option<MailServer>, String> {
        let (Some(server), Some(from), Some(site)) = (self.mail_server, self.mail_from, self.site) else {
            return Ok(None);
        };
        let read = |f: &PathBuf| std::fs::read(f).map_err(|e| format!("{}: {e}", f.display()));
        let split = server.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let Some((host, port)) = split else {
            return Err(format!("--mail-server {server} は「ホスト名:ポート番号」の形で指定してください。"));
        };
        let login = match (self.mail_user, self.mail_password_file) {
            (Some(user), Some(file)) => {
                let password = String::from_utf8(read(&file)?)
                    .map_err(|_| format!("{}: 文字として読めません", file.display()))?;
                Some((user, password.trim_end_matches(['\r', '\n']).to_owned()))
            }
            _ => None,
        };
        let config = MailConfig {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls: match self.mail_tls {
                Protection::None => MailTls::None,
                Protection::Starttls => MailTls::StartTls,
                Protection::Tls => MailTls::Wrapped,
            },
            authority: self.mail_ca.as_ref().map(read).transpose()?,
            login,
            from,
            site,
        };
        MailServer::new(&config).map(Some).map_err(|e| e.to_string())
    }
}
