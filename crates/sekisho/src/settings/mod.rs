//! Settings of an operator: one file, environment variables and options of the command line, the later ones win.

mod bodies;
mod file;
pub(crate) mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

pub(crate) use bodies::Hosted;
pub(crate) use table::{Kind, SETTINGS, Setting};

/// The file that is read where neither `--config` nor `SEKISHO_CONFIG` names one.
const USUAL: &str = "/etc/sekisho/sekisho.toml";
const CONFIG: &str = "config";
const CONFIG_VARIABLE: &str = "SEKISHO_CONFIG";

/// Something in the configuration that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// File and line, environment variable or option.
    pub(crate) place: String,
    /// Name of the setting; empty when it is about the whole place.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) text: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        write!(f, "{}: {key}{}。{}。", self.place, self.text, self.remedy)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    Default,
    File(usize),
    Variable(String),
    Option(&'static str),
}

/// A setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) from: From,
}

/// What the command line says of settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    file: Option<PathBuf>,
    given: BTreeMap<&'static str, String>,
}

impl Options {
    /// As the command line would say with `--config`.
    pub(crate) fn of_file(file: Option<PathBuf>) -> Self {
        Self { file, given: BTreeMap::new() }
    }

    /// Says a setting as the command line would.
    pub(crate) fn set(&mut self, key: &'static str, text: &str) {
        self.given.insert(key, text.to_owned());
    }
}

impl clap::FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Self::default();
        options.update_from_arg_matches(matches)?;
        Ok(options)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>(CONFIG).cloned();
        for s in SETTINGS {
            if let Some(text) = matches.get_one::<String>(s.key) {
                self.given.insert(s.key, text.clone());
            }
        }
        Ok(())
    }
}

