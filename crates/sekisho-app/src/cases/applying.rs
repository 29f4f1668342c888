//! One application in a transaction: from what was typed to the engine's acts, and those kept. The form and a file of many go the same way.

use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_case::authority::Rules;
use sekisho_case::case::{Act, Attachment, fold};
use sekisho_case::decide::{self, Application, Ctx, Draft, case_number};
use sekisho_pack::model::Pack;
use sekisho_store::{Conn, case, setting};

use crate::cases::apply::{refused, typed_values};
use crate::cases::rows::row_facts;
use crate::cases::store::keep;
use crate::cases::view::Typed;
use crate::cases::{attach, related};
use crate::error::AppError;
use crate::office::Office;
use crate::people::Me;

/// Who applies for what.
#[derive(Clone)]
pub(super) struct Applying {
    pub office: Arc<Office>,
    pub me: Me,
    pub pack: Arc<Pack>,
    pub rules: Arc<Rules>,
    pub procedure: String,
}

#[boxed]
impl Applying {
    /// What a person asks the engine with.
    pub fn ctx<'a>(&'a self, org: &'a sekisho_case::org::Org) -> Ctx<'a> {
        let now = self.office.clock.now();
        Ctx { org, pack: &self.pack, rules: &self.rules, now, person: &self.me.person }
    }

    /// The acts that an application would be, and the case from whose step it is made. Nothing is written.
    ///
    /// # Errors
    /// Fields that were not accepted, or a refusal.
    pub async fn acts(
        &self,
        c: &mut Conn<'_>,
        typed: &Typed,
        (case, number): (String, String),
        attachments: Vec<Attachment>,
    ) -> Result<(Vec<Act>, Option<related::Opener>), AppError> {
        let p = self.pack.procedures.get(&self.procedure).ok_or(AppError::NotFound)?;
        let mut fields = typed_values(&p.fields, &typed.values, "")?;
        fields.extend(row_facts(c, &self.pack, self.me.viewer(), &p.fields, &fields, "").await?);
        let items = self.office.chosen_items(c, &self.pack, p, &self.me, typed).await?;
        let parent = typed.first(related::FIELD);
        let from = related::opener(c, &self.office, &self.me.person, parent, &self.procedure).await?;
        let org = self.office.org_now(c).await?;
        let application = Application {
            case,
            number,
            post: typed.post.clone(),
            draft: Draft { fields, attachments, items },
            parent: from.as_ref().map(|f| f.link.clone()),
        };
        let acts =
            decide::apply(&self.procedure, &self.ctx(&org), application).map_err(|r| refused(r, ""))?;
        Ok((acts, from))
    }

    /// Applies as a new case with this id, in the caller's transaction; the draft that it was written in goes.
    ///
    /// # Errors
    /// As [`Applying::acts`].
    pub async fn apply(&self, c: &mut Conn<'_>, typed: &Typed, id: &str) -> Result<(), AppError> {
        let p = self.pack.procedures.get(&self.procedure).ok_or(AppError::NotFound)?;
        let files = typed.values.get(attach::FIELD).cloned().unwrap_or_default();
        let attachments = attach::give(c, &self.me.person, &files, id).await?;
        let today = self.office.clock.today();
        let counter = format!("number:{}:{}", self.procedure, today.fiscal_year());
        let sequence = setting::next(c, &counter).await?;
        let number = case_number(&p.number, today, u32::try_from(sequence).unwrap_or(0));
        let (acts, from) = self.acts(c, typed, (id.to_owned(), number), attachments).await?;
        let state = fold(&acts).map_err(AppError::internal)?;
        keep(c, &self.office, None, &state, &acts).await?;
        if let Some(from) = from {
            related::link(c, &self.office, &self.me.person, from, &state).await?;
        }
        if !typed.draft.is_empty() {
            case::drop_draft(c, &self.me.person, &typed.draft).await?;
        }
        Ok(())
    }
}

impl Office {
    /// Who applies now, for a procedure of the running pack.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn applying(
        self: &Arc<Self>,
        who: &crate::login::Identity,
        procedure: &str,
    ) -> Result<Applying, AppError> {
        let (me, pack) = (self.me(who).await?, self.pack());
        if !pack.procedures.contains_key(procedure) {
            return Err(AppError::NotFound);
        }
        let rules = self.rules(&pack)?;
        Ok(Applying { office: Arc::clone(self), me, pack, rules, procedure: procedure.to_owned() })
    }
}
