//! Checking what people fill in, against the procedure's fields.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::{Date, limits};
use sekisho_pack::expr::Bindings;
use sekisho_pack::model::{Field, FieldType, Procedure, Step};
use serde_json::Value;

use super::{Ctx, Draft};
use crate::case::{CaseState, Content, Item};
use crate::facts;
use crate::handling::{Handling, HandlingFacts, decide_handling};
use crate::refusal::FieldFault;

/// What is wrong with a draft, in form order; nothing when it can be applied for.
#[must_use]
pub fn check_form(procedure: &Procedure, ctx: &Ctx<'_>, draft: &Draft) -> Vec<FieldFault> {
    let content = content(procedure, ctx, draft);
    let b = facts::bindings(&content, &ctx.pack.classification, ctx.today());
    let mut faults = check_fields(&procedure.fields, &draft.fields, &b, &draft.items);
    faults.extend(check_items(procedure, &draft.items));
    // Where the form itself said already what is wrong with the last day, once is enough.
    let period = check_period(procedure, &draft.fields, ctx.today());
    faults
        .extend(period.into_iter().filter(|p| faults.iter().all(|f| f.field != p.field)).collect::<Vec<_>>());
    faults.extend(check_clauses(procedure, ctx, &draft.fields));
    faults.extend(check_attachments(draft));
    faults
}

/// The content that a draft becomes.
pub(super) fn content(procedure: &Procedure, ctx: &Ctx<'_>, draft: &Draft) -> Content {
    let handling = handling_of(procedure, ctx, &draft.items);
    Content {
        fields: draft.fields.clone(),
        attachments: draft.attachments.clone(),
        items: draft.items.clone(),
        handling,
    }
}

/// The handling decision over a procedure's items.
pub(super) fn handling_of(procedure: &Procedure, ctx: &Ctx<'_>, items: &[Item]) -> Option<Handling> {
    let act = procedure.handling.as_ref()?;
    let facts = HandlingFacts {
        classes: items.iter().map(|i| i.snapshot.class.clone()).collect(),
        facts: items.iter().map(|i| i.snapshot.values()).collect(),
    };
    decide_handling(ctx.pack, act, &facts, ctx.today())
}

/// Faults of a step's evidence.
pub(super) fn check_evidence(
    step: &Step,
    state: &CaseState,
    evidence: &BTreeMap<String, Value>,
    ctx: &Ctx<'_>,
) -> Vec<FieldFault> {
    let mut b = facts::case_bindings(state, &ctx.pack.classification, ctx.today());
    for (id, v) in evidence {
        b = b.with(id, facts::value(v));
    }
    check_fields(&step.evidence, evidence, &b, &[])
}

/// Faults of what was not typed by a person: only what is given is looked at.
pub(super) fn check_types(procedure: &Procedure, draft: &Draft) -> Vec<FieldFault> {
    let given = |f: &Field| draft.fields.get(&f.id).filter(|v| !facts::value(v).is_empty());
    let typed = procedure.fields.iter().filter_map(|f| Some((f, wrong_type(f, given(f)?)?)));
    let mut faults: Vec<FieldFault> = typed.map(|(f, message)| fault(&f.id, message)).collect();
    faults.extend(check_items(procedure, &draft.items));
    faults
}

/// Faults of conditions set on a permit.
pub(super) fn check_conditions(conditions: &[String]) -> Vec<FieldFault> {
    let long = conditions.len() > 20 || conditions.iter().any(|c| c.chars().count() > limits::LINE_CHARS);
    let message = format!("条件は20件まで、1件{}文字以内で記入してください。", limits::LINE_CHARS);
    long.then(|| fault("conditions", message)).into_iter().collect()
}

fn check_fields(
    fields: &[Field],
    given: &BTreeMap<String, Value>,
    b: &Bindings,
    items: &[Item],
) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    for field in fields {
        let value = given.get(&field.id).filter(|v| !facts::value(v).is_empty());
        let has_items = items.iter().any(|i| i.field == field.id);
        let present = if matches!(field.kind, FieldType::Items(_)) { has_items } else { value.is_some() };
        let required =
            field.required || field.required_when.as_ref().is_some_and(|e| e.eval_bool(b).unwrap_or(true));
        if !present {
            if required {
                let verb = match field.kind {
                    FieldType::Choice | FieldType::Items(_) | FieldType::File => "選んで",
                    _ => "入力して",
                };
                faults.push(fault(&field.id, format!("{}を{verb}ください。", field.label)));
            }
            continue;
        }
        if let Some(message) = value.and_then(|v| wrong_type(field, v)) {
            faults.push(fault(&field.id, message));
            continue;
        }
        if let Some(limit) = &field.limit
            && limit.eval_bool(b) != Some(true)
        {
            let says = field
                .limit_says
                .clone()
                .unwrap_or_else(|| format!("{}の値が条件に合いません。", field.label));
            faults.push(fault(&field.id, says));
        }
    }
    let known: BTreeSet<&str> = fields.iter().map(|f| f.id.as_str()).collect();
    // What was read of a row that a field names comes with it.
    let of_row = |id: &str| {
        let row = id.split_once('.').map(|(field, _)| field);
        fields.iter().any(|f| matches!(f.kind, FieldType::Row(_)) && row == Some(f.id.as_str()))
    };
    for id in given.keys().filter(|id| !known.contains(id.as_str()) && !of_row(id)) {
        faults.push(fault(
            id,
            format!("「{}」という項目はこの様式にありません。", sekisho_base::text::shorten(id, 40)),
        ));
    }
    faults
}

