//! Applications from a file: each row is one application by whoever loads it, checked like the form.

use axum::http::StatusCode;
use sekisho_app::exchange::{Column, Kind, Table, write_xlsx};
use sekisho_base::Date;
use sekisho_base::table::Value;

use crate::acts::{application, apply, changed, done, item, press, refusal};
use crate::browser::{Browser, Page, hidden};
use crate::city::{CLERK, City, MANAGER, OTHER_CLERK, OTHER_MANAGER};
use crate::identity::later;

pub const IMPORT: &str = "/apply/take_out/import";
const PAST: &str = "/apply/take_out/imports";
const HEAD: &str = "案件番号,持ち出すもの,持出しの目的,持出先,持出日,返却予定日,期間中に何度も持ち出す（包括許可）,運搬の方法,暗号化などの対策";
const APPLIED: &str = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'case.applied'";
const CASES: &str = "SELECT COUNT(*) FROM case_file";
const DRAFTS: &str = "SELECT COUNT(*) FROM draft";

/// A row as it must be, with some cells changed by their place.
pub fn row(with: &[(usize, &str)]) -> [String; 9] {
    let cells = [
        "",
        "A-001",
        "認定調査での本人確認",
        "市内の訪問先",
        "R8.11.26",
        "2026/11/27",
        "×",
        "鍵付きかばんに入れ、職員が携行する",
        "sealed",
    ];
    let mut row = cells.map(str::to_owned);
    for (place, text) in with {
        row[*place] = (*text).to_owned();
    }
    row
}

pub fn csv(rows: &[[String; 9]]) -> Vec<u8> {
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    let line = |r: &[String; 9]| r.iter().map(quoted).collect::<Vec<_>>().join(",");
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("{HEAD}\r\n{}\r\n", lines.join("\r\n")).into_bytes()
}

/// The same as a workbook.
fn xlsx(rows: &[[String; 9]]) -> Vec<u8> {
    let columns = HEAD.split(',').map(|label| Column::new(label, &[label], Kind::Text)).collect();
    let cells = |r: &[String; 9]| r.iter().map(|c| Value::Text(c.clone())).collect();
    let table = Table { name: "持出".to_owned(), columns, rows: rows.iter().map(cells).collect() };
    write_xlsx(&[table], Date::new(2026, 11, 25).unwrap()).unwrap()
}

pub async fn look(b: &mut Browser, conflict: &str, bytes: &[u8]) -> Page {
    b.get(IMPORT).await;
    b.upload(IMPORT, &[("do", "check"), ("conflict", conflict)], "持出.csv", bytes).await
}

/// New, rewritten, unchanged, wrong.
fn counts(page: &Page) -> [usize; 4] {
    ["新しい申請", "下書きの変更", "変更なし", "誤り"].map(|label| {
        let before = page.text.split(&format!("</strong>{label}</span>")).next().unwrap();
        let n = before.rsplit("<strong>").next().unwrap();
        n.parse().unwrap_or_else(|_| panic!("{label} in {}", page.text))
    })
}

/// The second step as the page of the first offers it, with what is chosen there.
async fn carry_out(b: &Browser, plan: &Page, chosen: &[(&str, &str)]) -> Page {
    let fields = as_shown(plan, chosen);
    b.post(IMPORT, &fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>()).await
}

/// The fields of the second step.
pub fn as_shown(plan: &Page, chosen: &[(&str, &str)]) -> Vec<(String, String)> {
    let kept = ["upload", "shown", "post", "conflict"].map(|n| (n.to_owned(), hidden(plan.form("apply"), n)));
    let mut fields = vec![("do".to_owned(), "apply".to_owned())];
    fields.extend(kept);
    fields.extend(chosen.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    fields
}

const AS_DRAFTS: [(&str, &str); 1] = [("then", "draft")];
pub const SENT: [(&str, &str); 2] = [("then", "submit"), ("confirmed", "1")];

/// Looks at rows and carries them out.
async fn load(city: &City, b: &mut Browser, conflict: &str, rows: &[[String; 9]], chosen: &[(&str, &str)]) {
    // Files are listed by when they came.
    later(city, 1);
    let plan = look(b, conflict, &csv(rows)).await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text);
    let answer = carry_out(b, &plan, chosen).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{} {}", plan.text, answer.text);
    assert!(answer.location().starts_with(PAST), "{}", answer.location());
}

