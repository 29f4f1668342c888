//! What proves the state of one clause: rows that break it, records that keep it, each with its page and its ledger entry, as far as
//! the person who looks may see them.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::text::shorten;
use sekisho_case::state::{ClauseState, worst_of};
use sekisho_pack::model::{Check, CheckRule, Clause, MechanismKind, MechanismRef, Pack};
use sekisho_store::{case, document, duty, violation};

use super::view::{EvidenceLine, OwnText};
use super::{Evidence, state_words};
use crate::checks::register_of;
use crate::error::AppError;
use crate::office::Office;
use crate::people::Me;

/// Lines of each kind of evidence.
const EACH: i64 = 10;
/// Lines of each check; the rest is on the check's page.
const OF_CHECK: i64 = 5;
/// Characters of a reason that is kept.
const REASON: usize = 200;

/// The checks whose rows speak about each mechanism, by their ids.
pub(crate) struct About(BTreeMap<MechanismRef, Vec<String>>);

impl About {
    pub(crate) fn of(pack: &Pack) -> Self {
        let mut found: BTreeMap<MechanismRef, Vec<String>> = BTreeMap::new();
        let mut put = |kind, name: &str, check: &Check| {
            found.entry(MechanismRef { kind, name: name.to_owned() }).or_default().push(check.id.clone());
        };
        for k in pack.checks.values() {
            put(MechanismKind::Check, &k.id, k);
            if let Some(register) = register_of(k).filter(|_| k.derived) {
                put(MechanismKind::Register, register, k);
            }
            match &k.rule {
                CheckRule::Overdue { procedure, .. } => put(MechanismKind::Procedure, procedure, k),
                CheckRule::Vacant { role } => put(MechanismKind::Role, role, k),
                _ => {}
            }
        }
        Self(found)
    }

    /// Those of a mechanism.
    pub(crate) fn checks<'p>(&self, pack: &'p Pack, m: &MechanismRef) -> impl Iterator<Item = &'p Check> {
        self.0.get(m).into_iter().flatten().filter_map(|id| pack.checks.get(id))
    }

    /// Those of a clause, each once: what it names before what its procedures and roles bring, and that before the checks of its registers,
    /// which have the most rows and say the least about one clause.
    pub(crate) fn checks_of_clause<'p>(&self, pack: &'p Pack, clause: &Clause) -> Vec<&'p Check> {
        let mut mechanisms: Vec<&MechanismRef> = clause.mechanisms.iter().collect();
        mechanisms.sort_by_key(|m| match m.kind {
            MechanismKind::Check => 0,
            MechanismKind::Register => 2,
            _ => 1,
        });
        let mut seen = BTreeSet::new();
        mechanisms.into_iter().flat_map(|m| self.checks(pack, m)).filter(|k| seen.insert(&k.id)).collect()
    }

    /// Clauses by the check that speaks about them, each once, in the order of the pack.
    pub(crate) fn clauses_by_check<'p>(&self, pack: &'p Pack) -> BTreeMap<&'p str, Vec<&'p str>> {
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for clause in &pack.clauses {
            for check in self.checks_of_clause(pack, clause) {
                found.entry(&check.id).or_default().push(&clause.id);
            }
        }
        found
    }
}

impl Evidence {
    /// A clause's state and why: what its mechanisms in that state say, or that nobody has built any.
    pub(crate) fn judged(&self, pack: &Pack, clause: &Clause) -> (ClauseState, String) {
        let found = self.found(pack, clause);
        let state = worst_of(found.iter().flatten().map(|(s, _)| *s));
        if found.iter().all(Option::is_none) {
            return (state, "仕組みがまだ作られていません".to_owned());
        }
        let said = clause.mechanisms.iter().zip(&found).filter_map(|(m, found)| {
            let (s, why) = found.as_ref()?;
            (*s == state).then(|| Some(format!("{}：{why}", pack.title_of(m)?)))?
        });
        (state, shorten(&said.take(3).collect::<Vec<_>>().join("、"), REASON))
    }
}

/// Names of a clause's mechanisms of one kind.
fn names(clause: &Clause, kind: MechanismKind) -> Vec<String> {
    clause.mechanisms.iter().filter(|m| m.kind == kind).map(|m| m.name.clone()).collect()
}

/// The city's own words for a clause.
pub(super) fn own_texts(pack: &Pack, clause: &str) -> Vec<OwnText> {
    let bound = pack.bindings.iter().filter(|b| b.clauses.iter().any(|c| c == clause));
    bound
        .map(|b| OwnText {
            citation: b.citation.clone(),
            text: b.text.clone(),
            confirmed: format!("{} {}", b.on.japanese(), b.by),
        })
        .collect()
}

