//! `registers/*.toml`, and the checks that follow from their columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::{Env, Place, Type};
use crate::files::doc::{At, Table};
use crate::files::fields::{choices, not_reserved};
use crate::files::{Known, condition, file_id, ident, need, period, reference, word};
use crate::model::{Check, CheckRule, Choice, Column, ColumnType, Period, Register};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    LongText,
    Code,
    Date,
    Integer,
    Bool,
    Choice,
    Class,
    Unit,
    Post,
    Person,
    Ref,
}

const KINDS: [(&str, Kind); 12] = [
    ("text", Kind::Text),
    ("long_text", Kind::LongText),
    ("code", Kind::Code),
    ("date", Kind::Date),
    ("integer", Kind::Integer),
    ("bool", Kind::Bool),
    ("choice", Kind::Choice),
    ("class", Kind::Class),
    ("unit", Kind::Unit),
    ("post", Kind::Post),
    ("person", Kind::Person),
    ("ref", Kind::Ref),
];

/// Names that conditions over a register may read.
pub(crate) fn env_of(r: &Register, known: &Known) -> Env {
    let mut env = Env::for_sql();
    for c in &r.columns {
        declare(&mut env, &r.id, c, known);
    }
    for (axis, column) in &r.class {
        if let Some(a) = known.classification.axes.get(axis) {
            env.declare(&format!("class.{axis}"), Type::class_of(a), Some(Place::Column(column.clone())));
        }
    }
    env
}

fn declare(env: &mut Env, register: &str, c: &Column, known: &Known) {
    if c.many {
        let codes =
            (c.kind == ColumnType::Choice).then(|| c.choices.iter().map(|x| x.code.clone()).collect());
        let place = Place::Many { register: register.to_owned(), column: c.id.clone() };
        env.declare(&c.id, Type::List(codes), Some(place));
        return;
    }
    let kind = match &c.kind {
        ColumnType::Date => Type::Date,
        ColumnType::Integer => Type::Int,
        ColumnType::Bool => Type::Bool,
        ColumnType::Choice => Type::choice_of(&c.choices),
        ColumnType::Class(axis) => known.classification.axes.get(axis).map_or(Type::Text, Type::class_of),
        _ => Type::Text,
    };
    env.declare(&c.id, kind, Some(Place::Column(c.id.clone())));
}

/// A column before its conditions are read.
struct Draft<'a, 't> {
    t: &'a Table<'t>,
    column: Column,
    check: Option<At<String>>,
}

