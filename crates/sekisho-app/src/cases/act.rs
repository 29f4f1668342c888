//! Acting on a case: what the page offers, and from a form to the engine's command. Who acts comes from the session alone.

use std::sync::Arc;

use sekisho_base::Date;
use sekisho_boxed::boxed;
use sekisho_case::authority::Explain;
use sekisho_case::case::{Act, CaseState, Direction, Item, Resume, SYSTEM, StepRun, StepStatus};
use sekisho_case::decide::{self, Command, Ctx, Draft, Offer};
use sekisho_pack::model::{Field, FieldType, Pack, Procedure, Step, StepKind};
use sekisho_store::case::{self, CaseRow};
use sekisho_store::{Conn, Viewer, register};

use crate::cases::apply::{field_view, refused, typed_values};
use crate::cases::choose::{ITEMS, chosen, items_field};
use crate::cases::items::item_of;
use crate::cases::rows::Named;
use crate::cases::store::{engine, keep, state_of};
use crate::cases::view::{ActInput, ActionView, Button};
use crate::cases::writes::write_rows;
use crate::cases::{anew, attach};
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::{FieldView, table_spec};

/// What the form fields of a step's evidence begin with.
pub(crate) const EVIDENCE: &str = "e.";
/// What the form fields of an application sent again begin with.
pub(super) const AGAIN: &str = "f.";

fn text_field(name: &str, label: &str, help: &str, kind: &'static str, value: &str) -> FieldView {
    FieldView {
        name: name.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        kind,
        required: false,
        value: value.to_owned(),
        choices: vec![],
    }
}

/// The word on the button of a step's own act.
pub(super) fn own_label(step: &Step, permits: bool) -> String {
    match step.kind {
        StepKind::Permit if permits => "許可する".to_owned(),
        StepKind::Permit => "承認する".to_owned(),
        StepKind::Resolve => "議決を記録する".to_owned(),
        StepKind::Review => "審査を終える".to_owned(),
        StepKind::Confirm => "確認する".to_owned(),
        StepKind::Consult => "回答する".to_owned(),
        StepKind::Report => "報告する".to_owned(),
        StepKind::Instruct => "指示する".to_owned(),
        StepKind::Perform => format!("{}を記録する", step.title),
        StepKind::Inform => "読みました".to_owned(),
    }
}

/// Acts that decide nothing: also open to somebody whose credentials were set anew by somebody else.
const OWN_ACTS: [&str; 6] = ["withdraw", "resubmit", "comment", "ask_extension", "move_out", "move_in"];

/// What else an act of a person brings along.
struct Extra {
    viewer: Viewer,
    /// Ids of files that become the case's own.
    files: Vec<String>,
    /// Rows of registers that the form names.
    rows: Option<Named>,
}

/// Actions on the case itself: action, label, style, what its text field asks, whether it asks for a date.
const CASE_ACTIONS: [(&str, &str, &str, &str, bool); 10] = [
    ("withdraw", "申請を引き戻す", "danger", "引き戻す理由", false),
    ("ask_extension", "期間の延長を願い出る", "", "延長が必要な理由", true),
    ("extend", "期間を延長する", "", "延長を認める理由", true),
    ("decline_extension", "延長を認めない", "danger", "認めない理由", false),
    ("revoke", "許可を取り消す", "danger", "取り消す理由", false),
    ("close", "案件を終える", "", "終える理由", false),
    ("comment", "コメントを書き込む", "", "コメント", false),
    ("move_out", "持ち出したことを記録する", "", "備考", false),
    ("move_in", "返却を記録する", "", "備考", false),
    ("post_review", "後閲・確認を済ませる", "primary", "所見", false),
];

fn case_action(
    name: &str,
) -> Option<&'static (&'static str, &'static str, &'static str, &'static str, bool)> {
    CASE_ACTIONS.iter().find(|a| a.0 == name)
}

/// Name of a text field of an action on the case. Several forms stand on one page, and labels find fields by their name.
fn case_field(action: &str, step: &str, field: &str) -> String {
    format!("{action}{step}.{field}")
}

