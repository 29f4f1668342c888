//! Steps of a procedure, and the overdue checks of those with a deadline.

use crate::by::{Anchor, By, Term};
use crate::expr::{Env, Type};
use crate::files::doc::{At, Table};
use crate::files::fields::fields;
use crate::files::procedures::{field_of, is_date, is_items};
use crate::files::{Known, condition, dangling, ident, need, period, reference, word};
use crate::model::{
    Check, CheckRule, Column, ColumnType, Field, FieldType, HeldBy, OnAbsent, OnEmpty, OnRefusal, Period,
    Quorum, Step, StepKind, Write, WriteValue,
};

const STEP_KINDS: [(&str, StepKind); 9] = [
    ("consult", StepKind::Consult),
    ("permit", StepKind::Permit),
    ("review", StepKind::Review),
    ("confirm", StepKind::Confirm),
    ("report", StepKind::Report),
    ("instruct", StepKind::Instruct),
    ("perform", StepKind::Perform),
    ("resolve", StepKind::Resolve),
    ("inform", StepKind::Inform),
];

const ABSENT: [(&str, OnAbsent); 3] =
    [("wait", OnAbsent::Wait), ("daiketsu", OnAbsent::Daiketsu), ("post_review", OnAbsent::PostReview)];
const EMPTY: [(&str, OnEmpty); 2] = [("block", OnEmpty::Block), ("escalate", OnEmpty::Escalate)];

/// What the steps of one procedure are read with.
pub(crate) struct Reading<'r> {
    pub(crate) fields: &'r [Field],
    /// Evidence of the steps before.
    pub(crate) earlier: &'r [Field],
    pub(crate) env: &'r Env,
    pub(crate) procedure: &'r str,
    pub(crate) title: &'r str,
    pub(crate) permit: bool,
}

/// The steps in order. A report that is delivered to somebody (`to`) brings its acknowledgment as a step of its own.
/// Conditions of a step read the fields, the evidence of the steps before it, and whether those refused; the names at the
/// end come back beside the steps.
pub(crate) fn steps(t: &Table<'_>, r: &Reading<'_>, known: &mut Known) -> (Vec<Step>, Env) {
    let mut out: Vec<Step> = Vec::new();
    let mut env = r.env.clone();
    let mut earlier: Vec<Field> = Vec::new();
    for s in t.tables("step") {
        let mut after = env.clone();
        let read = step(&s, &Reading { env: &env, earlier: &earlier, ..*r }, &mut after, known);
        s.finish();
        for step in read.iter().flatten().filter(|s| is_final(s.kind)) {
            after.declare(&format!("refused_{}", step.id), Type::Bool, None);
        }
        env = after;
        earlier.extend(read.iter().flatten().flat_map(|s| s.evidence.clone()));
        for step in read.into_iter().flatten() {
            if out.iter().any(|x| x.id == step.id) {
                s.error("id", format!("段「{}」が二度あります", step.id), "どちらか一つにしてください");
            } else {
                out.push(step);
            }
        }
    }
    let classes = |s: &Step| s.writes.iter().any(|w| matches!(w.value, WriteValue::Field(_)));
    if out.iter().rev().skip(1).any(classes) {
        t.error(
            "step",
            "分類を台帳に書く段の後に、ほかの段があります",
            "from を使う [[step.write]] は最後の段に置いてください",
        );
    }
    if out.is_empty() && !t.has("step") {
        t.error("step", "段が一つもありません", "[[step]] を加えてください");
    }
    (out, env)
}

fn is_final(kind: StepKind) -> bool {
    matches!(kind, StepKind::Permit | StepKind::Resolve)
}

