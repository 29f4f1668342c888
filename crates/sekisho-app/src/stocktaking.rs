//! 棚卸: a section looks for what its register says it has. Its head or whoever keeps the rows opens and closes; anybody of the section confirms, with a
//! phone or a scanner; closing records what was not found and tells the section's head.

mod days;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::limits::LINE_CHARS;
use sekisho_base::text::{normalize_code, shorten};
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_pack::model::{Pack, Register};
use sekisho_store::register::{self, Filter, RegisterRow};
use sekisho_store::stocktaking::{self as rows, Closing, SeenRow, StocktakingRow};
use sekisho_store::{Conn, Viewer};
use serde_json::json;

use crate::directory::Directory;
use crate::error::AppError;
use crate::login::Identity;
use crate::notifications::{Told, notify};
use crate::office::Office;
use crate::people::Me;
use crate::record::{record, stream_of};
use crate::registers::{RefChoice, find_row, table_spec};
use crate::sight::hide_cells;

pub use days::DaysNote;

/// Things with which a stocktaking may begin. A section with more divides them among its units.
const MOST: i64 = 5_000;
/// Things that are read: what came since it began belongs to it too.
const ALL: i64 = 1_000_000;
/// Said of one that is closed.
const OVER: &str = "この棚卸しは終わっています。";
/// Stocktakings in the list.
const SHOWN: i64 = 100;
/// Things shown on a page; the others are found by their code.
const LINES: usize = 100;

/// A stocktaking in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StocktakingLine {
    /// Id.
    pub id: String,
    /// Register and unit.
    pub title: String,
    /// 期限, or when it ended.
    pub when: String,
    /// 実施中, 期限切れ, 終了.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
}

/// The list, with the form that opens one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StocktakingsPage {
    /// Lines.
    pub lines: Vec<StocktakingLine>,
    /// Registers that this person may open one for; empty: none.
    pub registers: Vec<RefChoice>,
    /// Units.
    pub units: Vec<RefChoice>,
    /// What is in the form.
    pub form: StocktakingForm,
}

/// What opens a stocktaking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StocktakingForm {
    /// Register id.
    pub register: String,
    /// Unit code.
    pub unit: String,
    /// By when, as typed.
    pub due_on: String,
}

/// What confirms a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenForm {
    /// What the code says: a short address, a row's id or its 管理番号.
    pub code: String,
    /// Where it is, when not where the register says.
    pub place: String,
}

/// A thing on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingLine {
    /// Row id.
    pub id: String,
    /// 管理番号.
    pub code: String,
    /// Name.
    pub name: String,
    /// When and by whom it was found, and where; empty when not.
    pub seen: String,
}

/// One stocktaking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StocktakingPage {
    /// Id.
    pub id: String,
    /// Register and unit.
    pub title: String,
    /// Register.
    pub register: String,
    /// Who opened it, and when.
    pub opened: String,
    /// By when.
    pub due: String,
    /// Who closed it, and when; empty while it runs.
    pub closed: String,
    /// How many things there are.
    pub total: usize,
    /// How many were found.
    pub found: usize,
    /// What was not found, the first of them.
    pub missing: Vec<ThingLine>,
    /// How many more were not found.
    pub missing_more: usize,
    /// What was found, the latest first.
    pub seen: Vec<ThingLine>,
    /// Whether this person confirms things.
    pub may_see: bool,
    /// Whether this person closes it.
    pub may_close: bool,
    /// What is in the form.
    pub form: SeenForm,
    /// How the days of confirmation come into the register, where the pack asks for it.
    pub days: Option<DaysNote>,
}

/// Who opens and closes: whoever keeps the rows, and the unit's heads.
fn runs(me: &Me, r: &Register, unit: &str) -> bool {
    me.keeps(r, unit) || me.sight().heads(unit)
}

/// Whether a register holds things that can be looked for: records of meetings and of exceptions have no class and are none.
fn holds_things(r: &Register) -> bool {
    !r.class.is_empty() || r.confirmed_on.is_some()
}

/// Who takes part: whoever keeps the rows, and everybody of the unit.
fn takes_part(d: &Directory, me: &Me, r: &Register, unit: &str) -> bool {
    me.keeps(r, unit) || d.below(unit).iter().any(|u| u == me.unit())
}