/// `permits` tells whether the decision gives a permit, or approves something.
fn step_view(
    state: &CaseState,
    step: &Step,
    permits: bool,
    offers: &[&Offer],
    typed: Option<&ActInput>,
) -> ActionView {
    let here = typed.filter(|t| t.step == step.id);
    let value = |name: &str| here.map(|t| t.first(name).to_owned()).unwrap_or_default();
    let own = offers.iter().find(|o| !matches!(o.action.as_str(), "refuse" | "send_back"));
    let needs_reason = own.is_some_and(|o| o.needs_reason);
    let urgent = own.is_some_and(|o| o.urgent);
    let mut fields: Vec<FieldView> = items_field(state, offers, ITEMS, here).into_iter().collect();
    if own.is_some() {
        for f in &step.evidence {
            let name = format!("{EVIDENCE}{}", f.id);
            fields.push(field_view(f, value(&name), EVIDENCE));
        }
        if step.kind == StepKind::Permit {
            fields.push(text_field(
                "conditions",
                if permits { "許可の条件" } else { "条件" },
                "条件を付けるときだけ、1行に1つ書きます。",
                "long_text",
                &value("conditions"),
            ));
        }
        if urgent {
            let help = "重要・異例などの案件です。あらかじめ指示を受けたこと、または急ぐ理由を書きます。";
            let field = text_field("reason", "代決する理由", help, "long_text", &value("reason"));
            fields.push(FieldView { required: true, ..field });
        }
        if needs_reason {
            fields.push(FieldView {
                required: true,
                ..text_field(
                    "reason",
                    "自ら決める理由",
                    "ほかに決められる人がいないため、理由を記録して決めます。上位の責任者が後で確認します。",
                    "long_text",
                    &value("reason"),
                )
            });
        }
    }
    let negative = offers.iter().any(|o| matches!(o.action.as_str(), "refuse" | "send_back"));
    let (label, help) = if negative {
        (
            "意見・理由",
            if permits {
                "差戻しや不許可のときは必ず書きます。"
            } else {
                "差戻しや、承認しないときは必ず書きます。"
            },
        )
    } else {
        ("備考", "")
    };
    fields.push(text_field("says", label, help, "long_text", &value("says")));
    let buttons = offers
        .iter()
        .map(|o| match o.action.as_str() {
            "refuse" => {
                let label = if permits { "不許可にする" } else { "承認しない" };
                Button { value: "refuse", label: label.to_owned(), class: "danger" }
            }
            "send_back" => Button { value: "send_back", label: send_back_label(state, &step.id), class: "" },
            _ => Button { value: own_name(step.kind), label: own_label(step, permits), class: "primary" },
        })
        .collect();
    let note = if needs_reason {
        "あなたの申請です。ほかに決められる人がいないため、特例として処理できます。"
    } else {
        ""
    };
    ActionView {
        act: own_name(step.kind),
        step: step.id.clone(),
        shown: state.content_hash(Some(&step.id)),
        note: note.to_owned(),
        fields,
        buttons,
        opens: None,
    }
}

/// Where a step sends back to when it cannot be the applicant: after a permit, or where nobody applied, the work before it.
fn back_to<'s>(state: &'s CaseState, step: &str) -> Option<&'s StepRun> {
    let before: Vec<&StepRun> = state.steps.iter().take_while(|s| s.id != step).collect();
    let work =
        |s: &&StepRun| s.status == StepStatus::Done && matches!(s.kind, StepKind::Perform | StepKind::Report);
    before.into_iter().rev().find(work).filter(|_| state.permit.is_some() || state.cause.is_some())
}

fn send_back_label(state: &CaseState, step: &str) -> String {
    back_to(state, step).map_or_else(|| "差し戻す".to_owned(), |s| format!("「{}」へ差し戻す", s.title))
}

/// Name of a step's own act, as buttons send it.
pub(super) fn own_name(kind: StepKind) -> &'static str {
    sekisho_case::case::step_actions(kind).first().copied().unwrap_or("act")
}

