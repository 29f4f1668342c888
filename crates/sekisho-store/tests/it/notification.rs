//! Notifications and the state of their mail; documents and answers, which are as simple.

use sekisho_store::StoreError;
use sekisho_store::document::{self, VersionRow};
use sekisho_store::notice::{self, AnswerRow, Counts};
use sekisho_store::notification::{self, NotificationRow};

use crate::engine::at;

fn told(id: &str, person: &str, seconds: i64, mail: &str) -> NotificationRow {
    NotificationRow {
        id: id.into(),
        person: person.into(),
        kind: "task".into(),
        subject: "「許可」を待っています".into(),
        link: "/cases/C1".into(),
        created_at: at(seconds),
        read_at: None,
        mail: mail.into(),
        tries: 0,
        try_after: at(seconds),
        mailed_at: None,
        mail_error: String::new(),
        entry: "E".into(),
        settled_at: None,
    }
}

fn version(seq: i64, kind: &str, seconds: i64) -> VersionRow {
    VersionRow {
        id: format!("V{seq}-{kind}"),
        document: "plan".into(),
        seq,
        kind: kind.into(),
        version: "第1版".into(),
        decided_on: "2026-04-01".parse().unwrap(),
        decided_by: "副市長".into(),
        in_force_on: "2026-04-01".parse().unwrap(),
        place: "書庫".into(),
        file_name: String::new(),
        sha256: String::new(),
        next_review: "2027-04-01".parse().unwrap(),
        note: String::new(),
        recorded_by: "9001".into(),
        recorded_at: at(seconds),
        entry: "E".into(),
    }
}

on_both! {
    async fn what_was_done_asks_nobody_any_more(db: Db) {
        act!(db.store, c => {
            let other = NotificationRow { subject: "「返却の確認」を待っています".into(), ..told("N2", "1001", 2, "none") };
            let elsewhere = NotificationRow { link: "/cases/C2".into(), ..told("N3", "1001", 3, "none") };
            notification::add(c, &[told("N1", "1001", 1, "none"), other, elsewhere, told("N4", "1002", 4, "none")]).await?;
            notification::settle(c, "/cases/C1", &["「許可」を待っています".into()], at(9)).await?;
            notification::settle(c, "/cases/C1", &[], at(10)).await
        }).unwrap();
        let unread = look!(db.store, c => Ok((notification::unread(c, "1001", 99).await?, notification::unread(c, "1002", 99).await?))).unwrap();
        assert_eq!(unread, (2, 0));
        let mine = look!(db.store, c => notification::of_person(c, "1001", 0, 9).await).unwrap();
        assert_eq!(mine.iter().map(|n| n.settled_at).collect::<Vec<_>>(), [None, None, Some(at(9))]);
    }

    async fn one_reads_ones_own_and_mail_is_tried_in_its_time(db: Db) {
        act!(db.store, c => {
            for n in [told("N1", "1001", 1, "waiting"), told("N2", "1001", 2, "none"), told("N3", "1002", 3, "waiting")] {
                notification::add(c, std::slice::from_ref(&n)).await?;
            }
            notification::mark_read(c, "1002", Some("N1"), at(9)).await
        }).unwrap();
        let unread = look!(db.store, c => Ok((notification::unread(c, "1001", 99).await?, notification::unread(c, "1002", 99).await?))).unwrap();
        assert_eq!(unread, (2, 1), "nobody reads for somebody else");
        act!(db.store, c => notification::mark_read(c, "1001", None, at(9)).await).unwrap();
        let unread = look!(db.store, c => Ok((notification::unread(c, "1001", 99).await?, notification::unread(c, "1002", 99).await?))).unwrap();
        assert_eq!(unread, (0, 1));
        let mine = look!(db.store, c => notification::of_person(c, "1001", 0, 1).await).unwrap();
        assert_eq!(mine.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["N2"], "the newest first");
        let waiting = look!(db.store, c => notification::to_mail(c, at(2), 10).await).unwrap();
        assert_eq!(waiting.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["N1"]);
        let tried = NotificationRow { tries: 1, try_after: at(60), mail_error: "451".into(), ..told("N1", "1001", 1, "waiting") };
        act!(db.store, c => notification::put_mail(c, &tried).await).unwrap();
        let waiting = look!(db.store, c => notification::to_mail(c, at(59), 10).await).unwrap();
        assert_eq!(waiting.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["N3"]);
        let (counts, troubled) = look!(db.store, c => notification::mail_state(c, 10).await).unwrap();
        assert_eq!(counts, [("none".to_owned(), 1), ("waiting".to_owned(), 2)]);
        assert_eq!(troubled.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["N1"]);
    }

    async fn a_documents_last_row_counts_as_it_was_known(db: Db) {
        act!(db.store, c => {
            document::add(c, &version(1, "decided", 10)).await?;
            document::add(c, &version(2, "withdrawn", 20)).await
        }).unwrap();
        let twice = act!(db.store, c => document::add(c, &version(2, "reviewed", 30)).await).unwrap_err();
        assert!(matches!(twice, StoreError::Conflict(_)), "{twice}");
        for (seconds, wanted) in [(9, vec![]), (10, vec![version(1, "decided", 10)]), (20, vec![version(2, "withdrawn", 20)])] {
            assert_eq!(look!(db.store, c => document::present(c, at(seconds)).await).unwrap(), wanted, "{seconds}");
        }
        assert_eq!(look!(db.store, c => document::history(c, "plan").await).unwrap().len(), 2);
    }

    async fn answers_are_counted_by_year_and_unit_and_the_last_one_counts(db: Db) {
        let answer = |year, person: &str, unit: &str, answer: &str, seconds| AnswerRow {
            fiscal_year: year,
            notice: "lock".into(),
            person: person.into(),
            unit: unit.into(),
            answer: answer.into(),
            answered_at: at(seconds),
            entry: "E".into(),
        };
        let rows = [answer(2026, "1", "21", "no", 1), answer(2026, "1", "21", "yes", 2), answer(2026, "2", "21", "none", 3), answer(2026, "3", "22", "no", 4), answer(2025, "1", "21", "no", 5)];
        act!(db.store, c => {
            for a in &rows {
                notice::put(c, a).await?;
            }
            Ok(())
        }).unwrap();
        let totals = look!(db.store, c => notice::totals(c, at(4)).await).unwrap();
        assert_eq!(totals, [(("lock".to_owned(), 2026), Counts { yes: 1, no: 1, none: 1 })].into());
        let by_unit = look!(db.store, c => notice::by_unit(c, "lock", 2026).await).unwrap();
        assert_eq!(by_unit, [("21".to_owned(), Counts { yes: 1, no: 0, none: 1 }), ("22".to_owned(), Counts { yes: 0, no: 1, none: 0 })].into());
        let mine = look!(db.store, c => notice::of_person(c, "1", 2026).await).unwrap();
        assert_eq!(mine, [("lock".to_owned(), "yes".to_owned())].into());
    }
}
