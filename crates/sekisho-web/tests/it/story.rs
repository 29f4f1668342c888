//! The first thread: applied, permitted, printed, brought back late, confirmed; and the proof of all of it.

use axum::http::StatusCode;
use sekisho_app::{sequencer, setup};

use crate::acts::{application, apply, changed, done, forge, item, press, refusal, returned};
use crate::browser::hidden;
use crate::city::{CLERK, City, MANAGER, OTHER_MANAGER, line_with};

const CLAUSE: &str = "/clauses/5.1.1.3.%E3%82%A4";

#[tokio::test]
async fn a_draft_and_a_refused_form_keep_what_was_typed_and_the_search_finds_own_assets() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let home = clerk.get("/").await;
    assert!(home.text.contains("href=\"/apply/take_out\"") && home.text.contains("まだ申請していません"));

    let found = clerk
        .post("/apply/take_out", &[("do", "search"), ("items-words", "名簿"), ("purpose", "調査")])
        .await;
    assert!(found.text.contains("A-001") && found.text.contains("要介護認定の名簿"));
    assert!(found.text.contains(">調査</textarea>"), "searching keeps what was typed");
    let none = clerk.post("/apply/take_out", &[("do", "search"), ("items-words", "手帳")]).await;
    assert!(
        none.text.contains("あなたの所属の台帳にありません") && !none.text.contains("B-001"),
        "another section's asset is not found"
    );

    let key = item(&mut clerk, "A-001").await;
    let picked = clerk.post("/apply/take_out", &[("do", "pick"), ("items", &key)]).await;
    assert!(
        picked.text.contains("選んだもの") && picked.text.contains("鍵付きのケース"),
        "the safeguards are told before applying"
    );

    let draft = clerk
        .post(
            "/apply/take_out",
            &[("do", "draft"), ("items", &key), ("destination", "県庁 北会議室"), ("return_by", "あした")],
        )
        .await;
    assert_eq!(draft.status, StatusCode::SEE_OTHER);
    assert_eq!(city.count("SELECT COUNT(*) FROM case_file").await, 0);
    let page = clerk.get(&draft.location()).await;
    for kept in ["value=\"県庁 北会議室\"", "value=\"あした\"", "A-001", "下書きを保存しました"]
    {
        assert!(page.text.contains(kept), "{kept}");
    }
    assert!(clerk.get("/").await.text.contains("書きかけの申請"));

    let number = hidden(&page.text, "draft");
    let refused = clerk
        .post(
            "/apply/take_out",
            &[
                ("do", "apply"),
                ("draft", &number),
                ("post", "21-s"),
                ("items", &key),
                ("destination", "県庁"),
                ("return_by", "あした"),
            ],
        )
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in ["value=\"県庁\"", "value=\"あした\"", "A-001", "返却予定日", "aria-invalid"] {
        assert!(refused.text.contains(kept), "{kept}");
    }
    let early = changed(
        &application("21-s", &key),
        &[
            ("draft", &number),
            ("do", "apply"),
            ("from", "R8.11.24"),
            ("purpose", ""),
            ("encryption", "not_needed"),
        ],
    );
    let refused = clerk.post("/apply/take_out", &early).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for says in [
        "持ち出した後の申請はできません",
        "持出しの目的を入力してください",
        "機密性2以上のものを持ち出すときは",
        "href=\"#purpose\"",
    ] {
        assert!(refused.text.contains(says), "{says}");
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM case_file").await, 0, "nothing was applied for");

    apply(&mut clerk, &changed(&application("21-s", &key), &[("draft", &number)])).await;
    let home = clerk.get("/").await.text;
    assert!(
        !home.contains("書きかけの申請") && home.contains("要介護認定の名簿"),
        "the draft became the case"
    );
}

