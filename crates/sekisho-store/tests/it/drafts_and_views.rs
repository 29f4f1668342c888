//! What people keep for themselves: files of the standard that they work on, views of a register's list, files of applications that they loaded.

use sekisho_store::StoreError;
use sekisho_store::case_import::{self, CaseImportRow};
use sekisho_store::pack_draft::{self, DraftFileRow};
use sekisho_store::register_view::{self, ViewRow};

use crate::engine::at;

fn draft(path: &str, body: &str, version: i64, when: i64) -> DraftFileRow {
    let (path, base, body) = (path.to_owned(), "h1".to_owned(), body.to_owned());
    DraftFileRow { path, base, body, version, updated_at: at(when) }
}

fn view(id: &str, person: &str, unit: &str, name: &str) -> ViewRow {
    let [id, person, unit, name] = [id, person, unit, name].map(str::to_owned);
    let (register, query) = ("asset".to_owned(), "q=髙&sort=name".to_owned());
    ViewRow { id, register, person, unit, name, query, created_at: at(7) }
}

fn loaded(id: &str, person: &str, procedure: &str, when: i64) -> CaseImportRow {
    let [id, person, procedure] = [id, person, procedure].map(str::to_owned);
    let (file, lines) = ("持出.xlsx".to_owned(), "[{\"row\":2}]".to_owned());
    CaseImportRow { id, procedure, person, at: at(when), file, submitted: when % 2 == 0, lines, undone: None }
}

on_both! {
    async fn a_file_of_applications_is_its_loaders_alone_and_undone_once(db: Db) {
        let all = [loaded("I1", "1001", "take_out", 1), loaded("I2", "1001", "take_out", 2), loaded("I3", "1001", "loan", 3), loaded("I4", "1002", "take_out", 4)];
        let put = all.clone();
        act!(db.store, c => {
            for i in &put {
                case_import::put(c, i).await?;
            }
            Ok(())
        }).unwrap();
        let [first, second, ..] = all;
        assert!(act!(db.store, c => case_import::put(c, &loaded("I1", "1003", "loan", 9)).await).is_err(), "one carrying out a file");
        assert_eq!(look!(db.store, c => case_import::list(c, "1001", "take_out", 9).await).unwrap(), [second.clone(), first.clone()]);
        assert_eq!(look!(db.store, c => case_import::list(c, "1001", "take_out", 1).await).unwrap(), std::slice::from_ref(&second));
        assert_eq!(look!(db.store, c => case_import::get(c, "1002", "I1").await).unwrap(), None);
        assert!(act!(db.store, c => case_import::undo(c, "I1", at(7), "[]").await).unwrap());
        assert!(!act!(db.store, c => case_import::undo(c, "I1", at(8), "[1]").await).unwrap(), "once");
        let undone = CaseImportRow { undone: Some((at(7), "[]".to_owned())), ..first };
        assert_eq!(look!(db.store, c => case_import::get(c, "1001", "I1").await).unwrap(), Some(undone));
        assert_eq!(look!(db.store, c => case_import::get(c, "1001", "I2").await).unwrap(), Some(second));
    }

    async fn a_file_is_its_editors_alone_and_not_saved_over_what_was_not_seen(db: Db) {
        act!(db.store, c => {
            pack_draft::put(c, "1001", &draft("roles.toml", "𠮷", 1, 10), 0).await?;
            pack_draft::put(c, "1001", &draft("forms/a.typ", "", 1, 20), 0).await?;
            pack_draft::put(c, "1002", &draft("roles.toml", "別の人", 1, 30), 0).await
        }).unwrap();
        let list = |person: &'static str| {
            let store = db.store.clone();
            async move { look!(store, c => pack_draft::list(c, person).await).unwrap() }
        };
        assert_eq!(list("1001").await, [draft("forms/a.typ", "", 1, 20), draft("roles.toml", "𠮷", 1, 10)]);
        assert_eq!(list("1003").await, []);
        // Begun in another window meanwhile, saved in another window, and a file that nobody has.
        for (person, path, seen) in [("1001", "roles.toml", 0), ("1001", "roles.toml", 2), ("1003", "roles.toml", 1), ("1001", "x.toml", 1)] {
            let refused = act!(db.store, c => pack_draft::put(c, person, &draft(path, "上書き", 9, 40), seen).await);
            assert!(matches!(refused, Err(StoreError::Conflict(_))), "{person} {path} {seen}: {refused:?}");
        }
        act!(db.store, c => pack_draft::put(c, "1001", &draft("roles.toml", "二", 9, 50), 1).await).unwrap();
        assert_eq!(list("1001").await[1], draft("roles.toml", "二", 2, 50), "versions are counted here");
        act!(db.store, c => pack_draft::forget(c, "1001", "roles.toml").await).unwrap();
        assert_eq!(list("1001").await, [draft("forms/a.typ", "", 1, 20)]);
        act!(db.store, c => pack_draft::put(c, "1001", &draft("roles.toml", "三", 1, 60), 0).await).unwrap();
        act!(db.store, c => pack_draft::forget(c, "1001", "").await).unwrap();
        assert_eq!(list("1001").await, []);
        assert_eq!(list("1002").await, [draft("roles.toml", "別の人", 1, 30)], "nobody else's");
    }

    async fn a_view_is_for_its_person_or_for_a_section(db: Db) {
        let all = [view("V1", "1001", "", "b 自分"), view("V2", "1001", "21", "c 課の"), view("V3", "1002", "", "a 別の人"), view("V4", "1002", "22", "d 別の課"), view("V5", "1001", "", "a 自分")];
        let rows = all.clone();
        act!(db.store, c => {
            for v in &rows {
                register_view::put(c, v).await?;
            }
            register_view::put(c, &ViewRow { register: "media".to_owned(), ..view("V6", "1001", "", "a 媒体") }).await
        }).unwrap();
        let list = |person: &'static str, unit: &'static str, limit: i64| {
            let store = db.store.clone();
            async move { look!(store, c => register_view::list(c, "asset", person, unit, limit).await).unwrap() }
        };
        let [own, section, others, other_section, first] = all;
        assert_eq!(list("1001", "21", 10).await, [first.clone(), own.clone(), section.clone()], "by name");
        assert_eq!(list("1001", "21", 2).await, [first.clone(), own.clone()]);
        assert_eq!(list("1001", "22", 10).await, [first.clone(), own.clone(), other_section], "who moves has the new section's");
        assert_eq!(list("1003", "21", 10).await, [section], "also who saved none");
        assert_eq!(list("1002", "", 10).await, [others], "without a section only one's own");
        act!(db.store, c => register_view::forget(c, "V5").await).unwrap();
        assert_eq!(list("1001", "", 10).await, [own]);
        let twice = act!(db.store, c => register_view::put(c, &view("V1", "1003", "", "同じ番号")).await);
        assert!(twice.is_err());
    }
}