/// Numbers and addresses of the latest file's rows.
async fn results(b: &mut Browser) -> Vec<(String, String)> {
    let page = b.get(PAST).await;
    let first = page.text.split("<section").nth(1).unwrap();
    let rows = first.split("<td data-label=\"番号\" class=\"nowrap\">").skip(1);
    rows.map(|r| {
        let link = r.split("</td>").next().unwrap();
        let href = link.split("href=\"").nth(1).map_or("", |h| h.split('"').next().unwrap());
        let number = link.rsplit_once("</a>").map_or(link, |(before, _)| before.rsplit('>').next().unwrap());
        (number.to_owned(), href.to_owned())
    })
    .collect()
}

async fn undo(b: &mut Browser) -> Page {
    let id = hidden(&b.get(PAST).await.text, "import");
    b.post(PAST, &[("import", &id)]).await
}

/// For `powers.rs`: a file that was looked at (id and digest), and one that was carried out (id).
pub async fn held(city: &City, b: &mut Browser) -> ([String; 2], String) {
    load(city, b, "stop", &[row(&[])], &AS_DRAFTS).await;
    let loaded = hidden(&b.get(PAST).await.text, "import");
    let plan = look(b, "stop", &csv(&[row(&[])])).await;
    (["upload", "shown"].map(|name| hidden(&plan.text, name)), loaded)
}

async fn agree(city: &City) {
    sekisho_app::sequencer::drain(&city.office).await.unwrap();
    let sound = sekisho_app::ledger::jobs::review(&city.office).await.unwrap();
    assert!(sound.sound, "rows and entries agree: {:?}", sound.text);
}

#[tokio::test]
async fn a_csv_becomes_drafts_once_and_each_goes_on_by_its_page() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    assert!(b.get("/apply/take_out").await.text.contains(&format!("href=\"{IMPORT}\"")));
    let list = b.get("/cases?procedure=take_out").await;
    assert!(list.text.contains(&format!("href=\"{IMPORT}\"")), "{}", list.text);
    assert!(!b.get("/cases").await.text.contains("/import\""));
    let form = b.get(IMPORT).await;
    assert!(!form.text.contains("with=begun") && !form.text.contains(PAST), "{}", form.text);
    let empty = b.get(&format!("{IMPORT}/table.csv")).await;
    assert_eq!(empty.text.trim_start_matches('\u{feff}').trim_end(), HEAD);
    assert!(b.get(&format!("{IMPORT}/table.xlsx")).await.bytes.starts_with(b"PK"));

    let before = city.written().await;
    let two = [row(&[]), row(&[(1, "A-001、Ａ－００２"), (2, "二行の\n目的"), (6, "○")])];
    let plan = look(&mut b, "stop", &csv(&two)).await;
    assert_eq!(counts(&plan), [2, 0, 0, 0], "{}", plan.text);
    assert!(plan.text.contains("持ち出すもの：A-001、A-002"), "{}", plan.text);
    let mut after = city.written().await;
    let uploads = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert_eq!(uploads, 1, "nothing is kept but the file: {before:?} {after:?}");
    let answer = carry_out(&b, &plan, &AS_DRAFTS).await;
    assert_eq!(answer.location(), format!("{PAST}?done=files_drafted"), "{}", answer.text);
    assert_eq!([city.count(DRAFTS).await, city.count(CASES).await], [2, 0]);
    // The same sending once more makes nothing, and says the same.
    after = city.written().await;
    let again = carry_out(&b, &plan, &AS_DRAFTS).await;
    assert_eq!(again.location(), answer.location());
    let sent = carry_out(&b, &plan, &SENT).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(city.written().await, after);

    let made = results(&mut b).await;
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|(number, _)| number.starts_with("下書き-")), "{made:?}");
    let draft = b.get(&made[1].1).await;
    assert!(draft.text.contains("二行の\n目的") && draft.text.contains("2026-11-26"), "{}", draft.text);
    assert!(draft.text.contains("A-001<br>") && draft.text.contains("A-002<br>"), "{}", draft.text);
    let key = item(&mut b, "A-001").await;
    let id = made[0].1.split("draft=").nth(1).unwrap().to_owned();
    let fields = changed(&application("21-s", &key), &[("draft", &id)]);
    apply(&mut b, &fields).await;
    assert_eq!([city.count(DRAFTS).await, city.count(CASES).await], [1, 1]);
    agree(&city).await;
}