/// One step, and the acknowledgment of a report; the names of its evidence are added to `env`.
fn step(s: &Table<'_>, r: &Reading<'_>, env: &mut Env, known: &mut Known) -> Option<Vec<Step>> {
    let id = ident(s, "id");
    let title = need(s, "title");
    let kind = word(s, s.need("kind"), &STEP_KINDS);
    let each = reference(s, s.text("each"), "持ち物の項目", field_of(r.fields, is_items));
    // A step with an unreadable holder stays, so that what refers to it is not reported too; the pack is refused anyway.
    let by = by(s, "by", r.fields, known).unwrap_or(By::Term(Term::Applicant));
    let when = condition(s, "when", r.env);
    let within = period(s, "within");
    let dates = field_of(r.fields, is_date).chain(field_of(r.earlier, is_date));
    let due = reference(s, s.text("due"), "日付の項目", dates);
    let every = period(s, "every");
    if every.is_some() && (within.is_some() || due.is_some()) {
        s.error(
            "every",
            "くり返す段に、ほかの期限もあります",
            "within と due を消すか、every を消してください",
        );
    }
    if every.is_some() && !r.permit {
        s.error(
            "every",
            "くり返す段には、続く期間（permit）が要ります",
            "[permit] を加えるか、every を消してください",
        );
    }
    let on_absent = word(s, s.text("on_absent"), &ABSENT).unwrap_or(OnAbsent::Wait);
    let on_empty = word(s, s.text("on_empty"), &EMPTY).unwrap_or(OnEmpty::Block);
    let last = kind.is_some_and(|k| matches!(k, StepKind::Permit | StepKind::Resolve));
    if last && on_absent == OnAbsent::PostReview {
        s.error(
            "on_absent",
            "許可や議決の段は後閲で飛ばせません",
            "\"daiketsu\"（代決）か \"wait\"（待つ）にしてください",
        );
    }
    let no_daiketsu_when = condition(s, "no_daiketsu_when", r.env);
    if no_daiketsu_when.is_some() && on_absent != OnAbsent::Daiketsu {
        s.error(
            "no_daiketsu_when",
            "代決のない段です",
            "on_absent = \"daiketsu\" を加えるか、no_daiketsu_when を消してください",
        );
    }
    let roles = known.roles.keys().cloned().collect::<Vec<_>>();
    let instead_of = reference(s, s.text("instead_of"), "役割", roles.iter().map(String::as_str));
    if instead_of.is_some() && kind.is_some() && !last {
        s.error(
            "instead_of",
            "専決は、許可か議決の段だけのものです",
            "kind を \"permit\" か \"resolve\" にするか、instead_of を消してください",
        );
    }
    let procedures: Vec<String> = known.procedure_ids.iter().cloned().collect();
    let opens = reference(s, s.text("opens"), "手続", procedures.iter().map(String::as_str));
    if opens.as_deref() == Some(r.procedure) {
        s.error("opens", "自分と同じ手続を開く段は終わりません", "別の手続の id にしてください");
    }
    let quorum = quorum(s);
    let evidence = evidence(s, r.fields, known, env);
    let refusals = [("end", OnRefusal::End), ("go_on", OnRefusal::GoOn)];
    let on_refusal = word(s, s.text("on_refusal"), &refusals).unwrap_or_default();
    let writes = writes(s, r, known);
    let bulk = s.flag("bulk");
    if bulk && !evidence.is_empty() {
        s.error(
            "bulk",
            "記録の項目がある段は、まとめて処理できません",
            "bulk を消すか、[[step.evidence]] を消してください",
        );
    }
    let check = s.text("check");
    let acknowledged = acknowledgment(s, kind, r, known);
    let (Some(id), Some(kind)) = (id, kind) else { return None };
    // Also for a deadline that could not be read, so that what names the check is not reported too.
    let deadline = s.has("within") || s.has("due") || s.has("every");
    if deadline {
        let derived = Check {
            id: check.map_or_else(|| format!("overdue_{}_{}", r.procedure, id.value), |a| a.value),
            title: format!("{}の「{title}」の期限切れ", r.title),
            remedy: format!("案件を開いて「{title}」を済ませてください。"),
            rule: CheckRule::Overdue { procedure: r.procedure.to_owned(), step: Some(id.value.clone()) },
            derived: true,
        };
        known.derive(s, "id", derived);
    } else if check.is_some() {
        s.error(
            "check",
            "期限のない段からは検査が作られません",
            "within か due を加えるか、check を消してください",
        );
    }
    let step = Step {
        id: id.value,
        title,
        kind,
        each,
        by,
        when,
        within,
        due,
        on_absent,
        on_empty,
        quorum,
        instead_of,
        no_daiketsu_when,
        every,
        opens,
        on_refusal,
        writes,
        bulk,
        evidence,
    };
    let reading = acknowledged.map(|(by, within)| reading_step(&step, by, within));
    Some([Some(step), reading].into_iter().flatten().collect())
}

/// `quorum = "one"`, `"all"` or a number.
fn quorum(s: &Table<'_>) -> Quorum {
    let Some(at) = s.text("quorum") else { return Quorum::One };
    match at.value.as_str() {
        "one" => Quorum::One,
        "all" => Quorum::All,
        n => match n.parse::<u32>().ok().filter(|n| (1..=50).contains(n)) {
            Some(n) => Quorum::AtLeast(n),
            None => {
                let text = format!("「{n}」は人数として読めません");
                s.src.error(
                    at.line,
                    &at.key,
                    text,
                    "\"one\"（一人）、\"all\"（全員）か、\"3\" のような人数にしてください",
                );
                Quorum::One
            }
        },
    }
}

