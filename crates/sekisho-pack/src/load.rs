//! From files to a validated [`Pack`]. Every defect is reported in one run; with any error there is no pack.

use std::collections::BTreeMap;
use std::path::Path;

use sekisho_base::calendar::Calendar;
use sekisho_base::canonical::{hex, sha256};
use toml::Spanned;
use toml::de::DeTable;

use crate::absence::AbsenceRule;
use crate::binding;
use crate::coverage::GATES;
use crate::expr::deep;
use crate::files::doc::Source;
use crate::files::{self, Known};
use crate::message::{Log, Message, Severity};
use crate::model::{Check, CheckRule, Clause, MechanismKind, Pack, PackMeta, PackTest, Role};

/// Most files of a pack.
pub const MAX_FILES: usize = 500;
/// Most bytes of one file.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

const SINGLE: [&str; 4] = ["pack.toml", "roles.toml", "classification.toml", "calendar.toml"];
/// Titles of mechanisms that clauses name and nobody has built yet; a pack from before this file has none.
pub(crate) const PLANNED: &str = "planned.toml";
const FOLDERS: [&str; 8] =
    ["clauses", "registers", "procedures", "checks", "duties", "documents", "notices", "tests"];

include!(concat!(env!("OUT_DIR"), "/model_city.rs"));

impl Pack {
    /// The model pack built into this program.
    ///
    /// # Errors
    /// The messages of [`Pack::load_files`]; a test shows that there are none.
    pub fn model_city() -> Result<Self, Vec<Message>> {
        Self::load_files(&Self::model_city_files())
    }

    /// Files of the model pack by path.
    #[must_use]
    pub fn model_city_files() -> BTreeMap<String, String> {
        MODEL_CITY.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    /// Reads and validates a pack folder.
    ///
    /// # Errors
    /// Every defect, also files that cannot be read.
    pub fn load_dir(dir: &Path) -> Result<Self, Vec<Message>> {
        Self::load_files(&read_dir(dir)?)
    }

    /// Validates a pack from its files by path (`procedures/take_out.toml`).
    ///
    /// # Errors
    /// Every defect found, in the order of files and lines; warnings alone are no reason to refuse.
    pub fn load_files(all: &BTreeMap<String, String>) -> Result<Self, Vec<Message>> {
        let (pack, messages) = Self::examine(all);
        pack.ok_or(messages)
    }

    /// Validates a pack; gives the messages, warnings too, beside it.
    #[must_use]
    pub fn examine(all: &BTreeMap<String, String>) -> (Option<Self>, Vec<Message>) {
        let done = deep(|| {
            let log = Log::default();
            let pack = load(all, &log);
            let refused = log.has_errors();
            (pack.filter(|_| !refused), log.into_messages())
        });
        done.unwrap_or_else(|| {
            let failed = Message {
                file: "pack.toml".to_owned(),
                line: 1,
                key: String::new(),
                text: "パックを読む途中で失敗しました".to_owned(),
                remedy: "メモリーが足りているかを確かめ、続くときはパックのフォルダーを添えて開発元へ知らせてください".to_owned(),
                severity: Severity::Error,
            };
            (None, vec![failed])
        })
    }
}

/// Files of a folder, two levels deep; hidden files and files without use for a pack are left out.
///
/// # Errors
/// A folder or file cannot be read, or is too large.
pub fn read_dir(dir: &Path) -> Result<BTreeMap<String, String>, Vec<Message>> {
    let mut out = BTreeMap::new();
    read_level(dir, "", &mut out).map_err(|m| vec![m])?;
    Ok(out)
}

fn read_level(dir: &Path, prefix: &str, out: &mut BTreeMap<String, String>) -> Result<(), Message> {
    let fail = |file: &str, text: String, remedy: &str| Message {
        file: if file.is_empty() { dir.display().to_string() } else { file.to_owned() },
        line: 1,
        key: String::new(),
        text: sekisho_base::os::in_japanese(&text),
        remedy: remedy.to_owned(),
        severity: Severity::Error,
    };
    let entries = std::fs::read_dir(dir).map_err(|e| {
        fail("", format!("フォルダーを読めません（{e}）"), "フォルダーの場所と読取りの権限を確かめてください")
    })?;
    for entry in entries {
        let entry = entry.map_err(|e| {
            fail("", format!("フォルダーを読めません（{e}）"), "読取りの権限を確かめてください")
        })?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let file = format!("{prefix}{name}");
        let meta = std::fs::metadata(&path)
            .map_err(|e| fail(&file, format!("読めません（{e}）"), "読取りの権限を確かめてください"))?;
        if meta.is_dir() {
            if prefix.is_empty() {
                read_level(&path, &format!("{name}/"), out)?;
            }
        } else if meta.is_file() && (name.ends_with(".toml") || name.ends_with(".typ")) {
            if usize::try_from(meta.len()).unwrap_or(usize::MAX) > MAX_FILE_BYTES || out.len() >= MAX_FILES {
                return Err(fail(
                    &file,
                    "ファイルが大きすぎるか、多すぎます".to_owned(),
                    "パックのフォルダーを指定しているかを確かめてください",
                ));
            }
            let bytes = std::fs::read(&path)
                .map_err(|e| fail(&file, format!("読めません（{e}）"), "読取りの権限を確かめてください"))?;
            let text = String::from_utf8(bytes).map_err(|_| {
                fail(&file, "文字コードがUTF-8ではありません".to_owned(), "UTF-8で保存し直してください")
            })?;
            out.insert(file, text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned));
        }
    }
    Ok(())
}

