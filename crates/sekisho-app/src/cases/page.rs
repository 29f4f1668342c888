//! One case as its page shows it: content, steps, what happened, who may act now, and what this person may do.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::authority::{Capacity, Explain, Held};
use sekisho_case::case::{
    Act, CaseState, Cause, Direction, Item, Review, ReviewCause, Status, StepRun, StepStatus, Verdict, What,
};
use sekisho_case::handling::Handling;
use sekisho_pack::model::{Field, FieldType, Pack, Procedure, Role, Step};
use sekisho_pack::words::Words;
use sekisho_store::case::{ActRow, CaseRow};

use crate::cases::act::OpenedCase;
use crate::cases::anew;
use crate::cases::bulk::class_change;
use crate::cases::causes;
use crate::cases::list::status_words;
use crate::cases::store::state_of;
use crate::cases::view::{
    ActInput, ActLine, CaseItem, CasePage, CauseView, ExplainLine, Explained, Glance, MovementLine,
    PermitView, RelatedLine, StepLine,
};
use crate::clauses::{ClauseLink, citation};
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::Pair;
use crate::sight::{HIDDEN, hide_fields, is_sensitive_case};

/// A value of a field for people.
pub(crate) fn show_value(field: &Field, value: &serde_json::Value) -> String {
    match (&field.kind, value) {
        (_, serde_json::Value::Null) => String::new(),
        (_, serde_json::Value::String(s)) if s == HIDDEN => s.clone(),
        (FieldType::Bool, v) => if v.as_bool() == Some(true) { "はい" } else { "いいえ" }.to_owned(),
        (FieldType::Date, serde_json::Value::String(s)) => {
            s.parse::<Date>().map_or_else(|_| s.clone(), Date::japanese)
        }
        (FieldType::Choice, serde_json::Value::String(s)) => {
            field.choices.iter().find(|c| c.code == *s).map_or_else(|| s.clone(), |c| c.label.clone())
        }
        // The hash of a file is in the ledger; people read its name.
        (FieldType::File, serde_json::Value::String(s)) => {
            s.split_once(' ').map_or_else(|| s.clone(), |(_, name)| name.to_owned())
        }
        (FieldType::Clauses, serde_json::Value::Array(ids)) => {
            ids.iter().filter_map(|v| v.as_str()).map(citation).collect::<Vec<_>>().join("、")
        }
        (_, serde_json::Value::String(s)) => s.clone(),
        (_, v) => v.to_string(),
    }
}

/// Safeguards of a handling decision with their clauses.
pub(crate) fn safeguard_lines(h: &Handling) -> Vec<(String, String)> {
    h.safeguards.iter().map(|n| (n.says.clone(), n.clause.clone())).collect()
}

fn item_status(state: &CaseState, i: &Item) -> String {
    let key = i.key();
    if state.refused_items().contains(&key) {
        return "不許可".to_owned();
    }
    let Some(p) = &state.permit else { return String::new() };
    if p.outside().contains(key.as_str()) {
        return "持出中".to_owned();
    }
    if p.movements.iter().any(|m| m.item == key && m.direction == Direction::In) {
        "返却済み".to_owned()
    } else {
        "許可".to_owned()
    }
}

/// `planned` says who will act at a step that is still to come.
fn step_line(
    s: &Step,
    run: Option<&StepRun>,
    d: &Directory,
    now: Instant,
    planned: impl FnOnce() -> String,
) -> StepLine {
    let status = run.map_or(StepStatus::Pending, |r| r.status);
    let late = run.is_some_and(|r| r.status == StepStatus::Open && r.due.is_some_and(|due| due.passed(now)));
    let refused = run.is_some_and(StepRun::all_refused);
    let (text, class) = match status {
        StepStatus::Pending => ("これから", "none"),
        StepStatus::Open if late => ("期限切れ", "late"),
        StepStatus::Open => ("処理待ち", "wait"),
        StepStatus::Done if refused => ("不許可", "refused"),
        StepStatus::Done => ("済み", "done"),
        StepStatus::NotApplicable => ("対象外", "none"),
    };
    let done_by: Vec<String> = run
        .map(|r| r.decisions.iter().map(|x| d.person_name(&x.person).to_owned()).collect())
        .unwrap_or_default();
    let held_by: Vec<String> =
        run.map(|r| r.parts.iter().map(|p| p.title().to_owned()).collect()).unwrap_or_default();
    let who = match (done_by.is_empty(), status) {
        (true, StepStatus::Pending) => planned(),
        (true, _) => held_by.join("、"),
        (false, _) => done_by.join("、"),
    };
    StepLine {
        title: s.title.clone(),
        status: text.to_owned(),
        class,
        who,
        due: run.and_then(|r| r.due).map(|due| due.date().short()).unwrap_or_default(),
    }
}

