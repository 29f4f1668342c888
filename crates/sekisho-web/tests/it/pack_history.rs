//! The standard at a past date: which version was in force, its files as they stood, what differs from another; what was never in force is
//! read by those who propose and decide only.

use axum::http::StatusCode;
use sekisho_app::{AppError, setup};
use sekisho_base::Date;

use crate::browser::Browser;
use crate::city::{ADMIN, CLERK, City, MANAGER, SECOND_ADMIN, TODAY};
use crate::packs::{CISO, OFFICER, changed, confirm, edited, proposed};

async fn city() -> City {
    City::with_logins(&[CLERK, MANAGER, SECOND_ADMIN, OFFICER, CISO]).await
}

/// The part of a page that answers for a day.
async fn on(b: &mut Browser, day: &str) -> String {
    let page = b.get(&format!("/packs?on={day}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let answer =
        page.text.split("aria-labelledby=\"on-title\"").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    answer.split("</section>").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_day_is_answered_with_the_versions_in_force_on_it() {
    let city = city().await;
    let first = city.office.pack().hash.clone();
    let began: Date = TODAY.parse().unwrap();
    city.turn_to(&began.plus_days(10).to_string(), 9).await;
    let address = proposed(&city, changed()).await;
    city.turn_to(&began.plus_days(12).to_string(), 9).await;
    confirm(&mut city.browser(CISO).await, &address).await;
    let second = city.office.pack().hash.clone();
    city.turn_to(&began.plus_days(20).to_string(), 9).await;

    // An ordinary member of staff sees it too, but is led to no proposal.
    let mut clerk = city.browser(CLERK).await;
    let text = on(&mut clerk, &began.plus_days(11).to_string()).await;
    assert!(text.contains(&first) && !text.contains(&second), "proposed is not in force: {text}");
    assert!(text.contains("最初の設定"), "{text}");
    let text = on(&mut clerk, &began.plus_days(12).to_string()).await;
    assert!(text.contains(&first) && text.contains(&second), "both on the day of the change: {text}");
    assert!(text.contains("この日に版が替わっています"), "{text}");
    let text = on(&mut clerk, &began.plus_days(13).to_string()).await;
    assert!(!text.contains(&first) && text.contains(&second), "{text}");
    assert!(text.contains("情報 太郎") && text.contains("副島 長子"), "who proposed and who decided: {text}");
    assert!(!text.contains("/packs/proposals/"), "{text}");
    let before = on(&mut clerk, &began.plus_days(-1).to_string()).await;
    assert!(before.contains("まだどの版も使われていませんでした"), "{before}");
    let mut ciso = city.browser(CISO).await;
    assert!(on(&mut ciso, &began.plus_days(13).to_string()).await.contains(&address));

    // Going back to the first one is a second time of the same version.
    let back = city.browser(OFFICER).await.post("/packs", &[("hash", &first)]).await.location();
    confirm(&mut ciso, back.split('?').next().unwrap()).await;
    let page = clerk.get(&format!("/packs/versions/{first}")).await;
    assert_eq!(page.text.matches("data-label=\"有効だった期間\"").count(), 2, "{}", page.text);
    assert!(
        page.text.contains("使用中")
            && !on(&mut clerk, &began.plus_days(13).to_string()).await.contains(&first)
    );

    // Whoever cannot propose reads what a version is for, too.
    let page = clerk.get("/packs").await;
    let cells: Vec<&str> = page.text.split("data-label=\"使い方\">").skip(1).collect();
    assert!(cells.len() > 1 && cells.iter().all(|c| !c.starts_with("</td>")), "{}", page.text);
    assert!(cells.iter().any(|c| c.contains("使っていません")), "{}", page.text);

    for (typed, says) in [("2099-01-01", "先の日付"), ("%E6%98%A8%E6%97%A5", "日付"), ("2026-02-30", "日付")]
    {
        let page = clerk.get(&format!("/packs?on={typed}")).await;
        let says = page
            .text
            .split("id=\"on-error\">")
            .nth(1)
            .is_some_and(|t| t.split("</p>").next().unwrap().contains(says));
        assert!(page.status == StatusCode::OK && says, "{typed}: {}", page.text);
        assert!(!page.text.contains("on-title"), "{typed}");
    }
}

#[tokio::test]
async fn files_are_read_as_they_stood_and_compared_line_by_line() {
    let city = city().await;
    let first = city.office.pack().hash.clone();
    let address = proposed(&city, changed()).await;
    let mut clerk = city.browser(CLERK).await;
    // There is nothing to compare before.
    assert!(clerk.get("/packs/compare").await.text.contains("同じ版なので"));
    confirm(&mut city.browser(CISO).await, &address).await;
    let second = city.office.pack().hash.clone();

    let (old, new) = (
        "by = &#34;section_security_manager of applicant.section&#34;",
        "by = &#34;department_security_officer of applicant.department&#34;",
    );
    let page = clerk.get(&format!("/packs/versions/{first}")).await;
    assert!(page.text.contains("file?path=procedures/take_out.toml") && !page.text.contains("<textarea"));
    let page = clerk.get(&format!("/packs/versions/{first}/file?path=procedures/take_out.toml")).await;
    assert_eq!(
        page.text.matches("<tr id=\"l").count(),
        setup::model_pack_files()["procedures/take_out.toml"].lines().count()
    );
    assert!(page.text.contains(old), "{}", page.text);

    // Without anything said: what was in force before, and what is now.
    let page = clerk.get("/packs/compare").await;
    assert!(
        page.text
            .contains("行う人: 申請者の課室の情報セキュリティ管理者 → 申請者の部局の情報セキュリティ責任者"),
        "{}",
        page.text
    );
    assert!(page.text.contains("失う権限") && page.text.contains("href=\"/clauses/"), "{}", page.text);
    let link = format!("/packs/compare/file?old={first}&new={second}&path=procedures/take_out.toml");
    assert!(
        page.text.contains(&link.replace('&', "&#38;")) || page.text.contains(&link.replace('&', "&amp;")),
        "{}",
        page.text
    );
    let page = clerk.get(&link).await;
    let row = |class: &str, text: &str| {
        page.text.lines().any(|l| l.contains(&format!("<tr class=\"{class}\">")) && l.contains(text))
    };
    assert!(row("removed", old) && row("added", new) && !row("same", old), "{}", page.text);
    assert!(
        page.text.contains("行を省いています") && page.text.contains("増えた行 1、消えた行 1"),
        "{}",
        page.text
    );
    // The other way round.
    let page = clerk.get(&format!("/packs/compare?old={second}&new={first}")).await;
    assert!(
        page.text
            .contains("行う人: 申請者の部局の情報セキュリティ責任者 → 申請者の課室の情報セキュリティ管理者"),
        "{}",
        page.text
    );
    let page = clerk.get(&format!("/packs/compare/file?old={first}&new={second}&path=roles.toml")).await;
    assert!(page.text.contains("2つの版で同じです"), "{}", page.text);
    for nothing in [
        "/packs/versions/0000".to_owned(),
        format!("/packs/versions/{first}/file?path=procedures/none.toml"),
        format!("/packs/versions/{first}/file"),
        format!("/packs/compare?old={first}&new=0000"),
        format!("/packs/compare/file?old={first}&new={second}&path=../x"),
    ] {
        assert_eq!(clerk.get(&nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
}

#[tokio::test]
async fn what_was_never_in_force_is_read_by_proposers_and_deciders_only() {
    let city = city().await;
    let first = city.office.pack().hash.clone();
    let files = edited(&[("title = \"許可\"", "title = \"まだ決まらない許可\"")]);
    let hash = sekisho_app::pack_tools::examine(&files).0.unwrap().hash;
    let address = proposed(&city, files).await;
    let pages = [
        format!("/packs/versions/{hash}"),
        format!("/packs/versions/{hash}/file?path=procedures/take_out.toml"),
        format!("/packs/compare?old={first}&new={hash}"),
        format!("/packs/compare?old={hash}"),
        format!("/packs/compare/file?old={first}&new={hash}&path=procedures/take_out.toml"),
    ];
    for number in [CLERK, MANAGER] {
        let mut b = city.browser(number).await;
        for page in &pages {
            assert_eq!(b.get(page).await.status, StatusCode::NOT_FOUND, "{number} {page}");
        }
        assert!(!b.get("/packs").await.text.contains(&format!("/packs/versions/{hash}")), "{number}");
        assert!(!b.get("/packs/compare").await.text.contains(&hash), "{number}");
    }
    for number in [ADMIN, CISO] {
        let mut b = city.browser(number).await;
        for page in &pages {
            assert_eq!(b.get(page).await.status, StatusCode::OK, "{number} {page}");
        }
        assert!(b.get(&pages[0]).await.text.contains("有効になったことがありません"), "{number}");
        assert!(b.get(&pages[4]).await.text.contains("まだ決まらない許可"), "{number}");
        assert!(b.get(&address).await.text.contains("文書の違いを行ごとに見る"), "{number}");
    }
    // In force, it is everybody's to read, and stays so.
    confirm(&mut city.browser(CISO).await, &address).await;
    assert_eq!(city.browser(CLERK).await.get(&pages[1]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_version_that_the_program_cannot_read_any_more_is_still_read_by_people() {
    let city = city().await;
    let first = city.office.pack().hash.clone();
    let address = proposed(&city, changed()).await;
    confirm(&mut city.browser(CISO).await, &address).await;
    // As if a later program knew the key no more.
    let sql = format!(
        "UPDATE pack_version SET files = REPLACE(files, 'must_be_filled', 'must_be_full') WHERE hash = '{first}'"
    );
    let spoilt = city
        .office
        .store
        .write(move |c| Box::pin(async move { c.exec(&sql, vec![]).await.map_err(AppError::from) }));
    assert_eq!(spoilt.await.unwrap(), 1);
    let mut clerk = city.browser(CLERK).await;
    let page = clerk.get("/packs/compare").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("今のプログラムでは読み解けない書き方"), "{}", page.text);
    assert!(page.text.contains("path=roles.toml") && page.text.contains("path=procedures/take_out.toml"));
}
