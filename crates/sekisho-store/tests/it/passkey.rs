//! Passkeys, and what they are to sessions and second factors.

use sekisho_store::account;
use sekisho_store::passkey::{self, PasskeyRow};
use sekisho_store::{StoreError, second_factor};

use crate::account::base;
use crate::engine::at;

fn key(id: &str, login: &str, made: i64) -> PasskeyRow {
    PasskeyRow {
        id: id.into(),
        login: login.into(),
        handle: format!("h-{login}"),
        name: "席のパソコン".into(),
        public_key: "a0".into(),
        counter: 3,
        created_at: at(made),
        used_at: None,
        stopped_at: None,
    }
}

fn codes() -> [String; 2] {
    ["x".to_owned(), "y".to_owned()]
}

on_both! {
    async fn a_signature_is_taken_only_with_a_higher_counter(db: Db) {
        base(&db).await;
        act!(db.store, c => {
            passkey::put(c, &key("k2", "a", 2)).await?;
            passkey::put(c, &key("k1", "a", 2)).await?;
            passkey::put(c, &PasskeyRow { counter: 0, ..key("k0", "a", 1) }).await
        }).unwrap();
        let doubled = act!(db.store, c => passkey::put(c, &key("k1", "b", 9)).await);
        assert!(matches!(doubled, Err(StoreError::Conflict(_))));
        let all = look!(db.store, c => passkey::of_login(c, "a").await).unwrap();
        assert_eq!(all.iter().map(|k| k.id.as_str()).collect::<Vec<_>>(), ["k0", "k1", "k2"]);
        for (id, counter, taken) in [("k1", 3, false), ("k1", 0, false), ("k1", 4, true), ("k1", 4, false), ("k0", 0, true), ("k0", 0, true), ("k0", 5, true), ("k0", 0, false), ("none", 9, false)] {
            let found = act!(db.store, c => passkey::take(c, id, counter, at(7)).await).unwrap();
            assert_eq!(found, taken, "{id} {counter}");
        }
        let (stopped, again) = act!(db.store, c => Ok((passkey::stop(c, "k1", at(8)).await?, passkey::stop(c, "k1", at(9)).await?))).unwrap();
        assert!(stopped && !again);
        assert!(!act!(db.store, c => passkey::take(c, "k1", 100, at(9)).await).unwrap(), "it is stopped");
        let seen = look!(db.store, c => passkey::get(c, "k1").await).unwrap();
        let expected = PasskeyRow { counter: 4, used_at: Some(at(7)), stopped_at: Some(at(8)), ..key("k1", "a", 2) };
        assert_eq!(seen, Some(expected));
    }

    async fn a_passkey_is_a_second_factor_and_codes_go_with_the_last(db: Db) {
        base(&db).await;
        act!(db.store, c => {
            passkey::put(c, &key("k1", "a", 2)).await?;
            passkey::put(c, &key("k2", "b", 2)).await?;
            second_factor::put_codes(c, "a", &codes()).await
        }).unwrap();
        let listed = look!(db.store, c => account::list(c, &[], 0, 9).await).unwrap();
        assert!(listed.iter().all(|l| l.second_factor));
        act!(db.store, c => {
            second_factor::begin(c, "a", "sealed").await?;
            second_factor::confirm(c, "a", "sealed", 7, &codes(), at(2)).await?;
            assert!(second_factor::remove_app(c, "a").await?);
            assert_eq!(second_factor::codes_left(c, "a").await?, 2, "the passkey is left");
            assert_eq!(passkey::remove(c, "b", "k1").await?, None, "another login's");
            assert_eq!(passkey::remove(c, "a", "k1").await?.as_deref(), Some("席のパソコン"));
            second_factor::drop_idle_codes(c, "a").await?;
            assert_eq!(second_factor::codes_left(c, "a").await?, 0);
            assert!(!second_factor::any(c, "a").await?);
            assert!(second_factor::any(c, "b").await?);
            assert!(second_factor::remove_all(c, "b").await?);
            assert!(!second_factor::remove_all(c, "b").await?);
            Ok(())
        }).unwrap();
        let listed = look!(db.store, c => account::list(c, &[], 0, 9).await).unwrap();
        assert!(listed.iter().all(|l| !l.second_factor));
    }
}