fn case_view(state: &CaseState, o: &Offer, typed: Option<&ActInput>) -> Option<ActionView> {
    let (action, label, class, asks, dated) = case_action(&o.action)?;
    let value = |name: &str| typed.map(|t| t.first(name).to_owned()).unwrap_or_default();
    let mut fields = Vec::new();
    let here = typed.filter(|t| t.act == *action);
    fields.extend(items_field(state, &[o], &case_field(action, &o.step, ITEMS), here));
    if *dated {
        let name = case_field(action, &o.step, "until");
        fields.push(text_field(
            &name,
            "いつまで",
            "例：R8.7.1、令和8年7月1日、2026/7/1",
            "date",
            &value(&name),
        ));
    }
    let name = case_field(action, &o.step, "says");
    fields.push(text_field(&name, asks, "", "text", &value(&name)));
    let buttons = vec![Button { value: action, label: (*label).to_owned(), class }];
    Some(ActionView {
        act: action,
        step: o.step.clone(),
        shown: state.content_hash(None),
        note: String::new(),
        fields,
        buttons,
        opens: None,
    })
}

fn again_view(p: &Procedure, state: &CaseState, typed: Option<&ActInput>) -> ActionView {
    let stored = |f: &Field| {
        state.content.fields.get(&f.id).and_then(|v| anew::typed_text(&f.kind, v)).unwrap_or_default()
    };
    let value = |f: &Field| {
        typed
            .filter(|t| t.act == "resubmit")
            .map_or_else(|| stored(f), |t| t.first(&format!("{AGAIN}{}", f.id)).to_owned())
    };
    let fields = p
        .fields
        .iter()
        .filter(|f| !matches!(f.kind, FieldType::Items(_)))
        .map(|f| field_view(f, value(f), AGAIN))
        .collect();
    let note =
        "直して、もう一度申請します。対象の資産は変わりません（変えるときは引き戻して新しく申請します）。";
    ActionView {
        act: "resubmit",
        step: String::new(),
        shown: state.content_hash(None),
        note: note.to_owned(),
        fields,
        buttons: vec![Button {
            value: "resubmit", label: "もう一度申請する".to_owned(), class: "primary"
        }],
        opens: None,
    }
}

/// The command that a form asks for.
fn command(p: &Procedure, state: &CaseState, input: &ActInput, now: Vec<Item>) -> Result<Command, AppError> {
    let text = |field: &str| {
        if case_action(&input.act).is_some() {
            input.first(&case_field(&input.act, &input.step, field))
        } else {
            input.first(field)
        }
    };
    let says = text("says").to_owned();
    let (step, shown) = (input.step.clone(), input.shown.clone());
    let moving = || chosen(input, &case_field(&input.act, &input.step, ITEMS));
    let until = || Date::parse_japanese(text("until")).map_err(|e| AppError::field("until", e.to_string()));
    Ok(match input.act.as_str() {
        "refuse" => Command::Refuse { step, shown, items: chosen(input, ITEMS)?, says },
        "send_back" => {
            let to = back_to(state, &step).map(|s| s.id.clone());
            Command::SendBack { step, shown, to, resume: Resume::InOrder, says }
        }
        "withdraw" => Command::Withdraw { shown, says },
        "resubmit" => {
            let fields = typed_values(&p.fields, &input.values, AGAIN)?;
            Command::Resubmit {
                shown,
                draft: Draft { fields, attachments: state.content.attachments.clone(), items: now },
            }
        }
        "ask_extension" => Command::AskExtension { shown, until: until()?, says },
        "extend" => Command::Extend { shown, until: until()?, says },
        "decline_extension" => Command::DeclineExtension { shown, says },
        "revoke" => Command::Revoke { shown, says },
        "close" => Command::Close { shown, says },
        "move_out" => Command::Move { shown, items: moving()?, direction: Direction::Out, note: says },
        "move_in" => Command::Move { shown, items: moving()?, direction: Direction::In, note: says },
        "comment" => Command::Comment { shown, says },
        "post_review" => {
            let of = step.parse().map_err(|_| {
                AppError::refused("C001", "確認する処理が見つかりません。画面を開き直してください。")
            })?;
            Command::Review { of, shown, says }
        }
        act => {
            let Some(spec) = p.steps.iter().find(|s| s.id == step && own_name(s.kind) == act) else {
                return Err(AppError::refused(
                    "C002",
                    "この処理はこの案件にありません。画面を開き直してください。",
                ));
            };
            let evidence = typed_values(&spec.evidence, &input.values, EVIDENCE)?;
            let conditions = input
                .first("conditions")
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .map(str::to_owned)
                .collect();
            let reason = Some(input.first("reason").to_owned()).filter(|r| !r.is_empty());
            let items = chosen(input, ITEMS)?;
            Command::Act { step, shown, items, says, conditions, evidence, override_reason: reason }
        }
    })
}