/// To whom a report is delivered, and until when it is to be acknowledged.
fn acknowledgment(
    s: &Table<'_>,
    kind: Option<StepKind>,
    r: &Reading<'_>,
    known: &Known,
) -> Option<(By, Option<Period>)> {
    let within = period(s, "acknowledge_within");
    if !s.has("to") {
        if within.is_some() {
            s.error(
                "acknowledge_within",
                "報告の相手が書かれていません",
                "to = \"役割の id\" を加えてください",
            );
        }
        return None;
    }
    let to = by(s, "to", r.fields, known);
    if kind != Some(StepKind::Report) {
        s.error(
            "to",
            "報告でない段に相手が書かれています",
            "kind を \"report\" にするか、to を消してください",
        );
    }
    to.map(|by| (by, within))
}

/// The step in which whoever a report is delivered to acknowledges it.
fn reading_step(report: &Step, by: By, within: Option<Period>) -> Step {
    Step {
        id: format!("{}_read", report.id),
        title: format!("{}の受領", report.title),
        kind: StepKind::Inform,
        each: None,
        by,
        when: report.when.clone(),
        within,
        due: None,
        on_absent: OnAbsent::Wait,
        on_empty: OnEmpty::Escalate,
        quorum: Quorum::One,
        instead_of: None,
        no_daiketsu_when: None,
        every: None,
        opens: None,
        on_refusal: OnRefusal::End,
        writes: vec![],
        bulk: false,
        evidence: vec![],
    }
}

/// `[[step.write]]`: what is written into the rows of the items; every register they may come from must have the column.
fn writes(s: &Table<'_>, r: &Reading<'_>, known: &Known) -> Vec<Write> {
    let mut out = Vec::new();
    for w in s.tables("write") {
        let column = ident(&w, "column");
        let field = reference(&w, w.text("field"), "持ち物の項目", field_of(r.fields, is_items));
        let from = reference(&w, w.text("from"), "項目", r.fields.iter().map(|f| f.id.as_str()));
        let value = if w.has("from") { w.text("value") } else { w.need("value") };
        w.finish();
        let meant = r.fields.iter().filter(|f| field.as_ref().is_none_or(|id| *id == f.id));
        let registers: Vec<&String> = meant
            .flat_map(|f| if let FieldType::Items(l) = &f.kind { l.iter().collect() } else { vec![] })
            .collect();
        if w.has("from") {
            if value.is_some() {
                w.error("value", "value と from が両方あります", "どちらか一つにしてください");
            }
            if let (Some(column), Some(from)) = (column, from) {
                out.extend(class_write(&w, &column.value, &from, field, r, &registers, known));
            }
            continue;
        }
        let (Some(column), Some(value)) = (column, value) else { continue };
        if registers.is_empty() {
            w.error(
                "column",
                "持ち物のない手続では台帳に書けません",
                "type = \"items\" の項目を加えてください",
            );
        }
        for id in &registers {
            let found = known.registers.get(*id).map(|r| r.columns.iter().find(|c| c.id == column.value));
            match found {
                Some(None) => {
                    let text = format!("台帳「{id}」に列「{}」がありません", column.value);
                    w.error("column", text, "書く先の列を台帳に加えるか、別の列にしてください");
                }
                Some(Some(c)) if !writable(c, &value.value) => {
                    let text = format!("台帳「{id}」の列「{}」に「{}」は書けません", c.label, value.value);
                    w.error(
                        "value",
                        text,
                        "選択肢の code、true/false、\"today\"（日付）、\"number\"（案件の番号）のどれかにしてください",
                    );
                }
                _ => {}
            }
        }
        out.push(Write { column: column.value, value: WriteValue::Text(value.value), field });
    }
    out
}