/// SHA-256 over the sorted file list: for each file its path, its length and its bytes.
fn hash(all: &BTreeMap<String, String>) -> String {
    let mut bytes = Vec::new();
    for (path, text) in all {
        bytes.extend_from_slice(path.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(text.len().to_string().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(text.as_bytes());
    }
    hex(&sha256(&bytes))
}

/// A file that was parsed.
struct Parsed<'a> {
    src: Source<'a>,
    table: Spanned<DeTable<'a>>,
}

fn stem(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.split_once('/')?;
    name.strip_suffix(".toml").map(|s| (folder, s))
}

fn parse_all<'a>(all: &'a BTreeMap<String, String>, log: &'a Log) -> BTreeMap<&'a str, Parsed<'a>> {
    let mut out = BTreeMap::new();
    for (path, text) in all {
        let src = Source::new(path, text, log);
        if path.starts_with("forms/") && path.ends_with(".typ") {
            continue;
        }
        let single = SINGLE.contains(&path.as_str()) || path == binding::FILE || path == PLANNED;
        if !single && !stem(path).is_some_and(|(f, _)| FOLDERS.contains(&f)) {
            let text = "パックにこのファイルを置く場所はありません";
            src.error(
                1,
                "",
                text,
                format!(
                    "置けるのは {}、{}、{PLANNED}、{}/*.toml、forms/*.typ です",
                    SINGLE.join("、"),
                    binding::FILE,
                    FOLDERS.join("/*.toml、")
                ),
            );
            continue;
        }
        if text.len() > MAX_FILE_BYTES {
            src.error(1, "", "ファイルが大きすぎます", "1 MiB までにしてください");
            continue;
        }
        if let Some(table) = src.parse() {
            out.insert(path.as_str(), Parsed { src, table });
        }
    }
    out
}