pub(crate) fn register(t: &Table<'_>, stem: &str, known: &mut Known) {
    file_id(t, stem);
    let tables = t.tables("column");
    let mut drafts: Vec<Draft<'_, '_>> = Vec::new();
    let mut seen = BTreeSet::new();
    for c in &tables {
        let Some(d) = column(c, known) else { continue };
        if !seen.insert(d.column.id.clone()) {
            c.error("id", format!("列「{}」が二度あります", d.column.id), "どちらか一つにしてください");
            continue;
        }
        drafts.push(d);
    }
    if tables.is_empty() {
        t.error("column", "列が一つもありません", "[[column]] を加えてください");
    }
    let has = |id: &str| drafts.iter().any(|d| d.column.id == id);
    let ids: Vec<String> = drafts.iter().map(|d| d.column.id.clone()).collect();
    let pick =
        |name: &str| reference(t, t.need(name), "列", ids.iter().map(String::as_str)).unwrap_or_default();
    let (key, name, owner) = (pick("key"), pick("name"), pick("owner"));
    let kind_of =
        |id: &str| drafts.iter().find(|d| d.column.id == id).map(|d| (&d.column.kind, d.column.many));
    if kind_of(&key).is_some_and(|k| !matches!(k, (ColumnType::Code | ColumnType::Text, false))) {
        t.error("key", format!("列「{key}」は管理番号になれません"), "type が \"code\" の列を選んでください");
    }
    if kind_of(&owner).is_some_and(|k| !matches!(k, (ColumnType::Unit, false))) {
        t.error("owner", format!("列「{owner}」は所管になれません"), "type が \"unit\" の列を選んでください");
    }
    for (name, id) in [("key", &key), ("name", &name), ("owner", &owner)] {
        if drafts.iter().any(|d| d.column.id == *id && d.column.personal) {
            t.error(
                name,
                format!("列「{id}」は個人情報なので、{name} になれません"),
                "一覧や検索に出る列です。personal を消すか、別の列にしてください",
            );
        }
    }
    let mut class = BTreeMap::new();
    if let Some(c) = t.table("class") {
        for (axis, at) in c.entries() {
            let axis_known = known.classification.axes.contains_key(&axis);
            if !axis_known {
                let names: Vec<&str> = known.classification.axes.keys().map(String::as_str).collect();
                c.error(
                    &axis,
                    format!("軸「{axis}」はありません"),
                    format!("今ある軸: {}", names.join("、")),
                );
            }
            let fits = kind_of(&at.value).is_some_and(|(k, many)| {
                !many && matches!(k, ColumnType::Class(a) if *a == axis || a.is_empty())
            });
            if has(&at.value) && axis_known && !fits {
                c.error(
                    &axis,
                    format!("列「{}」は軸「{axis}」の列ではありません", at.value),
                    "type = \"class\"、axis が同じ列を選んでください",
                );
            }
            if let Some(column) = reference(&c, Some(at), "列", ids.iter().map(String::as_str)) {
                class.insert(axis, column);
            }
        }
        c.finish();
    }
    let copy_of = reference(t, t.text("copy_of"), "列", ids.iter().map(String::as_str));
    if let Some(column) = &copy_of
        && kind_of(column).is_some_and(|k| !matches!(k, (ColumnType::Ref(_), false)))
    {
        t.error(
            "copy_of",
            format!("列「{column}」は写しの元を指せません"),
            "type が \"ref\"、register が元の台帳の列を選んでください",
        );
    }
    let confirmed_on = reference(t, t.text("confirmed_on"), "列", ids.iter().map(String::as_str));
    if let Some(column) = &confirmed_on
        && kind_of(column).is_some_and(|k| !matches!(k, (ColumnType::Date, _)))
    {
        t.error(
            "confirmed_on",
            format!("列「{column}」は現物を確かめた日を入れられません"),
            "type が \"date\" の列を選んでください",
        );
    }
    let roles = || known.roles.keys().map(String::as_str);
    let mut r = Register {
        id: stem.to_owned(),
        title: need(t, "title"),
        key,
        name,
        owner,
        kept_by: reference(t, t.need("kept_by"), "役割", roles()).unwrap_or_default(),
        class,
        copy_of,
        confirmed_on,
        managed_by: reference(t, t.text("managed_by"), "役割", roles()),
        columns: drafts.iter().map(|d| d.column.clone()).collect(),
    };
    t.finish();
    let env = env_of(&r, known);
    for (d, column) in drafts.iter().zip(&mut r.columns) {
        column.required_when = condition(d.t, "required_when", &env);
        d.t.finish();
    }
    for (d, column) in drafts.iter().zip(&r.columns) {
        derive(d, column, &r, known);
    }
    known.registers.insert(stem.to_owned(), r);
}

