//! The invariants of cases (design §3), each for the rightful and the wrong person, as their browsers send it.

use axum::http::StatusCode;
use sekisho_app::first;

use crate::acts::{application, apply, changed, done, forge, item, press, refusal, returned};
use crate::browser::{Browser, hidden};
use crate::city::{
    ADMIN, CLERK, City, DIRECTOR, MANAGER, OTHER_CLERK, OTHER_MANAGER, asset, at, line_with, row_id, workbook,
};
use crate::proposals::import_organization;

/// A city with a take-out that waits for the manager.
async fn applied() -> (City, Browser, Browser, String) {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    (city, clerk, manager, case)
}

/// The same, permitted.
async fn permitted() -> (City, Browser, Browser, String) {
    let (city, clerk, mut manager, case) = applied().await;
    done(&mut manager, &case, "permit", &[]).await;
    (city, clerk, manager, case)
}

/// Invariant 1: nothing a client sends names who decides.
#[tokio::test]
async fn who_decides_comes_from_the_session_alone() {
    let (city, clerk, mut manager, case) = applied().await;
    let page = manager.get(&case).await;
    let shown = hidden(page.form("permit"), "shown");
    let named = [
        ("person", MANAGER),
        ("by", MANAGER),
        ("post", "21-h"),
        ("role", "section_security_manager"),
        ("override", "1"),
    ];
    for number in [CLERK, DIRECTOR, ADMIN] {
        let b = if number == CLERK { None } else { Some(city.browser(number).await) };
        let b = b.as_ref().unwrap_or(&clerk);
        let mut all =
            vec![("do", "permit"), ("step", "permit"), ("shown", shown.as_str()), ("reason", "急ぎ")];
        all.extend(named);
        let page = b.post(&case, &all).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{number}");
        assert!(refusal(&page).contains("渡邉 一郎"), "{number}: {}", refusal(&page));
    }
    let as_another = [("person", CLERK), ("post", "21-s")];
    done(&mut manager, &case, "permit", &as_another).await;
    let page = manager.get(&case).await;
    assert!(page.text.contains("<strong>許可</strong> 高齢福祉課 高齢福祉課長 渡邉 一郎"), "{}", page.text);
}

/// Invariant 2: a manager's own application goes to the next role, also for its confirmation.
#[tokio::test]
async fn a_managers_own_application_goes_to_the_head_of_the_department() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let mut director = city.browser(DIRECTOR).await;
    let key = item(&mut manager, "A-001").await;
    let case = apply(&mut manager, &application("21-h", &key)).await;
    let page = manager.get(&case).await;
    assert!(!page.offers("permit"));
    let shown = hidden(director.get(&case).await.form("permit"), "shown");
    let own = forge(&manager, &case, "permit", "permit", &shown).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    assert!(refusal(&own).contains("見 清さん"), "{}", refusal(&own));
    let admin = city.browser(ADMIN).await;
    assert_eq!(forge(&admin, &case, "permit", "permit", &shown).await.status, StatusCode::FORBIDDEN);
    assert!(director.get("/inbox").await.text.contains("要介護認定"));
    done(&mut director, &case, "permit", &[]).await;
    done(&mut manager, &case, "perform", &returned("R8.11.25")).await;
    let shown = hidden(director.get(&case).await.form("confirm"), "shown");
    assert_eq!(
        forge(&manager, &case, "confirm", "confirm_return", &shown).await.status,
        StatusCode::FORBIDDEN,
        "nobody confirms the own return"
    );
    done(&mut director, &case, "confirm", &[]).await;
    assert!(manager.get(&case).await.text.contains("<span class=\"tag done\">完了</span>"));
}

