//! Pages write days by both calendars in running text, by the era in brackets and in cells of tables, and in no other style.

use crate::city::{ADMIN, CLERK, City, MANAGER};
use crate::powers::{hold, routes_with};

/// What a reader sees of a page: without tags, and without hints that say what can be typed, sources and lists of files.
fn seen(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let hidden = ["script", "style", "textarea", "code", "pre", "p class=\"help\"", "title"];
        let skip = hidden.iter().find(|h| tag.starts_with(**h));
        let end = skip.map_or_else(|| ">".to_owned(), |h| format!("</{}>", h.split(' ').next().unwrap()));
        rest = tag.split_once(&end).map_or("", |(_, after)| after);
        text.push('\n');
    }
    text
}

/// How many digits a text begins with, and what follows.
fn digits(text: &str) -> (usize, &str) {
    let n = text.bytes().take_while(u8::is_ascii_digit).count();
    (n, &text[n..])
}

/// Days in a style that pages do not use: 2026年7月1日, 2026/7/1, 2026-07-01, and 令和8年7月1日 outside brackets.
fn odd(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut before, mut brackets) = (' ', 0);
    for (i, c) in text.char_indices() {
        let (n, after) = digits(&text[i..]);
        if n == 4 && !before.is_ascii_digit() && !before.is_ascii_alphanumeric() {
            let month = |mark| after.strip_prefix(mark).map(digits).filter(|(n, _)| (1..=2).contains(n));
            let dashed = ["/", "-"].iter().any(|m| month(*m).is_some_and(|(_, rest)| rest.starts_with(*m)));
            if dashed || month("年").is_some_and(|(_, rest)| rest.starts_with('月')) {
                found.push(text[i..].chars().take(20).collect());
            }
        }
        if let Some(rest) = text[i..].strip_prefix("令和")
            && brackets == 0
            && digits(rest)
                .1
                .strip_prefix('年')
                .map(digits)
                .is_some_and(|(n, rest)| n > 0 && rest.starts_with('月'))
        {
            found.push(text[i..].chars().take(20).collect());
        }
        brackets += i32::from(c == '（') - i32::from(c == '）');
        before = c;
    }
    found
}

/// Cells that hold a day and nothing else, in the style of running text.
fn long_cells(page: &str) -> Vec<String> {
    let cells = page.split("<td").skip(1).chain(page.split("<th scope=\"row\"").skip(1));
    let texts = cells.filter_map(|c| Some(c.split_once('>')?.1.split("</t").next()?.trim().to_owned()));
    let long =
        |t: &String| t.contains("年（令和") && t.contains('日') && t.chars().count() < 24 && !t.contains('<');
    texts.filter(long).collect()
}

#[test]
fn the_test_sees_what_it_looks_for() {
    for bad in ["期限 2026-11-30", "2026/11/3", "令和8年11月30日", "2026年11月3日"] {
        assert_eq!(odd(bad).len(), 1, "{bad}");
    }
    for good in [
        "2026年度",
        "2026年（令和8年）11月30日",
        "令和8年度",
        "（期限 令和8年11月30日）",
        "R8.11.30",
        "持出-R8-0001",
        "12026-11-30",
        "03-1234-5678",
    ] {
        assert_eq!(odd(good), [] as [String; 0], "{good}");
    }
    assert_eq!(
        seen("<p>甲<code>2026-11-30</code><p class=\"help\">2026/7/1</p>乙</p>").replace('\n', ""),
        "甲乙"
    );
    assert_eq!(
        long_cells("<td class=\"nowrap\">2026年（令和8年）11月30日</td><td>R8.11.30</td><td>令和の間</td>")
            .len(),
        1
    );
}

#[tokio::test]
async fn every_page_writes_days_in_two_styles() {
    let city = City::settled().await;
    let held = hold(&city).await;
    let mut admin = city.browser(ADMIN).await;
    let asset = crate::city::row_id(&mut admin, "asset", "A-001").await;
    // Late, and looked at.
    city.turn_to("2026-12-25", 9).await;
    let mut paths: Vec<String> =
        routes_with("get(").into_iter().filter(|r| !r.contains(['{', '.'])).collect();
    paths.extend([
        held.case.clone(),
        held.duty.clone(),
        held.stocktaking.clone(),
        held.proposal.clone(),
        "/apply/take_out".to_owned(),
        "/registers/asset".to_owned(),
        format!("/registers/asset/{asset}"),
        "/checks/overdue_decision".to_owned(),
        "/checks/overdue_return".to_owned(),
        "/clauses/5.1.1.3.%E3%82%A4".to_owned(),
        "/documents/basic_policy".to_owned(),
        "/notices/conduct".to_owned(),
    ]);
    let mut days = 0;
    for login in [MANAGER, CLERK, ADMIN] {
        let mut browser = city.browser(login).await;
        for path in paths.iter().filter(|p| !p.starts_with("/help") && *p != "/logout") {
            let page = browser.get(path).await;
            if !page.text.starts_with("<!doctype html>") || path == "/permits/checker" {
                continue;
            }
            let text = seen(&page.text);
            assert_eq!(odd(&text), [] as [String; 0], "{path} as {login}");
            assert_eq!(long_cells(&page.text), [] as [String; 0], "{path} as {login}");
            days += text.matches("（令和8年）").count() + text.matches("R8.").count();
        }
    }
    assert!(days > 60, "{days} days were seen");
}