#[tokio::test]
async fn a_workbook_is_sent_row_by_row_once_its_safeguards_are_confirmed() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let plan = look(&mut b, "stop", &xlsx(&[row(&[]), row(&[(1, "A-002")])])).await;
    assert_eq!(counts(&plan), [2, 0, 0, 0], "{}", plan.text);
    assert!(plan.text.contains("守ること（提出するとき）"), "{}", plan.text);
    let before = city.written().await;
    let unconfirmed = carry_out(&b, &plan, &[("then", "submit")]).await;
    assert_eq!(unconfirmed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unconfirmed.text.contains("チェックしてから提出してください"), "{}", unconfirmed.text);
    assert!(unconfirmed.text.contains("value=\"submit\" checked"), "the choice stays");
    assert_eq!(city.written().await, before);

    let answer = carry_out(&b, &unconfirmed, &SENT).await;
    assert_eq!(answer.location(), format!("{PAST}?done=files_applied"), "{}", answer.text);
    assert_eq!([city.count(CASES).await, city.count(APPLIED).await, city.count(DRAFTS).await], [2, 2, 0]);
    let made = results(&mut b).await;
    let mut manager = city.browser(MANAGER).await;
    assert!(manager.get("/inbox").await.text.contains(&made[0].0), "{made:?}");
    let case = manager.get(&made[1].1).await;
    assert!(case.text.contains("認定調査での本人確認") && case.text.contains("訪問調査の記録票"));
    done(&mut manager, &made[0].1, "permit", &[]).await;
    let once_more = carry_out(&b, &unconfirmed, &SENT).await;
    assert_eq!(once_more.status, StatusCode::SEE_OTHER);
    assert_eq!(city.count(CASES).await, 2, "not twice");
    agree(&city).await;
}