fn title(pack: &Pack, d: &Directory, s: &StocktakingRow) -> String {
    let register = pack.registers.get(&s.register).map_or(s.register.as_str(), |r| r.title.as_str());
    format!("{register}（{}）", d.place_name(&s.unit))
}

/// What of a scanned text names the row: behind the register in a short address, whatever a keyboard made of the signs before it.
fn code_of<'t>(typed: &'t str, register: &str) -> &'t str {
    let typed = typed.trim();
    typed.rsplit_once(&format!("/r/{register}/")).map_or(typed, |(_, code)| code)
}

/// The things of a unit, with those below it.
async fn things(c: &mut Conn<'_>, r: &Register, units: &Viewer) -> Result<Vec<RegisterRow>, AppError> {
    Ok(register::list(c, &table_spec(r), units, &Filter::default(), 0, ALL).await?.0)
}

/// A stocktaking as somebody may see it, with what it is about.
struct Seen {
    me: Me,
    d: Arc<Directory>,
    pack: Arc<Pack>,
    row: StocktakingRow,
    units: Viewer,
}

impl Seen {
    fn register(&self) -> Result<&Register, AppError> {
        self.pack.registers.get(&self.row.register).ok_or(AppError::NotFound)
    }

    /// Refused when it is over.
    fn running(&self) -> Result<(), AppError> {
        match &self.row.closed {
            None => Ok(()),
            Some(_) => Err(AppError::field("code", OVER)),
        }
    }
}

