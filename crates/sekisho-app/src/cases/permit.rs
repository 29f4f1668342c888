//! A case as a printed form. Nothing about one procedure is here: fields, steps and records come from the pack.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_boxed::boxed;
use sekisho_case::authority::{Held, Who};
use sekisho_case::case::{
    CaseState, Decision, Direction, Item as CaseItem, StepRun, StepStatus, Verdict, is_final_decision,
};
use sekisho_forms::{
    Act, AxisClass, Column, Field, FormData, Item, Ledger, Movement, Permit, Person, RecordTable,
    RenderRequest, Safeguard, Step,
};
use sekisho_pack::model::{FieldType, Pack, Procedure};
use sekisho_store::case::ActRow;
use sekisho_store::ledger;

use crate::cases::bulk::class_after_text;
use crate::cases::page::show_value;
use crate::clauses::citation;
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::permits::PermitCode;
use crate::registers::axes_in_order;
use crate::sight::hide_fields;

fn person(d: &Directory, post: &str, number: &str) -> Person {
    let p = d.post(post);
    Person {
        unit: p.map(|p| d.place_name(&p.unit)).unwrap_or_default(),
        title: p.map(|p| p.title.clone()).unwrap_or_default(),
        name: d.person_name(number).to_owned(),
        kana: d.person(number).map(|x| x.kana.clone()).unwrap_or_default(),
    }
}

fn act(d: &Directory, pack: &Pack, x: &Decision) -> Act {
    let post = x.held.iter().find(|h| !h.post.is_empty()).map(|h| h.post.as_str()).unwrap_or_default();
    let title = |h: &Held| pack.roles.get(&h.role).map_or_else(|| h.role.clone(), |r| r.title.clone());
    let capacity = x.held.first().map(|h| h.path.capacity());
    let word = capacity.map_or("", sekisho_case::authority::Capacity::japanese);
    let mark = if word == "本人" {
        String::new()
    } else {
        word.chars().next().map(String::from).unwrap_or_default()
    };
    let result = match x.verdict {
        Verdict::Done => "済",
        Verdict::Refuse => "不許可",
        Verdict::PassedOver => "後閲",
    };
    Act {
        result: result.to_owned(),
        person: person(d, post, &x.person),
        role: x.held.iter().map(title).collect::<Vec<_>>().join("・"),
        capacity: word.to_owned(),
        mark,
        day: x.at.date().on_a_seal(),
        at: x.at.wareki(),
        note: x.says.clone(),
    }
}

fn item(pack: &Pack, procedure: &Procedure, state: &CaseState, i: &CaseItem) -> Item {
    let axis_title =
        |axis: &str| pack.classification.axes.get(axis).map_or_else(|| axis.to_owned(), |a| a.title.clone());
    Item {
        register: pack.registers.get(&i.register).map(|r| r.title.clone()).unwrap_or_default(),
        key: i.number.clone(),
        name: i.name.clone(),
        classes: axes_in_order(&i.snapshot.class)
            .into_iter()
            .map(|(axis, code)| AxisClass {
                axis: axis.to_owned(),
                label: axis_title(axis),
                code: code.to_owned(),
            })
            .collect(),
        fields: class_after_text(pack, procedure, &state.content.fields, i)
            .map(|value| Field { id: "after".to_owned(), label: "変えた後".to_owned(), value })
            .into_iter()
            .collect(),
    }
}

fn permit(d: &Directory, pack: &Pack, state: &CaseState, code: Option<PermitCode>) -> Option<Permit> {
    let p = state.permit.as_ref()?;
    let deciders = state
        .steps
        .iter()
        .filter(|s| is_final_decision(s.kind))
        .flat_map(|s| &s.decisions)
        .filter(|x| x.verdict == Verdict::Done);
    Some(Permit {
        decided_on: p.issued_at.date().wareki(),
        from: p.from.wareki(),
        until: p.until.wareki(),
        blanket: p.blanket,
        deciders: deciders.map(|x| act(d, pack, x)).collect(),
        conditions: p.conditions.clone(),
        qr: code.map(|c| c.symbol.svg()).unwrap_or_default(),
    })
}

