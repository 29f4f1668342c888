//! Imports of the organization: one proposes, a second confirms, never whoever gains by it; the terminal only proposes.

use axum::http::StatusCode;
use sekisho_app::first;

use crate::acts::refusal;
use crate::browser::Browser;
use crate::city::{ADMIN, CLERK, City, MANAGER, SECOND_ADMIN, workbook};
use crate::registers::{carry_out, check};

const PATH: &str = "/organization/import";

/// Appoints the second administrator to a post.
pub const GAIN: &str = "職員番号,職コード,本務/兼務,開始日\r\n9002,21-h,兼務,R8.12.1\r\n";
/// Appoints the clerk to the same post.
const CLERKS: &str = "職員番号,職コード,本務/兼務,開始日\r\n1001,21-h,兼務,R8.12.1\r\n";
/// Appoints a second operator of the system.
const THIRD: &str =
    "職員番号,職コード,本務/兼務,開始日,役割\r\n1001,21-s,兼務,R8.12.1,情報システム担当者\r\n";

/// Proposes a file and gives the proposal's address.
pub async fn propose(admin: &mut Browser, name: &str, bytes: &[u8]) -> String {
    let plan = check(admin, PATH, name, bytes).await;
    let page = carry_out(admin, PATH, &plan).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", plan.text);
    let address = page.location();
    assert!(address.ends_with("?done=suggested"), "{address}");
    address.split('?').next().unwrap().to_owned()
}

/// The second administrator confirms.
pub async fn confirm(city: &City, proposal: &str) {
    let address = proposal.split('?').next().unwrap();
    let mut second = city.browser(SECOND_ADMIN).await;
    let page = second.get(address).await;
    assert!(page.offers("confirm"), "{}", page.text);
    let done = second.post(address, &[("do", "confirm")]).await;
    assert_eq!(done.location(), format!("{address}?done=imported"), "{}", done.text);
}

/// Proposed by the administrator, confirmed by the second one.
pub async fn import_organization(city: &City, name: &str, bytes: &[u8]) {
    let mut admin = city.browser(ADMIN).await;
    let address = propose(&mut admin, name, bytes).await;
    confirm(city, &address).await;
}

async fn appointments(city: &City) -> i64 {
    city.count("SELECT COUNT(*) FROM appointment").await
}

