//! Permits that a guard checks without the server: what the code on a permit is worth as the case goes on, and who gets what.

use std::process::Command;

use axum::http::{StatusCode, header};
use sekisho_app::permits::judge;
use sekisho_base::Instant;

use crate::acts::{application, apply, changed, done, item, returned};
use crate::browser::{Browser, Page};
use crate::city::{ADMIN, CLERK, City, DEPUTY, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, print_program};

/// A permitted take-out of one asset.
pub async fn permitted(city: &City) -> (Browser, Browser, String) {
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    assert!(digits(&clerk.get(&case).await).is_none(), "there is nothing to show before the decision");
    done(&mut manager, &case, "permit", &[]).await;
    (clerk, manager, case)
}

/// The code's digits on a case's page.
pub fn digits(page: &Page) -> Option<String> {
    let rest = page.text.split("id=\"permit-digits\">").nth(1)?;
    Some(rest.split('<').next().unwrap().to_owned())
}

pub async fn code(b: &mut Browser, case: &str) -> String {
    digits(&b.get(case).await).expect("the permit has its code")
}

pub async fn checker(b: &mut Browser) -> String {
    let page = b.get("/permits/checker").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.text
}

/// Exit code and first line of the judgement with a checker's file at the end of a day.
fn verdict(text: &str, file: &str, day: &str) -> (u8, String) {
    let judged = judge(text, &[], Some(file), Instant::end_of(day.parse().unwrap())).unwrap();
    (judged.code, judged.lines[0].split(':').next().unwrap().to_owned())
}

