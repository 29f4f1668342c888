//! Who sees what: every way in which records come out of the program, tried by everybody. Whoever may not see a record gets what one
//! gets who asks for a record that is not there.

use axum::http::StatusCode;
use sekisho_app::exchange::org::OrgSheet;
use sekisho_app::{AppError, sequencer};

use crate::acts::{application, apply, item};
use crate::browser::{Browser, encode};
use crate::city::{
    ADMIN, CISO, CLERK, City, DIRECTOR, HEAD, MANAGER, OTHER_CLERK, OTHER_MANAGER, SECOND_ADMIN, asset,
    line_with, org_file, organization, record, row_id,
};
use crate::files::attached;

/// 会計の監査人, by appointment; works in 障害福祉課.
const AUDITOR: &str = "7001";
/// CSIRT要員, by appointment; works in 障害福祉課.
const CSIRT: &str = "7002";
/// 障害福祉課 主事, who takes part in one case of another section.
const PARTY: &str = "7003";

const EVERYBODY: [&str; 12] = [
    CLERK,
    MANAGER,
    DIRECTOR,
    OTHER_CLERK,
    OTHER_MANAGER,
    ADMIN,
    SECOND_ADMIN,
    HEAD,
    CISO,
    AUDITOR,
    CSIRT,
    PARTY,
];
/// Who sees the records of 高齢福祉課.
const SECTION: [&str; 9] = [CLERK, MANAGER, DIRECTOR, ADMIN, SECOND_ADMIN, HEAD, CISO, AUDITOR, CSIRT];
/// The same for the case, in which one more takes part.
const CASE: [&str; 10] = [CLERK, MANAGER, DIRECTOR, ADMIN, SECOND_ADMIN, HEAD, CISO, AUDITOR, CSIRT, PARTY];

/// A way out.
struct Way {
    path: String,
    /// What stands on the page of whoever may see it.
    mark: String,
    seen_by: Vec<&'static str>,
    /// A record that is not there, under the same kind of address; nothing for a list, which leaves out the line.
    missing: Option<String>,
}