/// A refusal as fields of the form, where it is about one.
fn told(r: sekisho_case::refusal::Refusal) -> AppError {
    use sekisho_case::refusal::Code;
    if r.fields.is_empty() && matches!(r.code, Code::ReasonRequired | Code::PeriodTooLong) {
        let field = if r.code == Code::PeriodTooLong { "until" } else { "says" };
        return AppError::Invalid(vec![FieldError { field: field.to_owned(), message: r.message }]);
    }
    refused(r, EVIDENCE)
}

/// Faults under the names that the fields have in the form that was sent.
fn beside_its_field(e: AppError, input: &ActInput) -> AppError {
    let AppError::Invalid(mut faults) = e else { return e };
    for fault in &mut faults {
        let bare = fault.field.strip_prefix(EVIDENCE).unwrap_or(&fault.field);
        if bare == "conditions" || (input.act == "resubmit" && !fault.field.starts_with(AGAIN)) {
            fault.field = format!("{}{bare}", if bare == "conditions" { "" } else { AGAIN });
        } else if bare == "says"
            && input.values.contains_key("reason")
            && !matches!(input.act.as_str(), "refuse" | "send_back")
        {
            // What was missing is the reason for deciding the own case.
            fault.field = "reason".to_owned();
        } else if case_action(&input.act).is_some() {
            fault.field = case_field(&input.act, &input.step, bare);
        }
    }
    AppError::Invalid(faults)
}

/// A case, and what somebody may do with it now.
pub(super) struct OpenedCase {
    pub row: CaseRow,
    pub state: CaseState,
    pub pack: Arc<Pack>,
    offers: Vec<Offer>,
}

impl OpenedCase {
    /// What may be done, for its page; `typed` is what was refused, to be shown again.
    pub(super) fn actions(&self, p: &Procedure, typed: Option<&ActInput>) -> Vec<ActionView> {
        let (state, offers) = (&self.state, &self.offers);
        let mut views = Vec::new();
        for step in &p.steps {
            let here: Vec<&Offer> =
                offers.iter().filter(|o| o.step == step.id && o.action != "see").collect();
            if !here.is_empty() {
                let opens = step.opens.as_ref().and_then(|id| self.pack.procedures.get(id)).map(|sub| {
                    let address = format!("/apply/{}?parent={}/{}", sub.id, state.id, step.id);
                    (address, format!("「{}」を申請する", sub.title))
                });
                views.push(ActionView { opens, ..step_view(state, step, p.permit.is_some(), &here, typed) });
            }
        }
        if offers.iter().any(|o| o.action == "resubmit") {
            views.push(again_view(p, state, typed));
        }
        views.extend(offers.iter().filter_map(|o| case_view(state, o, typed)));
        views
    }
}

#[boxed]
impl Office {
    /// A case as somebody opens it. The first look of a holder is recorded: from then on the applicant cannot take it back.
    pub(super) async fn open_case(self: &Arc<Self>, me: &Me, id: &str) -> Result<OpenedCase, AppError> {
        let opened = self.opened(me, self.load_case(me, id).await?).await?;
        let Some(step) = opened.offers.iter().find(|o| o.action == "see").map(|o| o.step.clone()) else {
            return Ok(opened);
        };
        match self.run(me, &opened.row, vec![], None, Command::See { step }).await {
            // Somebody else was faster: then it is seen anyway.
            Ok(()) | Err(AppError::Refused { .. }) => {}
            Err(e) => return Err(e),
        }
        self.opened(me, self.load_case(me, id).await?).await
    }

