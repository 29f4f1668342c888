//! One defect at a time in the model pack: the loader names file, line and remedy, and says nothing else.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use sekisho_pack::model::Pack;
use sekisho_pack::{Message, Severity};

/// The model pack with one text of one file replaced; the line in which the new text starts.
pub(crate) fn broken(file: &str, old: &str, new: &str) -> (BTreeMap<String, String>, usize) {
    let mut files = Pack::model_city_files();
    let text = files.get_mut(file).unwrap_or_else(|| panic!("{file}"));
    let at = text.find(old).unwrap_or_else(|| panic!("{file} holds no {old:?}"));
    let line = text[..at].matches('\n').count() + 1;
    text.replace_range(at..at + old.len(), new);
    (files, line)
}

fn messages(files: &BTreeMap<String, String>) -> Vec<Message> {
    Pack::load_files(files).expect_err("the pack is broken")
}

/// Exactly one message, at `skip` lines below the start of the replacement.
#[track_caller]
pub(crate) fn one(file: &str, old: &str, new: &str, skip: usize, text: &str, remedy: &str) {
    let (files, line) = broken(file, old, new);
    let found = messages(&files);
    let [m] = found.as_slice() else { panic!("one message expected: {found:#?}") };
    assert_eq!((m.file.as_str(), m.line), (file, line + skip), "{m}");
    assert_eq!(m.severity, Severity::Error);
    assert!(m.text.contains(text), "{m}");
    assert!(m.remedy.contains(remedy), "{m}");
}

pub(crate) const TAKE_OUT: &str = "procedures/take_out.toml";

#[test]
fn unknown_key_with_what_was_meant() {
    one(
        TAKE_OUT,
        "required = true\n\n[[field]]\nid = \"purpose\"",
        "requierd = true\n\n[[field]]\nid = \"purpose\"",
        0,
        "「requierd」",
        "required",
    );
}

#[test]
fn wrong_type_of_a_value() {
    one("registers/asset.toml", "list = true", "list = \"yes\"", 0, "true か false", "list = true");
}

#[test]
fn syntax_error() {
    one(
        "checks/registers.toml",
        "kind = \"rows\"\nregister",
        "kind = \"rows\nregister",
        0,
        "引用符が閉じていない",
        "閉じてください",
    );
}

#[test]
fn dangling_role() {
    one(
        TAKE_OUT,
        "by = \"section_security_manager of",
        "by = \"section_security_manger of",
        0,
        "section_security_manger",
        "section_security_manager",
    );
}

#[test]
fn unreadable_by_with_column() {
    one(TAKE_OUT, "by = \"applicant\"", "by = \"applicant and ciso or mayor\"", 0, "20文字目", "例:");
}

#[test]
fn dangling_register() {
    one(TAKE_OUT, "\"device\"]", "\"device\", \"devise\"]", 0, "台帳「devise」", "device");
}

#[test]
fn dangling_column() {
    one("registers/media.toml", "owner = \"section\"", "owner = \"sektion\"", 0, "列「sektion」", "section");
}

#[test]
fn dangling_clause_of_a_procedure() {
    one(TAKE_OUT, "\"5.1.1.5\"", "\"5.1.1.55\"", 0, "条項「5.1.1.55」", "5.1.1.5");
}

#[test]
fn dangling_actor_of_a_clause() {
    one("clauses/5.toml", "actor = [\"staff\"]", "actor = [\"staf\"]", 0, "役割「staf」", "staff");
}

#[test]
fn bad_mechanism_grammar() {
    one("clauses/5.toml", "\"procedure:take_out\"", "\"prosedure:take_out\"", 0, "prosedure", "種類:名前");
}

#[test]
fn dangling_form() {
    one(TAKE_OUT, "form = \"take_out\"", "form = \"takeout\"", 0, "様式「takeout」", "take_out");
}

#[test]
fn dangling_axis() {
    one(
        "registers/device.toml",
        "axis = \"confidentiality\"",
        "axis = \"secrecy\"",
        0,
        "軸「secrecy」",
        "confidentiality",
    );
}

#[test]
fn dangling_date_field() {
    let file = "procedures/disposal.toml";
    one(file, "due = \"erase_by\"", "due = \"erase_on\"", 0, "日付の項目「erase_on」", "erase_by");
}

#[test]
fn duplicate_id() {
    one(
        "roles.toml",
        "id = \"citizen\"",
        "id = \"contractor\"",
        0,
        "役割「contractor」が二度",
        "どちらか一つ",
    );
}

#[test]
fn bad_identifier() {
    one(
        "registers/asset.toml",
        "id = \"note\"",
        "id = \"Note\"",
        0,
        "「Note」は識別子に使えません",
        "英小文字",
    );
}

#[test]
fn word_that_conditions_keep() {
    one(TAKE_OUT, "id = \"return_note\"", "id = \"return\"", 0, "「return」は条件の言葉", "別の id");
}

