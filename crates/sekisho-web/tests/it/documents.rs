//! Documents that must exist, and the yearly self-assessment, through the pages.

use axum::http::StatusCode;

use crate::browser::Browser;
use crate::city::{
    ADMIN, CLERK, City, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, SECOND_ADMIN, line_with,
};

const PLAN: &str = "/documents/business_continuity_plan";
const CLAUSE: &str = "/clauses/7.3.3";

/// How the plan stands on its clause's page.
async fn state(b: &mut Browser) -> String {
    line_with(&b.get(CLAUSE).await, PLAN).to_owned()
}

fn decision<'a>(decided: &'a str, note: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("do", "decided"),
        ("version", "第2版"),
        ("decided_on", decided),
        ("decided_by", "副市長"),
        ("in_force_on", decided),
        ("note", note),
    ]
}

#[tokio::test]
async fn a_document_is_recorded_by_its_keeper_with_its_hash_and_turns_the_clause() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    assert!(state(&mut admin).await.contains("未評価"));

    for number in [CLERK, MANAGER, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, SECOND_ADMIN] {
        let mut b = city.browser(number).await;
        assert!(!b.get(PLAN).await.offers("decided"), "{number}");
        let before = city.written().await;
        let sent = b.upload(PLAN, &decision("R8.4.1", ""), "計画.pdf", b"plan").await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{number}");
        assert!(sent.text.contains("情報システム管理者です"), "{}", sent.text);
        assert_eq!(city.written().await, before, "{number}");
    }

    admin.get(PLAN).await;
    // A review of what was never decided, a decision of tomorrow, and one without place or file.
    let sent = admin
        .post(
            PLAN,
            &[("do", "reviewed"), ("decided_on", "R8.11.25"), ("decided_by", "副市長"), ("note", "変えない")],
        )
        .await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN, "{}", sent.text);
    let sent = admin.post(PLAN, &decision("R8.11.26", "残る言葉")).await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        sent.text.contains("置き場所を入力するか")
            && sent.text.contains("今日かそれより前の日")
            && sent.text.contains("残る言葉"),
        "{}",
        sent.text
    );
    let sent = admin.upload(PLAN, &decision("R7.12.10", ""), "計画.pdf", b"plan").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let page = admin.get(PLAN).await;
    // SHA-256 of the four bytes.
    let hash = sekisho_base::canonical::hex(&sekisho_base::canonical::sha256(b"plan"));
    assert!(
        page.text.contains(&hash) && page.text.contains("計画.pdf") && page.text.contains("第2版"),
        "{}",
        page.text
    );
    let seen = state(&mut admin).await;
    assert!(seen.contains("注意") && seen.contains("見直しの期限"), "reviewed within a month: {seen}");

    city.turn_to("2026-12-11", 9).await;
    let mut admin = city.browser(ADMIN).await;
    let seen = state(&mut admin).await;
    assert!(seen.contains("不適合"), "{seen}");
    admin.get(PLAN).await;
    let sent = admin
        .post(
            PLAN,
            &[
                ("do", "reviewed"),
                ("decided_on", "R8.12.11"),
                ("decided_by", "副市長"),
                ("note", "情勢は変わっていない"),
            ],
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let seen = state(&mut admin).await;
    assert!(seen.contains("適合") && !seen.contains("不適合"), "{seen}");
    admin.get(PLAN).await;
    let sent = admin
        .post(
            PLAN,
            &[
                ("do", "withdrawn"),
                ("decided_on", "R8.12.11"),
                ("decided_by", "副市長"),
                ("note", "別の計画に含めた"),
            ],
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    assert!(state(&mut admin).await.contains("廃止されています"));
    assert_eq!(city.count("SELECT COUNT(*) FROM document_version v JOIN ledger_entry e ON e.id = v.entry WHERE e.kind = 'document.recorded'").await, 3);
}

#[tokio::test]
async fn where_a_document_is_kept_is_shown_to_its_readers_only() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let path = "/documents/network_documentation";
    admin.get(path).await;
    let mut fields = decision("R8.10.1", "");
    fields.push(("place", "情報政策課の鍵付き書庫"));
    assert_eq!(admin.post(path, &fields).await.status, StatusCode::SEE_OTHER);
    assert!(admin.get(path).await.text.contains("情報政策課の鍵付き書庫"));
    let mut clerk = city.browser(CLERK).await;
    let page = clerk.get(path).await;
    assert!(page.text.contains("読む人だけに示します") && !page.text.contains("鍵付き書庫"), "{}", page.text);
    assert!(clerk.get("/documents").await.text.contains("ネットワーク構成図"));
}

