//! Registers: what is seen, who writes, and the way through spreadsheets.

use axum::http::StatusCode;

use crate::browser::{Browser, Page, encode, hidden};
use crate::city::{ADMIN, CLERK, City, MANAGER, OTHER_CLERK, OTHER_MANAGER, asset, line_with, row_id};

/// Header of a CSV file with the columns that a row must have.
pub const HEADER: &str = "管理番号,名称,種別,所管課,管理する職,機密性,完全性,可用性,個人情報区分,領域,保管場所,保存期限,バックアップ,最終確認日";

/// A line under [`HEADER`].
fn line(number: &str, name: &str, unit: &str, confidentiality: &str) -> String {
    format!(
        "{number},{name},information,{unit},{unit}-h,{confidentiality},2,1,なし,LGWAN接続系,書庫,2032/3/31,毎週,R8.11.2"
    )
}

fn csv(lines: &[String]) -> Vec<u8> {
    format!("{HEADER}\r\n{}\r\n", lines.join("\r\n")).into_bytes()
}

/// Sends a file to be looked at.
pub async fn check(b: &mut Browser, path: &str, name: &str, bytes: &[u8]) -> Page {
    b.get(path).await;
    b.upload(path, &[("do", "check")], name, bytes).await
}

/// Carries out what was looked at.
pub async fn carry_out(b: &Browser, path: &str, plan: &Page) -> Page {
    let (upload, shown) = (hidden(&plan.text, "upload"), hidden(&plan.text, "shown"));
    b.post(path, &[("do", "apply"), ("upload", &upload), ("shown", &shown)]).await
}

/// Added, changed, same, errors.
pub fn counts(page: &Page) -> [usize; 4] {
    ["追加", "変更", "変更なし", "誤り"].map(|label| {
        let before = page.text.split(&format!("</strong>{label}</span>")).next().unwrap();
        before
            .rsplit("<strong>")
            .next()
            .unwrap()
            .parse()
            .unwrap_or_else(|_| panic!("{label} in {}", page.text))
    })
}

/// Keys in the order of the list.
fn keys(page: &Page) -> Vec<&str> {
    let rows = page.text.split("<th scope=\"row\" class=\"nowrap\"><a href=\"/registers/").skip(1);
    rows.map(|r| r.split('>').nth(1).unwrap().split('<').next().unwrap()).collect()
}

#[tokio::test]
async fn a_list_filters_sorts_and_pages() {
    let city = City::settled().await;
    let mut b = city.browser(MANAGER).await;
    let lines: Vec<String> = (1..=60)
        .map(|n| {
            line(&format!("L-{n:03}"), &format!("点検票{n}"), "21", if n % 3 == 0 { "機密性1" } else { "2" })
        })
        .collect();
    let path = "/registers/asset/import";
    let plan = check(&mut b, path, "assets.csv", &csv(&lines)).await;
    assert_eq!(counts(&plan), [60, 0, 0, 0], "{}", plan.text);
    assert_eq!(carry_out(&b, path, &plan).await.location(), "/registers/asset?done=imported");

    let first = b.get("/registers/asset").await;
    assert!(first.text.contains("<span>62件</span>") && first.text.contains("1 ページ目"), "{}", first.text);
    assert_eq!(keys(&first).len(), 50);
    let second = b.get("/registers/asset?page=2").await;
    assert_eq!(keys(&second).len(), 12);
    assert!(keys(&second).iter().all(|k| !keys(&first).contains(k)));
    assert!(
        first.text.contains("page=2\">次へ")
            && !second.text.contains(">次へ")
            && second.text.contains(">前へ")
    );

    let down = b.get("/registers/asset?sort=-number").await;
    assert_eq!(keys(&down)[0], "L-060");
    assert!(down.text.contains("aria-sort=\"descending\""));
    let filtered = b.get("/registers/asset?f.confidentiality=1&sort=-number").await;
    assert!(filtered.text.contains("<span>20件</span>"));
    assert_eq!(&keys(&filtered)[..2], ["L-060", "L-057"]);
    assert!(filtered.text.contains("<option value=\"1\" selected>"));
    let words = b.get(&format!("/registers/asset?{}", encode(&[("q", "点検票 ６０")]))).await;
    assert_eq!(keys(&words), ["L-060"], "each word, also full width");
    for odd in [
        "?sort=nonsense",
        "?f.nonsense=1",
        "?page=-3",
        "?page=99999999999999999999",
        "?sort=-",
        "?f.confidentiality=%27",
    ] {
        assert_eq!(b.get(&format!("/registers/asset{odd}")).await.status, StatusCode::OK, "{odd}");
    }
    assert_eq!(b.get("/registers/nonsense").await.status, StatusCode::NOT_FOUND);
    let export = b.get("/registers/asset/export.csv?f.confidentiality=1").await;
    assert_eq!(
        String::from_utf8(export.bytes).unwrap().lines().count(),
        21,
        "an export is the list, all pages"
    );
}

