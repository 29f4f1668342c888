//! Logins whose password is checked at the directory, the choice where it is checked, and the directory beside organization and logins. The
//! directory here is made up; a real one is asked in `crates/sekisho-app/tests/ldap.rs`.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sekisho_app::ldap::{Answer, DirectoryServer, Entry, Health, LdapFault, Verdict};

use crate::acts::refusal;
use crate::browser::{Browser, Page, hidden};
use crate::city::{ADMIN, CLERK, City, DIRECTOR, HEAD, MANAGER, OTHER_CLERK, PASSWORD, SECOND_ADMIN};
use crate::identity::{enrol, entries, later};

const TITLE: &str = "庁内のAD";
pub const THERE: &str = "ディレクトリの合言葉";

/// A directory of a test.
#[derive(Default)]
pub struct Fake {
    pub people: Mutex<Vec<Entry>>,
    away: Mutex<bool>,
    /// Logins that were asked for, and whether a password came along.
    asked: Mutex<Vec<(String, bool)>>,
}

impl DirectoryServer for Fake {
    fn title(&self) -> &str {
        TITLE
    }

    fn check<'a>(&'a self, login: &'a str, password: Option<&'a str>) -> Answer<'a, Verdict> {
        Box::pin(async move {
            self.asked.lock().unwrap().push((login.to_owned(), password.is_some()));
            if *self.away.lock().unwrap() {
                return Err(LdapFault::Late(5));
            }
            let found = self.people.lock().unwrap().iter().find(|e| e.login == login && !e.disabled).cloned();
            match found {
                Some(e) if password == Some(THERE) => Ok(Verdict::Right(Box::new(e))),
                _ => Ok(Verdict::Wrong),
            }
        })
    }

    fn find<'a>(&'a self, logins: &'a [String]) -> Answer<'a, Vec<Option<Entry>>> {
        Box::pin(async move {
            if *self.away.lock().unwrap() {
                return Err(LdapFault::Late(5));
            }
            let people = self.people.lock().unwrap();
            Ok(logins.iter().map(|l| people.iter().find(|e| e.login == *l).cloned()).collect())
        })
    }

    fn looks_every(&self) -> Duration {
        Duration::from_secs(15 * 60)
    }

    fn people(&self) -> Answer<'_, Vec<Entry>> {
        Box::pin(async move {
            if *self.away.lock().unwrap() {
                return Err(LdapFault::Late(5));
            }
            Ok(self.people.lock().unwrap().clone())
        })
    }

    fn examine(&self) -> Answer<'_, Health> {
        Box::pin(async move { Ok(Health { server: "ldap://fake".to_owned(), certificate_until: None }) })
    }
}

impl Fake {
    pub fn set_away(&self, away: bool) {
        *self.away.lock().unwrap() = away;
    }