fn wrong_type(field: &Field, v: &Value) -> Option<String> {
    let label = &field.label;
    let text = |limit: usize, lines: bool| match v.as_str() {
        None => Some(format!("{label}は文字で入力してください。")),
        Some(s) if s.chars().count() > limit => Some(format!("{label}は{limit}文字以内で入力してください。")),
        Some(s) if !lines && s.contains(['\n', '\r']) => Some(format!("{label}は1行で入力してください。")),
        Some(s) if s.chars().all(char::is_whitespace) => Some(format!("{label}を入力してください。")),
        Some(_) => None,
    };
    match &field.kind {
        FieldType::Text => text(limits::LINE_CHARS, false),
        FieldType::LongText => text(limits::TEXT_CHARS, true),
        FieldType::Date => {
            let ok = v.as_str().is_some_and(|s| s.parse::<Date>().is_ok());
            (!ok).then(|| format!("{label}は日付で入力してください。"))
        }
        FieldType::Integer => v.as_i64().is_none().then(|| format!("{label}は整数で入力してください。")),
        FieldType::Bool => {
            v.as_bool().is_none().then(|| format!("{label}は「はい」か「いいえ」で答えてください。"))
        }
        FieldType::Choice => {
            let ok = v.as_str().is_some_and(|s| field.choices.iter().any(|c| c.code == s));
            (!ok).then(|| format!("{label}は選択肢から選んでください。"))
        }
        FieldType::Row(_) => text(limits::LINE_CHARS, false),
        FieldType::File => {
            let sha = v.as_str().and_then(|s| s.split_once(' ')).is_some_and(|(sha, _)| is_sha256(sha));
            (!sha).then(|| format!("{label}のファイルを選んでください。"))
        }
        FieldType::Clauses => {
            let ids = v.as_array().is_some_and(|l| l.len() <= 50 && l.iter().all(Value::is_string));
            (!ids).then(|| format!("{label}は条項の番号で入力してください。"))
        }
        FieldType::Items(_) => Some(format!("{label}は台帳から選んでください。")),
    }
}

fn check_items(procedure: &Procedure, items: &[Item]) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for item in items {
        let Some(field) = procedure.fields.iter().find(|f| f.id == item.field) else {
            faults.push(fault(&item.field, "この様式にない項目に台帳の行が選ばれています。".to_owned()));
            continue;
        };
        let allowed =
            matches!(&field.kind, FieldType::Items(registers) if registers.contains(&item.register));
        if !allowed {
            faults.push(fault(
                &field.id,
                format!("「{}」はこの手続の対象になる台帳のものではありません。", item.name),
            ));
        }
        if !seen.insert(item.key()) {
            faults.push(fault(&field.id, format!("「{}」が二度選ばれています。", item.name)));
        }
    }
    let most = procedure.most_items();
    if items.len() > most {
        let field = items.first().map(|i| i.field.as_str()).unwrap_or_default();
        faults.push(fault(field, format!("一度に申請できるのは{most}件までです。分けて申請してください。")));
    }
    faults
}

/// The permit's period: it begins before it ends, is not over already, and ends with the fiscal year where the pack
/// says so.
fn check_period(procedure: &Procedure, fields: &BTreeMap<String, Value>, today: Date) -> Vec<FieldFault> {
    let Some(spec) = &procedure.permit else { return vec![] };
    let date = |id: &str| fields.get(id).and_then(Value::as_str).and_then(|s| s.parse::<Date>().ok());
    let (Some(from), Some(until)) = (date(&spec.from), date(&spec.until)) else { return vec![] };
    let label = |id: &String| procedure.fields.iter().find(|f| f.id == *id).map_or("", |f| f.label.as_str());
    let message = if until < from {
        format!("{}は、{}か、それより後の日にしてください。", label(&spec.until), label(&spec.from))
    } else if until < today {
        format!("{}が過ぎています。今日か、それより後の日を入力してください。", label(&spec.until))
    } else if spec.within_fiscal_year && until > from.fiscal_year_end() {
        format!("期間は年度の末日（{}）までにしてください。", from.fiscal_year_end().wareki())
    } else {
        return vec![];
    };
    vec![fault(&spec.until, message)]
}

fn is_sha256(s: &str) -> bool {
    s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Clauses that an exception is asked from must be in the pack.
fn check_clauses(procedure: &Procedure, ctx: &Ctx<'_>, fields: &BTreeMap<String, Value>) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    for field in procedure.fields.iter().filter(|f| f.kind == FieldType::Clauses) {
        let ids =
            fields.get(&field.id).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for id in ids.filter(|id| ctx.pack.clauses.iter().all(|c| c.id != **id)) {
            let shown = sekisho_base::text::shorten(id, 40);
            faults.push(fault(
                &field.id,
                format!("条項「{shown}」は基準にありません。番号を確かめてください。"),
            ));
        }
    }
    faults
}

fn check_attachments(draft: &Draft) -> Vec<FieldFault> {
    let wrong = draft.attachments.iter().find(|a| !is_sha256(&a.sha256));
    wrong
        .map(|a| {
            fault(
                "attachments",
                format!("添付「{}」のハッシュ値が正しくありません。添付し直してください。", a.name),
            )
        })
        .into_iter()
        .collect()
}

fn fault(field: &str, message: String) -> FieldFault {
    FieldFault { field: field.to_owned(), message }
}
