//! 棚卸 and the register: whose confirmation writes its day into the row, what others found, the bound of one stocktaking, and a confirmation that
//! meets the closing.

use std::fmt::Write as _;

use axum::http::StatusCode;
use sekisho_app::sequencer;

use crate::browser::{Browser, hidden};
use crate::city::{ADMIN, CLERK, City, DIRECTOR, MANAGER, OTHER_MANAGER, asset, row_id};
use crate::registers::{HEADER, carry_out, check};
use crate::stocktaking::open;

const TODAY: &str = "令和8年11月25日";

/// What the page of a row says of its 最終確認日, and its version.
async fn day(b: &mut Browser, number: &str) -> (String, i64) {
    let id = row_id(b, "asset", number).await;
    let page = b.get(&format!("/api/v1/registers/asset/rows/{id}")).await;
    let row: serde_json::Value = serde_json::from_str(&page.text).unwrap();
    (row["values"]["checked_on"].as_str().unwrap_or_default().to_owned(), row["version"].as_i64().unwrap())
}

const CHANGES: &str =
    "SELECT COUNT(*) FROM ledger_entry WHERE kind IN ('register.change', 'register.stocktaking')";

#[tokio::test]
async fn the_day_comes_into_the_rows_of_those_who_keep_them() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let mut clerk = city.browser(CLERK).await;
    let address = open(&mut manager, "asset", "21").await;
    let (before, version) = day(&mut manager, "A-001").await;
    assert_ne!(before, "2026-11-25", "the row must change for this test to mean anything");
    let entries = city.count(CHANGES).await;
    let form = format!("/registers/asset/{}/edit", row_id(&mut manager, "asset", "A-001").await);
    let opened = manager.get(&form).await;

    // Whoever keeps the rows: at once, as any change of theirs.
    assert!(manager.get(&address).await.text.contains("今日の日付が入ります"));
    let seen = manager.post(&address, &[("do", "see"), ("code", "A-001")]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.text);
    assert_eq!(day(&mut manager, "A-001").await, ("2026-11-25".to_owned(), version + 1));
    assert_eq!(city.count(CHANGES).await, entries + 1);
    let row = manager.get(&form.replace("/edit", "")).await;
    assert!(row.text.contains(TODAY) && row.text.contains("最終確認日："), "{}", row.text);
    // A form that was opened before has an older version: it is refused, the day stays.
    let mut fields = asset("A-001", "古い画面で直した名前", "21");
    let shown = hidden(&opened.text, "version");
    assert_eq!(shown, version.to_string());
    fields.push(("version", &shown));
    let late = manager.post(&form, &fields).await;
    assert!(
        late.status.is_client_error() && late.text.contains("ほかの人が"),
        "{} {}",
        late.status,
        late.text
    );
    assert_eq!(day(&mut manager, "A-001").await.0, "2026-11-25");

    // Somebody who does not keep them: found, and the day waits for those who do.
    let old = day(&mut manager, "A-002").await;
    assert!(clerk.get(&address).await.text.contains("台帳を記入する役割の人が日付を入れます"));
    let seen = clerk.post(&address, &[("do", "see"), ("code", "A-002")]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.text);
    assert_eq!(day(&mut manager, "A-002").await, old, "who may not change the row does not");
    assert!(!clerk.get(&address).await.offers("days"));
    for number in [CLERK, DIRECTOR, OTHER_MANAGER] {
        let wrong = city.browser(number).await.post(&address, &[("do", "days")]).await;
        assert!(
            [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&wrong.status),
            "{number}: {}",
            wrong.status
        );
    }
    assert_eq!(day(&mut manager, "A-002").await, old);
    let entered = city.count(CHANGES).await;
    assert_eq!(manager.post(&address, &[("do", "close")]).await.status, StatusCode::SEE_OTHER);
    let page = manager.get(&address).await;
    assert!(
        page.offers("days") && page.text.contains("うち1件は"),
        "also after it was closed: {}",
        page.text
    );
    assert_eq!(manager.post(&address, &[("do", "days")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(day(&mut manager, "A-002").await, ("2026-11-25".to_owned(), old.1 + 1));
    assert_eq!(city.count(CHANGES).await, entered + 1);
    assert!(!manager.get(&address).await.offers("days"));
    let again = manager.post(&address, &[("do", "days")]).await;
    assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY && again.text.contains("入れる日はありません"));
    // Rows and entries agree.
    sequencer::drain(&city.office).await.unwrap();
    let review = sekisho_app::ledger::jobs::review(&city.office).await.unwrap();
    assert!(review.sound, "{:?}", review.text);
}

#[tokio::test]
async fn a_row_that_left_the_section_is_not_found_and_an_administrator_may_enter_days() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let mut admin = city.browser(ADMIN).await;
    let address = open(&mut manager, "asset", "21").await;
    let seen = city.browser(CLERK).await.post(&address, &[("do", "see"), ("code", "A-001")]).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    let id = row_id(&mut admin, "asset", "A-001").await;
    let mut moved = asset("A-001", "要介護認定の名簿", "22");
    moved.push(("version", "1"));
    let page = admin.post(&format!("/registers/asset/{id}/edit"), &moved).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    // It is none of the section's things any more: nobody enters its day from here, and nobody finds it.
    assert!(!admin.get(&address).await.offers("days"));
    let page = admin.post(&address, &[("do", "days")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = manager.post(&address, &[("do", "see"), ("code", &id)]).await;
    assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("所属の行にありません"));
    assert_eq!(admin.post(&address, &[("do", "see"), ("code", "A-002")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(day(&mut admin, "A-002").await.0, "2026-11-25");
}

#[tokio::test]
async fn more_than_one_stocktaking_can_hold_is_told_before_it_begins() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let mut csv = format!("{HEADER}\r\n");
    for n in 0..4_999 {
        let _ = write!(
            csv,
            "N-{n:04},名簿{n},information,21,21-h,2,2,1,なし,LGWAN接続系,書庫,2032/3/31,毎週,R8.11.2\r\n"
        );
    }
    let plan = check(&mut manager, "/registers/asset/import", "n.csv", csv.as_bytes()).await;
    let done = carry_out(&manager, "/registers/asset/import", &plan).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let begin = [("register", "asset"), ("unit", "21"), ("due_on", "R8.12.25")];
    let before = city.written().await;
    let page = manager.post("/stocktakings", &begin).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("5000件を超えて") && page.text.contains("係などに分けて"), "{}", page.text);
    assert_eq!(city.written().await, before);
    // One less is as many as it may be.
    let id = row_id(&mut manager, "asset", "N-0000").await;
    let mut moved = asset("N-0000", "移した名簿", "22");
    moved.push(("version", "1"));
    let page = city.browser(ADMIN).await.post(&format!("/registers/asset/{id}/edit"), &moved).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let address = open(&mut manager, "asset", "21").await;
    let page = manager.get(&address).await;
    assert!(page.text.contains("5000件のうち0件") && page.text.contains("ほか4900件"), "{}", page.text);
}

/// A confirmation and the closing at the same moment: the one or the other comes first, and nothing is half done.
#[tokio::test]
async fn a_confirmation_that_meets_the_closing_comes_before_it_or_not_at_all() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let admin = city.browser(ADMIN).await;
    for round in 0..6 {
        let number = format!("R-{round}");
        let page = manager.post("/registers/asset/new", &asset(&number, "競う名簿", "21")).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        let address = open(&mut manager, "asset", "21").await;
        let before = day(&mut manager, &number).await;
        let (fields, close) = ([("do", "see"), ("code", number.as_str())], [("do", "close")]);
        let (see, close) = if round % 2 == 0 {
            tokio::join!(admin.post(&address, &fields), manager.post(&address, &close))
        } else {
            let (c, s) = tokio::join!(manager.post(&address, &close), admin.post(&address, &fields));
            (s, c)
        };
        assert_eq!(close.status, StatusCode::SEE_OTHER, "{}", close.text);
        let found = see.status == StatusCode::SEE_OTHER;
        if !found {
            assert!(see.text.contains("この棚卸しは終わっています"), "{}", see.text);
        }
        let page = manager.get(&address).await;
        let missing =
            page.text.split("見つからなかったもの").nth(1).unwrap().split("</section>").next().unwrap();
        assert_eq!(missing.contains(&number), !found, "round {round}: {}", page.text);
        assert!(
            page.text.contains(&format!("のうち{}件を確認しました", usize::from(found))),
            "{}",
            page.text
        );
        let after = day(&mut manager, &number).await;
        let expected = if found { ("2026-11-25".to_owned(), before.1 + 1) } else { before };
        assert_eq!(after, expected, "round {round}");
        let kept = "SELECT COUNT(*) FROM ledger_entry e JOIN stocktaking_seen s ON s.entry = e.id WHERE s.stocktaking = $1";
        assert_eq!(city.count_of(kept, address.rsplit('/').next().unwrap()).await, i64::from(found));
    }
    let all = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'stocktaking.seen'";
    assert_eq!(city.count(all).await, city.count("SELECT COUNT(*) FROM stocktaking_seen").await);
}
