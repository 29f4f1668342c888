//! A version of the standard on a running body: the terminal only proposes, the person named takes it over, a second who
//! decides the standard confirms; running cases keep theirs, and going back is the same way again.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use sekisho_app::setup;

use crate::acts::{application, apply, item, refusal};
use crate::browser::{Browser, hidden};
use crate::city::{ADMIN, CLERK, City, MANAGER, SECOND_ADMIN};

/// 企画政策部長: head security officer.
pub const OFFICER: &str = "8001";
/// 副市長: CISO.
pub const CISO: &str = "8002";

pub type Files = BTreeMap<String, String>;

async fn city() -> City {
    City::with_logins(&[CLERK, MANAGER, SECOND_ADMIN, OFFICER, CISO]).await
}

/// The model pack as a version of the city's own: the head of the department confirms returns.
pub fn changed() -> Files {
    edited(&[(
        "by = \"section_security_manager of applicant.section\"",
        "by = \"department_security_officer of applicant.department\"",
    )])
}

pub fn edited(edits: &[(&str, &str)]) -> Files {
    let mut files = setup::model_pack_files();
    // This small city fills the posts of one procedure; the others ask for roles that it has not given to anybody.
    let other =
        |f: &str| (f.starts_with("procedures/") || f.starts_with("tests/")) && !f.ends_with("/take_out.toml");
    files.retain(|f, _| !other(f));
    let tag = files.get_mut("pack.toml").unwrap();
    *tag = tag.replacen("version = \"", "version = \"9.", 1);
    for (old, new) in edits {
        let text = files.get_mut("procedures/take_out.toml").unwrap();
        assert!(text.contains(old), "{old}");
        *text = text.replacen(old, new, 1);
    }
    // The examples that speak of the old route change along with it.
    let tests = files.get_mut("tests/take_out.toml").unwrap();
    if let Some(at) = tests.find("[[test]]\nname = \"返却の確認は課室の管理者\"") {
        tests.truncate(at);
    }
    files
}

/// Proposed from the terminal in the administrator's name and taken over.
pub async fn proposed(city: &City, files: Files) -> String {
    let id = city.office.propose_pack_from_terminal(files, "admin").await.unwrap();
    let address = format!("/packs/proposals/{id}");
    let mut admin = city.browser(ADMIN).await;
    let page = admin.get(&address).await;
    assert!(page.offers("adopt"), "{}", page.text);
    let done = admin.post(&address, &[("do", "adopt")]).await;
    assert_eq!(done.location(), format!("{address}?done=version_adopted"), "{}", done.text);
    address
}

/// What the page's button would send.
async fn shown(b: &mut Browser, address: &str) -> String {
    let page = b.get(address).await;
    let form = page.form("confirm");
    assert!(!form.is_empty(), "{}", page.text);
    hidden(form, "shown")
}

pub async fn confirm(b: &mut Browser, address: &str) {
    let shown = shown(b, address).await;
    let done = b.post(address, &[("do", "confirm"), ("shown", &shown), ("acknowledged", "yes")]).await;
    assert_eq!(done.location(), format!("{address}?done=version_runs"), "{}", done.text);
}

#[tokio::test]
async fn a_version_takes_effect_when_a_second_person_confirms() {
    let city = city().await;
    let before = city.office.pack().hash.clone();
    let address = proposed(&city, changed()).await;
    assert_eq!(city.office.pack().hash, before);

    let mut ciso = city.browser(CISO).await;
    assert!(ciso.get("/").await.text.contains("あなたの確認を待っています"));
    let page = ciso.get(&address).await;
    assert!(
        page.text
            .contains("行う人: 申請者の課室の情報セキュリティ管理者 → 申請者の部局の情報セキュリティ責任者"),
        "{}",
        page.text
    );
    assert!(page.text.contains("失う権限") && page.text.contains("得る権限"));
    confirm(&mut ciso, &address).await;
    let running = city.office.pack();
    assert_ne!(running.hash, before);
    assert!(running.meta.version.starts_with("9."));
    assert!(ciso.get("/packs").await.text.contains(&running.meta.version));
    for kind in ["pack.propose", "pack.adopt"] {
        let count = match kind {
            "pack.propose" => {
                city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'pack.propose'").await
            }
            _ => city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'pack.adopt'").await,
        };
        assert_eq!(count, 1, "{kind}");
    }
    let both = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'pack.load' AND payload LIKE '%\"proposed_by\":\"9001\"%' AND payload LIKE '%\"by\":\"8002\"%'";
    assert_eq!(city.count(both).await, 1, "the entry names both");
    let again = ciso.post(&address, &[("do", "confirm"), ("shown", "x"), ("acknowledged", "yes")]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "once is enough");
}