/// What an act is called, with the step's own word where it has one.
fn act_title(procedure: &Procedure, what: &What) -> String {
    let title = |id: &str| {
        procedure.steps.iter().find(|s| s.id == id).map_or_else(|| id.to_owned(), |s| s.title.clone())
    };
    match what {
        What::Decided { step, verdict: Verdict::Done, .. } => title(step),
        What::Decided { step, verdict: Verdict::Refuse, .. } => format!("{}：不許可", title(step)),
        What::Decided { step, verdict: Verdict::PassedOver, .. } => {
            format!("{}：不在のため後閲", title(step))
        }
        What::StepOpened { step, .. } => format!("「{}」の処理待ち", title(step)),
        What::Overdue { step, .. } => {
            format!("「{}」の期限を過ぎたため、上位の役割へ知らせました", title(step))
        }
        other => other.japanese().to_owned(),
    }
}

/// `reads` tells whether personal data is shown.
fn act_note(procedure: &Procedure, act: &Act, number_of: &impl Fn(&str) -> String, reads: bool) -> String {
    let mut notes = Vec::new();
    match &act.what {
        What::Decided { step, says, conditions, evidence, .. } => {
            let fields = procedure.steps.iter().filter(|s| s.id == *step).flat_map(|s| &s.evidence);
            let given = fields.filter_map(|f| Some((f, evidence.get(&f.id)?)));
            let shown =
                |f: &Field, v| if f.personal && !reads { HIDDEN.to_owned() } else { show_value(f, v) };
            notes.extend(given.map(|(f, v)| format!("{}：{}", f.label, shown(f, v))));
            notes.push(says.clone());
            notes.extend(conditions.iter().map(|c| format!("条件：{c}")));
        }
        What::SentBack { says, .. }
        | What::Withdrawn { says }
        | What::Extended { says, .. }
        | What::ExtensionDeclined { says }
        | What::Revoked { says }
        | What::Reviewed { says, .. }
        | What::Commented { says }
        | What::Closed { says } => {
            notes.push(says.clone());
        }
        What::Reclassified { item, .. } => notes.push(number_of(item)),
        What::Opened { child } => notes.push(child.number.clone()),
        What::ChildMoved { status, .. } => notes.push(status_words(status.code()).0.to_owned()),
        What::ExtensionAsked { until, says } => notes.push(format!("{}まで。{says}", until.japanese())),
        What::PermitIssued { permit } => notes.push(format!(
            "許可番号 {}、{}から{}まで",
            permit.number,
            permit.from.japanese(),
            permit.until.japanese()
        )),
        _ => {}
    }
    if let Some(reason) = &act.urgent {
        notes.push(format!("代決した理由：{reason}"));
    }
    if let Some(reason) = &act.overridden {
        notes.push(format!("ほかに決める人がいないため自ら決定。理由：{reason}"));
    }
    notes.retain(|n| !n.is_empty());
    notes.join(" ／ ")
}

