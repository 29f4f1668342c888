//! Clauses, checks and the ledger as pages: states with their evidence, rows only for those who may see them.

use axum::http::StatusCode;
use sekisho_app::sequencer;

use crate::acts::{application, apply, item};
use crate::browser::encode;
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_MANAGER, asset, line_with, row_id};

#[tokio::test]
async fn states_are_shown_with_what_is_not_built_yet_and_filtered() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let page = b.get("/clauses").await;
    assert!(page.text.contains("仕組みが未整備") && page.text.contains("第5章"));
    let line = line_with(&page, "5.1.1.3.イ");
    assert!(
        line.contains("第5章第1節(1)③(イ)") && line.contains("未評価") && line.contains("件</td>"),
        "{line}"
    );
    // Chapters are folded with the states of their clauses, until something narrows them.
    let folded = "<details class=\"chapter\" id=\"ch-5\"><summary><h2>第5章";
    assert!(
        page.text.contains(folded) && page.text.contains("<span class=\"tag unknown\">未評価 "),
        "{}",
        page.text
    );
    let narrowed = b.get("/clauses?state=unknown").await;
    assert!(narrowed.text.contains("<details class=\"chapter\" id=\"ch-5\" open>"), "{}", narrowed.text);
    // A page stays small; a chapter that is not on it is one click away, and then whole.
    assert!(page.bytes.len() <= 150_000, "{} bytes", page.bytes.len());
    let mut found = page.text.matches("<a href=\"/clauses/").count();
    let links =
        page.text.split("<h2><a href=\"/clauses?chapter=").skip(1).map(|l| l.split('"').next().unwrap());
    let links: Vec<String> = links.map(|l| format!("/clauses?chapter={}", l.replace("&#38;", "&"))).collect();
    assert!(!links.is_empty(), "the model pack does not fit on one page");
    for link in links {
        let chapter = b.get(&link).await;
        assert!(chapter.bytes.len() <= 150_000, "{link}: {} bytes", chapter.bytes.len());
        found += chapter.text.matches("<a href=\"/clauses/").count();
    }
    let asking =
        city.office.pack().clauses.iter().filter(|c| c.kind != "heading" && !c.mechanisms.is_empty()).count();
    assert_eq!(found, asking, "no clause is lost");
    for state in ["broken", "unknown", "met", "due"] {
        let filtered = b.get(&format!("/clauses?state={state}")).await;
        let others = ["broken", "unknown", "met", "due"].into_iter().filter(|s| *s != state);
        for other in others {
            assert!(
                !filtered.text.contains(&format!("<td><span class=\"tag {other}\">")),
                "{state} shows {other}"
            );
        }
    }
    let future = b.get(&format!("/clauses?{}", encode(&[("on", "R8.11.26")]))).await;
    assert!(
        future.text.contains("先の日付の状態は分かりません") && future.text.contains("value=\"R8.11.26\"")
    );
    let unread = b.get(&format!("/clauses?{}", encode(&[("on", "昨日")]))).await;
    assert!(unread.text.contains("class=\"err\"") && unread.text.contains("value=\"昨日\""));
    let clause = b.get("/clauses/5.1.1.3.%E3%82%A4").await;
    assert!(
        clause.text.contains("しなければならない")
            && clause.text.contains("href=\"/checks/overdue_return\"")
            && clause.text.contains("未整備")
    );
    // Where nobody has built anything, that is the reason: an empty one would leave the reader guessing.
    city.office.note_turns().await.unwrap();
    let unbuilt = b.get("/clauses/1.0.2.6").await;
    let history = unbuilt.text.split("状態の移り変わり").nth(1).unwrap();
    assert!(history.contains("仕組みがまだ作られていません"), "{history}");
    assert!(
        clause.text.contains("ソフトウェア台帳") && clause.text.contains("許可のない持出し"),
        "{}",
        clause.text
    );
    assert!(!clause.text.contains("take_out_without_permit"), "what is planned has a name: {}", clause.text);
    for path in [
        "/clauses/9.9.9",
        "/checks/nonsense",
        "/cases/nonsense",
        "/ledger/nonsense",
        "/apply/nonsense",
        "/apply/take_out?draft=nonsense",
        "/registers/asset/nonsense",
    ] {
        assert_eq!(b.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_row_that_breaks_a_check_opens_and_closes_with_its_record() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let stale = |checked: &'static str, version: &'static str| {
        let mut fields = asset("A-001", "要介護認定の名簿", "21");
        fields.retain(|(n, _)| *n != "checked_on");
        fields.extend([("checked_on", checked), ("version", version)]);
        fields
    };
    let id = row_id(&mut manager, "asset", "A-001").await;
    let edit = format!("/registers/asset/{id}/edit");
    assert_eq!(manager.post(&edit, &stale("R7.11.1", "1")).await.status, StatusCode::SEE_OTHER);
    let check = manager.get("/checks/asset_review_stale").await;
    let row = line_with(&check, "A-001");
    assert!(
        row.contains("「最終確認日」が古くなっています")
            && row.contains("続いている")
            && row.contains(&format!("/registers/asset/{id}")),
        "{row}"
    );
    let page = manager.get(&format!("/registers/asset/{id}")).await;
    assert!(
        page.text.contains("「最終確認日」が古くなっています")
            && page.text.contains("href=\"/checks/asset_review_stale\"")
    );
    let mut stranger = city.browser(OTHER_MANAGER).await;
    let theirs = stranger.get("/checks/asset_review_stale").await;
    assert!(!theirs.text.contains("A-001") && theirs.text.contains("不適合"));
    assert_eq!(manager.post(&edit, &stale("R8.11.25", "2")).await.status, StatusCode::SEE_OTHER);
    let check = manager.get("/checks/asset_review_stale").await;
    assert!(
        !line_with(&check, "A-001").contains("続いている")
            && !check.text.contains("<span class=\"tag broken\">不適合"),
        "{}",
        check.text
    );
}

#[tokio::test]
async fn the_ledger_shows_places_to_all_and_contents_to_those_who_oversee() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    sequencer::drain(&city.office).await.unwrap();
    let page = clerk.get("/ledger").await;
    assert!(page.text.contains("順番待ち</dt><dd>0件") && page.text.contains("台帳の変更"), "{}", page.text);
    let entry = page.text.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/ledger/{entry}");
    let seen = clerk.get(&path).await;
    assert!(seen.text.contains("tlog-proof") && !seen.text.contains("記録した内容"));
    let mut admin = city.browser(ADMIN).await;
    assert!(admin.get(&path).await.text.contains("記録した内容"));
    assert!(
        clerk.get("/ledger?before=nonsense").await.text.contains("台帳の変更"),
        "an odd address shows the newest"
    );
}