#[tokio::test]
async fn what_is_wrong_is_named_by_line_and_field_and_nothing_is_made() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let other = city.browser(OTHER_CLERK).await;
    let draft = other.post("/apply/take_out", &[("do", "draft"), ("purpose", "人の下書き")]).await;
    let id = draft.location().split("draft=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let others = format!("下書き-{}", &id[18..]);
    // One's own that is under way cannot be changed either, and neither tells anything.
    let key = item(&mut b, "A-002").await;
    let case = apply(&mut b, &application("21-s", &key)).await;
    let shown = b.get(&case).await.text;
    let own = format!("持出-{}", shown.split("持出-").nth(1).unwrap().split('<').next().unwrap());
    assert!(city.count(CASES).await == 1 && own.len() < 24, "{own}");
    let before = city.written().await;

    let none = "この番号の、あなたの下書きや差し戻された申請はありません";
    let no_item = "は、あなたが選べる台帳にありません";
    let wrong: [(usize, &str, &str, &str); 12] = [
        (1, "X-999", "B2", no_item),
        (1, "B-001", "B3", no_item),
        (1, "", "B4", "持ち出すものを選んでください。"),
        (2, "", "C5", "持出しの目的を入力してください。"),
        (4, "2026/2/30", "E6", "日付として読めません"),
        (4, "2026-11-24", "E7", "持ち出した後の申請はできません"),
        (5, "2026-11-25", "F8", "返却予定日には、持出日から"),
        (6, "たぶん", "G9", "○か×として読めません"),
        (7, "手で持つ", "H10", "選択肢にありません"),
        (8, "必要ない（機密性1だけ）", "I11", "暗号化か封かんのどちらかを選んでください"),
        (0, &others, "A12", none),
        (0, &own, "A13", none),
    ];
    let mut rows: Vec<[String; 9]> = wrong.iter().map(|(place, text, ..)| row(&[(*place, text)])).collect();
    rows.push(row(&[]));
    let page = look(&mut b, "update", &csv(&rows)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(counts(&page), [1, 0, 0, 12], "{}", page.text);
    let labels: Vec<&str> = HEAD.split(',').collect();
    for (place, text, cell, says) in wrong {
        let line = page.text.split("<tr>").find(|r| r.contains(&format!(">{cell}<"))).unwrap_or_default();
        let column = format!("<td data-label=\"欄\">{}<", labels[place]);
        assert!(line.contains(says) && line.contains(&column), "{cell} {says}: {}", page.text);
        assert!(line.contains(text), "{cell} {text}: {line}");
    }
    assert_eq!(page.text.matches("data-label=\"扱い\" class=\"nowrap\">誤り<").count(), 12, "{}", page.text);
    assert!(!page.offers("apply"), "{}", page.text);
    let unsent = ["upload", "shown"].map(|name| hidden(&page.text, name));
    assert_eq!(unsent, ["", ""], "there is nothing to carry out");

    // Who decides and where a case stands are nobody's to say in a file.
    let grand = format!("{HEAD},決裁者,状況\r\n{},1002,許可\r\n", row(&[]).join(","));
    let page = look(&mut b, "update", grand.as_bytes()).await;
    assert!(page.text.contains("申請書にないため、読みません：決裁者、状況"), "{}", page.text);
    // A header is missing: said once, and what is required is asked for.
    let page = look(&mut b, "stop", "持ち出すもの,持出先\r\nA-001,県庁\r\n".as_bytes()).await;
    assert!(page.text.contains("新しい申請では空になります：持出しの目的、持出日"), "{}", page.text);
    assert!(page.text.contains("持出日を入力してください。"), "{}", page.text);

    let many: Vec<[String; 9]> = (0..201).map(|_| row(&[])).collect();
    for (bytes, says) in [
        (csv(&many), "一度に読み込めるのは200件までです（このファイルは201件）"),
        (b"%PDF-1.7".to_vec(), "PDFは読めません"),
        (vec![], "ファイルに何も入っていません"),
    ] {
        let page = look(&mut b, "stop", &bytes).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{says}");
        assert!(refusal(&page).contains(says), "{says}: {}", page.text);
    }
    let none = b.post(IMPORT, &[("do", "check")]).await;
    assert!(refusal(&none).contains("ファイルを選んでください"), "{}", none.text);
    let uploads = city.written().await.iter().zip(&before).filter(|(a, b)| a != b).count();
    assert_eq!(uploads, 1, "only files wait");
}

#[tokio::test]
async fn what_was_shown_is_carried_out_or_nothing() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    let plan = look(&mut b, "stop", &csv(&[row(&[])])).await;
    // Somebody else cannot take it over.
    let other = city.browser(OTHER_MANAGER).await;
    let taken = carry_out(&other, &plan, &SENT).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", taken.text);
    assert!(refusal(&taken).contains("もう一度ファイルを選んでください"), "{}", taken.text);
    // Another post than shown, or another digest.
    for (name, value) in [("post", "22-s"), ("post", "21-h"), ("shown", "x"), ("upload", "x")] {
        let kept =
            ["upload", "shown", "post", "conflict"].map(|name| (name, hidden(plan.form("apply"), name)));
        let mut fields: Vec<(&str, &str)> = kept.iter().map(|(n, v)| (*n, v.as_str())).collect();
        fields.retain(|(n, _)| *n != name);
        fields.extend([("do", "apply"), ("then", "submit"), ("confirmed", "1"), (name, value)]);
        let page = b.post(IMPORT, &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {value}: {}", page.text);
    }
    // The thing was disposed of for the file's purposes: it is another section's by now.
    let mut admin = city.browser(crate::city::ADMIN).await;
    let id = crate::city::row_id(&mut admin, "asset", "A-001").await;
    let mut fields = crate::city::asset("A-001", "要介護認定の名簿", "22");
    fields.push(("version", "1"));
    let moved = admin.post(&format!("/registers/asset/{id}/edit"), &fields).await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER, "{}", moved.text);
    let page = carry_out(&b, &plan, &SENT).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("確かめた後に内容が変わった"), "{}", page.text);
    assert!(page.text.contains("あなたが選べる台帳にありません"), "shown anew: {}", page.text);
    assert_eq!([city.count(CASES).await, city.count(DRAFTS).await], [0, 0]);
    assert_eq!(city.count("SELECT COUNT(*) FROM case_import").await, 0);
}