/// In which capacities somebody acted, where it is not simply as the holder.
fn capacity(act: &Act, roles: &BTreeMap<String, Role>) -> String {
    let one = |h: &Held| {
        let stands_for = h.instead_of.as_ref().and_then(|id| roles.get(id));
        match stands_for {
            Some(role) => format!("{}の{}", role.title, h.capacity.japanese()),
            None => h.capacity.japanese().to_owned(),
        }
    };
    // One act in several capacities says so, each with its role ("A及びB" held by one person).
    let joint = act.held.len() > 1;
    let named = |h: &Held| {
        let role = roles.get(&h.role).map_or("", |r| r.title.as_str());
        if joint && !role.is_empty() { format!("{role}として{}", one(h)) } else { one(h) }
    };
    let mut words: Vec<String> = Vec::new();
    for w in act.held.iter().filter(|h| joint || h.capacity != Capacity::Holder).map(named) {
        if !words.contains(&w) {
            words.push(w);
        }
    }
    words.join("、")
}

impl ExplainLine {
    /// What the engine says about somebody, with names.
    pub(super) fn of(e: Explain, d: &Directory) -> Self {
        let name = d.person_name(&e.person);
        let who = if e.person.is_empty() { e.post } else { format!("{} {name}", e.post) };
        Self { who: who.trim().to_owned(), may: e.may, why: e.why }
    }
}

#[boxed]
impl Office {
    /// A case's page; `typed` is what was refused, to be shown again.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the person may not see it.
    pub async fn case_page(
        self: &Arc<Self>,
        who: &Identity,
        me: &Me,
        id: &str,
        typed: Option<&ActInput>,
    ) -> Result<CasePage, AppError> {
        let opened = self.open_case(me, id).await?;
        let pack = Arc::clone(&opened.pack);
        let procedure = pack.procedures.get(&opened.state.procedure).ok_or_else(|| {
            AppError::internal(format!("procedure {} is not in its pack", opened.row.procedure))
        })?;
        self.note_case_look(who, &pack, procedure, &opened.state, "page").await?;
        let (actions, explain) = (opened.actions(procedure, typed), self.explain(me, &opened)?);
        let OpenedCase { row, mut state, .. } = opened;
        let d = me.directory();
        let acts = self.acts_of(&row.id).await?;
        let now = self.clock.now();
        let (status, status_class) = status_words(state.status.code());
        // Whoever may act needs to read what is decided on; for a remark one need not.
        let reads = actions.iter().any(|a| a.act != "comment") || me.reads_personal_of(&state);
        if !reads {
            hide_fields(procedure, &mut state);
        }
        let looks = if me.sees_looks(&state.applicant.unit) {
            Some(self.looks_at(d, format!("case/{}", row.id)).await?)
        } else {
            None
        };
        let fields = procedure
            .fields
            .iter()
            .filter(|f| !matches!(f.kind, FieldType::Items(_)))
            .map(|f| Pair {
                label: f.label.clone(),
                value: state.content.fields.get(&f.id).map(|v| show_value(f, v)).unwrap_or_default(),
            })
            .collect();
        let words = Words::of(&pack);
        let items = items(&pack, procedure, &state);
        let safeguards = state.content.handling.iter().flat_map(safeguard_lines);
        Ok(CasePage {
            glance: glance(procedure, &state, &items),
            safeguards: safeguards.map(|(says, clause)| Explained::of(says, &clause)).collect(),
            rules: Explained::rules(&pack, procedure),
            looks,
            id: row.id.clone(),
            number: state.number.clone(),
            title: state.title.clone(),
            procedure: procedure.title.clone(),
            status_code: state.status.code(),
            status,
            status_class,
            alert: alert(&state, now),
            actions,
            applicant: d.full_name(&state.applicant.post, &state.applicant.person),
            opened: state.opened_at.japanese(),
            fields,
            items,
            attachments: self.case_files(&row.id).await?,
            related: related(&state),
            cause: match &state.cause {
                Some(cause) => Some(self.cause_view(d, cause).await?),
                None => None,
            },
            prints: procedure.permit.is_none() && procedure.form.is_some(),
            bulk: self.bulk_notes(me, &pack, procedure, &state, &acts).await?,
            permit: permit_view(d, &state, now),
            code: self.permit_code(d, procedure, &state)?,
            steps: procedure
                .steps
                .iter()
                .map(|s| step_line(s, state.step(&s.id), d, now, || words.by(&s.by, procedure)))
                .collect(),
            explain: explain.into_iter().map(|e| ExplainLine::of(e, d)).collect(),
            acts: self.act_lines(d, procedure, &pack.roles, &state, &acts, reads)?,
            clauses: procedure.clauses.iter().map(|id| ClauseLink::of(id)).collect(),
            anew: anew::address(self.pack().procedures.get(&state.procedure), &state, &who.person),
        })
    }

