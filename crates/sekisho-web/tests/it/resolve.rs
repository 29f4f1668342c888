//! A committee's resolution is tied to a meeting of the register: not one that is still to be held, nor one without quorum.

use axum::http::StatusCode;

use crate::acts::{done, forge, press};
use crate::browser::Browser;
use crate::city::{ADMIN, CISO, CLERK, City, DIRECTOR, HEAD, MANAGER, row_id};
use crate::proposals::import_organization;
use crate::related::applied;

async fn meeting(b: &mut Browser, number: &str, held_on: &str, quorate: &str) {
    b.get("/").await;
    let row = [
        ("number", number),
        ("name", "情報セキュリティ委員会"),
        ("section", "11"),
        ("held_on", held_on),
        ("place", "第一会議室"),
        ("agenda", "対策基準の改定"),
        ("members", "9"),
        ("present", "7"),
        ("quorate", quorate),
    ];
    let made = b.post("/registers/meeting/new", &row).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
}

#[tokio::test]
async fn a_resolution_names_a_meeting_that_was_held_with_a_quorum() {
    let city = City::settled().await;
    city.give_login(HEAD).await;
    city.give_login(CISO).await;
    let member =
        "職員番号,職コード,本務/兼務,開始日,役割\r\n1003,2-h,兼務,R8.11.1,情報セキュリティ委員会\r\n";
    import_organization(&city, "委員.csv", member.as_bytes()).await;
    let (mut head, mut admin, mut ciso) =
        (city.browser(HEAD).await, city.browser(ADMIN).await, city.browser(CISO).await);
    for (number, held_on, quorate) in
        [("委員会-R8-1", "R8.11.20", ""), ("委員会-R8-2", "R8.11.24", "1"), ("委員会-R8-3", "R8.12.15", "1")]
    {
        meeting(&mut head, number, held_on, quorate).await;
    }
    let draft = [
        ("doc", "security_standard"),
        ("grounds", "audit"),
        ("why", "監査で持出しの記録の不備を指摘された"),
        ("summary", "5.1.1.5に返却の確認を加える"),
        ("affected", "5.1.1.5"),
        ("in_force_on", "R8.12.21"),
    ];
    let mut clerk = city.browser(CLERK).await;
    clerk.get("/").await;
    let mut theirs = vec![("do", "apply"), ("post", "21-s")];
    theirs.extend(draft);
    let refused = clerk.post("/apply/policy_revision", &theirs).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "the head officer drafts");
    let mut own = vec![("post", "info_policy_director")];
    own.extend(draft);
    let case = applied(&mut head, "policy_revision", &own).await;
    done(&mut admin, &case, "answer", &[("says", "支障はない")]).await;

    let mut member = city.browser(DIRECTOR).await;
    let shown = crate::browser::hidden(member.get(&case).await.form("resolve"), "shown");
    for wrong in [HEAD, CISO, ADMIN, MANAGER] {
        let b = city.browser(wrong).await;
        assert!(forge(&b, &case, "resolve", "deliberate", &shown).await.status.is_client_error(), "{wrong}");
    }
    for (number, says) in [
        ("委員会-R8-9", "委員会の会議にありません"),
        ("委員会-R8-1", "定足数を満たしたこと"),
        ("委員会-R8-3", "まだ開かれていない会議"),
    ] {
        let given = [("e.meeting", number), ("e.votes", "全員賛成")];
        let refused = press(&mut member, &case, "resolve", &given).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}");
        assert!(refused.text.contains(says) && refused.text.contains(number), "{number}: {}", refused.text);
    }
    done(&mut member, &case, "resolve", &[("e.meeting", "委員会-R8-2"), ("e.votes", "全員賛成")]).await;
    let page = ciso.get(&case).await;
    assert!(page.text.contains("審議した会議：委員会-R8-2"), "{}", page.text);
    let facts = "SELECT COUNT(*) FROM case_act WHERE body LIKE '%\"meeting.held_on\":\"2026-11-24\"%'";
    assert_eq!(city.count(facts).await, 1, "the day of the meeting is part of what was decided on");
    done(&mut ciso, &case, "permit", &[]).await;
    done(&mut head, &case, "perform", &[("e.announced_on", "R8.11.25"), ("e.announced_how", "全庁に通知")])
        .await;
    assert!(head.get(&case).await.text.contains("完了"));
    assert!(!row_id(&mut head, "meeting", "委員会-R8-2").await.is_empty());
}