#[tokio::test]
async fn drafts_that_a_file_names_stop_stay_or_become_what_it_says() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    load(
        &city,
        &mut b,
        "stop",
        &[row(&[]), row(&[(1, "A-002"), (3, "県庁、\"北\"会議室 髙"), (6, "○")])],
        &AS_DRAFTS,
    )
    .await;
    // One that cannot be read yet, written on the page.
    let odd = [("do", "draft"), ("post", "21-s"), ("from", "来週"), ("purpose", "未定\n=1+1")];
    assert_eq!(b.post("/apply/take_out", &odd).await.status, StatusCode::SEE_OTHER);
    let made = results(&mut b).await;
    let drafts = city.written().await;

    // Out and in again changes nothing, whatever is chosen.
    for format in ["csv", "xlsx"] {
        let file = b.get(&format!("{IMPORT}/table.{format}?with=begun")).await;
        for conflict in ["stop", "skip", "update"] {
            let page = look(&mut b, conflict, &file.bytes).await;
            assert_eq!(counts(&page), [0, 0, 3, 0], "{format} {conflict}: {}", page.text);
            assert!(page.text.contains("変わるものはありません") && !page.offers("apply"));
        }
    }

    let rows = [row(&[(0, &made[0].0), (3, "県庁")]), row(&[(2, "新しい用事")])];
    let stop = look(&mut b, "stop", &csv(&rows)).await;
    assert_eq!(counts(&stop), [1, 0, 0, 1], "{}", stop.text);
    assert!(stop.text.contains("内容が違います") && stop.text.contains(">A2<"), "{}", stop.text);
    let skip = look(&mut b, "skip", &csv(&rows)).await;
    assert_eq!(counts(&skip), [1, 0, 1, 0], "{}", skip.text);
    assert!(skip.text.contains(">とばす<"), "{}", skip.text);
    let now = city.written().await;
    assert_eq!(now.iter().zip(&drafts).filter(|(a, b)| a != b).count(), 1, "only files wait");
    let update = look(&mut b, "update", &csv(&rows)).await;
    assert_eq!(counts(&update), [1, 1, 0, 0], "{}", update.text);
    assert!(update.text.contains("持出先：市内の訪問先 → 県庁"), "{}", update.text);
    later(&city, 1);
    assert_eq!(carry_out(&b, &update, &AS_DRAFTS).await.status, StatusCode::SEE_OTHER);
    assert_eq!(city.count(DRAFTS).await, 4);
    assert!(b.get(&made[0].1).await.text.contains("value=\"県庁\""));

    // Taken back: the new one goes, the rewritten one is as before.
    let undone = undo(&mut b).await;
    assert!(undone.text.contains("削除した下書き 1件、前の内容に戻した下書き 1件"), "{}", undone.text);
    assert_eq!(city.count(DRAFTS).await, 3);
    assert!(b.get(&made[0].1).await.text.contains("value=\"市内の訪問先\""));

    // A draft that the file sends is one case and no draft any more.
    load(&city, &mut b, "update", &[row(&[(0, &made[0].0), (3, "県庁")])], &SENT).await;
    assert_eq!([city.count(DRAFTS).await, city.count(CASES).await], [2, 1]);
    assert_eq!(b.get(&made[0].1).await.status, StatusCode::NOT_FOUND);
    let gone = look(&mut b, "update", &csv(&[row(&[(0, &made[0].0)])])).await;
    assert_eq!(counts(&gone), [0, 0, 0, 1], "{}", gone.text);
}

