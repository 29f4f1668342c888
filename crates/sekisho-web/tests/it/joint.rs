//! Invariant 4: what two roles permit together, by two persons and by one person who holds both (外部ネットワークとの接続).

use axum::http::StatusCode;

use crate::acts::{done, forge, press, refusal};
use crate::browser::{Browser, hidden};
use crate::city::{ADMIN, CISO, CLERK, City, DIRECTOR, HEAD, MANAGER, row_id, workbook, workbook_with};

const NUMBERS: [&str; 6] = [CLERK, MANAGER, DIRECTOR, ADMIN, HEAD, CISO];

/// A connection that waits for the permission of CISO and head officer; the case's address.
async fn waiting(city: &City) -> String {
    let mut admin = city.browser(ADMIN).await;
    let row = [
        ("number", "N-001"),
        ("name", "県との専用線"),
        ("section", "21"),
        ("manager", "21-h"),
        ("zone", "lgwan"),
        ("confidentiality", "2"),
        ("partner", "県庁内ネットワーク"),
        ("partner_manager", "県 情報政策課長"),
        ("purpose", "申請の受付"),
        ("status", "planned"),
    ];
    let made = admin.post("/registers/external_connection/new", &row).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let mut manager = city.browser(MANAGER).await;
    let key = format!("external_connection/{}", row_id(&mut manager, "external_connection", "N-001").await);
    let mut applicant = city.browser(CLERK).await;
    applicant.get("/").await;
    let fields = [
        ("do", "apply"),
        ("post", "21-s"),
        ("connection", key.as_str()),
        ("purpose", "申請の受付に使う"),
        ("partner", "県 情報政策課長"),
        ("limits", "受付端末だけ"),
        ("boundary", "境界の装置"),
        ("liability", "in_contract"),
        ("from", "R8.12.21"),
        ("until", "R9.3.31"),
    ];
    let applied = applicant.post("/apply/external_connection", &fields).await;
    // The pack says that the section's manager applies: the clerk is told so, and the manager does.
    assert_eq!(applied.status, StatusCode::FORBIDDEN, "{}", applied.text);
    assert!(refusal(&applied).contains("情報セキュリティ管理者"), "{}", refusal(&applied));
    manager.get("/").await;
    let own: Vec<(&str, &str)> =
        fields.iter().map(|(n, v)| (*n, if *n == "post" { "21-h" } else { *v })).collect();
    let applied = manager.post("/apply/external_connection", &own).await;
    assert_eq!(applied.status, StatusCode::SEE_OTHER, "{}", applied.text);
    let case = applied.location().split('?').next().unwrap().to_owned();
    let mut head = city.browser(HEAD).await;
    let mut director = city.browser(DIRECTOR).await;
    for _ in 0..12 {
        for b in [&mut manager, &mut director, &mut admin, &mut head] {
            one_step(b, &case).await;
        }
    }
    case
}

/// Does what the page offers this person before the permission.
async fn one_step(b: &mut Browser, case: &str) {
    let page = b.get(case).await;
    if page.status != StatusCode::OK {
        return;
    }
    let says = ("says", "支障はない");
    if page.offers("review") {
        done(b, case, "review", &[]).await;
    } else if page.offers("answer") {
        done(b, case, "answer", &[says]).await;
    } else if page.offers("instruct") {
        done(b, case, "instruct", &[("says", "調べてください")]).await;
    } else if page.offers("perform") && page.form("perform").contains("e.structure") {
        let found = [
            ("e.structure", "専用線で直につながる"),
            ("e.devices", "ルーター2台"),
            ("e.protection", "相互認証"),
            ("e.effect", "none"),
        ];
        done(b, case, "perform", &found).await;
    } else if page.offers("confirm") && page.form("confirm").contains("e.no_effect") {
        done(b, case, "confirm", &[("e.no_effect", "1")]).await;
    }
}

#[tokio::test]
async fn both_roles_permit_and_neither_alone() {
    let city = City::with_organization(workbook(|_| ""), &NUMBERS).await;
    let case = waiting(&city).await;
    let (mut head, mut ciso) = (city.browser(HEAD).await, city.browser(CISO).await);
    let shown = hidden(ciso.get(&case).await.form("permit"), "shown");
    assert!(!shown.is_empty(), "it waits for the CISO");
    for wrong in [CLERK, MANAGER, DIRECTOR, ADMIN] {
        let mut b = city.browser(wrong).await;
        assert!(!b.get(&case).await.offers("permit"), "{wrong}");
        assert_eq!(
            forge(&b, &case, "permit", "permit", &shown).await.status,
            StatusCode::FORBIDDEN,
            "{wrong}"
        );
    }
    done(&mut head, &case, "permit", &[]).await;
    let page = head.get(&case).await;
    assert!(!page.offers("permit") && !page.text.contains("permit.pdf"), "one of both is no permit");
    let twice = forge(&head, &case, "permit", "permit", &shown).await;
    assert!(twice.status.is_client_error(), "nobody fills the other's part");
    done(&mut ciso, &case, "permit", &[]).await;
    assert!(ciso.get(&case).await.text.contains("permit.pdf"));
}

#[tokio::test]
async fn one_person_in_both_roles_is_one_act_in_both_capacities() {
    let without_ciso = |p: &str| if p == CISO { "2026-11-24" } else { "" };
    let city =
        City::with_organization(workbook_with(without_ciso, &[(HEAD, "deputy_mayor")]), &NUMBERS[..5]).await;
    let case = waiting(&city).await;
    let mut head = city.browser(HEAD).await;
    let pressed = press(&mut head, &case, "permit", &[]).await;
    assert_eq!(pressed.status, StatusCode::SEE_OTHER, "{}", pressed.text);
    let page = head.get(&case).await;
    let line = page.text.split("<li>").find(|l| l.starts_with("<strong>許可</strong>")).unwrap();
    assert!(line.contains("最高情報セキュリティ責任者（CISO）として"), "{line}");
    assert!(line.contains("統括情報セキュリティ責任者として"), "{line}");
    assert_eq!(page.text.matches("<strong>許可</strong>").count(), 1, "one act");
    assert!(page.text.contains("permit.pdf"));
}
