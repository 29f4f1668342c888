//! Saved views of a register and the choice of columns: one's own, the section's, nobody else's.

use axum::http::StatusCode;

use crate::browser::{Browser, Page, encode, hidden};
use crate::city::{CLERK, City, DIRECTOR, MANAGER, OTHER_CLERK};

const LIST: &str = "/registers/asset";
const VIEWS: &str = "/registers/asset/views";
const QUERY: [(&str, &str); 5] = [
    ("q", "名簿"),
    ("sort", "-name"),
    ("f.confidentiality", "3B"),
    ("col", "name"),
    ("col", "confidentiality"),
];

fn heads(page: &Page) -> usize {
    page.text.split("<thead>").nth(1).unwrap().split("</thead>").next().unwrap().matches("<th ").count()
}

async fn save(b: &Browser, name: &str, shared: &str) -> Page {
    let mut fields = QUERY.to_vec();
    fields.extend([("do", "save"), ("view", name), ("shared", shared)]);
    b.post(VIEWS, &fields).await
}

/// The address of a view that the list offers; none when it does not.
async fn offered(b: &mut Browser, name: &str) -> Option<String> {
    let page = b.get(LIST).await;
    let before = page.text.split(&format!("\">{name}")).next().unwrap();
    (before.len() < page.text.len()).then(|| before.rsplit("href=\"").next().unwrap().replace("&#38;", "&"))
}

#[tokio::test]
async fn a_view_keeps_words_filters_order_and_columns() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let all = clerk.get(LIST).await;
    let narrow = clerk.get(&format!("{LIST}?{}", encode(&QUERY))).await;
    assert!(heads(&narrow) == 3 && heads(&all) > 3, "the key and two columns: {}", narrow.text);
    let odd = clerk.get(&format!("{LIST}?col=nonsense")).await;
    assert_eq!(heads(&odd), heads(&all), "unknown columns choose nothing");
    let sorted = narrow.text.split("<thead>").nth(1).unwrap();
    assert!(
        sorted.contains("col=name") && sorted.contains("f.confidentiality=3B"),
        "other orders keep the choice"
    );

    let saved = save(&clerk, "名簿の確認", "").await;
    assert!(
        saved.status == StatusCode::SEE_OTHER && saved.location().ends_with("&done=saved"),
        "{}",
        saved.text
    );
    let address = offered(&mut clerk, "名簿の確認").await.unwrap();
    let page = clerk.get(&address).await;
    assert_eq!(heads(&page), 3);
    assert!(
        page.text.contains("value=\"名簿\"") && page.text.contains("A-001") && !page.text.contains("A-002"),
        "{}",
        page.text
    );
    for (name, says) in [("", "40文字以内"), (&*"長".repeat(41), "40文字以内"), ("名簿の確認", "同じ名前")]
    {
        let page = save(&clerk, name, "").await;
        assert!(
            page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains(says),
            "{name}: {}",
            page.text
        );
        assert!(
            page.text.contains(&format!("name=\"view\" value=\"{name}\"")) && heads(&page) == 3,
            "what was typed stays"
        );
    }
    assert_eq!(
        clerk.post("/registers/nonsense/views", &[("do", "save"), ("view", "x")]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_view_is_its_persons_or_the_sections_and_shows_only_what_one_may_see() {
    let city = City::settled().await;
    let (mut clerk, mut manager, mut other) =
        (city.browser(CLERK).await, city.browser(MANAGER).await, city.browser(OTHER_CLERK).await);
    assert_eq!(save(&clerk, "わたしの見方", "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(save(&manager, "課の見方", "1").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'register.view_saved'").await,
        1,
        "what others see is recorded"
    );
    assert!(
        offered(&mut manager, "わたしの見方").await.is_none()
            && offered(&mut other, "課の見方").await.is_none()
    );
    let address = offered(&mut clerk, "課の見方").await.expect("the section has it");
    assert!(!other.get(&address).await.text.contains("A-001"), "a view shows nobody more than they may see");

    // Whoever may not takes nothing away.
    let page = clerk.get(LIST).await;
    assert!(!page.text.contains("「課の見方」を消す"));
    let mine = hidden(page.form("forget"), "id");
    let theirs = hidden(manager.get(LIST).await.form("forget"), "id");
    assert_eq!(clerk.post(VIEWS, &[("do", "forget"), ("id", &theirs)]).await.status, StatusCode::FORBIDDEN);
    for b in [&manager, &other, &city.browser(DIRECTOR).await] {
        assert_eq!(b.post(VIEWS, &[("do", "forget"), ("id", &mine)]).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(other.post(VIEWS, &[("do", "forget"), ("id", &theirs)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(city.count("SELECT COUNT(*) FROM register_view").await, 2);

    // Who saved it, and who keeps the section's register, may.
    assert_eq!(save(&clerk, "皆の見方", "1").await.status, StatusCode::SEE_OTHER);
    let page = manager.get(LIST).await;
    let clerks =
        page.text.split("「皆の見方」を消す").next().unwrap().rsplit("name=\"id\" value=\"").next().unwrap();
    let id = clerks.split('"').next().unwrap().to_owned();
    for (b, id) in [(&clerk, &mine), (&manager, &theirs), (&manager, &id)] {
        assert_eq!(b.post(VIEWS, &[("do", "forget"), ("id", id)]).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM register_view").await, 0);
}
