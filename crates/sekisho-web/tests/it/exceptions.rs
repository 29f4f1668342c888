//! Exceptions in the state of a clause: the section it was permitted for, the clauses it names, while it is valid.

use axum::http::StatusCode;

use crate::acts::done;
use crate::city::{CISO, CLERK, City, HEAD, MANAGER, OTHER_MANAGER, asset, line_with, row_id};
use crate::related::{applied, exception, permitted};

/// A clause of the register of assets alone: an asset that was not looked at for a year breaks it.
const CLAUSE: &str = "B.4.2";

async fn state(city: &City) -> String {
    let page = city.browser(CLERK).await.get("/clauses?chapter=B").await;
    let line = line_with(&page, &format!("/clauses/{CLAUSE}\""));
    let tag = line.split("<span class=\"tag ").nth(1).unwrap_or_else(|| panic!("{line}"));
    tag.split('"').next().unwrap().to_owned()
}

async fn looked_at(city: &City, who: &str, number: &str, unit: &str, day: &str) {
    let mut b = city.browser(who).await;
    let id = row_id(&mut b, "asset", number).await;
    let form = b.get(&format!("/registers/asset/{id}/edit")).await;
    let version = form.hidden("version");
    let mut fields = asset(number, "書き直した名前", unit);
    fields.retain(|(n, _)| *n != "checked_on");
    fields.extend([("checked_on", day), ("version", version.as_str())]);
    let saved = b.post(&format!("/registers/asset/{id}/edit"), &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
}

/// What is sent back comes back as it was, several clauses and days too.
#[tokio::test]
async fn a_field_with_several_clauses_is_not_empty_when_it_is_applied_for_again() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    city.give_login(CISO).await;
    let mut manager = city.browser(MANAGER).await;
    let clauses = "B.4.2、第5章第1節(1)①";
    let case = applied(&mut manager, "exception", &exception("21-h", clauses, "R8.11.30")).await;
    let mut head = city.browser(HEAD).await;
    done(&mut head, &case, "answer", &[("says", "代わりの対策でよい")]).await;
    let mut ciso = city.browser(CISO).await;
    done(&mut ciso, &case, "send_back", &[("says", "理由をもっと詳しく書いてください")]).await;
    let page = manager.get(&case).await;
    let form = page.form("resubmit");
    assert!(form.contains("value=\"B.4.2、5.1.1.1\"") && form.contains("value=\"R8.11.30\""), "{form}");
    let anew = page.text.split("?like=").nth(1).unwrap().split('"').next().unwrap();
    let filled = manager.get(&format!("/apply/exception?like={anew}")).await;
    assert!(filled.text.contains("value=\"B.4.2、5.1.1.1\""), "{}", filled.text);
}

#[tokio::test]
async fn an_exception_covers_its_clause_and_section_while_it_is_valid() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    city.give_login(CISO).await;
    looked_at(&city, MANAGER, "A-001", "21", "R7.11.1").await;
    assert_eq!(state(&city).await, "broken");
    let mut manager = city.browser(MANAGER).await;
    let case = applied(&mut manager, "exception", &exception("21-h", CLAUSE, "R8.11.30")).await;
    assert_eq!(state(&city).await, "broken", "asking is no permission");
    permitted(&city, &case).await;
    assert_eq!(state(&city).await, "excepted");
    let page = manager.get(&format!("/clauses/{CLAUSE}")).await;
    assert!(page.text.contains("例外-R8-001") && page.text.contains("高齢福祉課"), "{}", page.text);

    // Another section's row breaks it all the same, and so does another clause.
    looked_at(&city, OTHER_MANAGER, "B-001", "22", "R7.11.1").await;
    assert_eq!(state(&city).await, "broken");
    looked_at(&city, OTHER_MANAGER, "B-001", "22", "R8.11.25").await;
    assert_eq!(state(&city).await, "excepted");
    city.turn_to("2026-11-30", 9).await;
    assert_eq!(state(&city).await, "excepted", "its last day");
    city.turn_to("2026-12-01", 9).await;
    assert_eq!(state(&city).await, "broken", "over: the row breaks the clause again");
    let page = manager.get(&format!("/clauses/{CLAUSE}")).await;
    assert!(!page.text.contains("例外-R8-001"), "{}", page.text);
}