/// Invariant 2: the override is the engine's, only when nobody else is in office, and never without a reason.
#[tokio::test]
async fn deciding_the_own_case_needs_that_nobody_else_is_there_and_a_reason() {
    let city = City::settled().await;
    import_organization(&city, "異動.xlsx", &workbook(|p| if p == MANAGER { "" } else { "2026-11-30" }))
        .await;
    city.turn_to("2026-12-01", 9).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut manager, "A-001").await;
    let fields = changed(&application("21-h", &key), &[("from", "R8.12.1"), ("return_by", "R8.12.4")]);
    let case = apply(&mut manager, &fields).await;
    let page = manager.get(&case).await;
    assert!(
        page.text.contains("ほかに決められる人がいないため、特例として処理できます") && page.offers("permit")
    );
    assert!(!page.offers("refuse"), "the exception is for the decision alone");
    let without = press(&mut manager, &case, "permit", &[("reason", " ")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", without.text);
    assert!(without.text.contains("href=\"#reason\""), "{}", refusal(&without));
    done(&mut manager, &case, "permit", &[("reason", "部課長がすべて欠員のため")]).await;
    let page = manager.get(&case).await;
    assert!(page.text.contains("理由：部課長がすべて欠員のため"));
    let check = manager.get("/checks/self_approval").await;
    assert!(line_with(&check, "要介護認定").contains("続いている"), "{}", check.text);
    let own = press_review(&mut manager, &case).await;
    assert_eq!(own, None, "nobody reviews the own decision");
}

/// The status of reviewing, when it is offered.
async fn press_review(b: &mut Browser, case: &str) -> Option<StatusCode> {
    if !b.get(case).await.offers("post_review") {
        return None;
    }
    Some(press(b, case, "post_review", &[]).await.status)
}

/// A vacant post passes to the next role and says so; it never decides of itself.
#[tokio::test]
async fn where_the_manager_is_missing_the_department_decides() {
    let city = City::settled().await;
    import_organization(&city, "異動.xlsx", &workbook(|p| if p == MANAGER { "2026-11-24" } else { "" }))
        .await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    assert!(clerk.get(&case).await.text.contains("欠員のため、上位の役割が行います"));
    assert!(clerk.get("/organization").await.text.contains("空席"));
    assert_eq!(forge(&clerk, &case, "permit", "permit", "").await.status, StatusCode::FORBIDDEN);
    let mut gone = city.browser(MANAGER).await;
    assert_eq!(
        gone.get(&case).await.status,
        StatusCode::NOT_FOUND,
        "the former manager sees nothing any more"
    );
    let mut director = city.browser(DIRECTOR).await;
    done(&mut director, &case, "permit", &[]).await;
}

/// Invariant 3: a decision binds to the content it was made on.
#[tokio::test]
async fn what_was_changed_after_it_was_shown_cannot_be_permitted_unseen() {
    let (city, mut clerk, mut manager, case) = applied().await;
    let old = hidden(manager.get(&case).await.form("permit"), "shown");
    let reasonless = press(&mut manager, &case, "send_back", &[("says", "　")]).await;
    assert_eq!(reasonless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reasonless.text.contains("差し戻す理由を記入してください"));
    done(&mut manager, &case, "send_back", &[("says", "持出先を一件ずつ書いてください")]).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("差し戻されています。理由：持出先を一件ずつ") && page.offers("resubmit"));
    assert!(clerk.get("/inbox").await.text.contains("要介護認定"), "it is the applicant's task again");
    assert_eq!(
        forge(&manager, &case, "permit", "permit", &old).await.status,
        StatusCode::FORBIDDEN,
        "not while it is sent back"
    );

    let again = |destination| changed_fields(destination, "R8.11.27");
    let wrong = press(&mut clerk, &case, "resubmit", &changed_fields("北町1番地", "R9.4.1")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text.contains("href=\"#f.return_by\"") && wrong.text.contains("value=\"北町1番地\""),
        "{}",
        wrong.text
    );
    let other = city.browser(ADMIN).await;
    let shown = hidden(clerk.get(&case).await.form("resubmit"), "shown");
    let mut theirs = vec![("do", "resubmit"), ("shown", shown.as_str())];
    let fields = again("南町");
    theirs.extend(fields.iter().copied());
    assert_eq!(
        other.post(&case, &theirs).await.status,
        StatusCode::FORBIDDEN,
        "only the applicant applies again"
    );
    done(&mut clerk, &case, "resubmit", &again("北町1番地、南町2番地")).await;

    let stale = forge(&manager, &case, "permit", "permit", &old).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    assert_eq!(city.count("SELECT COUNT(*) FROM case_act WHERE kind = 'permit_issued'").await, 0);
    done(&mut manager, &case, "permit", &[]).await;
    assert!(manager.get(&case).await.text.contains("北町1番地、南町2番地"));
}