#[boxed]
impl Office {
    async fn stocktaking_row(&self, who: &Identity, id: &str) -> Result<Seen, AppError> {
        let (me, d, pack) = (self.me(who).await?, self.directory().await?, self.pack());
        let (viewer, id) = (me.viewer().clone(), id.to_owned());
        let row = self
            .store
            .read(move |c| Box::pin(async move { rows::get(c, &viewer, &id).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)?;
        let units = Viewer { person: me.person.clone(), units: Some(d.below(&row.unit)) };
        Ok(Seen { me, d, pack, row, units })
    }

    /// The list of stocktakings.
    ///
    /// # Errors
    /// The database failed.
    pub async fn stocktakings(
        &self,
        who: &Identity,
        form: StocktakingForm,
    ) -> Result<StocktakingsPage, AppError> {
        let (me, d, pack, today) =
            (self.me(who).await?, self.directory().await?, self.pack(), self.clock.today());
        let viewer = me.viewer().clone();
        let found = self
            .store
            .read(move |c| {
                Box::pin(async move { rows::list(c, &viewer, SHOWN).await.map_err(AppError::from) })
            })
            .await?;
        let line = |s: &StocktakingRow| {
            let (state, class, when) = match &s.closed {
                Some(how) => ("終了", "none", how.at.date().short()),
                None if s.due_on < today => ("期限切れ", "late", s.due_on.short()),
                None => ("実施中", "running", s.due_on.short()),
            };
            StocktakingLine { id: s.id.clone(), title: title(&pack, &d, s), when, state, class }
        };
        let choice = |code: &str, label: String| RefChoice { code: code.to_owned(), label };
        let registers: Vec<RefChoice> = pack
            .registers
            .values()
            .filter(|r| holds_things(r) && (me.keeps_anything(r) || me.sight().heads_units()))
            .map(|r| choice(&r.id, r.title.clone()))
            .collect();
        let kept = |unit: &str| pack.registers.values().any(|r| holds_things(r) && runs(&me, r, unit));
        let units = d.rows().units.iter().filter(|u| {
            !registers.is_empty()
                && matches!(u.kind.as_str(), "section" | "branch" | "subsection")
                && u.exists_on(today)
                && kept(&u.code)
        });
        Ok(StocktakingsPage {
            lines: found.iter().map(line).collect(),
            units: units.map(|u| choice(&u.code, d.place_name(&u.code))).collect(),
            registers,
            form,
        })
    }

    /// Opens one and returns its id.
    ///
    /// # Errors
    /// Fields that were not accepted; refused when this person neither keeps the unit's rows nor heads it.
    pub async fn open_stocktaking(
        self: &Arc<Self>,
        who: &Identity,
        form: &StocktakingForm,
    ) -> Result<String, AppError> {
        let (me, d, pack) = (self.me(who).await?, self.directory().await?, self.pack());
        let now = self.clock.now();
        let Some(r) = pack.registers.get(&form.register).filter(|r| holds_things(r)) else {
            return Err(AppError::field("register", "棚卸しをする台帳を選んでください。"));
        };
        if d.unit(&form.unit).is_none_or(|u| !u.exists_on(now.date())) {
            return Err(AppError::field("unit", "所属を選んでください。"));
        }
        if !runs(&me, r, &form.unit) {
            return Err(AppError::refused(
                "S001",
                "この台帳のこの所属の棚卸しを始められるのは、所属の長と、台帳を記入する役割の人です。",
            ));
        }
        let due_on =
            Date::parse_japanese(&form.due_on).ok().filter(|day| *day >= now.date()).ok_or_else(|| {
                AppError::field("due_on", "今日かそれより後の日を入れてください（例：R8.12.25）。")
            })?;
        let (id, seal) = (self.new_id()?.to_string(), self.seal()?);
        let stream = stream_of(&id)?;
        let row = StocktakingRow {
            id: id.clone(),
            register: r.id.clone(),
            unit: form.unit.clone(),
            opened_by: me.person.clone(),
            opened_at: now,
            due_on,
            open_entry: seal.id(),
            closed: None,
        };
        let payload = json!({"stocktaking": row.id, "register": row.register, "unit": row.unit, "due_on": due_on, "by": row.opened_by, "at": now});
        let units = Viewer { person: me.person.clone(), units: Some(d.below(&form.unit)) };
        let r = r.clone();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let (_, there) =
                        register::list(c, &table_spec(&r), &units, &Filter::default(), 0, 1).await?;
                    if there == 0 {
                        return Err(AppError::field("unit", "この所属のものは、台帳に載っていません。"));
                    }
                    if there > MOST {
                        return Err(AppError::field(
                            "unit",
                            format!("台帳に{MOST}件を超えて載っているので、一度に棚卸しできません。係などに分けてください。"),
                        ));
                    }
                    record(c, seal, &stream, "stocktaking.open", &payload, now).await?;
                    if rows::open(c, &row).await? {
                        return Ok(());
                    }
                    Err(AppError::field("unit", "この台帳のこの所属の棚卸しは、もう始まっています。"))
                })
            })
            .await?;
        Ok(id)
    }

    /// One stocktaking.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the person may not see it.
    pub async fn stocktaking(
        &self,
        who: &Identity,
        id: &str,
        form: SeenForm,
    ) -> Result<StocktakingPage, AppError> {
        let s = self.stocktaking_row(who, id).await?;
        let (r, units, id) = (s.register()?.clone(), s.units.clone(), s.row.id.clone());
        let (mut there, found) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    Ok::<_, AppError>((things(c, &r, &units).await?, rows::seen(c, &id).await?))
                })
            })
            .await?;
        let r = s.register()?;
        let days = days::note(&s.me, r, &s.row.unit, &there, &found);
        there.iter_mut().for_each(|row| hide_cells(&s.me, r, row));
        let by_id: BTreeMap<&str, &RegisterRow> = there.iter().map(|row| (row.id.as_str(), row)).collect();
        let thing = |id: &str, seen: String| {
            let row = by_id.get(id);
            let text = |column: &str| row.map(|row| row.text(column).to_owned()).unwrap_or_default();
            let code =
                if row.is_some() { text(&r.key) } else { "（台帳から除かれました）".to_owned() };
            ThingLine { id: id.to_owned(), code, name: text(&r.name), seen }
        };
        let seen_ids: BTreeSet<&str> = found.iter().map(|x| x.row_id.as_str()).collect();
        let missing: Vec<ThingLine> = match &s.row.closed {
            None => there
                .iter()
                .filter(|row| !seen_ids.contains(row.id.as_str()))
                .map(|row| thing(&row.id, String::new()))
                .collect(),
            Some(how) => {
                let kept: Vec<(String, String)> =
                    serde_json::from_str(&how.missing).map_err(AppError::internal)?;
                let line = |(id, code): &(String, String)| ThingLine {
                    code: code.clone(),
                    ..thing(id, String::new())
                };
                kept.iter().map(line).collect()
            }
        };
        let when = |x: &SeenRow| {
            let place =
                if x.place.is_empty() { String::new() } else { format!("　今ある場所：{}", x.place) };
            format!("{} {}{place}", x.at.japanese(), s.d.person_name(&x.person))
        };
        let who_when = |by: &str, at: Instant| format!("{} {}", at.japanese(), s.d.person_name(by));
        let running = s.row.closed.is_none();
        Ok(StocktakingPage {
            id: s.row.id.clone(),
            title: title(&s.pack, &s.d, &s.row),
            register: r.id.clone(),
            opened: who_when(&s.row.opened_by, s.row.opened_at),
            due: s.row.due_on.japanese(),
            closed: s.row.closed.as_ref().map(|how| who_when(&how.by, how.at)).unwrap_or_default(),
            total: missing.len() + found.len(),
            found: found.len(),
            missing_more: missing.len().saturating_sub(LINES),
            missing: missing.into_iter().take(LINES).collect(),
            seen: found.iter().take(LINES).map(|x| thing(&x.row_id, when(x))).collect(),
            may_see: running && takes_part(&s.d, &s.me, r, &s.row.unit),
            may_close: running && runs(&s.me, r, &s.row.unit),
            form,
            days,
        })
    }

    /// Confirms that a thing is there, and writes the day into its row where the pack asks for it and this person keeps the row. Returns its
    /// 管理番号.
    ///
    /// # Errors
    /// A field error when it is none of this unit's things or was confirmed before; refused to whoever takes no part.
    pub async fn confirm_thing(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        form: &SeenForm,
    ) -> Result<String, AppError> {
        let s = self.stocktaking_row(who, id).await?;
        let r = s.register()?;
        if !takes_part(&s.d, &s.me, r, &s.row.unit) {
            return Err(AppError::refused(
                "S002",
                "棚卸しを行えるのは、その所属の職員と、台帳を記入する役割の人です。",
            ));
        }
        s.running()?;
        let place = form.place.trim().to_owned();
        if place.chars().count() > LINE_CHARS {
            return Err(AppError::field("place", format!("場所は{LINE_CHARS}文字以内で入力してください。")));
        }
        let code = code_of(&form.code, &r.id);
        if code.is_empty() {
            return Err(AppError::field("code", "QRコードを読み取るか、管理番号を入力してください。"));
        }
        // Also what is typed in full width or without the shift key. A thing of another unit is told like one that is not there.
        let mut found = find_row(self, r, &s.units, code).await?;
        for typed in [normalize_code(code), normalize_code(code).to_uppercase()] {
            if found.is_none() {
                found = find_row(self, r, &s.units, &typed).await?;
            }
        }
        let Some(row) = found else {
            let shown = shorten(code, 60);
            let says = format!(
                "「{shown}」は、この台帳のこの所属の行にありません。ほかの所属のものか、台帳に載っていないものです。"
            );
            return Err(AppError::field("code", says));
        };
        let (now, seal, stream) = (self.clock.now(), self.seal()?, stream_of(&s.row.id)?);
        let key = row.text(&r.key).to_owned();
        let seen = SeenRow { row_id: row.id, person: s.me.person.clone(), at: now, place, entry: seal.id() };
        let payload = json!({"stocktaking": s.row.id, "register": r.id, "row": seen.row_id, "by": seen.person, "place": seen.place, "at": now});
        let (id, told, viewer, r) = (s.row.id.clone(), key.clone(), s.me.viewer().clone(), r.clone());
        let (me, units, office) = (s.me, s.units, Arc::clone(self));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    record(c, seal, &stream, "stocktaking.seen", &payload, now).await?;
                    if rows::see(c, &id, &seen).await? {
                        return days::enter(c, &office, (&me, &r), &units, &seen).await;
                    }
                    // It was found before, or the stocktaking ended since it was looked at.
                    let runs = rows::get(c, &viewer, &id).await?.is_some_and(|s| s.closed.is_none());
                    Err(AppError::field(
                        "code",
                        if runs {
                            format!("「{told}」は、もう確認されています。")
                        } else {
                            OVER.to_owned()
                        },
                    ))
                })
            })
            .await?;
        Ok(key)
    }

    /// Ends a stocktaking: what was not found is kept and told to the head of the unit.
    ///
    /// # Errors
    /// Refused to whoever neither keeps the rows nor heads the unit, and when it is over.
    pub async fn close_stocktaking(self: &Arc<Self>, who: &Identity, id: &str) -> Result<(), AppError> {
        let s = self.stocktaking_row(who, id).await?;
        let r = s.register()?.clone();
        if !runs(&s.me, &r, &s.row.unit) {
            return Err(AppError::refused(
                "S003",
                "棚卸しを終わらせられるのは、所属の長と、台帳を記入する役割の人です。",
            ));
        }
        s.running()?;
        let (now, seal, stream) = (self.clock.now(), self.seal()?, stream_of(&s.row.id)?);
        let section =
            s.d.nearest(&s.row.unit, &["section", "branch"]).map_or(s.row.unit.as_str(), |u| &u.code);
        let head = s.d.head_post(section).map(|p| s.d.holders(&p.code, now.date()));
        let heads: Vec<String> = head.into_iter().flatten().map(|p| p.number.clone()).collect();
        let (title, by) = (title(&s.pack, &s.d, &s.row), s.me.person.clone());
        let (id, units, office) = (s.row.id.clone(), s.units.clone(), Arc::clone(self));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let there = things(c, &r, &units).await?;
                    let seen = rows::seen(c, &id).await?;
                    let ids: BTreeSet<&str> = seen.iter().map(|x| x.row_id.as_str()).collect();
                    let missing: Vec<(&str, &str)> = there
                        .iter()
                        .filter(|row| !ids.contains(row.id.as_str()))
                        .map(|row| (row.id.as_str(), row.text(&r.key)))
                        .collect();
                    let total = missing.len() + seen.len();
                    let payload = json!({"stocktaking": id, "register": r.id, "by": by, "at": now, "total": total, "found": seen.len(), "missing": missing});
                    record(c, seal, &stream, "stocktaking.close", &payload, now).await?;
                    let how = Closing {
                        by,
                        at: now,
                        total: i64::try_from(total).unwrap_or(i64::MAX),
                        missing: json!(missing).to_string(),
                        entry: seal.id(),
                    };
                    if !rows::close(c, &id, &how).await? {
                        return Err(AppError::field("code", "この棚卸しは終わっています。"));
                    }
                    let subject = match missing.len() {
                        0 => format!("棚卸しが終わりました。{title}は、{total}件すべてを確認しました。"),
                        n => format!("棚卸しが終わりました。{title}の{total}件のうち、{n}件が見つかっていません。"),
                    };
                    let link = format!("/stocktakings/{id}");
                    let told = Told { kind: "stocktaking", subject: &subject, link: &link };
                    notify(c, &office, &told, &heads, now).await
                })
            })
            .await
    }

    /// Where a label's code leads: to the stocktaking that looks for the thing just now and in which this person takes part, else to its
    /// row.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also when the person may not see the row.
    pub async fn label_leads(&self, who: &Identity, register: &str, code: &str) -> Result<String, AppError> {
        let (me, d, pack) = (self.me(who).await?, self.directory().await?, self.pack());
        let r = pack.registers.get(register).ok_or(AppError::NotFound)?;
        let row = find_row(self, r, me.viewer(), code).await?.ok_or(AppError::NotFound)?;
        let (viewer, id) = (me.viewer().clone(), r.id.clone());
        let running = self
            .store
            .read(move |c| {
                Box::pin(async move { rows::running(c, &viewer, &id).await.map_err(AppError::from) })
            })
            .await?;
        let owner = row.text(&r.owner);
        let here = running
            .iter()
            .filter(|s| takes_part(&d, &me, r, &s.unit))
            .find(|s| d.below(&s.unit).iter().any(|u| u == owner));
        Ok(match here {
            Some(s) => format!("/stocktakings/{}?code={}", s.id, row.id),
            None => format!("/registers/{}/{}", r.id, row.id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::code_of;

    #[test]
    fn a_code_is_found_behind_whatever_a_keyboard_made_of_the_address() {
        for typed in
            ["https://sekisho.example/r/device/PC-1", "https+//sekisho.example/r/device/PC-1", " PC-1\n"]
        {
            assert_eq!(code_of(typed, "device"), "PC-1");
        }
        assert_eq!(code_of("https://x/r/media/M-1", "device"), "https://x/r/media/M-1");
    }
}
