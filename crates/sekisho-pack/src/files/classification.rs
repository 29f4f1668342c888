//! `classification.toml`: axes and levels, and the rules of the handling decision.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::Expr;
use crate::files::doc::{At, Table};
use crate::files::{ACTS, Known, condition, dangling, ident, need, reference, word};
use crate::model::{Axis, Classification, Conversion, HandlingEffect, HandlingRule, Level};

/// Axes, the scheme in use and the conversions: what registers and procedures refer to.
pub(crate) fn classes(t: &Table<'_>) -> Classification {
    let axes = axes(t);
    let schemes: BTreeSet<&str> =
        axes.values().flat_map(|a| &a.levels).flat_map(|l| &l.schemes).map(String::as_str).collect();
    let scheme = reference(t, t.text("scheme"), "分類の方式", schemes.iter().copied());
    let mut conversions: Vec<Conversion> = Vec::new();
    for c in t.tables("conversion") {
        let id = ident(&c, "id");
        let title = need(&c, "title");
        let axis = reference(&c, c.need("axis"), "軸", axes.keys().map(String::as_str));
        let mut codes = BTreeMap::new();
        let levels = axis.as_ref().and_then(|a| axes.get(a)).map_or(&[][..], |a| &a.levels);
        let known = || levels.iter().map(|l| l.code.as_str());
        match c.table("codes") {
            None => c.error(
                "codes",
                "どの段階をどの段階にするかが書かれていません",
                "codes = { \"3\" = \"3B\" } のように書いてください",
            ),
            Some(map) => {
                for (old, new) in map.entries() {
                    if axis.is_some() && known().all(|k| k != old) {
                        let at = At { value: old.clone(), ..new.clone() };
                        dangling(&map, &at, "段階", known());
                    }
                    if axis.is_none() {
                        continue;
                    }
                    if let Some(new) = reference(&map, Some(new), "段階", known()) {
                        codes.insert(old, new);
                    }
                }
                map.finish();
            }
        }
        c.finish();
        let (Some(id), Some(axis)) = (id, axis) else { continue };
        if conversions.iter().any(|x| x.id == id.value) {
            c.src.error(
                id.line,
                &id.key,
                format!("変更の型「{}」が二度あります", id.value),
                "どちらか一つにしてください",
            );
            continue;
        }
        conversions.push(Conversion { id: id.value, axis, title, codes });
    }
    Classification { axes, scheme, conversions, looks: None, handling: vec![] }
}

fn axes(t: &Table<'_>) -> BTreeMap<String, Axis> {
    let mut axes: BTreeMap<String, Axis> = BTreeMap::new();
    for a in t.tables("axis") {
        let id = ident(&a, "id");
        let title = need(&a, "title");
        let mut levels: Vec<Level> = Vec::new();
        for l in a.tables("level") {
            let code = l.need("code");
            let rank = l.int("rank");
            if rank.is_none() && !l.has("rank") {
                l.error(
                    "rank",
                    "rank がありません",
                    "段階の強さを整数で書いてください（3A、3B、3C はどれも 3）",
                );
            }
            let title = need(&l, "title");
            let schemes = l.texts("schemes").into_iter().map(|s| s.value).collect();
            l.finish();
            let (Some(code), Some(rank)) = (code, rank) else { continue };
            if code.value.len() > 8 || !code.value.bytes().all(|b| b.is_ascii_alphanumeric()) {
                l.src.error(
                    code.line,
                    &code.key,
                    format!("「{}」は段階のコードに使えません", code.value),
                    "半角英数字8文字までにしてください",
                );
                continue;
            }
            if levels.iter().any(|x| x.code == code.value) {
                l.src.error(
                    code.line,
                    &code.key,
                    format!("段階「{}」が二度あります", code.value),
                    "どちらか一つにしてください",
                );
                continue;
            }
            if levels.last().is_some_and(|x| x.rank < rank.value) {
                l.src.error(
                    rank.line,
                    &rank.key,
                    "段階が強い順に並んでいません",
                    "rank の大きい段階を先に書いてください",
                );
            }
            levels.push(Level { code: code.value, rank: rank.value, title, schemes });
        }
        if levels.is_empty() {
            a.error("level", "段階が一つもありません", "[[axis.level]] を加えてください");
        }
        a.finish();
        let Some(id) = id else { continue };
        if axes.insert(id.value.clone(), Axis { title, levels }).is_some() {
            a.src.error(
                id.line,
                &id.key,
                format!("軸「{}」が二度あります", id.value),
                "どちらか一つにしてください",
            );
        }
    }
    axes
}

/// The handling rules, and of which records looks are recorded; read last, because they refer to procedures and clauses.
pub(crate) fn handling(t: &Table<'_>, known: &Known) -> (Vec<HandlingRule>, Option<Expr>) {
    let env = known.item_env();
    let mut rules: Vec<HandlingRule> = Vec::new();
    for h in t.tables("handling") {
        let id = ident(&h, "id");
        let acts = h.texts("acts");
        for a in acts.iter().filter(|a| !ACTS.contains(&a.value.as_str())) {
            dangling(&h, a, "行為", ACTS.into_iter());
        }
        if acts.is_empty() {
            h.error(
                "acts",
                "対象の行為がありません",
                format!("acts = [\"{}\"] のように書いてください", ACTS.join("\", \"")),
            );
        }
        let when = condition(&h, "when", &env);
        let kind = word(&h, h.need("effect"), &[("safeguard", 0), ("permit", 1), ("prohibited", 2)]);
        let procedure = reference(
            &h,
            h.text("procedure"),
            "手続",
            known.procedure_ids.iter().chain(&known.planned_procedures).map(String::as_str),
        );
        let effect = match (kind, procedure) {
            (Some(1), Some(p)) => HandlingEffect::Permit(p),
            (Some(1), None) => {
                if !h.has("procedure") {
                    h.error(
                        "procedure",
                        "どの手続の許可が要るかが書かれていません",
                        "procedure = \"take_out\" のように手続の id を加えてください",
                    );
                }
                continue;
            }
            (Some(2), _) => HandlingEffect::Prohibited,
            _ => HandlingEffect::Safeguard,
        };
        let says = need(&h, "says");
        let clause = reference(&h, h.need("clause"), "条項", known.clauses.iter().map(String::as_str))
            .unwrap_or_default();
        h.finish();
        let Some(id) = id else { continue };
        if rules.iter().any(|r| r.id == id.value) {
            h.src.error(
                id.line,
                &id.key,
                format!("取扱いの決まり「{}」が二度あります", id.value),
                "どちらか一つにしてください",
            );
            continue;
        }
        rules.push(HandlingRule {
            id: id.value,
            acts: acts.into_iter().map(|a| a.value).collect(),
            when,
            effect,
            says,
            clause,
        });
    }
    for act in ACTS.iter().filter(|a| !rules.iter().any(|r| r.acts.iter().any(|x| x == *a))) {
        t.src.warn(
            t.line,
            "handling",
            format!("行為「{act}」の決まりが一つもありません"),
            "「してよいか」に答えられないので、[[handling]] を加えてください",
        );
    }
    let looks = condition(t, "record_looks_when", &env);
    t.finish();
    (rules, looks)
}