fn changed_fields<'a>(destination: &'a str, return_by: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("f.purpose", "認定調査での本人確認"),
        ("f.destination", destination),
        ("f.from", "R8.11.25"),
        ("f.return_by", return_by),
        ("f.carrying_method", "locked_bag"),
        ("f.encryption", "sealed"),
    ]
}

#[tokio::test]
async fn an_application_can_be_taken_back_until_it_is_opened() {
    let (_city, mut clerk, mut manager, case) = applied().await;
    done(&mut clerk, &case, "withdraw", &[("withdraw.says", "訪問が中止になった")]).await;
    let page = clerk.get(&case).await;
    assert!(
        page.text.contains("<span class=\"tag none\">引戻し</span>")
            && page.text.contains("訪問が中止になった")
    );
    assert!(!manager.get("/inbox").await.text.contains("要介護認定"));
    assert!(!manager.get(&case).await.offers("permit"));

    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let page = clerk.get(&case).await;
    let shown = hidden(page.form("withdraw"), "shown");
    assert_eq!(
        forge(&manager, &case, "withdraw", "", &shown).await.status,
        StatusCode::FORBIDDEN,
        "only the applicant takes back"
    );
    manager.get(&case).await;
    assert!(!clerk.get(&case).await.offers("withdraw"));
    let late = forge(&clerk, &case, "withdraw", "", &shown).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    assert!(refusal(&late).contains("開いた後は、引き戻せません"), "{}", refusal(&late));
}

#[tokio::test]
async fn a_refusal_needs_a_reason_and_ends_the_case() {
    let (_city, mut clerk, mut manager, case) = applied().await;
    let reasonless = press(&mut manager, &case, "refuse", &[]).await;
    assert_eq!(reasonless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reasonless.text.contains("不許可とする理由を記入してください"));
    let shown = hidden(manager.get(&case).await.form("refuse"), "shown");
    assert_eq!(forge(&clerk, &case, "refuse", "permit", &shown).await.status, StatusCode::FORBIDDEN);
    done(&mut manager, &case, "refuse", &[("says", "写しで足りるため")]).await;
    let page = clerk.get(&case).await;
    assert!(
        page.text.contains("<span class=\"tag refused\">不許可</span>")
            && page.text.contains("写しで足りるため")
    );
    assert!(!page.text.contains("許可番号") && !page.offers("perform"));
    assert_eq!(
        forge(&manager, &case, "permit", "permit", &shown).await.status,
        StatusCode::FORBIDDEN,
        "what is refused stays refused"
    );
}

/// Invariant 5: a permit has an end; more time is asked for and given, never past the fiscal year.
#[tokio::test]
async fn a_period_ends_with_the_fiscal_year_and_is_extended_by_whoever_permitted() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let mut fields = changed(&application("21-s", &key), &[("return_by", "R9.4.1")]);
    fields.push(("do", "apply"));
    let long = clerk.post("/apply/take_out", &fields).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(long.text.contains("その年度の3月31日までの日を入れてください"));
    assert_eq!(
        city.count("SELECT COALESCE(SUM(value), 0) FROM counter WHERE name LIKE 'number:%'").await,
        0,
        "no number is lost"
    );

    let (_city, mut clerk, mut manager, case) = permitted().await;
    let past = press(
        &mut clerk,
        &case,
        "ask_extension",
        &[("ask_extension.until", "R9.4.1"), ("ask_extension.says", "調査が延びた")],
    )
    .await;
    assert_eq!(past.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        past.text.contains("年度の末日")
            && past.text.contains("href=\"#ask_extension.until\"")
            && past.text.contains("value=\"調査が延びた\""),
        "{}",
        refusal(&past)
    );
    let unread = press(
        &mut clerk,
        &case,
        "ask_extension",
        &[("ask_extension.until", "来週"), ("ask_extension.says", "調査が延びた")],
    )
    .await;
    assert_eq!(unread.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unread.text.contains("href=\"#ask_extension.until\"") && unread.text.contains("value=\"来週\""));
    done(
        &mut clerk,
        &case,
        "ask_extension",
        &[("ask_extension.until", "R8.12.25"), ("ask_extension.says", "調査が延びた")],
    )
    .await;
    let shown = hidden(manager.get(&case).await.form("extend"), "shown");
    let own = forge(&clerk, &case, "extend", "", &shown).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "nobody extends the own permit");
    done(&mut manager, &case, "extend", &[("extend.until", "R8.12.25"), ("extend.says", "やむを得ない")])
        .await;
    assert!(clerk.get(&case).await.text.contains("から 2026年（令和8年）12月25日"));
}

