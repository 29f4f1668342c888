//! The difference of two packs, change by change, in the words a committee reads.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;

use sekisho_pack::diff::{Area, Change, Difference, diff};
use sekisho_pack::model::Pack;

const TAKE_OUT: &str = "procedures/take_out.toml";

#[track_caller]
fn changed(edits: &[(&str, &str, &str)]) -> Difference {
    let mut files: BTreeMap<String, String> = Pack::model_city_files();
    for (file, old, new) in edits {
        let text = files.get_mut(*file).unwrap();
        assert!(text.contains(old), "{file} holds no {old:?}");
        *text = text.replacen(old, new, 1);
    }
    let new = Pack::load_files(&files).unwrap_or_else(|m| panic!("{m:#?}"));
    diff(&Pack::model_city().unwrap(), &new)
}

#[track_caller]
fn find<'d>(d: &'d Difference, area: Area, what: &str) -> Vec<&'d Change> {
    let found: Vec<&Change> = d.of(area).filter(|c| c.what.contains(what)).collect();
    assert!(!found.is_empty(), "no {what} in {d:#?}");
    found
}

#[test]
fn nothing_changes_into_itself() {
    let pack = Pack::model_city().unwrap();
    let d = diff(&pack, &pack);
    assert_eq!(d.changes, []);
    assert_eq!(d.text(), "違いはありません。\n");
}

#[test]
fn a_route_that_moves_up_says_who_loses_and_who_gains() {
    let d = changed(&[(
        TAKE_OUT,
        "by = \"section_security_manager of applicant.section\"",
        "by = \"department_security_officer of applicant.department\"",
    )]);
    let by = find(&d, Area::Procedure, "行う人");
    assert_eq!(
        by.iter().map(|c| c.to_string()).collect::<Vec<_>>(),
        [
            "「情報資産等の持出」の「返却の確認」 行う人: 申請者の課室の情報セキュリティ管理者 → 申請者の部局の情報セキュリティ責任者"
        ]
    );
    let lost = find(&d, Area::Power, "失う権限");
    assert!(
        lost.iter().any(|c| c.place == "情報セキュリティ管理者"
            && c.old.as_deref().is_some_and(|o| o.contains("「返却の確認」で確認する"))),
        "{lost:#?}"
    );
    let gained = find(&d, Area::Power, "得る権限");
    assert!(
        gained.iter().any(|c| c.place == "情報セキュリティ責任者"
            && c.new.as_deref().is_some_and(|n| n.contains("「返却の確認」で確認する"))),
        "{gained:#?}"
    );
    assert!(d.text().starts_with("■ 権限（だれが得て、だれが失うか）\n"));
}

#[test]
fn a_deadline_and_what_absence_means() {
    let d = changed(&[
        (TAKE_OUT, "within = \"3 business days\"", "within = \"5 business days\""),
        (TAKE_OUT, "on_absent = \"daiketsu\"", "on_absent = \"wait\""),
    ]);
    let limit = find(&d, Area::Procedure, "期限");
    assert_eq!(limit[0].to_string(), "「情報資産等の持出」の「許可」 期限: 3開庁日以内 → 5開庁日以内");
    let absent = find(&d, Area::Procedure, "不在のとき");
    assert_eq!(absent[0].new.as_deref(), Some("不在のときは戻るのを待つ。"));
    let lost = find(&d, Area::Power, "失う権限");
    assert!(
        lost.iter()
            .any(|c| c.place == "職「課長補佐」" && c.old.as_deref().is_some_and(|o| o.contains("代決")))
    );
}

#[test]
fn deputies_escalation_and_posts_of_a_role() {
    let d = changed(&[
        ("roles.toml", "deputies = [\"課長補佐\", \"係長\"]", "deputies = [\"係長\"]"),
        ("roles.toml", "held_by = \"post deputy_mayor\"", "held_by = \"post mayor\""),
    ]);
    let deputies = find(&d, Area::Role, "代決する職");
    assert_eq!(
        (deputies[0].old.as_deref(), deputies[0].new.as_deref()),
        (Some("課長補佐、次に 係長"), Some("係長"))
    );
    assert_eq!(find(&d, Area::Role, "担う人")[0].new.as_deref(), Some("職「mayor」にある人"));
    assert!(find(&d, Area::Power, "失う権限").iter().any(|c| c.place == "職「課長補佐」"));
}

