//! The sets of rules that are compared: the core with a pack that permits everything, the core with a pack's own rules.

use cedar_policy::{PolicyId, PolicySet, Schema};
use sekisho_case::authority::{CORE, Rules, SCHEMA};
use sekisho_pack::model::Pack;

use crate::ProveError;

/// More than any pack could permit: a claim that holds beside it holds for every pack, as packs add `permit` rules only
/// and in Cedar each of those allows no more than this one.
const ANYTHING: &str = r#"@id("anything") permit (principal, action, resource);"#;

/// The schema of the facts that rules speak about.
///
/// # Errors
/// The schema does not parse.
pub fn schema() -> Result<Schema, ProveError> {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| ProveError::Rules(e.to_string()))?;
    Ok(schema)
}

/// Rules from text, each under the id of its `@id`.
///
/// # Errors
/// The text does not parse, or a rule has no id or that of another.
pub fn parse(text: &str) -> Result<PolicySet, ProveError> {
    let parsed: PolicySet = text.parse().map_err(|e| ProveError::Rules(format!("{e}")))?;
    let mut set = PolicySet::new();
    for policy in parsed.policies() {
        let id = policy.annotation("id").ok_or_else(|| ProveError::Rules("a rule has no @id".to_owned()))?;
        set.add(policy.new_id(PolicyId::new(id))).map_err(|e| ProveError::Rules(e.to_string()))?;
    }
    Ok(set)
}

/// The core's rules beside a pack that permits everything.
///
/// # Errors
/// The core's text does not parse.
pub fn core_with_anything() -> Result<PolicySet, ProveError> {
    with_anything(CORE)
}

/// Rules from text beside a pack that permits everything.
///
/// # Errors
/// As [`parse`].
pub fn with_anything(text: &str) -> Result<PolicySet, ProveError> {
    parse(&format!("{text}\n{ANYTHING}"))
}

/// The rules of all procedures of a pack in one set, with the core's, as the engine asks them. What the set denies is
/// denied by the rules of each procedure, which are a part of it with every `forbid`.
///
/// # Errors
/// The pack's rules cannot be built, or the pack has no procedure.
pub fn all_rules(pack: &Pack) -> Result<PolicySet, ProveError> {
    let rules = Rules::for_pack(pack).map_err(|e| ProveError::Rules(e.to_string()))?;
    let mut set = PolicySet::new();
    for policy in pack.procedures.keys().filter_map(|p| rules.policies(p)).flat_map(PolicySet::policies) {
        if set.policy(policy.id()).is_none() {
            set.add(policy.clone()).map_err(|e| ProveError::Rules(e.to_string()))?;
        }
    }
    if set.is_empty() {
        return Err(ProveError::Rules("the pack has no procedure".to_owned()));
    }
    Ok(set)
}
