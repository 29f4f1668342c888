//! Sessions, second factors and tokens.

use sekisho_store::StoreError;
use sekisho_store::account::{self, Reset};
use sekisho_store::api_token::{self, TokenRow};
use sekisho_store::outside::{self, LinkRow};
use sekisho_store::second_factor;
use sekisho_store::session::{self, Found, SessionRow, Stage, Via};

use crate::account::{account as account_row, base};
use crate::engine::at;

fn session(token: &str, login: &str, ends: i64) -> SessionRow {
    SessionRow {
        token_hash: token.into(),
        login: login.into(),
        csrf: format!("c-{token}"),
        stage: Stage::Enrol,
        address: "10.0.0.1".into(),
        agent: "Edge".into(),
        previous: Some(at(-5)),
        failed: 2,
        created_at: at(0),
        proved_at: at(0),
        seen_at: at(0),
        expires_at: at(ends),
        via: Via::Card,
        factor_since: Some(at(-3)),
    }
}

fn token(id: &str, login: &str) -> TokenRow {
    TokenRow {
        id: id.into(),
        login: login.into(),
        hash: format!("h-{id}"),
        name: "名".into(),
        scopes: "read".into(),
        networks: "10.1.0.0/16".into(),
        created_at: at(0),
        expires_at: at(100),
        used_at: None,
        refused_at: None,
        revoked_at: None,
    }
}