#[tokio::test]
async fn a_row_of_another_section_is_seen_nowhere() {
    let city = City::settled().await;
    let mut own = city.browser(OTHER_MANAGER).await;
    let id = row_id(&mut own, "asset", "B-001").await;
    for number in [CLERK, MANAGER] {
        let mut b = city.browser(number).await;
        for path in [format!("/registers/asset/{id}"), format!("/registers/asset/{id}/edit")] {
            assert_eq!(b.get(&path).await.status, StatusCode::NOT_FOUND, "{number} {path}");
        }
        let index = b.get("/registers").await;
        assert!(
            index.text.contains("情報資産管理台帳</a></h2><p>2件"),
            "the count is of what is seen: {}",
            index.text
        );
        for path in [
            "/registers/asset",
            "/registers/asset?q=B-001",
            "/registers/asset/export.csv",
            "/registers/asset/export.xlsx",
        ] {
            let page = b.get(path).await;
            assert!(!page.text.contains("手帳交付の台帳"), "{number} {path}");
        }
        let xlsx = b.get("/registers/asset/export.xlsx").await;
        let mut manager = city.browser(MANAGER).await;
        let plan = check(&mut manager, "/registers/asset/import", "own.xlsx", &xlsx.bytes).await;
        assert_eq!(counts(&plan), [0, 0, 2, 0], "the workbook holds the own rows: {}", plan.text);
        let form = b.get(&format!("/apply/take_out?item=asset/{id}")).await;
        assert!(!form.text.contains("手帳交付の台帳"), "nor through the application");
    }
    let mut admin = city.browser(ADMIN).await;
    assert!(
        admin.get("/registers/asset").await.text.contains("手帳交付の台帳"),
        "who runs the system sees the whole body"
    );
}