#[tokio::test]
async fn the_citys_own_words_stand_beside_those_of_the_pack() {
    let mut files = sekisho_app::setup::model_pack_files();
    let bindings = "[[binding]]\nown = \"3.1\"\ncitation = \"第3条第1項\"\nclauses = [\"5.1.1.3.イ\"]\nby = \"情報政策課 山田\"\non = \"2026-11-20\"\ntext = \"職員等は、物を庁外へ持ち去るときは、課長の許可を受ける。\"\n";
    files.insert("bindings.toml".to_owned(), bindings.to_owned());
    let city = City::with_pack(files, &[CLERK]).await;
    let mut b = city.browser(CLERK).await;
    let page = b.get("/clauses/5.1.1.3.%E3%82%A4").await;
    for mark in [
        "職員等は、物を庁外へ持ち去るときは",
        "第3条第1項",
        "2026年（令和8年）11月20日 情報政策課 山田",
        "パックの言葉",
    ] {
        assert!(page.text.contains(mark), "{mark}: {}", page.text);
    }
    let line = b.get("/clauses?chapter=5").await;
    assert!(line_with(&line, "/clauses/5.1.1.3.イ\"").contains("市の規程 第3条第1項"), "{}", line.text);
    let found = b.get(&format!("/search?{}", encode(&[("q", "持ち去る")]))).await;
    assert!(found.text.contains("/clauses/5.1.1.3.イ\""), "found by the city's words: {}", found.text);
}

/// All checks, those that find something first, for everybody; nothing else than what the page of each says.
#[tokio::test]
async fn all_checks_are_listed_with_what_they_look_at_and_their_last_result() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    apply(&mut clerk, &application("21-s", &key)).await;
    // Three business days, and one more.
    city.turn_to("2026-12-01", 9).await;
    let mut clerk = city.browser(CLERK).await;
    let page = clerk.get("/checks").await;
    let pack = sekisho_app::pack_tools::Pack::model_city().unwrap();
    for check in pack.checks.values() {
        let row = line_with(&page, &format!("href=\"/checks/{}\"", check.id));
        assert!(row.contains(&check.title) && row.contains("data-label=\"調べるもの\">"), "{row}");
    }
    let late = line_with(&page, "href=\"/checks/overdue_decision\"").to_owned();
    assert!(
        late.contains("不適合")
            && late.contains("該当 1件")
            && late.contains("R8.12.1")
            && late.contains("対象"),
        "{late}"
    );
    assert!(late.contains("/clauses/") && late.contains("パックに書いたもの"), "{late}");
    let first = page.text.split("<tr><th scope=\"row\">").nth(1).unwrap();
    assert!(first.contains("tag broken"), "what is broken stands first: {first}");
    let stale = line_with(&page, "href=\"/checks/asset_review_stale\"");
    assert!(stale.contains("台帳の決まりから") && stale.contains("より古い行"), "{stale}");

    let broken = clerk.get("/checks?state=broken").await;
    assert!(
        broken.text.contains("/checks/overdue_decision")
            && !broken.text.contains("tag unknown\">未評価</span><br>")
    );
    let none = clerk.get("/checks?state=nonsense").await;
    assert!(none.text.contains("この状態の点検はありません"), "{}", none.text);
    for from in ["/clauses", "/dashboard", "/clauses/5.1.1.3.%E3%82%A4", "/checks/overdue_decision"] {
        assert!(clerk.get(from).await.text.contains("href=\"/checks\""), "{from}");
    }
}
