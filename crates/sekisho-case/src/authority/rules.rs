//! The rules Cedar decides by: the core's text, which no pack touches, and `permit` rules generated from each step's
//! `by`. Built once for a pack, strictly validated against the schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use sekisho_pack::by::{By, Term};
use sekisho_pack::model::{FieldType, OnAbsent, Pack, Procedure, Step};

use super::resolve::APPLICANT;
use crate::case::{is_final_decision, step_actions};
use crate::refusal::Code;

/// The core's rules as text: the same for every pack.
pub const CORE: &str = include_str!("core.cedar");
/// The schema of the facts that rules speak about.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// What a denial by each `forbid` rule means, most telling first.
pub(super) const DENIED_BY: &[(&str, Code, &str)] = &[
    (
        "core.not_open",
        Code::NotOpen,
        "この手順はいま受け付けていません。画面を開き直して、案件の状態を確かめてください。",
    ),
    ("core.not_in_office", Code::NotInOffice, "この日に在職する職がないため、操作できません。"),
    (
        "core.stale_content",
        Code::StaleContent,
        "表示した後に内容が変わりました。画面を開き直し、新しい内容を確かめてから操作してください。",
    ),
    (
        "core.reason_required",
        Code::ReasonRequired,
        "ほかに決められる人がいないため自ら決める場合は、その理由を記入してください。",
    ),
    (
        "core.override_not_needed",
        Code::OverrideNotNeeded,
        "ほかに決められる人がいるため、自ら決めることはできません。",
    ),
    ("core.self_decision", Code::SelfDecision, "自分の申請を自分で決めることはできません。"),
    ("core.own_performance", Code::OwnPerformance, "自分が行ったことを自分で確認することはできません。"),
    (
        "core.own_audit",
        Code::OwnAudit,
        "自分の所属する課室を自分で監査することはできません。ほかの課室の監査人が行ってください。",
    ),
    ("core.deputy_of_deputy", Code::DeputyOfDeputy, "代決する人の代わりに決めることはできません。"),
    (
        "core.lapsed_delegation",
        Code::LapsedDelegation,
        "職務代理の期間ではないため、代わりに決めることはできません。職務代理の期間を確かめてください。",
    ),
    (
        "core.other_delegation",
        Code::OtherDelegation,
        "この職務代理は、この手順を担う職またはこの人についてのものではありません。",
    ),
    (
        "core.holder_present",
        Code::HolderPresent,
        "権限のある人が在席しているため、代わりに決めることはできません。",
    ),
    (
        "core.daiketsu_barred",
        Code::ReasonRequired,
        "重要・異例などの案件は代決できません。あらかじめ指示を受けたときか急ぐときは、その理由を記入してください。",
    ),
    ("core.not_final_decision", Code::NotFinalDecision, "代決できるのは最終の決定だけです。"),
    ("core.not_escalated", Code::NotEscalated, "まだ上位の役割が行う番ではありません。"),
];

/// The rules of one pack.
#[derive(Debug, Clone)]
pub struct Rules {
    schema: Schema,
    by_procedure: BTreeMap<String, PolicySet>,
}

/// The rules of a pack could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The schema or the core's text does not parse.
    #[error("the core rules do not parse: {0}")]
    Core(String),
    /// A generated rule does not parse or has the id of another.
    #[error("procedure {procedure}: generated rule does not hold: {detail}")]
    Generated {
        /// Procedure.
        procedure: String,
        /// What Cedar says.
        detail: String,
    },
    /// The rules do not fit the schema.
    #[error("procedure {procedure}: rules fail strict validation: {detail}")]
    Invalid {
        /// Procedure.
        procedure: String,
        /// What Cedar says.
        detail: String,
    },
}

