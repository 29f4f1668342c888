//! Credentials that somebody else set anew: who is told, and who confirms that the person took them up. Until then the account decides nothing:
//! whoever can issue a password must not be able to decide with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_case::authority::in_role;
use sekisho_pack::model::{HeldBy, Role};
use sekisho_store::Conn;
use sekisho_store::account::{self, AccountRow, Reset};
use serde_json::json;

use crate::error::AppError;
use crate::login::{Identity, stream_of};
use crate::notifications::{Told, notify};
use crate::office::Office;
use crate::people::roles;
use crate::record::{Seal, record};

/// Most steps of escalation that are followed upward.
const MAX_LEVELS: usize = 8;

/// A reset that waits to be taken up, for somebody who may confirm it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetPage {
    /// Person number.
    pub person: String,
    /// Name.
    pub name: String,
    /// Section and post.
    pub place: String,
    /// Who set the credentials.
    pub by: String,
    /// When.
    pub at: String,
    /// The same, as the form sends it back.
    pub shown: String,
    /// The person has not yet set an own password.
    pub too_early: bool,
}

#[boxed]
impl Office {
    /// Who confirms for a person whose credentials somebody set: the next heads above; where there are none, the holders of the
    /// roles to which the person's own escalate, then other administrators. Never the person, nor who set them.
    pub(crate) async fn takers(&self, person: &str, by: &str) -> Result<Vec<String>, AppError> {
        let (d, org, pack, today) =
            (self.directory().await?, self.org().await?, self.pack(), self.clock.today());
        let fit = |found: BTreeSet<String>| -> Vec<String> {
            found.into_iter().filter(|p| p != person && p != by).collect()
        };
        let heads = d.appointments(person, today).into_iter().filter(|a| a.role.is_empty());
        let units: Vec<&str> = heads.filter_map(|a| d.post(&a.post)).map(|p| p.unit.as_str()).collect();
        let above = units.iter().flat_map(|u| d.heads_from(u, today, &[person, by])).collect();
        let mut found = fit(above);
        let anchor = units.first().copied().unwrap_or_default();
        let mut level: Vec<String> = roles(&pack, &d, person, today).into_iter().map(|r| r.role).collect();
        for _ in 0..MAX_LEVELS {
            let above: Vec<&Role> = level
                .iter()
                .filter_map(|r| pack.roles.get(pack.roles.get(r)?.escalates_to.as_ref()?))
                .filter(|r| r.held_by != HeldBy::Everyone)
                .collect();
            if !found.is_empty() || above.is_empty() {
                break;
            }
            found = fit(above.iter().flat_map(|r| in_role(r, anchor, &org, today)).collect());
            level = above.iter().map(|r| r.id.clone()).collect();
        }
        if found.is_empty() {
            found = fit(self.importers(&d));
        }
        Ok(found)
    }

    /// Tells a person and those above what was done to the account.
    pub(crate) async fn announce(
        &self,
        c: &mut Conn<'_>,
        person: &str,
        above: &[String],
        (own, others): (&str, &str),
        at: Instant,
    ) -> Result<(), AppError> {
        let told = Told { kind: "account", subject: own, link: "/account" };
        notify(c, self, &told, &[person.to_owned()], at).await?;
        let link = format!("/accounts/resets/{person}");
        notify(c, self, &Told { kind: "account", subject: others, link: &link }, above, at).await
    }

    async fn waiting_reset(&self, person: &str) -> Result<(AccountRow, Reset), AppError> {
        let person = person.to_owned();
        self.store
            .read(move |c| {
                Box::pin(async move {
                    let a = account::by_person(c, &person).await?.ok_or(AppError::NotFound)?;
                    let reset = account::reset(c, &a.login).await?.ok_or(AppError::NotFound)?;
                    Ok((a, reset))
                })
            })
            .await
    }

    /// The page of a reset that waits.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also for everybody who may not confirm it.
    pub async fn reset_page(&self, who: &Identity, person: &str) -> Result<ResetPage, AppError> {
        let (a, reset) = self.waiting_reset(person).await?;
        if !self.takers(person, &reset.by).await?.contains(&who.person) {
            return Err(AppError::NotFound);
        }
        let d = self.directory().await?;
        Ok(ResetPage {
            person: person.to_owned(),
            name: d.person_name(person).to_owned(),
            place: d.main_post(person, self.clock.today()),
            by: d.person_name(&reset.by).to_owned(),
            at: reset.at.japanese(),
            shown: reset.at.to_string(),
            too_early: a.must_change,
        })
    }

    /// Confirms that the person took up what somebody else had set.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for those who may not; refused while the temporary password is in use, and when another reset came in between.
    pub async fn confirm_taken_up(
        self: &Arc<Self>,
        who: &Identity,
        person: &str,
        shown: &str,
    ) -> Result<(), AppError> {
        let page = self.reset_page(who, person).await?;
        self.proved(who)?;
        Self::may_decide_now(who)?;
        if page.too_early {
            return Err(AppError::refused(
                "U003",
                "本人がまだ自分のパスワードに変えていません。本人が仮のパスワードで一度ログインし、変えてから確かめてください。",
            ));
        }
        if page.shown != shown {
            return Err(AppError::refused(
                "U004",
                "その後にもう一度設定し直されました。画面を開き直してください。",
            ));
        }
        let (a, reset) = self.waiting_reset(person).await?;
        let (by, now, seal, office) = (who.person.clone(), self.clock.now(), self.seal()?, Arc::clone(self));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    take_up(c, &a, &reset, (&by, "confirmed"), seal, now).await?;
                    let told = Told {
                        kind: "account",
                        subject: "あなたが引き取ったことを上位の役割の人が確かめました。決裁などの処理ができます。",
                        link: "/account",
                    };
                    notify(c, &office, &told, &[a.person], now).await
                })
            })
            .await
    }
}

/// Whether a login with a second factor shows that it is the person: the factor is older than the first reset, and whoever reset does not
/// hold it. `since`: since when the factor that was used is there.
pub(crate) fn shows_the_person(since: Option<Instant>, reset: &Reset) -> bool {
    since.is_some_and(|at| at < reset.since)
}

/// Lifts the bar of a reset, unless there was another one since, and records by whom and how it is known that the person took it up.
pub(crate) async fn take_up(
    c: &mut Conn<'_>,
    a: &AccountRow,
    reset: &Reset,
    (by, how): (&str, &str),
    seal: Seal,
    now: Instant,
) -> Result<(), AppError> {
    account::take_up(c, &a.login, reset.at).await?;
    let payload = json!({"person": a.person, "by": by, "how": how, "at": now});
    record(c, seal, &stream_of(&a.person), "account.taken_up", &payload, now).await?;
    Ok(())
}