#[tokio::test]
async fn a_confidential_asset_goes_out_with_a_permit_comes_back_late_and_the_ledger_proves_it() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    assert!(
        !clerk.get(CLAUSE).await.text.contains("不適合"),
        "before anything happens the clause is not broken"
    );
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("持出-R8-0001") && page.text.contains("審査中"), "{}", page.text);

    let ahead: Vec<&str> = page.text.lines().filter(|l| l.contains(">これから<")).collect();
    assert!(
        ahead.len() > 1 && ahead.iter().all(|l| !l.contains("data-label=\"担当\"></td>")),
        "who will act is told before it is their turn: {ahead:?}"
    );

    // The manager has it in the inbox; the clerk cannot permit; another section does not know it.
    let inbox = manager.get("/inbox").await;
    let task = line_with(&inbox, "要介護認定の名簿");
    assert!(task.contains("許可") && task.contains("髙橋 花子") && task.contains("R8.11.30"), "{task}");
    assert!(!page.offers("permit") && !page.offers("refuse") && !page.offers("send_back"));
    let shown = hidden(manager.get(&case).await.form("permit"), "shown");
    let before = city.written().await;
    let own = forge(&clerk, &case, "permit", "permit", &shown).await;
    assert!(matches!(own.status, StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY), "{}", own.status);
    assert!(refusal(&own).contains("渡邉 一郎さん"), "who may is named: {}", refusal(&own));
    let mut stranger = city.browser(OTHER_MANAGER).await;
    assert_eq!(stranger.get(&case).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.get(&format!("{case}/permit.pdf")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(forge(&stranger, &case, "permit", "permit", &shown).await.status, StatusCode::NOT_FOUND);
    assert!(!stranger.get("/cases").await.text.contains("要介護認定"));

    // A decision binds to what was shown.
    let stale = forge(&manager, &case, "permit", "permit", &"0".repeat(64)).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    assert_eq!(city.written().await, before, "nothing of all this was written");
    let permitted =
        press(&mut manager, &case, "permit", &[("conditions", "施錠できる鞄で運ぶ\n\n翌朝までに戻す")]).await;
    assert_eq!(permitted.status, StatusCode::SEE_OTHER, "{}", permitted.text);
    let page = clerk.get(&case).await;
    for says in
        ["許可（継続中）", "許可番号", "渡邉 一郎", "施錠できる鞄で運ぶ、翌朝までに戻す", "返却を記録する"]
    {
        assert!(page.text.contains(says), "{says}");
    }
    assert!(!manager.get("/inbox").await.text.contains("要介護認定"), "the manager's task is gone");
    done(&mut clerk, &case, "move_out", &[]).await;
    assert!(clerk.get(&case).await.text.contains("持出中"));

    // Three days after the day it was due back.
    city.turn_to("2026-11-30", 9).await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let check = clerk.get("/checks/overdue_return").await;
    let row = line_with(&check, "要介護認定の名簿");
    assert!(
        row.contains("続いている")
            && row.contains("令和8年11月27日")
            && row.contains(&case)
            && row.contains("高齢福祉課"),
        "{row}"
    );
    let clause = clerk.get(CLAUSE).await;
    assert!(clause.text.contains("<span class=\"tag broken\">不適合</span>"), "{}", clause.text);
    assert!(clerk.get(&case).await.text.contains("期限（令和8年11月27日）を過ぎています"));
    let mut stranger = city.browser(OTHER_MANAGER).await;
    assert!(
        !stranger.get("/checks/overdue_return").await.text.contains("要介護認定"),
        "rows of another section are not shown"
    );
    assert!(stranger.get(CLAUSE).await.text.contains("不適合"), "the state is for all staff");

    // It comes back; the row is closed at once.
    city.clock.set(crate::city::at("2026-11-30", 9).plus_millis(600_000));
    let early = press(
        &mut clerk,
        &case,
        "perform",
        &[("e.returned_at", "R8.12.1"), ("e.return_note", "封筒の角が破れた")],
    )
    .await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        early.text.contains("返却した日には、今日かそれより前の日")
            && early.text.contains(">封筒の角が破れた</textarea>")
    );
    assert!(
        early.text.contains("href=\"#e.returned_at\"") && early.text.contains("id=\"e.returned_at\""),
        "the fault leads to its field"
    );
    done(&mut clerk, &case, "perform", &returned("R8.11.30")).await;
    let row = clerk.get("/checks/overdue_return").await;
    let row = line_with(&row, "要介護認定の名簿");
    assert!(row.contains("R8.11.30") && !row.contains("続いている"), "{row}");
    let clause = clerk.get(CLAUSE).await;
    let now = clause.text.split("状態の移り変わり").next().unwrap();
    assert!(!now.contains("不適合"), "the clause is no longer broken");
    let own = clerk.get(&case).await;
    assert!(own.text.contains("返却済み") && !own.offers("confirm"));
    done(&mut manager, &case, "confirm", &[]).await;
    assert!(manager.get(&case).await.text.contains("<span class=\"tag done\">完了</span>"));

    // A past day is read as it was known then.
    city.turn_to("2026-12-02", 9).await;
    let mut clerk = city.browser(CLERK).await;
    for (day, broken) in [("R8.11.26", false), ("R8.11.29", false), ("R8.12.1", false)] {
        let page = clerk.get(&format!("/clauses?on={day}")).await;
        assert_eq!(line_with(&page, "5.1.1.3.イ").contains("不適合"), broken, "{day}");
    }
    let page = clerk.get("/clauses?on=R8.11.30").await;
    assert!(
        !line_with(&page, "5.1.1.3.イ").contains("不適合"),
        "by the end of the day on which it came back it was over"
    );

    // Every act is an entry, every entry of a case is an act, and all of it verifies.
    let acts = city.count("SELECT COUNT(*) FROM case_act").await;
    assert!(acts >= 9, "{acts}");
    assert_eq!(acts, city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind LIKE 'case.%'").await);
    assert_eq!(acts, city.count("SELECT COUNT(*) FROM case_act a JOIN ledger_entry e ON e.id = a.entry AND e.kind = 'case.' || a.kind").await);
    assert!(sequencer::drain(&city.office).await.unwrap() > 0);
    let verdict = setup::verify_data(&city.office.store, None, &[]).await.unwrap();
    assert!(verdict.sound, "{:?}", verdict.text);
    let page = clerk.get("/ledger").await;
    assert!(page.text.contains("sekisho.minatono") || page.text.contains("minatono"), "{}", page.text);
    let case_page = clerk.get(&case).await;
    let entry = case_page.text.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let entry = clerk.get(&format!("/ledger/{entry}")).await;
    assert!(
        entry.text.contains("tlog-proof") && !entry.text.contains("認定調査での本人確認"),
        "staff see the proof, not the content"
    );
}

#[tokio::test]
async fn a_past_day_shows_what_was_broken_at_its_end() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    done(&mut manager, &case, "permit", &[]).await;
    city.turn_to("2026-11-30", 9).await;
    city.turn_to("2026-12-02", 9).await;
    let mut clerk = city.browser(CLERK).await;
    done(&mut clerk, &case, "perform", &returned("R8.12.2")).await;
    for (day, broken) in
        [("R8.11.29", false), ("2026/11/30", true), ("令和８年１２月１日", true), ("R8.12.2", false)]
    {
        let page = clerk.get(&format!("/clauses?{}", crate::browser::encode(&[("on", day)]))).await;
        assert_eq!(line_with(&page, "5.1.1.3.イ").contains("不適合"), broken, "{day}");
    }
}

#[tokio::test]
async fn the_permit_prints_as_a_pdf() {
    let city = City::settled().await;
    assert!(
        crate::city::print_program().exists(),
        "printing runs the sekisho binary beside this test: build it first with `cargo build --workspace`"
    );
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    done(&mut manager, &case, "permit", &[]).await;
    sequencer::drain(&city.office).await.unwrap();
    let pdf = clerk.get(&format!("{case}/permit.pdf")).await;
    assert_eq!(pdf.status, StatusCode::OK, "{}", pdf.text);
    assert!(pdf.bytes.starts_with(b"%PDF") && pdf.bytes.len() > 10_000, "{} bytes", pdf.bytes.len());
    assert_eq!(pdf.headers.get("content-type").unwrap(), "application/pdf");
    assert!(
        pdf.headers
            .get("content-disposition")
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("inline; filename*=UTF-8''")
    );
}