/// `from = "…"`: the class that a field of the application asks for, in a column of that axis in every register.
fn class_write(
    w: &Table<'_>,
    column: &str,
    from: &str,
    field: Option<String>,
    r: &Reading<'_>,
    registers: &[&String],
    known: &Known,
) -> Option<Write> {
    let choices = r.fields.iter().find(|f| f.id == from).map(|f| f.choices.as_slice())?;
    let fits = |id: &&&String| {
        let of = known.registers.get(**id).and_then(|r| r.columns.iter().find(|c| c.id == column));
        let axis = of.and_then(|c| if let ColumnType::Class(axis) = &c.kind { Some(axis) } else { None });
        axis.is_some_and(|axis| !choices.is_empty() && known.classification.targets(axis) == choices)
    };
    if registers.is_empty() || !registers.iter().all(|id| fits(&id)) {
        let text = format!("項目「{from}」の分類を列「{column}」に書けません");
        w.error("from", text, "type = \"class\" の項目と、対象の台帳すべてにある同じ軸の列にしてください");
        return None;
    }
    Some(Write { column: column.to_owned(), value: WriteValue::Field(from.to_owned()), field })
}

/// Choices by code, dates by `today`, truth values, plain text, the number of the case.
fn writable(c: &Column, value: &str) -> bool {
    match c.kind {
        _ if c.many => false,
        ColumnType::Choice => c.choices.iter().any(|x| x.code == value),
        ColumnType::Date => value == "today",
        ColumnType::Bool => matches!(value, "true" | "false"),
        ColumnType::Text | ColumnType::LongText => true,
        ColumnType::Code => value == "number",
        _ => false,
    }
}

/// Evidence fields: they may not take the id of a field of the application.
fn evidence(s: &Table<'_>, application: &[Field], known: &Known, env: &mut Env) -> Vec<Field> {
    let evidence = fields(s, "evidence", known, env);
    for f in &evidence {
        if application.iter().any(|a| a.id == f.id) {
            s.error(
                "evidence",
                format!("記録の項目「{}」は申請の項目と同じ id です", f.id),
                "別の id にしてください",
            );
        }
    }
    evidence
}

pub(crate) fn by(s: &Table<'_>, key: &str, fields: &[Field], known: &Known) -> Option<By> {
    let at = s.need(key);
    // `of` anchors the step's own holder; to whom a report goes is written with its anchor.
    let of = if key == "by" { s.text("of") } else { None };
    let anchor = of.and_then(|of| match of.value.parse::<Anchor>() {
        Ok(a) => Some(a),
        Err(e) => {
            s.src.error(of.line, &of.key, e.problem, "of = \"applicant.section\" のように書いてください");
            None
        }
    });
    let at = at?;
    let by = match By::parse(&at.value) {
        Ok(by) => anchor.into_iter().fold(by, By::with_anchor),
        Err(e) => {
            let text = format!("担当の{}文字目: {}", e.column, e.problem);
            s.src.error(
                at.line,
                &at.key,
                text,
                "例: \"section_security_manager of applicant.section\"、\"item.managed_by\"、\"a and b\"",
            );
            return None;
        }
    };
    for term in by.terms() {
        match term {
            Term::Applicant => {}
            Term::ItemManager { .. } => managers(s, &at, fields, known),
            Term::Role { role, of } => match known.roles.get(role) {
                None => dangling(
                    s,
                    &At { value: role.clone(), ..at.clone() },
                    "役割",
                    known.roles.keys().map(String::as_str),
                ),
                Some(r) if of.is_none() && matches!(r.held_by, HeldBy::HeadOf(_) | HeldBy::Titled(_)) => {
                    let text = format!("「{}」がどの所属の職かが書かれていません", r.title);
                    s.src.error(
                        at.line,
                        &at.key,
                        text,
                        "of = \"applicant.section\" か、by の中に of を加えてください",
                    );
                }
                Some(_) => {}
            },
        }
    }
    Some(by)
}

/// `item.managed_by` needs items whose registers name a manager.
fn managers(s: &Table<'_>, at: &At<String>, fields: &[Field], known: &Known) {
    let lists: Vec<&String> = fields
        .iter()
        .flat_map(|f| if let FieldType::Items(l) = &f.kind { l.iter().collect() } else { vec![] })
        .collect();
    if lists.is_empty() {
        s.src.error(
            at.line,
            &at.key,
            "item.managed_by を使えるのは、持ち物の項目がある手続だけです",
            "type = \"items\" の項目を加えてください",
        );
    }
    for id in lists {
        if known.registers.get(id).is_some_and(|r| r.managed_by.is_none()) {
            let text = format!("台帳「{id}」に managed_by がないため、item.managed_by が決まりません");
            s.src.error(
                at.line,
                &at.key,
                text,
                format!("registers/{id}.toml に managed_by = \"役割の id\" を加えてください"),
            );
        }
    }
}