fn records(d: &Directory, procedure: &Procedure, state: &CaseState) -> Vec<RecordTable> {
    let with_evidence = procedure.steps.iter().filter(|s| !s.evidence.is_empty());
    with_evidence
        .map(|s| {
            let by_item = s.each.is_some();
            let items = by_item.then(|| Column { id: "items".to_owned(), label: "対象".to_owned() });
            let columns = s.evidence.iter().map(|f| Column { id: f.id.clone(), label: f.label.clone() });
            let who = Column { id: "by".to_owned(), label: "記録者".to_owned() };
            RecordTable {
                id: s.id.clone(),
                title: s.title.clone(),
                columns: items.into_iter().chain(columns).chain([who]).collect(),
                rows: state.step(&s.id).map(|run| record_rows(d, s, state, run)).unwrap_or_default(),
            }
        })
        .collect()
}

/// What a step recorded: a line for each round, and for each act where it is held item by item.
fn record_rows(
    d: &Directory,
    s: &sekisho_pack::model::Step,
    state: &CaseState,
    run: &StepRun,
) -> Vec<Vec<String>> {
    let line = |evidence: &BTreeMap<String, serde_json::Value>, by: Option<&Decision>| {
        let shown =
            s.evidence.iter().map(|f| evidence.get(&f.id).map(|v| show_value(f, v)).unwrap_or_default());
        let who = by.map(|x| d.person_name(&x.person).to_owned()).unwrap_or_default();
        shown.chain([who]).collect::<Vec<String>>()
    };
    let now = (&run.evidence, &run.decisions);
    let rounds = run.rounds.iter().map(|r| (&r.evidence, &r.decisions));
    let rounds = rounds.chain((run.status == StepStatus::Done).then_some(now));
    if s.each.is_none() {
        return rounds.map(|(evidence, decisions)| line(evidence, decisions.last())).collect();
    }
    let acts = rounds.flat_map(|(_, decisions)| decisions).filter(|x| x.verdict == Verdict::Done);
    acts.map(|x| {
        let covered = |i: &&CaseItem| x.covers.iter().any(|c| c.item.as_deref() == Some(i.key().as_str()));
        let numbers = state.content.items.iter().filter(covered).map(|i| i.number.as_str());
        let numbers = numbers.collect::<Vec<_>>().join("、");
        // Acts of earlier versions kept their evidence with the step alone.
        let evidence = if x.evidence.is_empty() { &run.evidence } else { &x.evidence };
        std::iter::once(numbers).chain(line(evidence, Some(x))).collect()
    })
    .collect()
}

#[boxed]
impl Office {
    /// The permit, or the application while there is none, as a PDF with its file name.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the person may not see the case.
    pub async fn permit_pdf(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
    ) -> Result<(String, Vec<u8>), AppError> {
        let me = self.me(who).await?;
        let (row, mut state) = self.load_case(&me, id).await?;
        let pack = self.pack_of(&row.pack).await?;
        let procedure = pack.procedures.get(&state.procedure).ok_or(AppError::NotFound)?;
        let Some(form) = procedure.form.clone() else {
            return Err(AppError::refused("P002", "この手続には印刷する様式がありません。"));
        };
        self.note_case_look(who, &pack, procedure, &state, "print").await?;
        if !me.reads_personal_of(&state) {
            hide_fields(procedure, &mut state);
        }
        let d = me.directory();
        let acts = self.acts_of(&row.id).await?;
        let data = FormData {
            document_date: state.permit.as_ref().map_or(state.opened_at, |p| p.issued_at).date(),
            document_date_text: state
                .permit
                .as_ref()
                .map_or(state.opened_at, |p| p.issued_at)
                .date()
                .wareki(),
            body: self.body_title().to_owned(),
            form_number: String::new(),
            title: procedure.title.clone(),
            fiscal_year: fiscal_year_text(state.opened_at.date()),
            number: state.permit.as_ref().map_or_else(|| state.number.clone(), |p| p.number.clone()),
            applied_on: state.opened_at.date().wareki(),
            applicant: match state.cause {
                None => person(d, &state.applicant.post, &state.applicant.person),
                // Nobody applied: the case is its unit's.
                Some(_) => Person { unit: d.place_name(&state.applicant.unit), ..Person::default() },
            },
            fields: cause_field(&state)
                .into_iter()
                .chain(procedure.fields.iter().filter(|f| !matches!(f.kind, FieldType::Items(_))).map(|f| {
                    Field {
                        id: f.id.clone(),
                        label: f.label.clone(),
                        value: state.content.fields.get(&f.id).map(|v| show_value(f, v)).unwrap_or_default(),
                    }
                }))
                .collect(),
            items: state.items().into_iter().map(|i| item(&pack, procedure, &state, i)).collect(),
            steps: steps(d, &pack, procedure, &state),
            permit: permit(d, &pack, &state, self.permit_code(d, procedure, &state)?),
            safeguards: safeguards(&state),
            movements: movements(d, &state),
            records: records(d, procedure, &state),
            ledger: self.proof_of(&state, &acts).await?,
            notices: notices(&state),
            printed: format!("{} {} 印刷", self.clock.now().wareki(), d.person_name(&who.person)),
        };
        let data = serde_json::to_value(&data).map_err(AppError::internal)?;
        let bytes = self.render(RenderRequest { templates: pack.forms.clone(), main: form, data }).await?;
        Ok((format!("{}_{}.pdf", procedure.title, state.number), bytes))
    }

