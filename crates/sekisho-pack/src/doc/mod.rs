//! A whole pack as one readable Japanese document, for the committee that decides it and for everybody who has to follow
//! it: roles, classification and handling, procedures in sentences, registers, checks, and the clauses with what makes
//! each of them real.

mod clauses;
mod duties;
mod page;
mod procedures;
mod registers;
mod roles;

use crate::coverage::Built;
use crate::model::Pack;
use crate::words::Words;
use page::Page;

/// What the chapters are written from.
struct Book<'a> {
    pack: &'a Pack,
    words: Words<'a>,
    built: &'a Built<'a>,
}

/// The document as Markdown.
#[must_use]
pub fn markdown(pack: &Pack, built: &Built<'_>) -> String {
    write(pack, built).markdown()
}

/// The document as one HTML file without scripts or anything from elsewhere.
#[must_use]
pub fn html(pack: &Pack, built: &Built<'_>) -> String {
    write(pack, built).html(&pack.meta.title)
}

fn write(pack: &Pack, built: &Built<'_>) -> Page {
    let book = Book { pack, words: Words::of(pack), built };
    let mut page = Page::default();
    page.heading(1, &pack.meta.title);
    let meta = &pack.meta;
    let based = meta.based_on.as_ref().map(|b| format!("元にしたパックは {b} です。")).unwrap_or_default();
    page.text(format!(
        "この文書は、規程データ（パック）「{}」の版 {} から作りました。{based}パックを直したら作り直してください。",
        meta.name, meta.version
    ));
    page.text(format!("版を見分ける値（SHA-256）: {}", pack.hash));
    roles::write(&book, &mut page);
    roles::classification(&book, &mut page);
    procedures::write(&book, &mut page);
    registers::write(&book, &mut page);
    registers::checks(&book, &mut page);
    duties::write(&book, &mut page);
    clauses::write(&book, &mut page);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built() -> Built<'static> {
        Built { gates: &["ledger", "handling"] }
    }

    #[test]
    fn holds_what_the_pack_holds() {
        let pack = Pack::model_city().unwrap();
        let text = markdown(&pack, &built());
        for role in pack.roles.values() {
            assert!(text.contains(&format!("| {} |", role.title)), "{}", role.title);
        }
        for p in pack.procedures.values() {
            assert!(text.contains(&format!("### {}", p.title)), "{}", p.title);
            let steps = p.steps.iter().map(|s| Words::of(&pack).step(s, p));
            assert!(steps.into_iter().all(|s| text.contains(&s)), "{}", p.title);
        }
        for r in pack.registers.values() {
            assert!(text.contains(&format!("### {}", r.title)), "{}", r.title);
        }
        for c in pack.clauses.iter().filter(|c| !c.says.is_empty()) {
            assert!(text.contains(&c.says), "{}", c.id);
        }
        assert!(text.contains("（未整備）"));
        let unsaid = text.lines().find(|l| l.contains("&&") || l.contains("||") || l.contains("=="));
        assert_eq!(unsaid, None, "every condition of the model pack has words");
    }

    #[test]
    fn a_step_is_a_sentence() {
        let pack = Pack::model_city().unwrap();
        let p = &pack.procedures["take_out"];
        let confirm = p.steps.iter().find(|s| s.id == "confirm_return").unwrap();
        assert_eq!(
            Words::of(&pack).step(confirm, p),
            "申請者の課室の情報セキュリティ管理者が5開庁日以内に確認する。不在のときは戻るのを待つ。空席のときは上位の役割が行う。期限を過ぎると上位の役割も行える。"
        );
        let permit = p.steps.iter().find(|s| s.id == "permit").unwrap();
        let said = Words::of(&pack).step(permit, p);
        assert!(said.contains("一つずつについて3開庁日以内に許可する。不在のときは代決できる。"), "{said}");
        assert!(said.contains("情報システム管理者（"), "{said}");
    }

    #[test]
    fn html_escapes_what_a_pack_says() {
        let mut pack = Pack::model_city().unwrap();
        pack.meta.title = "<b>市</b> & \"基準\"".to_owned();
        let text = html(&pack, &built());
        assert!(
            text.starts_with("<!doctype html>")
                && text.contains("&lt;b&gt;市&lt;/b&gt; &amp; &quot;基準&quot;")
        );
        assert!(!text.contains("<b>") && !text.contains("<script"));
        assert_eq!(text.matches("<table>").count(), text.matches("</table>").count());
    }

    #[test]
    fn markdown_tables_keep_their_columns() {
        let mut pack = Pack::model_city().unwrap();
        if let Some(role) = pack.roles.get_mut("mayor") {
            role.title = "市長|代理\n二行目".to_owned();
        }
        let text = markdown(&pack, &built());
        assert!(text.contains("市長\\|代理 二行目"));
    }
}