    async fn opened(&self, me: &Me, (row, state): (CaseRow, CaseState)) -> Result<OpenedCase, AppError> {
        let pack = self.pack_of(&row.pack).await?;
        let rules = self.rules(&pack)?;
        let ctx =
            Ctx { org: me.org(), pack: &pack, rules: &rules, now: self.clock.now(), person: &me.person };
        let offers = decide::offers(&state, &ctx);
        Ok(OpenedCase { row, state, pack, offers })
    }

    /// Who may act on it, and who may not for which reason.
    pub(super) fn explain(&self, me: &Me, of: &OpenedCase) -> Result<Vec<Explain>, AppError> {
        let (pack, rules) = (&of.pack, self.rules(&of.pack)?);
        let ctx = Ctx { org: me.org(), pack, rules: &rules, now: self.clock.now(), person: &me.person };
        Ok(decide::explain(&of.state, &ctx))
    }

    /// Acts on a case.
    ///
    /// # Errors
    /// Fields that were not accepted, or a refusal that names who may.
    pub async fn act(self: &Arc<Self>, who: &Identity, id: &str, input: &ActInput) -> Result<(), AppError> {
        let me = self.me(who).await?;
        let (row, state) = self.load_case(&me, id).await?;
        if !OWN_ACTS.contains(&input.act.as_str()) {
            Self::may_decide_now(who)?;
        }
        let pack = self.pack_of(&row.pack).await?;
        let p = pack.procedures.get(&state.procedure).ok_or(AppError::NotFound)?;
        let items = if input.act == "resubmit" { self.items_now(&pack, &state).await? } else { vec![] };
        let spec = p.steps.iter().find(|s| s.id == input.step);
        let fields = spec.map_or(&[][..], |s| s.evidence.as_slice());
        let (input, files) = self.files_of(who, fields, input).await?;
        let done = async {
            let mut command = command(p, &state, &input, items)?;
            let rows = self.name_rows(&me, &pack, p, &mut command).await?;
            self.run(&me, &row, files, rows, command).await
        };
        done.await.map_err(|e| beside_its_field(e, &input))
    }

    /// The case's items as the registers have them now.
    async fn items_now(&self, pack: &Arc<Pack>, state: &CaseState) -> Result<Vec<Item>, AppError> {
        let (pack, items) = (Arc::clone(pack), state.content.items.clone());
        self.store.read(move |c| Box::pin(async move { items_in(c, &pack, &items).await })).await
    }

    /// Decides a command, and keeps what follows, with files that become the case's own when it is accepted, and with rows that it names.
    async fn run(
        self: &Arc<Self>,
        me: &Me,
        row: &CaseRow,
        files: Vec<String>,
        rows: Option<Named>,
        command: Command,
    ) -> Result<(), AppError> {
        let decision =
            move |state: &CaseState, ctx: &Ctx<'_>| decide::decide(state, ctx, command).map_err(told);
        let extra = Extra { viewer: me.viewer().clone(), files, rows };
        self.on_case_with(row, &me.person, Some(extra), decision).await.map(|_| ())
    }

    /// Records what time alone changed in a case; tells whether anything did.
    pub(super) async fn pass_time(self: &Arc<Self>, row: &CaseRow) -> Result<bool, AppError> {
        self.on_case(row, SYSTEM, |state, ctx| decide::tick(state, ctx).map_err(|r| not_refusable(state, &r)))
            .await
    }

