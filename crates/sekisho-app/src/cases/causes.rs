//! What opens a case without anybody applying: a row that breaks a check, a duty that is late, a person whom an import lets
//! leave with things on loan. One case at a time for each; when it ends and its cause does not, the next one says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_base::limits::LINE_CHARS;
use sekisho_base::text::shorten;
use sekisho_boxed::boxed;
use sekisho_case::case::{CaseState, Cause, SYSTEM, StepStatus, fold};
use sekisho_case::decide::{self, Ctx, Draft, Opening, case_number};
use sekisho_pack::duty::{Event, after};
use sekisho_pack::model::{FieldType, Pack, Procedure};
use sekisho_store::{Conn, case, cause, duty, register, setting, violation};
use serde_json::json;

use crate::cases::items::item_of;
use crate::cases::store::{engine, keep, state_of};
use crate::directory::Directory;
use crate::duties::happened;
use crate::error::AppError;
use crate::office::Office;
use crate::registers::table_spec;

/// Cases that one cause opens in one run; the rest follow with the next.
const AT_ONCE: i64 = 100;
/// Days back, and ahead, in which people who leave are looked for.
const LEAVING_DAYS: (i64, i64) = (120, 30);
/// What the organization's import is called as a cause.
const IMPORT: &str = "import:org";

/// Something that wants a case of its own.
struct Trigger {
    /// What tells it apart among those of its cause.
    thing: String,
    /// Unit it concerns; empty for the body.
    unit: String,
    /// Key of the row, occurrence or person, as [`Cause::row`].
    row: String,
    /// What it says.
    says: String,
    /// Rows it is about, as `register/row`.
    items: Vec<String>,
    /// What is known, by the id of the field that asks for it.
    known: BTreeMap<&'static str, String>,
}

/// Opens the cases that checks, duties and imports ask for.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open_from_causes(office: &Arc<Office>) -> Result<(), AppError> {
    let pack = office.pack();
    for p in pack.procedures.values() {
        for cause in &p.opened_by {
            let found = match cause.split_once(':') {
                Some(("check", id)) => broken_rows(office, &pack, p, cause, id).await?,
                Some(("duty", id)) => late_duties(office, &pack, p, cause, id).await?,
                _ if cause == IMPORT => leaving(office, &pack).await?,
                _ => vec![],
            };
            if !found.is_empty() {
                open_all(office, &pack, &p.id, cause, found).await?;
            }
        }
    }
    Ok(())
}

/// Whether something has lasted long enough to need a case.
fn ripe(office: &Office, pack: &Pack, p: &Procedure, since: Date) -> bool {
    p.opened_after.is_none_or(|wait| after(&pack.calendar, since, wait) <= office.clock.today())
}

async fn broken_rows(
    office: &Arc<Office>,
    pack: &Pack,
    p: &Procedure,
    cause: &str,
    check: &str,
) -> Result<Vec<Trigger>, AppError> {
    let (by, check) = (cause.to_owned(), check.to_owned());
    let rows = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let mut rows = Vec::new();
                for id in cause::violations(c, &by, &check, AT_ONCE).await? {
                    rows.extend(violation::get(c, &id).await?);
                }
                Ok::<_, AppError>(rows)
            })
        })
        .await?;
    let ripe = rows.into_iter().filter(|v| ripe(office, pack, p, v.opened_at.date()));
    Ok(ripe
        .map(|v| Trigger {
            thing: v.id,
            unit: v.unit,
            items: vec![v.row_key.clone()],
            row: v.row_key,
            says: v.says,
            known: BTreeMap::new(),
        })
        .collect())
}

async fn late_duties(
    office: &Arc<Office>,
    pack: &Pack,
    p: &Procedure,
    cause: &str,
    id: &str,
) -> Result<Vec<Trigger>, AppError> {
    let Some(spec) = pack.duties.get(id) else { return Ok(vec![]) };
    let (by, id, today) = (cause.to_owned(), id.to_owned(), office.clock.today());
    let rows = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let mut rows = Vec::new();
                for id in cause::late_duties(c, &by, &id, today, AT_ONCE).await? {
                    rows.extend(duty::get(c, &id).await?);
                }
                Ok::<_, AppError>(rows)
            })
        })
        .await?;
    let ripe = rows.into_iter().filter(|o| ripe(office, pack, p, o.due_on));
    Ok(ripe
        .map(|o| Trigger {
            says: format!("「{}」が期限（{}）までに行われていません", spec.title, o.due_on.wareki()),
            row: format!("duty/{}/{}", o.duty, o.id),
            thing: o.id,
            unit: o.unit,
            items: vec![],
            known: BTreeMap::new(),
        })
        .collect())
}