#[tokio::test]
async fn only_a_second_person_who_decides_the_standard_confirms() {
    let city = city().await;
    let before = city.office.pack().hash.clone();
    let id = city.office.propose_pack_from_terminal(changed(), "admin").await.unwrap();
    let address = format!("/packs/proposals/{id}");
    // Nobody confirms what nobody has taken over, and nobody but the person named takes it over.
    let mut ciso = city.browser(CISO).await;
    let early = ciso.post(&address, &[("do", "confirm"), ("shown", ""), ("acknowledged", "yes")]).await;
    assert_eq!(early.status, StatusCode::FORBIDDEN);
    assert!(refusal(&early).contains("端末から出された"), "{}", refusal(&early));
    for number in [SECOND_ADMIN, OFFICER, CISO, CLERK, MANAGER] {
        let b = city.browser(number).await;
        let taken = b.post(&address, &[("do", "adopt")]).await;
        assert!(matches!(taken.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), "{number}");
    }
    let admin = city.browser(ADMIN).await;
    assert_eq!(admin.post(&address, &[("do", "adopt")]).await.status, StatusCode::SEE_OTHER);

    let digest = shown(&mut ciso, &address).await;
    let send = [("do", "confirm"), ("shown", digest.as_str()), ("acknowledged", "yes")];
    let own = admin.post(&address, &send).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "the proposer runs the system and decides nothing");
    let second = city.browser(SECOND_ADMIN).await.post(&address, &send).await;
    assert_eq!(second.status, StatusCode::FORBIDDEN);
    assert!(refusal(&second).contains("最高情報セキュリティ責任者"), "{}", refusal(&second));
    for number in [CLERK, MANAGER] {
        let mut b = city.browser(number).await;
        assert_eq!(b.post(&address, &send).await.status, StatusCode::NOT_FOUND, "{number}");
        assert_eq!(b.get(&address).await.status, StatusCode::NOT_FOUND, "{number}");
        let list = b.get("/packs").await;
        assert!(list.status == StatusCode::OK && !list.text.contains(&address), "{number}");
        let again = b.post("/packs", &[("hash", &before)]).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "{number}");
    }
    assert_eq!(city.office.pack().hash, before);
}

#[tokio::test]
async fn who_proposed_it_from_a_page_does_not_confirm_it() {
    let city = city().await;
    let first = city.office.pack().hash.clone();
    let officer = city.browser(OFFICER).await;
    let mut ciso = city.browser(CISO).await;
    let address = proposed(&city, changed()).await;
    confirm(&mut ciso, &address).await;
    // Going back: the earlier version is proposed again, by one of those who decide.
    let back = officer.post("/packs", &[("hash", &first)]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text);
    let address = back.location().split('?').next().unwrap().to_owned();
    let digest = shown(&mut ciso, &address).await;
    let own = officer.post(&address, &[("do", "confirm"), ("shown", &digest), ("acknowledged", "yes")]).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    assert!(refusal(&own).contains("自分が提案した版"), "{}", refusal(&own));
    assert_ne!(city.office.pack().hash, first);
    confirm(&mut ciso, &address).await;
    assert_eq!(city.office.pack().hash, first);
}

