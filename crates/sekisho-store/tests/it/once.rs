//! Requests that are carried out once: the claim is kept with the act or not at all, and of sendings at the same moment one acts.

use sekisho_store::once::{self, Claim, Kept};
use sekisho_store::{StoreError, setting};

use crate::engine::at;

fn claim(mark: &str, second: i64) -> Claim {
    Claim {
        key: "K".to_owned(),
        request: "asked".to_owned(),
        mark: mark.to_owned(),
        at: at(second),
        older_than: at(second - 86_400),
    }
}

on_both! {
    async fn a_claim_is_kept_with_the_act_or_not_at_all(db: Db) {
        let store = db.store.clone();
        let refused = once::under(claim("a", 0), async {
            act!(store, c => {
                setting::next(c, "acts").await?;
                Err::<(), _>(StoreError::Conflict("no".to_owned()))
            })
        });
        assert!(matches!(refused.await, Err(StoreError::Conflict(_))));
        assert_eq!(look!(db.store, c => once::kept(c, "K", at(-86_400)).await).unwrap(), None);
        // Whoever acts holds the key in each of its transactions, and nobody else writes under it.
        let under = |mark: &'static str, second: i64| {
            let store = db.store.clone();
            once::under(claim(mark, second), async move { act!(store, c => setting::next(c, "acts").await) })
        };
        assert_eq!(under("b", 1).await.unwrap(), 1);
        assert_eq!(under("b", 1).await.unwrap(), 2);
        assert!(matches!(under("c", 2).await, Err(StoreError::Claimed)));
        let other = claim("c", 2);
        let late = act!(db.store, c => once::answered(c, &other, 200, "other").await);
        assert!(matches!(late, Err(StoreError::Claimed)));
        act!(db.store, c => once::refused(c, &claim("c", 2)).await).unwrap();
        act!(db.store, c => once::answered(c, &claim("b", 1), 200, "first").await).unwrap();
        act!(db.store, c => once::refused(c, &claim("b", 1)).await).unwrap();
        let kept = Kept { request: "asked".to_owned(), status: 200, answer: "first".to_owned() };
        assert_eq!(look!(db.store, c => once::kept(c, "K", at(0)).await).unwrap(), Some(kept), "an answer stays");
        // After a day the key is anybody's.
        assert_eq!(look!(db.store, c => once::kept(c, "K", at(2)).await).unwrap(), None);
        assert_eq!(under("d", 86_402).await.unwrap(), 3);
        assert_eq!(act!(db.store, c => once::forget(c, at(86_402)).await).unwrap(), 0);
        assert_eq!(act!(db.store, c => once::forget(c, at(86_403)).await).unwrap(), 1);
    }

    async fn of_sendings_at_the_same_moment_one_acts(db: Db) {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8 {
            let store = db.store.clone();
            tasks.spawn(once::under(claim(&format!("m{n}"), 0), async move {
                act!(store, c => setting::next(c, "acts").await)
            }));
        }
        let mut acted = 0;
        while let Some(done) = tasks.join_next().await {
            match done.unwrap() {
                Ok(_) => acted += 1,
                Err(e) => assert!(matches!(e, StoreError::Claimed), "{e}"),
            }
        }
        assert_eq!(acted, 1);
        assert_eq!(look!(db.store, c => setting::current(c, "acts").await).unwrap(), 1);
    }
}