/// People who leave, or go to another section, while something is out in their name: one for each section it is out from.
async fn leaving(office: &Arc<Office>, pack: &Pack) -> Result<Vec<Trigger>, AppError> {
    let (d, today) = (office.directory().await?, office.clock.today());
    let (from, until) = (today.plus_days(-LEAVING_DAYS.0), today.plus_days(LEAVING_DAYS.1));
    let mut going: BTreeMap<String, (Date, &'static str)> = BTreeMap::new();
    for (event, word) in [(Event::Transferred, "異動"), (Event::Left, "退職・離任")] {
        let found = happened(event, &d, from, until).into_iter();
        going.extend(found.map(|h| (h.person, (h.on.plus_days(-1), word))));
    }
    if going.is_empty() {
        return Ok(vec![]);
    }
    let lending: Vec<String> = pack
        .procedures
        .values()
        .filter(|p| p.permit.as_ref().is_some_and(|s| s.movements))
        .map(|p| p.id.clone())
        .collect();
    let rows = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let mut rows = Vec::new();
                for p in lending {
                    rows.extend(case::all_open(c, &p).await?);
                }
                Ok::<_, AppError>(rows)
            })
        })
        .await?;
    let mut found: BTreeMap<(String, String), Trigger> = BTreeMap::new();
    for row in rows {
        let Some((last_day, word)) = going.get(&row.applicant) else { continue };
        // A loan that began after the move belongs to the new place.
        if row.opened_at.date() > *last_day {
            continue;
        }
        let state = state_of(&row)?;
        let out = unreturned(office, &state).await?;
        if out.is_empty() {
            continue;
        }
        let key = (row.applicant.clone(), row.unit.clone());
        let trigger = found.entry(key).or_insert_with(|| Trigger {
            thing: format!("{}/{last_day}/{}", row.applicant, row.unit),
            unit: row.unit.clone(),
            row: format!("person/{}", row.applicant),
            says: format!(
                "職員番号{}の{word}（{}まで）。返していないもの：",
                row.applicant,
                last_day.wareki()
            ),
            items: vec![],
            known: [("person", row.applicant.clone()), ("last_day", last_day.to_string())].into(),
        });
        let names = state.content.items.iter().filter(|i| out.contains(&i.key()));
        let names: Vec<String> = names.map(|i| format!("{} {}", i.number, i.name)).collect();
        let joint = if trigger.items.is_empty() { "" } else { "、" };
        trigger.says.push_str(&format!("{joint}{}（{}）", names.join("、"), state.number));
        trigger.items.extend(out);
    }
    Ok(found.into_values().collect())
}

/// What has gone out and is not back: moved out, or handed over while its return is waited for.
async fn unreturned(office: &Office, state: &CaseState) -> Result<Vec<String>, AppError> {
    let Some(permit) = &state.permit else { return Ok(vec![]) };
    let pack = office.pack_of(&state.pack.hash).await?;
    let spec = pack.procedures.get(&state.procedure).and_then(|p| p.permit.as_ref());
    let returned_by = spec.and_then(|s| s.returned_by.as_deref()).and_then(|id| state.step(id));
    if returned_by.is_some_and(|s| s.status == StepStatus::Open) {
        return Ok(permit.items.clone());
    }
    Ok(permit.outside().into_iter().map(str::to_owned).collect())
}

