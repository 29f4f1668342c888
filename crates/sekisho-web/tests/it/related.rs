//! A step that opens a case of another procedure: the emergency exception that has to go on becomes an exception.

use axum::http::StatusCode;

use crate::acts::{done, press, refusal};
use crate::browser::Browser;
use crate::city::{ADMIN, CISO, CLERK, City, DIRECTOR, HEAD, MANAGER, OTHER_MANAGER};

/// Applies through the page and gives the case's address.
pub async fn applied(b: &mut Browser, procedure: &str, fields: &[(&str, &str)]) -> String {
    b.get("/").await;
    let mut all = vec![("do", "apply")];
    all.extend_from_slice(fields);
    let page = b.post(&format!("/apply/{procedure}"), &all).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    page.location().split('?').next().unwrap().to_owned()
}

/// What an exception is applied for with.
pub fn exception<'a>(post: &'a str, clauses: &'a str, until: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("post", post),
        ("clause_no", "台帳を年に一度確かめること"),
        ("clauses_off", clauses),
        ("way", "other_way"),
        ("reason", "移転の間は書庫に入れない"),
        ("risk", "なくなっても気付くのが遅れる"),
        ("risk_level", "low"),
        ("alternative", "封印して一覧で確かめる"),
        ("back", "移転が終わりしだい確かめる"),
        ("system_related", ""),
        ("from", "R8.11.25"),
        ("until", until),
        ("report_by", "R8.11.27"),
    ]
}

/// Advice and permission of an exception.
pub async fn permitted(city: &City, case: &str) {
    let (mut head, mut ciso) = (city.browser(HEAD).await, city.browser(CISO).await);
    done(&mut head, case, "answer", &[("says", "代わりの対策でよい")]).await;
    done(&mut ciso, case, "permit", &[]).await;
}

#[tokio::test]
async fn a_step_opens_a_case_and_waits_until_it_is_decided() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    city.give_login(CISO).await;
    let (mut manager, mut head, mut ciso) =
        (city.browser(MANAGER).await, city.browser(HEAD).await, city.browser(CISO).await);
    let emergency = [
        ("post", "21-h"),
        ("clause_no", "支給された端末だけを使うこと"),
        ("did", "私物の端末で避難者の名簿を作った"),
        ("urgency", "待つと避難所を開けなかった"),
        ("started_on", "R8.11.24"),
        ("until", "R9.1.29"),
    ];
    let parent = applied(&mut manager, "emergency_exception", &emergency).await;
    let report = [
        ("e.details", "夜間に部長と相談して決めた"),
        ("e.affected", "none"),
        ("e.taken", "使った後に消した"),
        ("e.going_on", "1"),
        ("e.beyond", "1"),
    ];
    done(&mut manager, &parent, "report", &report).await;
    done(&mut ciso, &parent, "read", &[]).await;
    done(&mut head, &parent, "answer", &[("says", "やむを得ない")]).await;
    done(&mut ciso, &parent, "permit", &[]).await;

    // The step leads to the other form, and is not done before that is decided.
    let page = manager.get(&parent).await;
    let address = page.form("perform").split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(address.starts_with("/apply/exception?parent="), "{address}");
    let early = press(&mut manager, &parent, "perform", &[]).await;
    assert!(refusal(&early).contains("先に、この手順から関連する申請をしてください"), "{}", refusal(&early));
    let form = manager.get(&address).await;
    let link = form.hidden("parent");
    assert!(form.text.contains("緊急例外-R8-001") && !link.is_empty(), "{}", form.text);
    let mut fields = exception("21-h", "", "R9.3.31");
    fields.push(("parent", &link));
    // Neither another section's manager nor somebody who only sees the case opens one from it.
    for (wrong, post) in
        [(OTHER_MANAGER, "22-h"), (ADMIN, "info_policy_manager"), (DIRECTOR, "2-h"), (CLERK, "21-s")]
    {
        let mut b = city.browser(wrong).await;
        b.get("/").await;
        let mut theirs = crate::acts::changed(&fields, &[("post", post)]);
        theirs.push(("do", "apply"));
        let forged = b.post("/apply/exception", &theirs).await;
        assert!(forged.status.is_client_error(), "{wrong}: {}", forged.status);
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM case_file WHERE procedure = 'exception'").await, 0);
    let child = applied(&mut manager, "exception", &fields).await;

    // Both pages name the other case.
    let page = manager.get(&parent).await;
    assert!(
        page.text.contains(&format!("この案件から申請：<a href=\"{child}\">例外-R8-001</a>（審査中）")),
        "{}",
        page.text
    );
    let page = manager.get(&child).await;
    assert!(
        page.text.contains(&format!("もとの案件：<a href=\"{parent}\">緊急例外-R8-001</a>")),
        "{}",
        page.text
    );
    let waiting = press(&mut manager, &parent, "perform", &[]).await;
    assert!(refusal(&waiting).contains("例外-R8-001）がまだ決まっていません"), "{}", refusal(&waiting));
    permitted(&city, &child).await;
    assert!(manager.get(&parent).await.text.contains("例外-R8-001</a>（許可"), "the parent knows");
    done(&mut manager, &parent, "perform", &[]).await;
    assert!(manager.get(&parent).await.form("perform").contains("e.prevention"), "and goes on to its end");
}
