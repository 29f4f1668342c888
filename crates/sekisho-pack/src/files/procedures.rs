//! `procedures/*.toml`, and the overdue checks of their steps.

use crate::by::{Anchor, By, Term};
use crate::expr::Env;
use crate::files::doc::{At, Table};
use crate::files::fields::fields;
use crate::files::{ACTS, Known, condition, dangling, file_id, ident, need, period, reference, word};
use crate::model::{
    Check, CheckRule, Field, FieldType, HeldBy, OnAbsent, OnEmpty, PermitSpec, Procedure, Step, StepKind,
};
use crate::paths;

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

pub(crate) fn procedure(t: &Table<'_>, stem: &str, known: &mut Known) {
    file_id(t, stem);
    let mut env = known.item_env();
    let fields = fields(t, "field", known, &mut env);
    let title = need(t, "title");
    let clauses = t.texts("clauses");
    for c in clauses.iter().filter(|c| !known.clauses.contains(&c.value)) {
        dangling(t, c, "条項", known.clauses.iter().map(String::as_str));
    }
    let number = t.need("number");
    if let Some(at) = &number {
        check_number(t, at);
    }
    let steps = steps(t, &fields, &env, stem, &title, known);
    let permit = t.table("permit").map(|p| permit(&p, &fields));
    let decided = steps.iter().any(|s| matches!(s.kind, StepKind::Permit | StepKind::Resolve));
    if (decided || permit.is_some())
        && let Some(path) = paths::undecided(&steps, &env)
    {
        let text = format!("許可も議決もないまま終わる道筋があります（{path}）");
        t.src.error(
            t.line_of("step"),
            "step",
            text,
            "許可か議決の段のどれかから when を外すか、when がどの場合も受け止めるようにしてください",
        );
    }
    let wish: Vec<String> = t.texts("wish").into_iter().map(|a| a.value).collect();
    if wish.is_empty() {
        t.src.warn(
            t.line,
            "wish",
            "wish がないため、職員がこの手続を探せません",
            "したいことの言葉（例: 「USBメモリを持ち出したい」）を並べてください",
        );
    }
    let p = Procedure {
        id: stem.to_owned(),
        title,
        wish,
        register: t.text("register").map(|a| a.value),
        number: number.map(|a| a.value).unwrap_or_default(),
        clauses: clauses.into_iter().map(|a| a.value).collect(),
        handling: reference(t, t.text("handling"), "行為", ACTS.into_iter()),
        fields,
        steps,
        permit,
        form: reference(t, t.text("form"), "様式", known.forms.iter().map(String::as_str)),
    };
    t.finish();
    known.procedures.insert(stem.to_owned(), p);
}

/// `持出-{年度}-{seq:04}`: one sequence, the fiscal year, nothing else in braces.
fn check_number(t: &Table<'_>, at: &At<String>) {
    let wrong = |problem: String| {
        t.src.error(
            at.line,
            &at.key,
            problem,
            "「持出-{年度}-{seq:04}」のように、{年度} と {seq:けた数} を一つずつ入れてください",
        );
    };
    let mut rest = at.value.as_str();
    let (mut years, mut sequences) = (0, 0);
    while let Some(open) = rest.find(['{', '}']) {
        let tail = rest.get(open..).unwrap_or("");
        let Some(end) = tail.find('}').filter(|_| tail.starts_with('{')) else {
            return wrong("番号の形の { } が閉じていません".to_owned());
        };
        let inside = tail.get(1..end).unwrap_or("");
        let digits = inside.strip_prefix("seq:0").and_then(|d| d.parse::<u8>().ok());
        if inside == "年度" {
            years += 1;
        } else if digits.is_some_and(|d| (1..=9).contains(&d)) {
            sequences += 1;
        } else {
            return wrong(format!("番号の形の {{{inside}}} は使えません"));
        }
        rest = tail.get(end + 1..).unwrap_or("");
    }
    if (years, sequences) != (1, 1) || at.value.chars().count() > 60 {
        wrong("番号の形が正しくありません".to_owned());
    }
}

fn field_of(fields: &[Field], want: fn(&FieldType) -> bool) -> impl Iterator<Item = &str> + Clone {
    fields.iter().filter(move |f| want(&f.kind)).map(|f| f.id.as_str())
}

