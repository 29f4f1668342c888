//! Accounts, sessions and failed logins.

use crate::engine::at;
use sekisho_store::account::{self, AccountRow, Failures, SessionRow};
use sekisho_store::org::{self, PersonRow};

fn person(number: &str) -> PersonRow {
    PersonRow { number: number.into(), name: "名".into(), kana: String::new(), mail: String::new() }
}

fn account(login: &str, person: &str) -> AccountRow {
    AccountRow {
        login: login.into(),
        person: person.into(),
        password: "$argon2id$x".into(),
        must_change: true,
        active: true,
        changed_at: at(0),
    }
}

fn session(token: &str, login: &str, ends: i64) -> SessionRow {
    SessionRow {
        token_hash: token.into(),
        login: login.into(),
        csrf: format!("c-{token}"),
        created_at: at(0),
        seen_at: at(0),
        expires_at: at(ends),
    }
}

async fn base(db: &crate::engine::Db) {
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

    async fn a_person_has_one_login(db: Db) {
        base(&db).await;
        let second = act!(db.store, c => account::put(c, &account("z", "00001")).await);
        assert!(second.is_err_and(|e| e.is_unique_violation()));
        assert!(act!(db.store, c => account::put(c, &account("y", "no such person")).await).is_err());
    }

    async fn a_session_comes_with_its_account(db: Db) {
        base(&db).await;
        act!(db.store, c => account::put_session(c, &session("t1", "a", 100)).await).unwrap();
        let found = look!(db.store, c => account::session(c, "t1").await).unwrap();
        assert_eq!(found, Some((session("t1", "a", 100), account("a", "00001"))));
        act!(db.store, c => account::touch_session(c, "t1", at(50)).await).unwrap();
        let (seen, _) = look!(db.store, c => account::session(c, "t1").await).unwrap().unwrap();
        assert_eq!(seen.seen_at, at(50));
        assert_eq!(look!(db.store, c => account::session(c, "t2").await).unwrap(), None);
    }

    async fn sessions_end_one_by_one_by_login_and_by_time(db: Db) {
        base(&db).await;
        act!(db.store, c => {
            for s in [session("t1", "a", 100), session("t2", "a", 100), session("t3", "b", 100), session("t4", "b", 10), session("t5", "b", 50)] {
                account::put_session(c, &s).await?;
            }
            account::end_session(c, "t3").await?;
            account::end_sessions_of(c, "a").await
        }).unwrap();
        assert_eq!(act!(db.store, c => account::sweep_sessions(c, at(50)).await).unwrap(), 1);
        let mut left = Vec::new();
        for token in ["t1", "t2", "t3", "t4", "t5"] {
            if look!(db.store, c => account::session(c, token).await).unwrap().is_some() {
                left.push(token);
            }
        }
        assert_eq!(left, ["t5"]);
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
    }
}
