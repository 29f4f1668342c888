//! Duties through the pages: they arise with the clock, only the holder of the role does them, evidence is asked for, late ones go up, and the
//! clause follows.

use axum::http::StatusCode;

use crate::browser::{Browser, Page};
use crate::city::{ADMIN, CLERK, City, DEPUTY, DIRECTOR, MANAGER, OTHER_MANAGER, at, line_with, workbook};
use crate::proposals::import_organization;

/// What the inventory of assets asks for.
pub const INVENTORY: [(&str, &str); 3] =
    [("e.checked_on", "R8.11.25"), ("e.checked", "2"), ("e.differences", "なし")];

/// Address of the occurrence of a duty on a page of duties, by its title and unit.
pub fn link(page: &Page, title: &str, unit: &str) -> String {
    let rows = page.text.split("<tr>").skip(1).map(|r| r.split("</tr>").next().unwrap());
    let row = rows.into_iter().find(|r| r.contains(title) && r.contains(&format!(">{unit}<")));
    let row = row.unwrap_or_else(|| panic!("{title} of {unit}: {}", page.text));
    row.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn own(b: &mut Browser, title: &str, unit: &str) -> String {
    let page = b.get("/duties").await;
    link(&page, title, unit)
}

#[tokio::test]
async fn a_duty_arises_once_is_done_by_its_holder_and_carries_the_clause() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    let made = city.count("SELECT COUNT(*) FROM duty_occurrence").await;
    assert!(made > 20, "{made}");
    let sections = city.count("SELECT COUNT(*) FROM duty_occurrence WHERE duty = 'asset_inventory'").await;
    assert_eq!(sections, 3, "one for each section");
    let entries = city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind <> 'account.login'").await;
    city.turn_to("2026-11-25", 12).await;
    assert_eq!(city.count("SELECT COUNT(*) FROM duty_occurrence").await, made, "nothing twice");
    assert_eq!(
        city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind <> 'account.login'").await,
        entries,
        "nothing twice"
    );

    let mut manager = city.browser(MANAGER).await;
    let clause = manager.get("/clauses/2.0.2.1.%E3%82%A2").await;
    let line = line_with(&clause, "/duties/asset_inventory");
    assert!(line.contains("未評価") && line.contains("まだ行われていないもの 3件"), "{line}");
    let path = own(&mut manager, "情報資産の棚卸し", "高齢福祉課").await;

    // Whoever does not hold the role is refused, also with all the evidence: nothing is written.
    for number in [CLERK, DEPUTY, OTHER_MANAGER, DIRECTOR, ADMIN] {
        let mut b = city.browser(number).await;
        let page = b.get(&path).await;
        assert!(!page.offers("done"), "{number}");
        b.get("/").await;
        let before = city.written().await;
        let sent = b.post(&path, &INVENTORY).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{number}: {}", sent.text);
        assert!(sent.text.contains("高齢福祉課の情報セキュリティ管理者です"), "{}", sent.text);
        assert_eq!(city.written().await, before, "{number}");
    }

    // Without evidence it is not done, and what was typed is kept.
    let page = manager.get(&path).await;
    assert!(page.offers("done") && page.text.contains("突き合わせた件数"), "{}", page.text);
    let sent = manager.post(&path, &[("e.checked_on", "R8.11.26"), ("e.differences", "棚が違う")]).await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        sent.text.contains("今日かそれより前の日")
            && sent.text.contains("突き合わせた件数を入力してください")
            && sent.text.contains("棚が違う"),
        "{}",
        sent.text
    );
    let sent = manager.post(&path, &INVENTORY).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let page = manager.get(&path).await;
    assert!(
        page.text.contains("渡邉 一郎")
            && page.text.contains("令和8年11月25日")
            && page.text.contains("有効な期間"),
        "{}",
        page.text
    );
    assert!(!page.offers("done"));
    assert_eq!(manager.post(&path, &INVENTORY).await.status, StatusCode::FORBIDDEN, "done is done");
    assert_eq!(
        city.count("SELECT COUNT(*) FROM duty_occurrence o JOIN ledger_entry e ON e.id = o.entry WHERE e.kind = 'duty.done'").await,
        1
    );

    let clause = manager.get("/clauses/2.0.2.1.%E3%82%A2").await;
    let line = line_with(&clause, "/duties/asset_inventory");
    assert!(line.contains("まだ行われていないもの 2件"), "{line}");
    for (number, unit) in [(OTHER_MANAGER, "障害福祉課"), (ADMIN, "情報政策課")] {
        let mut b = city.browser(number).await;
        let path = own(&mut b, "情報資産の棚卸し", unit).await;
        b.get(&path).await;
        assert_eq!(b.post(&path, &INVENTORY).await.status, StatusCode::SEE_OTHER, "{number}");
    }
    let clause = manager.get("/clauses/2.0.2.1.%E3%82%A2").await;
    let line = line_with(&clause, "/duties/asset_inventory");
    assert!(line.contains("適合") && line.contains("有効な記録 3件"), "{line}");

    // The next year's arises, and last year's records carry the clause until its due date.
    city.turn_to("2027-04-01", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let clause = manager.get("/clauses/2.0.2.1.%E3%82%A2").await;
    let line = line_with(&clause, "/duties/asset_inventory");
    assert!(line.contains("適合"), "{line}");
    city.turn_to("2028-04-03", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let clause = manager.get("/clauses/2.0.2.1.%E3%82%A2").await;
    let line = line_with(&clause, "/duties/asset_inventory");
    assert!(line.contains("不適合") && line.contains("期限を過ぎたもの 3件"), "{line}");
}

#[tokio::test]
async fn a_late_duty_goes_up_role_by_role_and_the_role_above_may_do_it() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    // The monthly look at what was taken out is due at the end of November, a Monday.
    let city = &city;
    let told = |person: &'static str, kind: &'static str| async move {
        let sql = match (person, kind) {
            (MANAGER, "duty_remind") => {
                "SELECT COUNT(*) FROM notification WHERE person = '1002' AND kind = 'duty_remind' AND link LIKE '/duties/take_out_review/%'"
            }
            (MANAGER, _) => {
                "SELECT COUNT(*) FROM notification WHERE person = '1002' AND kind = 'duty_late' AND link LIKE '/duties/take_out_review/%'"
            }
            (DIRECTOR, _) => {
                "SELECT COUNT(*) FROM notification WHERE person = '1003' AND kind = 'duty_escalated' AND link LIKE '/duties/take_out_review/%'"
            }
            _ => {
                "SELECT COUNT(*) FROM notification WHERE person = '8001' AND kind = 'duty_escalated' AND link LIKE '/duties/take_out_review/%'"
            }
        };
        city.count(sql).await
    };
    assert_eq!(told(MANAGER, "duty_remind").await, 1, "three business days before it");
    city.turn_to("2026-11-26", 9).await;
    assert_eq!(told(MANAGER, "duty_remind").await, 1, "reminded once");
    city.turn_to("2026-12-01", 9).await;
    assert_eq!((told(MANAGER, "duty_late").await, told(DIRECTOR, "").await), (0, 0));
    let mut director = city.browser(DIRECTOR).await;
    let open = director.get("/duties?all=1").await;
    let path = link(&open, "持出し・持込みの月ごとの確認", "高齢福祉課");
    assert!(!director.get(&path).await.offers("done"), "not yet the director's");
    // Five business days after the due date.
    city.turn_to("2026-12-07", 9).await;
    assert_eq!(
        (told(MANAGER, "duty_late").await, told(DIRECTOR, "").await),
        (1, 2),
        "for each of two sections"
    );
    assert_eq!(told("8001", "").await, 1, "who heads the department of the third section");
    city.turn_to("2026-12-14", 9).await;
    assert_eq!(told("8001", "").await, 1 + 3, "and five later the role above all of them");
    assert_eq!(told(DIRECTOR, "").await, 2, "nobody is told twice");
    let mut director = city.browser(DIRECTOR).await;
    let page = director.get(&path).await;
    assert!(page.offers("done") && page.text.contains("上位の責任者として"), "{}", page.text);
    let sent = director.post(&path, &[("e.cases", "0"), ("e.not_back", "なし")]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let page = director.get(&path).await;
    assert!(
        page.text.contains("情報セキュリティ責任者（上位の責任者として）")
            && page.text.contains("邉\u{e0101}見 清"),
        "{}",
        page.text
    );
    // What one was told is on one's own page, and nobody else opens it.
    let news = director.get("/notifications").await;
    assert!(news.text.contains("上位の責任者として対応してください"), "{}", news.text);
    let open =
        news.text.split("action=\"/notifications/").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let open = format!("/notifications/{open}");
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/").await;
    assert_eq!(clerk.post(&open, &[]).await.status, StatusCode::NOT_FOUND);
    let unread =
        city.count("SELECT COUNT(*) FROM notification WHERE person = '1003' AND read_at IS NULL").await;
    let opened = director.post(&open, &[]).await;
    assert!(opened.location().starts_with("/duties/"), "{}", opened.location());
    assert_eq!(
        city.count("SELECT COUNT(*) FROM notification WHERE person = '1003' AND read_at IS NULL").await,
        unread - 1
    );
    assert_eq!(
        city.count("SELECT COUNT(*) FROM notification n LEFT JOIN ledger_entry e ON e.id = n.entry WHERE e.kind IS NULL OR e.kind <> 'notification.made'").await,
        0,
        "every notification has its entry"
    );
}

#[tokio::test]
async fn a_past_day_is_as_it_was_known_then() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    city.turn_to("2026-12-02", 9).await;
    let mut admin = city.browser(ADMIN).await;
    let state = |page: &Page| line_with(page, "clauses/5.1.1.5\"").to_owned();
    let page = admin.get("/clauses?on=R8.12.2").await;
    assert!(state(&page).contains("不適合"), "{}", state(&page));
    for number in [MANAGER, OTHER_MANAGER, ADMIN] {
        let mut b = city.browser(number).await;
        let page = b.get("/duties").await;
        for path in page.text.split("href=\"").skip(1).map(|r| r.split('"').next().unwrap()) {
            if path.starts_with("/duties/take_out_review/") {
                b.post(path, &[("e.cases", "0"), ("e.not_back", "なし")]).await;
            }
        }
    }
    city.clock.set(at("2026-12-03", 9));
    let mut admin = city.browser(ADMIN).await;
    let today = admin.get("/clauses").await;
    assert!(!state(&today).contains("不適合"), "{}", state(&today));
    let then = admin.get("/clauses?on=R8.12.1").await;
    assert!(state(&then).contains("不適合"), "late was late: {}", state(&then));
    let before = admin.get("/clauses?on=R8.11.25").await;
    assert!(!state(&before).contains("不適合"), "{}", state(&before));
}

