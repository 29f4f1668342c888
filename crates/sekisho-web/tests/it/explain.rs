//! Who may act now, and why not the others: on the case's page, and by `sekisho case explain`.

use std::process::Command;

use axum::http::StatusCode;
use sekisho_app::exchange::org::{OrgRecords, OrgSheet};

use crate::acts::{application, apply, changed, done, item, press};
use crate::browser::Browser;
use crate::city::{
    ADMIN, CLERK, City, DEPUTY, DIRECTOR, MANAGER, OTHER_CLERK, asset, org_file, print_program, record,
};
use crate::proposals::import_organization;
use crate::related::applied;

/// A 係長 of the section, and a branch office with its head.
async fn grows(city: &City) {
    let mut org = OrgRecords::default();
    let unit =
        [("code", "23"), ("name", "港支所"), ("kind", "branch"), ("parent", "2"), ("from", "2020-04-01")];
    org.insert(OrgSheet::Units, record(&unit));
    for (code, unit, title, head) in
        [("21-c", "21", "係長", ""), ("23-h", "23", "港支所長", "1"), ("23-s", "23", "主事", "")]
    {
        let post = [("code", code), ("unit", unit), ("title", title), ("head", head)];
        org.insert(OrgSheet::Posts, record(&post));
    }
    for (number, name, post) in
        [("1005", "係 長子", "21-c"), ("2301", "支所 長介", "23-h"), ("2302", "支所 次郎", "23-s")]
    {
        org.insert(OrgSheet::Persons, record(&[("number", number), ("name", name)]));
        let a = [("person", number), ("post", post), ("main", "main"), ("from", "2026-04-01")];
        org.insert(OrgSheet::Appointments, record(&a));
    }
    import_organization(city, "組織.xlsx", &org_file(&org)).await;
}

/// The lines about who may act: with 「できる」 or 「できない」 first.
async fn explained(b: &mut Browser, case: &str) -> Vec<String> {
    let page = b.get(case).await;
    let list =
        page.text.split("だれが処理できるか</summary>").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let list = list.split("</ul>").next().unwrap();
    list.split("<li>").skip(1).map(|l| l.replace("<strong>", "").replace("</strong>", "")).collect()
}

fn line<'l>(lines: &'l [String], who: &str) -> &'l str {
    lines.iter().find(|l| l.contains(who)).unwrap_or_else(|| panic!("{who}: {lines:#?}"))
}

