//! 「これはできますか」: the handling decision (取扱判定) for people, asked by the page, the API and the command line alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_base::text::shorten;
use sekisho_boxed::boxed;
use sekisho_case::case::Item;
use sekisho_case::facts::mixed_class;
use sekisho_case::handling::{Handling, HandlingFacts, Note, Outcome, decide_handling, unknown_facts};
use sekisho_pack::model::{Choice, FieldType, Level, Pack};
use sekisho_pack::words::Words;
use sekisho_store::Viewer;
use serde::Serialize;

use crate::cases::{FOUND, find_items, items_named};
use crate::clauses::citation;
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::office::Office;
use crate::registers::{FieldView, axis_order, choices, class_text, level_title};

/// Contents of one question.
const MOST_ITEMS: usize = 50;
/// Stands for a class nobody has given yet: no axis knows it, so it counts above every level.
const UNCLASSIFIED: &str = "unclassified";
/// Before the axis in the name of a class.
pub const CLASS: &str = "class.";

/// What is asked. An empty text is "unknown".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandlingQuestion {
    /// Act: `copy`, `send`, `carry_out` …
    pub act: String,
    /// Where the information lies: a code of the registers' column `zone`.
    pub zone: String,
    /// Whose device is used: `issued`, `private`, `contractor`.
    pub device: String,
    /// Personal-data mark: a code of the registers' column `personal`.
    pub personal: String,
    /// Class code by axis, picked by hand.
    pub class: BTreeMap<String, String>,
    /// Rows of registers: `register/row` or a number (管理番号).
    pub items: Vec<String>,
}

/// A thing by code and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Named {
    /// Code.
    pub code: String,
    /// What people call it.
    pub label: String,
}

/// One reason, from one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// What it says.
    pub says: String,
    /// Clause id.
    pub clause: String,
    /// The clause as people cite it.
    pub citation: String,
}

/// A permit that is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PermitNeeded {
    /// Procedure id.
    pub procedure: String,
    /// Its title.
    pub title: String,
    /// Address of its form with the contents filled in; none while it cannot be applied for here.
    pub apply: Option<String>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// The class of all contents together on one axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClassFound {
    /// Axis and its name.
    pub axis: Named,
    /// Codes of the highest rank; none when no content has a class on this axis.
    pub codes: Vec<String>,
    /// For people.
    pub says: String,
    /// The contents that gave it.
    pub because: Vec<String>,
}

/// One content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContentLine {
    /// `register/row`; empty for a class picked by hand.
    pub key: String,
    /// Number and name.
    pub name: String,
    /// Its own class, for people.
    pub class: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HandlingAnswer {
    /// What was asked about.
    pub act: Named,
    /// `allowed`, `allowed_with`, `needs_permit`, `prohibited`.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// 可, 対策をとれば可, 許可が必要, 禁止.
    pub answer: String,
    /// The same as a sentence.
    pub says: String,
    /// Why not.
    pub prohibitions: Vec<Reason>,
    /// Permits to apply for first.
    pub permits: Vec<PermitNeeded>,
    /// What to take care of.
    pub safeguards: Vec<Reason>,
    /// Class of all contents together.
    pub class: Vec<ClassFound>,
    /// The contents.
    pub contents: Vec<ContentLine>,
    /// What was unknown and taken at its strictest.
    pub unknown: Vec<Named>,
}

/// The page: what can be chosen, what was chosen, and the answer.
#[derive(Debug, Clone)]
pub struct HandlingView {
    /// Act, zone, device, personal data.
    pub fields: Vec<FieldView>,
    /// Class by axis, to be picked by hand.
    pub classes: Vec<FieldView>,
    /// Things chosen.
    pub chosen: Vec<ContentLine>,
    /// Words looked for.
    pub words: String,
    /// Things found.
    pub found: Vec<ContentLine>,
    /// The answer; none while nothing was asked.
    pub answer: Option<HandlingAnswer>,
}

/// One content as the decision sees it.
struct Content {
    line: ContentLine,
    class: BTreeMap<String, String>,
    facts: BTreeMap<String, Value>,
}

