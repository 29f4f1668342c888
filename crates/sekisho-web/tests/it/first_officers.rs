//! The step 責任者 of the first start: several people for one role, and heads where an imported organization has none.

use axum::http::StatusCode;

use crate::browser::{Browser, Page};
use crate::city::{ADMIN, CLERK, City, DEPUTY, MANAGER, OTHER_CLERK, SECOND_ADMIN, org_file, organization};
use crate::first_start::{OFFICERS, UNITS, code, come_in, name_body, refused, step};
use crate::registers::{carry_out, check};

const PATH: &str = "/setup/officers";
const OPERATOR: &str = "number.role-system_operator";

async fn typed() -> (City, Browser) {
    let city = City::empty().await;
    let b = come_in(&city, &code(&city).await).await;
    name_body(&b).await;
    step(&b, "/setup/organization", &UNITS, "/setup/organization?done=saved").await;
    (city, b)
}

/// The sample organization from a file, changed by hand.
async fn imported(leave_out: fn(&str) -> bool) -> (City, Browser) {
    let city = City::empty().await;
    let mut b = come_in(&city, &code(&city).await).await;
    name_body(&b).await;
    let file = org_file(&organization(|number| if leave_out(number) { "2026-05-01" } else { "" }, &[]));
    let plan = check(&mut b, "/setup/organization/import", "組織.xlsx", &file).await;
    let done = carry_out(&b, "/setup/organization/import", &plan).await;
    assert_eq!(done.location(), "/setup/organization?done=imported", "{}", done.text);
    (city, b)
}

fn has(page: &Page, name: &str, value: &str) -> bool {
    page.text.contains(&format!("name=\"{name}\" value=\"{value}\""))
}

async fn holders(city: &City, role: &str) -> Vec<String> {
    let d = city.office.directory().await.unwrap();
    let of_role = d.rows().appointments.iter().filter(|a| a.role == role);
    let mut all: Vec<String> = of_role.map(|a| a.person.clone()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn a_role_is_given_to_as_many_as_are_needed_without_a_script() {
    let (city, b) = typed().await;
    let before = city.written().await;
    // One more line, and one more: what was typed anywhere stays, and nothing is kept.
    let mut fields = OFFICERS.to_vec();
    fields.extend([(OPERATOR, "100"), ("more", "role-system_operator")]);
    let page = b.post(PATH, &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let (second, third) = (format!("{OPERATOR}.2"), format!("{OPERATOR}.3"));
    assert!(
        has(&page, OPERATOR, "100") && has(&page, &second, "") && !has(&page, &third, ""),
        "{}",
        page.text
    );
    assert!(has(&page, "name.post-deputy_mayor", "副島 長子") && has(&page, "number.role-auditor", "120"));
    assert!(page.text.contains("<option value=\"101\" selected>"), "choices too: {}", page.text);
    fields.pop();
    fields.extend([(second.as_str(), "110"), ("more", "role-system_operator")]);
    let page = b.post(PATH, &fields).await;
    assert!(has(&page, &second, "110") && has(&page, &third, ""), "{}", page.text);
    assert_eq!(city.written().await, before);
    fields.pop();

    // What is wrong with one of them is said at its field, and nothing is kept.
    for (number, says) in
        [("100", "同じ職員番号が上の欄"), ("999", "職に就いている人"), ("120", "同じ人が兼ねられません")]
    {
        let with = [&fields[..], &[(third.as_str(), number)]].concat();
        let page = refused(&b, PATH, &with, says).await;
        assert!(page.text.contains(&format!("href=\"#{third}\"")), "{number}: {}", page.text);
    }
    assert_eq!(city.written().await, before);
    // An empty line is no fault.
    fields.push((third.as_str(), " "));
    step(&b, PATH, &fields, "/setup/pack").await;
    assert_eq!(holders(&city, "system_operator").await, ["100", "110"]);

    // Whoever holds it already is not appointed twice; others still can be.
    refused(&b, PATH, &[(OPERATOR, "110")], "もうこの役割を担っています").await;
    step(&b, PATH, &[(OPERATOR, ""), (&second, "1")], "/setup/pack").await;
    assert_eq!(holders(&city, "system_operator").await, ["1", "100", "110"]);
    // A role that does not exist gets no line.
    let page = b.post(PATH, &[("more", "role-nothing")]).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("role-nothing"), "{}", page.text);
    // Another browser gets nothing of it.
    let stranger = Browser::new(&city);
    assert_eq!(stranger.post(PATH, &[("more", "role-auditor")]).await.location(), "/setup");
}

#[tokio::test]
async fn heads_that_a_file_left_out_are_given_on_the_same_page() {
    // Nobody heads 高齢福祉課, whose post is there; the head of 福祉部 and the posts of the whole body are.
    let (city, mut b) = imported(|number| number == MANAGER).await;
    let page = b.get(PATH).await;
    assert!(
        page.text.contains("長のいない部局・課室（1）") && page.text.contains("高齢福祉課の長"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("情報セキュリティ管理者") && has(&page, "number.unit-21", ""),
        "{}",
        page.text
    );
    let auditor = ("number.role-auditor", CLERK);
    refused(&b, PATH, &[("number.unit-21", "7777"), auditor], "氏名も入力してください").await;
    refused(&b, PATH, &[("name.unit-21", "誰か"), auditor], "職員番号を入力してください").await;
    // Somebody new, who is given a role by the same form.
    let fields = [
        ("number.unit-21", "７７７７"),
        ("name.unit-21", "髙齢 長子"),
        ("number.role-csirt_member", "7777"),
        ("number.role-csirt_member.2", OTHER_CLERK),
        auditor,
    ];
    step(&b, PATH, &fields, "/setup/pack").await;
    assert_eq!(holders(&city, "csirt_member").await, [OTHER_CLERK, "7777"]);
    let d = city.office.directory().await.unwrap();
    let main = d.main_appointment("7777", "2026-11-25".parse().unwrap()).unwrap();
    assert_eq!((main.post.as_str(), d.person_name("7777")), ("21-h", "髙齢 長子"));
    let page = b.get(PATH).await;
    assert!(!page.text.contains("長のいない部局・課室") && !page.text.contains("unit-21"), "{}", page.text);
    // The deputy is not asked for as the head: the post is filled.
    step(&b, PATH, &[("number.unit-21", DEPUTY)], "/setup/pack").await;
    let d = city.office.directory().await.unwrap();
    assert!(d.rows().appointments.iter().all(|a| a.person != DEPUTY || a.post == "21-d"));
}

#[tokio::test]
async fn a_head_who_runs_the_system_is_kept_from_auditing() {
    let (_city, b) = imported(|number| number == MANAGER).await;
    let fields = [("number.unit-21", SECOND_ADMIN), ("number.role-auditor", SECOND_ADMIN)];
    refused(&b, PATH, &fields, "同じ人が兼ねられません").await;
    // The administrator holds a post of the whole body: it is no unit without a head, and stays a seat of its own.
    let (_city, mut b) = imported(|number| number == ADMIN).await;
    let page = b.get(PATH).await;
    assert!(
        !has(&page, "number.unit-11", "") && has(&page, "number.post-info_policy_manager", ""),
        "{}",
        page.text
    );
}
