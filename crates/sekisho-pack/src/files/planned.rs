//! `planned.toml`: what people call the mechanisms that clauses name and nobody has built yet.

use std::collections::{BTreeMap, BTreeSet};

use super::clauses::{KINDS, mechanism_name};
use crate::files::doc::{At, Source, Table};
use crate::load::PLANNED;
use crate::message::{Log, slip_of};
use crate::model::{MechanismKind, MechanismRef};

/// Longest title in characters: it stands in a cell of a table.
const MAX_TITLE: usize = 60;

/// Titles by mechanism, with their places.
pub(crate) type Titles = BTreeMap<MechanismRef, At<String>>;

pub(crate) fn planned(t: &Table<'_>) -> Titles {
    let mut out = Titles::new();
    for (word, kind) in KINDS {
        let Some(sub) = t.table(word) else { continue };
        for (name, at) in sub.entries() {
            if !mechanism_name(&name) {
                let text = format!("「{name}」は仕組みの名前に使えません");
                t.src.error(
                    at.line,
                    &at.key,
                    text,
                    "条項の mechanisms に書いた名前（英小文字、数字、_）にしてください",
                );
            } else if at.value.chars().count() > MAX_TITLE {
                let text = format!("題名が長すぎます（{}文字）", at.value.chars().count());
                t.src.error(at.line, &at.key, text, format!("{MAX_TITLE}文字までにしてください"));
            } else {
                out.insert(MechanismRef { kind, name }, at);
            }
        }
        sub.finish();
    }
    t.finish();
    out
}

/// Looks whether every mechanism that is named and not defined has a title, and every title such a mechanism.
///
/// A missing title is a remark: what a city takes out of its pack stays bound to clauses, and pages can call it by its
/// name. A pack without the file is from before there was one, and gets one remark in all.
pub(crate) fn match_planned<'k>(
    log: &Log,
    bindings: &[(String, usize, MechanismRef)],
    defined: impl Fn(MechanismKind) -> Vec<&'k str>,
    titles: Option<&mut Titles>,
) {
    let known: BTreeMap<MechanismKind, BTreeSet<&str>> =
        MechanismKind::ALL.into_iter().map(|kind| (kind, defined(kind).into_iter().collect())).collect();
    let is_defined = |m: &MechanismRef| known.get(&m.kind).is_some_and(|all| all.contains(m.name.as_str()));
    let slip = |m: &MechanismRef| slip_of(&m.name, known.get(&m.kind).into_iter().flatten().copied());
    // What a broken file defines is not known: it is not to be called planned because of its other fault.
    let complete = !log.has_errors();
    let Some(titles) = titles else {
        let mut names = BTreeSet::new();
        for (file, line, m) in bindings.iter().filter(|(_, _, m)| !is_defined(m)) {
            names.insert(m);
            if let Some(meant) = slip(m) {
                let text = format!("「{m}」はまだ作られていません（未整備）");
                let remedy = format!("「{}:{meant}」の書き間違いではありませんか", m.kind.word());
                Source::new(file, "", log).warn(*line, "mechanisms", text, remedy);
            }
        }
        if let (Some(first), true) = (names.first(), complete) {
            let text = format!("まだない仕組み{}件の題名がありません（未整備）", names.len());
            let remedy = format!(
                "{PLANNED} を作り、[{}] の下に {} = \"題名\" のように、種類ごとに並べてください",
                first.kind.word(),
                first.name
            );
            Source::new(PLANNED, "", log).warn(1, "", text, remedy);
        }
        return;
    };
    let mut told = BTreeSet::new();
    for (file, line, m) in bindings {
        if !complete || is_defined(m) || titles.contains_key(m) || !told.insert(m) {
            continue;
        }
        let text = format!("「{m}」はまだ作られておらず（未整備）、題名もありません");
        let title = format!("{PLANNED} の [{}] に {} = \"題名\" を加えてください", m.kind.word(), m.name);
        let remedy = match slip(m) {
            Some(meant) => {
                format!(
                    "「{}:{meant}」の書き間違いではありませんか。これから作るものなら、{title}",
                    m.kind.word()
                )
            }
            None => title,
        };
        Source::new(file, "", log).warn(*line, "mechanisms", text, remedy);
    }
    let bound: BTreeSet<&MechanismRef> = bindings.iter().map(|(_, _, m)| m).collect();
    for (m, at) in titles.iter() {
        let src = Source::new(PLANNED, "", log);
        if is_defined(m) {
            let text = format!("「{m}」はもう作られています");
            let remedy = "この行を消してください。題名は、作ったものの title が使われます";
            // A gate comes with the program: a newer one is no fault of the pack.
            if m.kind == MechanismKind::Gate {
                src.warn(at.line, &at.key, text, remedy);
            } else {
                src.error(at.line, &at.key, text, remedy);
            }
        } else if complete && !bound.contains(m) {
            let near = slip_of(&m.name, bound.iter().filter(|b| b.kind == m.kind).map(|b| b.name.as_str()));
            let remedy = match near {
                Some(meant) => format!("「{meant}」の書き間違いではありませんか"),
                None => format!("この行を消すか、条項の mechanisms に \"{m}\" を加えてください"),
            };
            src.error(at.line, &at.key, format!("「{m}」を支えにする条項がありません"), remedy);
        }
    }
}