#[tokio::test]
async fn a_case_that_was_sent_back_is_applied_for_again_by_its_applicant_only() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    load(&city, &mut b, "stop", &[row(&[])], &SENT).await;
    let (number, case) = results(&mut b).await.remove(0);
    let mut manager = city.browser(MANAGER).await;
    let back = press(&mut manager, &case, "send_back", &[("says", "持出先を詳しく")]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text);

    let table = b.get(&format!("{IMPORT}/table.csv?with=begun")).await;
    assert!(table.text.contains(&number), "{}", table.text);
    assert_eq!(counts(&look(&mut b, "stop", &table.bytes).await), [0, 0, 1, 0]);
    let mut stranger = city.browser(OTHER_CLERK).await;
    let wrong = look(&mut stranger, "update", &csv(&[row(&[(0, &number), (1, "B-001")])])).await;
    assert!(
        wrong.text.contains("この番号の、あなたの下書きや差し戻された申請はありません"),
        "{}",
        wrong.text
    );

    let other_thing = look(&mut b, "update", &csv(&[row(&[(0, &number), (1, "A-002")])])).await;
    assert!(other_thing.text.contains("差し戻された申請の対象は変えられません"), "{}", other_thing.text);
    let late = look(&mut b, "update", &csv(&[row(&[(0, &number), (4, "R8.11.1")])])).await;
    assert!(late.text.contains("持ち出した後の申請はできません"), "the form's own check: {}", late.text);

    let rows = [row(&[(0, &number), (3, "県庁 北会議室")])];
    let plan = look(&mut b, "update", &csv(&rows)).await;
    assert!(plan.text.contains("<strong>1</strong>差し戻された申請"), "{}", plan.text);
    let none = carry_out(&b, &plan, &AS_DRAFTS).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refusal(&none).contains("下書きにできる行がありません"), "{}", none.text);
    load(&city, &mut b, "update", &[rows[0].clone(), row(&[(1, "A-002")])], &AS_DRAFTS).await;
    assert!(b.get(PAST).await.text.contains("そのまま（差し戻された申請に下書きはありません）"));
    assert_eq!(city.count(DRAFTS).await, 1);
    assert!(b.get(&case).await.text.contains("差戻し"));
    load(&city, &mut b, "update", &rows, &SENT).await;
    assert!(manager.get(&case).await.text.contains("県庁 北会議室"));
    assert_eq!(city.count(CASES).await, 1);
    let kept = undo(&mut b).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY, "what came before the file stays");
    assert!(refusal(&kept).contains(&format!("{number}：")), "{}", kept.text);
    done(&mut manager, &case, "permit", &[]).await;
    agree(&city).await;
}

