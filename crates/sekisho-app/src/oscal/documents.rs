//! The four OSCAL documents. No array is empty and no member without a meaning in 1.2.1.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Instant;
use sekisho_case::state::ClauseState;
use sekisho_pack::model::MechanismKind;
use serde_json::{Value, json};

use super::uuid5::uuid5;
use super::{VERSION, control_id};
use crate::clauses::{ToldClause, ToldMechanism, state_words};
use crate::error::AppError;
use crate::office::Office;

/// What the documents are made from.
pub(super) struct Told {
    body: String,
    name: String,
    standard: String,
    version: String,
    now: Instant,
    clauses: Vec<ToldClause>,
}

impl Told {
    pub(super) async fn of(office: &Office) -> Result<Self, AppError> {
        let (pack, now) = (office.pack(), office.clock.now());
        Ok(Self {
            body: office.body_title().to_owned(),
            name: office.body().to_owned(),
            standard: pack.meta.title.clone(),
            version: pack.meta.version.clone(),
            now,
            clauses: office.told_clauses(now).await?,
        })
    }

    fn id(&self, name: &str) -> String {
        uuid5(&format!("{}/{name}", self.name))
    }

    fn metadata(&self, title: &str) -> Value {
        json!({
            "title": title,
            "last-modified": self.now,
            "version": self.version,
            "oscal-version": VERSION,
            "parties": [{"uuid": self.id("party"), "type": "organization", "name": self.body}],
        })
    }

    /// Clauses by chapter, in the order of the standard.
    fn chapters(&self) -> Vec<(&str, Vec<&ToldClause>)> {
        let mut all: Vec<(&str, Vec<&ToldClause>)> = Vec::new();
        for c in &self.clauses {
            match all.iter_mut().find(|(title, _)| *title == c.chapter) {
                Some((_, list)) => list.push(c),
                None => all.push((&c.chapter, vec![c])),
            }
        }
        all
    }

    pub(super) fn catalog(&self) -> Value {
        let control = |c: &&ToldClause| {
            let id = control_id(&c.id);
            json!({
                "id": id,
                "title": if c.title.is_empty() { &c.citation } else { &c.title },
                "props": [{"name": "label", "value": c.citation}, {"name": "sort-id", "value": id}],
                "parts": [{"id": format!("{id}_smt"), "name": "statement", "prose": c.says}],
            })
        };
        let group = |(i, (title, list)): (usize, (&str, Vec<&ToldClause>))| {
            let controls: Vec<Value> = list.iter().map(control).collect();
            json!({"id": format!("chapter-{}", i + 1), "title": title, "controls": controls})
        };
        let groups: Vec<Value> = self.chapters().into_iter().enumerate().map(group).collect();
        json!({"catalog": {
            "uuid": self.id("catalog"),
            "metadata": self.metadata(&self.standard),
            "groups": groups,
        }})
    }

    /// Mechanisms that are built, each with the clauses that name it.
    fn built(&self) -> BTreeMap<&str, (&ToldMechanism, Vec<&ToldClause>)> {
        let mut all: BTreeMap<&str, (&ToldMechanism, Vec<&ToldClause>)> = BTreeMap::new();
        for c in &self.clauses {
            for m in c.mechanisms.iter().filter(|m| m.line.state != "未整備") {
                all.entry(&m.key).or_insert((m, vec![])).1.push(c);
            }
        }
        all
    }

    pub(super) fn components(&self) -> Value {
        let source = "oscal-catalog.json";
        let component = |(key, (m, clauses)): (&str, (&ToldMechanism, Vec<&ToldClause>))| {
            let requirement = |c: &&ToldClause| {
                json!({
                    "uuid": self.id(&format!("requirement/{key}/{}", c.id)),
                    "control-id": control_id(&c.id),
                    "description": format!("{}「{}」によって行う。", m.line.kind, m.line.title),
                })
            };
            let requirements: Vec<Value> = clauses.iter().map(requirement).collect();
            json!({
                "uuid": self.id(&format!("component/{key}")),
                "type": component_type(m.kind),
                "title": m.line.title,
                "description": format!("{}「{}」", m.line.kind, m.line.title),
                "control-implementations": [{
                    "uuid": self.id(&format!("implementation/{key}")),
                    "source": source,
                    "description": self.standard,
                    "implemented-requirements": requirements,
                }],
            })
        };
        let components: Vec<Value> = self.built().into_iter().map(component).collect();
        let mut document = json!({"uuid": self.id("components"), "metadata": self.metadata(&format!("{}を行う仕組み", self.standard))});
        if let (Some(fields), false) = (document.as_object_mut(), components.is_empty()) {
            fields.insert("components".to_owned(), Value::Array(components));
        }
        json!({"component-definition": document})
    }

    /// Clauses about which something is known or should be.
    fn found(&self) -> impl Iterator<Item = (&ToldClause, ClauseState)> {
        let state = |c: &ToldClause| c.state.filter(|s| *s != ClauseState::NotApplicable);
        self.clauses.iter().filter_map(move |c| Some((c, state(c)?)))
    }

    fn observation_id(&self, c: &ToldClause, m: &ToldMechanism) -> String {
        // A mechanism stands for itself in each clause: an exception covers one clause and not the other.
        self.id(&format!("observation/{}/{}", c.id, m.key))
    }