#[tokio::test]
async fn the_self_assessment_is_asked_once_a_year_and_counted_by_section() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    let mut clerk = city.browser(CLERK).await;
    assert!(
        clerk.get("/assessment").await.text.contains("今は自己点検の期間ではありません"),
        "October is over"
    );
    assert_eq!(clerk.post("/assessment", &[("a.conduct", "yes")]).await.status, StatusCode::FORBIDDEN);
    let clause = clerk.get("/clauses/5.4.2.1").await;
    assert!(
        line_with(&clause, "/notices/id_not_lent").contains("まだ自己点検で尋ねていません"),
        "{}",
        clause.text
    );

    city.turn_to("2027-10-01", 9).await;
    let staff = city.count("SELECT COUNT(DISTINCT person) FROM appointment WHERE role = ''").await;
    let told = "SELECT COUNT(*) FROM notification WHERE kind = 'assessment'";
    assert_eq!(city.count(told).await, staff, "everybody in office is told");
    city.turn_to("2027-10-02", 9).await;
    assert_eq!(city.count(told).await, staff, "once");
    let everybody = [CLERK, MANAGER, DIRECTOR, OTHER_CLERK, OTHER_MANAGER, ADMIN, SECOND_ADMIN];
    for number in everybody {
        let mut b = city.browser(number).await;
        let form = b.get("/assessment").await;
        let names: Vec<String> = form
            .text
            .split("<fieldset id=\"")
            .skip(1)
            .map(|r| r.split('"').next().unwrap().to_owned())
            .collect();
        assert!(names.len() >= 10, "{names:?}");
        let short = b.post("/assessment", &[(names[0].as_str(), "yes")]).await;
        assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
        let answer = |n: &str| if number == OTHER_CLERK && n == "a.id_not_lent" { "no" } else { "yes" };
        let answers: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), answer(n))).collect();
        assert_eq!(b.post("/assessment", &answers).await.status, StatusCode::SEE_OTHER, "{number}");
        let again = b.get("/assessment").await;
        assert!(again.text.contains("回答済み") && again.text.contains("value=\"yes\" checked"), "{number}");
    }
    let notice = clerk_page(&city, MANAGER).await;
    assert!(line_with(&notice, "高齢福祉課").contains("data-label=\"はい\">2<"), "{}", notice.text);
    assert!(
        !notice.text.contains("障害福祉課") && !notice.text.contains("﨑山"),
        "neither other sections nor names"
    );
    let all = clerk_page(&city, ADMIN).await;
    assert!(line_with(&all, "障害福祉課").contains("data-label=\"いいえ\">1<"), "{}", all.text);

    city.turn_to("2027-11-05", 9).await;
    let mut admin = city.browser(ADMIN).await;
    let clause = admin.get("/clauses/5.4.2.1").await;
    let line = line_with(&clause, "/notices/id_not_lent");
    assert!(
        line.contains("不適合") && line.contains(&format!("回答した職員 {}％", 7 * 100 / staff)),
        "{line}"
    );
    // What was answered is in no entry of the ledger, only its hash.
    assert_eq!(city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'assessment.answered' AND payload LIKE '%id_not_lent%'").await, 0);
    assert_eq!(city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'assessment.answered'").await, 7);
}

async fn clerk_page(city: &City, number: &str) -> crate::browser::Page {
    city.browser(number).await.get("/notices/id_not_lent").await
}
