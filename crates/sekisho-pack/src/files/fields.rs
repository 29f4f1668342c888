//! Fields of forms and evidence, and choices, which registers share.

use std::collections::BTreeSet;

use crate::expr::{Env, Type};
use crate::files::doc::Table;
use crate::files::{Known, condition, dangling, ident, need, reference, word};
use crate::model::{Choice, Field, FieldType};

/// Names that conditions cannot read, because CEL keeps them.
const RESERVED: [&str; 22] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "today",
    "true",
    "var",
    "void",
    "while",
];

/// Reports an id that a condition could not read.
pub(crate) fn not_reserved(t: &Table<'_>, id: &crate::files::doc::At<String>) {
    if RESERVED.contains(&id.value.as_str()) || id.value == "class" {
        t.src.error(
            id.line,
            &id.key,
            format!("「{}」は条件の言葉なので id に使えません", id.value),
            "別の id にしてください",
        );
    }
}

pub(crate) fn choices(t: &Table<'_>, is_choice: bool) -> Vec<Choice> {
    let mut out: Vec<Choice> = Vec::new();
    for c in t.tables("choices") {
        let (code, label) = (ident(&c, "code"), need(&c, "label"));
        c.finish();
        let Some(code) = code else { continue };
        if out.iter().any(|x| x.code == code.value) {
            c.src.error(
                code.line,
                &code.key,
                format!("選択肢「{}」が二度あります", code.value),
                "どちらか一つにしてください",
            );
            continue;
        }
        out.push(Choice { code: code.value, label });
    }
    if is_choice && out.is_empty() && !t.has("choices") {
        t.error(
            "choices",
            "選択肢がありません",
            "choices = [{ code = \"yes\", label = \"はい\" }] のように書いてください",
        );
    }
    if !is_choice && t.has("choices") {
        t.error(
            "choices",
            "choice でない項目に選択肢があります",
            "type を \"choice\" にするか、choices を消してください",
        );
    }
    out
}

/// Type of a field in conditions.
fn type_of(f: &FieldType, choices: &[Choice]) -> Type {
    match f {
        FieldType::Text | FieldType::LongText => Type::Text,
        FieldType::Date => Type::Date,
        FieldType::Integer => Type::Int,
        FieldType::Bool => Type::Bool,
        FieldType::Choice => Type::choice_of(choices),
        FieldType::Items(_) => Type::List(None),
        FieldType::Row(_) | FieldType::File => Type::Text,
        FieldType::Clauses => Type::List(None),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    LongText,
    Date,
    Integer,
    Bool,
    Choice,
    Items,
    Row,
    Clauses,
    File,
    Class,
}

/// Fields below `name`; their conditions read `env`, which gains their names.
pub(crate) fn fields(t: &Table<'_>, name: &str, known: &Known, env: &mut Env) -> Vec<Field> {
    let tables = t.tables(name);
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    for f in &tables {
        let id = ident(f, "id");
        let words = [
            ("text", Kind::Text),
            ("long_text", Kind::LongText),
            ("date", Kind::Date),
            ("integer", Kind::Integer),
            ("bool", Kind::Bool),
            ("choice", Kind::Choice),
            ("items", Kind::Items),
            ("row", Kind::Row),
            ("clauses", Kind::Clauses),
            ("file", Kind::File),
            ("class", Kind::Class),
        ];
        let axis = reference(f, f.text("axis"), "軸", known.classification.axes.keys().map(String::as_str));
        let word = word(f, f.need("type"), &words);
        if word.is_some() && matches!(word, Some(Kind::Class)) != f.has("axis") {
            f.error(
                "axis",
                "axis は type = \"class\" の項目に要り、ほかの項目には使えません",
                "axis = \"confidentiality\" のように、どの軸の分類かを書いてください",
            );
        }
        let kind = match word {
            None => None,
            Some(Kind::Text) => Some(FieldType::Text),
            Some(Kind::LongText) => Some(FieldType::LongText),
            Some(Kind::Date) => Some(FieldType::Date),
            Some(Kind::Integer) => Some(FieldType::Integer),
            Some(Kind::Bool) => Some(FieldType::Bool),
            Some(Kind::Choice | Kind::Class) => Some(FieldType::Choice),
            Some(Kind::Items) => Some(FieldType::Items(registers_of(f, known))),
            Some(Kind::Clauses) => Some(FieldType::Clauses),
            Some(Kind::File) => Some(FieldType::File),
            Some(Kind::Row) => Some(FieldType::Row(register_of(f, known))),
        };
        // A new class is chosen among the axis' levels and the conversions of classification.toml.
        let choices = match axis {
            Some(axis) => known.classification.targets(&axis),
            None => choices(f, matches!(kind, Some(FieldType::Choice))),
        };
        if let Some(id) = &id {
            not_reserved(f, id);
            if !seen.insert(id.value.clone()) {
                f.src.error(
                    id.line,
                    &id.key,
                    format!("項目「{}」が二度あります", id.value),
                    "どちらか一つにしてください",
                );
            }
            if let Some(kind) = &kind {
                env.declare(&id.value, type_of(kind, &choices), None);
            }
        }
        read.push((f, id, kind, choices));
    }
    let mut out = Vec::new();
    for (_, id, kind, _) in &read {
        let (Some(id), Some(FieldType::Row(register))) = (id, kind) else { continue };
        let named = known.registers.get(register).into_iter();
        for fact in named.flat_map(|r| r.facts_for(&id.value, "")) {
            env.declare(&fact.id, type_of(&fact.kind, &fact.choices), None);
        }
    }
    for (f, id, kind, choices) in read {
        let field = Field {
            id: id.map(|a| a.value).unwrap_or_default(),
            label: need(f, "label"),
            help: f.text("help").map(|a| a.value),
            kind: kind.unwrap_or(FieldType::Text),
            required: f.flag("required"),
            required_when: condition(f, "required_when", env),
            limit: condition(f, "limit", env),
            limit_says: f.text("limit_says").map(|a| a.value),
            choices,
            personal: f.flag("personal"),
        };
        if f.has("limit") && !f.has("limit_says") {
            f.error("limit", "limit に合わないときの説明がありません", "limit_says = \"…\" を加えてください");
        }
        f.finish();
        if !field.id.is_empty() {
            out.push(field);
        }
    }
    out
}

fn register_of(f: &Table<'_>, known: &Known) -> String {
    let Some(at) = f.need("register") else { return String::new() };
    if !known.register_ids.contains(&at.value) {
        dangling(f, &at, "台帳", known.register_ids.iter().map(String::as_str));
    }
    at.value
}

fn registers_of(f: &Table<'_>, known: &Known) -> Vec<String> {
    let list = f.texts("registers");
    if list.is_empty() {
        f.error(
            "registers",
            "どの台帳から選ぶかが書かれていません",
            "registers = [\"asset\", \"media\"] のように書いてください",
        );
    }
    for r in list.iter().filter(|r| !known.register_ids.contains(&r.value)) {
        dangling(f, r, "台帳", known.register_ids.iter().map(String::as_str));
    }
    list.into_iter().map(|r| r.value).collect()
}
