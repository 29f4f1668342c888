//! One decision under way: the state so far, with the acts that led there.

use std::collections::BTreeSet;

use sekisho_pack::model::{Procedure, Step};

use super::Ctx;
use crate::authority::Held;
use crate::case::{Act, CaseState, SYSTEM, What};
use crate::refusal::{Code, Refusal};

/// A person's stamp on an act: who, from where, in which capacities, on which content.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamp {
    pub post: String,
    pub held: Vec<Held>,
    pub content: String,
    pub overridden: Option<String>,
    pub urgent: Option<String>,
}

/// One decision under way.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub ctx: Ctx<'a>,
    pub procedure: &'a Procedure,
    pub state: CaseState,
    pub acts: Vec<Act>,
}

impl<'a> Run<'a> {
    /// Starts from a state. The pack must be the version that the case is pinned to.
    pub fn on(state: &CaseState, ctx: &Ctx<'a>) -> Result<Self, Refusal> {
        let wrong = || {
            Refusal::new(Code::WrongPack, "この案件は別の版の基準で進んでいます。管理者に連絡してください。")
        };
        if state.pack.hash != ctx.pack.hash {
            return Err(wrong());
        }
        let procedure = ctx.pack.procedures.get(&state.procedure).ok_or_else(wrong)?;
        Ok(Self { ctx: *ctx, procedure, state: state.clone(), acts: Vec::new() })
    }

    /// The procedure's step.
    pub fn spec(&self, step: &str) -> Result<&'a Step, Refusal> {
        let unknown =
            || Refusal::new(Code::NotOpen, "この案件にその手順はありません。画面を開き直してください。");
        self.procedure.steps.iter().find(|s| s.id == step).ok_or_else(unknown)
    }

    /// Records an act of the person.
    pub fn emit(&mut self, stamp: Stamp, what: What) -> Result<(), Refusal> {
        let person = self.ctx.person.to_owned();
        self.record(person, stamp, what)
    }

    /// Records what follows of itself.
    pub fn emit_system(&mut self, what: What) -> Result<(), Refusal> {
        let content = self.state.content_hash(None);
        self.record(SYSTEM.to_owned(), Stamp { content, ..Stamp::default() }, what)
    }

    fn record(&mut self, person: String, stamp: Stamp, what: What) -> Result<(), Refusal> {
        let act = Act {
            seq: self.state.acts + 1,
            at: self.ctx.now,
            person,
            post: stamp.post,
            held: stamp.held,
            content: stamp.content,
            pack: self.state.pack.hash.clone(),
            overridden: stamp.overridden,
            urgent: stamp.urgent,
            what,
        };
        self.state
            .apply(&act)
            .map_err(|e| Refusal::new(Code::WrongState, format!("案件の記録が整合しません（{e}）。")))?;
        self.acts.push(act);
        Ok(())
    }

    /// Persons who may not judge in a step: the applicant, and whoever performed in a step before it.
    pub fn barred(&self, step: &str) -> BTreeSet<String> {
        let mut barred = self.state.performers_before(step);
        barred.insert(self.state.applicant.person.clone());
        barred
    }
}