/// What is wrong with a question, under the names of its parameters.
fn faults(pack: &Pack, q: &HandlingQuestion) -> Vec<FieldError> {
    let words = Words::of(pack);
    let mut found = Vec::new();
    let mut one_of = |field: &str, what: &str, given: &str, list: &[Choice]| {
        if list.iter().all(|c| c.code != given) {
            let shown = shorten(given, 40);
            let known: Vec<String> = list.iter().map(|c| format!("{}（{}）", c.code, c.label)).collect();
            let message = format!("{what}「{shown}」はありません。選べるのは {} です。", known.join("、"));
            found.push(FieldError { field: field.to_owned(), message });
        }
    };
    let answered = |c: &Choice| pack.classification.handling.iter().any(|r| r.acts.contains(&c.code));
    let acts: Vec<Choice> = words.acts().into_iter().filter(answered).collect();
    one_of("act", "すること", &q.act, &acts);
    let marks = [
        ("zone", "領域", &q.zone, words.mark("zone")),
        ("device", "端末", &q.device, words.devices()),
        ("personal", "個人情報区分", &q.personal, words.mark("personal")),
    ];
    for (field, what, given, list) in marks.iter().filter(|m| !m.2.is_empty()) {
        one_of(field, what, given, list);
    }
    let axes = &pack.classification.axes;
    for (axis, code) in q.class.iter().filter(|(_, code)| !code.is_empty()) {
        let field = format!("{CLASS}{axis}");
        if let Some(a) = axes.get(axis) {
            let list: Vec<Choice> = a.levels.iter().map(Level::choice).collect();
            one_of(&field, "分類", code, &list);
        } else {
            let known = axes.iter().map(|(id, a)| Choice { code: id.clone(), label: a.title.clone() });
            one_of(&field, "分類の軸", axis, &known.collect::<Vec<_>>());
        }
    }
    if q.items.len() > MOST_ITEMS {
        let message = format!("一度に尋ねられるのは{MOST_ITEMS}件までです。分けて尋ねてください。");
        found.push(FieldError { field: "item".to_owned(), message });
    }
    found
}

/// A mark as a list, with what was asked besides what the row itself says; null when both are unknown.
fn mark(asked: &str, own: Option<&Value>) -> Value {
    let mut codes = match own {
        Some(Value::Text(s)) if !s.is_empty() => vec![s.clone()],
        Some(Value::List(l)) => l.clone(),
        _ => vec![],
    };
    if !asked.is_empty() && codes.iter().all(|c| c != asked) {
        codes.push(asked.to_owned());
    }
    if codes.is_empty() { Value::Null } else { Value::List(codes) }
}

fn facts(q: &HandlingQuestion, own: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let marks = [("zone", &q.zone), ("personal", &q.personal)];
    let mut facts: BTreeMap<String, Value> =
        marks.iter().map(|(name, asked)| ((*name).to_owned(), mark(asked, own.get(*name)))).collect();
    facts.insert("device".to_owned(), Value::Text(q.device.clone()));
    facts
}

fn content_line(pack: &Pack, i: &Item) -> ContentLine {
    ContentLine {
        key: i.key(),
        name: format!("{} {}", i.number, i.name).trim().to_owned(),
        class: class_text(pack, &i.snapshot.class),
    }
}

