//! Acts to state. It decides nothing: whatever was recorded is what happened.

use super::{
    Act, CaseState, Comment, Decision, Resume, SYSTEM, SentBack, Status, StepRun, StepStatus, Verdict, What,
};

/// The acts do not make a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// No acts, or the first is no application.
    #[error("a case begins with an application")]
    NoBeginning,
    /// Numbers are not dense.
    #[error("act {found} where {expected} was expected")]
    Gap {
        /// Number expected.
        expected: u32,
        /// Number found.
        found: u32,
    },
    /// An act names a step that the case does not have.
    #[error("act {seq} names unknown step {step}")]
    UnknownStep {
        /// Act.
        seq: u32,
        /// Step.
        step: String,
    },
}

/// Folds acts, oldest first.
///
/// # Errors
/// The acts do not make a case.
pub fn fold(acts: &[Act]) -> Result<CaseState, FoldError> {
    let (first, rest) = acts.split_first().ok_or(FoldError::NoBeginning)?;
    let mut state = CaseState::begin(first)?;
    for act in rest {
        state.apply(act)?;
    }
    Ok(state)
}

impl CaseState {
    /// The state after the application.
    ///
    /// # Errors
    /// The act is no application, or not the first.
    pub fn begin(act: &Act) -> Result<Self, FoldError> {
        let What::Applied { case, procedure, number, title, pack, applicant, content, route, cause, parent } =
            &act.what
        else {
            return Err(FoldError::NoBeginning);
        };
        if act.seq != 1 {
            return Err(FoldError::Gap { expected: 1, found: act.seq });
        }
        Ok(Self {
            id: case.clone(),
            procedure: procedure.clone(),
            pack: pack.clone(),
            number: number.clone(),
            title: title.clone(),
            status: Status::Open,
            applicant: applicant.clone(),
            content: content.clone(),
            steps: route.iter().map(|s| StepRun::pending(&s.id, &s.title, s.kind)).collect(),
            resume: None,
            permit: None,
            reviews: Vec::new(),
            opened_at: act.at,
            closed_at: None,
            acts: 1,
            parties: [act.person.clone(), applicant.person.clone()]
                .into_iter()
                .filter(|p| p != SYSTEM)
                .collect(),
            cause: cause.clone(),
            parent: parent.clone(),
            children: Vec::new(),
            comments: Vec::new(),
        })
    }

    /// The state after one more act.
    ///
    /// # Errors
    /// Its number is not the next one, or it names an unknown step. The state is unchanged then.
    pub fn apply(&mut self, act: &Act) -> Result<(), FoldError> {
        let expected = self.acts.saturating_add(1);
        if act.seq != expected {
            return Err(FoldError::Gap { expected, found: act.seq });
        }
        self.fold_what(act)?;
        self.acts = act.seq;
        if act.person != SYSTEM {
            self.parties.insert(act.person.clone());
        }
        Ok(())
    }

    fn fold_what(&mut self, act: &Act) -> Result<(), FoldError> {
        match &act.what {
            What::Applied { .. } => return Err(FoldError::NoBeginning),
            What::StepOpened { step, due, parts, slots } => {
                let run = self.step_mut(step, act.seq)?;
                if run.status == StepStatus::Done {
                    run.next_round()
                } else {
                    run.reset()
                }
                run.status = StepStatus::Open;
                run.opened_at = Some(act.at);
                run.due = *due;
                run.parts.clone_from(parts);
                run.slots.clone_from(slots);
            }
            What::StepNotApplicable { step } => {
                self.step_mut(step, act.seq)?.status = StepStatus::NotApplicable
            }
            What::Seen { step } => {
                self.step_mut(step, act.seq)?.seen_by.insert(act.person.clone());
            }
            What::Decided { .. } => self.fold_decision(act)?,
            What::SentBack { step, to, resume, says } => {
                self.fold_sent_back(act.seq, step, to.as_deref(), *resume, says)?
            }
            What::Resubmitted { content, title, voided } => {
                self.reset(voided, act.seq)?;
                self.content.clone_from(content);
                self.title.clone_from(title);
                self.status = Status::Open;
                self.resume = None;
            }
            What::Withdrawn { .. } => self.end(Status::Withdrawn, act),
            What::PermitIssued { permit } => {
                self.permit = Some(permit.clone());
                self.status = Status::InForce;
            }
            What::Moved { movements } => {
                if let Some(p) = &mut self.permit {
                    p.movements.extend(movements.iter().cloned());
                }
            }
            What::ExtensionAsked { until, says } => {
                if let Some(p) = &mut self.permit {
                    p.extension =
                        Some(super::Extension { until: *until, reason: says.clone(), seq: act.seq });
                }
            }
            What::Extended { until, .. } => self.fold_extended(*until),
            What::ExtensionDeclined { .. } => {
                if let Some(p) = &mut self.permit {
                    p.extension = None;
                }
            }
            What::Revoked { says } => {
                self.status = Status::Revoked;
                if let Some(p) = &mut self.permit {
                    let reason = says.clone();
                    p.revoked = Some(super::Revocation {
                        at: act.at,
                        person: act.person.clone(),
                        reason,
                        seq: act.seq,
                    });
                    p.extension = None;
                }
            }
            What::Reclassified { item, now, handling, voided } => {
                self.reset(voided, act.seq)?;
                // After a permit the content stays what was decided on; the review says what became of it.
                if self.permit.is_none() {
                    for i in self.content.items.iter_mut().filter(|i| i.key() == *item) {
                        i.snapshot.clone_from(now);
                    }
                    self.content.handling.clone_from(handling);
                }
            }
            What::ReviewOpened { review } => self.reviews.push(review.clone()),
            What::Reviewed { of, .. } => {
                for r in self.reviews.iter_mut().filter(|r| r.of == *of && r.done.is_none()) {
                    r.done = Some(act.seq);
                }
            }
            What::Overdue { step, .. } => self.step_mut(step, act.seq)?.escalated += 1,
            What::Expired => {
                if let Some(p) = &mut self.permit {
                    p.expiry_noted = true;
                }
            }
            What::Repinned { step, parts, slots } => {
                let run = self.step_mut(step, act.seq)?;
                run.parts.clone_from(parts);
                run.slots.clone_from(slots);
            }
            What::Opened { child } => self.children.push(child.clone()),
            What::ChildMoved { case, status } => {
                for c in self.children.iter_mut().filter(|c| c.case == *case) {
                    c.status = *status;
                }
            }
            What::Commented { says } => self.comments.push(Comment {
                seq: act.seq,
                person: act.person.clone(),
                at: act.at,
                says: says.clone(),
            }),
            What::Closed { .. } => self.end(Status::Closed, act),
        }
        Ok(())
    }