#[tokio::test]
async fn a_row_is_changed_by_its_keeper_alone_and_every_change_is_told() {
    let city = City::settled().await;
    let mut manager = city.browser(MANAGER).await;
    let id = row_id(&mut manager, "asset", "A-001").await;
    let (path, edit) = (format!("/registers/asset/{id}"), format!("/registers/asset/{id}/edit"));
    let mut clerk = city.browser(CLERK).await;
    assert!(!clerk.get(&path).await.text.contains(">直す</a>"));
    assert_eq!(clerk.get(&edit).await.status, StatusCode::FORBIDDEN);
    let with = |name: &'static str, unit: &'static str, version: &'static str| {
        let mut fields = asset("A-001", name, unit);
        fields.push(("version", version));
        fields
    };
    let before = city.written().await;
    let by_clerk = clerk.post(&edit, &with("書き換え", "21", "1")).await;
    assert_eq!(by_clerk.status, StatusCode::FORBIDDEN);
    assert!(by_clerk.text.contains("所管課の情報セキュリティ管理者です"), "who may is told");
    let stranger = city.browser(OTHER_MANAGER).await;
    assert_eq!(stranger.post(&edit, &with("書き換え", "22", "1")).await.status, StatusCode::NOT_FOUND);
    let given_away = manager.post(&edit, &with("要介護認定の名簿", "22", "1")).await;
    assert_eq!(given_away.status, StatusCode::FORBIDDEN, "a row is not pushed to another section");
    let foreign = manager.post("/registers/asset/new", &asset("X-1", "よその資産", "22")).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let taken = manager.post("/registers/asset/new", &asset("B-001", "番号の重複", "21")).await;
    assert_eq!(taken.status, StatusCode::FORBIDDEN);
    assert!(taken.text.contains("「B-001」は既に使われています"));
    let mut wrong = with("", "21", "1");
    wrong.retain(|(n, _)| *n != "retention_until");
    wrong.push(("retention_until", "いつか"));
    let wrong = manager.post(&edit, &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text.contains("「名称」を入力してください")
            && wrong.text.contains("value=\"いつか\"")
            && wrong.text.contains("href=\"#retention_until\"")
    );
    assert_eq!(city.written().await, before);

    assert_eq!(
        manager.post(&edit, &with("要介護認定の名簿（令和8年度）", "21", "1")).await.status,
        StatusCode::SEE_OTHER
    );
    let page = clerk.get(&path).await;
    assert!(
        page.text.contains("名称：要介護認定の名簿 → 要介護認定の名簿（令和8年度）")
            && page.text.contains("渡邉 一郎")
    );
    let late = manager.post(&edit, &with("古い画面からの名前", "21", "1")).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(
        late.text.contains("ほかの人が先に更新しました")
            && late.text.contains("value=\"古い画面からの名前\""),
        "{}",
        late.text
    );
    assert!(!clerk.get(&path).await.text.contains("古い画面"));
    let mut other = city.browser(OTHER_CLERK).await;
    assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_import_is_looked_at_first_and_is_all_or_nothing() {
    let city = City::settled().await;
    let mut b = city.browser(MANAGER).await;
    let path = "/registers/asset/import";
    let before = city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind <> 'account.login'").await;
    let mixed = [
        line("N-1", "新しい記録", "21", "2"),
        line("N-2", "分類の誤り", "21", "9"),
        line("N-3", "よその課", "22", "2"),
        line("B-001", "番号の横取り", "21", "2"),
    ];
    let plan = check(&mut b, path, "mixed.csv", &csv(&mixed)).await;
    assert!(counts(&plan)[3] >= 3, "{}", plan.text);
    for (cell, value) in [("F3", "9"), ("D4", "22"), ("D5", "21")] {
        let row = line_with(&plan, &format!(">{cell}<"));
        assert!(row.contains(&format!(">{value}<")), "{cell}: {row} in {}", plan.text);
    }
    assert!(
        line_with(&plan, ">F3<").contains("選択肢にありません")
            && line_with(&plan, ">D4<").contains("この所管課の行をあなたは変更できません")
    );
    assert!(!plan.text.contains("手帳交付") && !plan.text.contains("この内容で取り込む"));
    let forced = carry_out(&b, path, &plan).await;
    assert_ne!(forced.status, StatusCode::SEE_OTHER, "a file with errors is not carried out");
    assert_eq!(city.count("SELECT COUNT(*) FROM r_asset").await, 4);
    assert_eq!(
        city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind <> 'account.login'").await,
        before,
        "looking changes nothing"
    );

    let good = [line("N-1", "新しい記録", "21", "2"), line("N-2", "もう一つの記録", "21", "機密性1")];
    let plan = check(&mut b, path, "good.csv", &csv(&good)).await;
    assert_eq!(counts(&plan), [2, 0, 0, 0]);
    // The dry run names what stands as a code in the file.
    assert!(plan.text.contains("所管課：高齢福祉課") && !plan.text.contains("所管課：21"), "{}", plan.text);
    for number in [CLERK, OTHER_MANAGER, ADMIN] {
        let other = city.browser(number).await;
        let stolen = carry_out(&other, path, &plan).await;
        assert_eq!(stolen.status, StatusCode::FORBIDDEN, "{number}");
        assert!(stolen.text.contains("もう一度ファイルを選んでください"));
    }
    assert_eq!(
        carry_out(&b, "/registers/media/import", &plan).await.status,
        StatusCode::FORBIDDEN,
        "not into another register"
    );
    assert_eq!(carry_out(&b, path, &plan).await.status, StatusCode::SEE_OTHER);
    assert_eq!(carry_out(&b, path, &plan).await.status, StatusCode::FORBIDDEN, "once");
    assert_eq!(city.count("SELECT COUNT(*) FROM r_asset").await, 6);
    assert_eq!(
        city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind <> 'account.login'").await,
        before + 1
    );
    let page = b.get("/registers/asset?q=N-1").await;
    assert!(page.text.contains("新しい記録"));

    let change = check(
        &mut b,
        path,
        "change.csv",
        "管理番号,名称\r\nN-1,名前を直した記録\r\nN-2,もう一つの記録\r\n".as_bytes(),
    )
    .await;
    assert_eq!(counts(&change), [0, 1, 1, 0], "{}", change.text);
    assert!(
        change.text.contains("名称：新しい記録 → 名前を直した記録")
            && change.text.contains("今の値のままにします")
    );
    // The register changes between the two steps: the second step tells instead of overwriting.
    let id = row_id(&mut b, "asset", "N-1").await;
    let mut fields = asset("N-1", "画面で直した名前", "21");
    fields.push(("version", "1"));
    assert_eq!(b.post(&format!("/registers/asset/{id}/edit"), &fields).await.status, StatusCode::SEE_OTHER);
    let late = carry_out(&b, path, &change).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN, "{}", late.location());
    assert!(late.text.contains("確かめた後に内容が変わった"), "{}", late.text);
    assert!(b.get(&format!("/registers/asset/{id}")).await.text.contains("画面で直した名前"));
    let shown =
        check(&mut b, path, "change.csv", "管理番号,名称\r\nN-1,名前を直した記録\r\n".as_bytes()).await;
    assert_eq!(
        carry_out(&b, path, &shown).await.status,
        StatusCode::SEE_OTHER,
        "looked at again it is carried out"
    );
    let mut clerk = city.browser(CLERK).await;
    assert_eq!(clerk.get(path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(check(&mut b, path, "x.pdf", b"%PDF-1.7").await.text.matches("PDFは読めません").count(), 1);
    assert!(check(&mut b, path, "empty.csv", b"").await.text.contains("ファイルに何も入っていません"));
    assert!(check(&mut b, path, "", b"").await.text.contains("ファイルを選んでください。"));
}

#[tokio::test]
async fn what_was_exported_imports_as_no_change_and_no_character_is_lost() {
    let city = City::settled().await;
    let mut b = city.browser(MANAGER).await;
    let names = [("K-1", "髙﨑・①の記録"), ("K-2", "=1+1"), ("K-3", "葛\u{e0100}城の「記録」, \"引用\"")];
    for (number, name) in names {
        assert_eq!(
            b.post("/registers/asset/new", &asset(number, name, "21")).await.status,
            StatusCode::SEE_OTHER,
            "{name}"
        );
    }
    for format in ["xlsx", "csv"] {
        let file = b.get(&format!("/registers/asset/export.{format}")).await;
        assert_eq!(file.status, StatusCode::OK);
        assert!(
            file.headers
                .get("content-disposition")
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("attachment; filename*=UTF-8''%E6%83%85")
        );
        let plan = check(&mut b, "/registers/asset/import", "again", &file.bytes).await;
        assert_eq!(counts(&plan), [0, 0, 5, 0], "{format}: {}", plan.text);
    }
    let csv = b.get("/registers/asset/export.csv").await;
    assert!(
        csv.bytes.starts_with(b"\xef\xbb\xbf")
            && csv.text.contains("葛\u{e0100}城")
            && csv.text.contains("'=1+1"),
        "formulas do not run"
    );

    let refused = b.get("/registers/asset/export.sjis").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("6行目「名称」の「\u{e0100}」") && refused.text.contains("CSV（UTF-8）"),
        "{}",
        refused.text
    );
    let narrow = b.get("/registers/asset/export.sjis?q=K-1").await;
    assert_eq!(narrow.status, StatusCode::OK);
    assert!(narrow.bytes.windows(4).any(|w| w == [0xfb, 0xfc, 0xfa, 0xb1]), "髙﨑 are in code page 932");
    let plan = check(&mut b, "/registers/asset/import", "sjis.csv", &narrow.bytes).await;
    assert_eq!(counts(&plan), [0, 0, 1, 0], "{}", plan.text);

    let rare = asset("K-4", "𠮷田家の記録", "21");
    assert_eq!(b.post("/registers/asset/new", &rare).await.status, StatusCode::SEE_OTHER);
    let refused = b.get("/registers/asset/export.sjis?q=K-4").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("2行目「名称」の「𠮷」"), "{}", refused.text);
    let id = row_id(&mut b, "asset", "K-3").await;
    let form = b.get(&format!("/registers/asset/{id}/edit")).await;
    assert!(form.text.contains("value=\"葛\u{e0100}城の「記録」, "), "the form keeps it too: {}", form.text);
}

