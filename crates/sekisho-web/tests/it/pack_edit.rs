//! The editor of the standard: kept as typed, told what is wrong by line, proposed, confirmed by a second person; nobody else's business.

use axum::http::StatusCode;

use crate::browser::{Browser, Page, encode};
use crate::city::{ADMIN, CLERK, City, DIRECTOR, MANAGER, SECOND_ADMIN};
use crate::packs::{CISO, OFFICER, confirm, edited};

const PATH: &str = "procedures/take_out.toml";
const OLD: &str = "by = \"section_security_manager of applicant.section\"";
const NEW: &str = "by = \"department_security_officer of applicant.department\"";
const FILE: &str = "/packs/edit/file";

async fn city() -> City {
    City::with_pack(edited(&[]), &[CLERK, MANAGER, DIRECTOR, SECOND_ADMIN, OFFICER, CISO]).await
}

fn text(old: &str, new: &str) -> String {
    let text = edited(&[])[PATH].clone();
    assert!(text.contains(old), "{old}");
    text.replacen(old, new, 1)
}

async fn open(b: &mut Browser, path: &str) -> Page {
    b.get(&format!("{FILE}?{}", encode(&[("path", path)]))).await
}

async fn save(b: &Browser, path: &str, text: &str, version: &str) -> Page {
    b.post(FILE, &[("do", "save"), ("path", path), ("text", text), ("version", version)]).await
}

