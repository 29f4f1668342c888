//! Files of an application and remarks: for whoever may see the case, and for nobody else.

use axum::http::{StatusCode, header};
use sekisho_app::AppError;
use sekisho_base::canonical::{hex, sha256};

use crate::acts::{application, apply, done, item, press};
use crate::browser::Browser;
use crate::city::{CLERK, City, DEPUTY, MANAGER, OTHER_CLERK};

const BYTES: &[u8] = b"%PDF-1.7 a plan of the visit";

/// Keeps a file on the form and gives its id.
pub async fn attached(b: &mut Browser, post: &str, key: &str, name: &str, bytes: &[u8]) -> String {
    b.get("/apply/take_out").await;
    let mut fields = vec![("do", "attach")];
    fields.extend(application(post, key));
    let page = b.upload("/apply/take_out", &fields, name, bytes).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("認定調査での本人確認"), "what was typed is kept");
    let after =
        page.text.split("name=\"attachment\" value=\"").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_is_given_out_to_whoever_may_see_the_case_and_to_nobody_else() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let id = attached(&mut clerk, "21-s", &key, "C:\\訪問\\計画.pdf", BYTES).await;
    let mut fields = application("21-s", &key);
    fields.push(("attachment", &id));
    let case = apply(&mut clerk, &fields).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("計画.pdf") && page.text.contains(&hex(&sha256(BYTES))), "{}", page.text);
    assert!(!page.text.contains("訪問\\計画"), "the folder of the clerk's own computer is nobody's business");
    let path = format!("{case}/files/0");
    let mut manager = city.browser(MANAGER).await;
    let file = manager.get(&path).await;
    assert_eq!((file.status, file.bytes.as_slice()), (StatusCode::OK, BYTES));
    let kind = file.headers.get(header::CONTENT_TYPE).unwrap();
    let disposition = file.headers.get(header::CONTENT_DISPOSITION).unwrap().to_str().unwrap();
    assert_eq!(kind, "application/octet-stream");
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert_eq!(manager.get(&format!("{case}/files/1")).await.status, StatusCode::NOT_FOUND);
    let mut stranger = city.browser(OTHER_CLERK).await;
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    // Whoever changes the database behind our back is found out when the file is asked for.
    city.office
        .store
        .write(|c| {
            Box::pin(async move {
                c.exec("UPDATE attachment_piece SET bytes = '25'", vec![]).await.map_err(AppError::from)
            })
        })
        .await
        .unwrap();
    let altered = manager.get(&path).await;
    assert_eq!(altered.status, StatusCode::FORBIDDEN);
    assert!(altered.text.contains("中身が変わっている"), "{}", altered.text);
}

#[tokio::test]
async fn a_file_that_waits_is_its_owners_alone() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let id = attached(&mut clerk, "21-s", &key, "計画.pdf", BYTES).await;
    let mut deputy = city.browser(DEPUTY).await;
    deputy.get("/").await;
    let mut fields = application("21-d", &key);
    fields.push(("attachment", &id));
    let case = apply(&mut deputy, &fields).await;
    assert!(!deputy.get(&case).await.text.contains("計画.pdf"));
    let empty = clerk.upload("/apply/take_out", &[("do", "attach"), ("post", "21-s")], "空.txt", b"").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.text.contains("空のファイル"), "{}", empty.text);
}

#[tokio::test]
async fn a_remark_is_read_by_whoever_sees_the_case_and_decides_nothing() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let mut manager = city.browser(MANAGER).await;
    let key = item(&mut clerk, "A-001").await;
    let case = apply(&mut clerk, &application("21-s", &key)).await;
    let empty = press(&mut manager, &case, "comment", &[("comment.says", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", empty.text);
    done(&mut manager, &case, "comment", &[("comment.says", "訪問先の住所を教えてください")]).await;
    let page = clerk.get(&case).await;
    assert!(page.text.contains("訪問先の住所を教えてください"));
    assert!(manager.get(&case).await.offers("permit"), "it still waits");
    let stranger = city.browser(OTHER_CLERK).await;
    let forged =
        stranger.post(&case, &[("do", "comment"), ("shown", ""), ("comment.says", "よそから")]).await;
    assert_eq!(forged.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_known_kinds_are_taken_and_the_rest_of_the_form_stays() {
    let city = City::settled().await;
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    assert!(clerk.get("/apply/take_out").await.text.contains("受け付ける種類：PDF、Word"));
    let mut fields = application("21-s", &key);
    fields.push(("do", "apply"));
    for (name, bytes, says) in [
        ("道具.exe", BYTES, "開くとプログラムが動く種類"),
        ("計画.pdf", &b"MZ\x90\0\x03\0"[..], "開くとプログラムが動く種類"),
        ("計画.pdf", &b"\x89PNG\r\n\x1a\n"[..], "中身は画像です"),
        ("集計.xlsm", BYTES, "マクロ（開くと動くプログラム）"),
        ("ページ.html", &b"<html></html>"[..], "受け付けるのは次の種類です"),
    ] {
        let before = city.count("SELECT COUNT(*) FROM attachment").await;
        let page = clerk.upload("/apply/take_out", &fields, name, bytes).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(
            page.text.contains(says) && page.text.contains("認定調査での本人確認"),
            "{name}: {}",
            page.text
        );
        assert_eq!(city.count("SELECT COUNT(*) FROM attachment").await, before, "{name}");
    }
    let taken = clerk.upload("/apply/take_out", &fields, "計画.pdf", BYTES).await;
    let case = taken.location().split('?').next().unwrap().to_owned();
    let file = clerk.get(&format!("{case}/files/0")).await;
    assert_eq!(file.headers.get(header::X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
    assert!(
        file.headers.get(header::CONTENT_DISPOSITION).unwrap().to_str().unwrap().starts_with("attachment")
    );
}

#[tokio::test]
async fn a_body_may_take_fewer_kinds_or_more() {
    let city = City::settled().await;
    city.office.take_attachments(sekisho_app::exchange::Accepted::parse("pdf, .dwg").unwrap());
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    let fields = application("21-s", &key);
    let page = clerk.upload("/apply/take_out", &fields, "控え.txt", b"x").await;
    assert!(page.text.contains("受け付けるのは次の種類です：PDF、.dwg。"), "{}", page.text);
    attached(&mut clerk, "21-s", &key, "図面.dwg", b"AC1032\0\0").await;
}