fn load(all: &BTreeMap<String, String>, log: &Log) -> Option<Pack> {
    if all.len() > MAX_FILES {
        Source::new("pack.toml", "", log).error(
            1,
            "",
            "ファイルが多すぎます",
            format!("{MAX_FILES}までにしてください"),
        );
        return None;
    }
    let parsed = parse_all(all, log);
    let mut known = Known {
        register_ids: stems(all, "registers"),
        procedure_ids: stems(all, "procedures"),
        forms: all
            .keys()
            .filter_map(|p| p.strip_prefix("forms/")?.strip_suffix(".typ"))
            .map(str::to_owned)
            .collect(),
        ..Known::default()
    };
    let single = |name: &str| -> Option<&Parsed<'_>> {
        if !all.contains_key(name) {
            Source::new(name, "", log).error(
                1,
                "",
                format!("{name} がありません"),
                "モデルパックの同じファイルを写して直してください",
            );
        }
        parsed.get(name)
    };
    let folder = |name: &'static str| {
        parsed.iter().filter_map(move |(path, p)| stem(path).filter(|(f, _)| *f == name).map(|(_, s)| (s, p)))
    };

    let meta: Option<PackMeta> = single("pack.toml").map(|p| files::meta(&p.src.root(&p.table)));
    let calendar: Option<Calendar> = single("calendar.toml").map(|p| files::calendar(&p.src.root(&p.table)));
    let mut absence = AbsenceRule::default();
    if let Some(p) = single("roles.toml") {
        let root = p.src.root(&p.table);
        let (roles, refs, rule) = files::roles(&root);
        files::check_roles(&p.src, &root, &roles, &refs);
        (known.roles, absence) = (roles, rule);
    }
    let classification = single("classification.toml").map(|p| (p, p.src.root(&p.table)));
    if let Some((_, root)) = &classification {
        known.classification = files::classes(root);
    }
    let mut clauses: Vec<Clause> = Vec::new();
    for name in in_document_order(folder("clauses").map(|(s, _)| s).collect()) {
        if let Some((_, p)) = folder("clauses").find(|(s, _)| *s == name) {
            clauses.extend(files::clauses(&p.src.root(&p.table), &mut known));
        }
    }
    let bindings = parsed.get(binding::FILE).map(|p| files::bindings(&p.src.root(&p.table), &known));
    let bindings = bindings.unwrap_or_default();
    let named = clauses.iter().flat_map(|c| &c.mechanisms).filter(|m| m.kind == MechanismKind::Procedure);
    known.planned_procedures = named.map(|m| m.name.clone()).collect();
    derive_roles(&mut known);
    for (stem, p) in folder("registers") {
        files::register(&p.src.root(&p.table), stem, &mut known);
    }
    for (stem, p) in folder("procedures") {
        files::procedure(&p.src.root(&p.table), stem, &mut known);
    }
    if let Some((_, root)) = &classification {
        (known.classification.handling, known.classification.looks) = files::handling(root, &known);
    }
    let mut checks: BTreeMap<String, Check> = BTreeMap::new();
    for (_, p) in folder("checks") {
        files::checks(&p.src.root(&p.table), &known, &mut checks);
    }
    let (mut duties, mut documents, mut notices) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (_, p) in folder("duties") {
        files::duties(&p.src.root(&p.table), &known, &clauses, &mut duties);
    }
    for (_, p) in folder("documents") {
        files::documents(&p.src.root(&p.table), &known, &clauses, &mut documents);
    }
    for (_, p) in folder("notices") {
        files::notices(&p.src.root(&p.table), &clauses, &mut notices);
    }
    let mut tests: Vec<PackTest> = Vec::new();
    for (_, p) in folder("tests") {
        tests.extend(files::tests(&p.src.root(&p.table), &known));
    }
    checks.extend(known.derived.into_iter().map(|(id, (c, _))| (id, c)));
    for (file, line, opener) in &known.openers {
        let (what, all): (_, Vec<&str>) = match opener.split_once(':') {
            Some(("duty", _)) => ("仕事", duties.keys().map(String::as_str).collect()),
            _ => ("点検", checks.keys().map(String::as_str).collect()),
        };
        let id = opener.split_once(':').map_or("", |(_, id)| id);
        if all.contains(&id) {
            continue;
        }
        let remedy = match crate::message::nearest(id, all.iter().copied()) {
            Some(meant) => format!("「{meant}」の書き間違いではありませんか"),
            None => format!("{what}の id にしてください。検査は期限のある段や台帳からも作られます"),
        };
        Source::new(file, "", log).error(*line, "opened_by", format!("{what}「{id}」はありません"), remedy);
    }
    let mut titles = parsed.get(PLANNED).map(|p| files::planned(&p.src.root(&p.table)));
    let defined = |kind: MechanismKind| -> Vec<&str> {
        match kind {
            MechanismKind::Role => known.roles.keys().map(String::as_str).collect(),
            MechanismKind::Register => known.registers.keys().map(String::as_str).collect(),
            MechanismKind::Procedure => known.procedures.keys().map(String::as_str).collect(),
            MechanismKind::Check => checks.keys().map(String::as_str).collect(),
            MechanismKind::Duty => duties.keys().map(String::as_str).collect(),
            MechanismKind::Document => documents.keys().map(String::as_str).collect(),
            MechanismKind::Notice => notices.keys().map(String::as_str).collect(),
            MechanismKind::Gate => GATES.to_vec(),
        }
    };
    files::match_planned(log, &known.bindings, defined, titles.as_mut());
    let planned = titles.unwrap_or_default().into_iter().map(|(m, at)| (m, at.value)).collect();
    let forms = all
        .iter()
        .filter_map(|(p, t)| Some((p.strip_prefix("forms/")?.strip_suffix(".typ")?.to_owned(), t.clone())))
        .collect();
    Some(Pack {
        meta: meta?,
        hash: hash(all),
        roles: known.roles,
        absence,
        classification: known.classification,
        clauses,
        procedures: known.procedures,
        registers: known.registers,
        checks,
        duties,
        documents,
        notices,
        planned,
        bindings,
        calendar: calendar?,
        forms,
        tests,
    })
}

fn stems(all: &BTreeMap<String, String>, folder: &str) -> std::collections::BTreeSet<String> {
    all.keys().filter_map(|p| stem(p)).filter(|(f, _)| *f == folder).map(|(_, s)| s.to_owned()).collect()
}

/// Clause files as the text runs: the preamble `P`, the numbered chapters, then everything else.
fn in_document_order(mut stems: Vec<&str>) -> Vec<&str> {
    let key = |s: &str| match (s, s.parse::<u32>()) {
        ("P", _) => (0, 0, String::new()),
        (_, Ok(n)) => (1, n, String::new()),
        (other, Err(_)) => (2, 0, other.to_owned()),
    };
    stems.sort_by_key(|s| key(s));
    stems
}

/// Checks that follow from the roles, and the one over decisions under an override.
fn derive_roles(known: &mut Known) {
    let vacant = |r: &Role| Check {
        id: format!("role_vacant_{}", r.id),
        title: format!("{}が置かれていない", r.title),
        remedy: format!("「{}」に当たる職に人を任命してください。", r.title),
        rule: CheckRule::Vacant { role: r.id.clone() },
        derived: true,
    };
    for r in known.roles.values().filter(|r| r.must_be_filled) {
        let c = vacant(r);
        known.derived.insert(c.id.clone(), (c, "roles.toml".to_owned()));
    }
    let own = Check {
        id: "self_approval".to_owned(),
        title: "申請者自身による許可で、上位者の確認が済んでいないもの".to_owned(),
        remedy: "案件を開き、やむを得ない理由を上位の責任者が確認してください。".to_owned(),
        rule: CheckRule::SelfApproval,
        derived: true,
    };
    known.derived.insert(own.id.clone(), (own, "roles.toml".to_owned()));
}