fn is_date(k: &FieldType) -> bool {
    *k == FieldType::Date
}

fn is_items(k: &FieldType) -> bool {
    matches!(k, FieldType::Items(_))
}

fn permit(p: &Table<'_>, fields: &[Field]) -> PermitSpec {
    let dates = || field_of(fields, is_date);
    let spec = PermitSpec {
        title: need(p, "title"),
        from: reference(p, p.need("from"), "日付の項目", dates()).unwrap_or_default(),
        until: reference(p, p.need("until"), "日付の項目", dates()).unwrap_or_default(),
        within_fiscal_year: p.flag("within_fiscal_year"),
        blanket: reference(
            p,
            p.text("blanket"),
            "はい・いいえの項目",
            field_of(fields, |k| *k == FieldType::Bool),
        ),
    };
    p.finish();
    spec
}

fn steps(
    t: &Table<'_>,
    fields: &[Field],
    env: &Env,
    procedure: &str,
    procedure_title: &str,
    known: &mut Known,
) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::new();
    for s in t.tables("step") {
        let id = ident(&s, "id");
        let title = need(&s, "title");
        let kind = word(&s, s.need("kind"), &STEP_KINDS);
        let each = reference(&s, s.text("each"), "持ち物の項目", field_of(fields, is_items));
        let by = by(&s, fields, known);
        let when = condition(&s, "when", env);
        let within = period(&s, "within");
        let due = reference(&s, s.text("due"), "日付の項目", field_of(fields, is_date));
        if within.is_some() && due.is_some() {
            s.error("due", "within と due が両方あります", "期限はどちらか一つにしてください");
        }
        let absent = [
            ("wait", OnAbsent::Wait),
            ("daiketsu", OnAbsent::Daiketsu),
            ("post_review", OnAbsent::PostReview),
        ];
        let on_absent = word(&s, s.text("on_absent"), &absent).unwrap_or(OnAbsent::Wait);
        let empty = [("block", OnEmpty::Block), ("escalate", OnEmpty::Escalate)];
        let on_empty = word(&s, s.text("on_empty"), &empty).unwrap_or(OnEmpty::Block);
        let mut evidence_env = env.clone();
        let evidence = evidence(&s, fields, known, &mut evidence_env);
        let check = s.text("check");
        let last = kind.is_some_and(|k| matches!(k, StepKind::Permit | StepKind::Resolve));
        if last && on_absent == OnAbsent::PostReview {
            s.error(
                "on_absent",
                "許可や議決の段は後閲で飛ばせません",
                "\"daiketsu\"（代決）か \"wait\"（待つ）にしてください",
            );
        }
        s.finish();
        // A step with an unreadable holder stays, so that what refers to it is not reported too; the pack is refused anyway.
        let by = by.unwrap_or(By::Term(Term::Applicant));
        let (Some(id), Some(kind)) = (id, kind) else { continue };
        if out.iter().any(|x| x.id == id.value) {
            s.src.error(
                id.line,
                &id.key,
                format!("段「{}」が二度あります", id.value),
                "どちらか一つにしてください",
            );
            continue;
        }
        if within.is_some() || due.is_some() {
            let derived = Check {
                id: check.map_or_else(|| format!("overdue_{procedure}_{}", id.value), |a| a.value),
                title: format!("{procedure_title}の「{title}」の期限切れ"),
                remedy: format!("案件を開いて「{title}」を済ませてください。"),
                rule: CheckRule::Overdue { procedure: procedure.to_owned(), step: Some(id.value.clone()) },
                derived: true,
            };
            known.derive(&s, "id", derived);
        } else if check.is_some() && !s.has("within") && !s.has("due") {
            s.error(
                "check",
                "期限のない段からは検査が作られません",
                "within か due を加えるか、check を消してください",
            );
        }
        out.push(Step {
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
            evidence,
        });
    }
    if out.is_empty() && !t.has("step") {
        t.error("step", "段が一つもありません", "[[step]] を加えてください");
    }
    out
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

fn by(s: &Table<'_>, fields: &[Field], known: &Known) -> Option<By> {
    let at = s.need("by");
    let anchor = s.text("of").and_then(|of| match of.value.parse::<Anchor>() {
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
                Some(r) if of.is_none() && matches!(r.held_by, HeldBy::HeadOf(_)) => {
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