fn column<'a, 't>(c: &'a Table<'t>, known: &Known) -> Option<Draft<'a, 't>> {
    let id = ident(c, "id");
    let label = need(c, "label");
    let kind = word(c, c.need("type"), &KINDS);
    let axis = reference(c, c.text("axis"), "軸", known.classification.axes.keys().map(String::as_str));
    let target = reference(c, c.text("register"), "台帳", known.register_ids.iter().map(String::as_str));
    let ask = |name: &str, wanted: bool, what: &str| {
        if wanted && !c.has(name) {
            c.error(name, format!("{what}が書かれていません"), format!("{name} = \"…\" を加えてください"));
        } else if !wanted && c.has(name) {
            c.error(name, format!("この type に {name} は使えません"), format!("{name} を消してください"));
        }
    };
    ask("axis", kind == Some(Kind::Class), "どの軸の段階か");
    ask("register", kind == Some(Kind::Ref), "どの台帳を指すか");
    let choices: Vec<Choice> = choices(c, kind == Some(Kind::Choice));
    // A column with an unknown axis or register stays, so that what refers to it is not reported too.
    let kind = kind.map(|k| match k {
        Kind::Text => ColumnType::Text,
        Kind::LongText => ColumnType::LongText,
        Kind::Code => ColumnType::Code,
        Kind::Date => ColumnType::Date,
        Kind::Integer => ColumnType::Integer,
        Kind::Bool => ColumnType::Bool,
        Kind::Choice => ColumnType::Choice,
        Kind::Class => ColumnType::Class(axis.unwrap_or_default()),
        Kind::Unit => ColumnType::Unit,
        Kind::Post => ColumnType::Post,
        Kind::Person => ColumnType::Person,
        Kind::Ref => ColumnType::Ref(target.unwrap_or_default()),
    });
    let stale_after: Option<Period> = period(c, "stale_after");
    if c.has("stale_after") && kind.as_ref().is_some_and(|k| *k != ColumnType::Date) {
        c.error(
            "stale_after",
            "stale_after は日付の列にだけ使えます",
            "type を \"date\" にするか、stale_after を消してください",
        );
    }
    if matches!(stale_after, Some(Period::Hours(_))) {
        c.error("stale_after", "stale_after に時間は使えません", "days か months で書いてください");
    }
    let (many, required) = (c.flag("many"), c.flag("required"));
    if many
        && matches!(
            kind,
            Some(ColumnType::Integer | ColumnType::Bool | ColumnType::Date | ColumnType::Class(_))
        )
    {
        c.error("many", "この type の列は値を一つしか持てません", "many を消してください");
    }
    let (help, list, personal) = (c.text("help").map(|a| a.value), c.flag("list"), c.flag("personal"));
    let check = c.text("check");
    // Conditions are read later, when every column is known; asking now keeps the key from being unknown.
    c.has("required_when");
    if required && c.has("required_when") {
        c.error(
            "required_when",
            "required と required_when が両方あります",
            "いつも必要なら required だけ、条件つきなら required_when だけにしてください",
        );
    }
    let id = id?;
    not_reserved(c, &id);
    let kind = kind?;
    let column = Column {
        id: id.value,
        label,
        help,
        kind,
        many,
        choices,
        required,
        required_when: None,
        stale_after,
        list,
        personal,
    };
    Some(Draft { t: c, column, check })
}

/// The checks a column declares. One `check` names one check; with both kinds on a column it names the stale one.
fn derive(d: &Draft<'_, '_>, c: &Column, r: &Register, known: &mut Known) {
    let missing = c.required || c.required_when.is_some();
    let named = |kind: &str, own: bool| match &d.check {
        Some(at) if own => at.value.clone(),
        _ => format!("{}_{}_{kind}", r.id, c.id),
    };
    if d.check.is_some() && !missing && c.stale_after.is_none() {
        d.t.error(
            "check",
            "この列からは検査が作られません",
            "required、required_when、stale_after のどれかを加えるか、check を消してください",
        );
    }
    if missing {
        let check = Check {
            id: named("missing", c.stale_after.is_none()),
            title: format!("{}の「{}」の記入漏れ", r.title, c.label),
            remedy: format!("{}を開いて「{}」を記入してください。", r.title, c.label),
            rule: CheckRule::Required {
                register: r.id.clone(),
                column: c.id.clone(),
                when: c.required_when.clone(),
            },
            derived: true,
        };
        known.derive(d.t, "id", check);
    }
    if let Some(after) = c.stale_after {
        let check = Check {
            id: named("stale", true),
            title: format!("{}の「{}」が古いもの", r.title, c.label),
            remedy: format!("現況を確かめて、{}の「{}」を新しい日付にしてください。", r.title, c.label),
            rule: CheckRule::Stale { register: r.id.clone(), column: c.id.clone(), after },
            derived: true,
        };
        known.derive(d.t, "stale_after", check);
    }
}