    async fn proof_of(&self, state: &CaseState, acts: &[ActRow]) -> Result<Option<Ledger>, AppError> {
        let seq = state.permit.as_ref().map_or(1, |p| i64::from(p.seq));
        let Some(entry) = acts.iter().find(|a| a.seq == seq).map(|a| a.entry.clone()) else {
            return Ok(None);
        };
        let id = entry.clone();
        let (row, head) = self
            .store
            .read(move |c| {
                Box::pin(
                    async move { Ok::<_, AppError>((ledger::by_id(c, &id).await?, ledger::head(c).await?)) },
                )
            })
            .await?;
        let leaf_index = row.and_then(|r| r.leaf_index).and_then(|i| u64::try_from(i).ok());
        let covered = head.filter(|h| leaf_index.is_some_and(|i| u64::try_from(h.size).is_ok_and(|s| i < s)));
        let root_line = |note: &str| note.lines().nth(2).unwrap_or_default().to_owned();
        Ok(Some(Ledger {
            origin: format!("sekisho.{}", self.body()),
            entry,
            leaf_index,
            tree_size: covered.as_ref().and_then(|h| u64::try_from(h.size).ok()),
            root_hash: covered.map(|h| root_line(&h.note)).unwrap_or_default(),
        }))
    }
}

/// What opened a case that nobody applied for, as the first field.
fn cause_field(state: &CaseState) -> Option<Field> {
    let value = state.cause.as_ref()?.says.clone();
    Some(Field { id: "cause".to_owned(), label: "きっかけ".to_owned(), value })
}

fn fiscal_year_text(day: Date) -> String {
    day.fiscal_year_start()
        .era()
        .map_or_else(|| format!("{}年度", day.fiscal_year()), |(era, _, y)| format!("{era}{y}年度"))
}

fn steps(d: &Directory, pack: &Pack, procedure: &Procedure, state: &CaseState) -> Vec<Step> {
    let shown = procedure
        .steps
        .iter()
        .filter(|s| state.step(&s.id).is_none_or(|r| r.status != StepStatus::NotApplicable));
    shown
        .map(|s| {
            let run = state.step(&s.id);
            let roles: Vec<String> =
                run.map(|r| r.parts.iter().map(|p| p.title().to_owned()).collect()).unwrap_or_default();
            // One box for each where all must act, one for all where any of them may.
            let any = run
                .is_some_and(|r| !r.slots.is_empty() && r.slots.iter().all(|s| matches!(s.who, Who::Any(_))));
            Step {
                id: s.id.clone(),
                title: s.title.clone(),
                role: roles.join(if any { "又は" } else { "・" }),
                stamp: is_final_decision(s.kind),
                acts: run.map(|r| r.decisions.iter().map(|x| act(d, pack, x)).collect()).unwrap_or_default(),
            }
        })
        .collect()
}

fn safeguards(state: &CaseState) -> Vec<Safeguard> {
    let handling = state.content.handling.iter().flat_map(crate::cases::page::safeguard_lines);
    handling.map(|(text, clause)| Safeguard { text, clauses: vec![citation(&clause)] }).collect()
}

fn movements(d: &Directory, state: &CaseState) -> Vec<Movement> {
    let number = |key: &str| {
        state
            .content
            .items
            .iter()
            .find(|i| i.key() == key)
            .map_or_else(|| key.to_owned(), |i| i.number.clone())
    };
    let all = state.permit.iter().flat_map(|p| &p.movements);
    all.map(|m| Movement {
        direction: if m.direction == Direction::Out { "持出" } else { "返却" }.to_owned(),
        at: m.at.wareki(),
        items: vec![number(&m.item)],
        person: d.person_name(&m.person).to_owned(),
        note: m.note.clone(),
    })
    .collect()
}

fn notices(state: &CaseState) -> Vec<String> {
    let revoked = state.permit.iter().filter_map(|p| p.revoked.as_ref());
    revoked.map(|r| format!("この許可は{}に取り消されました。{}", r.at.date().wareki(), r.reason)).collect()
}