#[tokio::test]
async fn whoever_gains_a_role_does_not_confirm() {
    let city = city().await;
    let mut files = changed();
    let roles = files.get_mut("roles.toml").unwrap();
    *roles = roles.replacen("held_by = \"post info_policy_director\"", "held_by = \"post deputy_mayor\"", 1);
    let tests: Vec<String> = files.keys().filter(|f| f.starts_with("tests/")).cloned().collect();
    for t in tests {
        files.remove(&t);
    }
    let address = proposed(&city, files).await;
    let mut ciso = city.browser(CISO).await;
    let page = ciso.get(&address).await;
    assert!(!page.offers("confirm") && page.text.contains("あなた自身の役割が増える"), "{}", page.text);
    let forged = ciso.post(&address, &[("do", "confirm"), ("shown", ""), ("acknowledged", "yes")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn warnings_are_acknowledged_and_faults_block() {
    let city = city().await;
    let before = city.office.pack().hash.clone();
    let mut ciso = city.browser(CISO).await;
    // This city has no deputies of its officers: warnings are there to be acknowledged.
    let address = proposed(&city, changed()).await;
    let digest = shown(&mut ciso, &address).await;
    assert!(ciso.get(&address).await.text.contains("警告"));
    let silent = ciso.post(&address, &[("do", "confirm"), ("shown", &digest)]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(silent.text.contains("承知したことを示してください"), "{}", silent.text);
    let stale = ciso.post(&address, &[("do", "confirm"), ("shown", "other"), ("acknowledged", "yes")]).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    assert!(refusal(&stale).contains("確かめた結果が変わりました"), "{}", refusal(&stale));
    // A role that nobody holds anywhere, and that goes up to nobody.
    let files = edited(&[("by = \"section_security_manager of applicant.section\"", "by = \"contractor\"")]);
    let blocked = proposed(&city, files).await;
    let page = ciso.get(&blocked).await;
    assert!(!page.offers("confirm") && page.text.contains("不可"), "{}", page.text);
    let forged = ciso.post(&blocked, &[("do", "confirm"), ("shown", ""), ("acknowledged", "yes")]).await;
    assert!(refusal(&forged).contains("「不可」"), "{}", refusal(&forged));
    assert_eq!(city.office.pack().hash, before);
}

#[tokio::test]
async fn a_proposal_is_refused_with_a_reason_or_taken_back() {
    let city = city().await;
    let address = proposed(&city, changed()).await;
    let mut officer = city.browser(OFFICER).await;
    let silent = officer.post(&address, &[("do", "refuse")]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(silent.text.contains("理由を記入してください"));
    let other = city.browser(SECOND_ADMIN).await.post(&address, &[("do", "refuse"), ("says", "反対")]).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let clerk = city.browser(CLERK).await.post(&address, &[("do", "refuse"), ("says", "反対")]).await;
    assert_eq!(clerk.status, StatusCode::FORBIDDEN);
    let refused = officer.post(&address, &[("do", "refuse"), ("says", "委員会に諮っていない")]).await;
    assert_eq!(refused.status, StatusCode::SEE_OTHER, "{}", refused.text);
    assert!(officer.get(&address).await.text.contains("委員会に諮っていない"));
    let address = proposed(&city, changed()).await;
    let own = city.browser(ADMIN).await.post(&address, &[("do", "refuse")]).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER, "the own one needs no reason");
    assert_eq!(city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'pack.refuse'").await, 2);
}

#[tokio::test]
async fn what_is_not_valid_or_not_new_is_not_proposed() {
    let city = city().await;
    let same = city.office.propose_pack_from_terminal(setup::model_pack_files(), "admin").await.unwrap_err();
    assert!(same.to_string().contains("変わるところはありません"), "{same}");
    let nobody = city.office.propose_pack_from_terminal(changed(), "nobody").await.unwrap_err();
    assert!(nobody.to_string().contains("「nobody」の人はいません"), "{nobody}");
    let mut broken = changed();
    broken.get_mut("roles.toml").unwrap().push_str("\n[[role]]\nid = \"x\"\n");
    let wrong = city.office.propose_pack_from_terminal(broken, "admin").await.unwrap_err();
    assert!(wrong.to_string().contains("roles.toml:"), "{wrong}");
    // The example of the old route is kept: it no longer fits.
    let mut untested = changed();
    untested
        .insert("tests/take_out.toml".to_owned(), setup::model_pack_files()["tests/take_out.toml"].clone());
    let failed = city.office.propose_pack_from_terminal(untested, "admin").await.unwrap_err();
    assert!(failed.to_string().contains("返却の確認は課室の管理者"), "{failed}");
    assert_eq!(city.count("SELECT COUNT(*) FROM pack_proposal").await, 0);
}

#[tokio::test]
async fn a_running_case_keeps_its_version() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let asset = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &asset)).await;
    let old = city.office.pack();
    let files = edited(&[("title = \"許可\"", "title = \"持出しの許可\"")]);
    let pack = sekisho_app::pack_tools::examine(&files).0.unwrap();
    let admin = city.browser(ADMIN).await;
    for number in [OFFICER, CISO] {
        let slip = admin
            .post("/organization/account", &[("person", number), ("login", &format!("u{number}"))])
            .await;
        let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
        let mut b = Browser::new(&city);
        b.enter(&format!("u{number}"), &password).await;
        b.own_password(&password).await;
    }
    let address = proposed(&city, files).await;
    confirm(&mut city.browser(CISO).await, &address).await;
    assert_eq!(city.office.pack().hash, pack.hash);
    let page = clerk.get(&case).await;
    assert!(
        page.status == StatusCode::OK && !page.text.contains("持出しの許可"),
        "the running case keeps its words"
    );
    let asset = item(&mut clerk, "A-002").await;
    let new = apply(&mut clerk, &application("21-s", &asset)).await;
    assert!(clerk.get(&new).await.text.contains("持出しの許可"));
    let pinned = city.count("SELECT COUNT(*) FROM case_file").await;
    assert_eq!(pinned, 2);
    assert_eq!(city.office.pack_of(&old.hash).await.unwrap().hash, old.hash);
}