/// A column that has several of its choices is ticked, comes back ticked, and refuses what is no choice.
#[tokio::test]
async fn several_choices_are_ticked() {
    let city = City::settled().await;
    let mut b = city.browser(MANAGER).await;
    let path = "/registers/cloud_service/new";
    let form = b.get(path).await;
    assert!(form.text.contains("name=\"conditions\" value=\"audit\">"), "{}", form.text);
    assert!(form.text.contains("<option value=\"21\">"), "units can be picked: {}", form.text);
    let row = [
        ("number", "C-1"),
        ("name", "電子申請サービス"),
        ("provider", "提供者"),
        ("section", "21"),
        ("manager", "21-h"),
        ("confidentiality", "2"),
        ("kind", "saas"),
        ("configurable", "1"),
        ("data_location", "国内"),
        ("law", "日本"),
        ("status", "considering"),
        ("conditions", "audit"),
        ("conditions", "remedy"),
    ];
    let refused = b.post(path, &[row.as_slice(), &[("conditions", "nothing")]].concat()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("「nothing」という選択肢はありません"), "{}", refused.text);
    assert!(refused.text.contains("value=\"audit\" checked"), "what was ticked stays: {}", refused.text);
    let saved = b.post(path, &row).await;
    let shown = b.get(&saved.location()).await;
    assert!(
        shown.text.contains("監査の受入れ") && shown.text.contains("履行が足りないときの対処"),
        "{}",
        shown.text
    );
}
