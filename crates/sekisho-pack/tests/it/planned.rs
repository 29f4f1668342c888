//! Titles of what nobody has built yet: each has one, and each title something that it names.

use sekisho_pack::Severity;
use sekisho_pack::coverage::{GATES, is_built};
use sekisho_pack::model::Pack;

use crate::broken::{broken, one};

const FILE: &str = "planned.toml";

#[test]
fn every_mechanism_of_the_model_pack_is_called_in_japanese() {
    let pack = Pack::model_city().unwrap();
    let built = sekisho_pack::coverage::Built { gates: &GATES };
    let mut planned = 0;
    for m in pack.clauses.iter().flat_map(|c| &c.mechanisms) {
        let title = pack.title_of(m).unwrap_or_else(|| panic!("{m} has no title"));
        assert!(title.chars().any(|c| c > '\u{3000}') && !title.contains('_'), "{m}: {title}");
        planned += usize::from(!is_built(&pack, &built, m));
    }
    assert!(planned >= pack.planned.len() && pack.planned.len() > 100);
    assert!(!pack.planned.is_empty() && pack.planned.keys().all(|m| !is_built(&pack, &built, m)));
}

/// A remark and no error: what a city takes out of its pack stays bound to clauses, and is planned again.
#[test]
fn planned_without_a_title() {
    for (old, new, text, remedy) in [
        (
            "\"procedure:consultation\"",
            "\"procedure:consultation\", \"document:summer_plan\"",
            "「document:summer_plan」はまだ作られておらず（未整備）、題名もありません",
            "planned.toml の [document] に summer_plan = \"題名\" を加えてください",
        ),
        (
            "\"procedure:take_out\"",
            "\"procedure:take_ou\"",
            "「procedure:take_ou」",
            "「procedure:take_out」の書き間違いではありませんか。これから作るものなら、planned.toml",
        ),
    ] {
        let (files, line) = broken("clauses/5.toml", old, new);
        let (pack, found) = Pack::examine(&files);
        assert!(pack.is_some(), "{found:#?}");
        let [m] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!((m.file.as_str(), m.line, m.severity), ("clauses/5.toml", line, Severity::Warning), "{m}");
        assert!(m.text.contains(text) && m.remedy.contains(remedy), "{m}");
    }
}

#[test]
fn title_of_what_exists_or_is_bound_nowhere() {
    let with = |line: &str| format!("[procedure]\n{line}\n");
    one(
        FILE,
        "[procedure]\n",
        &with("take_out = \"持出\""),
        1,
        "もう作られています",
        "この行を消してください",
    );
    one(FILE, "[procedure]\n", &with("summer = \"夏\""), 1, "条項がありません", "この行を消すか");
    one(
        FILE,
        "[procedure]\n",
        &with("wireless_lam = \"無線\""),
        1,
        "条項がありません",
        "「wireless_lan」の書き間違い",
    );
    one(FILE, "[procedure]\n", &with("\"Take Out\" = \"持出\""), 1, "仕組みの名前に使えません", "mechanisms");
    one(
        FILE,
        "[procedure]\n",
        &with(&format!("summer = \"{}\"", "長".repeat(61))),
        1,
        "長すぎます（61文字）",
        "60文字",
    );
    one(FILE, "[procedure]\n", "[procedures]\n", 0, "「procedures」", "procedure");
}

#[test]
fn a_gate_that_a_newer_program_brings_is_no_fault() {
    let (files, line) = broken(FILE, "[gate]\n", "[gate]\nledger = \"証跡\"\n");
    let (pack, found) = Pack::examine(&files);
    assert!(pack.is_some(), "{found:#?}");
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((m.file.as_str(), m.line, m.severity), (FILE, line + 1, Severity::Warning), "{m}");
}

/// A pack that took effect before there was the file goes on loading.
#[test]
fn a_pack_from_before_loads_with_one_remark() {
    let mut files = Pack::model_city_files();
    files.remove(FILE);
    let (pack, found) = Pack::examine(&files);
    let [m] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((m.file.as_str(), m.severity), (FILE, Severity::Warning), "{m}");
    assert!(pack.is_some_and(|p| p.planned.is_empty()) && m.remedy.contains("planned.toml を作り"), "{m}");
}

/// What a broken file defines is not called planned because of its other fault.
#[test]
fn a_broken_file_causes_no_second_fault() {
    one("notices/notices.toml", "[[notice]]", "[[notice]", 0, "[[ が閉じて", "]]");
}