    /// Notes a look at a case whose looks are recorded.
    pub(super) async fn note_case_look(
        &self,
        who: &Identity,
        pack: &Pack,
        p: &Procedure,
        state: &CaseState,
        way: &'static str,
    ) -> Result<(), AppError> {
        if is_sensitive_case(pack, p, state, self.clock.today()) {
            self.note_look(who, format!("case/{}", state.id), way).await?;
        }
        Ok(())
    }

    /// What happened in a case, for reports. Noted as a look at it.
    pub(crate) async fn case_record(
        &self,
        who: &Identity,
        me: &Me,
        row: &CaseRow,
    ) -> Result<Vec<ActLine>, AppError> {
        let state = state_of(row)?;
        let pack = self.pack_of(&row.pack).await?;
        let Some(procedure) = pack.procedures.get(&state.procedure) else { return Ok(vec![]) };
        self.note_case_look(who, &pack, procedure, &state, "print").await?;
        let reads = me.reads_personal_of(&state);
        let acts = self.acts_of(&row.id).await?;
        self.act_lines(me.directory(), procedure, &pack.roles, &state, &acts, reads)
    }

    async fn cause_view(&self, d: &Directory, cause: &Cause) -> Result<CauseView, AppError> {
        let asked = cause.clone();
        let lasts = self.store.read(move |c| Box::pin(async move { causes::lasts(c, &asked).await })).await?;
        let person = cause.row.strip_prefix("person/").map(|p| format!("（{}）", d.person_name(p)));
        Ok(CauseView {
            says: format!("{}{}", cause.says, person.unwrap_or_default()),
            link: causes::link_of(cause),
            state: match lasts {
                Some(true) => "まだ解消していません。",
                Some(false) => "解消しました。",
                None => "",
            },
        })
    }

    fn act_lines(
        &self,
        d: &Directory,
        procedure: &Procedure,
        roles: &BTreeMap<String, Role>,
        state: &CaseState,
        acts: &[ActRow],
        reads: bool,
    ) -> Result<Vec<ActLine>, AppError> {
        let number_of = |key: &str| {
            let item = state.content.items.iter().find(|i| i.key() == key);
            item.map(|i| format!("{} {}", i.number, i.name)).unwrap_or_default()
        };
        let mut lines = Vec::new();
        for row in acts {
            let act: Act = serde_json::from_str(&row.body).map_err(AppError::internal)?;
            // The route's own bookkeeping is in the ledger; people read what people did.
            if matches!(
                act.what,
                What::StepOpened { .. } | What::StepNotApplicable { .. } | What::Seen { .. }
            ) {
                continue;
            }
            let capacity = capacity(&act, roles);
            lines.push(ActLine {
                title: act_title(procedure, &act.what),
                who: d.full_name(&act.post, &act.person),
                capacity,
                at: act.at.japanese(),
                note: act_note(procedure, &act, &number_of, reads),
                at_utc: act.at,
                entry: row.entry.clone(),
            });
        }
        Ok(lines)
    }
}

fn alert(state: &CaseState, now: Instant) -> String {
    if let Some(back) = &state.resume
        && state.status == Status::SentBack
    {
        return format!("差し戻されています。理由：{}", back.reason);
    }
    let changed = |r: &&Review| r.cause == ReviewCause::Reclassified && r.done.is_none();
    if state.reviews.iter().any(|r| changed(&r)) && !state.status.ended() {
        return "許可した後に、対象の分類か所管課が変わりました。許可した職の人が、続けてよいかを見直しています。".to_owned();
    }
    let late: Vec<String> =
        state.overdue(now).iter().filter_map(|s| s.due).map(|d| d.date().wareki()).collect();
    if late.is_empty() {
        String::new()
    } else {
        format!("期限（{}）を過ぎています。", late.join("、"))
    }
}