/// The contents of a question: the rows, and what was picked by hand. An axis that a thing should have a class on and has not is
/// unclassified, not low.
fn contents(pack: &Pack, q: &HandlingQuestion, items: &[Item]) -> Vec<Content> {
    let unset = |axis: &String| (axis.clone(), UNCLASSIFIED.to_owned());
    let mut found: Vec<Content> = items
        .iter()
        .map(|i| {
            let axes = pack.registers.get(&i.register).into_iter().flat_map(|r| r.class.keys());
            let mut class: BTreeMap<String, String> = axes.map(unset).collect();
            class.extend(i.snapshot.class.clone());
            Content { line: content_line(pack, i), class, facts: facts(q, &i.snapshot.values()) }
        })
        .collect();
    let picked: BTreeMap<String, String> =
        q.class.iter().filter(|(_, code)| !code.is_empty()).map(|(a, c)| (a.clone(), c.clone())).collect();
    if found.is_empty() || !picked.is_empty() {
        let name =
            if picked.is_empty() { "（内容を選んでいません）" } else { "手で選んだ分類" };
        let line =
            ContentLine { key: String::new(), name: name.to_owned(), class: class_text(pack, &picked) };
        let mut class: BTreeMap<String, String> = pack.classification.axes.keys().map(unset).collect();
        class.extend(picked);
        found.push(Content { line, class, facts: facts(q, &BTreeMap::new()) });
    }
    found
}

fn reason(n: &Note) -> Reason {
    Reason { says: n.says.clone(), clause: n.clause.clone(), citation: citation(&n.clause) }
}

/// The class on every axis, with the contents that gave it.
fn class_found(pack: &Pack, contents: &[Content]) -> Vec<ClassFound> {
    let mixed = mixed_class(&pack.classification, contents.iter().map(|c| &c.class));
    let title = |axis: &str, code: &str| {
        if code == UNCLASSIFIED { "未分類".to_owned() } else { level_title(pack, axis, code) }
    };
    axis_order(pack.classification.axes.keys().map(String::as_str))
        .into_iter()
        .filter_map(|axis| {
            let codes = mixed.get(axis).cloned().unwrap_or_default();
            let says = match codes.as_slice() {
                [] => "分類の段階がありません".to_owned(),
                codes => codes.iter().map(|c| title(axis, c)).collect::<Vec<_>>().join("、"),
            };
            let gave = |c: &&Content| c.class.get(axis).is_some_and(|code| codes.contains(code));
            Some(ClassFound {
                axis: Named {
                    code: axis.to_owned(),
                    label: pack.classification.axes.get(axis)?.title.clone(),
                },
                says,
                because: contents.iter().filter(gave).map(|c| c.line.name.clone()).collect(),
                codes: codes.into_iter().filter(|c| c != UNCLASSIFIED).collect(),
            })
        })
        .collect()
}

fn permits(pack: &Pack, decided: &Handling, contents: &[Content]) -> Vec<PermitNeeded> {
    let mut found: Vec<PermitNeeded> = Vec::new();
    for p in &decided.permits {
        if let Some(known) = found.iter_mut().find(|k| k.procedure == p.procedure) {
            known.reasons.push(reason(&p.note));
            continue;
        }
        let procedure = pack.procedures.get(&p.procedure);
        let takes = |key: &str| {
            let of = |registers: &[String]| registers.iter().any(|r| key.starts_with(&format!("{r}/")));
            let fields = procedure.into_iter().flat_map(|p| &p.fields);
            fields
                .filter_map(|f| if let FieldType::Items(list) = &f.kind { Some(list) } else { None })
                .any(|l| of(l))
        };
        let items: Vec<String> =
            contents.iter().filter(|c| takes(&c.line.key)).map(|c| format!("item={}", c.line.key)).collect();
        let address = |id: &str| {
            if items.is_empty() { format!("/apply/{id}") } else { format!("/apply/{id}?{}", items.join("&")) }
        };
        found.push(PermitNeeded {
            procedure: p.procedure.clone(),
            title: procedure.map_or_else(|| "まだ画面で申請できない手続".to_owned(), |p| p.title.clone()),
            apply: procedure.map(|p| address(&p.id)),
            reasons: vec![reason(&p.note)],
        });
    }
    found
}

/// The answer as a sentence.
fn sentence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "できます。特別な手続も対策も要りません。",
        Outcome::AllowedWith => "下の対策をとればできます。申請は要りません。",
        Outcome::NeedsPermit => "先に許可を受ければできます。許可が出るまでは行わないでください。",
        Outcome::Prohibited => "できません。決まりで禁じられています。",
    }
}