#[test]
fn fields_limits_and_evidence() {
    let d = changed(&[
        (TAKE_OUT, "label = \"持出先\"", "label = \"行き先\""),
        (TAKE_OUT, "limit = \"from >= today\"", "limit = \"from >= today + days(1)\""),
        (
            TAKE_OUT,
            "[[step.evidence]]\nid = \"return_note\"",
            "[[step.evidence]]\nid = \"return_place\"\nlabel = \"返した場所\"\ntype = \"text\"\nrequired = true\n\n[[step.evidence]]\nid = \"return_note\"",
        ),
    ]);
    assert_eq!(find(&d, Area::Procedure, "名前")[0].new.as_deref(), Some("行き先"));
    assert_eq!(
        find(&d, Area::Procedure, "受け付ける値")[0].new.as_deref(),
        Some("「持出日」が今日の1日後以後であること")
    );
    assert_eq!(
        find(&d, Area::Procedure, "記録の項目「返した場所」")[0].new.as_deref(),
        Some("文字（1行）、必須")
    );
}

#[test]
fn registers_checks_clauses_and_handling() {
    let check = "[[check]]\nid = \"media_past_expiry\"";
    let d = changed(&[
        ("registers/media.toml", "list = true", "list = false"),
        ("registers/asset.toml", "id = \"note\"", "id = \"remark\""),
        ("checks/registers.toml", "expires_on < today", "expires_on < today - days(7)"),
        (
            "checks/registers.toml",
            check,
            &format!(
                "[[check]]\nid = \"media_new\"\ntitle = \"新しい検査\"\nremedy = \"直す\"\nkind = \"rows\"\nregister = \"media\"\nwhen = \"erase_by < today\"\n\n{check}"
            ),
        ),
        ("clauses/5.toml", "\"procedure:take_out\", ", ""),
        ("classification.toml", "effect = \"prohibited\"", "effect = \"safeguard\""),
    ]);
    assert_eq!(find(&d, Area::Register, "一覧に出すか")[0].new.as_deref(), Some("いいえ"));
    let columns = find(&d, Area::Register, "列");
    assert!(
        columns.iter().any(|c| c.new.is_none() && c.old.as_deref().is_some_and(|o| o.contains("値は残り")))
    );
    assert!(columns.iter().any(|c| c.old.is_none()));
    assert!(find(&d, Area::Check, "見つけるもの")[0].new.as_deref().is_some_and(|n| n.contains("7日前")));
    assert!(find(&d, Area::Check, "点検").iter().any(|c| c.place == "「新しい検査」" && c.old.is_none()));
    assert!(find(&d, Area::Clause, "支える仕組み").iter().any(|c| c.new.is_none()));
    let rule = find(&d, Area::Classification, "取扱いの決まり");
    assert!(rule[0].old.as_deref().is_some_and(|o| o.contains("してはならない")), "{rule:#?}");
}

#[test]
fn a_procedure_that_disappears_takes_its_powers_with_it() {
    let mut files = Pack::model_city_files();
    // What a check of it opens goes with it.
    files.retain(|f, _| !f.contains("take_out") && !f.contains("corrective_action"));
    let new = Pack::load_files(&files).unwrap_or_else(|m| panic!("{m:#?}"));
    let d = diff(&Pack::model_city().unwrap(), &new);
    assert!(
        find(&d, Area::Procedure, "手続")
            .iter()
            .any(|c| c.place == "「情報資産等の持出」" && c.new.is_none())
    );
    assert!(find(&d, Area::Power, "失う権限").iter().any(|c| c.place == "情報システム管理者"));
    assert!(find(&d, Area::Check, "点検").iter().any(|c| c.new.is_none()));
}

#[test]
fn calendar_and_forms() {
    let d = changed(&[
        ("calendar.toml", "[own]\n", "[own]\n\"2027-05-06\" = \"開庁記念日\"\n"),
        ("forms/take_out.typ", "#", "// 一行\n#"),
    ]);
    assert!(find(&d, Area::Other, "日")[0].new.as_deref().is_some_and(|n| n.contains("2027年")));
    assert!(find(&d, Area::Other, "中身が変わる")[0].place.contains("forms/take_out.typ"));
}
