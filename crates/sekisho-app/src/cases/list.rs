//! Home, inbox and the list of cases.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::limits::{IMPORT_ROWS, PAGE_ROWS, count_words};
use sekisho_base::table::Value;
use sekisho_base::text::search_words;
use sekisho_boxed::boxed;
use sekisho_case::case::Status;
use sekisho_pack::model::Procedure;
use sekisho_store::case::{self, CaseFilter, CaseRow, InboxRow};

use crate::cases::lent::{Lent, covers};
use crate::cases::view::{CaseLine, CasesList, CasesQuery, DraftLine, Home, TaskLine, Wish};
use crate::directory::Directory;
use crate::error::AppError;
use crate::exchange::{Column, Kind, Table};
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::{ExportFormat, ExportedFile, RefChoice, write};

/// Tasks read for one inbox, those due first.
const INBOX_ROWS: i64 = 1000;
/// Kind of a task that waits for a deputy while the holder is away.
const IN_ABSENCE: &str = "act_in_absence";
/// Kinds of task that a delegate does for the post.
const BY_DELEGATION: [&str; 3] = ["act", "overdue", "extension"];
/// Tasks on the home page.
const HOME_TASKS: i64 = 20;

/// Every status, in the order of a case's life.
const STATUSES: [Status; 7] = [
    Status::Open,
    Status::SentBack,
    Status::InForce,
    Status::Revoked,
    Status::Refused,
    Status::Withdrawn,
    Status::Closed,
];

/// Style class of a status code.
pub(super) fn status_words(code: &str) -> (&'static str, &'static str) {
    let status = STATUSES.into_iter().find(|s| s.code() == code);
    let class = match status {
        Some(Status::Open) => "wait",
        Some(Status::SentBack | Status::Revoked) => "late",
        Some(Status::InForce) => "running",
        Some(Status::Refused) => "refused",
        Some(Status::Closed) => "done",
        Some(Status::Withdrawn) | None => "none",
    };
    (status.map_or("不明", Status::japanese), class)
}

/// Name of the section a unit belongs to.
pub(super) fn section_name(d: &Directory, unit: &str) -> String {
    d.nearest(unit, &["section", "branch"]).map_or_else(|| d.unit_name(unit).to_owned(), |u| u.name.clone())
}

fn task_line(d: &Directory, r: &InboxRow, today: Date) -> TaskLine {
    TaskLine {
        case_id: r.task.case_id.clone(),
        title: r.task.title.clone(),
        number: r.number.clone(),
        case_title: r.case_title.clone(),
        section: section_name(d, &r.unit),
        applicant: d.person_name(&r.applicant).to_owned(),
        opened: r.task.opened_at.date().short(),
        due: r.task.due.map(Date::short).unwrap_or_default(),
        due_on: r.task.due,
        late: r.task.due.is_some_and(|due| due < today),
        age: match (r.task.due, today.epoch_days() - r.task.opened_at.date().epoch_days()) {
            (Some(_), _) => String::new(),
            (None, 0) => "今日から".to_owned(),
            (None, days) => format!("{days}日経過"),
        },
        bulk: None,
    }
}

#[boxed]
impl Office {
    pub(crate) fn case_line(&self, d: &Directory, r: &CaseRow) -> CaseLine {
        let (status, status_class) = status_words(&r.status);
        CaseLine {
            id: r.id.clone(),
            number: r.number.clone(),
            title: r.title.clone(),
            section: section_name(d, &r.unit),
            applicant: d.person_name(&r.applicant).to_owned(),
            status_code: r.status.clone(),
            status,
            status_class,
            opened: r.opened_at.date().short(),
            opened_at: r.opened_at,
            due: r.due.map(Date::short).unwrap_or_default(),
            due_on: r.due,
            late: r.due.is_some_and(|due| due < self.clock.today()),
        }
    }