    /// Asks the engine about a case as it is in the transaction, and keeps what follows; tells whether anything did.
    pub(super) async fn on_case<F>(
        self: &Arc<Self>,
        row: &CaseRow,
        person: &str,
        decision: F,
    ) -> Result<bool, AppError>
    where
        F: FnOnce(&CaseState, &Ctx<'_>) -> Result<Vec<Act>, AppError> + Send + 'static,
    {
        self.on_case_with(row, person, None, decision).await
    }

    async fn on_case_with<F>(
        self: &Arc<Self>,
        row: &CaseRow,
        person: &str,
        extra: Option<Extra>,
        decision: F,
    ) -> Result<bool, AppError>
    where
        F: FnOnce(&CaseState, &Ctx<'_>) -> Result<Vec<Act>, AppError> + Send + 'static,
    {
        let pack = self.pack_of(&row.pack).await?;
        let rules = self.rules(&pack)?;
        let (office, person, id) = (Arc::clone(self), person.to_owned(), row.id.clone());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let row = case::get(c, &engine(), &id).await?.ok_or(AppError::NotFound)?;
                    let state = state_of(&row)?;
                    let (org, now) = (office.org_now(c).await?, office.clock.now());
                    let acts = decision(
                        &state,
                        &Ctx { org: &org, pack: &pack, rules: &rules, now, person: &person },
                    )?;
                    if let Some(x) = extra {
                        if let Some(named) = &x.rows {
                            named.still_so(c, &pack, &x.viewer).await?;
                        }
                        attach::give(c, &person, &x.files, &state.id).await?;
                    }
                    let after = folded(state, &acts)?;
                    keep(c, &office, Some(&row), &after, &acts).await?;
                    write_rows(c, &office, &pack, &after, &acts).await?;
                    Ok(!acts.is_empty())
                })
            })
            .await
    }

    /// The first person who may act on the open step: for the demo city, whose stories leave the decider to the engine.
    pub(crate) async fn first_who_may(&self, state: &CaseState) -> Result<Option<String>, AppError> {
        let pack = self.pack_of(&state.pack.hash).await?;
        let (org, rules) = (self.org().await?, self.rules(&pack)?);
        let ctx = Ctx {
            org: &org,
            pack: &pack,
            rules: &rules,
            now: self.clock.now(),
            person: &state.applicant.person,
        };
        let day = self.clock.today();
        let may = decide::explain(state, &ctx)
            .into_iter()
            .filter(|e| e.may && !e.person.is_empty() && e.person != state.applicant.person);
        Ok(may.map(|e| e.person).find(|p| !org.absent(p, day)))
    }

    /// A case as the engine sees it.
    pub(crate) async fn state_for_engine(&self, id: &str) -> Result<CaseState, AppError> {
        let id = id.to_owned();
        let row = self
            .store
            .ask(move |c| Box::pin(async move { case::get(c, &engine(), &id).await.map_err(AppError::from) }))
            .await?;
        state_of(&row.ok_or(AppError::NotFound)?)
    }
}

/// Items of a case as the registers have them in this transaction.
pub(super) async fn items_in(c: &mut Conn<'_>, pack: &Pack, items: &[Item]) -> Result<Vec<Item>, AppError> {
    let mut now = Vec::new();
    for i in items {
        let Some(r) = pack.registers.get(&i.register) else { continue };
        let row = register::get(c, &table_spec(r), &engine(), &i.id).await?;
        now.extend(row.map(|row| item_of(&i.field, r, &row)));
    }
    Ok(now)
}

/// Step and content hash that a page would show for an act: for the demo city.
pub(crate) fn shown_for(state: &CaseState, act: &str) -> (String, String) {
    let on_case = act == "resubmit" || case_action(act).is_some();
    let step = if on_case { None } else { state.open_step().map(|s| s.id.clone()) };
    (step.clone().unwrap_or_default(), state.content_hash(step.as_deref()))
}

/// A refusal of what the engine does of itself: there is nobody to tell but the operator.
pub(super) fn not_refusable(state: &CaseState, r: &sekisho_case::refusal::Refusal) -> AppError {
    AppError::internal(format!("{}: {}", state.id, r.message))
}

pub(super) fn folded(mut state: CaseState, acts: &[Act]) -> Result<CaseState, AppError> {
    for act in acts {
        state.apply(act).map_err(AppError::internal)?;
    }
    Ok(state)
}
