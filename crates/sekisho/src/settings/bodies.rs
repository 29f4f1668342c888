//! Several bodies in one deployment: what each says of itself, and what two of them must not share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::table::{self, Kind};
use super::{Configured, Fault, From, Settings, Value};

/// Heading of a body in the file.
pub(super) const BODIES: &str = "bodies";
/// What the operator calls a body, and the ledger a new one.
pub(super) const NAME: &str = "name";
/// Host names under which browsers reach it.
pub(super) const HOSTS: &str = "hosts";

/// A body as the file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
    /// The settings that are its own.
    pub(super) values: BTreeMap<&'static str, Value>,
    /// Line of the heading.
    pub(super) line: usize,
}

/// Which of several bodies settings are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosted {
    /// Its name.
    pub(crate) name: String,
    /// Its host names, lower case, without a port.
    pub(crate) hosts: Vec<String>,
    line: usize,
}

/// What is wrong with a body's name and what to do.
pub(super) fn name_fault(name: &str) -> Option<(String, String)> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = (1..=40).contains(&name.len()) && name.chars().all(letters) && !name.starts_with('-');
    let remedy = "半角の英小文字、数字、- で、40文字までで書いてください";
    (!good).then(|| (format!("「{name}」は団体の名前にできません"), remedy.to_owned()))
}

/// What is wrong with a host name and what to do.
pub(super) fn host_fault(host: &str) -> Option<(String, String)> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let good = (1..=253).contains(&host.len()) && host.chars().all(letters) && !host.starts_with(['-', '.']);
    let remedy =
        "hosts = [\"sekisho.minato.example\"] のように、https:// もポート番号も付けずに書いてください";
    (!good).then(|| (format!("「{host}」はホスト名ではありません"), remedy.to_owned()))
}

impl Section {
    /// The settings of this body: its own before those of everybody, options of the command line before both.
    pub(super) fn settle(&self, general: &Settings, given: &BTreeMap<&'static str, Value>) -> Settings {
        let mut values = general.values.clone();
        // Folders of backups are told apart by name, so that one setting does for all.
        if let Some(v) = values.get_mut(table::BACKUP_FOLDER) {
            v.text = Path::new(&v.text).join(&self.name).to_string_lossy().into_owned();
        }
        values.extend(self.values.iter().chain(given).map(|(k, v)| (*k, v.clone())));
        // What is demanded of everybody, nobody takes away: a body only adds to it.
        let all = given.get(table::STRICT).or_else(|| general.values.get(table::STRICT));
        if let (Some(all), Some(own)) = (all, self.values.get(table::STRICT)) {
            let text = format!("{}, {}", all.text, own.text);
            values.insert(table::STRICT, Value { text, from: own.from.clone() });
        }
        let hosted = Hosted { name: self.name.clone(), hosts: self.hosts.clone(), line: self.line };
        Settings { file: general.file.clone(), values, hosted: Some(hosted) }
    }
}

/// Names every two bodies that would share what each must have for itself, and those whose hosts nobody could reach.
pub(super) fn look_among(bodies: &[Settings], faults: &mut Vec<Fault>) {
    let served = |s: &&Settings| s.text(table::CERTIFICATE).is_some();
    for s in bodies.iter().filter(|s| bodies.iter().any(|b| served(&b)) && !served(s)) {
        faults.push(Fault {
            place: s.place(&From::File(s.hosted.as_ref().map_or(0, |h| h.line))),
            key: table::CERTIFICATE.to_owned(),
            text: format!("団体 {} のホスト名に使う証明書がありません", s.label()),
            remedy: format!(
                "この団体にも tls.certificate と tls.key を書くか、[[{BODIES}]] の外の [tls] に、全団体のものを書いてください"
            ),
        });
    }
    let mut seen: BTreeMap<(&str, String), &Hosted> = BTreeMap::new();
    for s in bodies {
        let Some(hosted) = &s.hosted else { continue };
        let mut own: Vec<(&str, String)> = vec![("bodies.name", hosted.name.clone())];
        own.extend(hosted.hosts.iter().map(|h| ("bodies.hosts", h.clone())));
        own.extend(s.path(table::DATA).map(|p| (table::DATA, same_place(&p))));
        own.extend(s.key().ok().map(|p| (table::KEY, same_place(&p))));
        own.extend(s.text(table::DATABASE).map(|a| (table::DATABASE, same_database(a))));
        for (key, what) in own {
            let shown = match table::setting(key).map(|s| s.kind) {
                Some(Kind::Database) => "データベース".to_owned(),
                _ => format!("「{what}」"),
            };
            let Some(other) = seen.insert((key, what), hosted) else { continue };
            faults.push(Fault {
                place: s.place(&From::File(hosted.line)),
                key: key.to_owned(),
                text: format!("団体 {} と {} の{shown}が同じです", other.name, hosted.name),
                remedy: format!("団体ごとに別のものを、[[{BODIES}]] のそれぞれに書いてください"),
            });
        }
    }
}

