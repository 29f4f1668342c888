//! Duties, documents and notices of the model pack: whole and bound to clauses; and one defect at a time, named with file, line and remedy.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use sekisho_pack::Severity;
use sekisho_pack::duty::Occasion;
use sekisho_pack::model::{MechanismKind, Pack};

const OFFICE: &str = "duties/office.toml";
const SECTION: &str = "duties/section.toml";
const DOCUMENTS: &str = "documents/documents.toml";
const NOTICES: &str = "notices/notices.toml";

/// Exactly one message, `skip` lines below the first place where `old` stands; what is missing is said at the head of its table, above it.
#[track_caller]
fn one(file: &str, old: &str, new: &str, skip: isize, text: &str, remedy: &str) {
    let mut files = Pack::model_city_files();
    let content = files.get_mut(file).unwrap_or_else(|| panic!("{file}"));
    let at = content.find(old).unwrap_or_else(|| panic!("{file} holds no {old:?}"));
    let line = (content[..at].matches('\n').count() + 1).saturating_add_signed(skip);
    content.replace_range(at..at + old.len(), new);
    let found = Pack::load_files(&files).expect_err("the pack is broken");
    let errors: Vec<_> = found.iter().filter(|m| m.severity == Severity::Error).collect();
    let [m] = errors.as_slice() else { panic!("one message expected: {errors:#?}") };
    assert_eq!((m.file.as_str(), m.line), (file, line), "{m}");
    assert!(m.text.contains(text), "{m}");
    assert!(m.remedy.contains(remedy), "{m}");
}

#[test]
fn every_duty_document_and_notice_supports_a_clause() {
    let (pack, messages) = Pack::examine(&Pack::model_city_files());
    let pack = pack.unwrap_or_else(|| panic!("{messages:#?}"));
    let named = |kind, id: &str| {
        pack.clauses.iter().any(|c| c.mechanisms.iter().any(|m| m.kind == kind && m.name == id))
    };
    assert!(pack.duties.len() >= 12 && pack.documents.len() >= 8 && pack.notices.len() >= 8);
    for d in pack.duties.values() {
        assert!(named(MechanismKind::Duty, &d.id), "{}", d.id);
        assert!(!d.evidence.is_empty() && d.evidence.iter().any(|f| f.required), "{}", d.id);
    }
    assert!(pack.duties.values().any(|d| matches!(d.occasion, Occasion::On(_))));
    for id in pack.documents.keys() {
        assert!(named(MechanismKind::Document, id), "{id}");
    }
    for id in pack.notices.keys() {
        assert!(named(MechanismKind::Notice, id), "{id}");
    }
}

#[test]
fn a_cycle_that_cannot_be_read() {
    one(OFFICE, "every = \"1 week\"", "every = \"5 months\"", 0, "「5 months」", "12か月の倍数");
}

#[test]
fn neither_a_cycle_nor_an_event() {
    one(OFFICE, "every = \"1 week\"\n", "", -5, "いつ行うかがありません", "every = ");
}

#[test]
fn a_cycle_and_an_event() {
    one(
        OFFICE,
        "every = \"1 week\"",
        "every = \"1 week\"\non = \"joined\"\nwithin = \"3 days\"",
        1,
        "両方あります",
        "だけ",
    );
}

#[test]
fn an_event_nobody_knows() {
    one(SECTION, "on = \"joined\"", "on = \"joind\"", 0, "「joind」", "「joined」");
}

#[test]
fn an_event_without_a_deadline() {
    one(
        SECTION,
        "on = \"joined\"\nwithin = \"10 business days\"",
        "on = \"joined\"",
        -5,
        "いつまでに",
        "within = ",
    );
}

#[test]
fn a_role_that_is_not_there() {
    one(
        OFFICE,
        "role = \"information_system_manager\"",
        "role = \"information_sytem_manager\"",
        0,
        "「information_sytem_manager」",
        "「information_system_manager」",
    );
}

#[test]
fn a_scope_that_is_none() {
    one(
        OFFICE,
        "every = \"1 week\"",
        "every = \"1 week\"\nscope = \"sections\"",
        1,
        "「sections」",
        "「section」",
    );
}

#[test]
fn a_reminder_that_is_no_length_of_time() {
    one(OFFICE, "remind = [\"1 business days\"]", "remind = [\"前日\"]", 0, "「前日」", "20 business days");
}

#[test]
fn a_duty_twice() {
    one(
        OFFICE,
        "id = \"mail_security_review\"",
        "id = \"log_analysis\"",
        0,
        "「log_analysis」が二度",
        "どちらか一つ",
    );
}

#[test]
fn a_clause_that_does_not_name_it() {
    one(
        OFFICE,
        "every = \"1 week\"",
        "every = \"1 week\"\nclauses = [\"5.1.1.1\"]",
        1,
        "結び付いていません",
        "duty:log_analysis",
    );
}

#[test]
fn a_misspelt_key() {
    one(OFFICE, "remind = [\"1 business days\"]", "remnd = [\"1 business days\"]", 0, "「remnd」", "remind");
}

#[test]
fn a_document_without_review() {
    let old = "review = \"24 months\"\n";
    let mut files = Pack::model_city_files();
    let text = files.get_mut(DOCUMENTS).expect(DOCUMENTS);
    *text = text.replacen(old, "", 1);
    let found = Pack::load_files(&files).expect_err("the pack is broken");
    assert!(
        found
            .iter()
            .any(|m| m.file == DOCUMENTS && m.key.ends_with("review") && m.remedy.contains("review = ")),
        "{found:#?}"
    );
}

#[test]
fn a_reader_that_is_no_role() {
    one(DOCUMENTS, "readers = [\"public\"]", "readers = [\"publics\"]", 0, "役割「publics」", "今ある役割");
}

#[test]
fn a_day_on_which_nothing_can_be_asked() {
    one(NOTICES, "asked = \"10-01\"", "asked = \"02-29\"", 0, "「02-29」", "10-01");
}

#[test]
fn a_share_beyond_the_whole() {
    one(NOTICES, "within = \"30 days\"", "within = \"30 days\"\ngood_from = 120", 1, "120", "1 から 100");
}

#[test]
fn a_file_in_the_wrong_place() {
    let mut files = Pack::model_city_files();
    files.insert("duty/office.toml".to_owned(), String::new());
    let found = Pack::load_files(&files).expect_err("the pack is broken");
    assert!(
        found.iter().any(|m| m.file == "duty/office.toml" && m.remedy.contains("duties/*.toml")),
        "{found:#?}"
    );
}
