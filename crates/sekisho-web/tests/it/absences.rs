//! Absences (不在): who records them, what they change for open cases, and that nobody gains power by the own word.

use axum::http::StatusCode;

use crate::acts::{application, apply, done, forge, item, press, refusal};
use crate::browser::{Browser, Page, hidden};
use crate::city::{CLERK, City, DEPUTY, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, line_with};

/// Records an absence as the form sends it.
async fn record(b: &Browser, person: &str, from: &str, until: &str, kind: &str) -> Page {
    b.post("/absences", &[("person", person), ("from", from), ("until", until), ("kind", kind)]).await
}

/// Records the own absence.
async fn away(b: &Browser, from: &str, until: &str) {
    let page = record(b, "", from, until, "leave").await;
    assert_eq!(page.location(), "/absences?done=absent", "{}", page.text);
}

/// Addresses of the buttons that cancel, in the order of the page.
pub fn cancels(page: &Page) -> Vec<String> {
    let forms = page.text.split("action=\"/absences/").skip(1);
    forms.map(|f| format!("/absences/{}", f.split('"').next().unwrap())).collect()
}

async fn applied(city: &City) -> (Browser, String) {
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    (clerk, case)
}

#[tokio::test]
async fn the_deputy_decides_while_the_manager_is_away_and_the_manager_reads_it_afterwards() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let mut deputy = city.browser(DEPUTY).await;
    away(&manager, "R8.11.25", "R8.11.26").await;
    let (mut clerk, case) = applied(&city).await;
    assert!(deputy.get("/inbox").await.text.contains("要介護認定"));
    assert!(deputy.get("/").await.text.contains("要介護認定"));
    done(&mut deputy, &case, "permit", &[]).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("許可番号") && page.text.contains("小笠原 誠"));
    assert!(page.text.contains("代決"), "the record says in which capacity: {}", page.text);

    let waiting = manager.get("/inbox").await;
    assert!(line_with(&waiting, "後閲").contains("今日から"), "{}", waiting.text);
    city.turn_to("2026-11-27", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let waiting = manager.get("/").await;
    assert!(line_with(&waiting, "後閲").contains("2日経過"), "{}", waiting.text);
    let own = hidden(manager.get(&case).await.form("post_review"), "step");
    let shown = hidden(manager.get(&case).await.form("post_review"), "shown");
    let deputy = city.browser(DEPUTY).await;
    assert_eq!(
        forge(&deputy, &case, "post_review", &own, &shown).await.status,
        StatusCode::FORBIDDEN,
        "who decided does not review it"
    );
    let says = format!("post_review{own}.says");
    let read = press(&mut manager, &case, "post_review", &[(says.as_str(), "確認した")]).await;
    assert_eq!(read.status, StatusCode::SEE_OTHER, "{}", read.text);
    assert_eq!(line_with(&manager.get("/inbox").await, "後閲"), "");
}

#[tokio::test]
async fn an_open_case_follows_an_absence_that_comes_later_and_one_that_is_cancelled() {
    let city = City::settled().await;
    let (_clerk, case) = applied(&city).await;
    let mut manager = city.browser(MANAGER).await;
    let mut deputy = city.browser(DEPUTY).await;
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    assert!(!deputy.get("/inbox").await.text.contains("要介護認定"));
    let early = forge(&deputy, &case, "permit", "permit", &shown).await;
    assert_eq!(early.status, StatusCode::FORBIDDEN, "not while the manager is present");
    assert!(refusal(&early).contains("渡邉 一郎"), "{}", refusal(&early));

    away(&manager, "R8.11.25", "R8.11.30").await;
    assert!(
        deputy.get("/inbox").await.text.contains("要介護認定") && deputy.get(&case).await.offers("permit")
    );
    let address = cancels(&manager.get("/absences").await).swap_remove(0);
    assert_eq!(manager.post(&address, &[]).await.location(), "/absences?done=present");
    assert!(!deputy.get("/inbox").await.text.contains("要介護認定"));
    assert_eq!(forge(&deputy, &case, "permit", "permit", &shown).await.status, StatusCode::FORBIDDEN);
    let page = manager.get("/absences").await;
    assert!(
        page.text.contains("取消し</span>") && cancels(&page).is_empty(),
        "kept, and over: {}",
        page.text
    );
    assert_eq!(manager.post(&address, &[]).await.status, StatusCode::FORBIDDEN, "once is enough");
    done(&mut manager, &case, "permit", &[]).await;
}

