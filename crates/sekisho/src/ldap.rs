//! `sekisho ldap test|people`, and the settings that say where the directory is.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use sekisho_app::ldap::{DirectoryServer, LdapClient, LdapConfig, LdapKind, Verdict, people};
use sekisho_app::login::login_name;

use crate::config::{Outcome, passphrase};
use crate::settings::{Options, Settings, table};

/// The directory, when one is named.
///
/// # Errors
/// A file that cannot be read, or a value that makes no sense, in Japanese.
pub(crate) fn server(s: &Settings) -> Result<Option<Arc<dyn DirectoryServer>>, String> {
    let (Some(urls), Some(base), Some(bind_dn), Some(password)) = (
        s.text(table::LDAP_URLS),
        s.text(table::LDAP_BASE),
        s.text(table::LDAP_BIND_DN),
        s.path(table::LDAP_PASSWORD_FILE),
    ) else {
        return Ok(None);
    };
    let read = |f: &PathBuf| std::fs::read(f).map_err(|e| format!("{}: {e}", f.display()));
    let number = |key| s.number(key).unwrap_or(1);
    let optional = |key| s.text(key).map(str::to_owned);
    let config = LdapConfig {
        urls: urls.split(',').map(|u| u.trim().to_owned()).filter(|u| !u.is_empty()).collect(),
        start_tls: s.on(table::LDAP_START_TLS),
        authorities: s.path(table::LDAP_CA).as_ref().map(read).transpose()?,
        base: base.to_owned(),
        bind_dn: bind_dn.to_owned(),
        password: passphrase(&password)?,
        kind: if s.text(table::LDAP_KIND) == Some("openldap") { LdapKind::OpenLdap } else { LdapKind::Ad },
        filter: optional(table::LDAP_FILTER),
        people_filter: optional(table::LDAP_PEOPLE),
        attributes: optional(table::LDAP_ATTRIBUTES),
        title: optional(table::LDAP_TITLE).unwrap_or_default(),
        timeout_seconds: number(table::LDAP_TIMEOUT),
        max_entries: usize::try_from(number(table::LDAP_ENTRIES)).unwrap_or(usize::MAX),
        max_mb: number(table::LDAP_MB),
        check_minutes: number(table::LDAP_CHECK),
    };
    let client = LdapClient::new(config).map_err(|e| e.to_string())?;
    Ok(Some(Arc::new(client)))
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// ディレクトリにつながるか、ログイン名とパスワードを確かめられるかを試す（何も変わらない）
    Test {
        /// ログイン名
        #[arg(long)]
        login: String,
        /// そのパスワードを書いたファイル
        #[arg(long)]
        login_password_file: PathBuf,
        #[command(flatten)]
        options: Options,
    },
    /// ディレクトリの人を読み、利用者の取込みで使えるSCIMのJSONとして書き出す（何も変わらない）
    People {
        /// 書き出すファイル（新しいもの）
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        options: Options,
    },
}

pub(crate) async fn run(args: Args) -> Outcome {
    match args.command {
        Command::Test { login, login_password_file, options } => {
            test(&login, &passphrase(&login_password_file)?, &options).await
        }
        Command::People { out, options } => {
            let all = named(&options)?.people().await.map_err(|e| e.to_string())?;
            let wrong = |e: std::io::Error| format!("{} に書けません: {e}", out.display());
            // Names and addresses of everybody: for nobody else on this machine.
            let mut file = std::fs::OpenOptions::new();
            let mut file = file.write(true).create_new(true).mode(0o600).open(&out).map_err(wrong)?;
            file.write_all(people::scim(all.iter()).as_bytes()).map_err(wrong)?;
            println!("{}人を {} に書き出しました。", all.len(), out.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn named(options: &Options) -> Result<Arc<dyn DirectoryServer>, String> {
    server(&Settings::load_or_say(options)?)?.ok_or_else(|| {
        "ディレクトリが設定されていません。設定ファイルの [ldap] に urls などを書いてください。".to_owned()
    })
}

async fn test(login: &str, password: &str, options: &Options) -> Outcome {
    let directory = named(options)?;
    let health = directory.examine().await.map_err(|e| e.to_string())?;
    println!("{} につながりました。検索に使うアカウントで入れました。", health.server);
    match directory.check(&login_name(login), Some(password)).await.map_err(|e| e.to_string())? {
        Verdict::Right(e) => {
            let blank = |text: &str| {
                if text.is_empty() { "（ありません）".to_owned() } else { text.to_owned() }
            };
            println!("パスワードは正しいものです。");
            for (what, text) in [
                ("ログイン名", &e.login),
                ("職員番号", &e.number),
                ("氏名", &e.name),
                ("メール", &e.mail),
                ("組織コード", &e.section),
                ("職名", &e.title),
            ] {
                println!("  {what}: {}", blank(text));
            }
            Ok(ExitCode::SUCCESS)
        }
        Verdict::Wrong => {
            println!("パスワードが違うか、このログイン名の人がいないか、2人以上います。");
            Ok(ExitCode::FAILURE)
        }
    }
}
