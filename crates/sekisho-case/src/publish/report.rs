//! The report as lines for a terminal.

use sekisho_pack::model::Pack;

use super::{Finding, Group, Report, Severity};
use crate::org::Org;

/// Most findings of one kind that are written out; the rest are counted.
const SHOWN: usize = 3;
/// Most sections that are named in one line.
const SECTIONS: usize = 8;

impl Report {
    /// What was looked at, each kind of finding with its remedy, and whether the pack may take effect.
    #[must_use]
    pub fn lines(&self, pack: &Pack, org: &Org) -> Vec<String> {
        let l = self.looked;
        let mut out = vec![format!(
            "調べたもの: 手続{}件、申請のありうる所属{}か所、状況{}通り（人のつき方が違うもの{}通り）。",
            l.procedures, l.places, l.situations, l.asked
        )];
        if l.places == 0 {
            out.push("今日在職する人がいないため、だれが行うかは確かめられません。組織を取り込んでから確かめてください。".to_owned());
        }
        for group in self.grouped() {
            write(&group, pack, org, &mut out);
        }
        if self.truncated {
            out.push("見つかったものが多すぎるため、途中までを示しました。".to_owned());
        }
        let count = |s| self.findings.iter().filter(|f| f.severity == s).count();
        let (blocks, warnings) = (count(Severity::Block), count(Severity::Warning));
        out.push(if blocks > 0 {
            format!("不可 {blocks}件、警告 {warnings}件。不可を直すまで、このパックは使い始められません。")
        } else if warnings > 0 {
            format!("不可 0件、警告 {warnings}件。警告を承知すれば、使い始められます。")
        } else {
            "どの手続も、どの所属からも、だれか一人が不在でも最後まで進められます。".to_owned()
        });
        out
    }
}

impl Group<'_> {
    /// Which step of which procedure: 「情報資産等の持出」の「許可」.
    #[must_use]
    pub fn place(&self, pack: &Pack) -> String {
        let procedure = pack.procedures.get(self.procedure);
        let step = procedure.and_then(|p| p.steps.iter().find(|s| s.id == self.step));
        match (procedure, step) {
            (Some(p), Some(s)) => format!("「{}」の「{}」", p.title, s.title),
            (Some(p), None) => format!("「{}」", p.title),
            (None, _) => "パック全体".to_owned(),
        }
    }

    /// Names of the sections, the first few; none when it is so everywhere.
    #[must_use]
    pub fn section_names(&self, org: &Org) -> String {
        let names: Vec<&str> = self.sections.iter().take(SECTIONS).map(|s| org.unit_name(s)).collect();
        let rest = self.sections.len().saturating_sub(SECTIONS);
        let more = if rest > 0 { format!(" ほか{rest}か所") } else { String::new() };
        format!("{}{more}", names.join("、"))
    }
}

fn write(group: &Group<'_>, pack: &Pack, org: &Org, out: &mut Vec<String>) {
    let mark = match group.severity {
        Severity::Block => "×",
        Severity::Warning => "△",
    };
    let place = group.place(pack);
    let mut told: Vec<&Finding> = Vec::new();
    for f in &group.findings {
        if told.iter().all(|t| t.reason != f.reason) {
            told.push(f);
        }
    }
    for f in told.iter().take(SHOWN) {
        let section =
            if f.section.is_empty() { String::new() } else { format!("［{}］", org.unit_name(&f.section)) };
        out.push(format!("{mark} {} {place}{section}: {}", group.severity.japanese(), f.reason));
    }
    if told.len() > SHOWN {
        let sections = group.section_names(org);
        let at = if sections.is_empty() { String::new() } else { format!("（{sections}）") };
        out.push(format!("  同じことがほかに{}件あります{at}。", told.len() - SHOWN));
    }
    if let Some(first) = told.first() {
        out.push(format!("  → {}", first.remedy));
    }
}
