//! Who sees what, decided in this one place (`docs/decisions/0022-visibility-and-looks.md`): which records, which cells of them, the
//! contents of which ledger entries, and who is told of looks. The store's `Viewer` carries the answer into every query.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::table::Value;
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::case::CaseState;
use sekisho_case::handling::looks_recorded;
use sekisho_pack::expr::Expr;
use sekisho_pack::model::{HeldBy, Pack, Procedure, Register};
use sekisho_store::look::{self, LookRow};
use sekisho_store::org::AppointmentRow;
use sekisho_store::register::RegisterRow;
use sekisho_store::{Conn, Viewer, ledger, setting};
use serde::Serialize;
use serde_json::json;

use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::{HeldRole, Me};
use crate::record::record;
use crate::registers::class_of;

/// What stands in the place of a value that somebody may not read.
pub(crate) const HIDDEN: &str = "（伏せています）";
/// Looks shown with a record.
const SHOWN: i64 = 50;
/// Setting with the last day whose looks were sealed in the ledger.
const SEALED: &str = "looks.sealed";
/// Days without looks are skipped; no more than so many days are sealed in one run.
const MOST_DAYS: usize = 400;

/// Units that something reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    all: bool,
    units: BTreeSet<String>,
}

impl Reach {
    fn of<'a>(roles: impl Iterator<Item = &'a HeldRole>) -> Self {
        let mut reach = Self::default();
        for r in roles {
            match &r.units {
                None => reach.all = true,
                Some(units) => reach.units.extend(units.iter().cloned()),
            }
        }
        reach
    }

    fn covers(&self, unit: &str) -> bool {
        self.all || self.units.contains(unit)
    }
}

/// What somebody's posts and roles let them see.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// Which records.
    pub viewer: Viewer,
    /// Where cells with personal data are read by role.
    personal: Reach,
    /// Units this person heads.
    heads: Reach,
}

impl Sight {
    /// Whether this person heads a unit.
    pub(crate) fn heads_units(&self) -> bool {
        self.heads.all || !self.heads.units.is_empty()
    }

    /// Whether this person heads this unit or one above it.
    pub(crate) fn heads(&self, unit: &str) -> bool {
        self.heads.covers(unit)
    }
}

/// Own section; a department's head sees the whole department; roles that the pack says so see everything.
pub(crate) fn sight_of(
    pack: &Pack,
    d: &Directory,
    person: &str,
    roles: &[HeldRole],
    appointments: &[&AppointmentRow],
) -> Sight {
    let role =
        |r: &&HeldRole, has: fn(&sekisho_pack::model::Role) -> bool| pack.roles.get(&r.role).is_some_and(has);
    let whole = roles.iter().any(|r| role(&r, |r| r.sees_all));
    let mut units: BTreeSet<String> = BTreeSet::new();
    for post in appointments.iter().filter_map(|a| d.post(&a.post)) {
        let leads = post.head
            && d.unit(&post.unit).is_some_and(|u| matches!(u.kind.as_str(), "department" | "organ"));
        let root = if leads {
            post.unit.as_str()
        } else {
            d.nearest(&post.unit, &["section", "branch"]).map_or(post.unit.as_str(), |u| u.code.as_str())
        };
        units.extend(d.below(root));
    }
    Sight {
        viewer: Viewer { person: person.to_owned(), units: (!whole).then(|| units.into_iter().collect()) },
        personal: Reach::of(roles.iter().filter(|r| role(r, |r| r.sees_personal))),
        heads: Reach::of(roles.iter().filter(|r| role(r, |r| matches!(r.held_by, HeldBy::HeadOf(_))))),
    }
}

impl Me {
    /// Whether this person sees records of a unit.
    #[must_use]
    pub fn sees_unit(&self, unit: &str) -> bool {
        self.viewer().sees_unit(unit)
    }

    /// Whether this person reads the cells with personal data of a register's rows that belong to a unit: whoever keeps the rows or
    /// gives permits for them needs to, and some roles do.
    #[must_use]
    pub fn reads_personal(&self, r: &Register, unit: &str) -> bool {
        let manages = |h: &HeldRole| {
            r.managed_by.as_ref() == Some(&h.role)
                && h.units.as_ref().is_none_or(|units| units.iter().any(|u| u == unit))
        };
        self.keeps(r, unit)
            || self.roles().iter().any(manages)
            || (self.sees_unit(unit) && self.sight().personal.covers(unit))
    }