#[tokio::test]
async fn a_code_holds_from_the_decision_to_the_last_day_and_no_longer_than_the_permit() {
    let city = City::settled().await;
    let (mut clerk, mut manager, case) = permitted(&city).await;
    let first = code(&mut clerk, &case).await;
    let file = checker(&mut manager).await;
    let judged = judge(&first, &[], Some(&file), city.office.clock.now()).unwrap();
    assert_eq!(judged.code, 0, "{:?}", judged.lines);
    let told = judged.lines.join("\n");
    for says in ["みなと野市", "持出-R8-0001", "髙橋 花子", "11月25日", "11月27日", "A-001 要介護認定の名簿"]
    {
        assert!(told.contains(says), "{says}: {told}");
    }
    let is = |code: u8, word: &str| (code, word.to_owned());
    assert_eq!(verdict(&first, &file, "2026-11-28"), is(1, "期限切れ"));
    assert_eq!(verdict(&first, &file, "2026-11-26"), is(1, "この一覧は古い"));
    assert_eq!(verdict(&first, &file, "2026-11-24"), is(1, "日時を確認"));
    let without = |day: &str| {
        let keys = [file.split("id=\"keys\">").nth(1).unwrap().split('<').next().unwrap().to_owned()];
        judge(&first, &keys, None, Instant::end_of(day.parse().unwrap())).unwrap()
    };
    assert_eq!((without("2026-11-26").code, without("2026-11-24").code), (0, 1));
    assert!(without("2026-11-24").lines[0].starts_with("期間の前"));
    let mut forged = first.clone().into_bytes();
    forged[200] = if forged[200] == b'0' { b'1' } else { b'0' };
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(judge(&forged, &[], Some(&file), city.office.clock.now()).unwrap().lines.len(), 2);
    assert_ne!(verdict(&forged, &file, "2026-11-25").0, 0);
    assert_eq!(verdict("12345", &file, "2026-11-25"), is(2, "読み取れません"));
    // Another body's code says nothing here, and another body's list is none.
    let other = "sekisho-permit.other+00000000+AAAA";
    assert!(judge(&first, &[other.to_owned()], None, city.office.clock.now()).is_err());
    assert!(judge(&first, &[], Some("sekisho-permit-list 1\n"), city.office.clock.now()).is_err());

    // More time: what is printed now holds longer, what was printed before does not.
    let until = [("ask_extension.until", "R8.12.25"), ("ask_extension.says", "調査が延びた")];
    done(&mut clerk, &case, "ask_extension", &until).await;
    done(&mut manager, &case, "extend", &[("extend.until", "R8.12.25"), ("extend.says", "やむを得ない")])
        .await;
    let second = code(&mut clerk, &case).await;
    city.turn_to("2026-12-10", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let file = checker(&mut manager).await;
    assert_eq!(verdict(&second, &file, "2026-12-10"), is(0, "有効"));
    assert_eq!(verdict(&first, &file, "2026-12-10"), is(1, "期限切れ"));

    done(&mut manager, &case, "revoke", &[("revoke.says", "紛失の報告があったため")]).await;
    assert_eq!(verdict(&second, &file, "2026-12-10"), is(0, "有効"), "the older list does not know");
    let file = checker(&mut manager).await;
    assert_eq!(verdict(&second, &file, "2026-12-10"), is(1, "取消し済み"));
    let mut clerk = city.browser(CLERK).await;
    assert!(digits(&clerk.get(&case).await).is_none(), "a revoked permit shows no code");
    let pdf = clerk.get(&format!("{case}/permit.pdf")).await;
    assert_eq!(pdf.status, StatusCode::OK, "and prints without one");
    assert!(!file.contains("髙橋") && !file.contains("持出-R8"), "the list names nobody and no number");
}

#[tokio::test]
async fn what_came_back_does_not_go_out_again_but_under_a_blanket_permit() {
    let city = City::settled().await;
    let (mut clerk, mut manager, case) = permitted(&city).await;
    let once = code(&mut clerk, &case).await;
    let key = item(&mut clerk, "A-002").await;
    let fields = changed(&application("21-s", &key), &[("blanket", "1"), ("return_by", "R9.3.31")]);
    let daily = apply(&mut clerk, &fields).await;
    done(&mut manager, &daily, "permit", &[]).await;
    let blanket = code(&mut clerk, &daily).await;
    for address in [&case, &daily] {
        done(&mut clerk, address, "move_out", &[]).await;
        done(&mut clerk, address, "move_in", &[]).await;
    }
    let file = checker(&mut manager).await;
    assert_eq!(verdict(&once, &file, "2026-11-25").1, "返却済み");
    assert_eq!(verdict(&blanket, &file, "2026-11-25").1, "有効");
    assert!(
        judge(&blanket, &[], Some(&file), city.office.clock.now()).unwrap().lines[2].contains("包括許可")
    );
    done(&mut clerk, &case, "perform", &returned("R8.11.25")).await;
    done(&mut manager, &case, "confirm", &[]).await;
    assert_eq!(verdict(&once, &checker(&mut manager).await, "2026-11-25").1, "終了");
}

#[tokio::test]
async fn permits_that_ended_before_the_list_was_kept_are_on_it() {
    let city = City::settled().await;
    let (mut clerk, mut manager, case) = permitted(&city).await;
    let text = code(&mut clerk, &case).await;
    done(&mut manager, &case, "revoke", &[("revoke.says", "誤り")]).await;
    city.office
        .store
        .write(|c| {
            Box::pin(async move {
                c.exec("DELETE FROM permit_end", vec![]).await?;
                c.exec("DELETE FROM setting WHERE name = 'permits.ends'", vec![]).await?;
                Ok::<_, sekisho_app::AppError>(())
            })
        })
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(verdict(&text, &checker(&mut manager).await, "2026-11-25").1, "取消し済み");
    }
}