#[tokio::test]
async fn a_permit_is_revoked_by_whoever_permitted_and_the_thing_must_still_come_back() {
    let (_city, mut clerk, mut manager, case) = permitted().await;
    let shown = hidden(manager.get(&case).await.form("revoke"), "shown");
    done(&mut clerk, &case, "move_out", &[]).await;
    assert_eq!(forge(&clerk, &case, "revoke", "", &shown).await.status, StatusCode::FORBIDDEN);
    let reasonless = press(&mut manager, &case, "revoke", &[]).await;
    assert_eq!(reasonless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reasonless.text.contains("href=\"#revoke.says\""), "{}", refusal(&reasonless));
    done(&mut manager, &case, "revoke", &[("revoke.says", "紛失の報告があったため")]).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("許可取消し") && page.text.contains("紛失の報告があったため"));
    assert!(page.text.contains("持出中") && page.offers("perform"));
    done(&mut clerk, &case, "perform", &returned("R8.11.25")).await;
    assert!(clerk.get(&case).await.text.contains("返却済み"));
}

/// Applies for daily use of two assets until the end of the fiscal year: their keys, and the case.
async fn apply_for_two(clerk: &mut Browser) -> ([String; 2], String) {
    let (one, two) = (item(clerk, "A-001").await, item(clerk, "A-002").await);
    let mut fields = changed(&application("21-s", &one), &[("blanket", "1"), ("return_by", "R9.3.31")]);
    fields.push(("items", &two));
    let case = apply(clerk, &fields).await;
    ([one, two], case)
}

/// Invariant 5: one permit covers many movements when it says so, and else one.
#[tokio::test]
async fn a_blanket_permit_covers_several_movements_and_an_ordinary_one_does_not() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let (_, case) = apply_for_two(&mut clerk).await;
    assert!(!clerk.get(&case).await.offers("move_out"), "nothing goes out before it is permitted");
    assert_eq!(forge(&clerk, &case, "move_out", "", "").await.status, StatusCode::FORBIDDEN);
    done(&mut manager, &case, "permit", &[]).await;
    for day in ["2026-11-26", "2026-11-27"] {
        city.turn_to(day, 9).await;
        let mut clerk = city.browser(CLERK).await;
        done(&mut clerk, &case, "move_out", &[("move_out.says", "訪問調査")]).await;
        assert!(!clerk.get(&case).await.offers("move_out"), "what is outside cannot go out again");
        done(&mut clerk, &case, "move_in", &[]).await;
    }
    let mut clerk = city.browser(CLERK).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("包括許可") && page.text.contains("A-001、A-002"));
    assert_eq!(page.text.matches("<td data-label=\"区分\">持出</td>").count(), 2, "{}", page.text);
    assert_eq!(page.text.matches("<td data-label=\"区分\">返却</td>").count(), 2);
    let admin = city.browser(ADMIN).await;
    let shown = hidden(page.form("move_out"), "shown");
    assert_eq!(
        forge(&admin, &case, "move_out", "", &shown).await.status,
        StatusCode::FORBIDDEN,
        "who sees it all moves nothing"
    );

    let (_city, mut clerk, _manager, case) = permitted().await;
    done(&mut clerk, &case, "move_out", &[]).await;
    done(&mut clerk, &case, "move_in", &[]).await;
    let page = clerk.get(&case).await;
    assert!(!page.offers("move_out"));
    let shown = hidden(page.form("ask_extension"), "shown");
    let again = forge(&clerk, &case, "move_out", "", &shown).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(refusal(&again).contains("包括許可を受けてください"), "{}", refusal(&again));
}

