//! One organization, person, step and act that the solver found, and what real Cedar says to it.

use std::fmt;

use cedar_policy::{Authorizer, Decision, EntityUid, EvalResult, PolicySet};
use cedar_policy_symcc::Env;

/// A question of which the solver says that it breaks a claim. Whoever reads it asks Cedar itself with it.
#[derive(Debug, Clone)]
pub struct Counterexample {
    env: Env,
}

impl Counterexample {
    pub(crate) fn new(env: Env) -> Self {
        Self { env }
    }

    /// The act (`permit`).
    #[must_use]
    pub fn action(&self) -> String {
        self.env.request.action().map(|a| a.id().unescaped().to_owned()).unwrap_or_default()
    }

    /// The person who acts.
    #[must_use]
    pub fn person(&self) -> Option<&EntityUid> {
        self.env.request.principal()
    }

    /// Whether Cedar allows it under these rules.
    #[must_use]
    pub fn allowed_by(&self, rules: &PolicySet) -> bool {
        self.ask(rules).0
    }

    /// Ids of the rules by which Cedar decides, in order.
    #[must_use]
    pub fn decided_by(&self, rules: &PolicySet) -> Vec<String> {
        self.ask(rules).1
    }

    fn ask(&self, rules: &PolicySet) -> (bool, Vec<String>) {
        let response = Authorizer::new().is_authorized(&self.env.request, rules, &self.env.entities);
        let mut ids: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        ids.sort();
        (response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none(), ids)
    }

    /// A value of the context.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<EvalResult> {
        self.env.request.context()?.get(name)
    }

    /// A number of the context.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        number(&self.context(name)?)
    }

    /// A number of the context's delegation.
    #[must_use]
    pub fn delegation(&self, name: &str) -> Option<i64> {
        match self.context("delegation")? {
            EvalResult::Record(record) => number(record.get(name)?),
            _ => None,
        }
    }

    /// An attribute of the step.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<EvalResult> {
        self.env.entities.get(self.env.request.resource()?)?.attr(name)?.ok()
    }

    /// Whether the person is in the unit or seat, directly or through others.
    #[must_use]
    pub fn is_in(&self, group: &EntityUid) -> bool {
        self.person().is_some_and(|person| self.env.entities.is_ancestor_of(group, person))
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.env.fmt(f)
    }
}

fn number(value: &EvalResult) -> Option<i64> {
    match value {
        EvalResult::Long(n) => Some(*n),
        _ => None,
    }
}