async fn made() -> (City, Vec<Way>) {
    let mut org = organization(|_| "", &[]);
    for (person, name, role) in
        [(AUDITOR, "監査 一", "auditor"), (CSIRT, "対応 二", "csirt_member"), (PARTY, "参加 三", "")]
    {
        org.insert(OrgSheet::Persons, record(&[("number", person), ("name", name), ("kana", "かな")]));
        let main = [("person", person), ("post", "22-s"), ("main", "main"), ("from", "2026-04-01")];
        org.insert(OrgSheet::Appointments, record(&main));
        if !role.is_empty() {
            let pairs = [
                ("person", person),
                ("post", "22-s"),
                ("main", "concurrent"),
                ("from", "2026-04-01"),
                ("role", role),
            ];
            org.insert(OrgSheet::Appointments, record(&pairs));
        }
    }
    let city = City::with_organization(org_file(&org), &EVERYBODY).await;
    let mut admin = city.browser(ADMIN).await;
    for (number, name, unit) in [("A-001", "要介護認定の名簿", "21"), ("B-001", "手帳交付の台帳", "22")]
    {
        let mut fields = asset(number, name, unit);
        fields.retain(|(n, _)| *n != "checked_on");
        fields.push(("checked_on", "R7.11.1"));
        let page = admin.post("/registers/asset/new", &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    }
    let device = [
        ("number", "PC-001"),
        ("name", "窓口の端末"),
        ("kind", "pc"),
        ("section", "21"),
        ("manager", "21-h"),
        ("product", "型番"),
        ("serial", "S1"),
        ("zone", "lgwan"),
        ("confidentiality", "2"),
        ("place", "窓口"),
        ("user", OTHER_CLERK),
    ];
    let page = admin.post("/registers/device/new", &device).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let device = row_id(&mut admin, "device", "PC-001").await;

    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let file = attached(&mut clerk, "21-s", &key, "計画.pdf", b"%PDF-1.7 plan").await;
    let mut fields = application("21-s", &key);
    fields.push(("attachment", &file));
    let case = apply(&mut clerk, &fields).await;
    let draft =
        clerk.post("/apply/take_out", &[("do", "draft"), ("purpose", "下書きの目的")]).await.location();
    let draft = draft.split("draft=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let id = case.trim_start_matches("/cases/").to_owned();
    // Taking part comes from acts of the engine (a consultation, a delegation); here only that it counts is asked.
    city.office
        .store
        .write(move |c| {
            Box::pin(async move {
                let sql = format!("INSERT INTO case_party (case_id, person) VALUES ('{id}', '{PARTY}')");
                c.exec(&sql, vec![]).await.map_err(AppError::from)
            })
        })
        .await
        .unwrap();
    city.turn_to("2026-11-26", 9).await;
    sequencer::drain(&city.office).await.unwrap();
    let mut manager = city.browser(MANAGER).await;
    let duties = manager.get("/duties").await;
    let duty = crate::duties::link(&duties, "情報資産の棚卸し", "高齢福祉課");
    let row = format!("/registers/{key}");
    let number = "持出-R8-0001".to_owned();
    let name = "要介護認定の名簿".to_owned();

    let mut ways = Vec::new();
    let mut way = |path: String, mark: &str, seen_by: &[&'static str], missing: Option<String>| {
        ways.push(Way { path, mark: mark.to_owned(), seen_by: seen_by.to_vec(), missing });
    };
    let none = "01900000-0000-7000-8000-000000000000";
    way(case.clone(), &number, &CASE, Some(format!("/cases/{none}")));
    way(format!("{case}/files/0"), "%PDF-1.7 plan", &CASE, Some(format!("/cases/{none}/files/0")));
    way(row.clone(), &name, &SECTION, Some(format!("/registers/asset/{none}")));
    way(duty.clone(), "高齢福祉課", &SECTION, Some(format!("{}/{none}", duty.rsplit_once('/').unwrap().0)));
    way(
        format!("/apply/take_out?draft={draft}"),
        "下書きの目的",
        &[CLERK],
        Some(format!("/apply/take_out?draft={none}")),
    );
    let q = |words: &str| encode(&[("q", words)]);
    way("/cases".to_owned(), &number, &CASE, None);
    way(format!("/cases?{}", q("名簿")), &number, &CASE, None);
    way("/registers/asset".to_owned(), &name, &SECTION, None);
    way(format!("/registers/asset?{}", q("名簿")), &name, &SECTION, None);
    way("/registers/asset/export.csv".to_owned(), &name, &SECTION, None);
    way(format!("/search?{}", q("A-001")), &format!("href=\"{row}\""), &SECTION, None);
    way(format!("/search?{}", q("名簿")), &format!("href=\"{row}\""), &SECTION, None);
    way(format!("/search?{}", q("持出－Ｒ８－０００１")), &format!("href=\"{case}\""), &CASE, None);
    way(format!("/search?{}&kind=cases", q("名簿")), &format!("href=\"{case}\""), &CASE, None);
    way("/checks/asset_review_stale".to_owned(), &row, &SECTION, None);
    way("/api/v1/handling?act=carry_out&item=A-001".to_owned(), &name, &SECTION, None);
    way("/handling?act=carry_out&item=A-001".to_owned(), &name, &SECTION, None);
    // The programming interface and the files obey the same.
    let api = |path: &str| format!("/api/v1{path}");
    let api_row = api(&row.replace("/asset/", "/asset/rows/"));
    way(api(&case), &number, &CASE, Some(api(&format!("/cases/{none}"))));
    way(api(&format!("{case}/acts")), "\"entry\"", &CASE, Some(api(&format!("/cases/{none}/acts"))));
    way(api_row.clone(), &name, &SECTION, Some(api(&format!("/registers/asset/rows/{none}"))));
    way(
        format!("{api_row}/history"),
        "\"entry\"",
        &SECTION,
        Some(api(&format!("/registers/asset/rows/{none}/history"))),
    );
    way(api("/cases"), &number, &CASE, None);
    way(api("/registers/asset"), &name, &SECTION, None);
    way(api(&format!("/search?{}", q("名簿"))), &row, &SECTION, None);
    way(api("/inbox"), &number, &[MANAGER], None);
    way(api("/notifications"), &number, &[MANAGER], None);
    way(api("/home"), &number, &[CLERK, MANAGER], None);
    way("/cases/export.csv".to_owned(), &number, &CASE, None);
    way(format!("/apply/take_out?item={key}"), &name, &SECTION, None);
    way("/duties?all=1".to_owned(), &duty, &SECTION, None);
    way("/inbox".to_owned(), &number, &[MANAGER], None);
    way("/notifications".to_owned(), &number, &[MANAGER], None);
    way("/".to_owned(), &number, &[CLERK, MANAGER], None);
    // Who uses a device is personal data: for those who keep the register, permit, audit or answer incidents, and for the user.
    let device = format!("/registers/device/{device}");
    way(device.clone(), "﨑山", &[ADMIN, SECOND_ADMIN, AUDITOR, CSIRT], None);
    let api_device = api(&device.replace("/device/", "/device/rows/"));
    way(api_device, "﨑山", &[ADMIN, SECOND_ADMIN, AUDITOR, CSIRT], None);
    way(device, "窓口の端末", &SECTION, None);
    way("/registers/device/export.csv".to_owned(), OTHER_CLERK, &[ADMIN, SECOND_ADMIN, AUDITOR, CSIRT], None);
    way(format!("/registers/device?{}", q(OTHER_CLERK)), "PC-001", &[], None);
    way(format!("/registers/device?f.user={OTHER_CLERK}"), "窓口の端末", &SECTION, None);
    (city, ways)
}

#[tokio::test]
async fn every_way_out_shows_a_record_to_those_who_may_see_it_and_to_nobody_else() {
    let (city, ways) = made().await;
    let mut all = Vec::new();
    for person in EVERYBODY {
        all.push((person, city.browser(person).await));
    }
    for w in &ways {
        for (person, b) in &mut all {
            let page = b.get(&w.path).await;
            let may = w.seen_by.contains(person);
            let shown = page.text.contains(&w.mark);
            assert_eq!(shown, may, "{person} {} {}", w.path, page.text);
            match (&w.missing, may) {
                (_, true) => assert_eq!(page.status, StatusCode::OK, "{person} {}", w.path),
                (Some(missing), false) => {
                    let nothing = b.get(missing).await;
                    assert_eq!(page.status, StatusCode::NOT_FOUND, "{person} {}", w.path);
                    assert_eq!(page.text, nothing.text, "{person} {}: tells that there is one", w.path);
                }
                (None, false) => assert!(!page.status.is_server_error(), "{person} {}", w.path),
            }
        }
    }
}

#[tokio::test]
async fn contents_of_entries_are_for_those_who_may_read_what_they_hold() {
    let (city, ways) = made().await;
    let case = ways.first().unwrap().path.clone();
    let mut clerk = city.browser(CLERK).await;
    let page = clerk.get(&case).await;
    let entry = page.text.split("href=\"/ledger/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for person in EVERYBODY {
        let mut b = city.browser(person).await;
        let page = b.get(&format!("/ledger/{entry}")).await;
        assert_eq!(page.status, StatusCode::OK);
        let reads = [ADMIN, SECOND_ADMIN, AUDITOR, CSIRT].contains(&person);
        assert_eq!(page.text.contains("記録した内容"), reads, "{person}");
    }
}

/// The line of 見た記録 about somebody and a way.
fn looks<'p>(page: &'p crate::browser::Page, name: &str, way: &str) -> &'p str {
    let rows = page.text.split("<tr>").skip(1).map(|r| r.split("</tr>").next().unwrap());
    rows.into_iter().find(|r| r.contains(name) && r.contains(way)).unwrap_or_default()
}