#[tokio::test]
async fn the_checker_is_for_those_who_answer_for_it_and_a_permit_for_those_who_see_the_case() {
    let city = City::settled().await;
    let (mut clerk, _, case) = permitted(&city).await;
    let given = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'permit.checker'";
    for number in [CLERK, DEPUTY, OTHER_CLERK] {
        let mut b = city.browser(number).await;
        for path in ["/permits", "/permits/checker"] {
            let page = b.get(path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{number} {path}");
            assert!(!page.text.contains("sekisho-permit."), "{number} {path}");
        }
        assert!(!b.get("/cases").await.text.contains("/permits"), "{number} is not led there");
    }
    let mut nobody = Browser::new(&city);
    assert_eq!(nobody.get("/permits/checker").await.status, StatusCode::SEE_OTHER);
    assert_eq!(city.count(given).await, 0);
    for number in [MANAGER, OTHER_MANAGER, DIRECTOR, ADMIN] {
        let mut b = city.browser(number).await;
        assert!(b.get("/cases").await.text.contains("href=\"/permits\""), "{number}");
        assert!(b.get("/permits").await.text.contains("sekisho-permit."), "{number}");
        let page = b.get("/permits/checker").await;
        let disposition = page.headers.get(header::CONTENT_DISPOSITION).unwrap().to_str().unwrap();
        assert!(disposition.starts_with("attachment;"), "its script never runs on this site: {disposition}");
    }
    assert_eq!(city.count(given).await, 4, "each file is recorded, with the hash of its list");

    let mut stranger = city.browser(OTHER_MANAGER).await;
    let missing = stranger.get("/cases/01900000-0000-7000-8000-000000000000").await;
    let page = stranger.get(&case).await;
    assert_eq!((page.status, page.text.len()), (StatusCode::NOT_FOUND, missing.text.len()));
    assert_eq!(stranger.get(&format!("{case}/permit.pdf")).await.status, StatusCode::NOT_FOUND);
    let shown = clerk.get(&case).await;
    assert!(shown.text.contains("<svg class=\"qr\"") && shown.text.len() < 150_000, "{}", shown.text.len());
}

#[tokio::test]
async fn the_terminal_makes_the_same_file_and_says_the_same() {
    let city = City::settled().await;
    let (mut clerk, mut manager, case) = permitted(&city).await;
    let text = code(&mut clerk, &case).await;
    let folder = city.folder_beside("permits");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("checker.html");
    let path = |p: &std::path::Path| p.to_str().unwrap().to_owned();
    let run = |words: &[&str]| Command::new(print_program()).args(words).output().unwrap();
    let key = path(&city.data().join("city.key"));
    let (data, out) = (path(city.data()), path(&file));
    let made = run(&["permit", "checker", "--data", &data, "--signing-key", &key, "--out", &out]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made = std::fs::read_to_string(&file).unwrap();
    let own = checker(&mut manager).await;
    let keys = |f: &str| f.split("id=\"keys\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(keys(&made), keys(&own));
    std::fs::write(&file, own).unwrap();
    let judged = |words: &[&str]| {
        let done = run(&[&["permit", "verify"], words].concat());
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, says) = judged(&[&text, "--list", &out, "--at", "R8.11.25"]);
    assert_eq!(code, 0, "{says}");
    assert!(says.starts_with("有効") && says.contains("持出-R8-0001"), "{says}");
    assert_eq!(judged(&[&text, "--list", &out, "--at", "2026-12-01"]).0, 1);
    assert_eq!(judged(&[&text, "--key", &keys(&made), "--at", "2026-11-26"]).0, 0);
    assert_eq!(judged(&["4701", "--list", &out]).0, 2);
    assert_eq!(judged(&[&text]).0, 2, "without a key nothing is said");
    assert_eq!(judged(&[&text, "--key", "偽"]).0, 2);
    assert_eq!(judged(&[&text, "--list", "/no/such/file"]).0, 2);
    let wrong = folder.join("other.key");
    std::fs::write(&wrong, "0".repeat(64)).unwrap();
    let refused = run(&["permit", "checker", "--data", &data, "--signing-key", &path(&wrong), "--out", &out]);
    assert!(!refused.status.success(), "another key signs nothing for this body");
    let _ = std::fs::remove_dir_all(&folder);
}
