//! A check written as SQL: evaluated, shown with its rows to those who may see them, closed when nothing is left.

use crate::acts::{application, apply, done, item};
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_MANAGER, line_with};

const CHECK: &str = "/checks/overdue_decision";

#[tokio::test]
async fn a_check_written_as_sql_lists_its_rows_and_closes_them() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    let mut admin = city.browser(ADMIN).await;
    assert!(
        admin.get(CHECK).await.text.contains("<span class=\"tag unknown\">未評価"),
        "there is no case yet"
    );
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    city.turn_to("2026-11-26", 9).await;
    let mut admin = city.browser(ADMIN).await;
    assert!(admin.get(CHECK).await.text.contains("<span class=\"tag met\">適合"), "nothing is late yet");

    // Three business days, and one more.
    city.turn_to("2026-12-01", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let page = manager.get(CHECK).await;
    let row = line_with(&page, "持出-R8-0001");
    assert!(
        row.contains("許可：決める期限（2026-11-30）を過ぎています") && row.contains(&case),
        "{}",
        page.text
    );
    assert!(page.text.contains("不適合"));
    let mut stranger = city.browser(OTHER_MANAGER).await;
    let theirs = stranger.get(CHECK).await;
    assert!(!theirs.text.contains("持出-R8-0001") && theirs.text.contains("不適合"), "{}", theirs.text);

    done(&mut manager, &case, "refuse", &[("says", "期間が過ぎたため")]).await;
    city.turn_to("2026-12-01", 10).await;
    let mut manager = city.browser(MANAGER).await;
    let page = manager.get(CHECK).await;
    assert!(
        !page.text.contains("続いている") && !page.text.contains("<span class=\"tag broken\">不適合"),
        "{}",
        page.text
    );
}
