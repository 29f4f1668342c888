//! What a procedure can be proved never to do: a step that is never reached, a form that accepts nothing, a judging step
//! that only the applicant holds. Only what is certain is an error here; what the publication check merely does not find is
//! its own matter.

use sekisho_base::Date;

use crate::files::Known;
use crate::files::doc::Table;
use crate::fill::{Filling, Question, Reach, names_read, worlds};
use crate::model::{Procedure, StepKind};

pub(crate) fn sound(t: &Table<'_>, p: &Procedure, known: &Known) {
    let worlds = worlds(&known.classification, &known.registers, p, &names_read(&known.classification, p));
    // Proofs do not depend on the day: a condition that reads one is never proved.
    let question = Question {
        procedure: p,
        registers: &known.registers,
        worlds: &worlds,
        today: Date::from_epoch_days(0),
    };
    let steps = t.tables("step");
    let table = |id: &str| steps.iter().find(|s| s.text("id").is_some_and(|at| at.value == id));
    if let Filling::Impossible(ids) = question.application() {
        let fields = t.tables("field");
        if let Some(field) = to_blame(&fields, &ids) {
            impossible(field, "この様式は、どう記入しても受け付けられません", &ids);
        }
        return;
    }
    for step in &p.steps {
        let Some(s) = table(&step.id) else { continue };
        let judges = matches!(
            step.kind,
            StepKind::Permit | StepKind::Resolve | StepKind::Review | StepKind::Confirm | StepKind::Consult
        );
        if judges && step.by.needs_applicant() {
            s.error(
                "by",
                format!("「{}」は判断する段なのに、申請者が自分で行うことになっています", step.title),
                "申請者のほかの役割（例: \"section_security_manager of applicant.section\"）にしてください",
            );
        }
        if step.when.as_ref().is_some_and(|when| question.reach(&step.id, when) == Reach::Impossible) {
            s.error(
                "when",
                format!("「{}」の when は成り立つことがないため、この段は決して行われません", step.title),
                "条件を直すか、要らない段なら消してください",
            );
        }
        if let Filling::Impossible(ids) = question.evidence(step) {
            let evidence = s.tables("evidence");
            if let Some(field) = to_blame(&evidence, &ids) {
                impossible(field, "この記録は、どう記入しても受け付けられません", &ids);
            }
        }
    }
}

/// The field that a message points at: among those that cannot be filled together, the one whose limit says so.
fn to_blame<'f, 't>(fields: &'f [Table<'t>], ids: &[String]) -> Option<&'f Table<'t>> {
    let named = |f: &&Table<'t>| f.text("id").is_some_and(|at| ids.contains(&at.value));
    fields.iter().filter(named).find(|f| f.has("limit")).or_else(|| fields.iter().find(named))
}

fn impossible(field: &Table<'_>, text: &str, ids: &[String]) {
    let list: Vec<String> = ids.iter().map(|id| format!("「{id}」")).collect();
    let key = if field.has("limit") { "limit" } else { "id" };
    field.error(
        key,
        text,
        format!("{} の required、required_when、limit が両立するように直してください", list.concat()),
    );
}
