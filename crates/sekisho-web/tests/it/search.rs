//! One box for everything: exact numbers first, kinds with counts and pages, spelling that does not matter, a fixed number of queries.

use axum::http::StatusCode;
use sekisho_app::counted;

use crate::acts::{application, apply, item};
use crate::browser::{Browser, Page, encode};
use crate::city::{ADMIN, CLERK, City, MANAGER, asset};

async fn find(b: &mut Browser, words: &str) -> Page {
    let page = b.get(&format!("/search?{}", encode(&[("q", words)]))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page
}

/// The part of the page under a heading; empty when there is none.
fn part<'p>(page: &'p Page, heading: &str) -> &'p str {
    let parts = page.text.split("<section ").skip(1).map(|p| p.split("</section>").next().unwrap());
    parts.into_iter().find(|p| p.contains(&format!(">{heading}"))).unwrap_or_default()
}

#[tokio::test]
async fn numbers_come_first_and_every_kind_is_found_in_any_spelling() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;

    for number in ["A-001", "Ａ－００１", "a-001 "] {
        let page = find(&mut clerk, number.trim_end()).await;
        if number != "a-001 " {
            let exact = part(&page, "番号が一致するもの");
            assert!(exact.contains(&format!("/registers/{key}\"")), "{number}: {}", page.text);
        }
        assert!(part(&page, "情報資産管理台帳").contains("要介護認定の名簿"), "{number}");
    }
    let page = find(&mut clerk, "持出−Ｒ８−０００１").await;
    assert!(part(&page, "番号が一致するもの").contains(&case), "{}", page.text);
    for cited in ["5.1.1.3.イ", "第５章第１節(1)③(イ)"] {
        let page = find(&mut clerk, cited).await;
        let exact = part(&page, "番号が一致するもの");
        assert!(exact.contains("/clauses/5.1.1.3.イ"), "{cited}: {}", page.text);
    }
    for (words, heading, mark) in [
        ("持ち出す 許可", "条項（", "/clauses/5.1.1.3.イ"),
        ("タカハシ", "職員（1件）", "髙橋 花子"),
        ("高橋", "職員（1件）", "髙橋 花子"),
        ("高齢", "部局・課（1件）", "高齢福祉課"),
        ("棚卸し", "定期の仕事（", "/duties/"),
        ("緊急時", "文書（", "/documents/"),
        ("名簿 要介護", "案件（1件）", "持出-R8-0001"),
        ("持ち出したい", "申請できること（", "href=\"/apply/take_out\""),
        ("ＤＶＤを処分", "申請できること（1件）", "href=\"/apply/disposal\""),
    ] {
        let page = find(&mut clerk, words).await;
        assert!(part(&page, heading).contains(mark), "{words}: {}", page.text);
    }
    // The form comes before what was applied for with it.
    let wish = find(&mut clerk, "庁外").await;
    let first = wish.text.split("<section ").nth(1).unwrap();
    assert!(first.contains(">申請できること（"), "{}", wish.text);
    // What starts by itself is not applied for.
    assert!(!find(&mut clerk, "是正").await.text.contains("/apply/corrective_action"));
    let nothing = find(&mut clerk, "どこにもない語").await;
    assert!(nothing.text.contains("あなたが見られる範囲にありません"));
    assert!(nothing.text.contains("「何をしたいですか」からも選べます"), "nobody is left at a dead end");
    assert!(find(&mut clerk, " ").await.text.contains("画面の上の欄"));
    let odd = clerk.get("/search?q=%3Cscript%3E&kind=nonsense&page=-1").await;
    assert_eq!(odd.status, StatusCode::OK);
    assert!(!odd.text.contains("<script>"));
}

#[tokio::test]
async fn one_kind_is_paged() {
    let city = City::settled().await;
    let admin = city.browser(ADMIN).await;
    for n in 0..60 {
        let number = format!("P-{n:03}");
        let page = admin.post("/registers/asset/new", &asset(&number, "頁の試し", "21")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }
    let mut manager = city.browser(MANAGER).await;
    let page = find(&mut manager, "頁の試し").await;
    let rows = part(&page, "情報資産管理台帳（60件）");
    assert_eq!(rows.matches("<li>").count(), 5, "{}", page.text);
    let query = encode(&[("q", "頁の試し")]);
    let first = manager.get(&format!("/search?{query}&kind=register-asset")).await;
    assert_eq!(first.text.matches("<li><a href=\"/registers/asset/").count(), 50);
    let second = manager.get(&format!("/search?{query}&kind=register-asset&page=2")).await;
    assert_eq!(second.text.matches("<li><a href=\"/registers/asset/").count(), 10, "{}", second.text);
    assert!(first.text.contains(">次へ") && !second.text.contains(">次へ"));
}

#[tokio::test]
async fn the_number_of_queries_does_not_grow_with_what_there_is() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    find(&mut clerk, "名簿").await;
    let (_, few) = counted(find(&mut clerk, "名簿")).await;
    let admin = city.browser(ADMIN).await;
    for n in 0..40 {
        let number = format!("Q-{n:03}");
        let page = admin.post("/registers/asset/new", &asset(&number, "名簿の写し", "21")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }
    let (page, many) = counted(find(&mut clerk, "名簿")).await;
    assert!(part(&page, "情報資産管理台帳（41件）").contains("Q-0"), "{}", page.text);
    assert_eq!(few, many);
    assert!(few < 100, "{few} queries");
}