on_both! {
    async fn a_session_comes_with_its_account(db: Db) {
        base(&db).await;
        act!(db.store, c => session::put(c, &session("t1", "a", 100)).await).unwrap();
        let found = look!(db.store, c => session::get(c, "t1").await).unwrap();
        let as_put = Found { session: session("t1", "a", 100), account: account_row("a", "00001"), reset: false, second_factor: false };
        assert_eq!(found, Some(as_put));
        let reset = Reset { login: "a".into(), by: "00002".into(), at: at(1), since: at(1) };
        act!(db.store, c => {
            session::touch(c, "t1", at(50)).await?;
            session::prove(c, "t1", at(60)).await?;
            session::open(c, "t1").await?;
            account::put_reset(c, &reset).await?;
            second_factor::begin(c, "a", "sealed").await?;
            second_factor::confirm(c, "a", "sealed", 7, &["x".to_owned()], at(2)).await
        }).unwrap();
        let seen = look!(db.store, c => session::get(c, "t1").await).unwrap().unwrap();
        assert_eq!((seen.session.seen_at, seen.session.proved_at, seen.session.stage), (at(50), at(60), Stage::Open));
        assert!(seen.reset && seen.second_factor);
        assert_eq!(look!(db.store, c => session::get(c, "t2").await).unwrap(), None);
    }

    async fn sessions_end_one_by_one_by_login_and_by_time(db: Db) {
        base(&db).await;
        act!(db.store, c => {
            for s in [session("t1", "a", 100), session("t2", "a", 100), session("t3", "b", 100), session("t4", "b", 10), session("t5", "b", 50), session("t6", "a", 90)] {
                session::put(c, &s).await?;
            }
            assert!(session::end(c, "b", "t3").await?);
            assert!(!session::end(c, "b", "t1").await?, "another login's");
            session::end_others(c, "a", "t6").await
        }).unwrap();
        let left = look!(db.store, c => session::of_login(c, "b", at(20)).await).unwrap();
        assert_eq!(left.iter().map(|s| s.token_hash.as_str()).collect::<Vec<_>>(), ["t5"]);
        assert_eq!(act!(db.store, c => session::sweep(c, at(50)).await).unwrap(), 1);
        let mut left = Vec::new();
        for token in ["t1", "t2", "t3", "t4", "t5", "t6"] {
            if look!(db.store, c => session::get(c, token).await).unwrap().is_some() {
                left.push(token);
            }
        }
        assert_eq!(left, ["t5", "t6"]);
        assert_eq!(act!(db.store, c => session::end_others(c, "a", "").await).unwrap(), 1);
    }

    async fn a_secret_is_in_use_once_confirmed_and_each_code_once(db: Db) {
        base(&db).await;
        let codes = || ["x".to_owned(), "y".to_owned()];
        act!(db.store, c => {
            second_factor::begin(c, "a", "first").await?;
            second_factor::begin(c, "a", "second").await
        }).unwrap();
        assert!(act!(db.store, c => second_factor::confirm(c, "a", "first", 7, &codes(), at(1)).await).is_err(), "replaced");
        act!(db.store, c => second_factor::confirm(c, "a", "second", 7, &codes(), at(1)).await).unwrap();
        let row = look!(db.store, c => second_factor::get(c, "a").await).unwrap();
        assert_eq!((row.secret.as_str(), row.step, row.confirmed_at, row.pending.as_str()), ("second", 7, Some(at(1)), ""));
        let taken = act!(db.store, c => Ok([
            second_factor::take_step(c, "a", 7).await?,
            second_factor::take_step(c, "a", 8).await?,
            second_factor::take_step(c, "a", 8).await?,
            second_factor::take_code(c, "a", "x", at(2)).await?,
            second_factor::take_code(c, "a", "x", at(3)).await?,
            second_factor::take_code(c, "b", "y", at(3)).await?,
        ])).unwrap();
        assert_eq!(taken, [false, true, false, true, false, false]);
        assert_eq!(look!(db.store, c => second_factor::codes_left(c, "a").await).unwrap(), 1);
        assert!(act!(db.store, c => second_factor::remove_all(c, "a").await).unwrap());
        assert!(!act!(db.store, c => second_factor::remove_all(c, "a").await).unwrap());
        assert_eq!(look!(db.store, c => second_factor::codes_left(c, "a").await).unwrap(), 0);
    }

    async fn a_token_works_until_it_is_revoked(db: Db) {
        base(&db).await;
        act!(db.store, c => {
            for t in [token("1", "a"), token("2", "a"), token("3", "b")] {
                api_token::put(c, &t).await?;
            }
            api_token::touch(c, "1", at(4)).await
        }).unwrap();
        let (found, account, reset) = look!(db.store, c => api_token::by_hash(c, "h-1").await).unwrap().unwrap();
        assert_eq!((found.used_at, account.person.as_str(), reset), (Some(at(4)), "00001", false));
        assert_eq!(act!(db.store, c => api_token::revoke(c, "b", "1", at(5)).await).unwrap(), 0, "another login's");
        assert_eq!(act!(db.store, c => api_token::revoke(c, "a", "1", at(5)).await).unwrap(), 1);
        assert_eq!(look!(db.store, c => api_token::by_hash(c, "h-1").await).unwrap(), None);
        assert_eq!(look!(db.store, c => api_token::of_login(c, "a").await).unwrap().len(), 1);
        assert_eq!(act!(db.store, c => api_token::revoke(c, "a", "", at(6)).await).unwrap(), 1);
        assert!(look!(db.store, c => api_token::by_hash(c, "h-3").await).unwrap().is_some());
    }

    async fn a_subject_and_a_login_have_one_another_and_an_answer_is_taken_once(db: Db) {
        base(&db).await;
        let link = |subject: &str, login: &str| LinkRow {
            issuer: "https://id".into(), subject: subject.into(), login: login.into(), linked_at: at(0),
        };
        act!(db.store, c => outside::link(c, &link("s1", "a")).await).unwrap();
        for (subject, login) in [("s1", "b"), ("s2", "a"), ("s1", "a")] {
            let twice = act!(db.store, c => outside::link(c, &link(subject, login)).await);
            assert!(matches!(twice, Err(StoreError::Conflict(_))), "{subject} {login}");
        }
        act!(db.store, c => outside::link(c, &LinkRow { issuer: "https://other".into(), ..link("s1", "b") }).await).unwrap();
        let found = look!(db.store, c => Ok((
            outside::login_of(c, "https://id", "s1").await?,
            outside::login_of(c, "https://id", "s2").await?,
            outside::subject_of(c, "https://other", "b").await?,
            outside::subject_of(c, "https://id", "b").await?,
        ))).unwrap();
        assert_eq!(found, (Some("a".into()), None, Some("s1".into()), None));
        let listed = look!(db.store, c => account::list(c, &[], 0, 10).await).unwrap();
        assert!(listed.iter().all(|l| l.linked == ["a", "b"].contains(&l.account.login.as_str())));
        assert!(act!(db.store, c => outside::unlink(c, "a").await).unwrap());
        assert!(!act!(db.store, c => outside::unlink(c, "a").await).unwrap());

        act!(db.store, c => outside::take_answer(c, "x", at(10), at(0)).await).unwrap();
        let again = act!(db.store, c => outside::take_answer(c, "x", at(10), at(10)).await);
        assert!(matches!(again, Err(StoreError::Conflict(_))));
        act!(db.store, c => outside::take_answer(c, "y", at(30), at(11)).await).unwrap();
        assert_eq!(look!(db.store, c => c.count("SELECT COUNT(*) FROM outside_answer", vec![]).await).unwrap(), 1);
    }
}