#[tokio::test]
async fn nothing_takes_effect_before_a_second_person_confirms() {
    let city = City::settled().await;
    let before = appointments(&city).await;
    let mut admin = city.browser(ADMIN).await;
    let address = propose(&mut admin, "任命.csv", CLERKS.as_bytes()).await;
    assert_eq!(appointments(&city).await, before);
    let list = admin.get("/organization").await;
    assert!(list.text.contains("2人目の確認を待っている取込み") && list.text.contains(&address));
    let own = admin.get(&address).await;
    assert!(own.text.contains("1001 21-h") && own.text.contains("確認できる人：情報 次郎"), "{}", own.text);
    assert!(!own.offers("confirm") && own.offers("refuse"));
    let forged = admin.post(&address, &[("do", "confirm")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "not the proposer");
    assert!(refusal(&forged).contains("自分が提案した取込み"), "{}", refusal(&forged));
    assert_eq!(appointments(&city).await, before);

    let mut second = city.browser(SECOND_ADMIN).await;
    assert!(second.get("/").await.text.contains("2人目の確認を待っています"));
    confirm(&city, &address).await;
    assert_eq!(appointments(&city).await, before + 1);
    assert!(admin.get(&address).await.text.contains("取り込みました</span>"));
    for number in [ADMIN, SECOND_ADMIN] {
        let again = city.browser(number).await.post(&address, &[("do", "confirm")]).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "once is enough");
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'org.propose'").await, 1);
    let both = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'org.import' AND payload LIKE '%\"proposed_by\":\"9001\"%' AND payload LIKE '%\"by\":\"9002\"%'";
    assert_eq!(city.count(both).await, 1, "the entry names both");
}

#[tokio::test]
async fn whoever_gains_by_it_does_not_confirm_it() {
    let city = City::settled().await;
    let before = appointments(&city).await;
    let mut admin = city.browser(ADMIN).await;
    let address = propose(&mut admin, "任命.csv", GAIN.as_bytes()).await;
    let mut second = city.browser(SECOND_ADMIN).await;
    let page = second.get(&address).await;
    assert!(!page.offers("confirm"));
    // Nobody who may import is left: the role above, who has no login yet.
    assert!(
        page.text.contains("統括情報セキュリティ責任者") && page.text.contains("統括 三郎"),
        "{}",
        page.text
    );
    let forged = second.post(&address, &[("do", "confirm")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(refusal(&forged).contains("あなた自身の任命や権限が増える"), "{}", refusal(&forged));
    for number in [CLERK, MANAGER] {
        let b = city.browser(number).await;
        assert_eq!(b.post(&address, &[("do", "confirm")]).await.status, StatusCode::FORBIDDEN, "{number}");
        let mut b = city.browser(number).await;
        assert_eq!(b.get(&address).await.status, StatusCode::NOT_FOUND, "{number}");
    }
    assert_eq!(appointments(&city).await, before);

    // The role above confirms.
    let slip = admin.post("/organization/account", &[("person", "8001"), ("login", "u8001")]).await;
    let password = slip.text.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let mut officer = Browser::new(&city);
    officer.enter("u8001", &password).await;
    officer.own_password(&password).await;
    assert!(officer.get("/").await.text.contains("あなたの確認を待っています"));
    assert!(officer.get(&address).await.offers("confirm"));
    let done = officer.post(&address, &[("do", "confirm")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(appointments(&city).await, before + 1);
}

/// A post that is made another's deputy, or a unit that moves under the own post, is a gain too.
#[tokio::test]
async fn a_gain_by_a_changed_post_or_unit_counts() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    for (name, csv) in [
        ("職.csv", "職コード,組織コード,職名,長\r\n11-s,11,課長補佐,\r\n"),
        ("職.csv", "職コード,組織コード,職名,長\r\n11-s,21,主事,\r\n"),
    ] {
        let address = propose(&mut admin, name, csv.as_bytes()).await;
        let mut second = city.browser(SECOND_ADMIN).await;
        assert!(!second.get(&address).await.offers("confirm"), "{csv}");
        let forged = second.post(&address, &[("do", "confirm")]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{csv}");
        assert_eq!(admin.post(&address, &[("do", "refuse")]).await.status, StatusCode::SEE_OTHER);
    }
    let mut second = city.browser(SECOND_ADMIN).await;
    let units = "組織コード,名称,種別,上位コード,開始日\r\n21,高齢福祉課,課室,1,R2.4.1\r\n";
    let address = propose(&mut second, "組織.csv", units.as_bytes()).await;
    assert!(admin.get(&address).await.offers("confirm"), "not the section head of another section");
}

#[tokio::test]
async fn a_proposal_is_taken_back_or_refused_with_a_reason_and_goes_stale() {
    let city = City::settled().await;
    let before = appointments(&city).await;
    let mut admin = city.browser(ADMIN).await;
    let mut second = city.browser(SECOND_ADMIN).await;
    let address = propose(&mut admin, "任命.csv", CLERKS.as_bytes()).await;
    let reasonless = second.post(&address, &[("do", "refuse")]).await;
    assert_eq!(reasonless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reasonless.text.contains("取り込まない理由を記入してください"));
    let refused = second.post(&address, &[("do", "refuse"), ("says", "日付が違う")]).await;
    assert_eq!(refused.location(), format!("{address}?done=dismissed"));
    assert!(admin.get(&address).await.text.contains("日付が違う"));
    assert_eq!(second.post(&address, &[("do", "confirm")]).await.status, StatusCode::FORBIDDEN);

    // What was looked at is no longer what would change.
    let first = propose(&mut admin, "任命.csv", CLERKS.as_bytes()).await;
    let address = propose(&mut admin, "任命.csv", CLERKS.as_bytes()).await;
    confirm(&city, &first).await;
    assert!(second.get(&address).await.text.contains("提案した後に組織が変わった"));
    let stale = second.post(&address, &[("do", "confirm")]).await;
    assert_eq!(stale.status, StatusCode::FORBIDDEN);
    assert_eq!(appointments(&city).await, before + 1);
    let nothing = check(&mut admin, PATH, "任命.csv", CLERKS.as_bytes()).await;
    assert_eq!(carry_out(&admin, PATH, &nothing).await.status, StatusCode::FORBIDDEN, "nothing changes");
}

#[tokio::test]
async fn the_terminal_only_proposes_and_two_people_take_it_from_there() {
    let city = City::settled().await;
    let before = appointments(&city).await;
    let told = first::import(&city.office, "任命.csv", CLERKS.into(), true).await.unwrap();
    assert!(told.text.last().unwrap().contains("提案として残しました"), "{:?}", told.text);
    assert_eq!(appointments(&city).await, before);
    let mut admin = city.browser(ADMIN).await;
    let home = admin.get("/").await;
    let address = home.text.split("href=\"/organization/proposals/").nth(1).unwrap();
    let address = format!("/organization/proposals/{}", address.split('"').next().unwrap());
    assert_eq!(admin.post(&address, &[("do", "confirm")]).await.status, StatusCode::FORBIDDEN);
    assert!(!admin.get(&address).await.offers("confirm") && admin.get(&address).await.offers("adopt"));
    let clerk = city.browser(CLERK).await;
    assert_eq!(clerk.post(&address, &[("do", "adopt")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.post(&address, &[("do", "adopt")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(admin.post(&address, &[("do", "confirm")]).await.status, StatusCode::FORBIDDEN);
    let second = city.browser(SECOND_ADMIN).await;
    assert_eq!(second.post(&address, &[("do", "adopt")]).await.status, StatusCode::FORBIDDEN);
    confirm(&city, &address).await;
    assert_eq!(appointments(&city).await, before + 1);
    // Without --apply it shows and leaves nothing behind.
    let before = city.written().await;
    first::import(&city.office, "組織.xlsx", workbook(|_| "2027-03-31"), false).await.unwrap();
    assert_eq!(city.written().await, before);
}

#[tokio::test]
async fn where_only_one_may_import_it_is_said_which_role_must_be_filled() {
    let city = City::settled().await;
    let mut admin = city.browser(ADMIN).await;
    assert!(!admin.get(PATH).await.text.contains("1人しかいません"));
    let ends = "職員番号,職コード,本務/兼務,開始日,終了日,役割\r\n9002,11-s,兼務,R8.4.1,R8.11.24,情報システム担当者\r\n";
    import_organization(&city, "任命.csv", ends.as_bytes()).await;
    let page = admin.get(PATH).await;
    assert!(
        page.text.contains("1人しかいません")
            && page.text.contains("「情報システム担当者」に、もう1人を任命"),
        "{}",
        page.text
    );
    let address = propose(&mut admin, "任命.csv", THIRD.as_bytes()).await;
    let page = admin.get(&address).await;
    assert!(
        page.text.contains("上位の役割（統括情報セキュリティ責任者）の統括 三郎が確認します"),
        "{}",
        page.text
    );
    let forged = admin.post(&address, &[("do", "confirm")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}