impl clap::Args for Options {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(format!("設定ファイル（指定しなければ {CONFIG_VARIABLE}、{USUAL} の順に探す）"));
        SETTINGS.iter().fold(command.arg(file), |command, s| {
            let arg = Arg::new(s.key).long(s.flag).help(help(s)).action(ArgAction::Set);
            command.arg(if s.kind == Kind::Switch {
                arg.num_args(0..=1).require_equals(true).default_missing_value("true")
            } else {
                arg
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn help(s: &Setting) -> String {
    match s.default {
        Some(d) => format!("{}［既定値 {d}］", s.says),
        None => s.says.to_owned(),
    }
}

/// The settings of one body in force.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    values: BTreeMap<&'static str, Value>,
    /// Which one it is, where the file names several.
    pub(crate) hosted: Option<Hosted>,
}

/// Everything that is configured.
#[derive(Debug, Clone)]
pub(crate) struct Configured {
    /// What holds for all, and for the only body where the file names none.
    pub(crate) general: Settings,
    /// The bodies that the file names, in its order; only one when `--body` chose it.
    pub(crate) bodies: Vec<Settings>,
}

impl Settings {
    /// Reads file, environment and command line, for the body that is meant.
    ///
    /// # Errors
    /// Everything that is not accepted, each with its place and remedy; also several bodies of which none was named.
    pub(crate) fn load(options: &Options) -> Result<Self, Vec<Fault>> {
        Configured::load(options)?.one().map_err(|fault| vec![fault])
    }

    /// As [`Settings::load`], for the terminal: all faults in one message.
    pub(crate) fn load_or_say(options: &Options) -> Result<Self, String> {
        Self::load(options).map_err(|faults| in_one(&faults))
    }

    #[cfg(test)]
    fn load_from(options: &Options, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        Configured::load_from(options, variable)?.one().map_err(|fault| vec![fault])
    }
}

fn in_one(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    format!("設定に誤りがあります。\n{}", lines.join("\n"))
}

impl Configured {
    /// Reads file, environment and command line, for all bodies.
    ///
    /// # Errors
    /// Everything that is not accepted, each with its place and remedy.
    pub(crate) fn load(options: &Options) -> Result<Self, Vec<Fault>> {
        Self::load_from(options, &|name| std::env::var(name).ok())
    }

    /// As [`Configured::load`], for the terminal: all faults in one message.
    pub(crate) fn load_or_say(options: &Options) -> Result<Self, String> {
        Self::load(options).map_err(|faults| in_one(&faults))
    }

    fn load_from(options: &Options, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        let named = options.file.clone().or_else(|| variable(CONFIG_VARIABLE).map(PathBuf::from));
        let file = named.or_else(|| Some(PathBuf::from(USUAL)).filter(|f| f.is_file()));
        let mut faults = Vec::new();
        let mut values = BTreeMap::new();
        for s in SETTINGS {
            if let Some(text) = s.default {
                values.insert(s.key, Value { text: text.to_owned(), from: From::Default });
            }
        }
        let mut sections = Vec::new();
        if let Some(file) = &file {
            match std::fs::read_to_string(file) {
                Ok(text) => sections = file::read(file, &text, &mut values, &mut faults),
                Err(e) => faults.push(Fault {
                    place: file.display().to_string(),
                    key: String::new(),
                    text: format!("設定ファイルを読めません（{e}）"),
                    remedy: "場所と、読める利用者かどうかを確かめてください".to_owned(),
                }),
            }
        }
        let mut given = BTreeMap::new();
        for s in SETTINGS {
            let name = s.variable();
            let from_variable = variable(&name).map(|text| (text, From::Variable(name)));
            let from_option = options.given.get(s.key).map(|text| (text.clone(), From::Option(s.flag)));
            for (text, from) in from_variable.into_iter().chain(from_option) {
                match (table::fault(s.kind, &text), &from) {
                    (Some((text, remedy)), _) => {
                        faults.push(Fault { place: place(&from, None), key: s.key.to_owned(), text, remedy });
                    }
                    (None, From::Option(_)) => {
                        given.insert(s.key, Value { text, from });
                    }
                    (None, _) => {
                        values.insert(s.key, Value { text, from });
                    }
                }
            }
        }
        let mut general = Settings { file, values, hosted: None };
        let mut bodies = Vec::new();
        if sections.is_empty() {
            general.values.extend(given);
            general.look_together(&mut faults);
        } else {
            // Here it says which one is meant.
            let chosen = given.remove(table::BODY);
            bodies.extend(sections.iter().map(|s| s.settle(&general, &given)));
            general.values.extend(given);
            if let Some(chosen) = chosen {
                let names: Vec<&str> = sections.iter().map(|s| s.name.as_str()).collect();
                bodies.retain(|b| b.label() == chosen.text);
                if bodies.is_empty() {
                    faults.push(Fault {
                        place: place(&chosen.from, None),
                        key: String::new(),
                        text: format!("団体「{}」はありません", chosen.text),
                        remedy: format!("{} のどれかを指定してください", names.join("、")),
                    });
                }
            }
            for s in SETTINGS.iter().filter(|s| s.of_people()) {
                let for_all = general.values.get(s.key).filter(|v| match v.from {
                    From::Default => false,
                    From::Option(_) => bodies.len() > 1,
                    From::File(_) | From::Variable(_) => true,
                });
                if let Some(value) = for_all {
                    faults.push(Fault {
                        place: general.place(&value.from),
                        key: s.key.to_owned(),
                        text: "だれであるかの確かめ方は、全団体に同じものを使えません".to_owned(),
                        remedy: "[[bodies]] のそれぞれに書いてください".to_owned(),
                    });
                }
            }
            for body in &bodies {
                body.look_together(&mut faults);
            }
            bodies::look_among(&bodies, &mut faults);
        }
        // What is wrong for all is said once.
        let mut told: Vec<Fault> = Vec::new();
        faults.retain(|f| {
            !told.contains(f) && {
                told.push(f.clone());
                true
            }
        });
        if faults.is_empty() { Ok(Self { general, bodies }) } else { Err(faults) }
    }
}

impl Settings {
    /// What only several settings together can get wrong.
    fn look_together(&self, faults: &mut Vec<Fault>) {
        let mut say = |key: &str, text: &str, remedy: &str| {
            let place = self.value(key).map_or_else(String::new, |v| self.place(&v.from));
            faults.push(Fault {
                place,
                key: key.to_owned(),
                text: text.to_owned(),
                remedy: remedy.to_owned(),
            });
        };
        for (key, needs) in [
            (table::MAIL_SERVER, table::MAIL_FROM),
            (table::MAIL_SERVER, table::SITE),
            (table::MAIL_USER, table::MAIL_PASSWORD_FILE),
            (table::LDAP_URLS, table::LDAP_BASE),
            (table::LDAP_URLS, table::LDAP_BIND_DN),
            (table::LDAP_URLS, table::LDAP_PASSWORD_FILE),
            (table::CERTIFICATE, table::TLS_KEY),
            (table::TLS_KEY, table::CERTIFICATE),
            (table::OIDC_ISSUER, table::OIDC_CLIENT),
            (table::OIDC_ISSUER, table::SITE),
            (table::OIDC_CLIENT, table::OIDC_ISSUER),
            (table::OIDC_SECRET_FILE, table::OIDC_ISSUER),
            (table::CARD_CRL, table::CARD_CA),
            (table::CARD_HEADER, table::CARD_CA),
        ] {
            if self.text(key).is_some() && self.text(needs).is_none() {
                say(
                    key,
                    &format!("{needs} も要ります"),
                    &format!("{needs} を書くか、{key} を消してください"),
                );
            }
        }
        if self.address(table::LISTEN).is_some_and(|a| !a.ip().is_loopback()) && !self.secure() {
            say(
                table::LISTEN,
                "このアドレスはほかの機械から見えます",
                "tls.certificate と tls.key を指定するか、TLSを終端する装置の後ろに置いて server.behind_tls = true（--behind-tls）を指定してください",
            );
        }
        if self.text(table::CARD_CA).is_some()
            && self.text(table::CERTIFICATE).is_none()
            && self.text(table::CARD_HEADER).is_none()
        {
            say(
                table::CARD_CA,
                "ICカードの証明書が関所に届きません",
                "関所自身がTLSを受け持つ（tls.certificate と tls.key）か、前段の装置から渡すヘッダを card.header に書いてください",
            );
        }
        if self.address(table::METRICS).is_some_and(|a| !a.ip().is_loopback()) {
            say(
                table::METRICS,
                "監視のための数値は、この機械の中だけに出します",
                "127.0.0.1 のアドレスを書き、ほかの機械からは監視の仕組みの中継を使ってください",
            );
        }
    }

    /// A setting's value with its origin.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Where a value comes from, in words.
    pub(crate) fn place(&self, from: &From) -> String {
        place(from, self.file.as_deref())
    }

    /// A value as text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.value(key).map(|v| v.text.as_str())
    }

    /// A value as a path.
    pub(crate) fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    /// A value as an address to listen on.
    pub(crate) fn address(&self, key: &str) -> Option<SocketAddr> {
        self.text(key)?.parse().ok()
    }

    /// A value as a number.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    /// Whether a switch is on.
    pub(crate) fn on(&self, key: &str) -> bool {
        self.text(key) == Some("true")
    }

    /// Whether browsers reach the site over TLS.
    pub(crate) fn secure(&self) -> bool {
        self.on(table::BEHIND_TLS) || self.text(table::CERTIFICATE).is_some()
    }

    /// The data folder.
    ///
    /// # Errors
    /// None is named, in Japanese.
    pub(crate) fn data(&self) -> Result<PathBuf, String> {
        self.path(table::DATA).ok_or_else(|| {
            "データフォルダが指定されていません。--data で指定するか、設定ファイルの [data] に folder = \"…\" を書いてください。"
                .to_owned()
        })
    }

    /// What `Store::open` takes: the PostgreSQL database, or the file of the data folder.
    ///
    /// # Errors
    /// As [`Settings::data`].
    pub(crate) fn database(&self) -> Result<String, String> {
        match self.text(table::DATABASE) {
            Some(address) => Ok(address.to_owned()),
            None => Ok(crate::config::database(&self.data()?).to_string_lossy().into_owned()),
        }
    }

    /// The signing key's file.
    ///
    /// # Errors
    /// As [`Settings::data`].
    pub(crate) fn key(&self) -> Result<PathBuf, String> {
        match self.path(table::KEY) {
            Some(file) => Ok(file),
            None => Ok(crate::config::key_file(&self.data()?, None)),
        }
    }
}

/// A configuration file in which every setting is explained and none is set.
pub(crate) fn sample() -> String {
    let head = "# 関所の設定ファイル。行の先頭の # を消すと、その設定が効く。\n# 環境変数とコマンドのオプションは、このファイルより優先する。\n";
    by_section(head, |s, key| {
        let default = s.default.map_or_else(String::new, |d| format!("既定値 {d}。"));
        format!("# {}。{default}\n#{key} = {}\n", s.says, file::written(s))
    }) + bodies::SAMPLE
}

/// Every setting under the heading of its section, each written from itself and its key in the section.
pub(crate) fn by_section(head: &str, write: impl Fn(&Setting, &str) -> String) -> String {
    let (mut out, mut section) = (head.to_owned(), "");
    for s in SETTINGS {
        let (of, key) = s.key.split_once('.').unwrap_or(("", s.key));
        if of != section {
            section = of;
            out.push_str(&format!("\n[{section}]\n"));
        }
        out.push_str(&write(s, key));
    }
    out
}

fn place(from: &From, file: Option<&Path>) -> String {
    match from {
        From::Default => "既定値".to_owned(),
        From::File(line) => file.map_or_else(String::new, |f| format!("{}:{line}", f.display())),
        From::Variable(name) => format!("環境変数 {name}"),
        From::Option(flag) => format!("--{flag}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    fn options(words: &[&str]) -> Options {
        let command = <Options as clap::Args>::augment_args(Command::new("t").no_binary_name(true));
        Options::from_arg_matches(&command.try_get_matches_from(words).unwrap()).unwrap()
    }

    fn written(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sekisho.toml");
        std::fs::write(&file, text).unwrap();
        let name = file.to_str().unwrap().to_owned();
        (folder, name)
    }

    #[test]
    fn the_option_wins_over_the_variable_and_the_variable_over_the_file() {
        let (_folder, file) = written(
            "[body]\ntitle = 'い'\nname = 'i'\n[server]\nlisten = '127.0.0.1:1'\n[data]\nfolder = 'd'\n",
        );
        let variable = |name: &str| match name {
            "SEKISHO_BODY_TITLE" => Some("ろ".to_owned()),
            "SEKISHO_BODY_NAME" => Some("ro".to_owned()),
            _ => None,
        };
        let s = Settings::load_from(&options(&["--config", &file, "--title", "は"]), &variable).unwrap();
        assert_eq!(s.text(table::TITLE), Some("は"));
        assert_eq!(s.value(table::TITLE).unwrap().from, From::Option("title"));
        assert_eq!(s.text(table::BODY), Some("ro"));
        assert_eq!(s.address(table::LISTEN), Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(s.value(table::LISTEN).unwrap().from, From::File(5));
        assert_eq!(s.text(table::LOG_FORMAT), Some("text"));
        // A path in the file is relative to the file.
        assert_eq!(s.path(table::DATA), Some(Path::new(&file).with_file_name("d")));
        assert!(!s.on(table::BEHIND_TLS));
        assert!(Settings::load_from(&options(&["--behind-tls"]), &|_| None).unwrap().on(table::BEHIND_TLS));
    }

    #[test]
    fn every_fault_is_told_with_file_line_key_and_remedy() {
        let (_folder, file) = written(
            "[server]\nlisten = '127.0.0.1:1'\nlsten = 1\n\n[mial]\nserver = 'x'\n[mail]\nserver = 'mail'\n[disk]\nmin_free_mb = 'many'\n",
        );
        let variable = |name: &str| (name == "SEKISHO_LOG_FORMAT").then(|| "xml".to_owned());
        let faults =
            Settings::load_from(&options(&["--config", &file, "--listen", "x"]), &variable).unwrap_err();
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        for wanted in [
            format!("{file}:3: server.lsten: "),
            format!("{file}:5: mial: "),
            format!("{file}:8: mail.server: "),
            format!("{file}:10: disk.min_free_mb: "),
            "環境変数 SEKISHO_LOG_FORMAT: log.format: ".to_owned(),
            "--listen: server.listen: ".to_owned(),
        ] {
            assert!(
                lines.iter().any(|l| l.starts_with(&wanted) && l.ends_with('。')),
                "{wanted}: {lines:#?}"
            );
        }
        assert!(lines.iter().any(|l| l.contains("server.listen の書き誤り")), "{lines:#?}");
        assert_eq!(faults.len(), 6, "{lines:#?}");
    }

    #[test]
    fn the_sample_is_accepted_as_it_is_and_with_every_line_in_force() {
        let (_folder, file) = written(&sample());
        Settings::load_from(&options(&["--config", &file]), &|_| None).unwrap();
        let all: String = sample()
            .lines()
            .map(|l| {
                let set = l.strip_prefix('#').filter(|l| !l.starts_with(' ')).unwrap_or(l);
                format!("{set}\n")
            })
            .collect();
        let (_folder, file) = written(&all);
        let s = Settings::load_from(&options(&["--config", &file]), &|_| None).unwrap();
        for setting in SETTINGS {
            assert!(matches!(s.value(setting.key).unwrap().from, From::File(_)), "{}", setting.key);
        }
    }

    #[test]
    fn broken_files_and_settings_that_need_others_are_told() {
        let (_folder, file) = written("[server\n");
        let faults = Settings::load_from(&options(&["--config", &file]), &|_| None).unwrap_err();
        let told = faults[0].to_string();
        assert!(told.starts_with(&format!("{file}:1: [ が閉じていません")), "{faults:?}");
        let faults = Settings::load_from(&options(&["--config", "/nowhere/x.toml"]), &|_| None).unwrap_err();
        assert!(faults[0].text.contains("読めません"));
        for (words, key) in [
            (&["--mail-server", "m:25"][..], table::MAIL_SERVER),
            (&["--mail-user", "u"], table::MAIL_USER),
            (&["--tls-key", "k.pem"], table::TLS_KEY),
            (&["--listen", "0.0.0.0:80"], table::LISTEN),
            (&["--metrics-listen", "0.0.0.0:80"], table::METRICS),
            (&["--oidc-issuer", "https://id.example"], table::OIDC_ISSUER),
            (&["--oidc-client-id", "c"], table::OIDC_CLIENT),
            (&["--card-ca", "ca.pem"], table::CARD_CA),
            (&["--card-header", "x-cert"], table::CARD_HEADER),
        ] {
            let faults = Settings::load_from(&options(words), &|_| None).unwrap_err();
            assert!(faults.iter().all(|f| f.key == key), "{faults:?}");
        }
        assert!(Settings::load_from(&options(&[]), &|_| None).unwrap().data().is_err());
    }
}
