//! What those who oversee and those who decide find first: the CISO's and the auditor's home, and the order of a case's page.

use sekisho_app::counted;
use sekisho_app::exchange::org::OrgSheet;

use crate::acts::{application, apply, item};
use crate::browser::Page;
use crate::city::{
    ADMIN, CISO, CLERK, City, MANAGER, asset, line_with, org_file, organization, record, row_id,
};

/// Pieces of a page in the order in which they must come.
fn in_order(page: &Page, pieces: &[&str]) {
    let mut from = 0;
    for piece in pieces {
        let rest = &page.text[from..];
        from += rest.find(piece).unwrap_or_else(|| panic!("{piece} after byte {from}: {}", page.text));
    }
}

#[tokio::test]
async fn the_ciso_finds_what_is_not_kept_and_since_when() {
    let city = City::settled().await;
    city.give_login(CISO).await;
    city.turn_to("2026-11-25", 11).await;
    let manager = city.browser(MANAGER).await;
    let mut stale = asset("S-1", "古い台帳", "21");
    stale.retain(|(name, _)| *name != "checked_on");
    stale.push(("checked_on", "R6.1.10"));
    assert!(manager.post("/registers/asset/new", &stale).await.status.is_redirection());
    city.turn_to("2026-11-26", 9).await;
    let mut ciso = city.browser(CISO).await;
    let home = ciso.get("/").await;
    in_order(
        &home,
        &[
            "やること",
            "規程の守られ方",
            "守られていない条項",
            "先月から変わったところ",
            "部局ごとに直すこと",
            "次に委員会にかけるもの",
            "申請する・これはできますか",
        ],
    );
    let table = home.text.split("守られていない条項").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(table.contains("href=\"/clauses/") && table.contains("R8.11.2"), "{table}");
    assert!(line_with(&home, "<th scope=\"row\">福祉部</th>").contains("class=\"num\">"), "{}", home.text);
    assert!(!home.text.contains("証拠の確かさ"), "that is the auditors'");
    // Nobody else's home is about the whole body.
    for number in [CLERK, MANAGER, ADMIN] {
        let home = city.browser(number).await.get("/").await;
        assert!(!home.text.contains("規程の守られ方") && home.text.contains("何をしたいですか"), "{number}");
    }
}

const AUDITOR: &str = "9101";

/// The small city with somebody who examines it.
async fn examined() -> City {
    let mut org = organization(|_| "", &[]);
    org.insert(OrgSheet::Persons, record(&[("number", AUDITOR), ("name", "監査 一"), ("kana", "かな")]));
    let main = [("person", AUDITOR), ("post", "22-s"), ("main", "main"), ("from", "2026-04-01")];
    org.insert(OrgSheet::Appointments, record(&main));
    let role = [
        ("person", AUDITOR),
        ("post", "22-s"),
        ("main", "concurrent"),
        ("from", "2026-04-01"),
        ("role", "auditor"),
    ];
    org.insert(OrgSheet::Appointments, record(&role));
    City::with_organization(org_file(&org), &[CLERK, MANAGER, AUDITOR]).await
}

#[tokio::test]
async fn the_auditor_finds_how_far_the_evidence_can_be_relied_on() {
    let city = examined().await;
    let manager = city.browser(MANAGER).await;
    assert!(
        manager.post("/registers/asset/new", &asset("A-001", "名簿", "21")).await.status.is_redirection()
    );
    city.turn_to("2026-11-26", 9).await;
    let mut auditor = city.browser(AUDITOR).await;
    let row = row_id(&mut auditor, "asset", "A-001").await;
    assert!(auditor.get("/").await.text.contains("0件を、延べ0回"));
    // Personal data: each look is noted.
    auditor.get(&format!("/registers/asset/{row}")).await;
    sekisho_app::sequencer::drain(&city.office).await.unwrap();
    let home = auditor.get("/").await;
    in_order(
        &home,
        &[
            "規程の守られ方",
            "証拠の確かさ",
            "最後の署名つき控え",
            "件まで（",
            "毎日の照合",
            "1件を、延べ1回",
            "監査 一",
            "href=\"/ledger\"",
        ],
    );
    assert!(!home.text.contains("次に委員会にかけるもの"), "that is the CISO's");
}

#[tokio::test]
async fn the_overview_takes_a_fixed_number_of_queries() {
    let city = examined().await;
    city.turn_to("2026-11-25", 11).await;
    let mut auditor = city.browser(AUDITOR).await;
    let manager = city.browser(MANAGER).await;
    auditor.get("/").await;
    let (_, few) = counted(auditor.get("/")).await;
    for n in 0..30 {
        let number = format!("A-{n:03}");
        let page = manager.post("/registers/asset/new", &asset(&number, "名簿", "21")).await;
        assert!(page.status.is_redirection(), "{}", page.text);
        let row = row_id(&mut auditor, "asset", &number).await;
        auditor.get(&format!("/registers/asset/{row}")).await;
    }
    let (page, many) = counted(auditor.get("/")).await;
    assert!(page.text.contains("30件を、延べ30回"), "{}", page.text);
    assert_eq!(few, many);
    assert!(few < 120, "{few} queries");
}

#[tokio::test]
async fn the_page_of_a_case_says_what_it_is_about_before_what_to_do() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    assert!(manager.get("/").await.text.contains(&format!("href=\"{case}\"")), "one comes in at the head");
    let page = manager.get(&case).await;
    in_order(
        &page,
        &[
            "<dt>申請者</dt>",
            "<dt>対象</dt><dd>A-001",
            "<dt>期間</dt>",
            "<dt>分類</dt>",
            "id=\"look-title\"",
            "id=\"content-title\"",
            "認定調査での本人確認",
            "id=\"act\"",
            "name=\"do\" value=\"permit\"",
            "id=\"steps-title\"",
            "id=\"log-title\"",
        ],
    );
}
