//! What the home page shows those who oversee the whole body: how the standard is kept, what changed, what comes to the committee next, and for
//! auditors how far the evidence can be relied on. Figures of the pages that show all of it, in a fixed number of queries.

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_store::duty::{self, OccurrenceFilter};
use sekisho_store::{Viewer, look};

use crate::clauses::StateCount;
use crate::dashboard::{DepartmentState, Turned, Unmet};
use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;

/// Roles whose holders answer for the whole standard.
const OVERSEERS: [&str; 2] = ["ciso", "deputy_ciso"];
/// Role of those who examine it.
const AUDITOR: &str = "auditor";
/// Role of the body to which things are reported.
const COMMITTEE: &str = "security_committee";

/// Clauses, turns and people that the home page names; the rest is counted.
const SHOWN: usize = 5;
/// Days over which looks are counted.
const LOOK_DAYS: i64 = 30;

/// The part of the home page for those who oversee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Clauses by state.
    pub totals: Vec<StateCount>,
    /// Clauses that do not hold, those that have not for longest first.
    pub broken: Vec<Unmet>,
    /// How many more there are.
    pub more_broken: usize,
    /// What turned since a month ago, what became worse first.
    pub turned: Vec<Turned>,
    /// How many more turned.
    pub more_turned: usize,
    /// The day with which today is compared.
    pub since: String,
    /// Departments in which something is overdue or not kept.
    pub departments: Vec<DepartmentState>,
    /// For those who answer for the standard.
    pub committee: Option<Committee>,
    /// For auditors.
    pub evidence: Option<Reliance>,
}

/// What goes to the committee next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committee {
    /// What, with its page and its day; none when nothing is planned.
    pub next: Option<(String, String, String)>,
}

/// How far the evidence can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reliance {
    /// Entries under the last checkpoint and when it was signed; none before the first.
    pub checkpoint: Option<(i64, Instant)>,
    /// When rows were last compared with entries, and whether all agreed; none before the first time.
    pub review: Option<(Instant, bool)>,
    /// Witnesses that say the log was set back or rewritten.
    pub alarms: usize,
    /// Days over which looks are counted.
    pub days: i64,
    /// Looks at records whose looks are recorded.
    pub looks: i64,
    /// At how many records.
    pub records: i64,
    /// Who looked most: name, looks, records.
    pub lookers: Vec<(String, i64, i64)>,
}

#[boxed]
impl Office {
    /// The overview for the home page; none for those who do not oversee the whole body.
    ///
    /// # Errors
    /// The database failed.
    pub async fn overview(&self, who: &Identity, me: &Me) -> Result<Option<Overview>, AppError> {
        let holds = |role: &str| me.roles().iter().any(|r| r.role == role);
        let (oversees, audits) = (OVERSEERS.into_iter().any(holds), holds(AUDITOR));
        if !oversees && !audits {
            return Ok(None);
        }
        let committee =
            async { if oversees { self.next_for_committee(who).await.map(Some) } else { Ok(None) } };
        let evidence =
            async { if audits { self.reliance(who, me.directory()).await.map(Some) } else { Ok(None) } };
        let (mut d, committee, evidence) = tokio::try_join!(self.dashboard(me), committee, evidence)?;
        let more_broken = d.broken.len().saturating_sub(SHOWN);
        d.broken.truncate(SHOWN);
        let more_turned = d.turned.len().saturating_sub(SHOWN) + d.more_turned;
        d.turned.truncate(SHOWN);
        d.departments.retain(|d| d.clauses > 0 || d.late > 0);
        Ok(Some(Overview {
            totals: d.totals,
            broken: d.broken,
            more_broken,
            turned: d.turned,
            more_turned,
            since: d.since,
            departments: d.departments,
            committee,
            evidence,
        }))
    }

    async fn next_for_committee(&self, who: &Identity) -> Result<Committee, AppError> {
        let pack = self.pack();
        let duties: Vec<String> =
            pack.duties.values().filter(|d| d.role == COMMITTEE).map(|d| d.id.clone()).collect();
        let filter = OccurrenceFilter { duties: Some(duties), open: true, ..OccurrenceFilter::default() };
        let viewer = Viewer::whole_body(&who.person);
        let (rows, _) = self
            .store
            .read(move |c| {
                Box::pin(async move { duty::list(c, &viewer, &filter, 0, 1).await.map_err(AppError::from) })
            })
            .await?;
        let next = rows.first().and_then(|o| {
            let title = pack.duties.get(&o.duty)?.title.clone();
            Some((title, format!("/duties/{}/{}", o.duty, o.id), o.due_on.wareki()))
        });
        Ok(Committee { next })
    }

    async fn reliance(&self, who: &Identity, d: &Directory) -> Result<Reliance, AppError> {
        let ledger = self.ledger_page(who, None).await?;
        let from = self.clock.today().plus_days(-LOOK_DAYS);
        let most = i64::try_from(SHOWN).unwrap_or(i64::MAX);
        let (looks, records, people) = self
            .store
            .read(move |c| Box::pin(async move { look::since(c, from, most).await.map_err(AppError::from) }))
            .await?;
        let named = people.into_iter().map(|(p, times, seen)| (d.person_name(&p).to_owned(), times, seen));
        Ok(Reliance {
            checkpoint: ledger.head.map(|h| (h.size, h.at)),
            review: ledger.review.map(|r| (r.at, r.sound)),
            alarms: ledger.witnesses.iter().filter(|w| w.alarm).count(),
            days: LOOK_DAYS,
            looks,
            records,
            lookers: named.collect(),
        })
    }
}
