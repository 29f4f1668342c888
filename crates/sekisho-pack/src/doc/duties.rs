//! Chapters on recurring duties, documents and rules of conduct. A pack without any of them has no such chapter.

use super::Book;
use super::page::Page;
use crate::document::Readers;
use crate::duty::Occasion;
use crate::words::{period, scope_name};

pub(super) fn write(book: &Book<'_>, page: &mut Page) {
    if !book.pack.duties.is_empty() {
        page.heading(2, "定期の仕事");
        let rows = book.pack.duties.values().map(|d| {
            let when = match &d.occasion {
                Occasion::Every(cycle) => cycle.japanese(),
                Occasion::On(event) => event.japanese().to_owned(),
            };
            let within =
                d.within.map_or_else(|| "その期間のうち".to_owned(), |p| format!("{}以内", period(p)));
            let evidence: Vec<&str> = d.evidence.iter().map(|f| f.label.as_str()).collect();
            let who = format!("{}ごとに、{}", scope_name(d.scope), book.words.role(&d.role));
            vec![d.title.clone(), d.says.clone(), who, when, within, evidence.join("、")]
        });
        page.table(vec!["仕事", "すること", "行う人", "いつ", "期限", "記録すること"], rows.collect());
    }
    if !book.pack.documents.is_empty() {
        page.heading(2, "備える文書");
        let rows = book.pack.documents.values().map(|d| {
            let readers = match &d.readers {
                Readers::Public => "公開".to_owned(),
                Readers::Staff => "全ての職員".to_owned(),
                Readers::Roles(roles) => {
                    roles.iter().map(|r| book.words.role(r)).collect::<Vec<_>>().join("、")
                }
            };
            let decided = book.words.role(&d.decided_by).to_owned();
            vec![d.title.clone(), d.says.clone(), decided, format!("{}ごと", period(d.review)), readers]
        });
        page.table(vec!["文書", "定めること", "決める役割", "見直し", "読める人"], rows.collect());
    }
    if !book.pack.notices.is_empty() {
        page.heading(2, "周知と自己点検");
        let rows = book.pack.notices.values().map(|n| {
            let asked = format!("毎年{}月{}日から{}", n.asked.0, n.asked.1, period(n.within));
            vec![n.title.clone(), n.says.clone(), n.question.clone(), asked, format!("{}％以上", n.good_from)]
        });
        page.table(
            vec!["決まり", "職員への言葉", "自己点検の問い", "答える時期", "達成とする割合"],
            rows.collect(),
        );
    }
}