/// What is unknown, in words.
fn unknown(pack: &Pack, names: impl IntoIterator<Item = String>) -> Vec<Named> {
    let label = |name: &str| match name.strip_prefix(CLASS) {
        Some(axis) => pack.classification.axes.get(axis).map_or_else(|| axis.to_owned(), |a| a.title.clone()),
        None => match name {
            "zone" => "どの領域にあるか".to_owned(),
            "device" => "どの端末を使うか".to_owned(),
            "personal" => "個人情報が入っているか".to_owned(),
            other => other.to_owned(),
        },
    };
    names.into_iter().map(|code| Named { label: label(&code), code }).collect()
}

/// Answers a question about rows that were found.
///
/// # Errors
/// Parameters that stand for nothing.
pub fn answer(
    pack: &Pack,
    q: &HandlingQuestion,
    items: &[Item],
    today: Date,
) -> Result<HandlingAnswer, AppError> {
    let wrong = faults(pack, q);
    if !wrong.is_empty() {
        return Err(AppError::Invalid(wrong));
    }
    let contents = contents(pack, q, items);
    let asked = HandlingFacts {
        classes: contents.iter().map(|c| c.class.clone()).collect(),
        facts: contents.iter().map(|c| c.facts.clone()).collect(),
    };
    let Some(decided) = decide_handling(pack, &q.act, &asked, today) else {
        return Err(AppError::internal(format!("no rule is about {}", q.act)));
    };
    let label = Words::of(pack).acts().into_iter().find(|c| c.code == q.act).map(|c| c.label);
    Ok(HandlingAnswer {
        act: Named { code: q.act.clone(), label: label.unwrap_or_default() },
        outcome: decided.outcome,
        answer: decided.outcome.japanese().to_owned(),
        says: sentence(decided.outcome).to_owned(),
        prohibitions: decided.prohibitions.iter().map(reason).collect(),
        permits: permits(pack, &decided, &contents),
        safeguards: decided.safeguards.iter().map(reason).collect(),
        class: class_found(pack, &contents),
        unknown: unknown(pack, unknown_facts(pack, &q.act, &asked)),
        contents: contents.into_iter().map(|c| c.line).collect(),
    })
}

/// The same, with what is wrong where names stand for no row.
fn answer_named(
    pack: &Pack,
    q: &HandlingQuestion,
    items: &[Item],
    missing: &[String],
    today: Date,
) -> Result<HandlingAnswer, AppError> {
    let unknown = |name: &String| FieldError {
        field: "item".to_owned(),
        message: format!(
            "「{}」は台帳にないか、あなたの所属からは見えません。管理番号を確かめてください。",
            shorten(name, 40)
        ),
    };
    let mut wrong: Vec<FieldError> = missing.iter().map(unknown).collect();
    match answer(pack, q, items, today) {
        Ok(answer) if wrong.is_empty() => Ok(answer),
        Ok(_) => Err(AppError::Invalid(wrong)),
        Err(AppError::Invalid(more)) => {
            wrong.extend(more);
            Err(AppError::Invalid(wrong))
        }
        Err(e) => Err(e),
    }
}

/// Registers whose rows can be contents: those with a class.
fn classed(pack: &Pack) -> Vec<String> {
    pack.registers.values().filter(|r| !r.class.is_empty()).map(|r| r.id.clone()).collect()
}

#[boxed]
impl Office {
    /// The answer to a question of a logged-in person: only what that person sees can be a content.
    ///
    /// # Errors
    /// Parameters that stand for nothing, or rows that are not there or not seen.
    pub async fn handling(&self, who: &Identity, q: &HandlingQuestion) -> Result<HandlingAnswer, AppError> {
        let me = self.me(who).await?;
        self.handling_seen(me.viewer().clone(), q).await
    }

    /// The same at the terminal of the server, which sees every row.
    ///
    /// # Errors
    /// Likewise.
    pub async fn handling_at_terminal(&self, q: &HandlingQuestion) -> Result<HandlingAnswer, AppError> {
        self.handling_seen(Viewer::whole_body("system"), q).await
    }