impl Office {
    /// What proves a clause, as far as somebody may see it.
    pub(super) async fn proofs(
        &self,
        me: &Me,
        evidence: &Evidence,
        clause: &Clause,
    ) -> Result<Vec<EvidenceLine>, AppError> {
        let pack = self.pack();
        let checks: Vec<String> =
            evidence.about.checks_of_clause(&pack, clause).into_iter().map(|k| k.id.clone()).collect();
        let duties = names(clause, MechanismKind::Duty);
        let procedures = names(clause, MechanismKind::Procedure);
        let (viewer, asked, now) = (me.viewer().clone(), duties.clone(), self.clock.now());
        let (broken, done, versions, cases) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    // Some of each check, so that none hides another; a fixed number of queries, however many checks there are.
                    let rows = violation::open_of_each(c, &viewer, &checks, OF_CHECK + 1).await?;
                    let mut broken: Vec<(String, Vec<_>)> = checks.into_iter().map(|k| (k, vec![])).collect();
                    for row in rows {
                        if let Some((_, of)) = broken.iter_mut().find(|(check, _)| *check == row.check) {
                            of.push(row);
                        }
                    }
                    let done = duty::done_of(c, &viewer, &asked, EACH).await?;
                    let cases = case::newest_of(c, &viewer, &procedures, EACH / 2).await?;
                    Ok::<_, AppError>((broken, done, document::present(c, now).await?, cases))
                })
            })
            .await?;
        let d = self.directory().await?;
        let documents = names(clause, MechanismKind::Document);
        let mut lines = Vec::new();
        let line = |kind, text: String, link: String, when: String, entry: String| EvidenceLine {
            kind,
            text,
            link,
            when,
            entry,
        };
        let shown = usize::try_from(OF_CHECK).unwrap_or(usize::MAX);
        for (check, mut rows) in broken {
            let more = rows.len() > shown;
            rows.truncate(shown);
            lines.extend(rows.into_iter().map(|v| {
                let text = format!("{}（{}）", v.says, d.unit_name(&v.unit));
                line("該当する行", text, v.link, v.opened_at.date().short(), v.cause_entry)
            }));
            let title = pack.checks.get(&check).map_or(check.as_str(), |k| k.title.as_str());
            let whole =
                |kind, text| line(kind, text, format!("/checks/{check}"), String::new(), String::new());
            if let Some(due) = evidence.runs.get(&check).map(|r| r.due_rows).filter(|due| *due > 0) {
                let text = format!("「{title}」にまもなく当たるもの（{due}件）を見る");
                lines.push(whole("まもなく期限", text));
            }
            if more {
                let text = format!("「{title}」に当たるものをすべて見る");
                lines.push(whole("該当する行", text));
            }
        }
        lines.extend(done.into_iter().map(|o| {
            let title = pack.duties.get(&o.duty).map_or(o.duty.as_str(), |x| x.title.as_str());
            let text = format!("{title}（{} {}）", d.unit_name(&o.unit), d.person_name(&o.done_by));
            let when = o.closed_at.map(|at| at.date().short()).unwrap_or_default();
            line("行った記録", text, format!("/duties/{}/{}", o.duty, o.id), when, o.entry)
        }));
        lines.extend(versions.into_iter().filter(|v| documents.contains(&v.document)).map(|v| {
            let title = pack.documents.get(&v.document).map_or(v.document.as_str(), |x| x.title.as_str());
            let text = format!("{title} {}", v.version);
            line("文書", text, format!("/documents/{}", v.document), v.decided_on.short(), v.entry)
        }));
        lines.extend(cases.iter().map(|row| {
            let shown = self.case_line(&d, row);
            let text = format!("{} {}（{}）", shown.number, shown.title, shown.status);
            line("案件", text, format!("/cases/{}", shown.id), shown.opened, String::new())
        }));
        Ok(lines)
    }

    /// When a clause turned, the latest first.
    pub(super) async fn turns_of(&self, clause: &str) -> Result<Vec<super::view::TurnLine>, AppError> {
        let id = clause.to_owned();
        let rows = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    sekisho_store::turn::of_clause(c, &id, EACH * 2).await.map_err(AppError::from)
                })
            })
            .await?;
        Ok(rows
            .into_iter()
            .map(|t| {
                let (class, state) = state_words(super::turns::state_of_code(&t.state));
                super::view::TurnLine { day: t.day.short(), state, class, reason: t.reason }
            })
            .collect())
    }
}
