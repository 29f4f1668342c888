//! Chapter on clauses, by chapter of the standard, each with its mechanisms; what nobody has built yet says so.

use super::Book;
use super::page::Page;
use crate::coverage::{chapter_name, is_built};
use crate::model::Clause;

pub(super) fn write(book: &Book<'_>, page: &mut Page) {
    page.heading(2, "条項");
    page.text(
        "条項ごとに、求められることと、それを支える仕組みを並べます。（未整備）は、まだ作られていない仕組みです。"
            .to_owned(),
    );
    let mut chapter = "";
    let mut rows: Vec<Vec<String>> = Vec::new();
    for c in &book.pack.clauses {
        let of = c.id.split('.').next().unwrap_or_default();
        if of != chapter {
            flush(&mut rows, page);
            chapter = of;
            page.heading(3, &chapter_name(of));
        }
        if c.kind == "heading" {
            flush(&mut rows, page);
            let title = c.title.as_deref().unwrap_or_default();
            page.heading(4, &format!("{} {title}", c.id));
        } else {
            rows.push(row(book, c));
        }
    }
    flush(&mut rows, page);
}

fn flush(rows: &mut Vec<Vec<String>>, page: &mut Page) {
    page.table(vec!["条項", "求められること", "守る人", "支える仕組み"], std::mem::take(rows));
}

fn row(book: &Book<'_>, c: &Clause) -> Vec<String> {
    let actors: Vec<&str> = c.actors.iter().map(|a| book.words.role(a)).collect();
    let between = if c.actor_mode == "all" { "及び" } else { "、" };
    let modality = match c.modality.as_str() {
        "must" => "しなければならない",
        "must_not" => "してはならない",
        "may" => "できる",
        "should" => "努める",
        _ => "",
    };
    let who = match (actors.is_empty(), modality.is_empty()) {
        (true, _) => modality.to_owned(),
        (false, true) => actors.join(between),
        (false, false) => format!("{}（{modality}）", actors.join(between)),
    };
    let mechanisms = c.mechanisms.iter().map(|m| {
        let mark = if is_built(book.pack, book.built, m) { "" } else { "（未整備）" };
        format!("{mark}{}", book.words.mechanism(m))
    });
    vec![c.id.clone(), c.says.clone(), who, mechanisms.collect::<Vec<_>>().join("、")]
}