#[tokio::test]
async fn nobody_records_an_absence_that_gives_them_power() {
    let city = City::settled().await;
    let mut deputy = city.browser(DEPUTY).await;
    let before = city.written().await;
    let own = record(&deputy, MANAGER, "R8.11.25", "R8.11.30", "sick").await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    assert!(refusal(&own).contains("代わって決裁（代決）する職（高齢福祉課 課長補佐）"), "{}", refusal(&own));
    for number in [OTHER_CLERK, OTHER_MANAGER] {
        let stranger = city.browser(number).await;
        let page = record(&stranger, MANAGER, "R8.11.25", "R8.11.30", "sick").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{number}");
        assert!(refusal(&page).contains("同じ課の人"), "{}", refusal(&page));
    }
    let nobody = record(&deputy, "7777", "R8.11.25", "", "sick").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert_eq!(city.written().await, before);
    assert!(
        !deputy.get("/absences").await.text.contains(&format!("value=\"{MANAGER}\"")),
        "the form does not offer it either"
    );

    // A colleague without power from it may, and the next head; the absent person is told.
    let mut clerk = city.browser(CLERK).await;
    let offered = clerk.get("/absences").await;
    assert!(offered.text.contains(&format!("value=\"{MANAGER}\"")), "{}", offered.text);
    let sick = record(&clerk, MANAGER, "R8.11.25", "R8.11.26", "sick").await;
    assert_eq!(sick.status, StatusCode::SEE_OTHER, "{}", sick.text);
    let director = city.browser(DIRECTOR).await;
    let trip = record(&director, OTHER_MANAGER, "R8.11.26", "", "trip").await;
    assert_eq!(trip.status, StatusCode::SEE_OTHER, "{}", trip.text);
    let mut manager = city.browser(MANAGER).await;
    let home = manager.get("/").await;
    assert!(home.text.contains("髙橋 花子さんが2026年（令和8年）11月25日に、あなたの不在"), "{}", home.text);
    let address = cancels(&manager.get("/absences").await).swap_remove(0);
    assert_eq!(manager.post(&address, &[]).await.status, StatusCode::SEE_OTHER);
    assert!(!manager.get("/").await.text.contains("あなたの不在"));
}

#[tokio::test]
async fn what_does_not_count_by_the_pack_gives_nobody_power() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let home = record(&manager, "", "R8.11.25", "R8.11.26", "telework").await;
    assert_eq!(home.status, StatusCode::SEE_OTHER, "{}", home.text);
    assert!(manager.get("/absences").await.text.contains("不在に数えない"));
    let (_clerk, case) = applied(&city).await;
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    let mut deputy = city.browser(DEPUTY).await;
    assert!(!deputy.get("/inbox").await.text.contains("要介護認定"));
    assert_eq!(forge(&deputy, &case, "permit", "permit", &shown).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_absence_begins_and_ends_by_its_dates() {
    let city = City::settled().await;
    let manager = city.browser(OTHER_MANAGER).await;
    away(&manager, "R8.11.26", "R8.11.26").await;
    let mut clerk = city.browser(OTHER_CLERK).await;
    let key = item(&mut clerk, "B-001").await;
    let case = apply(&mut clerk, &application("22-s", &key)).await;
    let mut director = city.browser(DIRECTOR).await;
    assert!(!director.get("/inbox").await.text.contains("手帳交付"));
    // The section has no deputy: while the manager is away the turn is the next role's.
    city.turn_to("2026-11-26", 9).await;
    let mut director = city.browser(DIRECTOR).await;
    assert!(
        director.get("/inbox").await.text.contains("手帳交付") && director.get(&case).await.offers("permit")
    );
    city.turn_to("2026-11-27", 9).await;
    let mut director = city.browser(DIRECTOR).await;
    assert!(!director.get("/inbox").await.text.contains("手帳交付"));
    let mut manager = city.browser(OTHER_MANAGER).await;
    assert!(manager.get("/inbox").await.text.contains("手帳交付"));
    assert!(manager.get("/absences").await.text.contains("終わり</span>"));
    done(&mut manager, &case, "permit", &[]).await;
}

#[tokio::test]
async fn the_kind_is_personal_and_stays_out_of_the_ledger() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let fields =
        [("person", ""), ("from", "R8.11.25"), ("until", ""), ("kind", "sick"), ("note", "通院のため")];
    assert_eq!(clerk.post("/absences", &fields).await.status, StatusCode::SEE_OTHER);
    let own = clerk.get("/absences").await;
    assert!(own.text.contains("病気（通院のため）") && own.doubled_ids().is_empty());
    let mut colleague = city.browser(DEPUTY).await;
    let page = colleague.get("/absences").await;
    assert!(line_with(&page, "髙橋 花子").contains("不在中") && !page.text.contains("通院のため"));
    assert!(!line_with(&page, "髙橋 花子").contains("病気"));
    let mut manager = city.browser(MANAGER).await;
    assert!(manager.get("/absences").await.text.contains("病気（通院のため）"), "the next head knows");
    let mut stranger = city.browser(OTHER_CLERK).await;
    assert!(!stranger.get("/absences").await.text.contains("髙橋 花子"));
    let entries =
        "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'absence.add' AND payload LIKE '%2026-11-25%'";
    assert_eq!(city.count(entries).await, 1);
    let personal = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'absence.add' AND (payload LIKE '%sick%' OR payload LIKE '%通院%')";
    assert_eq!(city.count(personal).await, 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_beside_the_field_and_kept() {
    let city = City::settled().await;
    let b = city.browser(CLERK).await;
    let before = city.written().await;
    for (from, until, kind, field, says) in [
        ("いつか", "", "leave", "from", "日付が読めません"),
        ("R8.11.25", "あす", "leave", "until", "日付が読めません"),
        ("R8.11.26", "R8.11.25", "leave", "until", "最後の日が最初の日より前です"),
        ("R8.11.1", "R8.11.24", "leave", "until", "もう終わった期間"),
        ("R8.11.25", "R12.11.25", "leave", "until", "3年まで"),
        ("R8.11.25", "", "", "kind", "種類を選んでください"),
        ("R8.11.25", "", "nonsense", "kind", "種類を選んでください"),
    ] {
        let page = record(&b, "", from, until, kind).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{from} {until} {kind}");
        assert!(
            page.text.contains(&format!("href=\"#{field}\"")) && page.text.contains(says),
            "{}",
            page.text
        );
        assert!(page.text.contains(&format!("value=\"{from}\"")), "what was typed is kept");
    }
    assert_eq!(city.written().await, before);
}
