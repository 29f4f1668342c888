//! What people do with a take-out, as their browsers send it.

use axum::http::StatusCode;

use crate::browser::{Browser, Page, hidden};
use crate::city::row_id;

/// Fields of an application, filled in as they must be, for one asset.
pub fn application<'a>(post: &'a str, item: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("post", post),
        ("items", item),
        ("purpose", "認定調査での本人確認"),
        ("destination", "市内の訪問先（三件）"),
        ("from", "R8.11.25"),
        ("return_by", "２０２６／１１／２７"),
        ("carrying_method", "locked_bag"),
        ("encryption", "sealed"),
    ]
}

/// The same fields with some of them changed.
pub fn changed<'a>(fields: &[(&'a str, &'a str)], with: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<(&str, &str)> =
        fields.iter().filter(|(n, _)| with.iter().all(|(w, _)| w != n)).copied().collect();
    all.extend_from_slice(with);
    all
}

/// The key under which a form names a row of the assets.
pub async fn item(b: &mut Browser, number: &str) -> String {
    format!("asset/{}", row_id(b, "asset", number).await)
}

/// Applies and returns the case's address.
pub async fn apply(b: &mut Browser, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("do", "apply")];
    all.extend_from_slice(fields);
    let page = b.post("/apply/take_out", &all).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let address = page.location();
    assert!(address.ends_with("?done=applied"), "{address}");
    address.split('?').next().unwrap().to_owned()
}

/// Presses a button of the case's page as it is now, with what is typed into its form.
pub async fn press(b: &mut Browser, case: &str, button: &str, typed: &[(&str, &str)]) -> Page {
    let page = b.get(case).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let form = page.form(button);
    assert!(!form.is_empty(), "{button} is offered on {}", page.text);
    let (step, shown) = (hidden(form, "step"), hidden(form, "shown"));
    let mut all = vec![("do", button), ("step", step.as_str()), ("shown", shown.as_str())];
    all.extend_from_slice(typed);
    b.post(case, &all).await
}

/// Presses a button, and it must be accepted.
pub async fn done(b: &mut Browser, case: &str, button: &str, typed: &[(&str, &str)]) {
    let page = press(b, case, button, typed).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{button}: {}", page.text);
}

/// Sends a form that the page does not offer: the right address, token, step and hash, by whoever the session belongs to.
pub async fn forge(b: &Browser, case: &str, button: &str, step: &str, shown: &str) -> Page {
    let fields = [
        ("do", button),
        ("act", button),
        ("step", step),
        ("shown", shown),
        ("says", "理由"),
        ("reason", "理由"),
    ];
    let named = format!("{button}.says");
    let until = format!("{button}.until");
    let mut all = fields.to_vec();
    all.extend([
        (named.as_str(), "理由"),
        (until.as_str(), "R9.3.1"),
        ("e.returned_at", "R8.11.25"),
        ("e.erasure_checked", "1"),
    ]);
    b.post(case, &all).await
}

/// What a return is recorded with.
pub fn returned(day: &str) -> [(&'static str, &str); 2] {
    [("e.returned_at", day), ("e.erasure_checked", "1")]
}

/// The text of the refusal on a page.
pub fn refusal(page: &Page) -> &str {
    let from = page.text.find("role=\"alert\"").unwrap_or(page.text.len());
    page.text[from..].split("</div>").next().unwrap()
}