#[test]
fn path_without_decision() {
    let (found, line) = {
        let (files, line) = broken(
            TAKE_OUT,
            "kind = \"permit\"\n",
            "kind = \"permit\"\nwhen = 'carrying_method == \"locked_bag\"'\n",
        );
        (messages(&files), line)
    };
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert!(m.line <= line && m.key == "step", "{m}");
    assert!(m.text.contains("carrying_method が official_car"), "{m}");
    assert!(m.remedy.contains("when を外す"), "{m}");
}

#[test]
fn two_conditions_that_leave_no_path_are_fine() {
    let second = "[[step]]\nid = \"permit_other\"\ntitle = \"許可\"\nkind = \"permit\"\nby = \"ciso\"\nwhen = 'carrying_method != \"locked_bag\"'\n\n[[step]]\nid = \"return\"";
    let (mut files, _) = broken(
        TAKE_OUT,
        "kind = \"permit\"\n",
        "kind = \"permit\"\nwhen = 'carrying_method == \"locked_bag\"'\n",
    );
    let text = files.get_mut(TAKE_OUT).unwrap();
    *text = text.replacen("[[step]]\nid = \"return\"", second, 1);
    assert_eq!(Pack::load_files(&files).err(), None);
}

#[test]
fn unknown_choice_in_a_condition() {
    one(
        "checks/registers.toml",
        "status == \"in_use\"",
        "status == \"used\"",
        0,
        "「used」という選択肢",
        "in_use",
    );
}

#[test]
fn unknown_level_in_a_condition() {
    one(
        "classification.toml",
        "class.confidentiality >= 3\"\neffect",
        "class.confidentiality == '3D'\"\neffect",
        0,
        "「3D」",
        "3A",
    );
}

#[test]
fn unknown_name_in_a_condition() {
    one(
        "checks/registers.toml",
        "erase_by < today && erased_on == null\"\n\n[[check]]\nid = \"long",
        "erase_until < today\"\n\n[[check]]\nid = \"long",
        0,
        "「erase_until」",
        "erase_by",
    );
}

#[test]
fn type_error_in_a_condition() {
    one(TAKE_OUT, "limit = \"from >= today\"", "limit = \"from >= 3\"", 0, "日付と整数", "同じ型");
}

#[test]
fn condition_that_is_no_expression() {
    one(
        TAKE_OUT,
        "limit = \"from >= today\"",
        "limit = \"from >= (today\"",
        0,
        "( が閉じていません",
        ") を書いて",
    );
}

#[test]
fn date_arithmetic_that_no_query_can_do() {
    one(
        "checks/registers.toml",
        "support_until < today",
        "support_until + days(30) < today",
        0,
        "足し引きはできません",
        "today の側",
    );
}

#[test]
fn escalation_in_a_circle() {
    let (files, line) = broken(
        "roles.toml",
        "held_by = \"post mayor\"\n",
        "held_by = \"post mayor\"\nescalates_to = \"ciso\"\n",
    );
    let found = messages(&files);
    assert_eq!(found.len(), 2, "each of the two in the circle: {found:#?}");
    assert!(
        found.iter().any(|m| m.line == line + 1 && m.text.contains("一回り") && m.remedy.contains("上へ")),
        "{found:#?}"
    );
}

#[test]
fn number_pattern_without_sequence() {
    one(
        TAKE_OUT,
        "number = \"持出-{年度}-{seq:04}\"",
        "number = \"持出-{年度}-{no}\"",
        0,
        "{no}",
        "{seq:04}",
    );
    one(TAKE_OUT, "number = \"持出-{年度}-{seq:04}\"", "number = \"持出-{年度}\"", 0, "番号の形", "{seq:04}");
}

#[test]
fn unreadable_period() {
    one(
        TAKE_OUT,
        "within = \"3 business days\"",
        "within = \"三日\"",
        0,
        "期間として読めません",
        "3 business days",
    );
}

#[test]
fn derived_check_whose_name_is_taken() {
    one(
        "checks/registers.toml",
        "id = \"media_past_expiry\"",
        "id = \"media_sighting_stale\"",
        0,
        "registers/media.toml から自動",
        "別の id",
    );
}

#[test]
fn sql_that_is_not_one_select() {
    let sql = "id = \"media_past_expiry\"\ntitle = \"x\"\nremedy = \"x\"\nkind = \"sql\"\nselect = \"DELETE FROM v_media\"\n\n[[check]]\nid = \"media_past_expiry2\"";
    one(
        "checks/registers.toml",
        "id = \"media_past_expiry\"",
        sql,
        4,
        "SELECT 文が一つだけではありません",
        "SELECT",
    );
}

