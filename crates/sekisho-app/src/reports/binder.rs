//! The binder of evidence for one clause and period: its state at both ends, what broke it, the cases behind it act by act, and for
//! every entry its proof as a file inside the PDF, so that a reader checks it with nothing but the public key.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_pack::model::{MechanismKind, Pack};
use sekisho_store::{case, ledger, report};
use serde_json::{Value, json};

use super::{day, period};
use crate::clauses::{About, ToldClause, clause_number};
use crate::directory::Directory;
use crate::error::AppError;
use crate::ledger::proving;
use crate::login::Identity;
use crate::office::Office;

/// Cases of one procedure.
const CASES: i64 = 100;
/// Violations of one check.
const INTERVALS: i64 = 200;
/// Proofs inside one PDF.
const PROOFS: usize = 400;

/// Proofs by entry, in the order in which they were asked for.
#[derive(Default)]
struct Proofs {
    files: Vec<Value>,
    names: BTreeMap<String, String>,
}

#[boxed]
impl Office {
    /// The binder of a clause; days as typed.
    ///
    /// # Errors
    /// Refused for whoever does not see the whole body; an unknown clause, days that cannot be read.
    pub async fn binder_pdf(
        self: &Arc<Self>,
        who: &Identity,
        clause: &str,
        from: &str,
        until: &str,
    ) -> Result<(String, Vec<u8>), AppError> {
        self.may_report(who).await?;
        let now = self.clock.now();
        let (first, last) = (day("from", from, now.date())?, day("until", until, now.date())?);
        if first > last {
            return Err(AppError::field(
                "until",
                "終わりの日は、始まりの日と同じかそれより後にしてください。",
            ));
        }
        let number = clause_number(clause);
        let unknown = || {
            AppError::field(
                "clause",
                "その番号の条項はありません。「規程」の画面のとおりに、第5章第1節(1)③(イ) のように入れてください。",
            )
        };
        let find = |all: Vec<ToldClause>| all.into_iter().find(|c| c.id == number).ok_or_else(unknown);
        let before = find(self.told_clauses(Instant::end_of(first).min(now)).await?)?;
        let after = find(self.told_clauses(Instant::end_of(last).min(now)).await?)?;
        let (pack, d) = (self.pack(), self.directory().await?);
        let (start, end) = period(first, last);
        let mut proofs = Proofs::default();
        let broken = self.broken(&pack, &d, &after, (start, end), &mut proofs).await?;
        let cases = self.cases_behind(who, &pack, &after, (start, end), &mut proofs).await?;
        let page = self.ledger_page(who, None).await?;
        let mechanisms: Vec<Value> = after
            .mechanisms
            .iter()
            .map(|m| json!({"kind": m.line.kind, "title": m.line.title, "state": m.line.state, "reason": m.line.reason}))
            .collect();
        let facts = json!({
            "number": after.id,
            "citation": after.citation,
            "clause": after.title,
            "says": after.says,
            "period": format!("{}から{}まで", first.wareki(), last.wareki()),
            "from": first.wareki(),
            "until": last.wareki(),
            "state_from": before.state_label(),
            "state_until": after.state_label(),
            "mechanisms": mechanisms,
            "broken": broken,
            "cases": cases,
            "proofs": proofs.files,
            "vkey": page.vkey,
            "checkpoint": page.note,
            "spoken": page.spoken,
        });
        self.report(who, "report_binder", &format!("証拠綴り {}", after.citation), facts).await
    }

    async fn broken(
        &self,
        pack: &Pack,
        d: &Directory,
        clause: &ToldClause,
        (start, end): (Instant, Instant),
        proofs: &mut Proofs,
    ) -> Result<Vec<Value>, AppError> {
        let own = pack.clauses.iter().find(|c| c.id == clause.id);
        let checks = own.map(|c| About::of(pack).checks_of_clause(pack, c)).unwrap_or_default();
        let mut out = Vec::new();
        for k in checks {
            let id = k.id.clone();
            let found = self
                .store
                .read(move |c| {
                    Box::pin(async move {
                        report::intervals(c, &id, start, end, INTERVALS).await.map_err(AppError::from)
                    })
                })
                .await?;
            for i in found {
                out.push(json!({
                    "check": k.title,
                    "says": i.says,
                    "unit": d.unit_name(&i.unit),
                    "opened": i.opened_at.short(),
                    "closed": i.closed_at.map(Instant::short).unwrap_or_default(),
                    "proof": self.prove_into(proofs, &i.entry).await?,
                }));
            }
        }
        Ok(out)
    }

    async fn cases_behind(
        &self,
        who: &Identity,
        pack: &Pack,
        clause: &ToldClause,
        (start, end): (Instant, Instant),
        proofs: &mut Proofs,
    ) -> Result<Vec<Value>, AppError> {
        let mut out = Vec::new();
        let me = self.me(who).await?;
        let d = Arc::clone(me.directory());
        for m in clause.mechanisms.iter().filter(|m| m.kind == MechanismKind::Procedure) {
            let Some((_, procedure)) = m.key.split_once(':') else { continue };
            if !pack.procedures.contains_key(procedure) {
                continue;
            }
            let (id, viewer) = (procedure.to_owned(), me.viewer().clone());
            let rows = self
                .store
                .read(move |c| {
                    Box::pin(async move {
                        let mut rows = Vec::new();
                        for id in report::case_ids(c, &id, start, end, CASES).await? {
                            rows.extend(case::get(c, &viewer, &id).await?);
                        }
                        Ok::<_, AppError>(rows)
                    })
                })
                .await?;
            for row in rows {
                let line = self.case_line(&d, &row);
                let mut acts = Vec::new();
                for a in self.case_record(who, &me, &row).await? {
                    let proof = self.prove_into(proofs, &a.entry).await?;
                    acts.push(
                        json!({"at": a.at, "title": a.title, "who": a.who, "note": a.note, "proof": proof}),
                    );
                }
                out.push(json!({
                    "number": line.number,
                    "title": line.title,
                    "section": line.section,
                    "status": line.status,
                    "acts": acts,
                }));
            }
        }
        Ok(out)
    }

    /// Puts an entry's proof among the files and answers its name; empty where there is none yet or no room.
    async fn prove_into(&self, proofs: &mut Proofs, entry: &str) -> Result<String, AppError> {
        if let Some(name) = proofs.names.get(entry) {
            return Ok(name.clone());
        }
        if entry.is_empty() || proofs.files.len() >= PROOFS {
            return Ok(String::new());
        }
        let id = entry.to_owned();
        let row = self
            .store
            .read(move |c| Box::pin(async move { ledger::by_id(c, &id).await.map_err(AppError::from) }))
            .await?;
        let Some(row) = row.filter(|r| r.leaf_index.is_some()) else { return Ok(String::new()) };
        let name = format!("proof-{:03}.tlog-proof", proofs.files.len() + 1);
        proofs
            .files
            .push(json!({"name": name, "entry": entry, "text": proving::prove(&self.store, &row).await?}));
        proofs.names.insert(entry.to_owned(), name.clone());
        Ok(name)
    }
}