fn related(state: &CaseState) -> Vec<RelatedLine> {
    let parent = state.parent.iter().map(|p| RelatedLine {
        id: p.case.clone(),
        number: p.number.clone(),
        how: "もとの案件".to_owned(),
        status: String::new(),
    });
    let children = state.children.iter().map(|c| RelatedLine {
        id: c.case.clone(),
        number: c.number.clone(),
        how: "この案件から申請".to_owned(),
        status: status_words(c.status.code()).0.to_owned(),
    });
    parent.chain(children).collect()
}

fn items(pack: &Pack, procedure: &Procedure, state: &CaseState) -> Vec<CaseItem> {
    let safeguards: Vec<String> =
        state.content.handling.iter().flat_map(safeguard_lines).map(|(text, _)| text).collect();
    let line = |i: &Item| CaseItem {
        link: format!("/registers/{}/{}", i.register, i.id),
        number: i.number.clone(),
        title: i.name.clone(),
        class: class_change(pack, procedure, &state.content.fields, i),
        safeguards: safeguards.clone(),
        status: item_status(state, i),
    };
    state.content.items.iter().map(line).collect()
}

/// What a case is about, for whoever has to decide on a small screen.
fn glance(procedure: &Procedure, state: &CaseState, items: &[CaseItem]) -> Glance {
    let more = |n: usize| if n > 1 { format!(" ほか{}件", n - 1) } else { String::new() };
    let days = procedure.fields.iter().filter(|f| f.kind == FieldType::Date);
    let days = days.filter_map(|f| {
        let day = show_value(f, state.content.fields.get(&f.id)?);
        (!day.is_empty()).then(|| format!("{} {day}", f.label))
    });
    let mut classes: Vec<&str> = items.iter().map(|i| i.class.as_str()).filter(|c| !c.is_empty()).collect();
    classes.sort_unstable();
    classes.dedup();
    Glance {
        what: items
            .first()
            .map(|i| format!("{} {}{}", i.number, i.title, more(items.len())))
            .unwrap_or_default(),
        when: days.collect::<Vec<_>>().join("、"),
        class: classes.first().map(|c| format!("{c}{}", more(classes.len()))).unwrap_or_default(),
    }
}

fn permit_view(d: &Directory, state: &CaseState, now: Instant) -> Option<PermitView> {
    let p = state.permit.as_ref()?;
    let mut groups: BTreeMap<(u32, bool), Vec<&str>> = BTreeMap::new();
    for m in &p.movements {
        let number = state
            .content
            .items
            .iter()
            .find(|i| i.key() == m.item)
            .map_or(m.item.as_str(), |i| i.number.as_str());
        groups.entry((m.seq, m.direction == Direction::Out)).or_default().push(number);
    }
    let movement = |((seq, out), numbers): (&(u32, bool), &Vec<&str>)| {
        let first = p.movements.iter().find(|m| m.seq == *seq)?;
        Some(MovementLine {
            at: first.at.short(),
            direction: if *out { "持出" } else { "返却" },
            items: numbers.join("、"),
            by: d.person_name(&first.person).to_owned(),
        })
    };
    let state_text = match (&p.revoked, state.status) {
        (Some(r), _) => format!("{}に取り消されました。{}", r.at.date().japanese(), r.reason),
        (None, Status::Closed) => "完了しました".to_owned(),
        (None, _) if now.date() > p.until => "期間が終わりました".to_owned(),
        (None, _) if now.date() < p.from => "期間の前です".to_owned(),
        _ => "有効です".to_owned(),
    };
    let deciders: Vec<String> = state
        .deciding_step()
        .map(|s| s.decisions.iter().map(|x| d.person_name(&x.person).to_owned()).collect())
        .unwrap_or_default();
    Some(PermitView {
        number: p.number.clone(),
        period: format!(
            "{} から {} まで{}",
            p.from.japanese(),
            p.until.japanese(),
            if p.blanket { "（包括許可：期間中の持出しを繰り返し認める）" } else { "" }
        ),
        by: deciders.join("、"),
        state: state_text,
        conditions: p.conditions.join("、"),
        movements: groups.iter().filter_map(movement).collect(),
    })
}