async fn open_all(
    office: &Arc<Office>,
    pack: &Arc<Pack>,
    procedure: &str,
    cause: &str,
    found: Vec<Trigger>,
) -> Result<(), AppError> {
    let (org, rules, d) = (office.org().await?, office.rules(pack)?, office.directory().await?);
    let (office, pack) = (Arc::clone(office), Arc::clone(pack));
    let (procedure, cause) = (procedure.to_owned(), cause.to_owned());
    office
        .store
        .clone()
        .write(move |c| {
            Box::pin(async move {
                let Some(p) = pack.procedures.get(&procedure) else { return Ok(()) };
                let now = office.clock.now();
                let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now, person: SYSTEM };
                for t in found {
                    open_one(c, &office, &ctx, &d, p, &cause, t).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await
}

async fn open_one(
    c: &mut Conn<'_>,
    office: &Office,
    ctx: &Ctx<'_>,
    d: &Directory,
    p: &Procedure,
    by: &str,
    t: Trigger,
) -> Result<(), AppError> {
    let id = office.new_id()?.to_string();
    let before = cause::last_case(c, by, &t.thing).await?;
    if !cause::take(c, by, &t.thing, &id).await? {
        return Ok(());
    }
    let about = about(c, ctx.pack, by, &t.row).await?;
    let mut says = t.says;
    if let Some(before) = before {
        let number = case::get(c, &engine(), &before).await?.map(|r| r.number).unwrap_or_default();
        says.push_str(&format!("（{number} を終えた後も解消していません）"));
    }
    let body = || d.rows().units.iter().find(|u| u.kind == "body").map(|u| u.code.clone());
    let unit = if t.unit.is_empty() { body().unwrap_or_default() } else { t.unit };
    let asked = |name: &str| p.fields.iter().any(|f| f.id == name);
    let fields = t.known.into_iter().filter(|(name, _)| asked(name));
    let mut draft =
        Draft { fields: fields.map(|(name, v)| (name.to_owned(), json!(v))).collect(), ..Draft::default() };
    for key in &t.items {
        let Some((register, row)) = key.split_once('/') else { continue };
        let takes = |k: &FieldType| matches!(k, FieldType::Items(l) if l.iter().any(|r| r == register));
        let field = p.fields.iter().find(|f| takes(&f.kind));
        let (Some(field), Some(r)) = (field, ctx.pack.registers.get(register)) else { continue };
        let row = register::get(c, &table_spec(r), &engine(), row).await?;
        draft.items.extend(row.map(|row| item_of(&field.id, r, &row)));
    }
    let sequence = setting::next(c, &format!("number:{}:{}", p.id, ctx.today().fiscal_year())).await?;
    let opening = Opening {
        case: id,
        number: case_number(&p.number, ctx.today(), u32::try_from(sequence).unwrap_or(0)),
        unit,
        cause: Cause { by: by.to_owned(), row: t.row, says },
        about,
        draft,
    };
    let acts = decide::open_without_applicant(&p.id, ctx, opening)
        .map_err(|r| AppError::internal(format!("{}: {}", p.id, r.message)))?;
    let state = fold(&acts).map_err(AppError::internal)?;
    keep(c, office, None, &state, &acts).await
}

/// What a list calls a case that opened itself: the check and the number of the case it found, or the duty. Empty for an import, whose
/// things and person say it.
async fn about(c: &mut Conn<'_>, pack: &Pack, by: &str, row: &str) -> Result<String, AppError> {
    let title = match by.split_once(':') {
        Some(("check", id)) => pack.checks.get(id).map(|check| check.title.clone()),
        Some(("duty", id)) => pack.duties.get(id).map(|duty| format!("{}の遅れ", duty.title)),
        _ => None,
    };
    let case = row.strip_prefix("case/").and_then(|key| key.split('#').next());
    let found = match case {
        Some(id) => case::get(c, &engine(), id).await?.map(|row| row.number),
        None => None,
    };
    let parts: Vec<String> = [title, found].into_iter().flatten().collect();
    Ok(shorten(&parts.join(" "), LINE_CHARS))
}

/// Where the thing that opened a case is shown; empty when it has no page.
pub(super) fn link_of(cause: &Cause) -> String {
    match cause.row.split_once('/') {
        Some(("case", key)) => format!("/cases/{}", key.split('#').next().unwrap_or_default()),
        Some(("duty", key)) => format!("/duties/{key}"),
        Some(("person" | "unit", _)) | None => String::new(),
        Some((register, row)) => format!("/registers/{register}/{row}"),
    }
}

/// Whether what opened a case still lasts; nothing where nobody can tell.
pub(super) async fn lasts(c: &mut Conn<'_>, cause: &Cause) -> Result<Option<bool>, AppError> {
    Ok(match (cause.by.split_once(':'), cause.row.rsplit_once('/')) {
        (Some(("check", id)), _) => Some(violation::open_for(c, &cause.row).await?.contains_key(id)),
        (Some(("duty", _)), Some((_, id))) => duty::get(c, id).await?.map(|o| o.closed_at.is_none()),
        _ => None,
    })
}
