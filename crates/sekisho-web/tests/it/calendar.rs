//! The calendar: one's own, the section's, all that one may see; months before and after.

use axum::http::StatusCode;

use crate::acts::{application, apply, done, item};
use crate::browser::{Browser, Page};
use crate::city::{ADMIN, CLERK, City, DIRECTOR, MANAGER, OTHER_MANAGER};

const NUMBER: &str = "持出-R8-0001";

async fn month(b: &mut Browser, month: &str, scope: &str) -> Page {
    let page = b.get(&format!("/calendar?month={month}&scope={scope}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page
}

/// What the list has under a day.
fn day<'p>(page: &'p Page, date: &str) -> &'p str {
    let parts = page.text.split("<section ").skip(1).map(|p| p.split("</section>").next().unwrap());
    parts.into_iter().find(|p| p.contains(&format!("id=\"d-{date}\""))).unwrap_or_default()
}

#[tokio::test]
async fn deadlines_permits_and_absences_stand_on_their_days_for_those_who_may_see_them() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;

    // Three business days after Wednesday, 25 November.
    let own = month(&mut manager, "2026-11", "own").await;
    let due = day(&own, "2026-11-30");
    assert!(due.contains("処理の期限") && due.contains(NUMBER) && due.contains(&case), "{}", own.text);
    assert!(!month(&mut clerk, "2026-11", "own").await.text.contains(NUMBER), "it waits for the manager");
    for (person, scope, sees) in [
        (CLERK, "section", true),
        (DIRECTOR, "all", true),
        (ADMIN, "all", true),
        (ADMIN, "section", false),
        (OTHER_MANAGER, "own", false),
        (OTHER_MANAGER, "section", false),
        (OTHER_MANAGER, "all", false),
    ] {
        let mut b = city.browser(person).await;
        let page = month(&mut b, "2026-11", scope).await;
        assert_eq!(page.text.contains(NUMBER), sees, "{person} {scope}");
    }

    done(&mut manager, &case, "permit", &[]).await;
    let own = month(&mut clerk, "2026-11", "own").await;
    assert!(day(&own, "2026-11-27").contains("許可の終わり"), "{}", own.text);

    let away = [("from", "R8.12.21"), ("until", "R8.12.22"), ("kind", "leave")];
    assert_eq!(clerk.post("/absences", &away).await.status, StatusCode::SEE_OTHER);
    for (person, sees) in [(CLERK, true), (MANAGER, true), (OTHER_MANAGER, false)] {
        let mut b = city.browser(person).await;
        let page = month(&mut b, "2026-12", "section").await;
        for date in ["2026-12-21", "2026-12-22"] {
            let here = day(&page, date);
            assert_eq!(here.contains("髙橋 花子"), sees, "{person} {date}");
            assert!(!here.contains("休暇"), "the kind is nobody's business");
        }
    }
}

#[tokio::test]
async fn months_turn_and_closed_days_are_marked() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let page = month(&mut b, "2026-11", "own").await;
    assert!(page.text.contains("予定表 令和8年11月"));
    assert!(
        page.text.contains("month=2026-10&amp;scope=own")
            || page.text.contains("month=2026-10&#38;scope=own"),
        "{}",
        page.text
    );
    // Five Sundays, four Saturdays, 文化の日 and 勤労感謝の日.
    assert_eq!(page.text.matches("<td class=\"closed\"").count(), 11, "{}", page.text);
    assert_eq!(page.text.matches("aria-current=\"date\"").count(), 1);
    for odd in ["month=2026-13", "month=%3Cb%3E", "scope=nonsense", "month=0000-00"] {
        let page = b.get(&format!("/calendar?{odd}")).await;
        assert!(page.text.contains("令和8年11月"), "{odd}");
    }
}
