//! A person's due dates as a calendar for other programs: an address with a secret, which the person makes and ends.

use std::sync::Arc;

use sekisho_base::canonical::{hex, sha256};
use sekisho_boxed::boxed;
use sekisho_store::feed::{self, FeedRow};
use sekisho_store::{account, ledger};
use serde_json::json;

use crate::duties::DutiesQuery;
use crate::error::AppError;
use crate::exchange::ics::{Due, calendar};
use crate::login::Identity;
use crate::office::Office;
use crate::record::record;

/// Tasks of one calendar.
const TASKS: i64 = 500;
/// Pages of duties of one calendar.
const DUTY_PAGES: i64 = 4;

#[boxed]
impl Office {
    /// Since when one's own calendar is subscribed to, for people.
    ///
    /// # Errors
    /// The database failed.
    pub async fn calendar_since(&self, who: &Identity) -> Result<Option<String>, AppError> {
        let person = who.person.clone();
        let found = self
            .store
            .ask(move |c| Box::pin(async move { feed::of_person(c, &person).await.map_err(AppError::from) }))
            .await?;
        Ok(found.map(|f| f.made_at.japanese()))
    }

    /// Makes the secret of one's own calendar; an older one no longer works. It is told once and stored nowhere.
    ///
    /// # Errors
    /// The database or the source of randomness failed.
    pub async fn subscribe_calendar(self: &Arc<Self>, who: &Identity) -> Result<String, AppError> {
        let mut bytes = [0u8; 32];
        self.entropy.fill(&mut bytes).map_err(AppError::internal)?;
        let secret = hex(&bytes);
        let (office, person, hash) = (Arc::clone(self), who.person.clone(), hash_of(&secret));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let (now, stream) = (office.clock.now(), ledger::stream_id(office.new_id()?));
                    let payload = json!({"person": person, "at": now});
                    let entry =
                        record(c, office.seal()?, &stream, "calendar.subscribed", &payload, now).await?;
                    feed::put(c, &FeedRow { person, hash, made_at: now, entry }).await.map_err(AppError::from)
                })
            })
            .await?;
        Ok(secret)
    }

    /// Ends one's own calendar.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none.
    pub async fn end_calendar(self: &Arc<Self>, who: &Identity) -> Result<(), AppError> {
        let (office, person) = (Arc::clone(self), who.person.clone());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    if !feed::end(c, &person).await? {
                        return Err(AppError::NotFound);
                    }
                    let (now, stream) = (office.clock.now(), ledger::stream_id(office.new_id()?));
                    let payload = json!({"person": person, "at": now});
                    record(c, office.seal()?, &stream, "calendar.ended", &payload, now).await.map(|_| ())
                })
            })
            .await
    }

    /// The calendar behind a secret: tasks and duties with their days, without names of people or contents of cases. `site` is
    /// how the caller names this site, `https://sekisho.city.example`.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a secret that is not or no longer one, and when the person may not log in.
    pub async fn calendar_feed(self: &Arc<Self>, secret: &str, site: &str) -> Result<String, AppError> {
        let hash = hash_of(secret);
        let found = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let Some(f) = feed::by_hash(c, &hash).await? else { return Ok(None) };
                    let account = account::by_person(c, &f.person).await?;
                    Ok::<_, AppError>(account.filter(|a| a.active).map(|_| f.person))
                })
            })
            .await?;
        let who = Identity::of_person(&found.ok_or(AppError::NotFound)?);
        let host = site.split("://").nth(1).unwrap_or("sekisho");
        let uid =
            |id: &str| format!("{}@{host}", hex(&sha256(id.as_bytes())).chars().take(32).collect::<String>());
        let mut all = Vec::new();
        for t in self.inbox(&self.me(&who).await?, TASKS).await? {
            let Some(on) = t.due_on else { continue };
            all.push(Due {
                uid: uid(&format!("{}/{}", t.case_id, t.title)),
                on,
                summary: format!("{}（{}）", t.title, t.number),
                url: format!("{site}/cases/{}", t.case_id),
            });
        }
        for page in 1..=DUTY_PAGES {
            let duties = self.duties(&who, &DutiesQuery { page, ..DutiesQuery::default() }).await?;
            all.extend(duties.rows.iter().map(|d| Due {
                uid: uid(&d.link),
                on: d.due_on,
                summary: format!("{}（{}）", d.title, d.unit),
                url: format!("{site}{}", d.link),
            }));
            if !duties.more {
                break;
            }
        }
        Ok(calendar(&format!("関所 {}", self.body_title()), self.clock.now(), &all))
    }
}

fn hash_of(secret: &str) -> String {
    hex(&sha256(format!("calendar:{secret}").as_bytes()))
}