/// A place as one text, however it was written.
fn same_place(p: &Path) -> String {
    let mut whole = PathBuf::new();
    for part in std::path::absolute(p).unwrap_or_else(|_| p.to_path_buf()).components() {
        match part {
            std::path::Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
        // As far as it is there already, it is what it leads to.
        whole = std::fs::canonicalize(&whole).unwrap_or(whole);
    }
    whole.to_string_lossy().into_owned()
}

/// Host and name of a database, without who asks and how. What still escapes is found when the bodies are opened: their keys are the same.
fn same_database(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, r)| r);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = rest.rsplit_once('@').map_or(rest, |(_, p)| p);
    let (host, name) = place.split_once('/').unwrap_or((place, ""));
    let port = if host.contains(':') || host.is_empty() { "" } else { ":5432" };
    let mut also: Vec<&str> = query
        .split('&')
        .filter(|p| ["host=", "hostaddr=", "port=", "dbname="].iter().any(|k| p.starts_with(k)))
        .collect();
    also.sort_unstable();
    format!("{}{port}/{name}?{}", host.to_lowercase(), also.join("&"))
}

impl Configured {
    /// Each body; the only one where the file names none.
    pub(crate) fn each(&self) -> &[Settings] {
        if self.bodies.is_empty() { std::slice::from_ref(&self.general) } else { &self.bodies }
    }

    /// The body that is meant: the only one, or the one that `--body` names.
    ///
    /// # Errors
    /// There are several and none was named.
    pub(crate) fn one(self) -> Result<Settings, Fault> {
        let names: Vec<&str> = self.bodies.iter().map(Settings::label).collect();
        if names.len() > 1 {
            return Err(Fault {
                place: "--body".to_owned(),
                key: String::new(),
                text: format!("団体がいくつもあります（{}）", names.join("、")),
                remedy: "どの団体のことかを --body 名前 で指定してください".to_owned(),
            });
        }
        Ok(self.bodies.into_iter().next().unwrap_or(self.general))
    }
}

impl Settings {
    /// Name of the body among several; empty where there is one only.
    pub(crate) fn label(&self) -> &str {
        self.hosted.as_ref().map_or("", |h| h.name.as_str())
    }

    /// What belongs to this body and not to all: keys and values, in the order of the table.
    pub(crate) fn own<'a>(
        &'a self,
        general: &'a Settings,
    ) -> impl Iterator<Item = (&'static table::Setting, &'a Value)> {
        table::SETTINGS.iter().filter_map(move |s| {
            let value = self.value(s.key)?;
            (general.value(s.key) != Some(value)).then_some((s, value))
        })
    }
}

