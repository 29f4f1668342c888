//! Logins by file: SCIM and tables, the dry run, what is told of errors, carrying out once, undoing where nothing came after.

use axum::http::StatusCode;

use crate::acts::refusal;
use crate::browser::{Browser, Page, hidden};
use crate::city::{ADMIN, CISO, CLERK, City, HEAD, MANAGER, PASSWORD, SECOND_ADMIN};
use crate::identity::{entries, later};

const IMPORT: &str = "/accounts/import";

/// Makes the heads' logins, stops the clerk's and leaves the manager's.
const SCIM: &str = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "Resources": [
    {"userName": "Saburo", "externalId": "8001", "displayName": "統括三郎", "active": true},
    {"userName": "choko", "name": {"familyName": "別の", "givenName": "名前"},
     "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "8002"}},
    {"userName": "u1001", "externalId": "1001", "active": false},
    {"userName": "other", "externalId": "1002"}]}"#;

async fn check(b: &Browser, name: &str, bytes: &[u8], conflict: &str) -> Page {
    b.upload(IMPORT, &[("do", "check"), ("checked", "own"), ("conflict", conflict)], name, bytes).await
}

async fn apply(b: &Browser, plan: &Page) -> Page {
    let fields = ["upload", "shown", "conflict", "checked"].map(|n| (n, hidden(plan.form("apply"), n)));
    let mut send = vec![("do", "apply")];
    send.extend(fields.iter().map(|(n, v)| (*n, v.as_str())));
    b.post(IMPORT, &send).await
}

/// Made, stopped, same, errors.
fn counts(page: &Page) -> [usize; 4] {
    ["発行", "停止", "そのまま", "誤り"].map(|label| {
        let before = page.text.split(&format!("</strong>{label}</span>")).next().unwrap();
        before.rsplit("<strong>").next().unwrap().parse().unwrap()
    })
}