async fn number(b: &mut Browser, case: &str) -> String {
    let page = b.get(case).await;
    page.text.split("</span><span>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// What the program says at the terminal.
fn at_the_terminal(city: &City, number: &str) -> String {
    let asked = Command::new(print_program())
        .args(["case", "explain", "--data"])
        .arg(city.data())
        .arg(number)
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8(asked.stdout).unwrap()
}

#[tokio::test]
async fn the_page_and_the_terminal_say_who_may_act_and_why_not_the_others() {
    let city = City::settled().await;
    grows(&city).await;
    city.give_login("2302").await;
    let (mut clerk, mut manager, mut deputy) =
        (city.browser(CLERK).await, city.browser(MANAGER).await, city.browser(DEPUTY).await);

    // An important case: in the manager's absence the deputy decides with a reason only.
    let key = item(&mut clerk, "A-001").await;
    let disposal = [
        ("post", "21-s"),
        ("items", key.as_str()),
        ("fate", "scrap"),
        ("reason", "保存期間が終わった"),
        ("medium", "paper"),
        ("method", "destroy"),
        ("operator", "staff"),
        ("from", "R8.11.25"),
        ("erase_by", "R8.12.25"),
    ];
    let important = applied(&mut clerk, "disposal", &disposal).await;
    let lines = explained(&mut clerk, &important).await;
    assert!(line(&lines, "渡邉 一郎").starts_with("できる"), "{lines:#?}");
    assert!(line(&lines, "小笠原 誠").starts_with("できない"), "the holder is present: {lines:#?}");
    assert!(line(&lines, "係 長子").starts_with("できない"), "{lines:#?}");
    assert!(line(&lines, "髙橋 花子").contains("申請者"), "{lines:#?}");
    let terminal = at_the_terminal(&city, &number(&mut clerk, &important).await);
    for l in &lines {
        let (who, why) = l.split_once(" — ").unwrap();
        let who = who.split_once('：').unwrap().1;
        let why = why.split('<').next().unwrap();
        assert!(terminal.contains(who) && terminal.contains(why), "{l}: {terminal}");
    }
    let away = [("from", "R8.11.25"), ("until", "R8.11.27"), ("kind", "sick")];
    assert_eq!(manager.post("/absences", &away).await.status, StatusCode::SEE_OTHER);
    let lines = explained(&mut clerk, &important).await;
    assert!(
        line(&lines, "小笠原 誠").starts_with("できる") && line(&lines, "小笠原 誠").contains("代決"),
        "{lines:#?}"
    );
    assert!(line(&lines, "渡邉 一郎").contains("不在"), "{lines:#?}");
    let page = deputy.get(&important).await;
    assert!(page.form("permit").contains("代決する理由"), "{}", page.form("permit"));
    let lacking = press(&mut deputy, &important, "permit", &[]).await;
    assert!(lacking.status.is_client_error() && lacking.text.contains("代決"), "{}", lacking.text);
    done(&mut deputy, &important, "permit", &[("reason", "課長から電話で指示を受けた")]).await;
    assert!(deputy.get(&important).await.text.contains("代決した理由：課長から電話で指示を受けた"));

    // 職務代理: whoever was lent the post, from the day on which it was approved.
    let key = item(&mut clerk, "A-002").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let address = crate::delegations::propose(&mut manager, "21-h", OTHER_CLERK).await;
    assert!(
        !explained(&mut clerk, &case).await.iter().any(|l| l.contains("﨑山 徹") && l.starts_with("できる"))
    );
    let director = city.browser(DIRECTOR).await;
    let approved = director.post(&address, &[("do", "approve"), ("says", "")]).await;
    assert_eq!(approved.status, StatusCode::SEE_OTHER, "{}", approved.text);
    let lines = explained(&mut clerk, &case).await;
    let lent = line(&lines, "﨑山 徹");
    assert!(lent.starts_with("できる") && lent.contains("職務代理"), "{lines:#?}");

    // A branch office decides for itself.
    let admin = city.browser(ADMIN).await;
    let row = changed(&asset("D-001", "支所の受付簿", "23"), &[("manager", "23-h")]);
    let made = admin.post("/registers/asset/new", &row).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let mut branch = city.browser("2302").await;
    let key = item(&mut branch, "D-001").await;
    let case = apply(&mut branch, &application("23-s", &key)).await;
    let lines = explained(&mut branch, &case).await;
    assert!(line(&lines, "支所 長介").starts_with("できる"), "{lines:#?}");
    assert!(!lines.iter().any(|l| l.contains("渡邉 一郎")), "{lines:#?}");
}

#[tokio::test]
async fn a_post_by_title_and_a_standing_delegation_are_explained() {
    let city = City::settled().await;
    grows(&city).await;
    let (mut clerk, mut manager) = (city.browser(CLERK).await, city.browser(MANAGER).await);
    let key = item(&mut clerk, "A-001").await;
    let late = apply(&mut clerk, &application("21-s", &key)).await;
    done(&mut manager, &late, "permit", &[]).await;
    done(&mut clerk, &late, "move_out", &[]).await;
    city.turn_to("2026-11-28", 9).await;
    city.turn_to("2026-12-08", 9).await;
    let (mut manager, mut director) = (city.browser(MANAGER).await, city.browser(DIRECTOR).await);
    let page = manager.get("/cases").await;
    let address = crate::city::line_with(&page, "是正-R8-0001").split("href=\"").nth(1).unwrap();
    let case = address.split('"').next().unwrap().to_owned();
    let lines = explained(&mut manager, &case).await;
    for who in ["係 長子", "渡邉 一郎"] {
        assert!(line(&lines, who).starts_with("できる"), "{who}: {lines:#?}");
    }
    assert!(!lines.iter().any(|l| l.contains("髙橋 花子") && l.starts_with("できる")), "{lines:#?}");
    let plan = [("e.why", "失念"), ("e.measure", "予定表に入れる"), ("e.fix_by", "R8.12.18")];
    done(&mut manager, &case, "perform", &plan).await;
    let fixed = [("e.fixed_on", "R8.12.8"), ("e.done", "入れた"), ("e.elsewhere", "none")];
    done(&mut manager, &case, "perform", &fixed).await;
    let lines = explained(&mut director, &case).await;
    let decides = line(&lines, "邉\u{e0101}見 清");
    assert!(decides.starts_with("できる") && decides.contains("専決"), "{lines:#?}");
    assert!(!lines.iter().any(|l| l.contains("渡邉 一郎") && l.starts_with("できる")), "{lines:#?}");
    assert!(line(&lines, "統括 三郎").contains("期限を過ぎると"), "{lines:#?}");
}