    async fn handling_seen(&self, viewer: Viewer, q: &HandlingQuestion) -> Result<HandlingAnswer, AppError> {
        let (items, missing) = self.contents_named(viewer, &q.items).await?;
        answer_named(&self.pack(), q, &items, &missing, self.clock.today())
    }

    async fn contents_named(
        &self,
        viewer: Viewer,
        names: &[String],
    ) -> Result<(Vec<Item>, Vec<String>), AppError> {
        let pack = self.pack();
        let names: Vec<String> = names.iter().take(MOST_ITEMS).cloned().collect();
        self.store
            .read(move |c| {
                Box::pin(async move { items_named(c, &pack, &viewer, "", &classed(&pack), &names).await })
            })
            .await
    }

    /// The page 「これはできますか」: answered when an act was chosen, looking for things when there are words.
    ///
    /// # Errors
    /// The database failed. What is wrong with the question is in the second part.
    pub async fn handling_page(
        &self,
        who: &Identity,
        q: &HandlingQuestion,
        words: &str,
    ) -> Result<(HandlingView, Vec<FieldError>), AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let (chosen, missing) = self.contents_named(me.viewer().clone(), &q.items).await?;
        let mut found = Vec::new();
        if !words.is_empty() {
            let (inner, viewer, looked_for) = (Arc::clone(&pack), me.viewer().clone(), words.to_owned());
            found = self
                .store
                .read(move |c| {
                    Box::pin(async move {
                        find_items(c, &inner, &viewer, "", &classed(&inner), &looked_for, FOUND).await
                    })
                })
                .await?;
            found.retain(|i| chosen.iter().all(|x| x.key() != i.key()));
        }
        let (answer, wrong) = match q.act.as_str() {
            "" => (None, vec![]),
            _ => match answer_named(&pack, q, &chosen, &missing, self.clock.today()) {
                Ok(answer) => (Some(answer), vec![]),
                Err(AppError::Invalid(wrong)) => (None, wrong),
                Err(e) => return Err(e),
            },
        };
        let line = |i: &Item| content_line(&pack, i);
        let view = HandlingView {
            fields: question_fields(&pack, q),
            classes: class_choices(&pack, q),
            chosen: chosen.iter().map(line).collect(),
            words: words.to_owned(),
            found: found.iter().map(line).collect(),
            answer,
        };
        Ok((view, wrong))
    }
}

fn select(name: &str, label: &str, help: &str, value: &str, list: &[Choice]) -> FieldView {
    FieldView {
        name: name.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        kind: "choice",
        required: name == "act",
        value: value.to_owned(),
        choices: choices(list),
    }
}

fn question_fields(pack: &Pack, q: &HandlingQuestion) -> Vec<FieldView> {
    let words = Words::of(pack);
    let unknown = "分からないときは選ばないでください。最も厳しい場合として答えます。";
    vec![
        select("act", "何をしたいですか", "", &q.act, &words.acts()),
        select("device", "どの端末でしますか", unknown, &q.device, &words.devices()),
        select(
            "zone",
            "情報はどの領域にありますか",
            "台帳から選んだものは、台帳の領域も合わせて見ます。",
            &q.zone,
            &words.mark("zone"),
        ),
        select(
            "personal",
            "個人情報が入っていますか",
            "台帳から選んだものは、台帳の区分も合わせて見ます。",
            &q.personal,
            &words.mark("personal"),
        ),
    ]
}

fn class_choices(pack: &Pack, q: &HandlingQuestion) -> Vec<FieldView> {
    let classification = &pack.classification;
    axis_order(classification.axes.keys().map(String::as_str))
        .into_iter()
        .filter_map(|axis| Some((axis, classification.axes.get(axis)?)))
        .map(|(axis, a)| {
            let levels = classification.offered(a);
            let list: Vec<Choice> = levels.map(Level::choice).collect();
            let value = q.class.get(axis).map(String::as_str).unwrap_or_default();
            select(&format!("{CLASS}{axis}"), &a.title, "", value, &list)
        })
        .collect()
}