impl Rules {
    /// Builds and validates the rules of every procedure of a pack.
    ///
    /// # Errors
    /// A rule does not parse or does not fit the schema; a pack whose rules fail is not to be loaded.
    pub fn for_pack(pack: &Pack) -> Result<Self, RulesError> {
        let core_error = |e: &dyn std::fmt::Display| RulesError::Core(e.to_string());
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| core_error(&e))?;
        let core = named(CORE).map_err(RulesError::Core)?;
        let validator = Validator::new(schema.clone());
        let mut by_procedure = BTreeMap::new();
        for procedure in pack.procedures.values() {
            let generated =
                |detail: String| RulesError::Generated { procedure: procedure.id.clone(), detail };
            let mut set = core.clone();
            for policy in named(&generate(procedure, pack)).map_err(generated)?.policies() {
                set.add(policy.clone()).map_err(|e| generated(e.to_string()))?;
            }
            let result = validator.validate(&set, ValidationMode::Strict);
            if !result.validation_passed() {
                let detail =
                    result.validation_errors().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                return Err(RulesError::Invalid { procedure: procedure.id.clone(), detail });
            }
            by_procedure.insert(procedure.id.clone(), set);
        }
        Ok(Self { schema, by_procedure })
    }

    /// The rules of a procedure, the core's among them.
    #[must_use]
    pub fn policies(&self, procedure: &str) -> Option<&PolicySet> {
        self.by_procedure.get(procedure)
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The rules of a procedure as text, for people and for `cedar` tools.
    #[must_use]
    pub fn text(&self, procedure: &str) -> Option<String> {
        let set = self.by_procedure.get(procedure)?;
        let mut policies: Vec<&Policy> = set.policies().collect();
        policies.sort_by_key(|p| p.id().to_string());
        Some(policies.iter().map(|p| format!("{p}\n")).collect())
    }
}

/// Parses policies and gives each the id of its `@id`: Cedar itself numbers them, and reasons come back by id.
fn named(text: &str) -> Result<PolicySet, String> {
    let parsed: PolicySet = text.parse().map_err(|e| format!("{e}"))?;
    let mut set = PolicySet::new();
    for policy in parsed.policies() {
        let id = policy.annotation("id").ok_or("a rule has no @id")?;
        set.add(policy.new_id(PolicyId::new(id))).map_err(|e| e.to_string())?;
    }
    Ok(set)
}

/// The `permit` rules of a procedure's steps.
pub(super) fn generate(procedure: &Procedure, pack: &Pack) -> String {
    let mut text = String::new();
    for step in &procedure.steps {
        let mut roles = BTreeSet::new();
        collect(&step.by, step, procedure, pack, &mut roles);
        for role in roles {
            rule(&mut text, procedure, step, &role);
        }
    }
    text
}

fn collect(by: &By, step: &Step, procedure: &Procedure, pack: &Pack, roles: &mut BTreeSet<String>) {
    match by {
        By::All(of) | By::Any(of) => of.iter().for_each(|b| collect(b, step, procedure, pack, roles)),
        By::Term(Term::Applicant) => {
            roles.insert(APPLICANT.to_owned());
        }
        By::Term(Term::Role { role, .. }) => {
            roles.insert(role.clone());
        }
        By::Term(Term::ItemManager { .. }) => {
            let fields = procedure.fields.iter().filter(|f| step.each.as_ref().is_none_or(|e| *e == f.id));
            for register in fields.flat_map(|f| match &f.kind {
                FieldType::Items(registers) => registers.as_slice(),
                _ => &[],
            }) {
                roles.extend(pack.registers.get(register).and_then(|r| r.managed_by.clone()));
            }
        }
    }
}

fn rule(text: &mut String, procedure: &Procedure, step: &Step, role: &str) {
    let mut ways = vec![
        r#"(context.path == "holder" && principal in resource.holders)"#,
        r#"(context.path == "escalated" && principal in resource.higher)"#,
        r#"(context.path == "delegate" && context has delegation && context.delegation.person == principal)"#,
        r#"(context.path == "override" && (principal in resource.holders || principal in resource.higher))"#,
    ];
    if step.on_absent == OnAbsent::Daiketsu && is_final_decision(step.kind) {
        ways.push(r#"(context.path == "deputy" && principal in resource.acting)"#);
    }
    let actions: Vec<String> =
        step_actions(step.kind).iter().map(|a| format!("Sekisho::Action::\"{a}\"")).collect();
    // Ids of a pack are `[a-z][a-z0-9_]*`, so they need no quoting; `write!` to a String cannot fail.
    let _ = write!(
        text,
        "@id(\"{p}.{s}.{role}\")\npermit (principal, action in [{}], resource)\nwhen {{\n  resource.procedure == \"{p}\" && resource.step == \"{s}\" && resource.role == \"{role}\"\n  && ({})\n}};\n",
        actions.join(", "),
        ways.join(" || "),
        p = procedure.id,
        s = step.id,
    );
}