/// What stands in the sample file about several bodies.
pub(super) const SAMPLE: &str = "
# いくつもの団体を一つのサーバで動かすとき: 団体ごとに次のように書く（1団体だけなら書かない）。
# ホスト名で団体を選ぶ。データ、署名鍵は団体ごとに別にする。ここに書かない項目は、上のものが全団体に効く
# （backup.folder は、その下に団体の名前のフォルダを作る）。[server] の listen、behind_tls、trusted_proxies、[metrics]、[log] は団体ごとに書けない。
# server.second_factor_networks は、上のものに加わる。[tls] は、書けばその団体のホスト名に使う。
# [[bodies]]
# name = \"minato\"
# hosts = [\"sekisho.minato.example\"]
# data.folder = \"/var/lib/sekisho/minato\"
# key.file = \"/var/lib/sekisho-keys/minato.key\"
# server.site = \"https://sekisho.minato.example\"
";

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;

    fn load(
        text: &str,
        options: &[(&'static str, &str)],
        variable: Option<(&str, &str)>,
    ) -> Result<Configured, Vec<Fault>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sekisho.toml");
        std::fs::write(&file, text).unwrap();
        let mut given = Options::of_file(Some(file));
        for (key, text) in options {
            given.set(key, text);
        }
        let variable = variable.map(|(n, v)| (n.to_owned(), v.to_owned()));
        Configured::load_from(&given, &|name| {
            variable.as_ref().filter(|(n, _)| n == name).map(|(_, v)| v.clone())
        })
    }

    const TWO: &str = "[data]\nfolder = '/x/all'\n[backup]\nfolder = '/x/backups'\n[mail]\ntls = 'none'\n
[[bodies]]\nname = 'minato'\nhosts = ['Minato.Example', 'm.example']\ndata.folder = '/x/minato'\nmail.tls = 'tls'\n
[[bodies]]\nname = 'kita'\nhosts = 'kita.example'\n[bodies.data]\nfolder = '/x/kita'\n[bodies.backup]\nfolder = '/y'\n";

    #[test]
    fn a_body_has_its_own_settings_and_those_of_all() {
        let c = load(TWO, &[], Some(("SEKISHO_DATA_FOLDER", "/x/of-the-container"))).unwrap();
        let [minato, kita] = c.each() else { panic!("{c:?}") };
        assert_eq!(minato.hosted.as_ref().unwrap().hosts, ["minato.example", "m.example"]);
        assert_eq!((minato.label(), minato.text(table::BODY)), ("minato", Some("minato")));
        assert_eq!(minato.data().unwrap(), Path::new("/x/minato"), "before what holds for all");
        assert_eq!(minato.key().unwrap(), Path::new("/x/minato.key"));
        assert_eq!((minato.text(table::MAIL_TLS), kita.text(table::MAIL_TLS)), (Some("tls"), Some("none")));
        assert_eq!(minato.text(table::BACKUP_FOLDER), Some("/x/backups/minato"));
        assert_eq!(kita.text(table::BACKUP_FOLDER), Some("/y"));
        let own: Vec<_> = kita.own(&c.general).map(|(s, _)| s.key).collect();
        assert_eq!(own, [table::DATA, table::BODY, table::BACKUP_FOLDER]);
    }

    #[test]
    fn a_body_adds_networks_to_those_of_all_and_takes_none_away() {
        let text = TWO.replacen("[backup]", "[server]\nsecond_factor_networks = '10.9.0.0/16'\n[backup]", 1);
        let text = text.replacen("mail.tls = 'tls'", "server.second_factor_networks = '10.7.0.0/16'", 1);
        let networks = |c: &Configured| {
            let of = |s: &Settings| s.text(table::STRICT).unwrap_or_default().to_owned();
            c.each().iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(networks(&load(&text, &[], None).unwrap()), ["10.9.0.0/16, 10.7.0.0/16", "10.9.0.0/16"]);
        let options = [(table::STRICT, "10.8.0.1")];
        assert_eq!(networks(&load(&text, &options, None).unwrap()), ["10.8.0.1, 10.7.0.0/16", "10.8.0.1"]);
        let alone = text.replacen("second_factor_networks = '10.9.0.0/16'", "", 1);
        let c = load(&alone, &[], None).unwrap();
        assert_eq!(
            (networks(&c), c.general.text(table::STRICT)),
            (vec!["10.7.0.0/16".into(), String::new()], None)
        );
        let faults = load(&text.replace("10.7.0.0/16", "10.7.0.0/33"), &[], None).unwrap_err();
        assert!(faults[0].key == table::STRICT && faults[0].place.ends_with(":14"), "{faults:?}");
    }

    #[test]
    fn certificates_are_written_in_pairs_and_no_body_is_left_without_one() {
        let with = |all: &str, own: &str| {
            load(
                &TWO.replacen("[backup]", &format!("{all}\n[backup]"), 1).replacen(
                    "mail.tls = 'tls'",
                    own,
                    1,
                ),
                &[],
                None,
            )
        };
        let (all, own) = ("[tls]\ncertificate = 'c'\nkey = 'k'", "tls.certificate = 'm'\ntls.key = 'n'");
        let c = with(all, own).unwrap();
        let of =
            |s: &Settings| s.path(table::CERTIFICATE).and_then(|p| Some(p.file_name()?.to_str()?.to_owned()));
        assert_eq!(c.each().iter().map(of).collect::<Vec<_>>(), [Some("m".into()), Some("c".into())]);
        assert!(c.each().iter().all(Settings::secure));
        let faults = with("", own).unwrap_err();
        assert!(faults[0].key == table::CERTIFICATE && faults[0].text.contains("団体 kita"), "{faults:?}");
        for half in ["tls.certificate = 'm'", "tls.key = 'n'"] {
            let faults = with(all, half).unwrap_err();
            assert!(faults.len() == 1 && faults[0].text.contains("そろえて"), "{faults:?}");
        }
        // Cards are each body's own, and need a certificate or a proxy's header.
        let faults = with("[card]\nca = 'x'\n[tls]\ncertificate = 'c'\nkey = 'k'", "").unwrap_err();
        assert!(faults[0].key == table::CARD_CA && faults[0].remedy.contains("[[bodies]]"), "{faults:?}");
        assert!(with(all, "card.ca = 'x'").is_ok());
        assert_eq!(with("", "card.ca = 'x'").unwrap_err()[0].key, table::CARD_CA);
    }

    #[test]
    fn one_of_several_must_be_named() {
        let fault = load(TWO, &[], None).unwrap().one().unwrap_err();
        assert!(fault.text.contains("minato、kita") && fault.remedy.contains("--body"), "{fault}");
        let one = load(TWO, &[(table::BODY, "kita"), (table::DATA, "/x/new")], None).unwrap().one().unwrap();
        assert_eq!((one.label(), one.text(table::DATA)), ("kita", Some("/x/new")), "options come first");
        let faults = load(TWO, &[(table::BODY, "higashi")], None).unwrap_err();
        assert!(
            faults[0].text.contains("higashi") && faults[0].remedy.contains("minato、kita"),
            "{faults:?}"
        );
    }

    #[test]
    fn what_two_bodies_must_not_share_is_named_with_both() {
        let body = |name: &str, rest: &str| format!("[[bodies]]\nname = '{name}'\n{rest}\n");
        let (a, b) = ("hosts = ['a']\ndata.folder = '/x/a'", "hosts = ['b']\ndata.folder = '/x/b'");
        for (one, other, key) in [
            (a, "hosts = ['A']\ndata.folder = '/x/b'", "bodies.hosts"),
            (a, "hosts = ['b']\ndata.folder = '/x/../x/a'", table::DATA),
            (&format!("{a}\nkey.file = '/k'"), &format!("{b}\nkey.file = '/k'"), table::KEY),
            (
                &format!("{a}\ndata.database = 'postgres://u:p@DB/d'"),
                &format!("{b}\ndata.database = 'postgresql://v@db:5432/d?sslmode=require'"),
                table::DATABASE,
            ),
        ] {
            let faults = load(&(body("a", one) + &body("b", other)), &[], None).unwrap_err();
            assert!(faults.iter().all(|f| f.text.contains("団体 a と b の")), "{faults:?}");
            assert!(faults.iter().any(|f| f.key == key), "{key}: {faults:?}");
        }
        let same = load(&(body("a", a) + &body("a", b)), &[], None).unwrap_err();
        assert_eq!(same[0].key, "bodies.name", "{same:?}");
    }

    #[test]
    fn faults_of_a_body_are_told_with_their_line() {
        let text = "[[bodies]]\nname = 'Minato'\nhosts = ['https://a:1']\ndata.foldr = 'x'\nserver.listen = '127.0.0.1:1'\nbody.name = 'x'\ncolour = 'red'\n[[bodies]]\nhosts = []\n";
        let faults = load(text, &[], None).unwrap_err();
        let lines: Vec<String> =
            faults.iter().map(|f| f.to_string().split("sekisho.toml:").nth(1).unwrap().to_owned()).collect();
        for wanted in [
            "2: bodies.name: ",
            "3: bodies.hosts: ",
            "4: data.foldr: ",
            "5: server.listen: ",
            "6: body.name: ",
            "7: colour: ",
            "8: bodies.name: ",
            "9: bodies.hosts: ",
        ] {
            assert!(lines.iter().any(|l| l.starts_with(wanted)), "{wanted}: {lines:#?}");
        }
        assert_eq!(load("bodies = 3\n", &[], None).unwrap_err()[0].key, "bodies");
    }

    #[test]
    fn what_the_sample_says_of_several_bodies_is_accepted() {
        let text: String = SAMPLE
            .lines()
            .skip_while(|l| !l.starts_with("# [["))
            .map(|l| format!("{}\n", l.trim_start_matches("# ")))
            .collect();
        assert_eq!(load(&text, &[], None).unwrap().each().len(), 1, "{text}");
    }
}