    /// What was asked since the last call.
    fn asked(&self) -> Vec<(String, bool)> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

pub fn entry(login: &str, number: &str, name: &str) -> Entry {
    Entry { login: login.to_owned(), number: number.to_owned(), name: name.to_owned(), ..Entry::default() }
}

/// The settled city with a directory.
pub async fn settled(people: Vec<Entry>) -> (City, Arc<Fake>) {
    let city = City::settled().await;
    let fake = Arc::new(Fake { people: Mutex::new(people), ..Fake::default() });
    city.office.use_directory(fake.clone());
    (city, fake)
}

async fn issue(admin: &Browser, person: &str, login: &str, checked: &str) -> Page {
    admin.post("/organization/account", &[("person", person), ("login", login), ("checked", checked)]).await
}

/// Tries to log in and tells the status and what the page says.
async fn try_in(city: &City, login: &str, password: &str) -> (StatusCode, String) {
    let page = Browser::new(city).enter(login, password).await;
    let said =
        page.text.split("role=\"alert\"").nth(1).and_then(|t| t.split("</p>").next()).unwrap_or_default();
    (page.status, said.split("<p>").nth(1).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_new_login_is_checked_at_the_directory_and_leaves_no_password_here() {
    let (city, fake) = settled(vec![entry("u8001", HEAD, "統括 三郎")]).await;
    let admin = city.browser(ADMIN).await;
    let page = issue(&admin, HEAD, "U8001", "directory").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains(TITLE) && !page.text.contains("<code>"), "{}", page.text);
    assert_eq!(city.count("SELECT COUNT(*) FROM account WHERE login = 'u8001' AND password = '' AND checked = 'directory' AND NOT must_change").await, 1);
    fake.asked();
    let mut b = Browser::new(&city);
    assert_eq!(b.enter("u8001", THERE).await.location(), "/");
    assert_eq!(fake.asked(), [("u8001".to_owned(), true)]);
    // No page offers to change what is not here, and no form does.
    let own = b.get("/account").await;
    assert!(
        own.text.contains(&format!("{TITLE}のパスワードです")) && !own.text.contains("href=\"/password\""),
        "{}",
        own.text
    );
    let page = b.get("/password").await;
    assert!(
        page.text.contains("ここでは変えられません") && !page.text.contains("name=\"new\""),
        "{}",
        page.text
    );
    let new = "まったく別の長い言葉";
    let page = b.post("/password", &[("old", THERE), ("new", new), ("again", new)]).await;
    assert!(page.status == StatusCode::FORBIDDEN && page.text.contains(TITLE), "{}", page.text);
    // What the directory knows as a password is nowhere in the database.
    assert_eq!(city.count("SELECT COUNT(*) FROM account WHERE login = 'u8001' AND password <> ''").await, 0);
    assert_eq!(city.count("SELECT COUNT(*) FROM old_password WHERE login = 'u8001'").await, 0);
    let told = "SELECT COUNT(*) FROM ledger_entry WHERE payload LIKE '%' || $1 || '%'";
    assert_eq!(city.count_of(told, THERE).await, 0);
    // Privileged work asks for the directory's password again.
    later(&city, 16);
    let page = b.post("/account/second-factor", &[("do", "begin")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    fake.set_away(true);
    let page = b.post("/account/second-factor", &[("do", "begin"), ("proof", THERE)]).await;
    assert!(page.text.contains("つながりません"), "{}", page.text);
    fake.set_away(false);
    let page = b.post("/account/second-factor", &[("do", "begin"), ("proof", "wrong")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        b.post("/account/second-factor", &[("do", "begin"), ("proof", THERE)]).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(entries(&city, "account.login_failed").await, 1, "being away is no failure");
}

#[tokio::test]
async fn wrong_passwords_lock_as_ours_do_and_nobody_learns_which_logins_exist() {
    let (city, fake) =
        settled(vec![entry("u8001", HEAD, "統括 三郎"), entry("u8002", "9999", "別の人")]).await;
    let admin = city.browser(ADMIN).await;
    for (person, login) in [(HEAD, "u8001"), ("8002", "u8002")] {
        assert_eq!(issue(&admin, person, login, "directory").await.status, StatusCode::OK);
    }
    fake.asked();
    let mut told = Vec::new();
    for (login, password) in
        [("u8001", "wrong"), ("u1001", "wrong"), ("nobody", "wrong"), ("u8001", ""), ("u8001", "関所 dummy")]
    {
        let began = Instant::now();
        told.push(try_in(&city, login, password).await);
        assert!(began.elapsed() >= Duration::from_secs(1), "{login}: a refusal takes its time");
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, StatusCode::UNAUTHORIZED);
    // The directory is asked for everybody, and gets a password only for those whose it checks.
    let asked = fake.asked();
    assert_eq!(
        asked.iter().map(|(l, p)| (l.as_str(), *p)).collect::<Vec<_>>(),
        [("u8001", true), ("u1001", false), ("nobody", false), ("u8001", true), ("u8001", true)]
    );
    // Somebody else has the login there by now: their password does not open this account.
    assert_eq!(try_in(&city, "u8002", THERE).await, told[0]);
    // An own account's password is not tried there, nor a directory account's here.
    assert_eq!(try_in(&city, "u1001", THERE).await, told[0]);
    for _ in 0..2 {
        try_in(&city, "u8001", "wrong").await;
    }
    assert_eq!(entries(&city, "account.locked").await, 1, "at the fifth time");
    fake.asked();
    assert_eq!(try_in(&city, "u8001", THERE).await, told[0], "locked");
    assert_eq!(fake.asked(), [("u8001".to_owned(), false)], "while it is locked here nobody is bound there");
    later(&city, 16);
    assert_eq!(Browser::new(&city).enter("u8001", THERE).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn while_the_directory_is_away_nobody_fails_and_own_passwords_work() {
    let (city, fake) = settled(vec![entry("u8001", HEAD, "統括 三郎")]).await;
    let admin = city.browser(ADMIN).await;
    assert_eq!(issue(&admin, HEAD, "u8001", "directory").await.status, StatusCode::OK);
    fake.set_away(true);
    let before = entries(&city, "account.login_failed").await;
    for _ in 0..6 {
        let (status, said) = try_in(&city, "u8001", THERE).await;
        assert!(
            status == StatusCode::UNAUTHORIZED && said.contains(TITLE) && said.contains("失敗には数えません"),
            "{said}"
        );
    }
    let (_, said) = try_in(&city, "u8001", THERE).await;
    for other in ["nobody", "u1002"] {
        assert_eq!(try_in(&city, other, "wrong").await.1, said, "{other}: the same to everybody");
    }
    assert_eq!(entries(&city, "account.login_failed").await, before + 1, "only that of u1002");
    assert_eq!(
        Browser::new(&city).enter("u1001", PASSWORD).await.status,
        StatusCode::SEE_OTHER,
        "own passwords work"
    );
    fake.set_away(false);
    assert_eq!(
        Browser::new(&city).enter("u8001", THERE).await.status,
        StatusCode::SEE_OTHER,
        "and then it works at once"
    );
}

#[tokio::test]
async fn where_a_password_is_checked_is_changed_like_a_reset() {
    let (city, _) = settled(vec![entry("u1002", MANAGER, "渡邉 一郎")]).await;
    let mut manager = city.browser(MANAGER).await;
    let (phone, _) = enrol(&city, &mut manager).await;
    later(&city, 1);
    let admin = city.browser(ADMIN).await;
    let own = issue(&admin, ADMIN, "admin", "directory").await;
    assert!(refusal(&own).contains("自分のログインは"), "{}", own.text);
    assert_eq!(issue(&admin, MANAGER, "", "elsewhere").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(issue(&admin, MANAGER, "", "directory").await.status, StatusCode::OK);
    assert_eq!(entries(&city, "account.checked").await, 1);
    assert!(manager.get("/").await.location().starts_with("/login"), "the sessions ended");
    assert_eq!(
        try_in(&city, "u1002", PASSWORD).await.0,
        StatusCode::UNAUTHORIZED,
        "the old password is void"
    );
    assert_eq!(
        city.count("SELECT COUNT(*) FROM notification WHERE subject LIKE '%庁内のディレクトリ%'").await,
        2,
        "the person and the head above"
    );
    assert!(refusal(&issue(&admin, MANAGER, "", "directory").await).contains("すでに"));

    // Barred until taken up: here by the code of a second factor that is older than the change.
    assert_eq!(city.count("SELECT COUNT(*) FROM account_reset").await, 1);
    let mut b = Browser::new(&city);
    assert!(b.enter("u1002", THERE).await.location().starts_with("/login/code"));
    b.get("/login/code").await;
    later(&city, 1);
    assert_eq!(b.post("/login/code", &[("code", &phone.code(&city))]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(city.count("SELECT COUNT(*) FROM account_reset").await, 0);
    assert_eq!(entries(&city, "account.taken_up").await, 1);

    // Back to an own password: barred again, and one above confirms.
    let page = issue(&admin, MANAGER, "", "own").await;
    let password = page.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    assert_eq!(entries(&city, "account.checked").await, 2);
    assert_eq!(
        try_in(&city, "u1002", THERE).await.0,
        StatusCode::UNAUTHORIZED,
        "the directory's password is void"
    );
    let mut b = Browser::new(&city);
    assert!(b.enter("u1002", &password).await.location().starts_with("/login/code"));

    // Without an older second factor nobody but those above takes it up.
    assert_eq!(issue(&admin, CLERK, "", "directory").await.status, StatusCode::OK);
    let admin2 = city.browser(SECOND_ADMIN).await;
    assert_eq!(
        admin2.post("/accounts/resets/1001", &[("do", "taken_up")]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(city.count("SELECT COUNT(*) FROM account_reset WHERE login = 'u1001'").await, 1);
}

#[tokio::test]
async fn without_a_directory_nobody_is_sent_to_one() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    let page = issue(&admin, HEAD, "u8001", "directory").await;
    assert!(refusal(&page).contains("設定されていません"), "{}", page.text);
    assert!(!admin.get("/organization/account?person=8001").await.text.contains("name=\"checked\""));
    let page = admin.get("/accounts/directory").await;
    assert!(
        page.text.contains("ディレクトリは設定されていません") && !page.offers("people"),
        "{}",
        page.text
    );
    for what in ["people", "logins"] {
        let page = admin.post("/accounts/directory", &[("do", what), ("changed", "update")]).await;
        assert!(
            page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("設定されていません"),
            "{}",
            page.text
        );
    }
}

fn city_people() -> Vec<Entry> {
    let placed = |e: Entry, section: &str| Entry { section: section.to_owned(), ..e };
    vec![
        // Another name and address.
        Entry { mail: "hanako@city.test".to_owned(), ..placed(entry("u1001", CLERK, "髙橋 はな"), "21") },
        // Another section, with one post that is not its head's.
        placed(entry("u2001", OTHER_CLERK, "﨑山 徹"), "21"),
        // A head, whose post is not changed by itself.
        placed(entry("u1002", MANAGER, "渡邉 一郎"), "22"),
        // New.
        placed(entry("u3001", "3001", "新人 四郎"), "22"),
        // Twice the same number, and none.
        entry("x1", "3002", "同じ番号"),
        entry("x2", "3002", "同じ番号"),
        entry("x3", "", "番号なし"),
        Entry { disabled: true, ..entry("u1003", DIRECTOR, "邉見 清") },
        entry("u8001", HEAD, "統括 三郎"),
        entry("u9002", SECOND_ADMIN, "情報 次郎"),
    ]
}

#[tokio::test]
async fn the_directory_beside_the_organization_goes_through_the_import_that_two_people_confirm() {
    let mut people = city_people();
    // The section has two posts besides its head's: the title says which.
    people[1].title = "主事".to_owned();
    let (city, fake) = settled(people).await;
    let admin = city.browser(ADMIN).await;
    let page = admin.post("/accounts/directory", &[("do", "people"), ("changed", "skip")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("3001") && !page.text.contains("髙橋 はな"), "only who is new: {}", page.text);
    let page = admin.post("/accounts/directory", &[("do", "people"), ("changed", "update")]).await;
    for says in [
        "氏名：髙橋 花子 → 髙橋 はな",
        "hanako@city.test",
        "3001",
        "x1、x2、x3",
        "渡邉 一郎（1002）",
        "停止されている1人",
    ] {
        assert!(page.text.contains(says), "{says}: {}", page.text);
    }
    assert_eq!(
        city.count("SELECT COUNT(*) FROM person WHERE number = '3001'").await,
        0,
        "nothing changed yet"
    );
    let fields = ["upload", "shown"].map(|n| hidden(&page.text, n));
    let done = admin
        .post("/organization/import", &[("do", "apply"), ("upload", &fields[0]), ("shown", &fields[1])])
        .await;
    let proposal = done.location().split('?').next().unwrap().to_owned();
    assert!(proposal.starts_with("/organization/proposals/"), "{}", done.text);
    let mut second = city.browser(SECOND_ADMIN).await;
    second.get(&proposal).await;
    assert_eq!(second.post(&proposal, &[("do", "confirm")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(city.count("SELECT COUNT(*) FROM person WHERE name = '髙橋 はな' AND mail = 'hanako@city.test' AND kana = 'たかはし はなこ'").await, 1, "what the directory lacks stays");
    assert_eq!(city.count("SELECT COUNT(*) FROM appointment WHERE person = '2001' AND post = '22-s' AND valid_until = '2026-11-24'").await, 1);
    assert_eq!(city.count("SELECT COUNT(*) FROM appointment WHERE person = '2001' AND post = '21-s' AND valid_from = '2026-11-25'").await, 1);
    assert_eq!(
        city.count("SELECT COUNT(*) FROM appointment WHERE person = '3001' AND post = '22-s'").await,
        1
    );
    assert_eq!(
        city.count("SELECT COUNT(*) FROM appointment WHERE person = '1002' AND valid_until IS NOT NULL")
            .await,
        0
    );
    let page = admin.post("/accounts/directory", &[("do", "people"), ("changed", "update")]).await;
    assert!(page.text.contains("変わるところはありません"), "{}", page.text);
    fake.set_away(true);
    let page = admin.post("/accounts/directory", &[("do", "people"), ("changed", "update")]).await;
    assert!(
        page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("待っても返事がありません"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn the_directory_beside_the_logins_makes_those_that_lack_and_stops_those_that_are_gone() {
    let (city, fake) = settled(city_people()).await;
    let admin = city.browser(ADMIN).await;
    // A login of the directory that is gone there.
    assert_eq!(issue(&admin, "8002", "gone", "directory").await.status, StatusCode::OK);
    let page = admin.post("/accounts/directory", &[("do", "logins")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("u8001 統括 三郎") && page.text.contains("gone 副島 長子"), "{}", page.text);
    // Somebody with an own password who is stopped there is stopped here too.
    assert!(page.text.contains("u1003"), "{}", page.text);
    let fields = ["upload", "shown", "conflict", "checked"].map(|n| hidden(&page.text, n));
    let send: Vec<(&str, &str)> = [("do", "apply")]
        .into_iter()
        .chain(["upload", "shown", "conflict", "checked"].into_iter().zip(fields.iter().map(String::as_str)))
        .collect();
    let done = admin.post("/accounts/import", &send).await;
    assert!(done.text.contains("取り込みました") && !done.text.contains("<code>"), "{}", done.text);
    assert_eq!(
        city.count("SELECT COUNT(*) FROM account WHERE login IN ('gone', 'u1003') AND NOT active").await,
        2
    );
    assert_eq!(Browser::new(&city).enter("u8001", THERE).await.status, StatusCode::SEE_OTHER);
    fake.people.lock().unwrap().clear();
    let page = admin.post("/accounts/directory", &[("do", "logins")]).await;
    assert!(page.text.contains("1人も見つかりません"), "an empty directory stops nobody: {}", page.text);
}
