//! `procedures/*.toml`.

use crate::by::Term;
use crate::files::doc::{At, Table};
use crate::files::fields::fields;
use crate::files::sound::sound;
use crate::files::steps::{Reading, steps};
use crate::files::{ACTS, Known, dangling, file_id, need, period, reference};
use crate::model::{Field, FieldType, PermitSpec, Procedure, StepKind};
use crate::paths;

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
    if let Some(f) = fields.iter().find(|f| f.kind == FieldType::File) {
        let text = format!("項目「{}」: ファイルの項目は申請には置けません", f.label);
        t.error("field", text, "申請の添付ファイルを使うか、段の記録（step.evidence）に置いてください");
    }
    let permit = t.table("permit").map(|p| permit(&p, &fields));
    let reading = Reading {
        fields: &fields,
        earlier: &[],
        env: &env,
        procedure: stem,
        title: &title,
        permit: permit.is_some(),
    };
    let (steps, env) = steps(t, &reading, known);
    if let Some(step) = permit.as_ref().and_then(|p| p.returned_by.as_ref())
        && !steps.iter().any(|s| s.id == *step && s.kind == StepKind::Perform)
    {
        let text = format!("「{step}」という実施（perform）の段はありません");
        t.error("permit", text, "returned_by を、返却を記録する段の id にしてください");
    }
    let apply_by =
        if t.has("apply_by") { crate::files::steps::by(t, "apply_by", &fields, known) } else { None };
    if apply_by.as_ref().is_some_and(|by| by.terms().iter().any(|x| !matches!(x, Term::Role { .. }))) {
        t.error(
            "apply_by",
            "申請できる人は役割で書きます",
            "例: \"section_security_manager of applicant.section\"",
        );
    }
    let tells = if t.has("tells") { crate::files::steps::by(t, "tells", &fields, known) } else { None };
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
    if wish.is_empty() && !t.has("opened_by") {
        t.src.warn(
            t.line,
            "wish",
            "wish がないため、職員がこの手続を探せません",
            "したいことの言葉（例: 「USBメモリを持ち出したい」）を並べてください",
        );
    }
    let opened_by = opened_by(t, &steps, apply_by.is_some(), known);
    let opened_after = period(t, "opened_after");
    if opened_after.is_some() && !opened_by.iter().any(|c| !c.starts_with("import:")) {
        t.error(
            "opened_after",
            "待つ理由になる検査や仕事がありません",
            "opened_by に検査か仕事を加えるか、opened_after を消してください",
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
        opened_by,
        opened_after,
        apply_by,
        tells,
        event: t.flag("event"),
    };
    t.finish();
    // Proofs are about a procedure that can be read.
    if !t.src.log.has_errors() {
        sound(t, &p, known);
    }
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

/// What opens a case without an applicant. Nobody has applied then, so no step can be the applicant's.
fn opened_by(
    t: &Table<'_>,
    steps: &[crate::model::Step],
    applied_for: bool,
    known: &mut Known,
) -> Vec<String> {
    let causes = t.texts("opened_by");
    for c in &causes {
        let (kind, id) = c.value.split_once(':').unwrap_or_default();
        match kind {
            "check" | "duty" if sekisho_base::table::valid_ident(id) => {
                known.openers.push((t.src.file.to_owned(), c.line, c.value.clone()));
            }
            "import" if id == "org" => {}
            _ => {
                let text = format!("「{}」は案件を開くものとして読めません", c.value);
                let remedy = "\"check:検査の id\"、\"duty:仕事の id\"、\"import:org\"（職員の取込み）のように書いてください";
                t.src.error(c.line, &c.key, text, remedy);
            }
        }
    }
    let applicants = |s: &&crate::model::Step| s.by.terms().iter().any(|x| matches!(x, Term::Applicant));
    if let (Some(c), Some(s)) = (causes.first(), steps.iter().find(applicants)) {
        let text = format!("申請者のいない案件なのに、段「{}」は申請者が行います", s.title);
        t.src.error(
            c.line,
            &c.key,
            text,
            "by を \"section_security_manager of case.section\" のような役割にしてください",
        );
    }
    if let Some(c) = causes.first().filter(|_| t.has("wish") && !applied_for) {
        t.src.error(
            c.line,
            &c.key,
            "自動で始まる手続なのに、職員が申請を探す言葉（wish）があります",
            "職員も申請できるなら apply_by に役割を書き、できないなら wish を消してください",
        );
    }
    causes.into_iter().map(|c| c.value).collect()
}

pub(crate) fn field_of(fields: &[Field], want: fn(&FieldType) -> bool) -> impl Iterator<Item = &str> + Clone {
    fields.iter().filter(move |f| want(&f.kind)).map(|f| f.id.as_str())
}

pub(crate) fn is_date(k: &FieldType) -> bool {
    *k == FieldType::Date
}

pub(crate) fn is_items(k: &FieldType) -> bool {
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
        movements: !p.has("movements") || p.flag("movements"),
        returned_by: p.text("returned_by").map(|a| a.value),
        excepts: reference(
            p,
            p.text("excepts"),
            "条項の項目",
            field_of(fields, |k| *k == FieldType::Clauses),
        ),
    };
    p.finish();
    spec
}