#[tokio::test]
async fn joining_raises_a_duty_for_the_section_once() {
    let city = City::settled().await;
    city.turn_to("2026-11-25", 11).await;
    assert_eq!(
        city.count("SELECT COUNT(*) FROM duty_occurrence WHERE duty = 'onboarding_briefing'").await,
        0
    );
    let people = "職員番号,氏名,ふりがな\r\n7001,新田 いずみ,にった いずみ\r\n";
    import_organization(&city, "職員.csv", people.as_bytes()).await;
    let posts = "職員番号,職コード,本務/兼務,開始日\r\n7001,21-s,本務,R8.12.1\r\n";
    import_organization(&city, "任命.csv", posts.as_bytes()).await;
    city.turn_to("2026-11-30", 9).await;
    assert_eq!(
        city.count("SELECT COUNT(*) FROM duty_occurrence WHERE duty = 'onboarding_briefing'").await,
        0
    );
    for day in ["2026-12-01", "2026-12-02"] {
        city.turn_to(day, 9).await;
        assert_eq!(
            city.count("SELECT COUNT(*) FROM duty_occurrence WHERE duty = 'onboarding_briefing' AND unit = '21' AND subject = '7001' AND due_on = '2026-12-15'").await,
            1
        );
    }
    let mut manager = city.browser(MANAGER).await;
    let page = manager.get("/").await;
    assert!(line_with(&page, "採用時の説明").contains("新田 いずみ"), "{}", page.text);
    // A section that is closed takes its open duties with it.
    assert!(
        city.count("SELECT COUNT(*) FROM duty_occurrence WHERE unit = '22' AND closed_at IS NULL").await > 0
    );
    let leaving = "職員番号,職コード,本務/兼務,開始日,終了日\r\n2001,22-s,本務,R8.4.1,R8.12.2\r\n2002,22-h,本務,R8.4.1,R8.12.2\r\n";
    import_organization(&city, "任命.csv", leaving.as_bytes()).await;
    let units = "組織コード,名称,種別,上位コード,開始日,終了日\r\n22,障害福祉課,課室,2,R2.4.1,R8.12.2\r\n";
    import_organization(&city, "組織.csv", units.as_bytes()).await;
    city.turn_to("2026-12-03", 9).await;
    assert_eq!(
        city.count("SELECT COUNT(*) FROM duty_occurrence WHERE unit = '22' AND closed_at IS NULL").await,
        0
    );
    assert_eq!(
        city.count("SELECT COUNT(*) FROM duty_occurrence o LEFT JOIN ledger_entry e ON e.id = o.entry WHERE o.outcome = 'void' AND (e.kind IS NULL OR e.kind <> 'duty.void')").await,
        0
    );
}

#[tokio::test]
async fn an_organization_as_imported_raises_nothing_about_the_people_in_it() {
    let city = City::empty().await;
    sekisho_app::first::import(&city.office, "organization.xlsx", workbook(|_| ""), true).await.unwrap();
    city.turn_to("2026-11-25", 11).await;
    assert_eq!(city.count("SELECT COUNT(*) FROM duty_occurrence WHERE subject <> ''").await, 0);
}