    /// Tasks that wait for somebody: by post or by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn inbox(&self, me: &Me, limit: i64) -> Result<Vec<TaskLine>, AppError> {
        let lent = self.lent_to(me);
        let (person, mut posts) = (me.person.clone(), me.posts().to_vec());
        posts.extend(lent.iter().map(|x| x.post.clone()));
        let (mut rows, held) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let rows = case::inbox(c, &person, &posts, INBOX_ROWS).await?;
                    let in_absence = rows.iter().filter(|r| r.task.kind == IN_ABSENCE);
                    let cases: Vec<String> = in_absence.map(|r| r.task.case_id.clone()).collect();
                    let held = if cases.is_empty() { vec![] } else { case::acting_posts(c, &cases).await? };
                    Ok::<_, AppError>((rows, held))
                })
            })
            .await?;
        if !lent.is_empty() {
            rows = self.lent_tasks(rows, me.posts(), &lent).await?;
        }
        let d = me.directory();
        let org = me.org();
        let today = self.clock.today();
        // A deputy is asked only while nobody who holds the step is present (代決).
        let present = |post: &str| org.holders(post, today).iter().any(|p| !org.absent(p, today));
        let asked = |r: &&InboxRow| {
            let of_step =
                |(case, step, _): &&(String, String, String)| *case == r.task.case_id && *step == r.task.step;
            r.task.kind != IN_ABSENCE || !held.iter().filter(of_step).any(|(_, _, post)| present(post))
        };
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        // A case is one line, also where its holder must act on several of its parts.
        let mut lines: Vec<TaskLine> = rows.iter().filter(asked).map(|r| task_line(d, r, today)).collect();
        let mut seen = std::collections::BTreeSet::new();
        lines.retain(|l| seen.insert((l.case_id.clone(), l.title.clone())));
        lines.truncate(shown);
        Ok(lines)
    }

    /// Leaves out tasks at lent posts that a delegate does not do: what the holder reads afterwards, and other roles of the post.
    async fn lent_tasks(
        &self,
        rows: Vec<InboxRow>,
        own: &[String],
        lent: &[Lent],
    ) -> Result<Vec<InboxRow>, AppError> {
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let mine = !row.task.person.is_empty() || own.contains(&row.task.post);
            let whole = || lent.iter().any(|x| x.post == row.task.post && x.role.is_empty());
            let keep = mine
                || BY_DELEGATION.contains(&row.task.kind.as_str())
                    && (whole()
                        || covers(lent, &self.state_for_engine(&row.task.case_id).await?, &row.task.step));
            if keep {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// Procedures that can be applied for.
    #[must_use]
    pub fn wishes(&self) -> Vec<Wish> {
        let wish =
            |p: &Procedure| Wish { procedure: p.id.clone(), title: p.title.clone(), wishes: p.wish.clone() };
        self.pack().procedures.values().filter(|p| p.applied_for()).map(wish).collect()
    }

    /// The home page.
    ///
    /// # Errors
    /// The database failed.
    pub async fn home(&self, who: &Identity, me: &Me) -> Result<Home, AppError> {
        let (viewer, person) = (me.viewer().clone(), me.person.clone());
        let mut wishes = self.wishes();
        let procedures: Vec<String> = wishes.iter().map(|w| w.procedure.clone()).collect();
        let mine = self.store.read(move |c| {
            Box::pin(async move {
                let filter = CaseFilter { applicant: Some(person.clone()), ..CaseFilter::default() };
                let (own, _) = case::list(c, &viewer, &filter, 0, 10).await?;
                let counts = case::counts_of(c, &procedures).await?;
                Ok::<_, AppError>((case::drafts(c, &person).await?, own, counts))
            })
        });
        let (mut tasks, (drafts, own, counts), news) =
            tokio::try_join!(self.inbox(me, HOME_TASKS + 1), mine, self.news(who, me))?;
        let more_tasks = tasks.len() > usize::try_from(HOME_TASKS).unwrap_or(usize::MAX);
        tasks.truncate(usize::try_from(HOME_TASKS).unwrap_or(usize::MAX));
        // What one applied for lately comes first, then what everybody applies for most.
        let used = |id: &str| own.iter().position(|r| r.procedure == id).unwrap_or(own.len());
        let counts: BTreeMap<String, i64> = wishes.iter().map(|w| w.procedure.clone()).zip(counts).collect();
        wishes.sort_by_key(|w| (used(&w.procedure), Reverse(counts.get(&w.procedure).copied().unwrap_or(0))));
        let d = me.directory();
        let pack = self.pack();
        let title = |id: &str| pack.procedures.get(id).map_or_else(|| id.to_owned(), |p| p.title.clone());
        Ok(Home {
            news,
            tasks,
            more_tasks,
            wishes,
            drafts: drafts
                .iter()
                .map(|x| DraftLine {
                    id: x.id.clone(),
                    procedure: x.procedure.clone(),
                    title: title(&x.procedure),
                    updated: x.updated_at.japanese(),
                })
                .collect(),
            cases: own.iter().map(|r| self.case_line(d, r)).collect(),
        })
    }

    /// Exports what a list of cases shows, all pages.
    ///
    /// # Errors
    /// Refused when the code page lacks a character; the message names the cells.
    pub async fn export_cases(
        &self,
        who: &Identity,
        q: &CasesQuery,
        format: ExportFormat,
    ) -> Result<ExportedFile, AppError> {
        let me = self.me(who).await?;
        let (filter, viewer) = (self.case_filter(&me, q), me.viewer().clone());
        let limit = i64::try_from(IMPORT_ROWS).unwrap_or(i64::MAX);
        let (rows, _) = self
            .store
            .read(move |c| {
                Box::pin(
                    async move { case::list(c, &viewer, &filter, 0, limit).await.map_err(AppError::from) },
                )
            })
            .await?;
        let (d, pack, today) = (me.directory(), self.pack(), self.clock.today());
        let text = |id: &str, label: &str| Column::new(id, &[label], Kind::Text);
        let columns = vec![
            text("number", "番号"),
            text("procedure", "手続"),
            text("title", "件名"),
            text("section", "所属"),
            text("applicant", "申請者"),
            text("status", "状況"),
            Column::new("opened", &["申請日"], Kind::Date),
            Column::new("due", &["期限"], Kind::Date),
        ];
        let date = |d: Option<Date>| d.map_or(Value::Null, |d| Value::Text(d.to_string()));
        let row = |r: &CaseRow| {
            let line = self.case_line(d, r);
            let procedure = pack.procedures.get(&r.procedure).map_or(r.procedure.as_str(), |p| &p.title);
            vec![
                Value::Text(line.number),
                Value::Text(procedure.to_owned()),
                Value::Text(line.title),
                Value::Text(line.section),
                Value::Text(line.applicant),
                Value::Text(line.status.to_owned()),
                date(Some(r.opened_at.date())),
                date(r.due),
            ]
        };
        let table = Table { name: "案件".to_owned(), columns, rows: rows.iter().map(row).collect() };
        tokio::task::spawn_blocking(move || write(&[table], format, "案件", today))
            .await
            .map_err(AppError::internal)?
    }

    fn case_filter(&self, me: &Me, q: &CasesQuery) -> CaseFilter {
        CaseFilter {
            procedure: Some(q.procedure.clone()).filter(|p| self.pack().procedures.contains_key(p)),
            status: STATUSES.iter().any(|s| s.code() == q.status).then(|| q.status.clone()),
            applicant: q.mine.then(|| me.person.clone()),
            words: search_words(&q.q).take(8).collect(),
            due_before: q.late.then(|| self.clock.today()),
            ..CaseFilter::default()
        }
    }

    /// A page of the cases somebody may see.
    ///
    /// # Errors
    /// The database failed.
    pub async fn cases(&self, who: &Identity, q: &CasesQuery) -> Result<CasesList, AppError> {
        let me = self.me(who).await?;
        let (filter, viewer) = (self.case_filter(&me, q), me.viewer().clone());
        let page = q.page.clamp(1, 1_000_000);
        let (rows, total) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    case::list(c, &viewer, &filter, (page - 1) * PAGE_ROWS, PAGE_ROWS + 1)
                        .await
                        .map_err(AppError::from)
                })
            })
            .await?;
        let (d, pack) = (me.directory(), self.pack());
        let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let choice = |p: &Procedure| RefChoice { code: p.id.clone(), label: p.title.clone() };
        Ok(CasesList {
            procedures: pack.procedures.values().map(choice).collect(),
            rows: rows.iter().take(shown).map(|r| self.case_line(d, r)).collect(),
            statuses: STATUSES
                .iter()
                .map(|s| RefChoice { code: s.code().to_owned(), label: s.japanese().to_owned() })
                .collect(),
            total: count_words(total),
            page,
            more: rows.len() > shown,
        })
    }
}
