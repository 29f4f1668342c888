//! The monthly report to the committee: what stands how, what changed since the month before, with the ledger's checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::text::normalize_code;
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::state::ClauseState;
use sekisho_store::{report, violation};
use serde_json::{Value, json};

use super::{ORDER, count_of, period};
use crate::clauses::state_words;
use crate::duties::DutiesQuery;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;

/// Changes and checks that one report lists.
const SHOWN: usize = 60;

/// First and last day of a month as typed, `2026-11`, `R8.11`, `令和8年11月`; empty: of the month of `today`. The last day is never after today.
fn month(typed: &str, today: Date) -> Result<(Date, Date), AppError> {
    let wrong = || {
        AppError::field(
            "month",
            "年月は、令和8年11月、R8.11、2026-11 のように、今月までの月を入れてください。",
        )
    };
    let text = normalize_code(typed);
    let first = if text.is_empty() {
        let (y, m, _) = today.ymd();
        Date::new(y, m, 1)
    } else {
        // A month is typed as its first day would be.
        let day = match text.chars().rev().find(|c| !c.is_ascii_digit()) {
            Some('月') => format!("{text}1日"),
            Some(mark) => format!("{text}{mark}1"),
            None => text,
        };
        Date::parse_japanese(&day).ok()
    };
    let first = first.filter(|d| *d <= today).ok_or_else(wrong)?;
    Ok((first, first.plus_months(1).plus_days(-1).min(today)))
}

#[boxed]
impl Office {
    /// The report of a month; an empty `typed` is this month so far.
    ///
    /// # Errors
    /// Refused for whoever does not see the whole body; a month that cannot be read or lies ahead.
    pub async fn month_pdf(
        self: &Arc<Self>,
        who: &Identity,
        typed: &str,
    ) -> Result<(String, Vec<u8>), AppError> {
        self.may_report(who).await?;
        let now = self.clock.now();
        let (first, last) = month(typed, now.date())?;
        let before = self.told_clauses(Instant::end_of(first.plus_days(-1)).min(now)).await?;
        let after = self.told_clauses(Instant::end_of(last).min(now)).await?;
        let (from, until) = period(first, last);
        let at = Instant::end_of(last).min(now);
        let ((began, ended), (opened, closed), open, late) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    Ok::<_, AppError>((
                        report::cases(c, from, until).await?,
                        report::violations(c, from, until).await?,
                        violation::counts(c, at).await?,
                        report::late_cases(c, last).await?,
                    ))
                })
            })
            .await?;
        let pack = self.pack();
        let n = |all: &BTreeMap<String, i64>, id: &str| all.get(id).copied().unwrap_or(0);
        let cases: Vec<Value> = pack
            .procedures
            .values()
            .filter(|p| n(&began, &p.id) + n(&ended, &p.id) > 0)
            .map(|p| json!({"title": p.title, "began": n(&began, &p.id), "ended": n(&ended, &p.id)}))
            .collect();
        let mut checks: Vec<_> = pack
            .checks
            .values()
            .map(|k| (&k.title, n(&opened, &k.id), n(&closed, &k.id), n(&open, &k.id)))
            .filter(|(_, a, b, c)| a + b + c > 0)
            .collect();
        checks.sort_by_key(|(_, _, _, open)| -open);
        let was: BTreeMap<&str, Option<ClauseState>> =
            before.iter().map(|c| (c.id.as_str(), c.state)).collect();
        let changes: Vec<Value> = after
            .iter()
            .filter(|c| was.get(c.id.as_str()).is_some_and(|s| *s != c.state))
            .map(|c| {
                let before = was.get(c.id.as_str()).copied().flatten().map_or("—", |s| state_words(s).1);
                json!({"citation": c.citation, "says": c.says, "before": before, "after": c.state_label()})
            })
            .collect();
        let chapters = super::by_chapter(&after, |list| {
            let counts: Vec<usize> = ORDER.iter().map(|s| count_of(list, *s)).collect();
            if counts.iter().sum::<usize>() == 0 { vec![] } else { vec![json!(counts)] }
        });
        let duties = self.duties(who, &DutiesQuery { all: true, late: true, page: 1 }).await?;
        let ledger = self.ledger_page(who, None).await?;
        let facts = json!({
            "period": format!("{}から{}まで", first.wareki(), last.wareki()),
            "states": ORDER.iter().map(|s| state_words(*s).1).collect::<Vec<_>>(),
            "now": ORDER.iter().map(|s| count_of(&after, *s)).collect::<Vec<_>>(),
            "before": ORDER.iter().map(|s| count_of(&before, *s)).collect::<Vec<_>>(),
            "planned": after.iter().map(|c| c.planned).sum::<usize>(),
            "chapters": chapters,
            "changed": changes.len(),
            "changes": changes.into_iter().take(SHOWN).collect::<Vec<_>>(),
            "cases": cases,
            "late_cases": late,
            "checks": checks.iter().take(SHOWN).map(|(title, opened, closed, open)| {
                json!({"title": title, "opened": opened, "closed": closed, "open": open})
            }).collect::<Vec<_>>(),
            "late_duties": duties.total,
            "duties": duties.rows.iter().take(SHOWN).map(|d| {
                json!({"title": d.title, "unit": d.unit, "due": d.due, "holder": d.holder})
            }).collect::<Vec<_>>(),
            "checkpoint": ledger.note,
            "spoken": ledger.spoken,
        });
        let title = format!("情報セキュリティ月次報告書 {}", first.month_wareki());
        self.report(who, "report_month", &title, facts).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_whole_or_up_to_today() {
        let today: Date = "2026-11-25".parse().unwrap();
        let days = |typed: &str| month(typed, today).map(|(a, b)| format!("{a} {b}")).ok();
        assert_eq!(days("").as_deref(), Some("2026-11-01 2026-11-25"));
        assert_eq!(days("2026-10").as_deref(), Some("2026-10-01 2026-10-31"));
        assert_eq!(days("2026-02").as_deref(), Some("2026-02-01 2026-02-28"));
        for typed in ["2026/10", "R8.10", "令和８年１０月", " 2026年10月 "] {
            assert_eq!(days(typed), days("2026-10"), "{typed}");
        }
        for wrong in ["2026-12", "2026-13", "十月", "2026-10-01", "R8.12", "R8", "8", "来月", "月", "R8.10.2"]
        {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }
}
