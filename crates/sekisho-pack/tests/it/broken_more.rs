//! More broken packs, one defect each: what a pack proves never to work, and slips that read well.

use sekisho_pack::model::Pack;
use sekisho_pack::{Message, Severity};

use crate::broken::{TAKE_OUT, broken, one};

const ENCRYPTION: &str = "limit = '!(encryption == \"not_needed\" && class.confidentiality >= 2)'";

#[test]
fn role_that_may_not_be_held_together_with_itself() {
    one(
        "roles.toml",
        "not_with = [\"information_system_manager\", \"system_operator\"]",
        "not_with = [\"information_system_manager\", \"auditor\"]",
        0,
        "自分自身と一緒に担えない",
        "ほかの役割",
    );
}

#[test]
fn role_that_escalates_to_itself() {
    one(
        "roles.toml",
        "held_by = \"post mayor\"\n",
        "held_by = \"post mayor\"\nescalates_to = \"mayor\"\n",
        1,
        "一回り",
        "上へ上へ",
    );
}

#[test]
fn way_of_holding_a_role_that_is_none() {
    one(
        "roles.toml",
        "held_by = \"everyone\"",
        "held_by = \"all staff\"",
        0,
        "持ち方として読めません",
        "everyone",
    );
}

#[test]
fn step_that_is_never_reached() {
    one(
        TAKE_OUT,
        "kind = \"confirm\"\n",
        "kind = \"confirm\"\nwhen = 'carrying_method == \"locked_bag\" && carrying_method == \"two_people\"'\n",
        1,
        "決して行われません",
        "条件を直す",
    );
}

#[test]
fn step_that_the_form_itself_rules_out() {
    one(
        TAKE_OUT,
        "kind = \"confirm\"\n",
        "kind = \"confirm\"\nwhen = 'encryption == \"not_needed\" && class.confidentiality >= 2'\n",
        1,
        "「返却の確認」の when は成り立つことがない",
        "要らない段なら消して",
    );
}

#[test]
fn form_that_never_can_be_filled() {
    let new =
        "limit = 'encryption == \"sealed\" && carrying_method == \"two_people\" && encryption != \"sealed\"'";
    let (files, _) = broken(TAKE_OUT, ENCRYPTION, new);
    // Left empty the field would still be accepted where nothing demands it.
    assert!(Pack::load_files(&files).is_ok());
    one(
        TAKE_OUT,
        &format!("required_when = \"class.confidentiality >= 2\"\n{ENCRYPTION}"),
        &format!("required = true\n{new}"),
        1,
        "どう記入しても受け付けられません",
        "「encryption」",
    );
}

#[test]
fn evidence_that_never_can_be_given() {
    one(
        TAKE_OUT,
        "limit = \"erasure_checked\"",
        "limit = \"erasure_checked && !erasure_checked\"",
        0,
        "この記録は、どう記入しても",
        "両立",
    );
}

#[test]
fn judging_step_of_the_applicant() {
    one(
        TAKE_OUT,
        "by = \"section_security_manager of applicant.section\"",
        "by = \"applicant and section_security_manager of applicant.section\"",
        0,
        "申請者が自分で行う",
        "申請者のほかの役割",
    );
}

#[test]
fn binding_that_is_a_slip_of_the_hand() {
    let (files, line) = broken("clauses/5.toml", "\"procedure:take_out\"", "\"procedure:take_ou\"");
    let (pack, found) = Pack::examine(&files);
    assert!(pack.is_some(), "what is planned is no error: {found:#?}");
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((m.file.as_str(), m.line, m.severity), ("clauses/5.toml", line, Severity::Warning), "{m}");
    assert!(m.text.contains("procedure:take_ou") && m.remedy.contains("procedure:take_out"), "{m}");
}

#[test]
fn mechanism_name_that_cannot_be_one() {
    one(
        "clauses/5.toml",
        "\"procedure:take_out\"",
        "\"procedure:Take Out\"",
        0,
        "仕組みの名前に使えません",
        "種類:名前",
    );
}