fn saved(page: &Page) {
    assert!(
        page.status == StatusCode::SEE_OTHER && page.location().ends_with("&done=file_saved"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_by_line_and_nothing_typed_is_lost() {
    let city = city().await;
    let mut admin = city.browser(ADMIN).await;
    let page = admin.get("/packs/edit").await;
    assert!(
        page.text.contains(&format!("path={PATH}")) && !page.text.contains("確かめて提案へ進む"),
        "{}",
        page.text
    );
    let wrong = text(OLD, "by = \"section_security_manger of applicant.section\"");
    let looked =
        admin.post(FILE, &[("do", "check"), ("path", PATH), ("text", &wrong), ("version", "0")]).await;
    let line = wrong.lines().position(|l| l.contains("manger")).unwrap() + 1;
    let told = format!("<strong>{line}行目</strong> <code>step[3].by</code>");
    assert!(looked.status == StatusCode::OK && looked.text.contains(&told), "{told}: {}", looked.text);
    assert!(looked.text.contains("section_security_manger"), "typed text stays");
    // What the reader of TOML says in English is told in Japanese, with the line and the key.
    let torn = text(OLD, "by = \"section_security_manager of applicant.section");
    let page = admin.post(FILE, &[("do", "check"), ("path", PATH), ("text", &torn), ("version", "0")]).await;
    let place = format!("<strong>{line}行目</strong> <code>by</code>");
    assert!(
        page.text.contains(&place) && page.text.contains("引用符が閉じていない"),
        "{place}: {}",
        page.text
    );
    assert!(!page.text.contains("invalid") && !page.text.contains("expected"), "{}", page.text);
    assert!(!admin.get("/packs/edit").await.text.contains("確かめて提案へ進む"), "looking keeps nothing");

    let gone = admin.post(FILE, &[("do", "check"), ("path", PATH), ("text", ""), ("version", "0")]).await;
    assert!(gone.text.contains("ほかの文書に誤りが"), "an empty text takes the file out: {}", gone.text);

    saved(&save(&admin, PATH, &wrong, "0").await);
    let page = open(&mut admin, PATH).await;
    assert!(page.text.contains(&told) && page.text.contains("name=\"version\" value=\"1\""), "{}", page.text);
    assert!(admin.get("/packs/edit").await.text.contains("誤り 1件"));
    let check = admin.get("/packs/edit/check").await;
    assert!(check.text.contains(&format!("{line}行目")) && !check.offers("propose"), "{}", check.text);
    let page = admin.post("/packs/edit", &[("do", "propose")]).await;
    assert!(page.status == StatusCode::FORBIDDEN && page.text.contains("誤りがあります"), "{}", page.text);
    assert_eq!(city.count("SELECT COUNT(*) FROM pack_proposal").await, 0);

    // Another window saved first: what was typed here stays.
    saved(&save(&admin, PATH, &wrong, "1").await);
    let late = save(&admin, PATH, "late = \"書き換え\"", "1").await;
    assert!(late.status == StatusCode::UNPROCESSABLE_ENTITY, "{}", late.text);
    assert!(
        late.text.contains("late = &#34;書き換え&#34;") && late.text.contains("ほかの画面で"),
        "{}",
        late.text
    );
    let large = save(&admin, PATH, &"a".repeat(170 * 1024), "2").await;
    assert!(large.status == StatusCode::UNPROCESSABLE_ENTITY && large.text.contains("160KBまで"));
    for bad in ["../pack.toml", "procedures/x.sh", "a/b/c.toml"] {
        assert_eq!(open(&mut admin, bad).await.status, StatusCode::NOT_FOUND, "{bad}");
        let page = admin.post("/packs/edit", &[("do", "new"), ("path", bad)]).await;
        assert!(
            page.status == StatusCode::UNPROCESSABLE_ENTITY
                && page.text.contains(&format!("value=\"{bad}\"")),
            "{bad}"
        );
    }

    // A file is put in, taken out and given back.
    let new = admin.post("/packs/edit", &[("do", "new"), ("path", "notices/own.toml")]).await;
    assert_eq!(new.location(), "/packs/edit/file?path=notices/own.toml");
    saved(&save(&admin, "notices/own.toml", "# 市の言葉\n", "0").await);
    saved(&save(&admin, "bindings.toml", "", "0").await);
    let page = admin.get("/packs/edit").await;
    assert!(page.text.contains("notices/own.toml</a> <span class=\"tag running\">追加"), "{}", page.text);
    assert_eq!(
        admin.post(FILE, &[("do", "revert"), ("path", "notices/own.toml")]).await.location(),
        "/packs/edit?done=edits_dropped"
    );
    assert!(!admin.get("/packs/edit").await.text.contains("notices/own.toml"));
    admin.post("/packs/edit", &[("do", "drop")]).await;
    assert_eq!(city.count("SELECT COUNT(*) FROM pack_draft").await, 0);
}

#[tokio::test]
async fn an_edited_version_takes_effect_when_a_second_person_confirms() {
    let city = city().await;
    let before = city.office.pack().hash.clone();
    let mut admin = city.browser(ADMIN).await;
    saved(&save(&admin, PATH, &text(OLD, NEW).replace('\n', "\r\n"), "0").await);
    let check = admin.get("/packs/edit/check").await;
    for words in ["失う権限", "件の例を確かめ、0件が期待と違いました"] {
        assert!(check.text.contains(words), "{words}: {}", check.text);
    }
    assert!(check.offers("propose"));
    let proposed = admin.post("/packs/edit", &[("do", "propose")]).await.location();
    let address =
        proposed.strip_suffix("?done=version_proposed").unwrap_or_else(|| panic!("{proposed}")).to_owned();
    assert_eq!(city.count("SELECT COUNT(*) FROM pack_draft").await, 0, "the copies are gone");
    assert_eq!(city.office.pack().hash, before);
    let own = admin.post(&address, &[("do", "confirm"), ("shown", "x"), ("acknowledged", "yes")]).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "{}", own.text);

    // Somebody else works on the version that ran until now.
    let mut second = city.browser(SECOND_ADMIN).await;
    saved(&save(&second, "roles.toml", &(edited(&[])["roles.toml"].clone() + "\n# 見直し中\n"), "0").await);
    assert!(!admin.get("/packs/edit").await.text.contains("tag running"), "nobody sees another's work");
    confirm(&mut city.browser(CISO).await, &address).await;
    assert_ne!(city.office.pack().hash, before);
    assert!(second.get("/packs/edit").await.text.contains("直し始めた後に、別の版が使われ始めました"));
    let step = open(&mut admin, PATH).await;
    assert!(
        step.text.contains("department_security_officer of applicant.department"),
        "the running text is the new one"
    );
}

#[tokio::test]
async fn only_those_who_may_propose_edit() {
    let city = city().await;
    let before = city.written().await;
    for number in [CLERK, MANAGER, DIRECTOR] {
        let mut b = city.browser(number).await;
        for path in ["/packs/edit", "/packs/edit/check", "/packs/edit/file?path=roles.toml"] {
            assert_eq!(b.get(path).await.status, StatusCode::FORBIDDEN, "{number} {path}");
        }
        assert!(!b.get("/packs").await.text.contains("/packs/edit"));
        for what in ["propose", "drop", "new"] {
            let page = b.post("/packs/edit", &[("do", what), ("path", "procedures/x.toml")]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{number} {what}");
        }
        for what in ["save", "check", "revert"] {
            let page =
                b.post(FILE, &[("do", what), ("path", "roles.toml"), ("text", "x"), ("version", "0")]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{number} {what}");
        }
    }
    assert_eq!(city.written().await, before);
    assert_eq!(city.count("SELECT COUNT(*) FROM pack_draft").await, 0);
    let nobody = Browser::new(&city);
    for path in ["/packs/edit", FILE] {
        assert!(nobody.post(path, &[("do", "save")]).await.location().starts_with("/login"), "{path}");
    }
    let mut officer = city.browser(OFFICER).await;
    assert_eq!(
        officer.get("/packs/edit").await.status,
        StatusCode::OK,
        "whoever decides the standard may edit too"
    );
}