    /// The same for a case: whoever takes part in it.
    pub(crate) fn reads_personal_of(&self, state: &CaseState) -> bool {
        state.parties.contains(&self.person) || self.sight().personal.covers(&state.applicant.unit)
    }

    /// Whether this person is told who looked at records of a unit: its heads, and whoever sees the whole body.
    #[must_use]
    pub fn sees_looks(&self, unit: &str) -> bool {
        self.sees_whole_body() || self.sight().heads.covers(unit)
    }

    /// Whether this person reads the contents of ledger entries: they hold whatever the records hold, of the whole body and with personal
    /// data.
    #[must_use]
    pub fn reads_entries(&self) -> bool {
        self.sees_whole_body() && self.sight().personal.all
    }
}

/// Puts [`HIDDEN`] in the place of personal cells that somebody may not read. An empty cell stays empty, and everybody reads the own
/// name.
pub(crate) fn hide_cells(me: &Me, r: &Register, row: &mut RegisterRow) {
    if me.reads_personal(r, row.text(&r.owner)) {
        return;
    }
    for c in r.columns.iter().filter(|c| c.personal) {
        if row.values.get(&c.id).is_some_and(|v| v.as_text() != Some(me.person.as_str())) {
            row.values.insert(c.id.clone(), Value::Text(HIDDEN.to_owned()));
        }
    }
}

/// The same for what was applied for and recorded in a case.
pub(crate) fn hide_fields(p: &Procedure, state: &mut CaseState) {
    let hide = |values: &mut BTreeMap<String, serde_json::Value>, id: &str| {
        if let Some(v) = values.get_mut(id) {
            *v = json!(HIDDEN);
        }
    };
    for f in p.fields.iter().filter(|f| f.personal) {
        hide(&mut state.content.fields, &f.id);
    }
    for (f, step) in p.steps.iter().flat_map(|s| s.evidence.iter().filter(|f| f.personal).map(|f| (f, &s.id)))
    {
        for run in state.steps.iter_mut().filter(|r| r.id == *step) {
            hide(&mut run.evidence, &f.id);
            run.rounds.iter_mut().for_each(|r| hide(&mut r.evidence, &f.id));
            let decisions = run.rounds.iter_mut().flat_map(|r| &mut r.decisions).chain(&mut run.decisions);
            decisions.for_each(|x| hide(&mut x.evidence, &f.id));
        }
    }
}

/// What a condition over a record reads of it: its values. A mark that its register does not have is none; one that is not filled in is
/// unknown.
fn marks(pack: &Pack, register: &str, mut values: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let names = pack.classification.looks.as_ref().map(Expr::names).unwrap_or_default();
    let columns = pack.registers.get(register).map_or(&[][..], |r| &r.columns);
    for name in names.into_iter().filter(|n| !n.starts_with("class.")) {
        if columns.iter().all(|c| c.id != name) {
            values.insert(name, Value::List(vec![]));
        }
    }
    values
}

/// Whether looks at a row are recorded.
pub(crate) fn is_sensitive_row(pack: &Pack, r: &Register, row: &RegisterRow, today: Date) -> bool {
    looks_recorded(pack, &class_of(r, &row.values), &marks(pack, &r.id, row.values.clone()), today)
}

/// Whether looks at a case are recorded: when they are at one of its things, or when it holds personal data.
pub(crate) fn is_sensitive_case(pack: &Pack, p: &Procedure, state: &CaseState, today: Date) -> bool {
    let of_item = |i: &sekisho_case::case::Item| {
        looks_recorded(pack, &i.snapshot.class, &marks(pack, &i.register, i.snapshot.values()), today)
    };
    state.content.items.iter().any(of_item)
        || p.fields.iter().any(|f| f.personal && state.content.fields.contains_key(&f.id))
}

/// One line of who looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LookLine {
    /// Name.
    pub person: String,
    /// Day.
    pub day: String,
    /// How: 画面を開いた, 印刷した …
    pub way: &'static str,
    /// How often that day.
    pub times: i64,
    /// Time of day of the last.
    pub last: String,
}

/// Who looked at a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Looks {
    /// How often altogether.
    pub total: i64,
    /// The latest first.
    pub lines: Vec<LookLine>,
}

