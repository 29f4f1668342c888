//! Printed reports: the monthly report to the committee, the state of all clauses, the extract of a register, and the binder of
//! evidence for one clause. Each is facts for a form of the pack (`report_*.typ`); its look is the pack's.

mod binder;
mod month;

use std::sync::Arc;

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::state::ClauseState;
use sekisho_forms::RenderRequest;
use serde_json::{Value, json};

use crate::clauses::{ORDER, ToldClause, state_words};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::registers::ListQuery;

/// Rows of one printed extract.
const MOST_ROWS: usize = 1_000;

/// A day as typed, or why not.
fn day(field: &str, typed: &str, today: Date) -> Result<Date, AppError> {
    if typed.trim().is_empty() {
        return Err(AppError::field(field, "日を入れてください（例：R8.11.25）。"));
    }
    let day = Date::parse_japanese(typed).map_err(|e| AppError::field(field, e.to_string()))?;
    if day > today {
        return Err(AppError::field(field, "今日までの日を入れてください。"));
    }
    Ok(day)
}

fn count_of(clauses: &[ToldClause], state: ClauseState) -> usize {
    clauses.iter().filter(|c| c.state == Some(state)).count()
}

#[boxed]
impl Office {
    /// Refused for whoever does not see the whole body.
    async fn may_report(&self, who: &Identity) -> Result<(), AppError> {
        if self.me(who).await?.sees_whole_body() {
            return Ok(());
        }
        Err(AppError::refused(
            "P003",
            "団体全体の帳票を印刷できるのは、全体を見る役割の人（CISO、情報政策担当、監査など）だけです。",
        ))
    }

    /// Prints facts with a form of the running pack.
    async fn report(
        &self,
        who: &Identity,
        form: &str,
        title: &str,
        facts: Value,
    ) -> Result<(String, Vec<u8>), AppError> {
        let pack = self.pack();
        if !pack.forms.contains_key(form) {
            return Err(AppError::refused(
                "P004",
                format!(
                    "今の規程データに帳票の様式（forms/{form}.typ）がありません。情報政策担当課へ連絡してください。"
                ),
            ));
        }
        let (now, d) = (self.clock.now(), self.directory().await?);
        let mut data = json!({
            "document_date": now.date(),
            "body": self.body_title(),
            "title": title,
            "number": "",
            "standard": pack.meta.title,
            "printed": format!("{} {} 印刷", now.wareki(), d.person_name(&who.person)),
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut data, facts) {
            all.extend(more);
        }
        let request = RenderRequest { templates: pack.forms.clone(), main: form.to_owned(), data };
        let bytes = self.render(request).await?;
        Ok((format!("{title}_{}.pdf", now.date().to_string().replace('-', "")), bytes))
    }

    /// The state of every clause on a day; an empty `on` is today.
    ///
    /// # Errors
    /// Refused for whoever does not see the whole body; a day that cannot be read or lies ahead.
    pub async fn clauses_pdf(
        self: &Arc<Self>,
        who: &Identity,
        on: &str,
    ) -> Result<(String, Vec<u8>), AppError> {
        self.may_report(who).await?;
        let now = self.clock.now();
        let on = if on.trim().is_empty() { now.date() } else { day("on", on, now.date())? };
        let clauses = self.told_clauses(Instant::end_of(on).min(now)).await?;
        let facts = json!({
            "on": on.wareki(),
            "totals": totals(&clauses),
            "chapters": by_chapter(&clauses, |list| {
                list.iter().filter(|c| c.state.is_some()).map(|c| json!({
                    "citation": c.citation,
                    "says": c.says,
                    "state": c.state_label(),
                    "why": why(c),
                })).collect()
            }),
        });
        self.report(who, "report_clauses", "条項の状態の一覧", facts).await
    }

    /// What a register's list shows, all pages.
    ///
    /// # Errors
    /// Unfit: more rows than a printed extract may have.
    pub async fn register_pdf(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        query: &ListQuery,
    ) -> Result<(String, Vec<u8>), AppError> {
        let (me, pack) = (self.me(who).await?, self.pack());
        let r = pack.registers.get(id).ok_or(AppError::NotFound)?;
        let rows = self.rows_seen(&me, r, query, MOST_ROWS + 1).await?;
        if rows.len() > MOST_ROWS {
            let message =
                format!("印刷できるのは{MOST_ROWS}件までです。条件で絞り込むか、Excelで書き出してください。");
            return Err(AppError::Unfit { code: "X002", message });
        }
        let list = self.list_view(&me, r, query, rows.clone(), 0, MOST_ROWS).await?;
        let chosen: Vec<String> = list
            .filters
            .iter()
            .filter_map(|f| {
                let choice = f.choices.iter().find(|c| c.code == f.value)?;
                Some(format!("{}：{}", f.label, choice.label))
            })
            .chain((!query.q.is_empty()).then(|| format!("ことば：{}", query.q)))
            .collect();
        let facts = json!({
            "on": self.clock.today().wareki(),
            "columns": list.columns.iter().map(|c| &c.label).collect::<Vec<_>>(),
            "rows": list.rows.iter().map(|r| &r.cells).collect::<Vec<_>>(),
            "conditions": chosen.join("、"),
        });
        let file = self.report(who, "report_register", &format!("{}（抄本）", list.title), facts).await?;
        self.note_rows_out(who, r, &rows, &file.1).await?;
        Ok(file)
    }
}

/// Count by state, the worst first.
fn totals(clauses: &[ToldClause]) -> Vec<Value> {
    ORDER.iter().map(|s| json!({"label": state_words(*s).1, "count": count_of(clauses, *s)})).collect()
}

/// Chapters that have something, each with what `of` makes of its clauses.
fn by_chapter(clauses: &[ToldClause], of: impl Fn(&[ToldClause]) -> Vec<Value>) -> Vec<Value> {
    clauses
        .chunk_by(|a, b| a.chapter == b.chapter)
        .map(|list| (list.first().map_or("", |c| c.chapter.as_str()), of(list)))
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(title, rows)| json!({"title": title, "rows": rows}))
        .collect()
}

/// Why a clause stands as it does: reasons of the mechanisms that are not met.
fn why(c: &ToldClause) -> String {
    let met = state_words(ClauseState::Met).0;
    let none = state_words(ClauseState::NotApplicable).0;
    let told = c.mechanisms.iter().filter(|m| m.line.class != met && m.line.class != none);
    told.map(|m| format!("{}：{}", m.line.title, m.line.reason)).collect::<Vec<_>>().join("、")
}

/// From the beginning of a day to the end of another, for queries.
fn period(from: Date, until: Date) -> (Instant, Instant) {
    (Instant::start_of(from), Instant::start_of(until.plus_days(1)))
}