    fn fold_decision(&mut self, act: &Act) -> Result<(), FoldError> {
        let What::Decided { step, verdict, covers, says, conditions, evidence, goes_on } = &act.what else {
            return Ok(());
        };
        let run = self.step_mut(step, act.seq)?;
        run.decisions.push(Decision {
            seq: act.seq,
            person: act.person.clone(),
            at: act.at,
            verdict: *verdict,
            covers: covers.clone(),
            held: act.held.clone(),
            content: act.content.clone(),
            says: says.clone(),
            conditions: conditions.clone(),
            evidence: evidence.clone(),
        });
        run.evidence.extend(evidence.iter().map(|(k, v)| (k.clone(), v.clone())));
        if run.unsettled().next().is_none() {
            run.status = StepStatus::Done;
        }
        let refused = *verdict == Verdict::Refuse && run.status == StepStatus::Done && run.all_refused();
        // A step without items is refused as a whole; with items the case ends when none is left.
        if refused && !goes_on && (self.items().is_empty() || covers.iter().any(|c| c.item.is_none())) {
            self.end(Status::Refused, act);
        }
        Ok(())
    }

    fn fold_sent_back(
        &mut self,
        seq: u32,
        step: &str,
        to: Option<&str>,
        resume: Resume,
        says: &str,
    ) -> Result<(), FoldError> {
        self.step_mut(to.unwrap_or(step), seq)?;
        self.step_mut(step, seq)?.reset();
        let Some(to) = to else {
            self.status = Status::SentBack;
            self.resume = Some(SentBack { step: step.to_owned(), resume, reason: says.to_owned() });
            return Ok(());
        };
        self.step_mut(to, seq)?.reset();
        if resume == Resume::InOrder {
            let between = self.steps.iter_mut().skip_while(|s| s.id != to).take_while(|s| s.id != step);
            between.for_each(StepRun::reset);
        }
        Ok(())
    }

    fn fold_extended(&mut self, until: sekisho_base::Date) {
        let Some(p) = &mut self.permit else { return };
        let before = p.until;
        p.until = until;
        p.extension = None;
        p.expiry_noted = false;
        // Steps whose deadline was the permit's last day follow it.
        for run in self
            .steps
            .iter_mut()
            .filter(|s| s.status == StepStatus::Open && s.due == Some(super::Due::On(before)))
        {
            run.due = Some(super::Due::On(until));
            run.escalated = 0;
        }
    }

    fn reset(&mut self, steps: &[String], seq: u32) -> Result<(), FoldError> {
        for id in steps {
            self.step_mut(id, seq)?;
        }
        self.steps.iter_mut().filter(|s| steps.contains(&s.id)).for_each(StepRun::reset);
        Ok(())
    }

    fn end(&mut self, status: Status, act: &Act) {
        self.status = status;
        self.closed_at = Some(act.at);
        self.resume = None;
        // A step that was open when the case ended waits for nobody any more.
        for run in self.steps.iter_mut().filter(|s| s.status == StepStatus::Open) {
            run.status = StepStatus::Pending;
        }
    }

    fn step_mut(&mut self, id: &str, seq: u32) -> Result<&mut StepRun, FoldError> {
        let unknown = || FoldError::UnknownStep { seq, step: id.to_owned() };
        self.steps.iter_mut().find(|s| s.id == id).ok_or_else(unknown)
    }
}