fn way_words(way: &str) -> &'static str {
    match way {
        "page" => "画面で見た",
        "edit" => "直す画面で見た",
        "file" => "添付ファイルを受け取った",
        "print" => "様式を印刷した",
        "ledger" => "証跡の内容を見た",
        "export" => "台帳を書き出した（見られる行すべて）",
        _ => "見た",
    }
}

fn line(d: &Directory, l: &LookRow) -> LookLine {
    let (h, m) = l.last_at.time_of_day();
    LookLine {
        person: d.person_name(&l.person).to_owned(),
        day: l.day.short(),
        way: way_words(&l.way),
        times: l.times,
        last: format!("{h}:{m:02}"),
    }
}

#[boxed]
impl Office {
    /// Notes a look. Whatever is shown is shown only after this is on disk; looks of many people share a commit.
    pub(crate) async fn note_look(
        &self,
        who: &Identity,
        subject: String,
        way: &'static str,
    ) -> Result<(), AppError> {
        self.note_looks(who, vec![subject], way).await
    }

    /// The same for several records on one page.
    pub(crate) async fn note_looks(
        &self,
        who: &Identity,
        subjects: Vec<String>,
        way: &'static str,
    ) -> Result<(), AppError> {
        if subjects.is_empty() {
            return Ok(());
        }
        let (person, now) = (who.person.clone(), self.clock.now());
        self.store
            .write(move |c| {
                Box::pin(
                    async move { look::add(c, &subjects, &person, way, now).await.map_err(AppError::from) },
                )
            })
            .await
    }

    /// Notes that rows of a register left the program as a file: a look at the register, and an entry in the ledger.
    pub(crate) async fn note_export(
        &self,
        who: &Identity,
        register: &str,
        rows: usize,
        sha256: &str,
    ) -> Result<(), AppError> {
        let (person, now) = (who.person.clone(), self.clock.now());
        let (seal, stream) = (self.seal()?, ledger::stream_id(self.new_id()?));
        let subject = register.to_owned();
        let payload = json!({"register": register, "by": person, "at": now, "rows": rows, "file": sha256});
        self.store
            .write(move |c| {
                Box::pin(async move {
                    look::add(c, &[subject], &person, "export", now).await?;
                    record(c, seal, &stream, "look.export", &payload, now).await.map(|_| ())
                })
            })
            .await
    }

    /// Who looked at a record, and at exports of its register.
    pub(crate) async fn looks_at(&self, d: &Directory, subject: String) -> Result<Looks, AppError> {
        let (rows, total) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let register = subject.split_once('/').map_or("", |(r, _)| r).to_owned();
                    look::of(c, &[&subject, &register], SHOWN).await.map_err(AppError::from)
                })
            })
            .await?;
        Ok(Looks { total, lines: rows.iter().map(|l| line(d, l)).collect() })
    }

    /// Seals the looks of the days that are over: one ledger entry a day holds their number and a hash over all of them, so that a look
    /// taken away later is noticed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn seal_looks(self: &Arc<Self>) -> Result<usize, AppError> {
        let today = self.clock.today();
        for n in 0..MOST_DAYS {
            let (seal, stream, now) = (self.seal()?, ledger::stream_id(self.new_id()?), self.clock.now());
            let sealed = self
                .store
                .write(move |c| Box::pin(async move { seal_next(c, today, now, seal, &stream).await }))
                .await?;
            if !sealed {
                return Ok(n);
            }
        }
        Ok(MOST_DAYS)
    }
}

/// Seals the first day that is over and not sealed; tells whether there was one.
async fn seal_next(
    c: &mut Conn<'_>,
    today: Date,
    now: Instant,
    seal: crate::record::Seal,
    stream: &str,
) -> Result<bool, AppError> {
    let last = setting::get(c, SEALED).await?.and_then(|day| day.parse::<Date>().ok());
    let from = last.map_or(Date::from_epoch_days(0), |day| day.plus_days(1));
    let Some(day) = look::first_day(c, from, today).await? else { return Ok(false) };
    let (rows, looks, hash) = look::digest(c, day).await?;
    let payload = json!({"day": day, "rows": rows, "looks": looks, "hash": hash, "at": now});
    record(c, seal, stream, "look.day", &payload, now).await?;
    setting::set(c, SEALED, &day.to_string()).await?;
    Ok(true)
}
