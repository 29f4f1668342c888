//! A step that writes into the register: the service that is permitted and begun is in use there, by the act that began it.

use axum::http::StatusCode;

use crate::acts::{done, forge, item};
use crate::city::{ADMIN, CLERK, City, HEAD, MANAGER, OTHER_MANAGER, row_id};
use crate::related::applied;

#[tokio::test]
async fn what_a_step_writes_stands_in_the_row_its_history_and_the_ledger() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    let (mut clerk, mut manager, mut head) =
        (city.browser(CLERK).await, city.browser(MANAGER).await, city.browser(HEAD).await);
    let row = [
        ("number", "S-001"),
        ("name", "介護予約サービス"),
        ("provider", "見本株式会社（日本）"),
        ("section", "21"),
        ("manager", "21-h"),
        ("kind", "saas"),
        ("configurable", "1"),
        ("confidentiality", "2"),
        ("data_location", "日本"),
        ("law", "日本法"),
        ("status", "considering"),
    ];
    manager.get("/").await;
    let made = manager.post("/registers/cloud_service/new", &row).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let path = format!("/registers/cloud_service/{}", row_id(&mut clerk, "cloud_service", "S-001").await);
    let service = path.trim_start_matches("/registers/").to_owned();
    let asset = item(&mut clerk, "A-001").await;
    let before = clerk.get(&format!("/registers/{asset}")).await.text;
    let mut fields = vec![
        ("post", "21-s"),
        ("service", service.as_str()),
        ("assets", asset.as_str()),
        ("purpose", "予約の受付"),
        ("criteria", "1"),
        ("exit_plan", "一覧を取り出して消す"),
        ("foreign_law", "国内だけ"),
        ("requirements", "ISMAP"),
        ("path", "LGWANから接続"),
        ("from", "R8.11.25"),
        ("until", "R9.3.31"),
    ];
    let conditions =
        ["no_other_use", "measures", "no_changes", "disclosure", "incident", "confirmation", "remedy"];
    fields.extend(
        conditions.iter().chain(&["audit", "service_level", "subcontracting"]).map(|c| (*c, "included")),
    );
    let case = applied(&mut clerk, "cloud_service", &fields).await;
    done(&mut manager, &case, "review", &[]).await;
    done(&mut city.browser(ADMIN).await, &case, "answer", &[("says", "支障はない")]).await;
    done(&mut head, &case, "review", &[("e.certifications", "ISMAP"), ("e.trusted", "1")]).await;
    done(&mut head, &case, "permit", &[]).await;
    let untouched = clerk.get(&path).await;
    assert!(untouched.text.contains("検討中") && !untouched.text.contains("外部サービス-R8-001</dd>"));

    let begun = [
        ("e.contract", "契約-R8-31"),
        ("e.spec_checked", "1"),
        ("e.accounts", "担当2名、多要素認証"),
        ("e.incident_procedure", "提供者の窓口に電話"),
    ];
    let shown = crate::browser::hidden(clerk.get(&case).await.form("perform"), "shown");
    for wrong in [MANAGER, HEAD, OTHER_MANAGER] {
        let forged = forge(&city.browser(wrong).await, &case, "perform", "start", &shown).await;
        assert!(forged.status.is_client_error(), "{wrong}");
    }
    assert!(clerk.get(&path).await.text.contains("検討中"), "whoever may not begin writes nothing");
    let changes = "SELECT COUNT(*) FROM ledger_entry WHERE kind LIKE 'register.%' AND payload LIKE '%case:外部サービス-R8-001%'";
    assert_eq!(city.count(changes).await, 0);
    done(&mut clerk, &case, "perform", &begun).await;
    let page = clerk.get(&path).await;
    assert!(page.text.contains("<dt>状態</dt><dd>利用中</dd>"), "{}", page.text);
    assert!(page.text.contains("<dt>許可番号</dt><dd>外部サービス-R8-001</dd>"), "{}", page.text);
    assert!(page.text.contains("状態：検討中 → 利用中"), "its history: {}", page.text);
    assert!(page.text.contains("許可番号：（空） → 外部サービス-R8-001"), "{}", page.text);
    assert_eq!(city.count(changes).await, 1, "one entry of its own, with the case as cause");
    assert_eq!(
        clerk.get(&format!("/registers/{asset}")).await.text.matches("許可番号").count(),
        before.matches("許可番号").count()
    );

    let ended = [
        ("e.moved", "介護システム"),
        ("e.erased_on", "R8.11.25"),
        ("e.erasure_proof", "消去証明-12"),
        ("e.closed_on", "R8.11.25"),
    ];
    done(&mut clerk, &case, "perform", &ended).await;
    let page = clerk.get(&path).await;
    assert!(page.text.contains("状態：利用中 → 利用を終えた"), "{}", page.text);
    assert_eq!(city.count(changes).await, 2);
}