/// Of two things one may go out, be refused or come back alone; nothing ticked is a mistake that is told.
#[tokio::test]
async fn some_of_the_items_go_and_the_others_stay() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let ([one, two], case) = apply_for_two(&mut clerk).await;
    let shown = manager.get(&case).await;
    for key in [&one, &two] {
        let ticked = format!("name=\"items\" value=\"{key}\" checked");
        assert!(shown.form("permit").contains(&ticked), "everything is ticked at first: {}", shown.text);
    }
    let none = press(&mut manager, &case, "permit", &[("items", "")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.text.contains("対象を1つ以上選んでください"), "{}", none.text);
    let strange = press(&mut manager, &case, "permit", &[("items", "asset/unknown")]).await;
    assert_eq!(strange.status, StatusCode::FORBIDDEN, "{}", strange.text);
    assert!(refusal(&strange).contains("この手順の対象でないもの"), "{}", refusal(&strange));

    done(&mut manager, &case, "permit", &[("items", &one)]).await;
    assert!(!clerk.get(&case).await.text.contains("許可番号"), "one of two is not decided yet");
    assert!(!manager.get(&case).await.form("refuse").contains(&one), "what is decided is not asked again");
    done(&mut manager, &case, "permit", &[]).await;

    city.turn_to("2026-11-26", 9).await;
    let mut clerk = city.browser(CLERK).await;
    let none = press(&mut clerk, &case, "move_out", &[("move_out.items", "")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.text.contains("対象を1つ以上選んでください"), "{}", none.text);
    done(&mut clerk, &case, "move_out", &[("move_out.items", ""), ("move_out.items", &two)]).await;
    let page = clerk.get(&case).await;
    assert!(line_with(&page, "<td data-label=\"区分\">持出</td>").contains("A-002"), "{}", page.text);
    assert!(!line_with(&page, "<td data-label=\"区分\">持出</td>").contains("A-001"), "{}", page.text);
    assert!(page.offers("move_out") && page.offers("move_in"), "the other may follow, this one may return");
    done(&mut clerk, &case, "move_out", &[]).await;
    done(&mut clerk, &case, "move_in", &[("move_in.items", &one)]).await;
    let page = clerk.get(&case).await;
    assert!(line_with(&page, "<td data-label=\"区分\">返却</td>").contains("A-001"), "{}", page.text);
    assert!(page.offers("move_in"), "one is still outside");
}

/// Invariant 5: one permission covers items of two sections only when each section's manager gave it.
#[tokio::test]
async fn items_of_two_sections_need_both_managers() {
    let city = City::settled().await;
    let mut director = city.browser(DIRECTOR).await;
    let (one, two) = (item(&mut director, "A-001").await, item(&mut director, "B-001").await);
    let mut fields = application("2-h", &one);
    fields.push(("items", &two));
    let case = apply(&mut director, &fields).await;
    let mut first_manager = city.browser(MANAGER).await;
    let mut second_manager = city.browser(OTHER_MANAGER).await;
    assert!(second_manager.get("/inbox").await.text.contains("要介護認定"));
    done(&mut first_manager, &case, "permit", &[]).await;
    assert!(!first_manager.get(&case).await.text.contains("許可番号"), "half a permission is none");
    done(&mut second_manager, &case, "permit", &[]).await;
    assert!(director.get(&case).await.text.contains("許可番号"));
}

/// Invariant 6: one case serves every clause that the procedure names.
#[tokio::test]
async fn one_case_serves_several_clauses() {
    let (_city, mut clerk, _manager, case) = applied().await;
    let page = clerk.get(&case).await;
    for clause in ["第5章第1節(1)③(イ)", "第2章(2)⑧(ア)", "第2章(2)⑧(イ)", "第3章(1)②(イ)"]
    {
        assert!(page.text.contains(clause), "{clause}");
    }
}

/// Invariant 7: deadlines skip closed days, and lateness lets the next role act.
#[tokio::test]
async fn a_deadline_counts_working_days_and_lateness_adds_the_next_role() {
    let city = City::settled().await;
    city.clock.set(at("2026-12-24", 10));
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let mut director = city.browser(DIRECTOR).await;
    let key = item(&mut clerk, "A-001").await;
    let fields = changed(&application("21-s", &key), &[("from", "R8.12.24"), ("return_by", "R9.1.15")]);
    let case = apply(&mut clerk, &fields).await;
    let inbox = manager.get("/inbox").await;
    assert!(
        line_with(&inbox, "要介護認定").contains("R9.1.4"),
        "the new year's days do not count: {}",
        inbox.text
    );
    let page = director.get(&case).await;
    assert!(!page.offers("permit"));
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    let early = forge(&director, &case, "permit", "permit", &shown).await;
    assert_eq!(early.status, StatusCode::FORBIDDEN);
    city.turn_to("2027-01-04", 23).await;
    let mut director = city.browser(DIRECTOR).await;
    assert!(!director.get(&case).await.offers("permit"), "the last day is still the manager's alone");

    city.turn_to("2027-01-05", 9).await;
    let mut director = city.browser(DIRECTOR).await;
    let admin = city.browser(ADMIN).await;
    let page = director.get(&case).await;
    assert!(
        page.text.contains("期限を過ぎたため、上位の役割へ知らせました") && page.text.contains("審査中"),
        "nothing is approved by lapse of time"
    );
    assert!(director.get("/inbox").await.text.contains("期限切れ"));
    assert_eq!(
        forge(&admin, &case, "permit", "permit", &shown).await.status,
        StatusCode::FORBIDDEN,
        "only the next role, not every higher one"
    );
    done(&mut director, &case, "permit", &[]).await;
}

/// The terminal's first filling is closed once somebody can log in.
#[tokio::test]
async fn the_first_filling_cannot_be_repeated() {
    let city = City::settled().await;
    let before = city.written().await;
    assert!(first::first_login(&city.office, OTHER_CLERK, "again").await.is_err());
    assert_eq!(city.written().await, before);
}

/// Invariant 3: what is classed otherwise than it was shown must be looked at again, before a permit and after it.
#[tokio::test]
async fn a_reclassified_thing_is_looked_at_again() {
    let (_city, mut clerk, mut manager, case) = applied().await;
    let edit = format!("/registers/asset/{}/edit", row_id(&mut manager, "asset", "A-001").await);
    let with = |confidentiality: &'static str, version: &'static str| {
        changed(
            &asset("A-001", "要介護認定の名簿", "21"),
            &[("confidentiality", confidentiality), ("version", version)],
        )
    };
    let old = hidden(manager.get(&case).await.form("permit"), "shown");
    assert_eq!(manager.post(&edit, &with("3", "1")).await.status, StatusCode::SEE_OTHER);
    let stale = forge(&manager, &case, "permit", "permit", &old).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN, "the class that was shown is no longer true");
    assert!(manager.get(&case).await.text.contains("機密性3"));
    done(&mut manager, &case, "permit", &[]).await;

    assert_eq!(manager.post(&edit, &with("1", "2")).await.status, StatusCode::SEE_OTHER);
    assert!(manager.get("/inbox").await.text.contains("分類が変わった許可を見直す"));
    assert!(!clerk.get(&case).await.offers("post_review"), "the applicant does not review");
    let act = hidden(manager.get(&case).await.form("post_review"), "step");
    let says = format!("post_review{act}.says");
    done(&mut manager, &case, "post_review", &[(says.as_str(), "このまま認める")]).await;
    assert!(!manager.get("/inbox").await.text.contains("分類が変わった許可を見直す"));
}