#[tokio::test]
async fn looks_at_sensitive_records_are_recorded_counted_and_shown_to_heads() {
    let (city, ways) = made().await;
    let (case, row) = (ways.first().unwrap().path.clone(), ways[2].path.clone());
    let mut clerk = city.browser(CLERK).await;
    for _ in 0..3 {
        clerk.get(&row).await;
    }
    clerk.get(&case).await;
    clerk.get(&format!("{case}/files/0")).await;
    clerk.get("/registers/asset/export.csv").await;
    let mut manager = city.browser(MANAGER).await;
    manager.get(&format!("{row}/edit")).await;
    let page = manager.get(&row).await;
    let seen = looks(&page, "髙橋 花子", "画面で見た");
    assert!(seen.contains("class=\"num\">3</td>"), "{seen} in {}", page.text);
    assert!(!looks(&page, "渡邉 一郎", "直す画面で見た").is_empty(), "{}", page.text);
    assert!(!looks(&page, "髙橋 花子", "台帳を書き出した").is_empty(), "{}", page.text);
    let page = manager.get(&case).await;
    assert!(!looks(&page, "髙橋 花子", "添付ファイルを受け取った").is_empty(), "{}", page.text);
    // Ordinary staff are not told who looked, and a record of low class has no looks.
    assert!(!clerk.get(&row).await.text.contains("見た記録"));
    let mut admin = city.browser(ADMIN).await;
    let device = row_id(&mut admin, "device", "PC-001").await;
    let page = admin.get(&format!("/registers/device/{device}")).await;
    assert!(line_with(&page, "画面で見た").is_empty(), "{}", page.text);

    // Once the day is over, its looks are sealed: one entry, which holds what was there.
    let before = city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'look.day'").await;
    city.turn_to("2026-11-27", 9).await;
    city.turn_to("2026-11-27", 10).await;
    let after = city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'look.day'").await;
    assert_eq!(after, before + 1);
    assert_eq!(city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'look.export'").await, 1);
}

#[tokio::test]
async fn nobody_is_shown_a_record_whose_look_cannot_be_recorded() {
    let (city, ways) = made().await;
    city.office
        .store
        .write(|c| Box::pin(async move { c.exec("DROP TABLE look", vec![]).await.map_err(AppError::from) }))
        .await
        .unwrap();
    let mut b: Browser = city.browser(CLERK).await;
    let page = b.get(&ways[2].path).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!page.text.contains("要介護認定の名簿"));
}

#[tokio::test]
async fn a_personal_field_of_a_case_is_read_by_those_it_concerns() {
    let (city, _) = made().await;
    let mut clerk = city.browser(CLERK).await;
    let device = row_id(&mut clerk, "device", "PC-001").await;
    let item = format!("device/{device}");
    let fields = [
        ("do", "apply"),
        ("post", "21-s"),
        ("items", item.as_str()),
        ("purpose", "訪問先での記録"),
        ("user", "貸出 花枝"),
        ("place", "office"),
        ("network", "none"),
        ("from", "R8.11.26"),
        ("return_by", "R8.11.27"),
        ("rules_read", "1"),
    ];
    let page = clerk.post("/apply/loan", &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let case = page.location().split('?').next().unwrap().to_owned();
    for (person, reads) in
        [(CLERK, true), (AUDITOR, true), (ADMIN, true), (DIRECTOR, false), (HEAD, false), (CISO, false)]
    {
        let mut b = city.browser(person).await;
        let page = b.get(&case).await;
        assert_eq!(page.status, StatusCode::OK, "{person}");
        assert_eq!(page.text.contains("貸出 花枝"), reads, "{person} {}", page.text);
        assert_eq!(page.text.contains("（伏せています）"), !reads, "{person}");
    }
}