#[tokio::test]
async fn taking_a_file_back_withdraws_what_nobody_opened_and_names_the_rest() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    load(&city, &mut b, "stop", &[row(&[]), row(&[(1, "A-002")]), row(&[(3, "県庁")])], &SENT).await;
    let made = results(&mut b).await;
    let mut manager = city.browser(MANAGER).await;
    done(&mut manager, &made[1].1, "permit", &[]).await;
    let id = hidden(&b.get(PAST).await.text, "import");
    let before = city.written().await;
    let stranger = city.browser(OTHER_CLERK).await;
    for (b, path) in [(&manager, PAST), (&stranger, PAST), (&b, "/apply/loan/imports")] {
        let page = b.post(path, &[("import", &id)]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}: {}", page.text);
    }
    assert_eq!(city.written().await, before);
    assert!(!manager.get(PAST).await.text.contains("持出.csv"), "nobody else sees it");

    let undone = b.post(PAST, &[("import", &id)]).await;
    assert!(undone.text.contains("引き戻した申請 2件"), "{}", undone.text);
    assert!(undone.text.contains(&format!("<li>{}：", made[1].0)), "{}", undone.text);
    let withdrawn = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'case.withdrawn'";
    assert_eq!(city.count(withdrawn).await, 2, "each by its own act");
    assert!(b.get(&made[0].1).await.text.contains("ファイルから行った申請の取消し"));
    let again = b.post(PAST, &[("import", &id)]).await;
    assert!(refusal(&again).contains("もう取り消されています"), "{}", again.text);
    assert!(b.get(PAST).await.text.contains("に取消し"));

    // Drafts: one was written on, one is gone, one is as it came.
    load(&city, &mut b, "stop", &[row(&[]), row(&[(1, "A-002")]), row(&[(3, "県庁")])], &AS_DRAFTS).await;
    let made = results(&mut b).await;
    let draft = |n: usize| made[n].1.split("draft=").nth(1).unwrap().to_owned();
    let more = [("do", "draft"), ("draft", &*draft(0)), ("post", "21-s"), ("purpose", "書き足した")];
    assert_eq!(b.post("/apply/take_out", &more).await.status, StatusCode::SEE_OTHER);
    let drop = [("do", "drop"), ("draft", &*draft(1))];
    assert_eq!(b.post("/apply/take_out", &drop).await.status, StatusCode::SEE_OTHER);
    let undone = undo(&mut b).await;
    assert!(undone.text.contains("削除した下書き 1件"), "{}", undone.text);
    assert!(undone.text.contains(&format!("{}：読み込んだ後に直されています", made[0].0)), "{}", undone.text);
    assert!(undone.text.contains(&format!("{}：申請されたか、削除されています", made[1].0)));
    assert_eq!(city.count(DRAFTS).await, 1);
    agree(&city).await;
}

#[tokio::test]
async fn who_may_not_apply_and_what_has_no_form_take_no_file() {
    let city = City::settled().await;
    let mut b = city.browser(CLERK).await;
    for path in ["/apply/exception/import", "/apply/exception/import/table.csv"] {
        let page = b.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}: {}", page.text);
    }
    assert_eq!(city.browser(MANAGER).await.get("/apply/exception/import").await.status, StatusCode::OK);
    for path in ["corrective_action", "transfer", "nothing"] {
        for rest in ["import", "import/table.xlsx", "imports"] {
            let page = b.get(&format!("/apply/{path}/{rest}")).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path} {rest}");
        }
    }
    let bulk = b.get("/apply/reclassification/import").await;
    assert_eq!(bulk.location(), "/bulk/reclassification", "it has a form of its own");
    assert_eq!(b.get(&format!("{IMPORT}/table.pdf")).await.status, StatusCode::NOT_FOUND);
    // Every other procedure with a form takes one: the table holds each of its fields.
    for procedure in ["loan", "disposal", "cloud_service"] {
        let page = b.get(&format!("/apply/{procedure}/import/table.csv")).await;
        assert!(
            page.text.trim_start_matches('\u{feff}').starts_with("案件番号,"),
            "{procedure}: {}",
            page.text
        );
    }
}
