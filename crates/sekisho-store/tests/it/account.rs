//! Accounts, earlier passwords, resets and failed logins.

use crate::engine::at;
use sekisho_store::account::{self, AccountRow, Checked, Failures, Reset};
use sekisho_store::account_import::{self, AccountImportRow};
use sekisho_store::import::Undone;
use sekisho_store::org::{self, PersonRow};
use sekisho_store::second_factor;

fn person(number: &str) -> PersonRow {
    PersonRow { number: number.into(), name: "名".into(), kana: String::new(), mail: String::new() }
}

pub fn account(login: &str, person: &str) -> AccountRow {
    AccountRow {
        login: login.into(),
        person: person.into(),
        password: "$argon2id$x".into(),
        must_change: true,
        active: true,
        changed_at: at(0),
        checked: Checked::Own,
    }
}

pub async fn base(db: &crate::engine::Db) {
    act!(db.store, c => {
        for (login, number) in [("a", "00001"), ("b", "00002")] {
            org::put_person(c, &person(number)).await?;
            account::put(c, &account(login, number)).await?;
        }
        Ok(())
    })
    .unwrap();
}

on_both! {
    async fn an_account_is_found_by_login_and_person(db: Db) {
        base(&db).await;
        let (by_login, by_person, none) = look!(db.store, c => {
            Ok((account::by_login(c, "a").await?, account::by_person(c, "00002").await?, account::by_login(c, "A").await?))
        }).unwrap();
        assert_eq!(by_login, Some(account("a", "00001")));
        assert_eq!(by_person, Some(account("b", "00002")));
        assert_eq!(none, None);
        assert_eq!(look!(db.store, c => account::count(c).await).unwrap(), 2);
    }

    async fn putting_again_replaces(db: Db) {
        base(&db).await;
        let changed = AccountRow { password: "$argon2id$y".into(), must_change: false, active: false, changed_at: at(9), ..account("a", "00001") };
        let put = changed.clone();
        act!(db.store, c => account::put(c, &put).await).unwrap();
        assert_eq!(look!(db.store, c => account::by_login(c, "a").await).unwrap(), Some(changed));
    }

    async fn where_a_password_is_checked_is_kept_and_found_everywhere(db: Db) {
        base(&db).await;
        let there = AccountRow { checked: Checked::Directory, password: String::new(), must_change: false, ..account("a", "00001") };
        let put = there.clone();
        act!(db.store, c => account::put(c, &put).await).unwrap();
        assert_eq!(look!(db.store, c => account::by_person(c, "00001").await).unwrap(), Some(there.clone()));
        assert_eq!(look!(db.store, c => account::all(c).await).unwrap(), [there.clone(), account("b", "00002")]);
        assert_eq!(look!(db.store, c => account::list(c, &[], 0, 10).await).unwrap()[0].account, there);
        act!(db.store, c => account::remove(c, "b").await).unwrap();
        assert_eq!(look!(db.store, c => account::all(c).await).unwrap(), [there]);
        act!(db.store, c => second_factor::begin(c, "a", "sealed").await).unwrap();
        assert!(act!(db.store, c => account::remove(c, "a").await).is_err(), "one that was used stays");
    }

    async fn an_import_is_undone_once(db: Db) {
        let row = |id: &str, n: i64| AccountImportRow {
            id: id.into(), person: "00001".into(), at: at(n), file: "f".into(), lines: "[]".into(), entry: "e".into(), undone: None,
        };
        act!(db.store, c => {
            account_import::put(c, &row("1", 1)).await?;
            account_import::put(c, &row("2", 2)).await
        }).unwrap();
        let undone = || Undone { at: at(3), by: "00002".into(), kept: 1, entry: "u".into() };
        assert!(act!(db.store, c => account_import::undo(c, "1", &undone()).await).unwrap());
        assert!(!act!(db.store, c => account_import::undo(c, "1", &undone()).await).unwrap());
        let first = AccountImportRow { undone: Some(undone()), ..row("1", 1) };
        assert_eq!(look!(db.store, c => account_import::list(c, 5).await).unwrap(), [row("2", 2), first.clone()]);
        assert_eq!(look!(db.store, c => account_import::get(c, "1").await).unwrap(), Some(first));
        assert_eq!(look!(db.store, c => account_import::list(c, 1).await).unwrap(), [row("2", 2)]);
        assert_eq!(look!(db.store, c => account_import::get(c, "3").await).unwrap(), None);
    }

    async fn a_person_has_one_login(db: Db) {
        base(&db).await;
        let second = act!(db.store, c => account::put(c, &account("z", "00001")).await);
        assert!(second.is_err_and(|e| e.is_unique_violation()));
        assert!(act!(db.store, c => account::put(c, &account("y", "no such person")).await).is_err());
    }

    async fn earlier_passwords_are_the_newest_few(db: Db) {
        base(&db).await;
        act!(db.store, c => {
            for n in 0..5 {
                account::keep_old_password(c, "a", &format!("p{n}"), at(n), 3).await?;
            }
            account::keep_old_password(c, "b", "other", at(9), 3).await
        }).unwrap();
        assert_eq!(look!(db.store, c => account::old_passwords(c, "a").await).unwrap(), ["p4", "p3", "p2"]);
        assert_eq!(look!(db.store, c => account::old_passwords(c, "b").await).unwrap(), ["other"]);
    }

    async fn a_reset_is_taken_up_once_and_only_the_one_that_was_shown(db: Db) {
        base(&db).await;
        let reset = |n: i64| Reset { login: "a".into(), by: "00002".into(), at: at(n), since: at(n) };
        act!(db.store, c => {
            account::put_reset(c, &reset(1)).await?;
            account::put_reset(c, &reset(2)).await
        }).unwrap();
        assert!(act!(db.store, c => account::take_up(c, "a", at(1)).await).is_err(), "replaced");
        assert_eq!(look!(db.store, c => account::reset(c, "a").await).unwrap(), Some(Reset { since: at(1), ..reset(2) }), "since the first");
        act!(db.store, c => account::take_up(c, "a", at(2)).await).unwrap();
        assert!(act!(db.store, c => account::take_up(c, "a", at(2)).await).is_err());
        assert_eq!(look!(db.store, c => account::reset(c, "a").await).unwrap(), None);
    }

    async fn accounts_are_found_by_login_and_by_person(db: Db) {
        base(&db).await;
        let reset = Reset { login: "b".into(), by: "00001".into(), at: at(3), since: at(3) };
        act!(db.store, c => {
            account::put_reset(c, &reset).await?;
            account::set_active(c, "a", false).await?;
            second_factor::begin(c, "a", "sealed").await
        }).unwrap();
        let all = look!(db.store, c => account::list(c, &[], 0, 10).await).unwrap();
        assert_eq!(all.iter().map(|l| l.account.login.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(!all[0].account.active && !all[0].second_factor, "a secret that is being enrolled is none yet");
        assert_eq!(all[1].reset, Some(("00001".to_owned(), at(3))));
        let one = look!(db.store, c => account::list(c, &["00002".to_owned()], 0, 10).await).unwrap();
        assert_eq!(one.len(), 1);
        assert_eq!(look!(db.store, c => account::list(c, &[], 1, 10).await).unwrap().len(), 1);
        assert!(look!(db.store, c => account::list(c, &["nobody".to_owned()], 0, 10).await).unwrap().is_empty());
    }

    async fn failures_count_for_unknown_logins_too(db: Db) {
        assert_eq!(look!(db.store, c => account::failures(c, "nobody").await).unwrap(), Failures::default());
        act!(db.store, c => {
            account::set_failures(c, "nobody", Failures { count: 1, locked_until: None }).await?;
            account::set_failures(c, "nobody", Failures { count: 5, locked_until: Some(at(60)) }).await?;
            account::set_failures(c, "other", Failures { count: 2, locked_until: None }).await
        }).unwrap();
        assert_eq!(look!(db.store, c => account::failures(c, "nobody").await).unwrap(), Failures { count: 5, locked_until: Some(at(60)) });
        act!(db.store, c => account::clear_failures(c, "nobody").await).unwrap();
        assert_eq!(look!(db.store, c => account::failures(c, "nobody").await).unwrap(), Failures::default());
        assert_eq!(look!(db.store, c => account::failures(c, "other").await).unwrap().count, 2);
        let keys = || ["nobody".to_owned(), "other".to_owned()];
        assert!(look!(db.store, c => account::locks(c, &keys()).await).unwrap().is_empty());
        act!(db.store, c => account::set_failures(c, "other", Failures { count: 0, locked_until: Some(at(60)) }).await).unwrap();
        assert_eq!(look!(db.store, c => account::locks(c, &keys()).await).unwrap(), [("other".to_owned(), at(60))]);
    }
}
