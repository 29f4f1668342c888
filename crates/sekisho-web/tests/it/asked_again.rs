//! What the pages name that ask for a second factor or again who somebody is: what the person has, and nothing else.

use axum::http::StatusCode;
use sekisho_app::AppError;

use crate::browser::Browser;
use crate::city::{CLERK, City, MANAGER, PASSWORD};
use crate::identity::later;
use crate::passkeys::{Device, register, with_passkey};

async fn change(city: &City, sql: &'static str) {
    let store = &city.office.store;
    let changed =
        store.write(move |c| Box::pin(async move { c.exec(sql, vec![]).await.map_err(AppError::from) }));
    assert!(changed.await.unwrap() > 0, "{sql}");
}

fn with<'a>(fields: &[(&'a str, &'a str)], proof: &'a str) -> Vec<(&'a str, &'a str)> {
    [fields, &[("proof", proof)]].concat()
}

#[tokio::test]
async fn the_pages_that_ask_name_what_the_person_has_and_the_passkey_first() {
    let (city, b, _) = with_passkey(CLERK).await;
    drop(b);
    // A passkey, recovery codes, no app.
    let mut second = Browser::new(&city);
    second.enter("u1001", PASSWORD).await;
    // The address of the guide above speaks of apps.
    let main = |text: String| text.split("<main").nth(1).unwrap().to_owned();
    let page = main(second.get("/login/code").await.text);
    let at = |page: &str, what: &str| page.find(what).unwrap_or_else(|| panic!("{what}: {page}"));
    assert!(at(&page, "data-passkey") < at(&page, "<label for=\"code\">回復コード<"), "{page}");
    assert!(!page.contains("認証アプリ") && !page.contains("6桁"), "{page}");
    let wrong = second.post("/login/code", &[("code", "000000"), ("next", "/")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let wrong = main(wrong.text);
    assert!(wrong.contains("回復コードが違います") && !wrong.contains("アプリ"), "{wrong}");

    let mut b = city.browser(MANAGER).await;
    let mut device = Device::new("second");
    let codes = register(&mut b, &mut device, "課長席").await;
    later(&city, 20);
    let fields = [("name", "集計"), ("scope", "read"), ("days", "30"), ("do", "make")];
    let page = main(b.post("/account/tokens", &fields).await.text);
    assert!(at(&page, "data-passkey") < at(&page, "<label for=\"proof\">パスワード<"), "{page}");
    assert!(!page.contains("認証アプリ") && !page.contains("6桁") && !page.contains("回復コード"), "{page}");
    let wrong = b.post("/account/tokens", &with(&fields, "000000")).await;
    let wrong = main(wrong.text);
    assert!(wrong.contains("パスワードが違います") && !wrong.contains("コード"), "{wrong}");

    // Whom no password opens is asked for a recovery code, each once.
    change(&city, "UPDATE account SET password = '' WHERE login = 'u1002'").await;
    let page = b.post("/account/tokens", &fields).await.text;
    assert!(page.contains("<label for=\"proof\">回復コード<") && !page.contains("パスワード<"), "{page}");
    let mut own = codes.text.split("<li><code>").skip(1).map(|c| c.split('<').next().unwrap());
    let code = own.next().unwrap();
    let done = b.post("/account/tokens", &with(&fields, code)).await;
    assert!(done.status == StatusCode::OK && done.text.contains("トークンを作りました"), "{}", done.text);
    later(&city, 20);
    assert_eq!(
        b.post("/account/tokens", &with(&fields, code)).await.status,
        StatusCode::UNAUTHORIZED,
        "used"
    );
    assert_eq!(b.post("/account/tokens", &with(&fields, PASSWORD)).await.status, StatusCode::UNAUTHORIZED);
    // Without any left the passkey is what there is.
    change(&city, "DELETE FROM recovery_code WHERE login = 'u1002'").await;
    let page = b.post("/account/tokens", &fields).await.text;
    assert!(page.contains("data-passkey") && !page.contains("name=\"proof\""), "{page}");
    assert!(page.contains("パスキーのボタンが出ないとき"), "{page}");
}