#[tokio::test]
async fn scim_makes_and_stops_logins_once_and_is_undone_where_nothing_came_after() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let mut clerk = city.browser(CLERK).await;
    let before = city.count("SELECT COUNT(*) FROM account").await;
    let page = check(&admin, "users.json", SCIM.as_bytes(), "skip").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(counts(&page), [2, 1, 1, 0], "{}", page.text);
    for says in ["saburo 統括 三郎", "氏名が組織（副島 長子）と違います", "別のログイン名（u1002）"]
    {
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM account").await, before, "nothing changed yet");
    // Somebody else's upload, other words than shown, and a file that became another meanwhile are refused.
    let other = city.browser(SECOND_ADMIN).await;
    assert!(refusal(&apply(&other, &page).await).contains("もう一度ファイルを"));
    let forged = admin
        .post(
            IMPORT,
            &[
                ("do", "apply"),
                ("upload", &hidden(&page.text, "upload")),
                ("shown", "x"),
                ("checked", "own"),
                ("conflict", "skip"),
            ],
        )
        .await;
    assert!(refusal(&forged).contains("もう一度"), "{}", forged.text);

    let done = apply(&admin, &page).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    let passwords: Vec<&str> =
        done.text.split("<code>").skip(1).map(|t| t.split('<').next().unwrap()).collect();
    assert_eq!(passwords.len(), 2, "{}", done.text);
    assert_eq!(city.count("SELECT COUNT(*) FROM account").await, before + 2);
    assert!(clerk.get("/").await.location().starts_with("/login"), "the stopped one's sessions end");
    assert_eq!(Browser::new(&city).enter("u1001", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        Browser::new(&city).enter("u1002", PASSWORD).await.status,
        StatusCode::SEE_OTHER,
        "nobody's password changed"
    );
    assert_eq!([entries(&city, "account.import").await, entries(&city, "account.disabled").await], [1, 1]);
    // Those above the new ones who hold a role, the stopped one and the head above are told.
    assert!(city.count("SELECT COUNT(*) FROM notification WHERE subject LIKE '%停止されました%'").await >= 2);
    assert!(apply(&admin, &page).await.status != StatusCode::OK, "not twice");

    // One of the two comes in: that login stays when the import is undone.
    let mut b = Browser::new(&city);
    assert_eq!(b.enter("saburo", passwords[0]).await.location(), "/password");
    let past = admin.get(IMPORT).await;
    assert!(past.text.contains("発行 2人、停止 1人"), "{}", past.text);
    let id = hidden(past.form("undo"), "import");
    later(&city, 16);
    assert_eq!(
        admin.post(IMPORT, &[("do", "undo"), ("import", &id)]).await.status,
        StatusCode::UNAUTHORIZED,
        "asks again"
    );
    let undone = admin.post(IMPORT, &[("do", "undo"), ("import", &id), ("proof", PASSWORD)]).await;
    assert!(
        undone.text.contains("前の状態に戻したもの 2人") && undone.text.contains("<li>saburo"),
        "{}",
        undone.text
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM account").await, before + 1);
    assert_eq!(Browser::new(&city).enter("u1001", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(city.count("SELECT COUNT(*) FROM account WHERE person = '8002'").await, 0);
    let again = admin.post(IMPORT, &[("do", "undo"), ("import", &id)]).await;
    assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY, "{}", again.text);
    assert_eq!(admin.post(IMPORT, &[("do", "undo"), ("import", "x")]).await.status, StatusCode::NOT_FOUND);
    // Entries and rows agree.
    sekisho_app::sequencer::drain(&city.office).await.unwrap();
    assert!(admin.get("/ledger").await.text.contains("利用者の取込み"));
}

#[tokio::test]
async fn errors_name_row_and_column_and_nothing_is_carried_out() {
    let city = City::settled().await;
    let admin = city.browser(ADMIN).await;
    let before = city.count("SELECT COUNT(*) FROM account").await;
    let csv = format!(
        "ログイン名,職員番号,利用\r\nu9999,7777,○\r\nab,{HEAD},○\r\nu1001,{CISO},○\r\nadmin,{ADMIN},×\r\nx_1,{MANAGER},○\r\nsaburo,{HEAD},たぶん\r\nU9999,8001,○\r\n"
    );
    let page = check(&admin, "users.csv", csv.as_bytes(), "stop").await;
    for (place, says) in [
        ("2行目", "この職員番号の人は組織にいません"),
        ("3行目", "3文字以上"),
        ("4行目", "ほかの人が使っています"),
        ("5行目", "自分のログインは止められません"),
        ("6行目", "別のログイン名（u1002）"),
        ("C7", "○か×として読めません"),
        ("8行目", "同じログイン名の行が2つ"),
    ] {
        let row = page.text.split("<tr>").find(|r| r.contains(place)).unwrap_or_default();
        assert!(row.contains(says), "{place} {says}: {}", page.text);
    }
    assert!(!page.offers("apply"), "{}", page.text);
    let fields = [("do", "apply"), ("conflict", "stop"), ("checked", "own"), ("upload", "x"), ("shown", "x")];
    assert_eq!(admin.post(IMPORT, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (name, bytes) in [("a.json", &b"{\"a\": 1}"[..]), ("a.pdf", b"%PDF-1.7"), ("a.csv", b"")] {
        let page = check(&admin, name, bytes, "skip").await;
        assert!(
            page.status == StatusCode::UNPROCESSABLE_ENTITY && !refusal(&page).is_empty(),
            "{name}: {}",
            page.text
        );
    }
    let none = admin.post(IMPORT, &[("do", "check")]).await;
    assert!(none.text.contains("ファイルを選んでください"), "{}", none.text);
    let bad = admin.post(IMPORT, &[("do", "check"), ("checked", "directory")]).await;
    assert!(bad.text.contains("ファイルを選んでください"), "{}", bad.text);
    assert_eq!(city.count("SELECT COUNT(*) FROM account_import").await, 0);
    assert_eq!(city.count("SELECT COUNT(*) FROM account").await, before);
}

#[tokio::test]
async fn what_is_done_already_is_nothing_to_do() {
    let city = City::settled().await;
    let admin = city.browser(ADMIN).await;
    assert_eq!(admin.post("/accounts/1001", &[("do", "stop")]).await.status, StatusCode::SEE_OTHER);
    let csv = "userName,employeeNumber,active\r\nu1001,1001,true\r\nu1002,1002,true\r\nchoko,8002,false\r\n";
    let page = check(&admin, "users.csv", csv.as_bytes(), "stop").await;
    assert_eq!(counts(&page), [0, 0, 3, 0], "{}", page.text);
    assert!(page.text.contains("取込みでは再開しません") && !page.offers("apply"), "{}", page.text);
    assert_eq!(city.count("SELECT COUNT(*) FROM account WHERE login = 'u1001' AND NOT active").await, 1);
}
