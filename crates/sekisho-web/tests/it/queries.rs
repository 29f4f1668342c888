//! A check written as SQL: evaluated, shown with its rows to those who may see them, closed when nothing is left. How many queries the page
//! of a clause needs.

use sekisho_app::counted;
use sekisho_app::pack_tools::Pack;

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
        row.contains("許可：決める期限（令和8年11月30日）を過ぎています") && row.contains(&case),
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

#[tokio::test]
async fn a_clause_needs_as_many_queries_with_many_checks_as_with_one() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    apply(&mut clerk, &application("21-s", &key)).await;
    let pack = Pack::model_city().unwrap();
    let mut manager = city.browser(MANAGER).await;
    manager.get("/clauses/5.1.1.1").await;
    let (mut least, mut most, mut mechanisms) = (u64::MAX, 0, 0);
    for clause in pack.clauses.iter().filter(|c| c.id.starts_with("5.1") && c.kind != "heading") {
        let (page, queries) = counted(manager.get(&format!("/clauses/{}", encoded(&clause.id)))).await;
        assert!(page.text.contains("仕組みと状態"), "{}: {}", clause.id, page.text);
        (least, most) = (least.min(queries), most.max(queries));
        mechanisms = mechanisms.max(clause.mechanisms.len());
    }
    // What a clause has nothing of is not asked for: rows of checks, duties that were done, cases and their content.
    assert!(mechanisms > 6 && most <= least + 4 && most < 40, "{least} to {most} queries");
}

/// An id in an address.
fn encoded(id: &str) -> String {
    id.bytes().map(|b| if b.is_ascii() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