#[test]
fn sql_over_a_table_that_is_no_view() {
    let sql = "id = \"accounts\"\ntitle = \"x\"\nremedy = \"x\"\nkind = \"sql\"\nselect = \"SELECT login AS row_key, '' AS owner_unit, password AS says FROM account\"\n\n[[check]]\nid = \"media_past_expiry\"";
    one(
        "checks/registers.toml",
        "id = \"media_past_expiry\"",
        sql,
        4,
        "「account」は点検から読めません",
        "v_media",
    );
}

#[test]
fn file_in_the_wrong_place() {
    let mut files = Pack::model_city_files();
    files.insert("procedure/loan.toml".to_owned(), String::new());
    let found = messages(&files);
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((m.file.as_str(), m.line), ("procedure/loan.toml", 1));
    assert!(m.remedy.contains("procedures/*.toml"), "{m}");
}

#[test]
fn missing_file() {
    let mut files = Pack::model_city_files();
    files.remove("calendar.toml");
    let found = messages(&files);
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert!(m.file == "calendar.toml" && m.text.contains("ありません"), "{m}");
}

#[test]
fn id_and_file_name_differ() {
    one(
        "registers/device.toml",
        "id = \"device\"",
        "id = \"devices\"",
        0,
        "ファイル名「device.toml」",
        "同じ",
    );
}

#[test]
fn unknown_format_version() {
    one("pack.toml", "format = 1", "format = 2", 0, "パックの形式 2", "形式 1");
}

#[test]
fn several_actors_without_mode() {
    // Nothing stands where the key should: the line is that of the clause.
    let (files, line) = broken("clauses/2.toml", "actor_mode = \"all\"\n", "");
    let found = messages(&files);
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert!(m.line < line && line - m.line < 6, "{m}");
    assert!(m.text.contains("actor_mode がありません") && m.remedy.contains("「及び」"), "{m}");
}

#[test]
fn test_with_an_unknown_fact() {
    one("tests/handling.toml", "zone = \"lgwan\"", "zoen = \"lgwan\"", 0, "「zoen」", "zone");
}

#[test]
fn absence_of_a_kind_that_is_none() {
    one("roles.toml", "kind != \"telework\"", "kind != \"telewark\"", 0, "telewark", "telework");
}

#[test]
fn kind_of_absence_named_twice() {
    one("roles.toml", "id = \"sick\"", "id = \"trip\"", 0, "不在の種類「trip」が二度", "どちらか一つ");
}

#[test]
fn all_defects_are_reported_in_one_run() {
    let (mut files, _) = broken(TAKE_OUT, "form = \"take_out\"", "form = \"takeout\"");
    for (file, old, new) in [
        ("roles.toml", "held_by = \"everyone\"", "held_by = \"all\""),
        ("pack.toml", "\ntitle =", "\ntitel ="),
        ("calendar.toml", "\"2025-01-01\"", "\"2025-01-32\""),
    ] {
        let text = files.get_mut(file).unwrap();
        *text = text.replacen(old, new, 1);
    }
    let mut seen: Vec<String> = messages(&files).iter().map(|m| m.file.clone()).collect();
    seen.dedup();
    assert_eq!(seen, ["calendar.toml", "pack.toml", TAKE_OUT, "roles.toml"]);
}

#[test]
fn warnings_do_not_refuse() {
    let mut files = Pack::model_city_files();
    let text = files.get_mut("classification.toml").unwrap();
    *text = text.replace("\"publish\"", "\"store\"");
    files.remove("tests/handling.toml");
    let (pack, found) = Pack::examine(&files);
    assert!(pack.is_some(), "{found:#?}");
    assert!(
        matches!(found.as_slice(), [m] if m.severity == Severity::Warning && m.text.contains("publish")),
        "{found:#?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Whatever happens to a file, the loader answers: bytes cut out, doubled, or replaced by what TOML gives a meaning.
    #[test]
    fn no_damage_makes_it_panic(file in 0usize..10, at in any::<prop::sample::Index>(), cut in 0usize..40, put in "[\\[\\]{}\"'=.,#a-z0-9_\n 持]{0,12}") {
        let mut files = Pack::model_city_files();
        // The clauses are long and all alike; one file of them is enough.
        files.retain(|f, _| !f.starts_with("clauses/") || f == "clauses/5.toml");
        let name = files.keys().nth(file % files.len()).unwrap().clone();
        let text = files.get_mut(&name).unwrap();
        let mut chars: Vec<char> = text.chars().collect();
        let start = at.index(chars.len());
        let end = (start + cut).min(chars.len());
        chars.splice(start..end, put.chars());
        *text = chars.into_iter().collect();
        let (pack, messages) = Pack::examine(&files);
        prop_assert!(pack.is_some() || messages.iter().any(|m| m.severity == Severity::Error));
        prop_assert!(messages.iter().all(|m| m.line >= 1 && !m.text.is_empty() && !m.remedy.is_empty()));
    }
}