    fn observations(&self, clauses: &[&ToldClause]) -> Vec<Value> {
        let one = |c: &ToldClause, m: &ToldMechanism| {
            let method =
                if matches!(m.kind, MechanismKind::Check | MechanismKind::Gate) { "TEST" } else { "EXAMINE" };
            let mut observation = json!({
                "uuid": self.observation_id(c, m),
                "title": format!("{}「{}」", m.line.kind, m.line.title),
                "description": format!("{}：{}", m.line.state, m.line.reason),
                "methods": [method],
                "collected": self.now,
            });
            if let (Some(fields), false) = (observation.as_object_mut(), m.line.link.is_empty()) {
                let evidence = json!([{"href": m.line.link, "description": m.line.title}]);
                fields.insert("relevant-evidence".to_owned(), evidence);
            }
            observation
        };
        clauses.iter().flat_map(|c| c.mechanisms.iter().map(|m| one(c, m))).collect()
    }

    fn finding_id(&self, c: &ToldClause) -> String {
        self.id(&format!("finding/{}", c.id))
    }

    fn finding(&self, c: &ToldClause, state: ClauseState) -> Value {
        let (code, words) = state_words(state);
        let good = matches!(state, ClauseState::Met | ClauseState::Due);
        let related: Vec<Value> =
            c.mechanisms.iter().map(|m| json!({"observation-uuid": self.observation_id(c, m)})).collect();
        json!({
            "uuid": self.finding_id(c),
            "title": c.citation,
            "description": format!("{words}：{}", c.says),
            "props": [{"name": "state", "ns": "urn:sekisho", "value": code}],
            "target": {
                "type": "statement-id",
                "target-id": format!("{}_smt", control_id(&c.id)),
                "status": {"state": if good { "satisfied" } else { "not-satisfied" }, "reason": code},
            },
            "related-observations": related,
        })
    }

    pub(super) fn results(&self) -> Value {
        let found: Vec<(&ToldClause, ClauseState)> = self.found().collect();
        let clauses: Vec<&ToldClause> = found.iter().map(|(c, _)| *c).collect();
        let mut result = json!({
            "uuid": self.id(&format!("result/{}", self.now)),
            "title": format!("{} {} の状態", self.body, self.now.date().japanese()),
            "description": format!("{}の各条項の状態を、台帳・案件・点検の記録から求めたもの。", self.standard),
            "start": self.now,
            "reviewed-controls": {"control-selections": [{"include-all": {}}]},
        });
        if let (Some(fields), false) = (result.as_object_mut(), found.is_empty()) {
            let findings: Vec<Value> = found.iter().map(|(c, s)| self.finding(c, *s)).collect();
            fields.insert("observations".to_owned(), Value::Array(self.observations(&clauses)));
            fields.insert("findings".to_owned(), Value::Array(findings));
        }
        let plan = self.id("plan");
        json!({"assessment-results": {
            "uuid": self.id(&format!("results/{}", self.now)),
            "metadata": self.metadata(&format!("{}の状態", self.standard)),
            "import-ap": {"href": format!("#{plan}")},
            "results": [result],
            "back-matter": {"resources": [{
                "uuid": plan,
                "title": "常時の点検",
                "description": "関所が、規程データに定めた仕組みの記録を常に点検する。",
            }]},
        }})
    }

    pub(super) fn poam(&self) -> Option<Value> {
        let broken: Vec<(&ToldClause, ClauseState)> =
            self.found().filter(|(_, s)| *s == ClauseState::Broken).collect();
        if broken.is_empty() {
            return None;
        }
        let clauses: Vec<&ToldClause> = broken.iter().map(|(c, _)| *c).collect();
        let item = |(c, _): &(&ToldClause, ClauseState)| {
            let why: BTreeSet<String> = c
                .mechanisms
                .iter()
                .filter(|m| m.line.class == state_words(ClauseState::Broken).0)
                .map(|m| format!("{}「{}」：{}", m.line.kind, m.line.title, m.line.reason))
                .collect();
            json!({
                "uuid": self.id(&format!("poam/{}", c.id)),
                "title": format!("{}の是正", c.citation),
                "description": format!("{}\n{}", c.says, why.into_iter().collect::<Vec<_>>().join("\n")),
                "related-findings": [{"finding-uuid": self.finding_id(c)}],
            })
        };
        let findings: Vec<Value> = broken.iter().map(|(c, s)| self.finding(c, *s)).collect();
        Some(json!({"plan-of-action-and-milestones": {
            "uuid": self.id(&format!("poam/{}", self.now)),
            "metadata": self.metadata(&format!("{}の是正の計画", self.standard)),
            "system-id": {"identifier-type": "http://ietf.org/rfc/rfc4122", "id": self.id("system")},
            "observations": self.observations(&clauses),
            "findings": findings,
            "poam-items": broken.iter().map(item).collect::<Vec<_>>(),
        }}))
    }
}

fn component_type(kind: MechanismKind) -> &'static str {
    match kind {
        MechanismKind::Procedure | MechanismKind::Duty => "process-procedure",
        MechanismKind::Document => "policy",
        MechanismKind::Notice => "guidance",
        MechanismKind::Check | MechanismKind::Gate | MechanismKind::Register => "software",
        MechanismKind::Role => "service",
    }
}
