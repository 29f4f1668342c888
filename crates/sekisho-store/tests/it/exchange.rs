//! Imports that can be undone, rows that go away, calendars, receivers of events, counts for reports.

use sekisho_base::table::Value;
use sekisho_store::feed::{self, FeedRow};
use sekisho_store::import::{self, ImportRow, Undone};
use sekisho_store::register::{self, ChangeRow, Filter};
use sekisho_store::webhook::{self, WebhookRow};
use sekisho_store::{StoreError, case, report, violation};

use crate::case::case_row;
use crate::engine::{at, day, everyone, fill, row, spec};
use crate::violation::broken;

fn imported(id: &str, register: &str, when: i64) -> ImportRow {
    ImportRow {
        id: id.into(),
        register: register.into(),
        person: "00001".into(),
        at: at(when),
        file: "台帳.xlsx".into(),
        added: 2,
        changed: 1,
        entry: format!("E-{id}"),
        undone: None,
    }
}

on_both! {
    async fn an_import_is_undone_once(db: Db) {
        act!(db.store, c => {
            for i in [imported("I1", "asset", 10), imported("I2", "asset", 20), imported("I3", "media", 30)] {
                import::put(c, &i).await?;
            }
            Ok(())
        }).unwrap();
        let undone = Undone { at: at(40), by: "00002".into(), kept: 3, entry: "E-U".into() };
        let (first, second) = act!(db.store, c => Ok((import::undo(c, "I1", &undone).await?, import::undo(c, "I1", &undone).await?))).unwrap();
        assert_eq!((first, second), (true, false));
        let undone = Undone { at: at(40), by: "00002".into(), kept: 3, entry: "E-U".into() };
        let (list, other) = look!(db.store, c => Ok((import::list(c, "asset", 10).await?, import::get(c, "media", "I1").await?))).unwrap();
        assert_eq!(list, [imported("I2", "asset", 20), ImportRow { undone: Some(undone), ..imported("I1", "asset", 10) }]);
        assert_eq!(other, None, "not through another register");
    }

    async fn a_row_goes_away_at_its_version_and_is_found_no_more(db: Db) {
        let spec = spec("asset");
        let mut first = row("A-1", "消える台帳", "S");
        first.values.insert("tags".into(), Value::List(vec!["x".into()]));
        fill(&db.store, &spec, vec![first.clone(), row("A-2", "残る台帳", "S")]).await;
        let (shape, gone) = (spec.clone(), first.clone());
        let stale = act!(db.store, c => {
            let mut other = gone.clone();
            other.version = 9;
            register::remove(c, &shape, &other).await
        });
        assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
        let (shape, gone) = (spec.clone(), first.clone());
        act!(db.store, c => register::remove(c, &shape, &gone).await).unwrap();
        let shape = spec.clone();
        let (got, list, words, many) = look!(db.store, c => Ok((
            register::get(c, &shape, &everyone(), "id-A-1").await?,
            register::list(c, &shape, &everyone(), &Filter::default(), 0, 10).await?.1,
            register::list(c, &shape, &everyone(), &Filter { words: vec!["消える".into()], ..Filter::default() }, 0, 10).await?.1,
            c.count("SELECT COUNT(*) FROM m_asset WHERE row_id = 'id-A-1'", vec![]).await?,
        ))).unwrap();
        assert_eq!((got, list, words, many), (None, 1, 0, 0));
        // The number may come again.
        let mut again = first;
        again.id = "again".into();
        fill(&db.store, &spec, vec![again]).await;
    }

    async fn changes_are_told_by_their_cause(db: Db) {
        let change = |row_id: &str, seq: i64, cause: &str| ChangeRow {
            id: format!("{row_id}-{seq}"),
            register: "asset".into(),
            row_id: row_id.into(),
            seq,
            at: at(seq),
            person: "00001".into(),
            cause: cause.into(),
            before: None,
            after: Some("{}".into()),
            entry: "E".into(),
        };
        let all = [change("R2", 1, "import U1"), change("R1", 2, "import U1"), change("R1", 3, "form")];
        let kept = all.clone();
        act!(db.store, c => {
            for h in &kept {
                register::put_change(c, h).await?;
            }
            Ok(())
        }).unwrap();
        let found = look!(db.store, c => register::changes_of(c, "asset", "import U1").await).unwrap();
        assert_eq!(found, [all[1].clone(), all[0].clone()]);
        assert!(look!(db.store, c => register::changes_of(c, "media", "import U1").await).unwrap().is_empty());
    }

    async fn a_person_has_one_calendar(db: Db) {
        let feed = |hash: &str, when: i64| FeedRow { person: "00001".into(), hash: hash.into(), made_at: at(when), entry: "E".into() };
        let (first, second) = (feed("a", 1), feed("b", 2));
        act!(db.store, c => {
            feed::put(c, &first).await?;
            feed::put(c, &second).await
        }).unwrap();
        let (old, new, own) = look!(db.store, c => Ok((feed::by_hash(c, "a").await?, feed::by_hash(c, "b").await?, feed::of_person(c, "00001").await?))).unwrap();
        assert_eq!((old, new, own), (None, Some(feed("b", 2)), Some(feed("b", 2))));
        let (there, gone) = act!(db.store, c => Ok((feed::end(c, "00001").await?, feed::end(c, "00001").await?))).unwrap();
        assert_eq!((there, gone), (true, false));
    }

    async fn receivers_stand_where_they_were_put(db: Db) {
        let row = WebhookRow { receiver: "a".into(), next_leaf: 7, tries: 0, try_after: at(1), delivered_at: None, error: String::new() };
        let later = WebhookRow { next_leaf: 9, tries: 2, delivered_at: Some(at(3)), error: "状態 500".into(), ..row.clone() };
        let both = (row, later.clone());
        act!(db.store, c => {
            webhook::put(c, &both.0).await?;
            webhook::put(c, &both.1).await
        }).unwrap();
        assert_eq!(look!(db.store, c => webhook::all(c).await).unwrap(), [later]);
    }

    async fn a_period_begins_with_its_first_moment_and_ends_before_its_last(db: Db) {
        let mut late = case_row("C2", "S", 20);
        late.due = Some(day("2026-01-01"));
        let mut ended = case_row("C3", "S", 5);
        ended.closed_at = Some(at(25));
        let cases = [case_row("C1", "S", 10), late, ended];
        act!(db.store, c => {
            for r in &cases {
                case::put(c, r).await?;
            }
            violation::open(c, &broken("V1", "late", "case/C1#return", "S", 10)).await?;
            violation::open(c, &broken("V2", "late", "case/C2#return", "S", 30)).await?;
            violation::close(c, "V1", at(15)).await
        }).unwrap();
        let (counts, wrong, ids, overdue, lasted) = look!(db.store, c => Ok((
            report::cases(c, at(10), at(30)).await?,
            report::violations(c, at(10), at(30)).await?,
            report::case_ids(c, "take_out", at(10), at(20), 10).await?,
            report::late_cases(c, day("2026-01-02")).await?,
            report::intervals(c, "late", at(12), at(30), 10).await?,
        ))).unwrap();
        assert_eq!((counts.0["take_out"], counts.1["take_out"]), (2, 1));
        assert_eq!((wrong.0["late"], wrong.1["late"]), (1, 1));
        assert_eq!((ids, overdue), (vec!["C1".to_owned()], 1));
        assert_eq!(lasted.len(), 1);
        assert_eq!(lasted[0].closed_at, Some(at(15)));
    }
}