#[test]
fn holder_without_a_place() {
    one(
        TAKE_OUT,
        "by = \"section_security_manager of applicant.section\"",
        "by = \"section_security_manager\"",
        0,
        "どの所属の職か",
        "of = ",
    );
}

#[test]
fn decision_that_is_passed_over() {
    one(
        TAKE_OUT,
        "within = \"3 business days\"\non_absent = \"daiketsu\"",
        "within = \"3 business days\"\non_absent = \"post_review\"",
        1,
        "後閲で飛ばせません",
        "代決",
    );
}

#[test]
fn limit_without_a_word_to_say() {
    let says = "limit_says = \"持出日には、今日かそれより後の日を入れてください。持ち出した後の申請はできません。\"\n";
    let (files, line) = broken(TAKE_OUT, says, "");
    let found = Pack::load_files(&files).expect_err("the pack is broken");
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((m.line, m.key.as_str()), (line - 1, "field[4].limit"), "{m}");
    assert!(m.text.contains("説明がありません") && m.remedy.contains("limit_says"), "{m}");
}

#[test]
fn evidence_with_the_id_of_a_field() {
    let (files, line) = broken(TAKE_OUT, "id = \"return_note\"", "id = \"purpose\"");
    let found = Pack::load_files(&files).expect_err("the pack is broken");
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert!(m.line < line && m.text.contains("「purpose」は申請の項目と同じ id"), "{m}");
}

#[test]
fn interval_on_a_column_without_dates() {
    one(
        "registers/media.toml",
        "id = \"name\"\nlabel = \"名称\"\ntype = \"text\"\n",
        "id = \"name\"\nlabel = \"名称\"\ntype = \"text\"\nstale_after = \"12 months\"\n",
        3,
        "日付の列にだけ",
        "date",
    );
}

#[test]
fn permit_from_a_field_that_is_no_date() {
    one(TAKE_OUT, "from = \"from\"", "from = \"purpose\"", 0, "日付の項目「purpose」", "return_by");
}

#[test]
fn area_out_of_range() {
    one("clauses/5.toml", "area = 4", "area = 9", 0, "area 9 はありません", "1 から 8");
}

#[test]
fn what_may_not_be_seen_by_all_is_no_key() {
    let (files, _) =
        broken("registers/asset.toml", "label = \"管理番号\"\n", "label = \"管理番号\"\npersonal = true\n");
    let found: Vec<Message> = Pack::load_files(&files).expect_err("the pack is broken");
    assert!(found.iter().all(|m| m.file == "registers/asset.toml"), "{found:#?}");
    assert!(found.iter().any(|m| m.text.contains("個人情報なので、key になれません")), "{found:#?}");
}

#[test]
fn a_step_with_evidence_is_not_decided_together() {
    one(
        TAKE_OUT,
        "title = \"返却\"\nkind = \"perform\"",
        "title = \"返却\"\nbulk = true\nkind = \"perform\"",
        1,
        "まとめて処理できません",
        "bulk を消すか",
    );
}

#[test]
fn a_pack_without_sees_keeps_its_overseers() {
    let mut files = Pack::model_city_files();
    let roles = files.get_mut("roles.toml").expect("roles");
    *roles = roles.replace("sees = \"all\"\n", "").replace("sees_personal = true\n", "");
    let old = Pack::load_files(&files).expect("it loads");
    let new = Pack::model_city().expect("the model pack");
    let seen = |p: &Pack| -> Vec<(String, bool, bool)> {
        p.roles.values().map(|r| (r.id.clone(), r.sees_all, r.sees_personal)).collect()
    };
    assert_eq!(seen(&old), seen(&new));
}

#[test]
fn column_for_the_days_of_a_stocktaking() {
    let media = "registers/media.toml";
    let named = "confirmed_on = \"sighted_on\"";
    one(media, named, "confirmed_on = \"sigted_on\"", 0, "「sigted_on」", "sighted_on");
    one(
        media,
        named,
        "confirmed_on = \"place\"",
        0,
        "「place」は現物を確かめた日を入れられません",
        "\"date\"",
    );
}
